//! CreatePartitions. Source: `ReplicationControlManager.createPartitions`.

use std::collections::HashSet;

use ottla_protocol::messages::create_partitions_request::{
    CreatePartitionsRequest, CreatePartitionsTopic,
};
use ottla_protocol::messages::create_partitions_response::{
    CreatePartitionsResponse, CreatePartitionsTopicResult,
};
use ottla_protocol::messages::metadata::MetadataRecord;

use super::{
    AssignmentFault, MAX_PARTITIONS_PER_REQUEST, TopicError, check_assignment, new_partition,
};
use crate::controller::placement::Placer;
use crate::controller::{Decision, DecisionContext};
use crate::image::{MetadataImage, TopicImage};
use crate::snapshot::partition_record;

/// Adds partitions to topics; each topic is answered for itself.
pub fn create_partitions(
    image: &MetadataImage,
    request: &CreatePartitionsRequest,
    context: &mut DecisionContext<'_>,
) -> Decision<CreatePartitionsResponse> {
    let mut seen = HashSet::new();
    let duplicates: HashSet<&str> = request
        .topics
        .iter()
        .map(|topic| topic.name.as_str())
        .filter(|name| !seen.insert(*name))
        .collect();
    let mut records = Vec::new();
    let mut results = Vec::with_capacity(request.topics.len());
    let mut answered = HashSet::new();
    for topic in &request.topics {
        let added = match duplicates.contains(topic.name.as_str()) {
            true if !answered.insert(topic.name.as_str()) => continue,
            true => Err(TopicError::Duplicate),
            false => grow(image, topic, context),
        };
        results.push(CreatePartitionsTopicResult {
            name: topic.name.clone(),
            error_code: added.as_ref().err().map_or(0, |error| error.code().code()),
            error_message: added.as_ref().err().map(ToString::to_string),
            ..Default::default()
        });
        records.extend(added.unwrap_or_default());
    }
    if request.validate_only {
        records.clear();
    }
    Decision {
        records,
        response: CreatePartitionsResponse {
            results,
            ..Default::default()
        },
    }
}

fn grow(
    image: &MetadataImage,
    request: &CreatePartitionsTopic,
    context: &mut DecisionContext<'_>,
) -> Result<Vec<MetadataRecord>, TopicError> {
    let topic = image
        .topics()
        .by_name(&request.name)
        .ok_or(TopicError::Unknown { by_id: false })?;
    let current = topic.partitions.len() as i32;
    if request.count <= current {
        return Err(TopicError::NotMore {
            current,
            wanted: request.count,
        });
    }
    let added = i64::from(request.count) - i64::from(current);
    if added > MAX_PARTITIONS_PER_REQUEST as i64 {
        return Err(TopicError::TooMany);
    }
    let replicas = match &request.assignments {
        Some(assignments) => {
            if assignments.len() as i64 != added {
                return Err(TopicError::AssignmentCount {
                    given: assignments.len(),
                    added,
                });
            }
            assigned(
                image,
                topic,
                current,
                assignments.iter().map(|assignment| &assignment.broker_ids),
            )?
        }
        None => {
            let replication_factor = topic
                .partitions
                .values()
                .next()
                .map_or(1, |first| first.replicas.len() as i16);
            let offset = context.random_index(image.cluster().brokers().count());
            let mut placer = Placer::new(image, context.config, offset);
            (0..added)
                .map(|_| placer.place(replication_factor))
                .collect::<Result<_, _>>()?
        }
    };
    let partition = |(index, replicas)| {
        MetadataRecord::Partition(partition_record(
            topic.id,
            index,
            &new_partition(image, replicas),
        ))
    };
    Ok((current..).zip(replicas).map(partition).collect())
}

fn assigned<'a>(
    image: &MetadataImage,
    topic: &TopicImage,
    first: i32,
    assignments: impl Iterator<Item = &'a Vec<i32>>,
) -> Result<Vec<Vec<i32>>, TopicError> {
    let replicas = topic
        .partitions
        .values()
        .next()
        .map_or(0, |partition| partition.replicas.len());
    (first..)
        .zip(assignments)
        .map(|(partition, brokers)| {
            let fault = |reason| TopicError::Assignment { partition, reason };
            check_assignment(image, brokers).map_err(fault)?;
            if brokers.len() != replicas {
                return Err(fault(AssignmentFault::Uneven));
            }
            Ok(brokers.clone())
        })
        .collect()
}
