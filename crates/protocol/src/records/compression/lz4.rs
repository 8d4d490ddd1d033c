//! LZ4 frames: independent blocks of 64 KiB are written, as Java does; every kind is read but those
//! that need a dictionary.

use std::hash::Hasher;

use twox_hash::XxHash32;

use super::{CompressError, Compression, DecompressError, take_front};

const MALFORMED: DecompressError = DecompressError::Malformed {
    compression: Compression::Lz4,
};
const TRUNCATED: DecompressError = DecompressError::Truncated {
    compression: Compression::Lz4,
};
const CHECKSUM: DecompressError = DecompressError::ChecksumMismatch {
    compression: Compression::Lz4,
};

const MAGIC: u32 = 0x184D_2204;
/// Magics of frames that carry no data: the lowest four bits are free.
const SKIPPABLE_MAGIC: u32 = 0x184D_2A50;
const VERSION_MASK: u8 = 0b1100_0000;
const VERSION_1: u8 = 0b0100_0000;
const FLAG_INDEPENDENT: u8 = 1 << 5;
const FLAG_BLOCK_CHECKSUM: u8 = 1 << 4;
const FLAG_CONTENT_SIZE: u8 = 1 << 3;
const FLAG_CONTENT_CHECKSUM: u8 = 1 << 2;
const FLAG_RESERVED: u8 = 1 << 1;
const FLAG_DICTIONARY: u8 = 1;
/// Blocks of 64 KiB at most.
const DESCRIPTOR_64_KIB: u8 = 4 << 4;
const BLOCK_BYTES: usize = 64 << 10;
/// The bit of a block's size that says that the block is not compressed.
const UNCOMPRESSED_BIT: u32 = 1 << 31;
/// How far back a dependent block may refer, in bytes.
const WINDOW_BYTES: usize = 64 << 10;
/// The most that one byte of a block can become.
const MAX_EXPANSION: usize = 255;

/// The block last decompressed, and what came before it.
#[derive(Default)]
pub(super) struct Blocks {
    block: Vec<u8>,
    window: Vec<u8>,
}

/// Which of the payloads that the format allows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frames {
    /// Frames of every kind, one after another.
    Any,
    /// What the Java clients can read: one frame, its blocks independent, and nothing behind it.
    OneOfIndependentBlocks,
}

pub(super) struct Reader<'a> {
    frames: Frames,
    blocks: &'a mut Blocks,
    rest: &'a [u8],
    frame: Option<Frame>,
    /// What of the block is to be given out yet.
    start: usize,
    end: usize,
}

/// What a frame's header says, and the frame's checksum so far.
struct Frame {
    flags: u8,
    block_max_bytes: usize,
    content: XxHash32,
    content_size: Option<u64>,
    content_bytes: u64,
}

impl<'a> Reader<'a> {
    pub(super) fn new(blocks: &'a mut Blocks, payload: &'a [u8], frames: Frames) -> Self {
        Self {
            frames,
            blocks,
            rest: payload,
            frame: None,
            start: 0,
            end: 0,
        }
    }

    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, DecompressError> {
        while self.start == self.end {
            match self.frame.take() {
                Some(frame) => self.frame = self.next_block(frame)?,
                None if self.rest.is_empty() => return Ok(0),
                None => self.frame = self.begin_frame()?,
            }
        }
        let mut block = self
            .blocks
            .block
            .get(self.start..self.end)
            .ok_or(MALFORMED)?;
        let count = take_front(&mut block, out);
        self.start += count;
        Ok(count)
    }

    /// Reads a frame's header; none if it was a frame without data.
    fn begin_frame(&mut self) -> Result<Option<Frame>, DecompressError> {
        let magic = u32::from_le_bytes(self.take()?);
        if magic & !0xf == SKIPPABLE_MAGIC {
            let length = u32::from_le_bytes(self.take()?) as usize;
            self.rest = self.rest.get(length..).ok_or(TRUNCATED)?;
            return Ok(None);
        }
        if magic != MAGIC {
            return Err(MALFORMED);
        }
        let descriptor = self.rest;
        let [flags, block_descriptor] = self.take()?;
        if flags & VERSION_MASK != VERSION_1 || flags & FLAG_RESERVED != 0 {
            return Err(MALFORMED);
        }
        let is_dependent = flags & FLAG_INDEPENDENT == 0;
        if flags & FLAG_DICTIONARY != 0
            || (is_dependent && self.frames == Frames::OneOfIndependentBlocks)
        {
            return Err(DecompressError::Unsupported {
                compression: Compression::Lz4,
            });
        }
        let block_max_bytes = match block_descriptor {
            0x40 => 64 << 10,
            0x50 => 256 << 10,
            0x60 => 1 << 20,
            0x70 => 4 << 20,
            _ => return Err(MALFORMED),
        };
        let content_size = if flags & FLAG_CONTENT_SIZE != 0 {
            Some(u64::from_le_bytes(self.take()?))
        } else {
            None
        };
        let descriptor_bytes = descriptor.len() - self.rest.len();
        let [checksum] = self.take()?;
        if checksum != header_checksum(descriptor.get(..descriptor_bytes).ok_or(TRUNCATED)?) {
            return Err(CHECKSUM);
        }
        self.blocks.window.clear();
        let content = XxHash32::with_seed(0);
        Ok(Some(Frame {
            flags,
            block_max_bytes,
            content,
            content_size,
            content_bytes: 0,
        }))
    }

