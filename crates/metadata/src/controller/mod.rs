//! What the controller decides: a request and the image it is decided from give records and a response.
//!
//! Nothing here changes anything: the records do, when they are committed and applied. A decision
//! sees the image as it will be after the decisions before it.

pub mod brokers;
pub mod configs;
mod names;
mod placement;
pub mod producer_ids;
pub mod topics;

use ottla_config::BrokerConfig;
use ottla_protocol::Uuid;
use ottla_protocol::messages::metadata::MetadataRecord;

/// What follows from a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<R> {
    /// To be appended as one batch; often none.
    pub records: Vec<MetadataRecord>,
    /// The answer, to be sent once the records, and those it was decided from, are committed.
    pub response: R,
}

impl<R> Decision<R> {
    /// An answer that changes nothing.
    pub fn answer(response: R) -> Self {
        Self {
            records: Vec::new(),
            response,
        }
    }
}

/// What a decision needs beside the image and the request.
pub struct DecisionContext<'a> {
    /// The configuration of the node: defaults of topics and what may be created.
    pub config: &'a BrokerConfig,
    /// Random bytes, for ids and for spreading replicas.
    pub random: &'a mut dyn FnMut() -> [u8; 16],
}

impl DecisionContext<'_> {
    /// A new id: neither zero nor one that Kafka reserves.
    fn new_id(&mut self) -> Uuid {
        loop {
            if let Some(id) = Uuid::from_random((self.random)()) {
                return id;
            }
        }
    }

    fn random_index(&mut self, below: usize) -> usize {
        let [a, b, c, d, ..] = (self.random)();
        u32::from_be_bytes([a, b, c, d]) as usize % below.max(1)
    }
}

/// Whether a topic may have this name.
pub fn is_topic_name(name: &str) -> bool {
    names::check(name).is_ok()
}
