//! `ottla group rewind`.

use std::collections::BTreeMap;

use ottla_client::{Client, Committer, commit_offsets, committed_offsets};
use serde::Serialize;

use super::offsets::{Isolation, resolve};
use crate::failure::Failure;
use crate::output::{Format, Row, print_rows};
use crate::position::Position;

/// Where a group is to go on.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// At this position.
    To(Position),
    /// This many records after what it has committed, or before.
    Shift(i64),
}

impl Target {
    /// Of `--to` and `--shift`, of which the argument parser wants exactly one.
    pub fn new(to: Option<Position>, shift: Option<i64>) -> Self {
        match (to, shift) {
            (Some(position), _) => Self::To(position),
            (None, shift) => Self::Shift(shift.unwrap_or(0)),
        }
    }
}

/// What to rewind.
pub struct Rewind {
    /// The group.
    pub id: String,
    /// The topics; all for which it has committed when there is none.
    pub topics: Vec<String>,
    /// The partitions; all when there is none.
    pub partitions: Vec<i32>,
    /// Where to.
    pub target: Target,
    /// Whether to commit nothing.
    pub dry_run: bool,
}

#[derive(Serialize)]
struct RewoundRow {
    topic: String,
    partition: i32,
    old_offset: Option<i64>,
    new_offset: i64,
    log_end_offset: i64,
}

impl Row for RewoundRow {
    const HEADINGS: &'static [&'static str] = &["TOPIC", "PARTITION", "WAS", "NOW", "LAG"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.topic.clone(),
            self.partition.to_string(),
            self.old_offset
                .map_or("-".to_owned(), |one| one.to_string()),
            self.new_offset.to_string(),
            (self.log_end_offset - self.new_offset).to_string(),
        ]
    }
}

/// Commits other offsets, and shows them.
pub async fn run(client: &mut Client, format: Format, rewind: &Rewind) -> Result<(), Failure> {
    let mut committed: BTreeMap<String, BTreeMap<i32, i64>> = BTreeMap::new();
    for one in committed_offsets(client, &rewind.id).await? {
        committed
            .entry(one.topic)
            .or_default()
            .insert(one.partition, one.offset);
    }
    let topics: Vec<String> = match rewind.topics.is_empty() {
        true => committed.keys().cloned().collect(),
        false => rewind.topics.clone(),
    };
    if topics.is_empty() {
        return Err(Failure::Missing {
            kind: "committed offset",
            name: format!("of group {}", rewind.id),
        });
    }
    let mut rows = Vec::new();
    for topic in &topics {
        let old = committed.remove(topic).unwrap_or_default();
        rows.extend(rewound(client, rewind, topic, &old).await?);
    }
    // All or nothing where it can be: every offset is known before the first one is committed.
    if !rewind.dry_run {
        for topic in &topics {
            let offsets = rows
                .iter()
                .filter(|row| row.topic == *topic)
                .map(|row| (row.partition, row.new_offset))
                .collect();
            commit_offsets(client, &rewind.id, Committer::Outsider, topic, &offsets).await?;
        }
    }
    print_rows(format, &rows)?;
    if rewind.dry_run && format == Format::Table {
        eprintln!("nothing was committed (--dry-run)");
    }
    Ok(())
}

/// The new offsets of one topic, within what its log has.
async fn rewound(
    client: &mut Client,
    rewind: &Rewind,
    topic: &str,
    old: &BTreeMap<i32, i64>,
) -> Result<Vec<RewoundRow>, Failure> {
    let partitions = match (rewind.partitions.is_empty(), rewind.topics.is_empty()) {
        (false, _) => rewind.partitions.clone(),
        (true, true) => old.keys().copied().collect(),
        (true, false) => client.partitions(topic).await?,
    };
    let isolation = Isolation::Uncommitted;
    let starts = resolve(client, topic, &partitions, Position::Earliest, isolation).await?;
    let ends = resolve(client, topic, &partitions, Position::Latest, isolation).await?;
    let targets = match rewind.target {
        Target::To(position) => resolve(client, topic, &partitions, position, isolation).await?,
        // What was never committed has nothing to be shifted from.
        Target::Shift(count) => old
            .iter()
            .filter(|(partition, _)| partitions.contains(partition))
            .map(|(partition, offset)| (*partition, offset.saturating_add(count)))
            .collect(),
    };
    let row = |(partition, offset): (i32, i64)| {
        let bound = |bounds: &BTreeMap<i32, i64>| bounds.get(&partition).copied().unwrap_or(0);
        let (start, end) = (bound(&starts), bound(&ends));
        RewoundRow {
            topic: topic.to_owned(),
            partition,
            old_offset: old.get(&partition).copied(),
            new_offset: offset.min(end).max(start),
            log_end_offset: end,
        }
    };
    Ok(targets.into_iter().map(row).collect())
}
