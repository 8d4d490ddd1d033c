//! The listeners that are open, which may come and go while a broker runs.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connection::RequestHandler;
use super::limits::ConnectionCounts;
use super::listener::Listener;
use super::memory::RequestMemory;

/// Open listeners, by name.
pub struct ListenerSet {
    counts: Arc<ConnectionCounts>,
    memory: RequestMemory,
    handler: Arc<dyn RequestHandler>,
    stops: HashMap<String, watch::Sender<bool>>,
    tasks: JoinSet<()>,
}

impl ListenerSet {
    /// No listener yet; those to come count their connections in `counts`, read into `memory` and
    /// hand their requests to `handler`.
    pub fn new(
        counts: Arc<ConnectionCounts>,
        memory: RequestMemory,
        handler: Arc<dyn RequestHandler>,
    ) -> Self {
        Self {
            counts,
            memory,
            handler,
            stops: HashMap::new(),
            tasks: JoinSet::new(),
        }
    }

    /// The names of those that are open.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.stops.keys().map(String::as_str)
    }

    /// Accepts connections on `listener` from now on.
    pub fn open(&mut self, listener: Listener) {
        let (stop, stopped) = watch::channel(false);
        self.stops.insert(listener.name().to_owned(), stop);
        let (counts, handler) = (Arc::clone(&self.counts), Arc::clone(&self.handler));
        self.tasks
            .spawn(listener.run(counts, self.memory.clone(), handler, stopped));
    }

    /// Closes a listener; its connections finish what is in flight, without anybody waiting for them.
    pub fn close(&mut self, name: &str) {
        if let Some(stop) = self.stops.remove(name) {
            let _ = stop.send(true);
        }
    }

    /// Closes all, and waits until their connections have finished what is in flight.
    pub async fn close_all(mut self) {
        for stop in self.stops.values() {
            let _ = stop.send(true);
        }
        while self.tasks.join_next().await.is_some() {}
    }
}
