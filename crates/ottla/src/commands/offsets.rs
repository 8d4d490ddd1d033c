//! The offsets that positions stand for.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use ottla_client::Client;
use ottla_protocol::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};

use crate::failure::{Failure, check};
use crate::position::Position;

/// ListOffsets' timestamp for the end of a log.
const LATEST: i64 = -1;
/// ListOffsets' timestamp for the beginning of a log.
const EARLIEST: i64 = -2;

/// Whether the records of open and aborted transactions count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// They do.
    Uncommitted,
    /// They do not: a log ends before the first open transaction.
    Committed,
}

impl Isolation {
    /// The number on the wire.
    pub fn wire(self) -> i8 {
        match self {
            Self::Uncommitted => 0,
            Self::Committed => 1,
        }
    }
}

/// Milliseconds since the epoch.
pub fn now_ms() -> i64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// The offset that `position` stands for in each of `partitions`. An offset is taken as it is;
/// everything else lies within the log.
pub async fn resolve(
    client: &mut Client,
    topic: &str,
    partitions: &[i32],
    position: Position,
    isolation: Isolation,
) -> Result<BTreeMap<i32, i64>, Failure> {
    let time = match position {
        Position::Earliest => EARLIEST,
        Position::Latest => LATEST,
        // Negative times have other meanings on the wire, and nothing is older than time 0.
        Position::Time(time) => time.max(0),
        Position::Ago(millis) => now_ms().saturating_sub(millis).max(0),
        Position::Offset(offset) => {
            return Ok(partitions
                .iter()
                .map(|&partition| (partition, offset))
                .collect());
        }
        Position::FromEnd(count) => {
            let starts = ask(client, topic, partitions, EARLIEST, isolation).await?;
            let ends = ask(client, topic, partitions, LATEST, isolation).await?;
            let back = |(partition, end): (i32, i64)| {
                let start = starts.get(&partition).copied().unwrap_or(0);
                (partition, end.saturating_sub(count).max(start))
            };
            return Ok(ends.into_iter().map(back).collect());
        }
    };
    let mut offsets = ask(client, topic, partitions, time, isolation).await?;
    // No record is as late as the time asked for: that is behind the last one.
    let past_the_end: Vec<i32> = offsets
        .iter()
        .filter(|(_, offset)| **offset < 0)
        .map(|(partition, _)| *partition)
        .collect();
    if !past_the_end.is_empty() {
        offsets.extend(ask(client, topic, &past_the_end, LATEST, isolation).await?);
    }
    Ok(offsets)
}

/// Asks the leaders of `partitions`: one request for each of them.
async fn ask(
    client: &mut Client,
    topic: &str,
    partitions: &[i32],
    timestamp: i64,
    isolation: Isolation,
) -> Result<BTreeMap<i32, i64>, Failure> {
    let mut offsets = BTreeMap::new();
    for (leader, partitions) in client.by_leader(topic, partitions).await? {
        let asked = |partition_index| ListOffsetsPartition {
            partition_index,
            timestamp,
            ..Default::default()
        };
        let request = ListOffsetsRequest {
            replica_id: -1,
            isolation_level: isolation.wire(),
            topics: vec![ListOffsetsTopic {
                name: topic.to_owned(),
                partitions: partitions.into_iter().map(asked).collect(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let response = client.request_to(leader, &request).await?;
        for found in response
            .topics
            .into_iter()
            .flat_map(|topic| topic.partitions)
        {
            check(found.error_code, None, || {
                format!("partition {topic}-{}", found.partition_index)
            })?;
            offsets.insert(found.partition_index, found.offset);
        }
    }
    Ok(offsets)
}
