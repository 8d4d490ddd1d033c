//! What a run costs, and which side was the limit.

use std::time::Instant;

use serde::Serialize;

use crate::error::LoadError;
use crate::process::{self, MemorySampler};

/// A side that was busy for at least this share of the time on its core was the limit.
const SATURATED: f64 = 0.90;

/// Times one run and watches the broker, when its process is known.
pub struct Meter {
    broker_pid: Option<i32>,
    broker_cpu_s: f64,
    kernel_cpu_s: f64,
    own_cpu_s: f64,
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
    /// The most resident memory that was seen.
    pub broker_peak_mib: Option<f64>,
}

impl Meter {
    /// Starts to measure.
    pub fn start(broker_pid: Option<i32>) -> Result<Meter, LoadError> {
        Ok(Meter {
            broker_pid,
            broker_cpu_s: broker_pid.map(process::cpu_s).transpose()?.unwrap_or(0.0),
            kernel_cpu_s: process::kernel_threads_cpu_s(),
            own_cpu_s: process::cpu_s(process::own_pid())?,
            memory: broker_pid.map(MemorySampler::start),
            start: Instant::now(),
        })
    }

    /// Ends the measurement of a run that moved `records` with values of `bytes` in all.
    pub fn finish(self, records: u64, bytes: u64) -> Result<Figures, LoadError> {
        let seconds = self.start.elapsed().as_secs_f64();
        let broker_cpu_s = match self.broker_pid {
            Some(pid) => Some(process::cpu_s(pid)? - self.broker_cpu_s),
            None => None,
        };
        let kernel_cpu_s = process::kernel_threads_cpu_s() - self.kernel_cpu_s;
        let generator_busy = (process::cpu_s(process::own_pid())? - self.own_cpu_s) / seconds;
        let broker_busy = broker_cpu_s.map(|cpu_s| cpu_s / seconds);
        let gigabytes = bytes as f64 / 1e9;
        let limit = match (
            broker_busy.unwrap_or(0.0) >= SATURATED,
            generator_busy >= SATURATED,
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
            broker_busy,
            generator_busy,
            limit,
            broker_peak_mib: self.memory.map(|memory| memory.peak_kib() as f64 / 1024.0),
        })
    }
}
