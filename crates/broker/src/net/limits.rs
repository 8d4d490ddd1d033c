//! How many connections there may be, and how quickly they may come: `max.connections`,
//! `max.connection.creation.rate` (both for the broker and for each listener), `max.connections.per.ip`
//! and its overrides. All of them may change while connections are open.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// What the creation of connections may run ahead of its rate by.
const RATE_WINDOW: Duration = Duration::from_secs(1);

/// Limits that hold for one listener, or for all of them together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerLimits {
    /// `max.connections`.
    pub max_connections: usize,
    /// `max.connection.creation.rate`, connections in a second; 0 counts as 1, as in Kafka.
    pub max_creation_rate: u32,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            max_connections: usize::MAX,
            max_creation_rate: u32::MAX,
        }
    }
}

/// The limits of one broker; all counts are connections.
#[derive(Clone, Debug, Default)]
pub struct ConnectionLimits {
    /// Of all listeners together.
    pub broker: ListenerLimits,
    /// Of single listeners (`listener.name.{name}.max.connections` and its kin).
    pub by_listener: HashMap<String, ListenerLimits>,
    /// The listener between brokers, which the broker's own limits do not hold back.
    pub inter_broker_listener: Option<String>,
    /// `max.connections.per.ip`; `None` is no limit.
    pub max_connections_per_ip: Option<usize>,
    /// `max.connections.per.ip.overrides`.
    pub per_ip_overrides: HashMap<IpAddr, usize>,
}

/// Why a connection was not admitted: `max.connections.per.ip` are open from its address.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{limit} connections from {ip} are open; raise max.connections.per.ip to admit more")]
pub struct TooManyFromIp {
    /// The address.
    pub ip: IpAddr,
    /// Its limit.
    pub limit: usize,
}

/// Lets events happen at a rate: the time at which the next is due without any burst.
#[derive(Debug, Default)]
struct Pace {
    next_due: Option<Instant>,
}

impl Pace {
    /// How long the next event must wait; zero when it may happen now.
    fn wait(&self, now: Instant) -> Duration {
        let earliest = self.next_due.and_then(|due| due.checked_sub(RATE_WINDOW));
        earliest.map_or(Duration::ZERO, |earliest| {
            earliest.saturating_duration_since(now)
        })
    }

    fn count(&mut self, now: Instant, rate: u32) {
        let due = self.next_due.map_or(now, |due| due.max(now));
        self.next_due = Some(due + RATE_WINDOW / rate.max(1));
    }
}

#[derive(Default)]
struct Usage {
    open: usize,
    pace: Pace,
}

impl Usage {
    /// When `limits` let one more connection in: now (zero), later, or not before one is closed or
    /// the limits change (`None`).
    fn wait(&self, limits: ListenerLimits, now: Instant) -> Option<Duration> {
        (self.open < limits.max_connections).then(|| self.pace.wait(now))
    }
}

#[derive(Default)]
struct State {
    limits: ConnectionLimits,
    broker: Usage,
    by_listener: HashMap<String, Usage>,
    by_ip: HashMap<IpAddr, usize>,
}

impl State {
    fn listener_limits(&self, listener: &str) -> ListenerLimits {
        let limits = self.limits.by_listener.get(listener);
        limits.copied().unwrap_or_default()
    }

    fn is_inter_broker(&self, listener: &str) -> bool {
        self.limits.inter_broker_listener.as_deref() == Some(listener)
    }

    /// As [`Usage::wait`], of the broker and `listener` together.
    fn wait(&self, listener: &str, now: Instant) -> Option<Duration> {
        let of_broker = match self.is_inter_broker(listener) {
            true => Duration::ZERO,
            false => self.broker.wait(self.limits.broker, now)?,
        };
        let of_listener = match self.by_listener.get(listener) {
            Some(usage) => usage.wait(self.listener_limits(listener), now)?,
            None => Usage::default().wait(self.listener_limits(listener), now)?,
        };
        Some(of_broker.max(of_listener))
    }

