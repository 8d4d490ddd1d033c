//! OffsetCommit (8): store how far a group has read.

use std::collections::HashMap;

use ottla_groups::offset_commit_error;
use ottla_metadata::MetadataImage;
use ottla_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use ottla_protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};
use ottla_protocol::{ErrorCode, Uuid};

use super::{Reply, RequestContext, group_support};

/// Commits the offsets of the partitions that exist; the others are answered with an error each, in
/// front, as the reference broker does.
pub fn handle(
    context: &RequestContext,
    mut request: OffsetCommitRequest,
) -> Reply<OffsetCommitResponse> {
    let refused = resolve_topics(
        &context.broker.metadata.image(),
        context.version,
        &mut request,
    );
    if request.topics.is_empty() {
        return Reply::Now(refused.response);
    }
    let decided = group_support::decide(context, &request.group_id, |shard, group_context| {
        shard.offset_commit(group_context, &request)
    });
    let decided = decided.unwrap_or_else(|code| offset_commit_error(&request, code));
    Reply::Now(refused.merge(decided))
}

/// Gives every topic its name and its id, takes out of the request what does not exist, and gives
/// the answers to that.
fn resolve_topics(
    image: &MetadataImage,
    version: i16,
    request: &mut OffsetCommitRequest,
) -> Answers {
    let mut refused = Answers::default();
    for topic in &mut request.topics {
        let known =
            group_support::resolve_topic(image, version, &mut topic.name, &mut topic.topic_id);
        topic.partitions.retain(|partition| {
            let error = match known {
                Ok(known) if known.partitions.contains_key(&partition.partition_index) => {
                    return true;
                }
                Ok(_) => ErrorCode::UnknownTopicOrPartition,
                Err(code) => code,
            };
            refused
                .of_topic(&topic.name, topic.topic_id)
                .push(OffsetCommitResponsePartition {
                    partition_index: partition.partition_index,
                    error_code: error.code(),
                    ..Default::default()
                });
            false
        });
    }
    request.topics.retain(|topic| !topic.partitions.is_empty());
    refused
}

/// A response in the making, one entry for each topic.
#[derive(Default)]
struct Answers {
    response: OffsetCommitResponse,
    positions: HashMap<(String, Uuid), usize>,
}

impl Answers {
    fn of_topic(&mut self, name: &str, topic_id: Uuid) -> &mut Vec<OffsetCommitResponsePartition> {
        let topics = &mut self.response.topics;
        let position = *self
            .positions
            .entry((name.to_owned(), topic_id))
            .or_insert_with(|| {
                topics.push(OffsetCommitResponseTopic {
                    name: name.to_owned(),
                    topic_id,
                    ..Default::default()
                });
                topics.len() - 1
            });
        &mut topics[position].partitions
    }

    fn merge(mut self, decided: OffsetCommitResponse) -> OffsetCommitResponse {
        if self.response.topics.is_empty() {
            return decided;
        }
        for topic in decided.topics {
            self.of_topic(&topic.name, topic.topic_id)
                .extend(topic.partitions);
        }
        self.response
    }
}

#[cfg(test)]
mod tests {
    use ottla_protocol::messages::offset_commit_request::{
        OffsetCommitRequestPartition, OffsetCommitRequestTopic,
    };

    use super::*;

    fn request(name: &str) -> OffsetCommitRequest {
        let partitions = vec![OffsetCommitRequestPartition {
            partition_index: 3,
            ..Default::default()
        }];
        let topic = OffsetCommitRequestTopic {
            name: name.to_owned(),
            partitions,
            ..Default::default()
        };
        OffsetCommitRequest {
            topics: vec![topic],
            ..Default::default()
        }
    }

    #[test]
    fn topics_that_do_not_exist_are_taken_out_and_answered() {
        let check = |version, expected: ErrorCode| {
            let mut request = request("gone");
            let refused = resolve_topics(&MetadataImage::default(), version, &mut request);
            assert!(request.topics.is_empty());
            assert_eq!(
                refused.response.topics[0].partitions[0].error_code,
                expected.code()
            );
        };
        check(9, ErrorCode::UnknownTopicOrPartition);
        check(10, ErrorCode::UnknownTopicId);
    }

    #[test]
    fn answers_to_one_topic_are_brought_together() {
        let mut refused = Answers::default();
        refused
            .of_topic("a", Uuid::ZERO)
            .push(OffsetCommitResponsePartition::default());
        let mut decided = offset_commit_error(&request("a"), ErrorCode::None);
        decided
            .topics
            .extend(offset_commit_error(&request("b"), ErrorCode::None).topics);
        let merged = refused.merge(decided);
        let shape: Vec<_> = merged
            .topics
            .iter()
            .map(|topic| (topic.name.as_str(), topic.partitions.len()))
            .collect();
        assert_eq!(shape, [("a", 2), ("b", 1)]);
    }
}
