//! Requests that wait until partitions they care about have something new.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// One waiting request: partitions wake it, it looks again.
pub type Waiter = Arc<Notify>;

/// The requests that wait for one partition.
///
/// The flag keeps the writer's path free of the lock while nobody waits.
#[derive(Default)]
pub struct Waiters {
    any: AtomicBool,
    waiting: Mutex<Vec<Waiter>>,
}

impl Waiters {
    /// From now on every change wakes `waiter`, until it is removed. Look at the partition again
    /// after this call: a change just before it woke nobody.
    pub fn add(&self, waiter: &Waiter) {
        let mut waiting = self.waiting.lock();
        waiting.push(Arc::clone(waiter));
        self.any.store(true, Ordering::SeqCst);
    }

    /// `waiter` no longer waits.
    pub fn remove(&self, waiter: &Waiter) {
        let mut waiting = self.waiting.lock();
        if let Some(index) = waiting.iter().position(|other| Arc::ptr_eq(other, waiter)) {
            waiting.swap_remove(index);
        }
        self.any.store(!waiting.is_empty(), Ordering::SeqCst);
    }

    /// Wakes everyone who waits; to be called after the change is visible.
    pub fn wake(&self) {
        std::sync::atomic::fence(Ordering::SeqCst);
        if self.any.load(Ordering::SeqCst) {
            for waiter in self.waiting.lock().iter() {
                waiter.notify_one();
            }
        }
    }
}
