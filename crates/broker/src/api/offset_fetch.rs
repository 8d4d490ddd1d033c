//! OffsetFetch (9): how far groups have read.

use ottla_groups::{FailureReply, Stability};
use ottla_metadata::MetadataImage;
use ottla_protocol::messages::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use ottla_protocol::messages::offset_fetch_response::{
    OffsetFetchResponse, OffsetFetchResponseGroup, OffsetFetchResponsePartition,
    OffsetFetchResponsePartitions, OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use ottla_protocol::{ErrorCode, Uuid};

use super::{Reply, RequestContext, group_support};

/// First version that asks for several groups (KIP-709).
const FIRST_VERSION_WITH_GROUPS: i16 = 8;
/// First version with an error for the whole group.
const FIRST_VERSION_WITH_GROUP_ERROR: i16 = 2;
/// Where nothing is committed.
const INVALID_OFFSET: i64 = -1;

/// Reads the offsets of every group that is asked for; each may have an error of its own.
pub fn handle(context: &RequestContext, request: OffsetFetchRequest) -> Reply<OffsetFetchResponse> {
    let stability = match request.require_stable {
        true => Stability::RequireStable,
        false => Stability::LastCommitted,
    };
    let image = context.broker.metadata.image();
    if context.version >= FIRST_VERSION_WITH_GROUPS {
        let groups = request
            .groups
            .into_iter()
            .map(|group| fetch(context, &image, group, stability))
            .collect();
        return Reply::Now(OffsetFetchResponse {
            groups,
            ..Default::default()
        });
    }
    let group = single_group(request);
    let response = fetch(context, &image, group.clone(), stability);
    Reply::Now(single_group_response(context.version, &group, response))
}

fn fetch(
    context: &RequestContext,
    image: &MetadataImage,
    mut group: OffsetFetchRequestGroup,
    stability: Stability,
) -> OffsetFetchResponseGroup {
    let all = group.topics.is_none();
    let refused = resolve_topics(image, context.version, &mut group);
    let fetched = context.broker.groups.read(&group.group_id, |shard| {
        shard.offset_fetch(&group, stability)
    });
    match fetched {
        Err(code) => {
            let planned = OffsetFetchResponseGroup {
                group_id: group.group_id,
                ..Default::default()
            };
            OffsetFetchResponseGroup::failed(Some(planned), code)
        }
        Ok(mut response) => {
            if all && context.version >= group_support::FIRST_VERSION_WITH_TOPIC_IDS {
                add_topic_ids(image, &mut response);
            }
            response.topics.extend(refused);
            response
        }
    }
}

/// Gives every topic its name and its id, takes out those whose id is unknown, and gives the answers
/// to them. A name that is unknown stays: nothing is committed for it, which is no error.
fn resolve_topics(
    image: &MetadataImage,
    version: i16,
    group: &mut OffsetFetchRequestGroup,
) -> Vec<OffsetFetchResponseTopics> {
    let mut refused = Vec::new();
    let Some(topics) = &mut group.topics else {
        return refused;
    };
    topics.retain_mut(|topic| {
        match group_support::resolve_topic(image, version, &mut topic.name, &mut topic.topic_id) {
            Err(ErrorCode::UnknownTopicId) => {
                refused.push(refuse(topic, ErrorCode::UnknownTopicId.code()));
                false
            }
            Ok(_) | Err(_) => true,
        }
    });
    refused
}

fn refuse(topic: &OffsetFetchRequestTopics, error_code: i16) -> OffsetFetchResponseTopics {
    let partitions =
        topic
            .partition_indexes
            .iter()
            .map(|&partition_index| OffsetFetchResponsePartitions {
                partition_index,
                committed_offset: INVALID_OFFSET,
                error_code,
                ..Default::default()
            });
    OffsetFetchResponseTopics {
        topic_id: topic.topic_id,
        partitions: partitions.collect(),
        ..Default::default()
    }
}

/// Adds the ids of topics whose offsets were committed by name; what has no id cannot be told.
fn add_topic_ids(image: &MetadataImage, response: &mut OffsetFetchResponseGroup) {
    response.topics.retain_mut(|topic| {
        if topic.topic_id == Uuid::ZERO {
            topic.topic_id = image
                .topics()
                .by_name(&topic.name)
                .map_or(Uuid::ZERO, |known| known.id);
        }
        topic.topic_id != Uuid::ZERO
    });
}

/// The one group that a request before version 8 asks for.
fn single_group(request: OffsetFetchRequest) -> OffsetFetchRequestGroup {
    let topics = request.topics.map(|topics| {
        let topics = topics.into_iter().map(|topic| OffsetFetchRequestTopics {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..Default::default()
        });
        topics.collect()
    });
    OffsetFetchRequestGroup {
        group_id: request.group_id,
        topics,
        ..Default::default()
    }
}

/// The response before version 8. Where it has no error for the group, each partition has it.
fn single_group_response(
    version: i16,
    asked: &OffsetFetchRequestGroup,
    mut group: OffsetFetchResponseGroup,
) -> OffsetFetchResponse {
    if version < FIRST_VERSION_WITH_GROUP_ERROR && group.error_code != ErrorCode::None.code() {
        let asked = asked.topics.iter().flatten();
        group.topics = asked
            .map(|topic| OffsetFetchResponseTopics {
                name: topic.name.clone(),
                ..refuse(topic, group.error_code)
            })
            .collect();
    }
    let topics = group
        .topics
        .into_iter()
        .map(|topic| OffsetFetchResponseTopic {
            name: topic.name,
            partitions: topic
                .partitions
                .into_iter()
                .map(single_group_partition)
                .collect(),
            ..Default::default()
        });
    OffsetFetchResponse {
        topics: topics.collect(),
        error_code: group.error_code,
        ..Default::default()
    }
}

fn single_group_partition(
    partition: OffsetFetchResponsePartitions,
) -> OffsetFetchResponsePartition {
    OffsetFetchResponsePartition {
        partition_index: partition.partition_index,
        committed_offset: partition.committed_offset,
        committed_leader_epoch: partition.committed_leader_epoch,
        metadata: partition.metadata,
        error_code: partition.error_code,
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str) -> OffsetFetchRequestGroup {
        let topic = OffsetFetchRequestTopics {
            name: name.to_owned(),
            topic_id: Uuid([7; 16]),
            partition_indexes: vec![4],
            ..Default::default()
        };
        OffsetFetchRequestGroup {
            topics: Some(vec![topic]),
            ..Default::default()
        }
    }

    #[test]
    fn an_unknown_id_is_answered_and_an_unknown_name_is_looked_up() {
        let mut by_id = asked("");
        let refused = resolve_topics(&MetadataImage::default(), 10, &mut by_id);
        assert_eq!(by_id.topics, Some(Vec::new()));
        assert_eq!(refused[0].topic_id, Uuid([7; 16]));
        assert_eq!(
            refused[0].partitions[0].error_code,
            ErrorCode::UnknownTopicId.code()
        );

        let mut by_name = asked("gone");
        assert!(resolve_topics(&MetadataImage::default(), 9, &mut by_name).is_empty());
        assert_eq!(by_name, asked("gone"));
    }

    #[test]
    fn an_error_of_the_group_is_where_the_version_has_it() {
        let check = |version, expected_topics: usize| {
            let failed = OffsetFetchResponseGroup::failed(None, ErrorCode::NotCoordinator);
            let response = single_group_response(version, &asked("a"), failed);
            assert_eq!(response.error_code, ErrorCode::NotCoordinator.code());
            assert_eq!(response.topics.len(), expected_topics);
            for partition in response.topics.iter().flat_map(|topic| &topic.partitions) {
                assert_eq!(partition.error_code, ErrorCode::NotCoordinator.code());
                assert_eq!(
                    (partition.partition_index, partition.committed_offset),
                    (4, INVALID_OFFSET)
                );
            }
        };
        check(1, 1);
        check(7, 0);
    }

    #[test]
    fn topics_without_an_id_are_left_out() {
        let topic = |topic_id| OffsetFetchResponseTopics {
            topic_id,
            ..Default::default()
        };
        let topics = vec![topic(Uuid::ZERO), topic(Uuid([7; 16]))];
        let mut response = OffsetFetchResponseGroup {
            topics,
            ..Default::default()
        };
        add_topic_ids(&MetadataImage::default(), &mut response);
        assert_eq!(response.topics, [topic(Uuid([7; 16]))]);
    }
}
