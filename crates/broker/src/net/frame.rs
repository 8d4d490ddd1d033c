//! Cuts a stream of bytes into Kafka's size-prefixed frames.

use bytes::{Buf, Bytes, BytesMut};

/// Bytes asked of the socket at a time while no large frame is under way.
const READ_CHUNK_BYTES: usize = 64 * 1024;
/// The most that one read makes room for, however long the frame claims to be: a claim alone
/// never costs more memory than this beyond what has arrived.
const MAX_RESERVE_BYTES: usize = 1024 * 1024;
/// What is copied into a buffer of its own size when no more bytes are at hand.
const MAX_COPIED_BYTES: usize = 4 * 1024;
/// Length of the size field in front of every frame.
const SIZE_BYTES: usize = 4;

/// Why a stream of frames cannot go on.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FrameError {
    /// The size field is negative.
    #[error("the frame's size is negative ({size})")]
    NegativeSize { size: i32 },
    /// The size field is above `socket.request.max.bytes`.
    #[error("the frame's size of {size} bytes is above socket.request.max.bytes ({limit})")]
    TooLarge { size: usize, limit: usize },
}

/// The bytes received on one connection that are not yet a whole frame.
pub struct FrameBuffer {
    buffer: BytesMut,
    max_frame_bytes: usize,
}

impl FrameBuffer {
    /// An empty buffer that refuses frames above `max_frame_bytes` (`socket.request.max.bytes`).
    pub fn new(max_frame_bytes: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            max_frame_bytes,
        }
    }

    /// The next whole frame without its size field, or `None` until more bytes arrive.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some(size) = self.frame_size()? else {
            return Ok(None);
        };
        if self.buffer.len() < SIZE_BYTES + size {
            return Ok(None);
        }
        self.buffer.advance(SIZE_BYTES);
        Ok(Some(self.buffer.split_to(size).freeze()))
    }

    /// The size in bytes of the frame under way, once that is known.
    pub fn begun(&self) -> Option<usize> {
        self.frame_size().ok().flatten()
    }

    /// Where the next bytes go: has room for the rest of the frame under way, within bounds.
    pub fn space(&mut self) -> &mut BytesMut {
        let wanted = match self.frame_size() {
            Ok(Some(size)) => (SIZE_BYTES + size).saturating_sub(self.buffer.len()),
            _ => 0,
        };
        let free = self.buffer.capacity() - self.buffer.len();
        let room = wanted.clamp(READ_CHUNK_BYTES, MAX_RESERVE_BYTES.max(self.buffer.len()));
        if free < wanted.min(room) || free < READ_CHUNK_BYTES / 8 {
            self.buffer.reserve(room);
        }
        &mut self.buffer
    }

    /// Gives memory back while the peer is silent: of a frame that has only begun the begun part is
    /// kept and nothing more.
    pub fn release_spare(&mut self) {
        if self.buffer.len() <= MAX_COPIED_BYTES {
            self.buffer = BytesMut::from(&self.buffer[..]);
        }
    }

    fn frame_size(&self) -> Result<Option<usize>, FrameError> {
        let Some(&size) = self.buffer.first_chunk::<SIZE_BYTES>() else {
            return Ok(None);
        };
        let size = i32::from_be_bytes(size);
        let size = usize::try_from(size).map_err(|_| FrameError::NegativeSize { size })?;
        if size > self.max_frame_bytes {
            return Err(FrameError::TooLarge {
                size,
                limit: self.max_frame_bytes,
            });
        }
        Ok(Some(size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(chunks: &[&[u8]], limit: usize) -> Result<Vec<Vec<u8>>, FrameError> {
        let mut buffer = FrameBuffer::new(limit);
        let mut found = Vec::new();
        for chunk in chunks {
            buffer.space().extend_from_slice(chunk);
            while let Some(frame) = buffer.next_frame()? {
                found.push(frame.to_vec());
            }
        }
        Ok(found)
    }

    #[test]
    fn cuts_frames_wherever_the_reads_fall() {
        let stream = [
            &[0, 0, 0, 3][..],
            b"abc",
            &[0, 0, 0, 0],
            &[0, 0, 0, 1],
            b"z",
        ]
        .concat();
        for cut in 0..=stream.len() {
            let (left, right) = stream.split_at(cut);
            assert_eq!(
                frames(&[left, right], 10).unwrap(),
                [&b"abc"[..], b"", b"z"],
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn refuses_absurd_sizes_before_making_room() {
        assert_eq!(
            frames(&[&[0xff, 0xff, 0xff, 0xff]], 10),
            Err(FrameError::NegativeSize { size: -1 })
        );
        assert_eq!(
            frames(&[&[0x7f, 0xff, 0xff, 0xff]], 10),
            Err(FrameError::TooLarge {
                size: 0x7fff_ffff,
                limit: 10
            })
        );
    }

    #[test]
    fn a_silent_peer_costs_no_more_than_it_sent() {
        let mut buffer = FrameBuffer::new(100 << 20);
        buffer.space().extend_from_slice(&[0, 1, 0, 0, 7, 7]);
        assert_eq!(buffer.next_frame(), Ok(None));
        buffer.release_spare();
        assert!(buffer.buffer.capacity() < 100);
        buffer.space().extend_from_slice(&[7; 0x1_0000]);
        let frame = buffer.next_frame().unwrap().unwrap();
        assert_eq!(frame, vec![7; 0x1_0000]);
        buffer.release_spare();
        assert_eq!(&buffer.buffer[..], [7, 7]);
    }

    #[test]
    fn a_claimed_size_alone_reserves_no_more_than_the_bound() {
        let mut buffer = FrameBuffer::new(100 << 20);
        buffer
            .space()
            .extend_from_slice(&(90i32 << 20).to_be_bytes());
        assert_eq!(buffer.next_frame(), Ok(None));
        assert!(buffer.space().capacity() <= 2 * MAX_RESERVE_BYTES);
    }
}
