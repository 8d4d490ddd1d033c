//! A test's plan of which operation on the disk fails. Each thread has its own.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::error::{DiskError, DiskOperation};

/// How the disk goes on after the operation that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// One I/O error.
    Once,
    /// One refusal because the disk is full.
    Full,
    /// One refusal because the process has no descriptor left.
    NoDescriptor,
    /// Nothing works any more, as if the process had been killed.
    Crash,
}

thread_local! {
    /// Whether the write that was torn is over: nothing is written behind a crash.
    static KILLED: Cell<bool> = const { Cell::new(false) };
    static PLAN: Cell<Option<(usize, Failure)>> = const { Cell::new(None) };
}

/// Runs `work`, whose operation number `operations_before` (from 0) fails. Its result, and whether
/// it got that far.
pub(crate) fn with_failure<T>(
    operations_before: usize,
    failure: Failure,
    work: impl FnOnce() -> T,
) -> (T, bool) {
    PLAN.set(Some((operations_before, failure)));
    KILLED.set(false);
    let result = work();
    let reached = match PLAN.take() {
        None => true,
        Some((left, Failure::Crash)) => left == 0,
        Some(_) => false,
    };
    (result, reached)
}

/// How many operations on the disk `work` takes.
pub(crate) fn operations_of(work: impl FnOnce()) -> usize {
    PLAN.set(Some((usize::MAX, Failure::Once)));
    work();
    PLAN.take().map_or(0, |(left, _)| usize::MAX - left)
}

/// Counts down to the operation that fails.
pub(crate) fn before(operation: DiskOperation, path: &Path) -> Result<(), DiskError> {
    let Some((left, failure)) = PLAN.get() else {
        return Ok(());
    };
    if left > 0 {
        PLAN.set(Some((left - 1, failure)));
        return Ok(());
    }
    if failure != Failure::Crash {
        PLAN.set(None);
    } else if operation != DiskOperation::Write {
        KILLED.set(true);
    }
    let source = match failure {
        Failure::Full => io::ErrorKind::StorageFull.into(),
        Failure::NoDescriptor => io::Error::from_raw_os_error(24),
        Failure::Once | Failure::Crash => io::Error::from_raw_os_error(5),
    };
    Err(DiskError {
        operation,
        path: path.to_owned(),
        source,
    })
}

/// The same for a write, which is torn if it fails, as a full disk or a crash leaves it.
pub(crate) fn before_write(
    file: &File,
    path: &Path,
    position: u64,
    first: &[u8],
) -> Result<(), DiskError> {
    let was_killed = matches!(PLAN.get(), Some((0, Failure::Crash))) && KILLED.get();
    before(DiskOperation::Write, path).inspect_err(|_| {
        KILLED.set(true);
        if !was_killed {
            let _ = file.write_all_at(&first[..first.len() / 2], position);
        }
    })
}
