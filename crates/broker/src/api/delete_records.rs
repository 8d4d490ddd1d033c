//! DeleteRecords (21): raises the log start offset of partitions (KIP-107).

use std::collections::BTreeMap;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::delete_records_request::{DeleteRecordsRequest, DeleteRecordsTopic};
use ottla_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsResponse, DeleteRecordsTopicResult,
};

use tracing::error;

use super::{Reply, RequestContext};
use crate::broker::Broker;

/// Low watermark of a partition whose records were not deleted.
const INVALID_LOW_WATERMARK: i64 = -1;

/// Deletes off the runtime's threads, because whole segments may go. What was deleted stays so
/// whatever happens behind the answer: Kafka remembers it a minute later.
pub fn handle(context: &RequestContext, request: DeleteRecordsRequest) -> Reply<DeleteRecordsResponse> {
    let broker = context.broker.clone();
    Reply::later(async move {
        super::blocking(move || {
            let topics = request.topics.into_iter().filter(|topic| !topic.partitions.is_empty()).map(|topic| delete(&broker, topic)).collect();
            if let Err(error) = broker.logs.checkpoint_log_start_offsets() {
                error!(%error, "log start offsets could not be written; after an unclean stop deleted records may be back");
            }
            DeleteRecordsResponse { topics, ..Default::default() }
        })
        .await
    })
}

fn delete(broker: &Broker, topic: DeleteRecordsTopic) -> DeleteRecordsTopicResult {
    let internal = crate::internal_topics::is_internal(&topic.name);
    // Of a partition that is named twice, the last offset counts, as in Kafka.
    let asked: BTreeMap<i32, i64> = topic.partitions.iter().map(|asked| (asked.partition_index, asked.offset)).collect();
    let partitions = asked
        .into_iter()
        .map(|(partition_index, offset)| {
            let deleted = match internal {
                true => Err(ErrorCode::InvalidTopicException),
                false => broker
                    .partitions
                    .by_topic_name(&topic.name, partition_index)
                    .and_then(|partition| partition.delete_records(offset)),
            };
            DeleteRecordsPartitionResult {
                partition_index,
                low_watermark: deleted.map_or(INVALID_LOW_WATERMARK, |offset| offset.0),
                error_code: deleted.err().unwrap_or(ErrorCode::None).code(),
                ..Default::default()
            }
        })
        .collect();
    DeleteRecordsTopicResult { name: topic.name, partitions, ..Default::default() }
}
