//! What the host has to do.

use bytes::Bytes;
use ottla_protocol::ids::{BrokerId, LeaderEpoch, Offset};
use ottla_protocol::messages::LeaderChangeMessage;

use crate::log_shape::WriteId;
use crate::message::{Batch, Request, Response, Verdict};
use crate::types::{ElectionState, EpochEnd};

/// The host's name for a request that it has handed in and that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestToken(pub u64);

/// Our name for a request that we have sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CorrelationId(pub u64);

/// One thing to do. The host does them in order and, after [`Effect::PersistElection`], nothing more before that is on
/// the disk.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Replace `quorum-state`, durably, before any effect behind this one.
    PersistElection(ElectionState),
    /// Append to the log and sync; then [`crate::Raft::on_written`].
    Append {
        /// The write.
        write_id: WriteId,
        /// The batch, which begins where the log ends.
        batch: Batch,
    },
    /// Append the control batch with which an epoch begins, one record; then [`crate::Raft::on_written`].
    AppendLeaderChange {
        /// The write.
        write_id: WriteId,
        /// The record's offset, where the log ends.
        base_offset: Offset,
        /// The epoch that begins.
        epoch: LeaderEpoch,
        /// The record.
        message: LeaderChangeMessage,
    },
    /// Cut the log off and sync; then [`crate::Raft::on_written`].
    Truncate {
        /// The write.
        write_id: WriteId,
        /// The log's new end.
        end_offset: Offset,
    },
    /// Keep a piece of a snapshot that is being fetched; a piece at 0 begins anew.
    WriteSnapshot {
        /// Which snapshot.
        snapshot: EpochEnd,
        /// Where the piece goes, in bytes.
        position: u64,
        /// The piece.
        bytes: Bytes,
    },
    /// The fetched snapshot is whole: check and sync it, give it its name, and only then empty the log, which begins
    /// anew at its end; then [`crate::Raft::on_written`].
    InstallSnapshot {
        /// The write.
        write_id: WriteId,
        /// Which snapshot.
        snapshot: EpochEnd,
    },
    /// Send a request; then [`crate::Raft::on_response`], [`crate::Raft::on_request_refused`] or
    /// [`crate::Raft::on_request_failed`], or none of them: the request times out.
    SendRequest {
        /// To whom.
        to: BrokerId,
        /// Its name.
        correlation_id: CorrelationId,
        /// The request.
        request: Request,
    },
    /// Answer a request.
    SendResponse {
        /// Which one.
        token: RequestToken,
        /// With what.
        response: Response,
    },
    /// Answer a Fetch with the batches from `fetch_offset` on, as many as its limits allow, read now.
    SendRecords {
        /// Which one.
        token: RequestToken,
        /// How it went and who leads.
        verdict: Verdict,
        /// Where the batches begin.
        fetch_offset: Offset,
        /// The high watermark to tell.
        high_watermark: Option<Offset>,
    },
    /// Answer a FetchSnapshot with a piece, read now; POSITION_OUT_OF_RANGE if there is none.
    SendSnapshotChunk {
        /// Which one.
        token: RequestToken,
        /// How it went and who leads.
        verdict: Verdict,
        /// Which snapshot.
        snapshot: EpochEnd,
        /// Where the piece begins, in bytes.
        position: u64,
    },
    /// Everything before this is committed: apply it.
    AdvanceHighWatermark(Offset),
    /// Who leads has changed; `leader` is `None` while nobody is known to.
    LeaderChanged {
        /// The epoch.
        epoch: LeaderEpoch,
        /// Its leader.
        leader: Option<BrokerId>,
    },
    /// This node leads and has committed a record of its own epoch: it may decide and append (R2, A13).
    LeaderActive(LeaderEpoch),
    /// Another node does what no correct node does. Nothing was changed. A person must look.
    Fault(Fault),
}

/// What another node did that must not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Two leaders in one epoch.
    #[error(
        "nodes {known} and {other} both lead the metadata quorum in epoch {epoch}; look for two nodes with one node.id, or a voter whose disk was replaced"
    )]
    TwoLeaders {
        /// The epoch.
        epoch: LeaderEpoch,
        /// The leader that we know.
        known: BrokerId,
        /// The other.
        other: BrokerId,
    },
    /// The leader's log lacks what is committed.
    #[error(
        "leader {leader} of epoch {epoch} lacks committed metadata before offset {high_watermark}; look for a voter whose disk was replaced"
    )]
    CommittedLost {
        /// The leader.
        leader: BrokerId,
        /// Its epoch.
        epoch: LeaderEpoch,
        /// Up to where we know the log as committed.
        high_watermark: Offset,
    },
    /// The leader sent batches that do not follow our log.
    #[error("leader {leader} sent batches that do not follow offset {end_offset}")]
    BadBatches {
        /// The leader.
        leader: BrokerId,
        /// Where our log ends.
        end_offset: Offset,
    },
}