    /// Decompresses a frame's next block; none if the frame has ended.
    fn next_block(&mut self, mut frame: Frame) -> Result<Option<Frame>, DecompressError> {
        let size = u32::from_le_bytes(self.take()?);
        if size == 0 {
            self.end_frame(&frame)?;
            if self.frames == Frames::OneOfIndependentBlocks {
                self.rest = &[];
            }
            return Ok(None);
        }
        let length = (size & !UNCOMPRESSED_BIT) as usize;
        if length > frame.block_max_bytes {
            return Err(MALFORMED);
        }
        let (input, rest) = self.rest.split_at_checked(length).ok_or(TRUNCATED)?;
        self.rest = rest;
        if frame.flags & FLAG_BLOCK_CHECKSUM != 0 {
            let checksum = u32::from_le_bytes(self.take()?);
            if checksum != XxHash32::oneshot(0, input) {
                return Err(CHECKSUM);
            }
        }
        self.start = 0;
        self.end = self.decompress_block(&frame, input, size & UNCOMPRESSED_BIT != 0)?;
        let block = self.blocks.block.get(..self.end).ok_or(MALFORMED)?;
        frame.content_bytes += block.len() as u64;
        if frame.flags & FLAG_CONTENT_CHECKSUM != 0 {
            frame.content.write(block);
        }
        if frame.flags & FLAG_INDEPENDENT == 0 {
            remember(&mut self.blocks.window, block);
        }
        Ok(Some(frame))
    }

    fn decompress_block(
        &mut self,
        frame: &Frame,
        input: &[u8],
        is_uncompressed: bool,
    ) -> Result<usize, DecompressError> {
        let capacity = frame
            .block_max_bytes
            .min(input.len().saturating_mul(MAX_EXPANSION));
        let Blocks { block, window } = &mut *self.blocks;
        if block.len() < capacity {
            block.resize(capacity, 0);
        }
        let output = &mut block[..capacity];
        if is_uncompressed {
            output
                .get_mut(..input.len())
                .ok_or(MALFORMED)?
                .copy_from_slice(input);
            return Ok(input.len());
        }
        lz4_flex::block::decompress_into_with_dict(input, output, window).map_err(|_| MALFORMED)
    }

    fn end_frame(&mut self, frame: &Frame) -> Result<(), DecompressError> {
        if frame.flags & FLAG_CONTENT_CHECKSUM != 0 {
            let checksum = u32::from_le_bytes(self.take()?);
            if checksum != frame.content.finish_32() {
                return Err(CHECKSUM);
            }
        }
        match frame.content_size {
            Some(size) if size != frame.content_bytes => Err(MALFORMED),
            _ => Ok(()),
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], DecompressError> {
        let (front, rest) = self.rest.split_first_chunk::<N>().ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(*front)
    }
}

/// Keeps the last [`WINDOW_BYTES`] of what has been decompressed.
fn remember(window: &mut Vec<u8>, block: &[u8]) {
    let block = &block[block.len().saturating_sub(WINDOW_BYTES)..];
    let excess = (window.len() + block.len()).saturating_sub(WINDOW_BYTES);
    window.drain(..excess);
    window.extend_from_slice(block);
}

/// The byte that ends a frame's header: the second of its checksum.
fn header_checksum(descriptor: &[u8]) -> u8 {
    (XxHash32::oneshot(0, descriptor) >> 8) as u8
}

pub(super) fn compress(records: &[u8], out: &mut Vec<u8>) -> Result<(), CompressError> {
    const FAILED: CompressError = CompressError::Failed {
        compression: Compression::Lz4,
    };

    let descriptor = [VERSION_1 | FLAG_INDEPENDENT, DESCRIPTOR_64_KIB];
    out.extend_from_slice(&MAGIC.to_le_bytes());
    out.extend_from_slice(&descriptor);
    out.push(header_checksum(&descriptor));
    for block in records.chunks(BLOCK_BYTES) {
        let size_at = out.len();
        let block_at = size_at + 4;
        out.resize(
            block_at + lz4_flex::block::get_maximum_output_size(block.len()),
            0,
        );
        let length =
            lz4_flex::block::compress_into(block, &mut out[block_at..]).map_err(|_| FAILED)?;
        // A block that does not shrink is stored as it is.
        let (length, flag) = if length < block.len() {
            (length, 0)
        } else {
            out[block_at..block_at + block.len()].copy_from_slice(block);
            (block.len(), UNCOMPRESSED_BIT)
        };
        out.truncate(block_at + length);
        let size = u32::try_from(length).map_err(|_| FAILED)? | flag;
        out[size_at..block_at].copy_from_slice(&size.to_le_bytes());
    }
    out.extend_from_slice(&0u32.to_le_bytes());
    Ok(())
}
