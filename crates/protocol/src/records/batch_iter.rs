//! Batch after batch of what a log or a fetch response holds, up to a tail that may be cut.

use bytes::Bytes;

use super::batch_view::{BatchError, BatchView, Extent, measure};

/// Walks the batches in `records`. See [`Batches`].
pub fn batches(records: &Bytes) -> Batches {
    Batches {
        rest: records.clone(),
        whole_bytes: 0,
    }
}

/// Yields each whole batch in turn.
///
/// A batch of which the end is missing ends the walk without an error, as a fetch response may
/// end inside one; [`Batches::whole_bytes`] then tells where it begins. Bytes that cannot be a
/// batch yield one error, and the walk ends. CRCs are not checked.
#[derive(Clone, Debug)]
pub struct Batches {
    rest: Bytes,
    whole_bytes: usize,
}

impl Batches {
    /// Bytes of the whole batches yielded so far.
    pub fn whole_bytes(&self) -> usize {
        self.whole_bytes
    }

    /// Bytes not yielded yet. After the last batch: those of a cut one, or 0.
    pub fn remaining_bytes(&self) -> usize {
        self.rest.len()
    }
}

impl Iterator for Batches {
    type Item = Result<BatchView, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        match measure(&self.rest) {
            Ok(Extent::Partial { .. }) => None,
            Ok(Extent::Whole { size_bytes }) => {
                self.whole_bytes += size_bytes;
                Some(BatchView::new(self.rest.split_to(size_bytes)))
            }
            Err(error) => {
                self.rest = Bytes::new();
                Some(Err(error))
            }
        }
    }
}

impl std::iter::FusedIterator for Batches {}