    fn add(&mut self, listener: &str, ip: IpAddr, now: Instant) {
        self.broker.open += 1;
        if !self.is_inter_broker(listener) {
            let rate = self.limits.broker.max_creation_rate;
            self.broker.pace.count(now, rate);
        }
        let rate = self.listener_limits(listener).max_creation_rate;
        let usage = self.by_listener.entry(listener.to_owned()).or_default();
        usage.open += 1;
        usage.pace.count(now, rate);
        *self.by_ip.entry(ip).or_default() += 1;
    }

    fn remove(&mut self, listener: &str, ip: IpAddr) {
        self.broker.open -= 1;
        if let Some(usage) = self.by_listener.get_mut(listener) {
            usage.open -= 1;
        }
        if let Some(count) = self.by_ip.get_mut(&ip) {
            *count -= 1;
            if *count == 0 {
                self.by_ip.remove(&ip);
            }
        }
    }
}

/// Counts the open connections of a broker against [`ConnectionLimits`].
#[derive(Default)]
pub struct ConnectionCounts {
    state: Mutex<State>,
    /// A connection was closed or the limits changed.
    changed: Notify,
}

/// One admitted connection; dropping it gives its place back.
pub struct Admission {
    counts: Arc<ConnectionCounts>,
    listener: Arc<str>,
    ip: IpAddr,
}

impl ConnectionCounts {
    /// Other limits, from now on. Connections that are open stay open.
    pub fn set_limits(&self, limits: ConnectionLimits) {
        self.state.lock().limits = limits;
        self.changed.notify_waiters();
    }

