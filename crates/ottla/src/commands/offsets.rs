//! Positions in a log as people write them, and the offsets they stand for.

use std::collections::BTreeMap;
use std::str::FromStr;

use ottla_client::Client;
use ottla_protocol::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};

use crate::failure::{Failure, check};

/// ListOffsets' timestamp for the end of a log.
const LATEST: i64 = -1;
/// ListOffsets' timestamp for the beginning of a log.
const EARLIEST: i64 = -2;

/// A position in a partition's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// The first record there is.
    Earliest,
    /// Behind the last record there is.
    Latest,
    /// This offset.
    Offset(i64),
    /// The first record of this time or later, milliseconds since the epoch.
    Time(i64),
}

impl FromStr for Position {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let position = match text {
            "earliest" => Some(Self::Earliest),
            "latest" => Some(Self::Latest),
            _ => match text.strip_prefix('@') {
                Some(time) => time.parse().ok().map(Self::Time),
                None => text
                    .parse()
                    .ok()
                    .filter(|offset| *offset >= 0)
                    .map(Self::Offset),
            },
        };
        position.ok_or(Failure::Argument {
            argument: "position",
            value: text.to_owned(),
            expected: "earliest, latest, an offset, or @ and milliseconds since the epoch",
        })
    }
}

/// The offset that `position` stands for in each of `partitions`.
pub async fn resolve(
    client: &mut Client,
    topic: &str,
    partitions: &[i32],
    position: Position,
) -> Result<BTreeMap<i32, i64>, Failure> {
    let timestamp = match position {
        Position::Offset(offset) => {
            return Ok(partitions
                .iter()
                .map(|&partition| (partition, offset))
                .collect());
        }
        Position::Earliest => EARLIEST,
        Position::Latest => LATEST,
        Position::Time(time) => time,
    };
    let mut offsets = BTreeMap::new();
    for (leader, partitions) in by_leader(client, topic, partitions).await? {
        let asked = |&partition_index: &i32| ListOffsetsPartition {
            partition_index,
            timestamp,
            ..Default::default()
        };
        let topics = vec![ListOffsetsTopic {
            name: topic.to_owned(),
            partitions: partitions.iter().map(asked).collect(),
            ..Default::default()
        }];
        let response = client
            .request_to(
                leader,
                &ListOffsetsRequest {
                    replica_id: -1,
                    topics,
                    ..Default::default()
                },
            )
            .await?;
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
    // No record is as late as the time asked for: that is behind the last one.
    let past_the_end: Vec<i32> = offsets
        .iter()
        .filter(|(_, offset)| **offset < 0)
        .map(|(index, _)| *index)
        .collect();
    if !past_the_end.is_empty() {
        offsets.extend(Box::pin(resolve(client, topic, &past_the_end, Position::Latest)).await?);
    }
    Ok(offsets)
}

/// The partitions that each broker leads.
pub async fn by_leader(
    client: &mut Client,
    topic: &str,
    partitions: &[i32],
) -> Result<BTreeMap<i32, Vec<i32>>, Failure> {
    let mut leaders: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for &partition in partitions {
        leaders
            .entry(super::leader_of(client, topic, partition).await?)
            .or_default()
            .push(partition);
    }
    Ok(leaders)
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn positions() {
        for (text, expected) in [
            ("earliest", Some(Position::Earliest)),
            ("latest", Some(Position::Latest)),
            ("0", Some(Position::Offset(0))),
            ("@1700000000000", Some(Position::Time(1_700_000_000_000))),
            ("-1", None),
            ("@soon", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Position>().ok(), expected, "{text:?}");
        }
    }
}
