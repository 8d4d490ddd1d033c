//! A log against a list of records, through everything that may happen to it.

use ottla_protocol::ids::{LeaderEpoch, Offset};
use proptest::prelude::*;

use crate::log::Log;
use crate::log_config::LogConfig;
use crate::recovery::{self, Shutdown};
use crate::testing::{all_records, append, batch_of, create, how, small_segments, validated};

#[derive(Clone, Debug)]
enum Step {
    /// Numbers of bytes of the records' values.
    Append {
        sizes: Vec<usize>,
        timestamp_ms: i64,
        new_epoch: bool,
    },
    Roll,
    /// Where, in thousandths of the way from the log's start to its end.
    DeleteRecords(i64),
    Truncate(i64),
    Flush,
    Reopen(bool),
    RestartAt(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let sizes = prop::collection::vec(0_usize..300, 1..4);
    let append = (sizes, 0_i64..50, prop::bool::weighted(0.1)).prop_map(
        |(sizes, timestamp_ms, new_epoch)| Step::Append {
            sizes,
            timestamp_ms,
            new_epoch,
        },
    );
    let step = prop_oneof![
        12 => append,
        1 => Just(Step::Roll),
        2 => (0_i64..=1000).prop_map(Step::DeleteRecords),
        2 => (0_i64..=1000).prop_map(Step::Truncate),
        1 => Just(Step::Flush),
        2 => any::<bool>().prop_map(Step::Reopen),
        1 => (0_i64..100).prop_map(Step::RestartAt),
    ];
    prop::collection::vec(step, 1..60)
}

#[derive(Default)]
struct Model {
    start: i64,
    end: i64,
    /// Base offset, timestamp and values of each batch.
    batches: Vec<(i64, i64, Vec<Vec<u8>>)>,
    epoch: i32,
    written: u8,
}

impl Model {
    fn at(&self, thousandths: i64) -> i64 {
        self.start + (self.end - self.start) * thousandths / 1000
    }

    fn records(&self) -> Vec<(i64, i64, Vec<u8>)> {
        let mut records = Vec::new();
        for (base, timestamp_ms, values) in &self.batches {
            for (offset, value) in (*base..).zip(values) {
                if offset >= self.start {
                    records.push((offset, *timestamp_ms, value.clone()));
                }
            }
        }
        records
    }

    fn truncate(&mut self, offset: i64) {
        if offset >= self.end {
            return;
        }
        self.end = offset;
        while let Some((base, _, values)) = self.batches.last() {
            if base + (values.len() as i64) <= offset {
                break;
            }
            self.end = self.end.min(*base);
            self.batches.pop();
        }
        self.start = self.start.min(self.end);
    }
}

fn apply(log: &mut Log, model: &mut Model, step: &Step, directory: &std::path::Path) {
    match step {
        Step::Append {
            sizes,
            timestamp_ms,
            new_epoch,
        } => {
            model.epoch += i32::from(*new_epoch);
            let mut values = Vec::new();
            for size in sizes {
                model.written = model.written.wrapping_add(1);
                values.push(vec![model.written; *size]);
            }
            let slices: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
            let info = append(log, model.epoch, *timestamp_ms, &slices).unwrap();
            assert_eq!(info.base_offset.0, model.end);
            log.advance_high_watermark(log.log_end_offset());
            model.batches.push((model.end, *timestamp_ms, values));
            model.end += sizes.len() as i64;
            assert_eq!(
                log.epoch_of(info.base_offset).map(|epoch| epoch.0),
                Some(model.epoch)
            );
        }
        Step::Roll => log.roll().unwrap(),
        Step::DeleteRecords(thousandths) => {
            model.start = model.at(*thousandths);
            assert_eq!(
                log.delete_records_before(Offset(model.start)).unwrap(),
                Offset(model.start)
            );
        }
        Step::Truncate(thousandths) => {
            let offset = model.at(*thousandths);
            log.truncate_to(Offset(offset)).unwrap();
            model.truncate(offset);
        }
        Step::Flush => log.flush(log.log_end_offset(), 0).unwrap(),
        Step::RestartAt(offset) => {
            log.truncate_fully_and_start_at(Offset(*offset)).unwrap();
            (model.start, model.end) = (*offset, *offset);
            model.batches.clear();
        }
        Step::Reopen(clean) => {
            let mut how = how(if *clean {
                Shutdown::Clean
            } else {
                Shutdown::Unclean
            });
            if *clean {
                log.close(0).unwrap();
            }
            how.recovery_point = log.recovery_point();
            how.log_start_offset = log.log_start_offset();
            *log = recovery::open(directory, how).unwrap();
            // Offsets without records behind them are not in the files.
            let last = model.batches.last();
            let in_files = last.map_or(model.start, |(base, _, values)| base + values.len() as i64);
            let end = log.log_end_offset().0;
            assert!(
                end >= in_files && end <= model.end,
                "{in_files} <= {end} <= {}",
                model.end
            );
            model.end = end;
        }
    }
}

fn check(log: &Log, model: &Model) {
    assert_eq!(
        (log.log_start_offset().0, log.log_end_offset().0),
        (model.start, model.end)
    );
    let expected = model.records();
    for max_bytes in [0, 150, 100_000] {
        assert_eq!(
            all_records(log, max_bytes),
            expected,
            "in steps of {max_bytes}"
        );
    }
    for timestamp_ms in [0, 10, 25, 49, 50] {
        let first = expected
            .iter()
            .find(|(_, timestamp, _)| *timestamp >= timestamp_ms);
        let found = log
            .find_by_timestamp(timestamp_ms, log.log_end_offset())
            .unwrap();
        assert_eq!(
            found.map(|found| (found.offset.0, found.timestamp_ms)),
            first.map(|(offset, timestamp, _)| (*offset, *timestamp)),
            "at time {timestamp_ms}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
    #[test]
    fn a_log_is_a_list_of_records(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("t-0");
        let mut log = create(&directory);
        let mut model = Model::default();
        for step in &steps {
            apply(&mut log, &mut model, step, &directory);
            check(&log, &model);
        }
    }
}

#[test]
fn a_preallocated_segment_has_its_room_and_the_size_of_its_records() {
    use std::os::unix::fs::MetadataExt;
    let directory = tempfile::tempdir().unwrap();
    let scratch = std::fs::File::create(directory.path().join("scratch")).unwrap();
    if !crate::disk::preallocate(&scratch, 1) {
        println!("this file system does not preallocate");
        return;
    }
    let segment_bytes = 4 << 20;
    let log = create(&directory.path().join("t-0"));
    log.update_config(LogConfig {
        segment_bytes,
        preallocate: true,
        ..small_segments()
    });
    let batch = validated(batch_of(1, None, &[b"value"]));
    log.append_as_leader(&batch, LeaderEpoch(0)).unwrap();
    let file = |log: &Log| std::fs::metadata(log.segments()[0].path()).unwrap();
    assert_eq!(file(&log).len(), batch.batch.size_bytes() as u64);
    assert!(file(&log).blocks() * 512 >= u64::from(segment_bytes));
    log.roll().unwrap();
    assert_eq!(file(&log).len(), batch.batch.size_bytes() as u64);
    assert!(file(&log).blocks() * 512 < u64::from(segment_bytes));
}
