//! zstd: one frame or several, read through a context that is kept.

use zstd::stream::raw::{DParameter, Decoder, Operation};

use super::{CompressError, Compression, DecompressError};

/// Largest window that a frame may ask for, as a power of two: what the Java clients' encoder
/// takes at its highest level, and the library's own limit.
const WINDOW_LOG_MAX: u32 = 27;

const MALFORMED: DecompressError = DecompressError::Malformed {
    compression: Compression::Zstd,
};
const FAILED: CompressError = CompressError::Failed {
    compression: Compression::Zstd,
};

pub(super) struct Reader<'a> {
    decoder: &'a mut Decoder<'static>,
    rest: &'a [u8],
    /// Whether a frame has been begun and not ended.
    inside_frame: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        kept: &'a mut Option<Decoder<'static>>,
        payload: &'a [u8],
    ) -> Result<Self, DecompressError> {
        let decoder = match kept.take() {
            Some(mut decoder) => {
                decoder.reinit().map_err(|_| MALFORMED)?;
                decoder
            }
            None => {
                let mut decoder = Decoder::new().map_err(|_| MALFORMED)?;
                let window = DParameter::WindowLogMax(WINDOW_LOG_MAX);
                decoder.set_parameter(window).map_err(|_| MALFORMED)?;
                decoder
            }
        };
        Ok(Self {
            decoder: kept.insert(decoder),
            rest: payload,
            inside_frame: false,
        })
    }

    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, DecompressError> {
        loop {
            if self.rest.is_empty() && !self.inside_frame {
                return Ok(0);
            }
            let status = self
                .decoder
                .run_on_buffers(self.rest, out)
                .map_err(|_| MALFORMED)?;
            self.rest = self.rest.get(status.bytes_read..).ok_or(MALFORMED)?;
            self.inside_frame = status.remaining > 0;
            if status.bytes_written > 0 {
                return Ok(status.bytes_written);
            }
            if self.rest.is_empty() && self.inside_frame {
                return Err(DecompressError::Truncated {
                    compression: Compression::Zstd,
                });
            }
        }
    }
}

pub(super) fn compress(
    kept: &mut Option<(zstd::bulk::Compressor<'static>, i32)>,
    level: i32,
    records: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CompressError> {
    let level = level.clamp(-131_072, 22);
    let (encoder, kept_level) = match kept {
        Some(kept) => kept,
        None => kept.insert((
            zstd::bulk::Compressor::new(level).map_err(|_| FAILED)?,
            level,
        )),
    };
    if *kept_level != level {
        encoder.set_compression_level(level).map_err(|_| FAILED)?;
        *kept_level = level;
    }
    let start = out.len();
    out.resize(start + zstd::zstd_safe::compress_bound(records.len()), 0);
    let written = encoder
        .compress_to_buffer(records, &mut out[start..])
        .map_err(|_| FAILED)?;
    out.truncate(start + written);
    Ok(())
}
