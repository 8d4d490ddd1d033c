//! The logs of a broker on disk, in Kafka's own format.
//!
//! - [`LogManager`]: the log directories, the logs in them, checkpoints, clean and unclean starts.
//! - [`Log`]: one partition: [`Log::append_as_leader`], [`Log::read`], [`Log::find_by_timestamp`];
//!   [`Log::open_alone`] for one outside of any manager. `log_flush`, `log_roll` and `log_truncate` are parts of it.
//! - `segment`, `segment_read`, `segment_search`, `batch_scan`, `offset_index`, `time_index`, `transaction_index`: the
//!   files of a segment.
//! - `producer_state`, `producer_snapshot`: sequences and transactions of producers.
//! - [`inspect`]: those files for tools that show them.
//! - `leader_epochs`, `checkpoint`, `partition_metadata`, [`meta_properties`], `clean_shutdown`: small files.
//! - `recovery`, `leftovers`: opening a log after whatever happened.
//! - `disk`: every operation on files, so that tests can let any of them fail.
//!
//! It knows nothing of topics' configuration but [`LogConfig`], of replication or of the network,
//! and reads no clock: the time is an argument.

#[cfg(test)]
mod append_tests;
mod batch_scan;
mod checkpoint;
mod clean_shutdown;
mod dir_lock;
mod disk;
mod error;
#[cfg(test)]
mod failure_tests;
#[cfg(test)]
mod fixture_tests;
mod index_file;
pub mod inspect;
mod leader_epochs;
mod leftovers;
mod log;
mod log_config;
mod log_directory;
mod log_flush;
mod log_manager;
mod log_read;
mod log_roll;
#[cfg(test)]
mod log_tests;
mod log_truncate;
pub mod meta_properties;
mod offset_index;
mod partition_metadata;
mod producer_snapshot;
mod producer_state;
#[cfg(test)]
mod read_tests;
mod recovery;
mod segment;
mod segment_read;
mod segment_search;
#[cfg(test)]
mod testing;
pub mod text_file;
mod time_index;
mod transaction_index;
#[cfg(test)]
mod transaction_tests;

pub use checkpoint::CheckpointError;
pub use clean_shutdown::UNKNOWN_BROKER_EPOCH;
pub use dir_lock::DirLockError;
pub use error::{DiskError, DiskOperation};
pub use log::{AppendError, AppendInfo, Log};
pub use log_config::LogConfig;
pub use log_directory::{LogDirectory, holds_logs};
pub use log_manager::{CreateLogError, LogManager, LogManagerOptions, OpenLogManagerError};
pub use log_read::{MinimumBatches, ReadError, TimestampedOffset};
pub use log_truncate::TruncateError;
pub use partition_metadata::PartitionMetadataError;
pub use producer_state::{ActiveProducer, SequenceError};
pub use recovery::{OpenLogError, Shutdown};
pub use segment::{Segment, SegmentReadError};
pub use transaction_index::AbortedTransaction;
