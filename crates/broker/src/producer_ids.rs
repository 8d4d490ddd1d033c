//! Ids for idempotent producers, out of blocks that the controller gives (KIP-730).

use std::ops::Range;

use ottla_metadata::controller::producer_ids::{PRODUCER_IDS_BLOCK_SIZE, allocate};
use ottla_protocol::ErrorCode;
use ottla_protocol::ids::ProducerId;
use tokio::sync::Mutex;

use crate::controller_host::ControllerHost;

/// The block in use.
#[derive(Default)]
pub struct ProducerIds {
    block: Mutex<Range<i64>>,
}

impl ProducerIds {
    /// An id that no producer had before.
    pub async fn next(
        &self,
        controller: &ControllerHost,
        broker_id: i32,
    ) -> Result<ProducerId, ErrorCode> {
        let mut block = self.block.lock().await;
        if block.is_empty() {
            let decide = move |image: &ottla_metadata::MetadataImage| {
                let broker = image.cluster().broker(broker_id.into());
                allocate(
                    image,
                    broker_id,
                    broker.map_or(-1, |broker| broker.broker_epoch()),
                )
            };
            let first = controller.request(move |image, _, _| decide(image)).await?;
            let first = first.ok_or(ErrorCode::UnknownServerError)?;
            *block = first..first + PRODUCER_IDS_BLOCK_SIZE;
        }
        block
            .next()
            .map(ProducerId)
            .ok_or(ErrorCode::UnknownServerError)
    }
}
