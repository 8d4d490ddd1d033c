//! [`Records`]: record batches on their way through, never copied.

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

use super::Segment;

/// The bytes of a `records` field: record batches, back to back, in one or more chunks.
///
/// A decoded field is one chunk, a slice of the frame it came in. A response may gather several, for instance what a
/// fetch finds in two segment files, which it need not have read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    chunks: SmallVec<[Segment; 1]>,
}

impl Records {
    /// No records, which is not the same as null.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds a chunk at the end; an empty one changes nothing.
    pub fn push(&mut self, chunk: impl Into<Segment>) {
        let chunk = chunk.into();
        if !chunk.is_empty() {
            self.chunks.push(chunk);
        }
    }

    /// The chunks in order, none of them empty.
    pub fn chunks(&self) -> &[Segment] {
        &self.chunks
    }

    /// The total size in bytes.
    pub fn len(&self) -> usize {
        self.chunks.iter().map(Segment::len).sum()
    }

    /// Whether there are no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// All bytes in one piece: shared if there is only one chunk, copied otherwise.
    ///
    /// Only for records in memory, as decoded ones are: panics if a chunk lies in a file.
    pub fn to_bytes(&self) -> Bytes {
        match self.chunks.as_slice() {
            [] => Bytes::new(),
            [chunk] => in_memory(chunk).clone(),
            chunks => {
                let mut joined = BytesMut::with_capacity(self.len());
                chunks
                    .iter()
                    .for_each(|chunk| joined.extend_from_slice(in_memory(chunk)));
                joined.freeze()
            }
        }
    }
}

fn in_memory(chunk: &Segment) -> &Bytes {
    match chunk {
        Segment::Bytes(bytes) => bytes,
        Segment::File(range) => panic!("records that lie in a file are only sent: {range:?}"),
    }
}

impl From<Bytes> for Records {
    fn from(bytes: Bytes) -> Self {
        let mut records = Self::empty();
        records.push(bytes);
        records
    }
}

impl FromIterator<Bytes> for Records {
    fn from_iter<I: IntoIterator<Item = Bytes>>(chunks: I) -> Self {
        let mut records = Self::empty();
        chunks.into_iter().for_each(|chunk| records.push(chunk));
        records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_in_order() {
        let split: Records = [
            Bytes::from_static(b"ab"),
            Bytes::new(),
            Bytes::from_static(b"c"),
        ]
        .into_iter()
        .collect();
        assert_eq!(split.chunks().len(), 2);
        assert_eq!(split.len(), 3);
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
