//! What a broker does from time to time: flushes, checkpoints, forgets idle producers, deletes files.

use std::sync::Arc;
use std::time::Duration;

use ottla_metadata::controller::Decision;
use tokio::task::JoinSet;
use tracing::error;

use crate::broker::Broker;

/// How often the files of deleted partitions are looked for.
const DELETE_INTERVAL: Duration = Duration::from_secs(1);
/// How often it is asked whether a log must be flushed.
const MAX_FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// How often it is asked whether a snapshot of the metadata is due.
const SNAPSHOT_CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// Starts the tasks; they end when the set is shut down.
pub fn start(broker: &Arc<Broker>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let config = broker.config();
    let interval = |ms: i64| Duration::from_millis(u64::try_from(ms).unwrap_or(1).max(1));
    let background = &config.background;
    let flush = interval(background.log_flush_scheduler_interval_ms).min(MAX_FLUSH_INTERVAL);
    let delay = Duration::from_millis(
        u64::try_from(background.log_initial_task_delay_ms).unwrap_or_default(),
    );
    tasks.spawn(every(broker, Duration::ZERO, flush, |broker| {
        broker.logs.flush_due(broker.clock.now_ms())
    }));
    let checkpoint = interval(i64::from(
        background.log_flush_offset_checkpoint_interval_ms,
    ));
    tasks.spawn(every(broker, delay, checkpoint, |broker| {
        report(broker.logs.checkpoint_all())
    }));
    let starts = interval(i64::from(
        background.log_flush_start_offset_checkpoint_interval_ms,
    ));
    tasks.spawn(every(broker, delay, starts, |broker| {
        report(broker.logs.checkpoint_log_start_offsets())
    }));
    let high_watermarks = interval(background.replica_high_watermark_checkpoint_interval_ms);
    tasks.spawn(every(broker, Duration::ZERO, high_watermarks, |broker| {
        report(broker.logs.checkpoint_high_watermarks())
    }));
    tasks.spawn(every(broker, Duration::ZERO, DELETE_INTERVAL, |broker| {
        broker.logs.delete_doomed(broker.clock.now_ms())
    }));
    let expiry = interval(i64::from(config.producers.id_expiration_check_interval_ms));
    // Not on start: who was writing when the broker went away writes again, and must be known, however
    // old the times of its records are.
    tasks.spawn(every(broker, Duration::ZERO, expiry, expire_producers));
    tasks.spawn(Arc::clone(&broker.groups).run_timers());
    tasks.spawn(look_for_snapshots(Arc::clone(broker)));
    tasks
}

/// Runs `work` on a thread that may wait for the disk, again and again, for the first time an interval after `delay`.
fn every(
    broker: &Arc<Broker>,
    delay: Duration,
    interval: Duration,
    work: fn(&Broker),
) -> impl Future<Output = ()> + use<> {
    let broker = Arc::clone(broker);
    async move {
        tokio::time::sleep(delay).await;
        repeat(broker, interval, work).await;
    }
}

async fn repeat(broker: Arc<Broker>, interval: Duration, work: fn(&Broker)) {
    loop {
        tokio::time::sleep(interval).await;
        let broker = Arc::clone(&broker);
        if tokio::task::spawn_blocking(move || work(&broker))
            .await
            .is_err()
        {
            error!("background work panicked; please report this as a bug");
        }
    }
}

/// Lets the controller look whether a snapshot is due though nothing is asked of it.
async fn look_for_snapshots(broker: Arc<Broker>) {
    loop {
        tokio::time::sleep(SNAPSHOT_CHECK_INTERVAL).await;
        let looked = broker.controller.request(|_, _, _| Decision::answer(()));
        if looked.await.is_err() {
            return;
        }
    }
}

fn report(result: Result<(), ottla_storage::DiskError>) {
    if let Err(error) = result {
        error!(%error, "a checkpoint could not be written; an unclean stop now means a longer recovery");
    }
}

fn expire_producers(broker: &Broker) {
    let expiration_ms = i64::from(broker.config().producers.id_expiration_ms);
    for log in broker.logs.logs() {
        log.expire_producers(broker.clock.now_ms(), expiration_ms);
    }
}
