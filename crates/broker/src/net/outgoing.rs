//! The bytes of answers on their way out of a connection, from memory and from files.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::Buf;
use ottla_protocol::wire::{FileRange, Segment, Segments};
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
use smallvec::SmallVec;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// Slices handed to one vectored write (IOV_MAX is 1024 on Linux).
const MAX_WRITE_SLICES: usize = 256;

/// Segments in the order in which they go out.
#[derive(Default)]
pub(super) struct Outgoing {
    segments: VecDeque<Segment>,
    size_bytes: usize,
}

impl Outgoing {
    /// Whether everything is sent.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Bytes that are not sent yet, those in files included.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Adds an answer.
    pub fn push(&mut self, answer: Segments) {
        for segment in answer {
            if !segment.is_empty() {
                self.size_bytes += segment.len();
                self.segments.push_back(segment);
            }
        }
    }

    /// Sends as much as one system call takes: the number of bytes, to be told to [`Outgoing::sent`].
    /// An error of the kind `WouldBlock` when the socket is full, `UnexpectedEof` when a file ends
    /// before what was promised of it.
    pub fn try_send(&self, stream: &TcpStream) -> io::Result<usize> {
        match self.segments.front() {
            None => Ok(0),
            Some(Segment::File(range)) => send_file(stream, range),
            Some(Segment::Bytes(_)) => self.send_bytes(stream),
        }
    }

    /// Sends the bytes in memory in front of the next file. What a file follows waits for it, to
    /// share its packets.
    fn send_bytes(&self, stream: &TcpStream) -> io::Result<usize> {
        let mut slices: SmallVec<[IoSlice<'_>; 32]> = SmallVec::new();
        let mut flags = SendFlags::NOSIGNAL;
        for segment in self.segments.iter().take(MAX_WRITE_SLICES) {
            match segment {
                Segment::Bytes(bytes) => slices.push(IoSlice::new(bytes)),
                Segment::File(_) => {
                    flags |= SendFlags::MORE;
                    break;
                }
            }
        }
        stream.try_io(Interest::WRITABLE, || {
            let sent = sendmsg(stream, &slices, &mut SendAncillaryBuffer::default(), flags)?;
            if sent == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            Ok(sent)
        })
    }

    /// Forgets the first `sent` bytes.
    pub fn sent(&mut self, mut sent: usize) {
        self.size_bytes -= sent;
        while let Some(front) = self.segments.front_mut() {
            if sent < front.len() {
                match front {
                    Segment::Bytes(bytes) => bytes.advance(sent),
                    Segment::File(range) => range.advance(sent),
                }
                return;
            }
            sent -= front.len();
            self.segments.pop_front();
        }
    }
}

/// Has the system send from the file, without a copy through this process.
fn send_file(stream: &TcpStream, range: &FileRange) -> io::Result<usize> {
    stream.try_io(Interest::WRITABLE, || {
        let mut position = range.position();
        let sent = rustix::fs::sendfile(stream, range.file(), Some(&mut position), range.len())?;
        if sent == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(sent)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use bytes::Bytes;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        (client.unwrap(), server.unwrap().0)
    }

    async fn send_all(outgoing: &mut Outgoing, stream: &TcpStream) -> io::Result<()> {
        while !outgoing.is_empty() {
            match outgoing.try_send(stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    stream.writable().await?;
                }
                sent => outgoing.sent(sent?),
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn memory_and_files_go_out_in_order_through_a_small_socket() {
        let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        let file = Arc::new(file);
        let range = |position: u64, length| FileRange::new(file.clone(), position, length);
        let pieces: Vec<Segment> = vec![
            Bytes::from_static(b"head").into(),
            range(10, 2_500_000).into(),
            Bytes::from(vec![7; 300_000]).into(),
            Bytes::new().into(),
            range(0, 1).into(),
            range(2_999_999, 1).into(),
            Bytes::from_static(b"tail").into(),
        ];
        let mut expected = b"head".to_vec();
        expected.extend_from_slice(&content[10..2_500_010]);
        expected.extend_from_slice(&vec![7; 300_000]);
        expected.extend_from_slice(&[content[0], content[2_999_999]]);
        expected.extend_from_slice(b"tail");

        let (mut client, server) = pair().await;
        socket2::SockRef::from(&server)
            .set_send_buffer_size(16 * 1024)
            .unwrap();
        let mut outgoing = Outgoing::default();
        outgoing.push(pieces.into_iter().collect());
        assert_eq!(outgoing.size_bytes(), expected.len());
        let sending = async move {
            send_all(&mut outgoing, &server).await.unwrap();
            assert_eq!(outgoing.size_bytes(), 0);
        };
        let mut received = Vec::new();
        let (_, read) = tokio::join!(sending, client.read_to_end(&mut received));
        read.unwrap();
        assert!(received == expected);
    }

    #[tokio::test]
    async fn a_file_that_ends_too_early_is_an_error() {
        let file = Arc::new(tempfile::tempfile().unwrap());
        let (_client, server) = pair().await;
        let mut outgoing = Outgoing::default();
        outgoing.push([FileRange::new(file, 0, 5).into()].into_iter().collect());
        let error = send_all(&mut outgoing, &server).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
