//! How many connections there may be: `max.connections`, `max.connections.per.ip` and its overrides.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

/// The limits of one broker on open connections; all counts are connections.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// `max.connections`, over all listeners.
    pub max_connections: usize,
    /// `max.connections.per.ip`.
    pub max_connections_per_ip: usize,
    /// `max.connections.per.ip.overrides`.
    pub per_ip_overrides: HashMap<IpAddr, usize>,
}

/// Why a connection was not admitted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AdmissionError {
    /// `max.connections` are open.
    #[error("{limit} connections are open; raise max.connections to admit more")]
    TooMany { limit: usize },
    /// `max.connections.per.ip` are open from this address.
    #[error("{limit} connections from {ip} are open; raise max.connections.per.ip to admit more")]
    TooManyFromIp { ip: IpAddr, limit: usize },
}

#[derive(Default)]
struct Open {
    total: usize,
    by_ip: HashMap<IpAddr, usize>,
}

/// Counts the open connections of a broker against [`ConnectionLimits`].
pub struct ConnectionCounts {
    limits: ConnectionLimits,
    open: Mutex<Open>,
}

/// One admitted connection; dropping it gives its place back.
pub struct Admission {
    counts: Arc<ConnectionCounts>,
    ip: IpAddr,
}

impl ConnectionCounts {
    /// No connection open yet.
    pub fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            open: Mutex::default(),
        })
    }

    /// Takes a place for a connection from `ip`, or says which limit is reached.
    pub fn admit(self: &Arc<Self>, ip: IpAddr) -> Result<Admission, AdmissionError> {
        let mut open = self.open.lock();
        if open.total >= self.limits.max_connections {
            return Err(AdmissionError::TooMany {
                limit: self.limits.max_connections,
            });
        }
        let limit = *self
            .limits
            .per_ip_overrides
            .get(&ip)
            .unwrap_or(&self.limits.max_connections_per_ip);
        let from_ip = open.by_ip.entry(ip).or_default();
        if *from_ip >= limit {
            return Err(AdmissionError::TooManyFromIp { ip, limit });
        }
        *from_ip += 1;
        open.total += 1;
        Ok(Admission {
            counts: Arc::clone(self),
            ip,
        })
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut open = self.counts.open.lock();
        open.total -= 1;
        if let Some(count) = open.by_ip.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                open.by_ip.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admits_up_to_each_limit_and_takes_places_back() {
        let here: IpAddr = "127.0.0.1".parse().unwrap();
        let there: IpAddr = "127.0.0.2".parse().unwrap();
        let counts = ConnectionCounts::new(ConnectionLimits {
            max_connections: 3,
            max_connections_per_ip: 1,
            per_ip_overrides: HashMap::from([(there, 5)]),
        });
        let first = counts.admit(here).unwrap();
        assert_eq!(
            counts.admit(here).err(),
            Some(AdmissionError::TooManyFromIp { ip: here, limit: 1 })
        );
        let _second = counts.admit(there).unwrap();
        let _third = counts.admit(there).unwrap();
        assert_eq!(
            counts.admit(there).err(),
            Some(AdmissionError::TooMany { limit: 3 })
        );
        drop(first);
        assert!(counts.admit(here).is_ok());
    }
}
