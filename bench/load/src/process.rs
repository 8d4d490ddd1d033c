//! What the operating system says of the broker and of ourselves: CPU time, memory, pinning.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, getpid};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::error::LoadError;

/// How often the broker's memory is sampled.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(100);

/// CPU seconds that a process has used, user and system, all threads including ended ones.
pub fn cpu_s(pid: i32) -> Result<f64, LoadError> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
        .map_err(LoadError::io("read /proc/PID/stat"))?;
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: u64 = [11, 12]
        .iter()
        .filter_map(|&i| fields.get(i)?.parse::<u64>().ok())
        .sum();
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// CPU seconds of all kernel threads (children of kthreadd): writeback, the journal, reclaim.
/// What a broker leaves for them to do is part of what it costs.
pub fn kernel_threads_cpu_s() -> f64 {
    let Ok(entries) = fs::read_dir("/proc") else {
        return 0.0;
    };
    let mut nanoseconds = 0u64;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(pid) = name
            .to_str()
            .filter(|n| n.bytes().all(|b| b.is_ascii_digit()))
        else {
            continue;
        };
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(1));
        if parent == Some("2") {
            let schedule = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
            nanoseconds += schedule
                .split(' ')
                .next()
                .and_then(|n| n.parse().ok())
                .unwrap_or(0);
        }
    }
    nanoseconds as f64 / 1e9
}

/// Resident memory of a process in KiB; 0 when it has ended.
pub fn resident_kib(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .trim()
                .split(' ')
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or(0)
}

/// The core that a process is confined to, if it is confined to one.
pub fn only_core(pid: i32) -> Option<usize> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let cores = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    cores.trim().parse().ok()
}

/// Seconds that a core had nothing to do since the system started.
pub fn idle_s(core: usize) -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let fields = stat
        .lines()
        .find_map(|line| line.strip_prefix(&format!("cpu{core} ")))?;
    let mut fields = fields.split_whitespace().skip(3);
    let idle: u64 = fields.next()?.parse().ok()?;
    let waiting_for_io: u64 = fields.next()?.parse().ok()?;
    Some((idle + waiting_for_io) as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Confines this process, and threads it starts later, to one core.
pub fn pin_to_core(core: usize) -> Result<(), LoadError> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(Some(getpid()), &set).map_err(|error| LoadError::Io {
        action: "pin to a core",
        source: error.into(),
    })
}

/// Samples a process's memory until dropped or asked for the peak.
pub struct MemorySampler {
    stop: Arc<AtomicBool>,
    peak_kib: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl MemorySampler {
    /// Starts to sample `pid`.
    pub fn start(pid: i32) -> MemorySampler {
        let (stop, peak_kib) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let (stop_seen, peak) = (stop.clone(), peak_kib.clone());
        let thread = std::thread::spawn(move || {
            while !stop_seen.load(Ordering::Relaxed) {
                peak.fetch_max(resident_kib(pid), Ordering::Relaxed);
                std::thread::park_timeout(SAMPLE_INTERVAL);
            }
        });
        MemorySampler {
            stop,
            peak_kib,
            thread: Some(thread),
        }
    }

    /// The most that was seen so far, in KiB.
    pub fn peak_kib(&self) -> u64 {
        self.peak_kib.load(Ordering::Relaxed)
    }
}

impl Drop for MemorySampler {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The sampler cannot fail, and nothing is lost if it did.
            let _ = thread.join();
        }
    }
}

/// The id of this process, for its own CPU time.
pub fn own_pid() -> i32 {
    Pid::as_raw(Some(getpid()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_answers_for_this_process() {
        assert!(idle_s(0).is_some());
        assert!(resident_kib(own_pid()) > 0);
        assert!(cpu_s(own_pid()).is_ok());
    }
}
