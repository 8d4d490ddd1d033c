//! The consumers' embedded protocol: what the metadata and the assignments of a group of consumers say.

use bytes::Bytes;
use ottla_protocol::Message;
use ottla_protocol::messages::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use ottla_protocol::wire::Reader;

/// The protocol type of groups of consumers.
pub const PROTOCOL_TYPE: &str = "consumer";

/// The topics that the metadata of a consumer subscribes to, or `None` when it is not such metadata.
///
/// Read as version 0, which is the beginning of every version.
pub fn subscribed_topics(metadata: Bytes) -> Option<Vec<String>> {
    let mut reader = Reader::new(metadata);
    reader.i16().ok().filter(|version| *version >= 0)?;
    ConsumerProtocolSubscription::decode(&mut reader, 0)
        .ok()
        .map(|subscription| subscription.topics)
}

/// The partitions, by topic, that an assignment gives to a consumer, or `None` when it is not such an assignment. No
/// bytes at all assign nothing.
pub fn assigned_partitions(assignment: Bytes) -> Option<Vec<(String, Vec<i32>)>> {
    if assignment.is_empty() {
        return Some(Vec::new());
    }
    let mut reader = Reader::new(assignment);
    reader.i16().ok().filter(|version| *version >= 0)?;
    let assignment = ConsumerProtocolAssignment::decode(&mut reader, 0).ok()?;
    Some(
        assignment
            .assigned_partitions
            .into_iter()
            .map(|topic| (topic.topic, topic.partitions))
            .collect(),
    )
}
