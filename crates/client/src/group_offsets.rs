//! The committed offsets of a group.

use std::collections::BTreeMap;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::offset_commit_request::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use ottla_protocol::messages::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic,
};

use crate::client::{Client, ClientError, error_of};

/// The newest version of OffsetFetch and OffsetCommit that names topics by name.
const LAST_VERSION_WITH_TOPIC_NAMES: i16 = 9;
/// First version of OffsetFetch that takes several groups (KIP-709).
const FIRST_VERSION_WITH_GROUPS: i16 = 8;

/// What a group has committed for a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset of the next record to read.
    pub offset: i64,
    /// What the committer noted beside it.
    pub metadata: Option<String>,
}

/// On whose behalf offsets are committed.
#[derive(Clone, Copy, Debug)]
pub enum Committer<'a> {
    /// Nobody's: the group must have no members.
    Outsider,
    /// A member's.
    Member {
        /// Its id.
        member_id: &'a str,
        /// The generation it belongs to.
        generation_id: i32,
    },
}

/// Everything that `group` has committed, in the order of topics and partitions.
///
/// # Errors
/// As [`Client::coordinator`], and what the coordinator refuses with.
pub async fn committed_offsets(
    client: &mut Client,
    group: &str,
) -> Result<Vec<CommittedOffset>, ClientError> {
    let coordinator = client.coordinator(group).await?;
    let version = client
        .node(coordinator)
        .await?
        .version_of::<OffsetFetchRequest>()
        .unwrap_or(FIRST_VERSION_WITH_GROUPS);
    let request = match version < FIRST_VERSION_WITH_GROUPS {
        true => OffsetFetchRequest {
            group_id: group.to_owned(),
            topics: None::<Vec<OffsetFetchRequestTopic>>,
            ..Default::default()
        },
        false => OffsetFetchRequest {
            groups: vec![OffsetFetchRequestGroup {
                group_id: group.to_owned(),
                topics: None,
                ..Default::default()
            }],
            ..Default::default()
        },
    };
    let response = client
        .request_to_up_to(coordinator, &request, LAST_VERSION_WITH_TOPIC_NAMES)
        .await?;
    let entry = |topic: &str, partition, offset, metadata| CommittedOffset {
        topic: topic.to_owned(),
        partition,
        offset,
        metadata,
    };
    let mut offsets = Vec::new();
    let mut code = response.error_code;
    for topic in response.topics {
        let partitions = topic.partitions.into_iter();
        offsets.extend(partitions.map(|one| {
            entry(
                &topic.name,
                one.partition_index,
                one.committed_offset,
                one.metadata,
            )
        }));
    }
    for group in response.groups {
        code = group.error_code;
        for topic in group.topics {
            let partitions = topic.partitions.into_iter();
            offsets.extend(partitions.map(|one| {
                entry(
                    &topic.name,
                    one.partition_index,
                    one.committed_offset,
                    one.metadata,
                )
            }));
        }
    }
    if let Some(code) = error_of(code) {
        return Err(refused(group, code));
    }
    offsets.retain(|one| one.offset >= 0);
    offsets.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    Ok(offsets)
}

/// Commits `offsets` of `topic` for `group`.
///
/// # Errors
/// As [`Client::coordinator`], and what the coordinator refuses with: the first partition counts.
pub async fn commit_offsets(
    client: &mut Client,
    group: &str,
    committer: Committer<'_>,
    topic: &str,
    offsets: &BTreeMap<i32, i64>,
) -> Result<(), ClientError> {
    let coordinator = client.coordinator(group).await?;
    let partition =
        |(&partition_index, &committed_offset): (&i32, &i64)| OffsetCommitRequestPartition {
            partition_index,
            committed_offset,
            ..Default::default()
        };
    let mut request = OffsetCommitRequest {
        group_id: group.to_owned(),
        topics: vec![OffsetCommitRequestTopic {
            name: topic.to_owned(),
            partitions: offsets.iter().map(partition).collect(),
            ..Default::default()
        }],
        ..Default::default()
    };
    if let Committer::Member {
        member_id,
        generation_id,
    } = committer
    {
        request.member_id = member_id.to_owned();
        request.generation_id_or_member_epoch = generation_id;
    }
    let response = client
        .request_to_up_to(coordinator, &request, LAST_VERSION_WITH_TOPIC_NAMES)
        .await?;
    let partitions = response
        .topics
        .into_iter()
        .flat_map(|topic| topic.partitions);
    for partition in partitions {
        if let Some(code) = error_of(partition.error_code) {
            return Err(refused(
                &format!("{group}, {topic}-{}", partition.partition_index),
                code,
            ));
        }
    }
    Ok(())
}

fn refused(group: &str, code: ErrorCode) -> ClientError {
    ClientError::Refused {
        what: format!("offsets of group {group}"),
        code,
        message: None,
    }
}
