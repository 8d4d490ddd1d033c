//! Directories that Kafka wrote: we read them, and write the same.

use std::path::{Path, PathBuf};

use ottla_protocol::ids::{Offset, TopicPartition};
use ottla_protocol::records::Compression;

use crate::log::Log;
use crate::log_config::LogConfig;
use crate::partition_metadata;
use crate::recovery::{self, OpenLog, Shutdown};
use crate::testing::{all_batches, all_records, append};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/fixtures")
        .join(name)
}

/// A copy that may be changed.
fn copy_of(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("codecs-0");
    std::fs::create_dir(&directory).unwrap();
    for entry in std::fs::read_dir(fixture(name)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), directory.join(entry.file_name())).unwrap();
    }
    (folder, directory)
}

fn how(shutdown: Shutdown) -> OpenLog {
    OpenLog {
        topic_partition: TopicPartition::new("codecs", 0),
        config: LogConfig {
            index_interval_bytes: 200,
            segment_index_bytes: 1200,
            ..LogConfig::default()
        },
        ..crate::testing::how(shutdown)
    }
}

fn open(directory: &Path, shutdown: Shutdown) -> Log {
    recovery::open(directory, how(shutdown)).unwrap()
}

/// The files of a log's directory and what is in them.
fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut contents: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    contents.sort();
    contents
}

fn assert_is_kafkas(directory: &Path) {
    let (found, expected) = (contents(directory), contents(&fixture("clean")));
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
}

fn check_first_records(log: &Log) {
    let records = all_records(log, 10_000);
    let codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    for (codec, records) in codecs.iter().zip(records.chunks(8)) {
        for (number, (_, _, value)) in (1..).zip(records) {
            let expected = format!("{codec} value {number} ");
            assert!(value.starts_with(expected.as_bytes()), "{expected}");
        }
    }
    let found: Vec<_> = all_batches(log, 10_000)
        .iter()
        .map(|batch| batch.compression().unwrap())
        .collect();
    for codec in [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ] {
        assert!(found.contains(&codec), "{codec:?}");
    }
}

#[test]
fn a_clean_directory_is_read_and_left_as_it_is() {
    let (_folder, directory) = copy_of("clean");
    for _ in 0..2 {
        let log = open(&directory, Shutdown::Clean);
        assert_eq!(
            (log.log_start_offset(), log.log_end_offset()),
            (Offset(0), Offset(40))
        );
        assert_eq!(log.active_producers().len(), 5);
        check_first_records(&log);
        log.close(0).unwrap();
        assert_is_kafkas(&directory);
    }
}

#[test]
fn recovery_builds_the_same_files_as_kafka_appended() {
    let (_folder, directory) = copy_of("clean");
    open(&directory, Shutdown::Unclean).close(0).unwrap();
    assert_is_kafkas(&directory);
}

#[test]
fn the_same_batches_give_the_same_files() {
    let (_source, directory) = copy_of("clean");
    let source = open(&directory, Shutdown::Clean);
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("codecs-0");
    let topic_id = partition_metadata::read(&fixture("clean"))
        .unwrap()
        .unwrap();
    let log = recovery::create(&directory, topic_id, how(Shutdown::Clean)).unwrap();
    for batch in all_batches(&source, 10_000) {
        log.append_as_follower(batch.bytes()).unwrap();
    }
    log.close(0).unwrap();
    assert_is_kafkas(&directory);
}

#[test]
fn a_directory_of_a_killed_broker_is_recovered() {
    for shutdown in [Shutdown::Unclean, Shutdown::Clean] {
        let (_folder, directory) = copy_of("unclean");
        let log = open(&directory, shutdown);
        assert_eq!(log.log_end_offset(), Offset(46));
        check_first_records(&log);
        assert_eq!(log.active_producers().len(), 6);
        assert!(log.epoch_of(Offset(40)) > log.epoch_of(Offset(39)));
        let index = std::fs::read(directory.join("00000000000000000000.index")).unwrap();
        assert!(index.len() < 1200, "the preallocated index is built again");
        append(&log, 9, i64::MAX, &[b"more"]).unwrap();
        log.close(0).unwrap();
        drop(log);
        assert_eq!(
            open(&directory, Shutdown::Clean).log_end_offset(),
            Offset(47)
        );
    }
}
