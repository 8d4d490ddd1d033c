//! gzip: one member or several, read and written around a bare deflate context that is kept.

use flate2::{Compress, Crc, Decompress, FlushCompress, FlushDecompress, Status};

use super::{CompressError, Compression, DecompressError};

const MALFORMED: DecompressError = DecompressError::Malformed {
    compression: Compression::Gzip,
};
const TRUNCATED: DecompressError = DecompressError::Truncated {
    compression: Compression::Gzip,
};
const FAILED: CompressError = CompressError::Failed {
    compression: Compression::Gzip,
};

const MAGIC: [u8; 2] = [0x1f, 0x8b];
const METHOD_DEFLATE: u8 = 8;
const FLAG_HEADER_CRC: u8 = 1 << 1;
const FLAG_EXTRA: u8 = 1 << 2;
const FLAG_NAME: u8 = 1 << 3;
const FLAG_COMMENT: u8 = 1 << 4;
const FLAGS_RESERVED: u8 = 0b1110_0000;

pub(super) struct Reader<'a> {
    inflate: &'a mut Decompress,
    rest: &'a [u8],
    state: State,
    crc: Crc,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first member, of which there must be one.
    Start,
    /// Inside a member.
    Inside,
    /// Behind a member, where another may follow.
    After,
}

impl<'a> Reader<'a> {
    pub(super) fn new(kept: &'a mut Option<Decompress>, payload: &'a [u8]) -> Self {
        let inflate = kept.get_or_insert_with(|| Decompress::new(false));
        Self {
            inflate,
            rest: payload,
            state: State::Start,
            crc: Crc::new(),
        }
    }

    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, DecompressError> {
        loop {
            match self.state {
                State::Start => self.begin_member()?,
                // What follows a member and is no member is let be, as Java does.
                State::After if !self.rest.starts_with(&MAGIC) => return Ok(0),
                State::After => self.begin_member()?,
                State::Inside => {}
            }
            let (in_before, out_before) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self
                .inflate
                .decompress(self.rest, out, FlushDecompress::None)
                .map_err(|_| MALFORMED)?;
            let consumed = (self.inflate.total_in() - in_before) as usize;
            let produced = (self.inflate.total_out() - out_before) as usize;
            self.rest = self.rest.get(consumed..).ok_or(MALFORMED)?;
            self.crc.update(out.get(..produced).ok_or(MALFORMED)?);
            if status == Status::StreamEnd {
                self.end_member()?;
            }
            if produced > 0 {
                return Ok(produced);
            }
            if status != Status::StreamEnd && consumed == 0 {
                return Err(TRUNCATED);
            }
        }
    }

    fn begin_member(&mut self) -> Result<(), DecompressError> {
        let [id1, id2, method, flags, ..] = self.take::<10>()?;
        if [id1, id2] != MAGIC || method != METHOD_DEFLATE || flags & FLAGS_RESERVED != 0 {
            return Err(MALFORMED);
        }
        if flags & FLAG_EXTRA != 0 {
            let length = usize::from(u16::from_le_bytes(self.take()?));
            self.rest = self.rest.get(length..).ok_or(TRUNCATED)?;
        }
        for flag in [FLAG_NAME, FLAG_COMMENT] {
            if flags & flag != 0 {
                let end = self
                    .rest
                    .iter()
                    .position(|&byte| byte == 0)
                    .ok_or(TRUNCATED)?;
                self.rest = self.rest.get(end + 1..).ok_or(TRUNCATED)?;
            }
        }
        if flags & FLAG_HEADER_CRC != 0 {
            self.take::<2>()?;
        }
        self.inflate.reset(false);
        self.crc.reset();
        self.state = State::Inside;
        Ok(())
    }

    fn end_member(&mut self) -> Result<(), DecompressError> {
        let crc = u32::from_le_bytes(self.take()?);
        let size = u32::from_le_bytes(self.take()?);
        if crc != self.crc.sum() || size != self.crc.amount() {
            return Err(DecompressError::ChecksumMismatch {
                compression: Compression::Gzip,
            });
        }
        self.state = State::After;
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], DecompressError> {
        let (front, rest) = self.rest.split_first_chunk::<N>().ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(*front)
    }
}

pub(super) fn compress(
    kept: &mut Option<(Compress, u32)>,
    level: i32,
    records: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CompressError> {
    /// What gzip's own default level stands for.
    const DEFAULT_LEVEL: u32 = 6;

    let level = match u32::try_from(level) {
        Ok(level) => level.clamp(1, 9),
        Err(_) => DEFAULT_LEVEL,
    };
    if kept
        .as_ref()
        .is_none_or(|(_, kept_level)| *kept_level != level)
    {
        *kept = Some((Compress::new(flate2::Compression::new(level), false), level));
    }
    let Some((deflate, _)) = kept else {
        return Err(FAILED);
    };
    deflate.reset();
    out.extend_from_slice(&[MAGIC[0], MAGIC[1], METHOD_DEFLATE, 0, 0, 0, 0, 0, 0, 0]);
    let mut rest = records;
    loop {
        // Room for half of what is left, so that few rounds are needed and little is wasted.
        out.reserve(rest.len() / 2 + 256);
        let before = deflate.total_in();
        let status = deflate
            .compress_vec(rest, out, FlushCompress::Finish)
            .map_err(|_| FAILED)?;
        rest = rest
            .get((deflate.total_in() - before) as usize..)
            .ok_or(FAILED)?;
        if status == Status::StreamEnd {
            break;
        }
    }
    let mut crc = Crc::new();
    crc.update(records);
    out.extend_from_slice(&crc.sum().to_le_bytes());
    out.extend_from_slice(&crc.amount().to_le_bytes());
    Ok(())
}
