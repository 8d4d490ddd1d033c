//! CreateTopics. Source: `ReplicationControlManager.createTopics`.

use std::collections::{BTreeMap, HashSet};

use ottla_config::{ConfigMap, describe_created_topic, validate_new_topic};
use ottla_protocol::Uuid;
use ottla_protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use ottla_protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult, CreateTopicsResponse,
};
use ottla_protocol::messages::metadata::{ConfigRecord, MetadataRecord, TopicRecord};

use super::{
    AssignmentFault, MAX_PARTITIONS_PER_REQUEST, TopicError, check_assignment, new_partition,
};
use crate::controller::placement::Placer;
use crate::controller::{Decision, DecisionContext, names};
use crate::image::{ConfigResource, MetadataImage, PartitionImage};
use crate::snapshot::partition_record;

/// The metadata log, which is no topic of the cluster.
const METADATA_TOPIC: &str = "__cluster_metadata";

/// A topic as it is going to be.
struct NewTopic {
    id: Uuid,
    partitions: Vec<PartitionImage>,
    configs: ConfigMap,
}

/// Creates the topics that can be created; each is answered for itself.
pub fn create_topics(
    image: &MetadataImage,
    request: &CreateTopicsRequest,
    context: &mut DecisionContext<'_>,
) -> Decision<CreateTopicsResponse> {
    let duplicates = duplicates(request);
    let mut records = Vec::new();
    let mut topics = Vec::with_capacity(request.topics.len());
    let mut partitions_left = MAX_PARTITIONS_PER_REQUEST;
    let mut answered = HashSet::new();
    for topic in &request.topics {
        if duplicates.contains(topic.name.as_str()) {
            if answered.insert(topic.name.as_str()) {
                topics.push(refused(topic, &TopicError::Duplicate));
            }
            continue;
        }
        let planned = plan(image, topic, context).and_then(|planned| {
            partitions_left = partitions_left
                .checked_sub(planned.partitions.len())
                .ok_or(TopicError::TooMany)?;
            Ok(planned)
        });
        match planned {
            Ok(planned) => {
                topics.push(accepted(topic, &planned, context));
                push_records(&mut records, &topic.name, planned);
            }
            Err(error) => topics.push(refused(topic, &error)),
        }
    }
    if request.validate_only {
        records.clear();
    }
    Decision {
        records,
        response: CreateTopicsResponse {
            topics,
            ..Default::default()
        },
    }
}

fn duplicates(request: &CreateTopicsRequest) -> HashSet<&str> {
    let mut seen = HashSet::new();
    request
        .topics
        .iter()
        .map(|topic| topic.name.as_str())
        .filter(|name| !seen.insert(*name))
        .collect()
}

fn plan(
    image: &MetadataImage,
    topic: &CreatableTopic,
    context: &mut DecisionContext<'_>,
) -> Result<NewTopic, TopicError> {
    names::check(&topic.name)?;
    if topic.name == METADATA_TOPIC {
        return Err(TopicError::Prohibited);
    }
    if image.topics().by_name(&topic.name).is_some() {
        return Err(TopicError::Exists(topic.name.clone()));
    }
    if names::may_collide(&topic.name) {
        let mut existing = image.topics().iter().map(|topic| &*topic.name);
        if let Some(other) = existing.find(|other| names::collide(other, &topic.name)) {
            return Err(names::NameError::Collision(topic.name.clone(), other.to_owned()).into());
        }
    }
    let configs = topic
        .configs
        .iter()
        .map(|config| (config.name.as_str(), config.value.as_deref()));
    let configs = validate_new_topic(context.config, configs)?;
    let partitions = match topic.assignments.is_empty() {
        true => placed(image, topic, context)?,
        false => assigned(image, topic)?,
    };
    Ok(NewTopic {
        id: context.new_id(),
        partitions,
        configs,
    })
}

