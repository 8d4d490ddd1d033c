//! snappy, in two forms: the framing of the Java clients' library (xerial), which is written, and
//! one bare block, which other clients send.

use snap::raw::{Decoder, Encoder, decompress_len, max_compress_len};

use super::{CompressError, Compression, DecompressError, take_front};

const MALFORMED: DecompressError = DecompressError::Malformed {
    compression: Compression::Snappy,
};
const TRUNCATED: DecompressError = DecompressError::Truncated {
    compression: Compression::Snappy,
};

/// The framing's first bytes; a version and the oldest version that can read it follow.
const XERIAL_MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const XERIAL_VERSION: [u8; 8] = [0, 0, 0, 1, 0, 0, 0, 1];
/// Records in one block as Java writes them, in bytes.
const XERIAL_BLOCK_BYTES: usize = 32 << 10;
/// The most that one byte of a block can become: an element of 3 bytes gives up to 64.
const MAX_EXPANSION: usize = 22;
/// What is kept between payloads of a block's memory, in bytes.
const KEPT_BLOCK_BYTES: usize = 1 << 20;

/// The decoder and the block last decompressed.
#[derive(Default)]
pub(super) struct Blocks {
    decoder: Decoder,
    block: Vec<u8>,
}

pub(super) struct Reader<'a> {
    blocks: &'a mut Blocks,
    rest: &'a [u8],
    framing: Framing,
    /// What of the block is to be given out yet.
    start: usize,
    end: usize,
    limit_bytes: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    Xerial,
    Bare,
}

impl<'a> Reader<'a> {
    pub(super) fn new(blocks: &'a mut Blocks, payload: &'a [u8], limit_bytes: usize) -> Self {
        let framing = if payload.starts_with(&XERIAL_MAGIC) {
            Framing::Xerial
        } else {
            Framing::Bare
        };
        if blocks.block.len() > KEPT_BLOCK_BYTES {
            blocks.block = Vec::new();
        }
        Self {
            blocks,
            rest: payload,
            framing,
            start: 0,
            end: 0,
            limit_bytes,
        }
    }

    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, DecompressError> {
        while self.start == self.end {
            if self.rest.is_empty() {
                return Ok(0);
            }
            let block = match self.framing {
                Framing::Bare => std::mem::take(&mut self.rest),
                Framing::Xerial => self.next_xerial_block()?,
            };
            self.decompress_block(block)?;
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

    /// The next block's bytes; none if a header is all that is left. A payload may be several
    /// framed streams, so a header may come before any block.
    fn next_xerial_block(&mut self) -> Result<&'a [u8], DecompressError> {
        while self.rest.starts_with(&XERIAL_MAGIC) {
            let header_bytes = XERIAL_MAGIC.len() + XERIAL_VERSION.len();
            self.rest = self.rest.get(header_bytes..).ok_or(TRUNCATED)?;
        }
        if self.rest.is_empty() {
            return Ok(&[]);
        }
        let (length, rest) = self.rest.split_first_chunk::<4>().ok_or(TRUNCATED)?;
        let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_| MALFORMED)?;
        let (block, rest) = rest.split_at_checked(length).ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(block)
    }

    fn decompress_block(&mut self, block: &[u8]) -> Result<(), DecompressError> {
        self.start = 0;
        self.end = 0;
        if block.is_empty() {
            return Ok(());
        }
        let claimed_bytes = decompress_len(block).map_err(|_| MALFORMED)?;
        if claimed_bytes > self.limit_bytes {
            return Err(DecompressError::LimitExceeded {
                limit_bytes: self.limit_bytes,
            });
        }
        if claimed_bytes > block.len().saturating_mul(MAX_EXPANSION) {
            return Err(MALFORMED);
        }
        if self.blocks.block.len() < claimed_bytes {
            self.blocks.block.resize(claimed_bytes, 0);
        }
        let target = &mut self.blocks.block[..claimed_bytes];
        self.end = self
            .blocks
            .decoder
            .decompress(block, target)
            .map_err(|_| MALFORMED)?;
        Ok(())
    }
}

pub(super) fn compress(
    kept: &mut Option<Box<Encoder>>,
    records: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CompressError> {
    const FAILED: CompressError = CompressError::Failed {
        compression: Compression::Snappy,
    };

    let encoder = kept.get_or_insert_with(|| Box::new(Encoder::new()));
    out.extend_from_slice(&XERIAL_MAGIC);
    out.extend_from_slice(&XERIAL_VERSION);
    for block in records.chunks(XERIAL_BLOCK_BYTES) {
        let length_at = out.len();
        let block_at = length_at + 4;
        out.resize(block_at + max_compress_len(block.len()), 0);
        let length = encoder
            .compress(block, &mut out[block_at..])
            .map_err(|_| FAILED)?;
        out.truncate(block_at + length);
        let length = i32::try_from(length).map_err(|_| FAILED)?;
        out[length_at..block_at].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}
