//! [`Request`](crate::Request)s and [`Response`](crate::Response)s as Kafka's messages.
//!
//! Every message is for one partition, that of the metadata log; one that is for anything else is refused. Endpoints
//! are the host's to add to what is made here, and to take from what has come.

mod requests;
mod responses;

pub use requests::{WireRequest, encode_request};
pub use responses::{WireResponse, encode_response};

use ottla_protocol::ErrorCode;
use ottla_protocol::records::BatchError;

/// The topic of the metadata log. Source: `Topic.CLUSTER_METADATA_TOPIC_NAME`.
const TOPIC: &str = "__cluster_metadata";
/// Its only partition.
const PARTITION: i32 = 0;

/// A message says nothing that a node of this quorum can mean.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// It is of another cluster.
    #[error("the message is of cluster {theirs}; look for a node with another cluster's address")]
    ClusterId {
        /// Which one.
        theirs: String,
    },
    /// It is not about the metadata log, or about more than that.
    #[error("the message is not about partition 0 of {TOPIC}")]
    NotMetadataLog,
    /// A field has a value that has no meaning.
    #[error("the message has a {field} that means nothing")]
    Field {
        /// Its name.
        field: &'static str,
    },
    /// The whole message was refused.
    #[error("the node refused the message: {0}")]
    Refused(ErrorCode),
    /// Records are damaged.
    #[error("the message holds a damaged record batch: {0}")]
    Batch(#[from] BatchError),
}

impl WireError {
    /// The error code, of the whole message, with which a request is answered.
    pub fn error_code(&self) -> ErrorCode {
        match self {
            Self::ClusterId { .. } => ErrorCode::InconsistentClusterId,
            Self::NotMetadataLog | Self::Field { .. } | Self::Refused(_) | Self::Batch(_) => {
                ErrorCode::InvalidRequest
            }
        }
    }
}

/// The one element that there must be.
fn only<T>(elements: &[T]) -> Result<&T, WireError> {
    match elements {
        [element] => Ok(element),
        _ => Err(WireError::NotMetadataLog),
    }
}

fn is_metadata_log(matches: bool) -> Result<(), WireError> {
    matches.then_some(()).ok_or(WireError::NotMetadataLog)
}

#[cfg(test)]
mod tests;
