//! The memory of requests that are on their way in, over all connections: `queued.max.request.bytes`.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

/// Bytes that requests may take between their first byte and their handler. Clones share them.
#[derive(Clone)]
pub struct RequestMemory {
    /// `None` is no limit.
    pool: Option<Arc<Pool>>,
}

struct Pool {
    limit_bytes: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    used_bytes: usize,
    waiting: Vec<Waker>,
}

/// The memory of one request, given back on drop.
pub struct Reservation {
    pool: Arc<Pool>,
    bytes: usize,
}

impl RequestMemory {
    /// `limit_bytes` for all connections; `None` is no limit.
    pub fn new(limit_bytes: Option<usize>) -> Self {
        let pool = limit_bytes.map(|limit_bytes| {
            Arc::new(Pool {
                limit_bytes,
                state: Mutex::default(),
            })
        });
        Self { pool }
    }

    /// Takes `bytes` for a request, or wakes `cx` when it is worth asking again. As long as anything is free a
    /// request of any size is let in, so that large ones do not starve. No limit: nothing to hold.
    pub fn poll_reserve(&self, bytes: usize, cx: &mut Context<'_>) -> Poll<Option<Reservation>> {
        let Some(pool) = &self.pool else {
            return Poll::Ready(None);
        };
        let mut state = pool.state.lock();
        if state.used_bytes >= pool.limit_bytes {
            if !state
                .waiting
                .iter()
                .any(|waker| waker.will_wake(cx.waker()))
            {
                state.waiting.push(cx.waker().clone());
            }
            return Poll::Pending;
        }
        state.used_bytes += bytes;
        Poll::Ready(Some(Reservation {
            pool: Arc::clone(pool),
            bytes,
        }))
    }

    /// Whether there is any limit.
    pub fn is_limited(&self) -> bool {
        self.pool.is_some()
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock();
        state.used_bytes -= self.bytes;
        if state.used_bytes < self.pool.limit_bytes {
            state.waiting.drain(..).for_each(Waker::wake);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    fn reserve(
        memory: &RequestMemory,
        bytes: usize,
        woken: &Arc<Woken>,
    ) -> Poll<Option<Reservation>> {
        let waker = Waker::from(Arc::clone(woken));
        memory.poll_reserve(bytes, &mut Context::from_waker(&waker))
    }

    #[test]
    fn requests_wait_while_nothing_is_free() {
        let memory = RequestMemory::new(Some(100));
        let woken = Arc::new(Woken::default());
        let small = reserve(&memory, 60, &woken);
        let large = reserve(&memory, 1000, &woken);
        assert!(matches!(
            (&small, &large),
            (Poll::Ready(Some(_)), Poll::Ready(Some(_)))
        ));
        assert!(reserve(&memory, 1, &woken).is_pending());
        drop(small);
        assert!(
            !woken.0.load(Ordering::SeqCst),
            "the large one still holds more than there is"
        );
        drop(large);
        assert!(woken.0.load(Ordering::SeqCst));
        assert!(reserve(&memory, 1, &woken).is_ready());
    }

    #[test]
    fn without_a_limit_nothing_is_held() {
        let memory = RequestMemory::new(None);
        assert!(!memory.is_limited());
        let reserved = reserve(&memory, usize::MAX, &Arc::default());
        assert!(matches!(reserved, Poll::Ready(None)));
    }
}
