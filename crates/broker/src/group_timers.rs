//! The deadlines of one shard of groups: data, fired by the coordinator's one timer task.

use std::collections::{BTreeSet, HashMap};

use ottla_groups::{Timer, TimerOp};

/// Timers in the order of their deadlines, milliseconds since the epoch.
#[derive(Default)]
pub struct GroupTimers {
    deadlines: HashMap<Timer, i64>,
    order: BTreeSet<(i64, Timer)>,
}

impl GroupTimers {
    /// Sets or cancels a timer.
    pub fn change(&mut self, operation: TimerOp) {
        match operation {
            TimerOp::Schedule { timer, deadline } => {
                self.cancel(&timer);
                self.deadlines.insert(timer.clone(), deadline.0);
                self.order.insert((deadline.0, timer));
            }
            TimerOp::Cancel(timer) => self.cancel(&timer),
        }
    }

    /// Takes out the next timer whose deadline is not after `now_ms`.
    pub fn next_due(&mut self, now_ms: i64) -> Option<Timer> {
        if self.next_deadline()? > now_ms {
            return None;
        }
        let (_, timer) = self.order.pop_first()?;
        self.deadlines.remove(&timer);
        Some(timer)
    }

    /// The earliest deadline, if any timer is set.
    pub fn next_deadline(&self) -> Option<i64> {
        self.order.first().map(|(deadline, _)| *deadline)
    }

    fn cancel(&mut self, timer: &Timer) {
        if let Some((timer, deadline)) = self.deadlines.remove_entry(timer) {
            self.order.remove(&(deadline, timer));
        }
    }
}

#[cfg(test)]
mod tests {
    use ottla_protocol::ids::TimestampMs;

    use super::*;

    fn join(group: &str) -> Timer {
        Timer::Join {
            group_id: group.into(),
        }
    }

    fn at(group: &str, deadline: i64) -> TimerOp {
        TimerOp::Schedule {
            timer: join(group),
            deadline: TimestampMs(deadline),
        }
    }

    #[test]
    fn fires_in_order_once_and_never_what_was_moved_or_cancelled() {
        let mut timers = GroupTimers::default();
        for operation in [
            at("a", 30),
            at("b", 10),
            at("c", 20),
            at("b", 40),
            TimerOp::Cancel(join("c")),
        ] {
            timers.change(operation);
        }
        assert_eq!(timers.next_deadline(), Some(30));
        assert_eq!(timers.next_due(29), None);
        assert_eq!(timers.next_due(40), Some(join("a")));
        assert_eq!(timers.next_due(40), Some(join("b")));
        assert_eq!(timers.next_due(i64::MAX), None);
    }
}
