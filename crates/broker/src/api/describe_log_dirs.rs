//! DescribeLogDirs (35): the log directories and how large the partitions in them are (KIP-113, KIP-827).

use std::collections::BTreeMap;
use std::path::Path;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_log_dirs_request::DescribeLogDirsRequest;
use ottla_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResponse, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use ottla_storage::{Log, LogDirectory};

use super::{Reply, RequestContext};

/// Size of a disk that cannot be asked.
const UNKNOWN_BYTES: i64 = -1;

/// Describes every log directory; of its partitions those asked for, or all.
pub fn handle(context: &RequestContext, request: DescribeLogDirsRequest) -> Reply<DescribeLogDirsResponse> {
    let is_asked = |log: &Log| {
        let partition = log.topic_partition();
        request.topics.as_ref().is_none_or(|topics| {
            topics.iter().any(|topic| topic.topic == partition.topic && topic.partitions.contains(&partition.partition.0))
        })
    };
    let config = context.broker.config();
    let logs = context.broker.logs.logs_by_directory();
    let manager = &context.broker.logs;
    let usable = manager.directories().iter().filter(|directory| !directory.is_offline()).map(|directory| {
        let inside = logs.iter().filter(|(other, log)| other.path() == directory.path() && is_asked(log));
        let is_cordoned = config.log.is_cordoned(&directory.path().to_string_lossy());
        let described = describe(directory, inside.map(|(_, log)| &**log));
        DescribeLogDirsResult { is_cordoned, ..described }
    });
    let unusable = manager.unusable_directories().map(|path| DescribeLogDirsResult {
        error_code: ErrorCode::KafkaStorageError.code(),
        log_dir: absolute(path),
        ..Default::default()
    });
    let results = usable.chain(unusable).collect();
    Reply::Now(DescribeLogDirsResponse { results, ..Default::default() })
}

fn describe<'a>(directory: &LogDirectory, logs: impl Iterator<Item = &'a Log>) -> DescribeLogDirsResult {
    let log_dir = absolute(directory.path());
    let mut topics: BTreeMap<&str, Vec<DescribeLogDirsPartition>> = BTreeMap::new();
    for log in logs {
        let partition = DescribeLogDirsPartition {
            partition_index: log.topic_partition().partition.0,
            partition_size: i64::try_from(log.size_bytes()).unwrap_or(i64::MAX),
            ..Default::default()
        };
        topics.entry(&log.topic_partition().topic).or_default().push(partition);
    }
    let topics = topics.into_iter().map(|(name, partitions)| DescribeLogDirsTopic {
        name: name.to_owned(),
        partitions,
        ..Default::default()
    });
    let (total_bytes, usable_bytes) = disk_size(directory.path()).unwrap_or((UNKNOWN_BYTES, UNKNOWN_BYTES));
    DescribeLogDirsResult { log_dir, topics: topics.collect(), total_bytes, usable_bytes, ..Default::default() }
}

fn absolute(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.to_string_lossy().into_owned()
}

/// Bytes of the disk in all, and those that can still be used.
fn disk_size(path: &Path) -> Option<(i64, i64)> {
    let disk = rustix::fs::statvfs(path).ok()?;
    let bytes = |blocks: u64| i64::try_from(blocks.saturating_mul(disk.f_frsize)).unwrap_or(i64::MAX);
    Some((bytes(disk.f_blocks), bytes(disk.f_bavail)))
}