    /// Takes a place for a connection of `listener` from `ip`. Waits while `max.connections` are
    /// open or connections come too quickly, as Kafka does; refuses what is above the limit of its
    /// address. Source: KIP-402, KIP-612; creation rates are measured over one second.
    pub async fn admit(
        self: &Arc<Self>,
        listener: &Arc<str>,
        ip: IpAddr,
    ) -> Result<Admission, TooManyFromIp> {
        let ip = ip.to_canonical();
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.try_admit(listener, ip)? {
                Ok(admission) => return Ok(admission),
                Err(Some(wait)) => {
                    let _ = tokio::time::timeout(wait, changed).await;
                }
                Err(None) => changed.await,
            }
        }
    }

    /// A place, or how long to wait for one (`None`: until something changes).
    fn try_admit(
        self: &Arc<Self>,
        listener: &Arc<str>,
        ip: IpAddr,
    ) -> Result<Result<Admission, Option<Duration>>, TooManyFromIp> {
        let mut state = self.state.lock();
        let limits = &state.limits;
        let limit = limits.per_ip_overrides.get(&ip).copied();
        let limit = limit.or(limits.max_connections_per_ip);
        let from_ip = state.by_ip.get(&ip).copied().unwrap_or(0);
        if let Some(limit) = limit.filter(|limit| from_ip >= *limit) {
            return Err(TooManyFromIp { ip, limit });
        }
        let now = Instant::now();
        match state.wait(listener, now) {
            Some(Duration::ZERO) => {}
            wait => return Ok(Err(wait)),
        }
        state.add(listener, ip, now);
        Ok(Ok(Admission {
            counts: Arc::clone(self),
            listener: Arc::clone(listener),
            ip,
        }))
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.counts.state.lock().remove(&self.listener, self.ip);
        self.counts.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    const HERE: &str = "127.0.0.1";
    const THERE: &str = "127.0.0.2";

    fn counts(limits: ConnectionLimits) -> Arc<ConnectionCounts> {
        let counts = Arc::new(ConnectionCounts::default());
        counts.set_limits(limits);
        counts
    }

    fn up_to(max_connections: usize) -> ListenerLimits {
        ListenerLimits {
            max_connections,
            ..Default::default()
        }
    }

    async fn admit(
        counts: &Arc<ConnectionCounts>,
        listener: &str,
        ip: &str,
    ) -> Result<Admission, TooManyFromIp> {
        counts.admit(&listener.into(), ip.parse().unwrap()).await
    }

    /// Whether a connection would have to wait.
    async fn waits(counts: &Arc<ConnectionCounts>, listener: &str, ip: &str) -> bool {
        let mut admission = std::pin::pin!(admit(counts, listener, ip));
        std::future::poll_fn(|cx| Poll::Ready(admission.as_mut().poll(cx).is_pending())).await
    }

    #[tokio::test]
    async fn an_address_has_its_limit_or_its_own() {
        let counts = counts(ConnectionLimits {
            max_connections_per_ip: Some(1),
            per_ip_overrides: HashMap::from([(THERE.parse().unwrap(), 2)]),
            ..Default::default()
        });
        let refusal = |ip: &str, limit| {
            Some(TooManyFromIp {
                ip: ip.parse().unwrap(),
                limit,
            })
        };
        let first = admit(&counts, "A", HERE).await.unwrap();
        assert_eq!(admit(&counts, "A", HERE).await.err(), refusal(HERE, 1));
        // The same address as an IPv6 socket sees it.
        let mapped = admit(&counts, "B", "::ffff:127.0.0.1").await;
        assert_eq!(mapped.err(), refusal(HERE, 1));
        let _second = admit(&counts, "A", THERE).await.unwrap();
        let _third = admit(&counts, "A", THERE).await.unwrap();
        assert_eq!(admit(&counts, "A", THERE).await.err(), refusal(THERE, 2));
        drop(first);
        assert!(admit(&counts, "A", HERE).await.is_ok());
    }

    #[tokio::test]
    async fn above_the_broker_s_or_the_listener_s_limit_connections_wait() {
        let counts = counts(ConnectionLimits {
            broker: up_to(3),
            by_listener: HashMap::from([("A".to_owned(), up_to(1))]),
            inter_broker_listener: Some("INTERNAL".to_owned()),
            ..Default::default()
        });
        let first = admit(&counts, "A", HERE).await.unwrap();
        assert!(waits(&counts, "A", HERE).await);
        let _second = admit(&counts, "B", HERE).await.unwrap();
        let _third = admit(&counts, "B", HERE).await.unwrap();
        assert!(waits(&counts, "B", HERE).await);
        assert!(admit(&counts, "INTERNAL", HERE).await.is_ok());
        let waiting = tokio::spawn({
            let counts = Arc::clone(&counts);
            async move { admit(&counts, "B", HERE).await.is_ok() }
        });
        tokio::task::yield_now().await;
        drop(first);
        assert!(waiting.await.unwrap(), "a place was given back");
        assert!(!waits(&counts, "A", HERE).await);
    }

    #[tokio::test]
    async fn a_changed_limit_lets_those_in_who_wait() {
        let counts = counts(ConnectionLimits {
            broker: up_to(0),
            ..Default::default()
        });
        let waiting = tokio::spawn({
            let counts = Arc::clone(&counts);
            async move { admit(&counts, "A", HERE).await.is_ok() }
        });
        tokio::task::yield_now().await;
        counts.set_limits(ConnectionLimits::default());
        assert!(waiting.await.unwrap());
    }

    #[test]
    fn events_come_at_their_rate_after_a_burst_of_one_second() {
        let start = Instant::now() + Duration::from_secs(100);
        let mut pace = Pace::default();
        let rate = 10;
        for _ in 0..=rate {
            assert_eq!(pace.wait(start), Duration::ZERO);
            pace.count(start, rate);
        }
        assert_eq!(pace.wait(start), Duration::from_millis(100));
        let later = start + Duration::from_millis(100);
        assert_eq!(pace.wait(later), Duration::ZERO);
        pace.count(later, rate);
        assert_eq!(pace.wait(later), Duration::from_millis(100));
    }
}
