//! What a run costs, and which side was the limit.

use std::time::Instant;

use serde::Serialize;

use crate::error::LoadError;
use crate::process::{self, MemorySampler};

/// A side that used at least this share of the time that its core had for it was the limit.
const SATURATED: f64 = 0.90;

/// One process and the core that it is confined to.
struct Side {
    pid: i32,
    core: Option<usize>,
    cpu_s: f64,
    idle_s: Option<f64>,
}

/// How one side spent the run.
struct Spent {
    cpu_s: f64,
    saturated: bool,
    /// Share of its core that went to others.
    disturbed: f64,
}

impl Side {
    fn start(pid: i32) -> Result<Side, LoadError> {
        let core = process::only_core(pid);
        Ok(Side {
            pid,
            core,
            cpu_s: process::cpu_s(pid)?,
            idle_s: core.and_then(process::idle_s),
        })
    }

    /// `seconds` have passed since the start. Idle time decides, so that a neighbour on the same
    /// core does not make a busy process look idle.
    fn finish(&self, seconds: f64) -> Result<Spent, LoadError> {
        let cpu_s = process::cpu_s(self.pid)? - self.cpu_s;
        let idle_s = match (self.idle_s, self.core.and_then(process::idle_s)) {
            (Some(before), Some(after)) => after - before,
            _ => seconds - cpu_s,
        };
        let saturated = cpu_s >= SATURATED * (cpu_s + idle_s);
        Ok(Spent {
            cpu_s,
            saturated,
            disturbed: (1.0 - (cpu_s + idle_s) / seconds).max(0.0),
        })
    }
}

/// Times one run and watches the broker, when its process is known.
pub struct Meter {
    broker: Option<Side>,
    generator: Side,
    kernel_cpu_s: f64,
    memory: Option<MemorySampler>,
    start: Instant,
}

/// What one run of produce, consume or latency cost.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Records acknowledged or read.
    pub records: u64,
    /// Bytes of their values, before compression.
    pub bytes: u64,
    pub seconds: f64,
    pub records_per_s: f64,
    pub megabytes_per_s: f64,
    /// User and system time of the broker's process.
    pub broker_cpu_s: Option<f64>,
    pub broker_cpu_s_per_gb: Option<f64>,
    pub broker_cpu_s_per_million: Option<f64>,
    /// Time of the kernel's own threads meanwhile (writeback, journal, reclaim), whoever caused it.
    pub kernel_cpu_s: f64,
    pub kernel_cpu_s_per_gb: f64,
    /// Share of one core.
    pub broker_busy: Option<f64>,
    pub generator_busy: f64,
    /// `broker`, `generator`, `both` or `neither`.
    pub limit: &'static str,
    /// Largest share of one of the two cores that went to other processes.
    pub disturbed: f64,
    /// The most resident memory that was seen.
    pub broker_peak_mib: Option<f64>,
}

impl Meter {
    /// Starts to measure.
    pub fn start(broker_pid: Option<i32>) -> Result<Meter, LoadError> {
        Ok(Meter {
            broker: broker_pid.map(Side::start).transpose()?,
            generator: Side::start(process::own_pid())?,
            kernel_cpu_s: process::kernel_threads_cpu_s(),
            memory: broker_pid.map(MemorySampler::start),
            start: Instant::now(),
        })
    }

    /// Ends the measurement of a run that moved `records` with values of `bytes` in all.
    pub fn finish(self, records: u64, bytes: u64) -> Result<Figures, LoadError> {
        let seconds = self.start.elapsed().as_secs_f64();
        let broker = self.broker.map(|side| side.finish(seconds)).transpose()?;
        let generator = self.generator.finish(seconds)?;
        let kernel_cpu_s = process::kernel_threads_cpu_s() - self.kernel_cpu_s;
        let gigabytes = bytes as f64 / 1e9;
        let broker_cpu_s = broker.as_ref().map(|spent| spent.cpu_s);
        let limit = match (
            broker.as_ref().is_some_and(|b| b.saturated),
            generator.saturated,
        ) {
            (true, true) => "both",
            (true, false) => "broker",
            (false, true) => "generator",
            (false, false) => "neither",
        };
        Ok(Figures {
            records,
            bytes,
            seconds,
            records_per_s: records as f64 / seconds,
            megabytes_per_s: bytes as f64 / 1e6 / seconds,
            broker_cpu_s,
            broker_cpu_s_per_gb: broker_cpu_s.map(|cpu_s| cpu_s / gigabytes),
            broker_cpu_s_per_million: broker_cpu_s.map(|cpu_s| cpu_s * 1e6 / records as f64),
            kernel_cpu_s,
            kernel_cpu_s_per_gb: kernel_cpu_s / gigabytes,
            broker_busy: broker_cpu_s.map(|cpu_s| cpu_s / seconds),
            generator_busy: generator.cpu_s / seconds,
            limit,
            disturbed: broker
                .map_or(0.0, |spent| spent.disturbed)
                .max(generator.disturbed),
            broker_peak_mib: self.memory.map(|memory| memory.peak_kib() as f64 / 1024.0),
        })
    }
}
