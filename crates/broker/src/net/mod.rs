//! Sockets: listeners accept, connections cut bytes into frames and put answers back in order.
//!
//! This module knows nothing of what a request means: it hands each frame to a [`RequestHandler`]
//! and writes what comes back.

mod connection;
mod frame;
mod limits;
mod listener;
mod listener_set;
mod memory;
mod outgoing;

pub use connection::{Answer, ConnectionInfo, FrameHandler, RequestHandler};
pub use limits::{ConnectionCounts, ConnectionLimits, ListenerLimits};
pub use listener::{BindError, Listener, ListenerSettings};
pub use listener_set::ListenerSet;
pub use memory::RequestMemory;
