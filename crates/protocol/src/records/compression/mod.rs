//! The codecs of record batches.
//!
//! - `Decompressor` turns a payload back into records, whole or piece by piece, and never into
//!   more than its limit: a batch of a kilobyte may claim gigabytes.
//! - `Compressor` makes payloads.
//!
//! Both keep the codecs' contexts between batches; each belongs to one thread at a time.

mod gzip;
mod lz4;
mod snappy;
mod stream;
mod zstd;

use bytes::Bytes;

pub(super) use stream::StreamInput;

/// What a decompressor of the broker gives out at most for one batch, in bytes: room for a batch
/// of `message.max.bytes` (1 MiB by default) that shrank to a hundredth, and then some.
pub const DEFAULT_DECOMPRESSED_LIMIT_BYTES: usize = 256 << 20;

/// The codec of a record batch (the low three bits of its attributes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// As they are.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy, in the framing of the Java clients (xerial) or bare.
    Snappy,
    /// LZ4 frames.
    Lz4,
    /// RFC 8878 (KIP-110).
    Zstd,
}

/// A codec id without a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown compression type id {id}")]
pub struct UnknownCompression {
    /// The low three bits of a batch's attributes.
    pub id: u8,
}

impl Compression {
    /// Every codec, by id.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// The codec of a batch's attributes.
    pub fn from_id(id: u8) -> Result<Self, UnknownCompression> {
        Self::ALL
            .get(usize::from(id))
            .copied()
            .ok_or(UnknownCompression { id })
    }

    /// The id in a batch's attributes.
    pub fn id(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }

    /// The name in configurations: `none`, `gzip`, `snappy`, `lz4` or `zstd`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// The codec of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|compression| compression.name() == name)
    }
}

impl std::fmt::Display for Compression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A codec and how hard it tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CompressionSpec {
    /// No compression.
    #[default]
    None,
    /// gzip at a level from 1 to 9, or -1 for the codec's own default
    /// (`compression.gzip.level`).
    Gzip {
        /// The level; others are brought into the range.
        level: i32,
    },
    /// snappy, which has no levels.
    Snappy,
    /// lz4. Differs from Kafka: `compression.lz4.level` changes nothing, blocks are always made by
    /// the fast method, which is what Kafka does at its default level.
    Lz4,
    /// zstd at a level from -131072 to 22 (`compression.zstd.level`).
    Zstd {
        /// The level; others are brought into the range.
        level: i32,
    },
}

impl CompressionSpec {
    /// The codec at Kafka's default level.
    pub fn new(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::None,
            Compression::Gzip => Self::Gzip { level: -1 },
            Compression::Snappy => Self::Snappy,
            Compression::Lz4 => Self::Lz4,
            Compression::Zstd => Self::Zstd { level: 3 },
        }
    }

    /// The codec.
    pub fn compression(self) -> Compression {
        match self {
            Self::None => Compression::None,
            Self::Gzip { .. } => Compression::Gzip,
            Self::Snappy => Compression::Snappy,
            Self::Lz4 => Compression::Lz4,
            Self::Zstd { .. } => Compression::Zstd,
        }
    }
}

/// Why a payload cannot be decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecompressError {
    /// The payload is not of its codec.
    #[error("{compression} payload is malformed")]
    Malformed {
        /// The codec that the batch names.
        compression: Compression,
    },
    /// The payload ends early.
    #[error("{compression} payload is cut short")]
    Truncated {
        /// The codec that the batch names.
        compression: Compression,
    },
    /// A checksum inside the payload is wrong.
    #[error("{compression} payload has a wrong checksum")]
    ChecksumMismatch {
        /// The codec that the batch names.
        compression: Compression,
    },
    /// The payload uses what this reader does not, as a dictionary.
    #[error("{compression} payload needs a feature that is not supported")]
    Unsupported {
        /// The codec that the batch names.
        compression: Compression,
    },
    /// There is more in the payload than the limit allows.
    #[error("payload decompresses to more than {limit_bytes} bytes")]
    LimitExceeded {
        /// The decompressor's limit.
        limit_bytes: usize,
    },
}

/// A codec's output, taken piece by piece.
enum Codec<'a> {
    None(&'a [u8]),
    Gzip(gzip::Reader<'a>),
    Snappy(snappy::Reader<'a>),
    Lz4(lz4::Reader<'a>),
    Zstd(zstd::Reader<'a>),
}

/// A codec's output up to a limit.
pub(super) struct PayloadReader<'a> {
    codec: Codec<'a>,
    limit_bytes: usize,
    left_bytes: usize,
}

impl PayloadReader<'_> {
    /// Puts more bytes at the front of `out` (which must not be empty) and tells how many, 0 at
    /// the end of the payload.
    fn read(&mut self, out: &mut [u8]) -> Result<usize, DecompressError> {
        let read = match &mut self.codec {
            Codec::None(rest) => take_front(rest, out),
            Codec::Gzip(reader) => reader.read(out)?,
            Codec::Snappy(reader) => reader.read(out)?,
            Codec::Lz4(reader) => reader.read(out)?,
            Codec::Zstd(reader) => reader.read(out)?,
        };
        self.left_bytes =
            self.left_bytes
                .checked_sub(read)
                .ok_or(DecompressError::LimitExceeded {
                    limit_bytes: self.limit_bytes,
                })?;
        Ok(read)
    }
}

/// Moves as many bytes as there are and fit from the front of `rest` to the front of `out`.
fn take_front(rest: &mut &[u8], out: &mut [u8]) -> usize {
    let count = rest.len().min(out.len());
    let (front, back) = rest.split_at(count);
    out[..count].copy_from_slice(front);
    *rest = back;
    count
}

/// Bytes of the piece in which a payload is decompressed.
const CHUNK_BYTES: usize = 16 << 10;

/// Reads compressed payloads, each to no more than a limit.
pub struct Decompressor {
    limit_bytes: usize,
    gzip: Option<flate2::Decompress>,
    snappy: snappy::Blocks,
    lz4: lz4::Blocks,
    zstd: Option<::zstd::stream::raw::Decoder<'static>>,
    chunk: Vec<u8>,
}

impl Default for Decompressor {
    fn default() -> Self {
        Self::new(DEFAULT_DECOMPRESSED_LIMIT_BYTES)
    }
}

impl std::fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decompressor")
            .field("limit_bytes", &self.limit_bytes)
            .finish_non_exhaustive()
    }
}