fn placed(
    image: &MetadataImage,
    topic: &CreatableTopic,
    context: &mut DecisionContext<'_>,
) -> Result<Vec<PartitionImage>, TopicError> {
    let partitions = match topic.num_partitions {
        -1 => context.config.topics.num_partitions,
        given => given,
    };
    let replication_factor = match topic.replication_factor {
        -1 => i16::try_from(context.config.topics.default_replication_factor).unwrap_or(i16::MAX),
        given => given,
    };
    let count = usize::try_from(partitions)
        .ok()
        .filter(|count| *count > 0)
        .ok_or(TopicError::Partitions(partitions))?;
    if count > MAX_PARTITIONS_PER_REQUEST {
        return Err(TopicError::TooMany);
    }
    let offset = context.random_index(image.cluster().brokers().count());
    let mut placer = Placer::new(image, context.config, offset);
    (0..count)
        .map(|_| Ok(new_partition(image, placer.place(replication_factor)?)))
        .collect()
}

fn assigned(
    image: &MetadataImage,
    topic: &CreatableTopic,
) -> Result<Vec<PartitionImage>, TopicError> {
    if topic.num_partitions != -1 || topic.replication_factor != -1 {
        return Err(TopicError::AssignmentAndCounts);
    }
    let mut by_index = BTreeMap::new();
    let replicas = topic
        .assignments
        .first()
        .map_or(0, |first| first.broker_ids.len());
    for assignment in &topic.assignments {
        let partition = assignment.partition_index;
        let fault = |reason| TopicError::Assignment { partition, reason };
        check_assignment(image, &assignment.broker_ids).map_err(fault)?;
        if assignment.broker_ids.len() != replicas {
            return Err(fault(AssignmentFault::Uneven));
        }
        if by_index
            .insert(partition, assignment.broker_ids.clone())
            .is_some()
        {
            return Err(fault(AssignmentFault::Twice));
        }
    }
    if !by_index.keys().copied().eq(0..by_index.len() as i32) {
        return Err(TopicError::AssignmentGaps);
    }
    Ok(by_index
        .into_values()
        .map(|replicas| new_partition(image, replicas))
        .collect())
}

fn push_records(records: &mut Vec<MetadataRecord>, name: &str, topic: NewTopic) {
    let record = TopicRecord {
        name: name.to_owned(),
        topic_id: topic.id,
        ..Default::default()
    };
    records.push(MetadataRecord::Topic(record));
    let resource = ConfigResource::Topic(name.to_owned());
    records.extend(topic.configs.into_iter().map(|(name, value)| {
        MetadataRecord::Config(ConfigRecord {
            resource_type: resource.wire_type(),
            resource_name: resource.wire_name(),
            name,
            value: Some(value),
            ..Default::default()
        })
    }));
    for (index, partition) in topic.partitions.iter().enumerate() {
        records.push(MetadataRecord::Partition(partition_record(
            topic.id,
            index as i32,
            partition,
        )));
    }
}

fn accepted(
    topic: &CreatableTopic,
    planned: &NewTopic,
    context: &DecisionContext<'_>,
) -> CreatableTopicResult {
    let configs = describe_created_topic(context.config, &planned.configs)
        .into_iter()
        .map(|config| CreatableTopicConfigs {
            name: config.name,
            value: config.value,
            read_only: config.read_only,
            config_source: config.source.wire_id(),
            is_sensitive: config.is_sensitive,
            ..Default::default()
        });
    CreatableTopicResult {
        name: topic.name.clone(),
        topic_id: planned.id,
        error_message: None,
        num_partitions: planned.partitions.len() as i32,
        replication_factor: planned
            .partitions
            .first()
            .map_or(0, |first| first.replicas.len() as i16),
        configs: Some(configs.collect()),
        ..Default::default()
    }
}

fn refused(topic: &CreatableTopic, error: &TopicError) -> CreatableTopicResult {
    CreatableTopicResult {
        name: topic.name.clone(),
        error_code: error.code().code(),
        error_message: Some(error.to_string()),
        num_partitions: -1,
        replication_factor: -1,
        configs: Some(Vec::new()),
        ..Default::default()
    }
}
