//! Which records belong to transactions that were aborted, and are not shown.

use std::collections::BTreeMap;

use ottla_protocol::messages::fetch_response::AbortedTransaction;
use ottla_protocol::records::{BatchView, ControlRecordType, Decompressor};

/// The aborted transactions that brokers told of, for each partition.
#[derive(Default)]
pub struct AbortedProducers {
    /// First offset and producer id of those that have not begun yet.
    expected: BTreeMap<i32, Vec<(i64, i64)>>,
    /// Producer ids of those that have.
    open: BTreeMap<i32, Vec<i64>>,
}

impl AbortedProducers {
    /// Takes what an answer says of the records that come with it.
    pub fn expect(&mut self, partition: i32, aborted: Vec<AbortedTransaction>) {
        let expected = aborted
            .into_iter()
            .map(|transaction| (transaction.first_offset, transaction.producer_id));
        self.expected.insert(partition, expected.collect());
    }

    /// Whether `batch`, the next one of its partition, belongs to an aborted transaction.
    pub fn hides(&mut self, partition: i32, batch: &BatchView) -> bool {
        let expected = self.expected.entry(partition).or_default();
        let open = self.open.entry(partition).or_default();
        expected.retain(|&(first_offset, producer_id)| {
            let begins = first_offset <= batch.last_offset();
            if begins && !open.contains(&producer_id) {
                open.push(producer_id);
            }
            !begins
        });
        let is_of_aborted = batch.is_transactional() && open.contains(&batch.producer_id());
        if is_of_aborted && batch.is_control() && is_abort(batch) {
            open.retain(|producer_id| *producer_id != batch.producer_id());
        }
        is_of_aborted
    }
}

/// Whether a control batch is the marker that ends an aborted transaction.
fn is_abort(batch: &BatchView) -> bool {
    let Ok(records) = batch.records(&mut Decompressor::default()) else {
        return false;
    };
    records.flatten().any(|record| {
        let key = record.key.unwrap_or_default();
        matches!(
            ControlRecordType::from_key(&key),
            Ok(ControlRecordType::Abort)
        )
    })
}