impl Decompressor {
    /// A decompressor that refuses a payload of more than `limit_bytes`. It allocates nothing
    /// before a codec is used.
    pub fn new(limit_bytes: usize) -> Self {
        Self {
            limit_bytes,
            gzip: None,
            snappy: snappy::Blocks::default(),
            lz4: lz4::Blocks::default(),
            zstd: None,
            chunk: Vec::new(),
        }
    }

    /// The most that a payload may decompress to, in bytes.
    pub fn limit_bytes(&self) -> usize {
        self.limit_bytes
    }

    /// Decompresses a payload whole. Without compression that is the payload itself.
    pub fn decompress(
        &mut self,
        compression: Compression,
        payload: &Bytes,
    ) -> Result<Bytes, DecompressError> {
        if compression == Compression::None {
            return Ok(payload.clone());
        }
        let (mut reader, _) = self.reader(compression, payload, lz4::Frames::Any)?;
        let mut out = Vec::with_capacity(CHUNK_BYTES.max(payload.len()));
        let mut length = 0;
        loop {
            // Grown as bytes come, never by what the payload claims.
            if out.len() - length < CHUNK_BYTES {
                out.resize((length * 2).max(length + CHUNK_BYTES), 0);
            }
            match reader.read(&mut out[length..])? {
                0 => break,
                read => length += read,
            }
        }
        out.truncate(length);
        Ok(Bytes::from(out))
    }

    /// A payload to read fields from as it is decompressed, in memory that does not depend on its
    /// size. Only what the Java clients read is read, so that what passes here reaches them all.
    pub(super) fn stream<'a>(
        &'a mut self,
        compression: Compression,
        payload: &'a [u8],
    ) -> Result<StreamInput<'a>, DecompressError> {
        let (reader, chunk) =
            self.reader(compression, payload, lz4::Frames::OneOfIndependentBlocks)?;
        chunk.resize(CHUNK_BYTES, 0);
        Ok(StreamInput::new(reader, chunk))
    }

    fn reader<'a>(
        &'a mut self,
        compression: Compression,
        payload: &'a [u8],
        lz4_frames: lz4::Frames,
    ) -> Result<(PayloadReader<'a>, &'a mut Vec<u8>), DecompressError> {
        let limit_bytes = self.limit_bytes;
        let codec = match compression {
            Compression::None => Codec::None(payload),
            Compression::Gzip => Codec::Gzip(gzip::Reader::new(&mut self.gzip, payload)),
            Compression::Snappy => {
                Codec::Snappy(snappy::Reader::new(&mut self.snappy, payload, limit_bytes))
            }
            Compression::Lz4 => Codec::Lz4(lz4::Reader::new(&mut self.lz4, payload, lz4_frames)),
            Compression::Zstd => Codec::Zstd(zstd::Reader::new(&mut self.zstd, payload)?),
        };
        let reader = PayloadReader {
            codec,
            limit_bytes,
            left_bytes: limit_bytes,
        };
        Ok((reader, &mut self.chunk))
    }
}

/// Why records cannot be compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompressError {
    /// The codec refuses, as for want of memory.
    #[error("{compression} failed to compress")]
    Failed {
        /// The codec.
        compression: Compression,
    },
}

/// Compresses payloads.
#[derive(Default)]
pub struct Compressor {
    gzip: Option<(flate2::Compress, u32)>,
    snappy: Option<Box<snap::raw::Encoder>>,
    zstd: Option<(::zstd::bulk::Compressor<'static>, i32)>,
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressor").finish_non_exhaustive()
    }
}

impl Compressor {
    /// A compressor. It allocates nothing before a codec is used.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends `records`, compressed, to `out`.
    pub fn compress(
        &mut self,
        spec: CompressionSpec,
        records: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), CompressError> {
        match spec {
            CompressionSpec::None => {
                out.extend_from_slice(records);
                Ok(())
            }
            CompressionSpec::Gzip { level } => gzip::compress(&mut self.gzip, level, records, out),
            CompressionSpec::Snappy => snappy::compress(&mut self.snappy, records, out),
            CompressionSpec::Lz4 => lz4::compress(records, out),
            CompressionSpec::Zstd { level } => zstd::compress(&mut self.zstd, level, records, out),
        }
    }
}
