//! What interrupted work leaves in a log's directory, and what becomes of it.

use std::path::Path;

use ottla_protocol::ids::Offset;
use tracing::{info, warn};

use crate::disk;
use crate::segment::{Segment, SegmentFile, SegmentReadError};
use crate::text_file::numbered;

/// Ends of names of files that were being written or deleted.
const UNFINISHED_SUFFIXES: [&str; 2] = ["deleted", "tmp"];
/// What a cleaner writes, until all of it is written.
const CLEANED_SUFFIX: &str = "cleaned";
/// What a cleaner has written, until it stands in the place of what it was made from.
const SWAP_SUFFIX: &str = "swap";

/// Deletes what was not finished, finishes what can be, and names the base offsets of the segments
/// there are then, ascending.
///
/// Source: `LogLoader.load`.
pub(crate) fn clean_up(directory: &Path) -> Result<Vec<Offset>, SegmentReadError> {
    delete_unfinished(directory)?;
    finish_swap(directory)?;
    let names = names(directory)?;
    let mut base_offsets: Vec<_> = names
        .iter()
        .filter_map(|name| numbered(name, SegmentFile::Log.suffix()))
        .collect();
    base_offsets.sort();
    for name in &names {
        let orphan = SegmentFile::INDEXES
            .iter()
            .find_map(|index| numbered(name, index.suffix()))
            .filter(|offset| !base_offsets.contains(offset));
        if orphan.is_some() {
            warn!(file = %directory.join(name).display(), "an index without its segment is deleted");
            disk::delete(&directory.join(name))?;
        }
    }
    Ok(base_offsets)
}

fn delete_unfinished(directory: &Path) -> Result<(), SegmentReadError> {
    let names = names(directory)?;
    let first_cleaned = names
        .iter()
        .filter_map(|name| suffixed(name, CLEANED_SUFFIX))
        .min();
    for name in &names {
        let is_unfinished = UNFINISHED_SUFFIXES.contains(&last_suffix(name));
        let is_cleaned = suffixed(name, CLEANED_SUFFIX).is_some();
        // A segment that was split leaves several; those behind one that was not finished are of
        // no use.
        let is_half_swapped = suffixed(name, SWAP_SUFFIX)
            .is_some_and(|swapped| first_cleaned.is_some_and(|first| swapped >= first));
        if is_unfinished || is_cleaned || is_half_swapped {
            disk::delete(&directory.join(name))?;
        }
    }
    Ok(())
}

/// Puts finished segments of a cleaner in the place of those that they were made from.
fn finish_swap(directory: &Path) -> Result<(), SegmentReadError> {
    let swapped: Vec<_> = names(directory)?
        .into_iter()
        .filter(|name| suffixed(name, SWAP_SUFFIX).is_some())
        .collect();
    let mut replaced: Option<(Offset, Offset)> = None;
    for name in &swapped {
        let log_name = name.strip_suffix(".swap").unwrap_or(name);
        let Some(base_offset) = numbered(log_name, SegmentFile::Log.suffix()) else {
            continue;
        };
        let end = Segment::end_of_file(&directory.join(name), base_offset)?;
        let (first, last) = replaced.unwrap_or((base_offset, end));
        replaced = Some((first.min(base_offset), last.max(end)));
    }
    if let Some((first, end)) = replaced {
        for name in names(directory)? {
            let offset = name.get(..20).and_then(|digits| digits.parse().ok());
            let is_replaced = offset.is_some_and(|offset| first.0 <= offset && offset < end.0);
            if is_replaced && last_suffix(&name) != SWAP_SUFFIX {
                disk::delete(&directory.join(&name))?;
            }
        }
    }
    for name in swapped {
        let to = name.strip_suffix(".swap").unwrap_or(&name);
        info!(file = %directory.join(to).display(), "finishing the work of a cleaner");
        disk::rename(&directory.join(&name), &directory.join(to))?;
    }
    Ok(())
}

/// The offset in the name of a segment's file that ends with `suffix` too.
fn suffixed(name: &str, suffix: &str) -> Option<Offset> {
    let name = name.strip_suffix(suffix)?.strip_suffix('.')?;
    let (_, kind) = name.rsplit_once('.')?;
    numbered(name, kind)
}

fn last_suffix(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

fn names(directory: &Path) -> Result<Vec<String>, SegmentReadError> {
    let entries = disk::entries(directory)?;
    Ok(entries
        .into_iter()
        .filter(|entry| !entry.is_directory)
        .map(|entry| entry.name)
        .collect())
}
