//! What the reference release wrote: a metadata log and a bootstrap checkpoint of one node with one
//! topic of two partitions, stopped cleanly.

use bytes::Bytes;
use ottla_metadata::log_codec::{ControlRecord, LogRecord, decode_batches};
use ottla_metadata::{ConfigResource, MetadataDelta, MetadataImage};
use ottla_protocol::ids::BrokerId;

const LOG: &[u8] = include_bytes!("fixtures/reference.log");
const BOOTSTRAP: &[u8] = include_bytes!("fixtures/bootstrap.checkpoint");

fn image() -> MetadataImage {
    let mut delta = MetadataDelta::new(&MetadataImage::default());
    for batch in decode_batches(&Bytes::from_static(LOG)).unwrap() {
        for (offset, record) in batch.records {
            if let LogRecord::Metadata(record) = record {
                delta.apply(offset, batch.leader_epoch, &record);
            }
        }
    }
    assert!(!delta.in_transaction());
    delta.finish().0
}

#[test]
fn its_log_gives_the_cluster_it_was() {
    let image = image();
    assert_eq!((image.offset(), image.epoch()), (38, 1));
    let finalized: Vec<_> = image.features().finalized().collect();
    assert!(
        finalized.contains(&("metadata.version", 30)),
        "{finalized:?}"
    );
    let topic = image.topics().by_name("t").unwrap();
    assert_eq!(image.topics().by_id(topic.id), Some(topic));
    assert_eq!(topic.partitions.len(), 2);
    for partition in topic.partitions.values() {
        assert_eq!(
            (
                partition.leader,
                partition.leader_epoch,
                partition.partition_epoch
            ),
            (-1, 1, 1)
        );
        assert_eq!(
            (
                &partition.replicas[..],
                &partition.isr[..],
                &partition.elr[..]
            ),
            (&[1][..], &[][..], &[1][..])
        );
    }
    let broker = image.cluster().broker(BrokerId(1)).unwrap();
    assert!(broker.is_fenced());
    assert_eq!(
        broker.endpoint("PLAINTEXT").map(|endpoint| endpoint.port),
        Some(21300)
    );
    let defaults = image.configs().of(&ConfigResource::Broker(None)).unwrap();
    assert_eq!(
        defaults.get("min.insync.replicas").map(String::as_str),
        Some("1")
    );
}

#[test]
fn its_snapshot_would_give_the_same_cluster() {
    let image = image();
    let mut delta = MetadataDelta::new(&MetadataImage::default());
    for record in image.to_records() {
        delta.apply(image.offset(), image.epoch(), &record);
    }
    assert_eq!(delta.finish().0, image);
}

#[test]
fn its_log_begins_with_the_quorum() {
    let batches = decode_batches(&Bytes::from_static(LOG)).unwrap();
    let first: Vec<_> = batches[0]
        .records
        .iter()
        .map(|(_, record)| record)
        .collect();
    assert!(matches!(
        first[..],
        [
            LogRecord::Control(ControlRecord::LeaderChange(_)),
            LogRecord::Control(ControlRecord::KRaftVersion(_)),
            LogRecord::Control(ControlRecord::Voters(_)),
        ]
    ));
}

#[test]
fn its_bootstrap_checkpoint_is_read_and_damage_is_told() {
    let records: usize = decode_batches(&Bytes::from_static(BOOTSTRAP))
        .unwrap()
        .iter()
        .map(|batch| batch.records.len())
        .sum();
    assert_eq!(records, 8);
    for position in 17..BOOTSTRAP.len() {
        let mut damaged = BOOTSTRAP.to_vec();
        damaged[position] ^= 1;
        // Never a panic; a wrong CRC, length or record is an error, or cuts the walk short.
        let _ = decode_batches(&damaged.into());
    }
}
