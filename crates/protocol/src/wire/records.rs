//! [`Records`]: record batches on their way through, never copied.

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

/// The bytes of a `records` field: record batches, back to back, in one or more chunks.
///
/// A decoded field is one chunk, a slice of the frame it came in. A response may gather several, for instance what a
/// fetch reads from two segments. Where chunks are cut means nothing; equality is that of the bytes.
#[derive(Clone, Debug, Default)]
pub struct Records {
    chunks: SmallVec<[Bytes; 1]>,
}

impl Records {
    /// No records, which is not the same as null.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds a chunk at the end; an empty one changes nothing.
    pub fn push(&mut self, chunk: Bytes) {
        if !chunk.is_empty() {
            self.chunks.push(chunk);
        }
    }

    /// The chunks in order, none of them empty.
    pub fn chunks(&self) -> &[Bytes] {
        &self.chunks
    }

    /// The total size in bytes.
    pub fn len(&self) -> usize {
        self.chunks.iter().map(Bytes::len).sum()
    }

    /// Whether there are no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// All bytes in one piece: shared if there is only one chunk, copied otherwise.
    pub fn to_bytes(&self) -> Bytes {
        match self.chunks.as_slice() {
            [] => Bytes::new(),
            [chunk] => chunk.clone(),
            chunks => {
                let mut joined = BytesMut::with_capacity(self.len());
                chunks
                    .iter()
                    .for_each(|chunk| joined.extend_from_slice(chunk));
                joined.freeze()
            }
        }
    }
}

impl From<Bytes> for Records {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() {
            return Self::empty();
        }
        Self {
            chunks: SmallVec::from_buf([bytes]),
        }
    }
}

impl FromIterator<Bytes> for Records {
    fn from_iter<I: IntoIterator<Item = Bytes>>(chunks: I) -> Self {
        let mut records = Self::empty();
        chunks.into_iter().for_each(|chunk| records.push(chunk));
        records
    }
}

impl PartialEq for Records {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .chunks
                .iter()
                .flatten()
                .eq(other.chunks.iter().flatten())
    }
}

impl Eq for Records {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_ignores_where_chunks_are_cut() {
        let split: Records = [
            Bytes::from_static(b"ab"),
            Bytes::new(),
            Bytes::from_static(b"c"),
        ]
        .into_iter()
        .collect();
        assert_eq!(split.chunks().len(), 2);
        assert_eq!(split.len(), 3);
        assert_eq!(split, Records::from(Bytes::from_static(b"abc")));
        assert_ne!(split, Records::from(Bytes::from_static(b"abd")));
        assert_eq!(split.to_bytes(), "abc");
    }

    #[test]
    fn one_chunk_is_shared() {
        let bytes = Bytes::from(vec![1, 2, 3]);
        let records = Records::from(bytes.clone());
        assert_eq!(records.to_bytes().as_ptr(), bytes.as_ptr());
        assert!(Records::from(Bytes::new()).is_empty());
        assert_eq!(Records::empty(), Records::default());
    }
}
