//! What tools and tests need to handle any message without knowing its type.

use std::fmt::Debug;

use super::{DecodeError, EncodeError, Message, Reader, Writer};

/// A decoded message of any type.
pub trait AnyMessage: Debug + Send + Sync {
    /// See [`Message::encode`].
    fn encode_any(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError>;
}

impl<M: Message + Debug + Send + Sync> AnyMessage for M {
    fn encode_any(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        self.encode(w, version)
    }
}

/// See [`Message::decode`].
pub type DecodeAny = fn(&mut Reader, i16) -> Result<Box<dyn AnyMessage>, DecodeError>;

/// One message in [`MESSAGES`](crate::messages::catalogue::MESSAGES).
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Kafka's name.
    pub name: &'static str,
    /// The oldest version.
    pub min_version: i16,
    /// The newest version.
    pub max_version: i16,
    /// Decodes the message.
    pub decode: DecodeAny,
    /// Makes the message with every field at its default.
    pub default: fn() -> Box<dyn AnyMessage>,
}

impl Entry {
    /// The entry of `M`.
    pub const fn of<M: Message + Debug + Send + Sync + 'static>() -> Self {
        Self {
            name: M::NAME,
            min_version: M::MIN_VERSION,
            max_version: M::MAX_VERSION,
            decode: decode_any::<M>,
            default: default_any::<M>,
        }
    }

    /// The entry of the message that Kafka calls `name`.
    pub fn find(name: &str) -> Option<&'static Self> {
        crate::messages::catalogue::MESSAGES
            .iter()
            .find(|entry| entry.name == name)
    }
}

fn decode_any<M: Message + Debug + Send + Sync + 'static>(
    r: &mut Reader,
    version: i16,
) -> Result<Box<dyn AnyMessage>, DecodeError> {
    Ok(Box::new(M::decode(r, version)?))
}

fn default_any<M: Message + Debug + Send + Sync + 'static>() -> Box<dyn AnyMessage> {
    Box::new(M::default())
}
