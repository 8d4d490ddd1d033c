//! The cluster's metadata: what its log says, and what its controller decides.
//!
//! - [`MetadataImage`]: everything the records up to an offset say; immutable, shared, cheap to clone.
//! - [`MetadataDelta`]: records on top of an image; gives the next image and what changed.
//! - [`controller`]: requests to records: `(image, request, context) -> Decision`.
//! - [`log_codec`]: batches of the metadata log and its snapshots; [`quorum_state`]: the file beside them.
//! - [`bootstrap`]: what a freshly formatted cluster's log begins with.
//!
//! No I/O, no clock, no randomness: all of that comes in as arguments. It does not know how records
//! are made durable, nor who is told of a new image.
//!
//! Invariants: META-1 a partition's leader is in its ISR, or -1; META-2 the ISR is part of the
//! replicas; META-3 the partition epoch never falls; META-4 topic names and ids belong to each other
//! one to one.

pub mod bootstrap;
pub mod controller;
mod delta;
mod image;
pub mod log_codec;
pub mod quorum_state;
mod retained;
mod snapshot;

pub use delta::{MetadataChanges, MetadataDelta};
pub use image::{
    BrokerImage, ClusterImage, ConfigResource, ConfigsImage, Endpoint, FeaturesImage,
    MetadataImage, PartitionImage, TopicImage, TopicsImage,
};
