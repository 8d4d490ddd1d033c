//! Reads the input ahead of the sender, in chunks of whole lines.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use tokio::sync::mpsc;

use crate::failure::{Failure, LineFault};

/// Bytes asked of the system at a time.
const READ_BYTES: usize = 256 * 1024;
/// Chunks that may wait for the sender; then reading waits.
const CHUNKS_AHEAD: usize = 4;
/// The longest line.
const MAX_LINE_BYTES: usize = 256 * 1024 * 1024;

/// Lines of one file, as many as there were to read.
pub struct Chunk {
    /// The file.
    pub path: Arc<Path>,
    /// The number of the first line, from 1.
    pub first_line: u64,
    /// The lines; the last one ends with the delimiter, unless the file does not.
    pub bytes: Vec<u8>,
}

/// Starts to read `files`, or standard input if there are none. Lines end with `delimiter`; without
/// one, a file is a line.
pub fn read(files: Vec<PathBuf>, delimiter: Option<u8>) -> mpsc::Receiver<Result<Chunk, Failure>> {
    let (chunks, receiver) = mpsc::channel(CHUNKS_AHEAD);
    thread::spawn(move || {
        let result = match files.is_empty() {
            true => read_one(
                io::stdin().lock(),
                Path::new("standard input"),
                delimiter,
                &chunks,
            ),
            false => files.iter().try_for_each(|path| {
                let file = File::open(path).map_err(|source| file_failure(path, source))?;
                read_one(file, path, delimiter, &chunks)
            }),
        };
        if let Err(failure) = result {
            // Nobody is left to tell when the sender has failed.
            let _ = chunks.blocking_send(Err(failure));
        }
    });
    receiver
}

fn read_one(
    mut input: impl Read,
    path: &Path,
    delimiter: Option<u8>,
    chunks: &mpsc::Sender<Result<Chunk, Failure>>,
) -> Result<(), Failure> {
    let path: Arc<Path> = Arc::from(path);
    let mut next_line = 1;
    let mut pending: Vec<u8> = Vec::new();
    loop {
        let before = pending.len();
        pending.resize(before + READ_BYTES, 0);
        let read = loop {
            match input.read(&mut pending[before..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result.map_err(|source| file_failure(&path, source))?,
            }
        };
        pending.truncate(before + read);
        let ended = read == 0;
        let end_of_last_line = delimiter.and_then(|delimiter| {
            let fresh = pending.get(before..)?;
            let last = fresh.iter().rposition(|byte| *byte == delimiter)?;
            Some(before + last + 1)
        });
        let whole = match ended {
            true => pending.len(),
            false => end_of_last_line.unwrap_or(0),
        };
        if pending.len() - whole > MAX_LINE_BYTES {
            return Err(Failure::Line {
                path: path.to_path_buf(),
                line: next_line,
                fault: LineFault::TooLong {
                    max_bytes: MAX_LINE_BYTES,
                },
            });
        }
        // A whole file is a record even when it is empty.
        if whole > 0 || (ended && delimiter.is_none()) {
            let rest = pending.split_off(whole);
            let bytes = std::mem::replace(&mut pending, rest);
            let first_line = next_line;
            next_line += delimiter.map_or(1, |delimiter| count(&bytes, delimiter));
            let chunk = Chunk {
                path: Arc::clone(&path),
                first_line,
                bytes,
            };
            if chunks.blocking_send(Ok(chunk)).is_err() {
                return Ok(());
            }
        }
        if ended {
            return Ok(());
        }
    }
}

fn count(bytes: &[u8], wanted: u8) -> u64 {
    bytes.iter().filter(|byte| **byte == wanted).count() as u64
}

fn file_failure(path: &Path, source: io::Error) -> Failure {
    Failure::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};
    use std::path::Path;

    use tokio::sync::mpsc;

    use super::read_one;

    /// Gives one piece for each call.
    struct Pieces(Vec<&'static [u8]>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let piece = self.0.remove(0);
            buffer[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    fn check(pieces: &[&'static [u8]], delimiter: Option<u8>, expected: &[(u64, &[u8])]) {
        let (sender, mut receiver) = mpsc::channel(100);
        read_one(Pieces(pieces.to_vec()), Path::new("f"), delimiter, &sender).unwrap();
        drop(sender);
        let mut chunks = Vec::new();
        while let Some(chunk) = receiver.blocking_recv() {
            let chunk = chunk.unwrap();
            chunks.push((chunk.first_line, chunk.bytes));
        }
        let expected: Vec<_> = expected
            .iter()
            .map(|(line, bytes)| (*line, bytes.to_vec()))
            .collect();
        assert_eq!(chunks, expected, "{pieces:?}");
    }

    #[test]
    fn chunks_are_whole_lines() {
        let lines = Some(b'\n');
        check(&[], lines, &[]);
        check(&[b"a\nb\n"], lines, &[(1, b"a\nb\n")]);
        check(
            &[b"a\nb", b"c\nd"],
            lines,
            &[(1, b"a\n"), (2, b"bc\n"), (3, b"d")],
        );
        check(&[b"a", b"b", b"c"], lines, &[(1, b"abc")]);
        check(&[b"\n\n", b"\n"], lines, &[(1, b"\n\n"), (3, b"\n")]);
    }

    #[test]
    fn without_a_delimiter_a_file_is_one_line() {
        check(&[b"a\nb", b"\nc"], None, &[(1, b"a\nb\nc")]);
        check(&[], None, &[(1, b"")]);
    }
}
