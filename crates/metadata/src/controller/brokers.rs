//! Brokers come and go.

use ottla_protocol::Uuid;
use ottla_protocol::messages::metadata::register_broker_record::{BrokerEndpoint, BrokerFeature};
use ottla_protocol::messages::metadata::{
    BrokerRegistrationChangeRecord, MetadataRecord, PartitionChangeRecord, RegisterBrokerRecord,
};

use super::Decision;
use crate::bootstrap::SUPPORTED_FEATURES;
use crate::image::{Endpoint, MetadataImage, NO_LEADER};

/// A broker that wants to be part of the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// Its `node.id`.
    pub broker_id: i32,
    /// What tells this start of it from the one before.
    pub incarnation_id: Uuid,
    /// Where it listens.
    pub endpoints: Vec<Endpoint>,
    /// Its rack.
    pub rack: Option<String>,
    /// Its log directories.
    pub log_dirs: Vec<Uuid>,
}

/// Registers the only broker of a quorum of one and lets it lead every partition that it keeps.
///
/// `next_offset` is where the first record will go: a broker's epoch is the offset of its
/// registration. Partitions get a new leader epoch even when the leader stays, so that nobody takes
/// records of this incarnation for those of the last (KIP-320).
pub fn register(
    image: &MetadataImage,
    registration: &Registration,
    next_offset: i64,
) -> Decision<i64> {
    let endpoints = registration
        .endpoints
        .iter()
        .map(|endpoint| BrokerEndpoint {
            name: endpoint.name.clone(),
            host: endpoint.host.clone(),
            port: endpoint.port,
            security_protocol: endpoint.security_protocol,
            ..Default::default()
        });
    let features = SUPPORTED_FEATURES.iter().map(|feature| BrokerFeature {
        name: feature.name.to_owned(),
        min_supported_version: feature.min,
        max_supported_version: feature.max,
        ..Default::default()
    });
    let record = RegisterBrokerRecord {
        broker_id: registration.broker_id,
        incarnation_id: registration.incarnation_id,
        broker_epoch: next_offset,
        end_points: endpoints.collect(),
        features: features.collect(),
        rack: registration.rack.clone(),
        fenced: false,
        log_dirs: registration.log_dirs.clone(),
        ..Default::default()
    };
    let mut records = vec![MetadataRecord::RegisterBroker(record)];
    records.extend(elections(image, registration.broker_id));
    Decision {
        records,
        response: next_offset,
    }
}

/// Fences a broker that stops.
pub fn fence(image: &MetadataImage, broker_id: i32) -> Decision<()> {
    let broker = image
        .cluster()
        .broker(broker_id.into())
        .filter(|broker| !broker.is_fenced());
    let record = broker.map(|broker| {
        MetadataRecord::BrokerRegistrationChange(BrokerRegistrationChangeRecord {
            broker_id,
            broker_epoch: broker.broker_epoch(),
            fenced: 1,
            ..Default::default()
        })
    });
    Decision {
        records: record.into_iter().collect(),
        response: (),
    }
}

/// Makes the broker the leader of the partitions that only it can lead.
fn elections(image: &MetadataImage, broker_id: i32) -> impl Iterator<Item = MetadataRecord> {
    image.topics().iter().flat_map(move |topic| {
        topic
            .partitions
            .iter()
            .filter_map(move |(index, partition)| {
                let has_all_records =
                    partition.isr.contains(&broker_id) || partition.elr.contains(&broker_id);
                let is_free = partition.leader == NO_LEADER || partition.leader == broker_id;
                (is_free && has_all_records).then(|| {
                    let mut isr = partition.isr.clone();
                    if !isr.contains(&broker_id) {
                        isr.push(broker_id);
                    }
                    MetadataRecord::PartitionChange(PartitionChangeRecord {
                        partition_id: *index,
                        topic_id: topic.id,
                        leader: broker_id,
                        isr: (isr != partition.isr).then_some(isr),
                        replicas: None,
                        removing_replicas: None,
                        adding_replicas: None,
                        directories: None,
                        eligible_leader_replicas: (!partition.elr.is_empty()).then(Vec::new),
                        last_known_elr: (!partition.last_known_elr.is_empty()).then(Vec::new),
                        ..Default::default()
                    })
                })
            })
    })
}
