//! What was asked of whom: at most one request per node under way, and a pause after one that failed.

use std::collections::BTreeMap;

use ottla_protocol::ids::BrokerId;

use crate::effect::CorrelationId;
use crate::types::Timeouts;

#[derive(Clone, Copy, Debug)]
struct Pending {
    correlation_id: CorrelationId,
    deadline_ms: u64,
}

#[derive(Debug, Default)]
struct Exchange {
    pending: Option<Pending>,
    retry_at_ms: u64,
}

/// The requests under way. Bounded by the number of voters, whom alone a node asks.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    last: CorrelationId,
    exchanges: BTreeMap<BrokerId, Exchange>,
}

impl Requests {
    /// Whether `to` may be asked now.
    pub fn is_free(&self, to: BrokerId, now_ms: u64) -> bool {
        let exchange = self.exchanges.get(&to);
        exchange.is_none_or(|exchange| exchange.pending.is_none() && exchange.retry_at_ms <= now_ms)
    }

    /// Whether an answer of `to` is awaited.
    pub fn is_asked(&self, to: BrokerId) -> bool {
        let exchange = self.exchanges.get(&to);
        exchange.is_some_and(|exchange| exchange.pending.is_some())
    }

    /// Notes a request to `to`.
    pub fn begin(&mut self, to: BrokerId, now_ms: u64, timeouts: &Timeouts) -> CorrelationId {
        self.last.0 += 1;
        self.exchanges.entry(to).or_default().pending = Some(Pending {
            correlation_id: self.last,
            deadline_ms: now_ms + timeouts.request_ms,
        });
        self.last
    }

    /// Takes back the request, if it is the one under way to `from`.
    pub fn end(&mut self, from: BrokerId, correlation_id: CorrelationId) -> bool {
        let Some(exchange) = self.exchanges.get_mut(&from) else {
            return false;
        };
        let found = exchange
            .pending
            .is_some_and(|pending| pending.correlation_id == correlation_id);
        if found {
            exchange.pending = None;
        }
        found
    }

    /// Leaves `to` alone until `until_ms`.
    pub fn pause(&mut self, to: BrokerId, until_ms: u64) {
        self.exchanges.entry(to).or_default().retry_at_ms = until_ms;
    }

    /// Gives up what has waited too long.
    pub fn expire(&mut self, now_ms: u64) {
        for exchange in self.exchanges.values_mut() {
            if exchange
                .pending
                .is_some_and(|pending| pending.deadline_ms <= now_ms)
            {
                exchange.pending = None;
            }
        }
    }

    /// Forgets all requests: an answer to one of them is for a role that is over.
    pub fn clear(&mut self) {
        self.exchanges.clear();
    }

    /// When something expires or may be tried again, after `now_ms`.
    pub fn deadline_ms(&self, now_ms: u64) -> Option<u64> {
        let times = self.exchanges.values().map(|exchange| {
            let pending = exchange.pending.map(|pending| pending.deadline_ms);
            pending.unwrap_or(exchange.retry_at_ms)
        });
        times.filter(|time_ms| *time_ms > now_ms).min()
    }
}
