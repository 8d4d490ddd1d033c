//! `ottla cluster log-dirs`.

use std::cmp::Reverse;

use ottla_protocol::messages::describe_log_dirs_request::DescribeLogDirsRequest;
use serde::Serialize;

use super::super::client as client_of;
use crate::arguments::ClusterArguments;
use crate::failure::{Failure, check};
use crate::output::{Format, Row, print_json, print_text, size_text, table};

#[derive(Serialize)]
struct DirectoryRow {
    broker: i32,
    directory: String,
    partitions: usize,
    size_bytes: u64,
    usable_bytes: Option<u64>,
    total_bytes: Option<u64>,
}

impl Row for DirectoryRow {
    const HEADINGS: &'static [&'static str] =
        &["BROKER", "DIRECTORY", "PARTITIONS", "SIZE", "FREE", "DISK"];
    fn cells(&self) -> Vec<String> {
        let size = |bytes: Option<u64>| bytes.map_or("-".to_owned(), size_text);
        vec![
            self.broker.to_string(),
            self.directory.clone(),
            self.partitions.to_string(),
            size_text(self.size_bytes),
            size(self.usable_bytes),
            size(self.total_bytes),
        ]
    }
}

#[derive(Serialize)]
struct PartitionRow {
    topic: String,
    partition: i32,
    broker: i32,
    size_bytes: u64,
    offset_lag: i64,
}

impl Row for PartitionRow {
    const HEADINGS: &'static [&'static str] = &["TOPIC", "PARTITION", "BROKER", "SIZE", "LAG"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.topic.clone(),
            self.partition.to_string(),
            self.broker.to_string(),
            size_text(self.size_bytes),
            self.offset_lag.to_string(),
        ]
    }
}

#[derive(Serialize)]
struct LogDirsDocument {
    directories: Vec<DirectoryRow>,
    largest_partitions: Vec<PartitionRow>,
}

/// Shows the directories of all brokers, and the `top` largest partitions.
pub async fn run(cluster: &ClusterArguments, top: usize) -> Result<(), Failure> {
    let mut client = client_of(&cluster.connection);
    client.metadata(Some(&[])).await?;
    let mut brokers: Vec<i32> = client.nodes().map(|node| node.id).collect();
    brokers.sort_unstable();
    let mut document = LogDirsDocument {
        directories: Vec::new(),
        largest_partitions: Vec::new(),
    };
    let mut failure = None;
    for broker in brokers {
        let request = DescribeLogDirsRequest {
            topics: None,
            ..Default::default()
        };
        for directory in client.request_to(broker, &request).await?.results {
            let path = directory.log_dir;
            if let Err(error) = check(directory.error_code, None, || {
                format!("directory {path} of broker {broker}")
            }) {
                super::super::keep_first(&mut failure, error);
                continue;
            }
            let known = document.largest_partitions.len();
            for topic in directory.topics {
                let partitions = topic.partitions.into_iter();
                document
                    .largest_partitions
                    .extend(partitions.map(|partition| PartitionRow {
                        topic: topic.name.clone(),
                        partition: partition.partition_index,
                        broker,
                        size_bytes: u64::try_from(partition.partition_size).unwrap_or(0),
                        offset_lag: partition.offset_lag,
                    }));
            }
            let here = document.largest_partitions.get(known..).unwrap_or_default();
            document.directories.push(DirectoryRow {
                broker,
                directory: path,
                partitions: here.len(),
                size_bytes: here.iter().map(|partition| partition.size_bytes).sum(),
                usable_bytes: u64::try_from(directory.usable_bytes).ok(),
                total_bytes: u64::try_from(directory.total_bytes).ok(),
            });
        }
    }
    document
        .largest_partitions
        .sort_by_key(|partition| Reverse(partition.size_bytes));
    document.largest_partitions.truncate(top);
    print(cluster.format(), &document)?;
    failure.map_or(Ok(()), Err)
}

fn print(format: Format, document: &LogDirsDocument) -> Result<(), Failure> {
    if format == Format::Json {
        return Ok(print_json(document)?);
    }
    let directories: Vec<_> = document.directories.iter().map(Row::cells).collect();
    let partitions: Vec<_> = document.largest_partitions.iter().map(Row::cells).collect();
    Ok(print_text(&format!(
        "{}\n{}",
        table(DirectoryRow::HEADINGS, &directories),
        table(PartitionRow::HEADINGS, &partitions)
    ))?)
}
