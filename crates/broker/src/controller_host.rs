//! The controller of a quorum of one, on a thread of its own: decide, append, apply, publish, answer.
//!
//! Requests that wait at the same time are decided one after the other, each on the image that the
//! ones before it give, appended together and made durable by one fsync. No answer, not even a
//! refusal, leaves before that.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use ottla_config::BrokerConfig;
use ottla_metadata::controller::{Decision, DecisionContext};
use ottla_metadata::{MetadataDelta, MetadataImage};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::metadata::MetadataRecord;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, warn};

use crate::clock::Clock;
use crate::metadata_publisher::MetadataPublisher;
use crate::raft_host::{RaftError, RaftHost};

/// Requests that may wait for the controller; more are refused as if it were not there.
const MAX_WAITING_REQUESTS: usize = 1000;
/// Requests that are appended together.
const MAX_REQUESTS_PER_APPEND: usize = 100;

/// What the thread does for a request: gives records, and what to do when they are durable.
type Work = Box<dyn FnOnce(&MetadataImage, i64) -> (Vec<MetadataRecord>, Answer) + Send>;
/// Sends the answer; called once the records are durable and published.
type Answer = Box<dyn FnOnce() + Send>;

/// The way to the controller.
pub struct ControllerHost {
    requests: Mutex<Option<mpsc::Sender<Work>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    config: Arc<Mutex<Arc<BrokerConfig>>>,
}

impl ControllerHost {
    /// Starts the thread. `failed` turns true when the metadata log can no longer be written.
    pub fn start(
        raft: RaftHost,
        publisher: Arc<MetadataPublisher>,
        config: Arc<BrokerConfig>,
        clock: Clock,
        failed: watch::Sender<bool>,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(MAX_WAITING_REQUESTS);
        let mut controller = Controller {
            raft,
            publisher,
            clock,
        };
        let run = move || {
            if let Err(reason) = controller.run(receiver) {
                error!(%reason, "the controller stops, and the node with it; repair the disk of metadata.log.dir and start again");
                let _ = failed.send(true);
            }
        };
        let thread = thread::Builder::new()
            .name("controller".to_owned())
            .spawn(run);
        let thread =
            thread.unwrap_or_else(|error| panic!("the system cannot start a thread: {error}"));
        Self {
            requests: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
            config: Arc::new(Mutex::new(config)),
        }
    }

    /// Takes over the node's changed configuration, for decisions from now on.
    pub fn set_config(&self, config: Arc<BrokerConfig>) {
        *self.config.lock() = config;
    }

    /// Has `decide` run by the controller. Its response, once what it decided is durable and this
    /// broker acts on it; NOT_CONTROLLER when the controller is gone.
    pub async fn request<R: Send + 'static>(
        &self,
        decide: impl FnOnce(&MetadataImage, i64, &mut DecisionContext<'_>) -> Decision<R>
        + Send
        + 'static,
    ) -> Result<R, ErrorCode> {
        let (sender, receiver) = oneshot::channel();
        let config = Arc::clone(&*self.config.lock());
        let work: Work = Box::new(move |image, next_offset| {
            let mut random = random_bytes;
            let mut context = DecisionContext {
                config: &config,
                random: &mut random,
            };
            let decision = decide(image, next_offset, &mut context);
            let answer: Answer = Box::new(move || {
                // Who asked may have gone.
                let _ = sender.send(decision.response);
            });
            (decision.records, answer)
        });
        let requests = self
            .requests
            .lock()
            .clone()
            .ok_or(ErrorCode::NotController)?;
        requests
            .try_send(work)
            .map_err(|_| ErrorCode::NotController)?;
        receiver.await.map_err(|_| ErrorCode::NotController)
    }

    /// Lets the requests that wait be answered, closes the metadata log and ends the thread.
    pub fn stop(&self) {
        drop(self.requests.lock().take());
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            error!("the controller's thread panicked; please report this as a bug");
        }
    }
}

struct Controller {
    raft: RaftHost,
    publisher: Arc<MetadataPublisher>,
    clock: Clock,
}

impl Controller {
    fn run(&mut self, mut requests: mpsc::Receiver<Work>) -> Result<(), RaftError> {
        let mut waiting = Vec::new();
        while requests.blocking_recv_many(&mut waiting, MAX_REQUESTS_PER_APPEND) > 0 {
            self.carry_out(std::mem::take(&mut waiting))?;
        }
        self.raft.close(self.clock.now_ms())
    }

    fn carry_out(&mut self, requests: Vec<Work>) -> Result<(), RaftError> {
        let published = self.publisher.image();
        let mut delta = MetadataDelta::new(&published);
        let mut image = MetadataImage::clone(&published);
        let mut records = Vec::new();
        let mut answers = Vec::with_capacity(requests.len());
        let base_offset = self.raft.next_offset();
        for request in requests {
            let (decided, answer) = request(&image, base_offset + records.len() as i64);
            answers.push(answer);
            if decided.is_empty() {
                continue;
            }
            for record in decided {
                delta.apply(
                    base_offset + records.len() as i64,
                    self.raft.epoch(),
                    &record,
                );
                records.push(record);
            }
            image = delta.clone().finish().0;
        }
        if !records.is_empty() {
            match self.raft.append(&records, self.clock.now_ms()) {
                Err(error) if error.is_passing() && self.raft.next_offset() == base_offset => {
                    // Nothing was appended. Who asked learns that there is no controller for them.
                    warn!(%error, "changes of the cluster's metadata are refused until the disk has room");
                    return Ok(());
                }
                appended => appended?,
            };
            let (image, changes) = delta.finish();
            self.publisher.publish(image, &changes);
        }
        let image = self.publisher.image();
        match self.raft.snapshot_if_due(&image, self.clock.now_ms()) {
            Err(error) if error.is_passing() => {
                warn!(%error, "no snapshot until the disk has room")
            }
            written => written?,
        }
        answers.into_iter().for_each(|answer| answer());
        Ok(())
    }
}

fn random_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .unwrap_or_else(|error| panic!("the system has no random bytes: {error}"));
    bytes
}
