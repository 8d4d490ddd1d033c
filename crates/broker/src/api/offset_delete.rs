//! OffsetDelete (47): delete committed offsets of topics that the group does not read.

use std::collections::HashMap;

use ottla_groups::FailureReply;
use ottla_metadata::MetadataImage;
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use ottla_protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};

use super::{Reply, RequestContext, group_support};

/// Deletes the offsets of the partitions that exist; an error of the group answers for all of them.
pub fn handle(
    context: &RequestContext,
    mut request: OffsetDeleteRequest,
) -> Reply<OffsetDeleteResponse> {
    let refused = take_unknown(&context.broker.metadata.image(), &mut request);
    let decided = group_support::decide(context, &request.group_id, |shard, _| {
        shard.offset_delete(&request)
    });
    let decided = decided.unwrap_or_else(|code| OffsetDeleteResponse::failed(None, code));
    Reply::Now(merge(refused, decided))
}

/// Takes out of the request what does not exist, and gives the answers to that.
fn take_unknown(
    image: &MetadataImage,
    request: &mut OffsetDeleteRequest,
) -> Vec<OffsetDeleteResponseTopic> {
    let mut refused = Vec::new();
    for topic in &mut request.topics {
        let known = image.topics().by_name(&topic.name);
        let mut partitions = Vec::new();
        topic.partitions.retain(|partition| {
            let exists = known
                .is_some_and(|known| known.partitions.contains_key(&partition.partition_index));
            if !exists {
                partitions.push(OffsetDeleteResponsePartition {
                    partition_index: partition.partition_index,
                    error_code: ErrorCode::UnknownTopicOrPartition.code(),
                    ..Default::default()
                });
            }
            exists
        });
        if !partitions.is_empty() {
            refused.push(OffsetDeleteResponseTopic {
                name: topic.name.clone(),
                partitions,
                ..Default::default()
            });
        }
    }
    request.topics.retain(|topic| !topic.partitions.is_empty());
    refused
}

/// What was refused and what the shard decided, one entry for each topic.
fn merge(
    refused: Vec<OffsetDeleteResponseTopic>,
    mut decided: OffsetDeleteResponse,
) -> OffsetDeleteResponse {
    if decided.error_code != ErrorCode::None.code() {
        return decided;
    }
    let positions: HashMap<String, usize> = refused
        .iter()
        .enumerate()
        .map(|(position, topic)| (topic.name.clone(), position))
        .collect();
    let of_shard = std::mem::replace(&mut decided.topics, refused);
    for topic in of_shard {
        match positions.get(&topic.name) {
            Some(&position) => decided.topics[position].partitions.extend(topic.partitions),
            None => decided.topics.push(topic),
        }
    }
    decided
}

#[cfg(test)]
mod tests {
    use ottla_protocol::messages::offset_delete_request::{
        OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
    };

    use super::*;

    fn answer(name: &str) -> OffsetDeleteResponseTopic {
        let partitions = vec![OffsetDeleteResponsePartition::default()];
        OffsetDeleteResponseTopic {
            name: name.to_owned(),
            partitions,
            ..Default::default()
        }
    }

    #[test]
    fn topics_that_do_not_exist_are_taken_out_and_answered() {
        let partitions = vec![OffsetDeleteRequestPartition {
            partition_index: 0,
            ..Default::default()
        }];
        let topic = OffsetDeleteRequestTopic {
            name: "gone".to_owned(),
            partitions,
            ..Default::default()
        };
        let mut request = OffsetDeleteRequest {
            topics: vec![topic],
            ..Default::default()
        };
        let refused = take_unknown(&MetadataImage::default(), &mut request);
        assert!(request.topics.is_empty());
        assert_eq!(
            refused[0].partitions[0].error_code,
            ErrorCode::UnknownTopicOrPartition.code()
        );
    }

    #[test]
    fn answers_to_one_topic_are_brought_together() {
        let decided = OffsetDeleteResponse {
            topics: vec![answer("a"), answer("b")],
            ..Default::default()
        };
        let merged = merge(vec![answer("a")], decided);
        let shape: Vec<_> = merged
            .topics
            .iter()
            .map(|topic| (topic.name.as_str(), topic.partitions.len()))
            .collect();
        assert_eq!(shape, [("a", 2), ("b", 1)]);
    }

    #[test]
    fn an_error_of_the_group_is_the_whole_answer() {
        let failed = OffsetDeleteResponse::failed(None, ErrorCode::GroupIdNotFound);
        assert_eq!(merge(vec![answer("a")], failed.clone()), failed);
    }
}
