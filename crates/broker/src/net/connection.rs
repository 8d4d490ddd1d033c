//! One connection: frames in, answers out in the order of their requests.
//!
//! A single task reads, dispatches and writes. A request that cannot be answered at once leaves a
//! future in the queue; later requests run meanwhile, but their answers wait behind it.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use ottla_protocol::wire::{Segment, Segments};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};
use tracing::{debug, info};

use super::frame::{FrameBuffer, FrameError};
use super::memory::{RequestMemory, Reservation};
use super::outgoing::Outgoing;

/// Requests of one connection that may be unanswered; reading stops at this number.
const MAX_UNANSWERED_REQUESTS: usize = 100;
/// Bytes of answers that may be held, whether they wait for the socket or for answers before them.
/// Above, no more requests are read and no waiting request is looked at but the next one: what a
/// client costs that never reads is this and one answer.
const MAX_HELD_BYTES: usize = 8 * 1024 * 1024;
/// How long an ending connection may take to answer what is in flight.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// How long nothing may happen on a connection that is not read any more: a peer that closed its side
/// and still wants an answer gets it if it comes soon. Kafka does not answer at all then.
const LEFT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the peer of a connection that was stopped may take to close its side.
const LINGER_TIMEOUT: Duration = Duration::from_millis(500);

/// What a handler makes of one frame.
pub enum Answer {
    /// These bytes, now.
    Ready(Segments),
    /// These bytes, when the future ends; `None` ends the connection.
    Later(Pin<Box<dyn Future<Output = Option<Segments>> + Send>>),
    /// Nothing, ever (a Produce with acks=0): holds no place in the order.
    Silent,
    /// The connection ends after the answers before this one are sent.
    Close,
}

/// Who is at the other end.
#[derive(Clone, Debug)]
pub struct ConnectionInfo {
    /// Name of the listener that accepted it.
    pub listener: Arc<str>,
    /// The other end's address.
    pub peer: SocketAddr,
}

/// Answers the frames of a connection.
pub trait RequestHandler: Send + Sync {
    /// Called once for a new connection; what it returns sees every frame of it, in order.
    fn connect(&self, info: &ConnectionInfo) -> Box<dyn FrameHandler>;
}

/// Answers the frames of one connection.
pub trait FrameHandler: Send {
    /// Runs the request in `frame` (without its size field) to completion or to a future.
    fn handle(&mut self, frame: Bytes) -> Answer;
}

/// What a connection needs of the configuration, and of its broker.
#[derive(Clone)]
pub struct ConnectionSettings {
    /// Shared by all connections.
    pub memory: RequestMemory,
    /// `socket.request.max.bytes`.
    pub max_request_bytes: usize,
    /// `connections.max.idle.ms`.
    pub max_idle: Duration,
}

/// Why a connection ended, other than by the peer's own close.
#[derive(Debug, thiserror::Error)]
enum EndReason {
    #[error("{0}")]
    Frame(#[from] FrameError),
    #[error("{0}")]
    Socket(#[from] io::Error),
    #[error("it was idle for connections.max.idle.ms")]
    Idle,
    #[error("its peer has closed it, and the answers that are missing did not come soon")]
    Left,
    #[error("its last request could not be answered")]
    Unanswerable,
}

/// Serves `stream` until either end closes it, it idles, or `stop` turns true and all is answered.
pub async fn run(
    stream: TcpStream,
    info: ConnectionInfo,
    settings: ConnectionSettings,
    handler: Arc<dyn RequestHandler>,
    stop: watch::Receiver<bool>,
) {
    let mut connection = Connection {
        handler: handler.connect(&info),
        frames: FrameBuffer::new(settings.max_request_bytes),
        memory: settings.memory,
        reservation: None,
        queue: AnswerQueue::default(),
        reading: true,
        stream,
    };
    match connection.serve(settings.max_idle, stop).await {
        Ok(()) => debug!(listener = %info.listener, peer = %info.peer, "connection closed"),
        Err(EndReason::Frame(error)) => {
            info!(listener = %info.listener, peer = %info.peer, "connection ended: {error}");
        }
        Err(reason) => {
            debug!(listener = %info.listener, peer = %info.peer, "connection ended: {reason}")
        }
    }
}

struct Connection {
    stream: TcpStream,
    handler: Box<dyn FrameHandler>,
    frames: FrameBuffer,
    memory: RequestMemory,
    /// The memory of the frame under way, when that is limited.
    reservation: Option<Reservation>,
    queue: AnswerQueue,
    /// False once the peer has closed its side, or a request asked for the end.
    reading: bool,
}

impl Connection {
    async fn serve(
        &mut self,
        max_idle: Duration,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), EndReason> {
        let mut idle = Box::pin(tokio::time::sleep(max_idle));
        let mut stopped = pin!(async move { stop.wait_for(|stopped| *stopped).await.is_ok() });
        let mut last_active = Instant::now();
        let mut left: Option<Pin<Box<Sleep>>> = None;
        loop {
            let event = tokio::select! {
                biased;
                progress = poll_fn(|cx| self.poll_progress(cx)) => {
                    if progress? == Progress::Finished {
                        return Ok(());
                    }
                    Event::Progress
                }
                _ = stopped.as_mut() => Event::Stopped,
                () = expiry(&mut left) => Event::Left,
                () = idle.as_mut() => Event::IdleTimer,
            };
            match event {
                Event::Progress => {
                    last_active = Instant::now();
                    if !self.reading {
                        left = Some(Box::pin(tokio::time::sleep(LEFT_TIMEOUT)));
                    }
                    // A connection that always has more to do yields to the others.
                    tokio::task::consume_budget().await;
                }
                Event::Stopped => {
                    self.drain().await?;
                    self.linger().await;
                    return Ok(());
                }
                Event::Left => return Err(EndReason::Left),
                Event::IdleTimer => {
                    expire_if_idle(idle.as_mut(), last_active, max_idle, self.queue.is_idle())?;
                }
            }
        }
    }

    /// Answers what has been read, then ends: the graceful stop.
    async fn drain(&mut self) -> Result<(), EndReason> {
        self.reading = false;
        let finish = poll_fn(|cx| {
            loop {
                match self.poll_progress(cx) {
                    Poll::Ready(Ok(Progress::Finished)) => return Poll::Ready(Ok(())),
                    Poll::Ready(Ok(Progress::Made)) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        });
        tokio::time::timeout(DRAIN_TIMEOUT, finish)
            .await
            .unwrap_or(Ok(()))
    }

    /// Closes this side and waits for the peer to close its own: requests that nobody read would
    /// reset the connection, and the peer might never see the answers before them.
    async fn linger(&mut self) {
        if self.stream.shutdown().await.is_err() {
            return;
        }
        let end_of_stream = poll_fn(|cx| {
            loop {
                match self.stream.try_read(&mut [0; 4096]) {
                    Ok(0) => return Poll::Ready(()),
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        std::task::ready!(self.stream.poll_read_ready(cx)).unwrap_or(());
                    }
                    Err(_) => return Poll::Ready(()),
                }
            }
        });
        let _ = tokio::time::timeout(LINGER_TIMEOUT, end_of_stream).await;
    }

    /// Writes, completes and reads as far as it goes without waiting.
    fn poll_progress(&mut self, cx: &mut Context<'_>) -> Poll<Result<Progress, EndReason>> {
        let completed = self.queue.poll_complete(cx)?;
        let written = self.poll_write(cx)?;
        if !self.reading && self.queue.is_empty() {
            return Poll::Ready(Ok(Progress::Finished));
        }
        let mut read = false;
        if self.reading && self.queue.has_room() {
            read = self.poll_read(cx)?;
        }
        match completed || written || read {
            true => Poll::Ready(Ok(Progress::Made)),
            false => Poll::Pending,
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<bool, EndReason> {
        let mut progress = false;
        while !self.queue.unsent.is_empty() {
            match self.queue.unsent.try_send(&self.stream) {
                Ok(count) => {
                    self.queue.sent(count);
                    progress = true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match self.stream.poll_write_ready(cx) {
                        Poll::Ready(Ok(())) => {}
                        Poll::Ready(Err(error)) => return Err(error.into()),
                        Poll::Pending => break,
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(progress)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Result<bool, EndReason> {
        // Frames left over from an earlier read, when the queue had no room for them.
        let mut progress = self.dispatch()?;
        while self.reading && self.queue.has_room() && self.has_memory(cx) {
            // Knows, unlike `try_read_buf`, that a read that was not filled has emptied the socket.
            let read = pin!(self.stream.read_buf(self.frames.space()));
            match read.poll(cx) {
                Poll::Ready(Ok(0)) => {
                    self.reading = false;
                    return Ok(true);
                }
                Poll::Ready(Ok(_)) => {
                    progress = true;
                    self.dispatch()?;
                    if !self.queue.unsent.is_empty() {
                        return Ok(true);
                    }
                }
                Poll::Ready(Err(error)) => return Err(error.into()),
                Poll::Pending => {
                    self.frames.release_spare();
                    break;
                }
            }
        }
        Ok(progress)
    }

    /// Whether the frame under way may take more memory; else the task is woken when it may.
    fn has_memory(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.memory.is_limited() || self.reservation.is_some() {
            return true;
        }
        let Some(frame_bytes) = self.frames.begun() else {
            return true;
        };
        match self.memory.poll_reserve(frame_bytes, cx) {
            Poll::Ready(reservation) => {
                self.reservation = reservation;
                true
            }
            Poll::Pending => false,
        }
    }

    fn dispatch(&mut self) -> Result<bool, EndReason> {
        let mut progress = false;
        while self.reading && self.queue.has_room() {
            let Some(frame) = self.frames.next_frame()? else {
                break;
            };
            progress = true;
            match self.handler.handle(frame) {
                Answer::Close => self.reading = false,
                Answer::Silent => {}
                answer => self.queue.push(answer),
            }
            self.reservation = None;
        }
        Ok(progress)
    }
}

/// The end of the sleep; never, if there is none.
async fn expiry(sleep: &mut Option<Pin<Box<Sleep>>>) {
    match sleep {
        Some(sleep) => sleep.await,
        None => std::future::pending().await,
    }
}

enum Event {
    Left,
    Progress,
    Stopped,
    IdleTimer,
}

#[derive(PartialEq, Eq)]
enum Progress {
    Made,
    Finished,
}

fn expire_if_idle(
    idle: Pin<&mut Sleep>,
    last_active: Instant,
    max_idle: Duration,
    is_idle: bool,
) -> Result<(), EndReason> {
    let deadline = last_active + max_idle;
    let now = Instant::now();
    if now >= deadline && is_idle {
        return Err(EndReason::Idle);
    }
    idle.reset(if now >= deadline {
        now + max_idle
    } else {
        deadline
    });
    Ok(())
}

type PendingAnswer = Pin<Box<dyn Future<Output = Option<Segments>> + Send>>;

enum Slot {
    Ready(Segments),
    Waiting(PendingAnswer),
}

fn size_bytes(segments: &Segments) -> usize {
    segments.iter().map(Segment::len).sum()
}

/// Answers in the order of their requests: first those that wait, then bytes on their way out.
#[derive(Default)]
struct AnswerQueue {
    unanswered: VecDeque<Slot>,
    unsent: Outgoing,
    /// Bytes of all answers that are ready, unsent ones among them.
    held_bytes: usize,
}

impl AnswerQueue {
    fn is_empty(&self) -> bool {
        self.unanswered.is_empty() && self.unsent.is_empty()
    }

    fn has_room(&self) -> bool {
        self.unanswered.len() < MAX_UNANSWERED_REQUESTS && self.held_bytes < MAX_HELD_BYTES
    }

    /// Whether it is up to the peer that nothing happens: no request waits, or its answer would not
    /// get out.
    fn is_idle(&self) -> bool {
        self.unanswered.is_empty() || !self.unsent.is_empty()
    }

    fn push(&mut self, answer: Answer) {
        match answer {
            Answer::Ready(segments) => {
                self.held_bytes += size_bytes(&segments);
                match self.unanswered.is_empty() {
                    true => self.unsent.push(segments),
                    false => self.unanswered.push_back(Slot::Ready(segments)),
                }
            }
            Answer::Later(future) => self.unanswered.push_back(Slot::Waiting(future)),
            Answer::Silent | Answer::Close => {}
        }
    }

    /// Polls every waiting answer, so that all of them make progress, and moves those that are
    /// ready and next in order to the bytes that go out. True when any went out.
    fn poll_complete(&mut self, cx: &mut Context<'_>) -> Result<bool, EndReason> {
        for (place, slot) in self.unanswered.iter_mut().enumerate() {
            let is_next = place == 0 && self.unsent.size_bytes() < MAX_HELD_BYTES;
            if self.held_bytes >= MAX_HELD_BYTES && !is_next {
                break;
            }
            if let Slot::Waiting(future) = slot
                && let Poll::Ready(answer) = future.as_mut().poll(cx)
            {
                let segments = answer.ok_or(EndReason::Unanswerable)?;
                self.held_bytes += size_bytes(&segments);
                *slot = Slot::Ready(segments);
            }
        }
        let mut progress = false;
        while matches!(self.unanswered.front(), Some(Slot::Ready(_))) {
            if let Some(Slot::Ready(segments)) = self.unanswered.pop_front() {
                self.unsent.push(segments);
                progress = true;
            }
        }
        Ok(progress)
    }

    fn sent(&mut self, count: usize) {
        self.unsent.sent(count);
        self.held_bytes -= count;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Waker;

    use super::*;

    const ANSWER_BYTES: usize = 5 * 1024 * 1024;

    fn answer() -> Segments {
        Segments::from_iter([Bytes::from(vec![0; ANSWER_BYTES]).into()])
    }

    /// A queue of `waiting` requests, each of which makes its answer when it is looked at.
    fn queue(waiting: usize) -> (AnswerQueue, Arc<AtomicUsize>) {
        let made = Arc::new(AtomicUsize::new(0));
        let mut queue = AnswerQueue::default();
        for _ in 0..waiting {
            let made = Arc::clone(&made);
            queue.push(Answer::Later(Box::pin(async move {
                made.fetch_add(1, Ordering::Relaxed);
                Some(answer())
            })));
        }
        (queue, made)
    }

    fn complete(queue: &mut AnswerQueue) {
        let mut cx = Context::from_waker(Waker::noop());
        queue.poll_complete(&mut cx).unwrap();
        let ready = queue.unanswered.iter().map(|slot| match slot {
            Slot::Ready(segments) => size_bytes(segments),
            Slot::Waiting(_) => 0,
        });
        assert_eq!(
            queue.held_bytes,
            queue.unsent.size_bytes() + ready.sum::<usize>()
        );
    }

    #[test]
    fn answers_that_nobody_reads_are_not_made() {
        let (mut queue, made) = queue(MAX_UNANSWERED_REQUESTS);
        for _ in 0..3 {
            complete(&mut queue);
            assert_eq!(made.load(Ordering::Relaxed), 2);
            assert!(queue.held_bytes < MAX_HELD_BYTES + ANSWER_BYTES && !queue.has_room());
        }
        for read in 1..=MAX_UNANSWERED_REQUESTS {
            queue.sent(ANSWER_BYTES);
            complete(&mut queue);
            assert_eq!(
                made.load(Ordering::Relaxed),
                MAX_UNANSWERED_REQUESTS.min(read + 2)
            );
        }
        assert!(queue.is_empty() && queue.held_bytes == 0 && queue.has_room());
    }

    #[test]
    fn answers_behind_one_that_waits_count_too() {
        let mut queue = AnswerQueue::default();
        queue.push(Answer::Later(Box::pin(std::future::pending())));
        for _ in 0..2 {
            assert!(queue.has_room());
            queue.push(Answer::Ready(answer()));
        }
        assert!(!queue.has_room());
        complete(&mut queue);
        assert!(queue.unsent.is_empty() && !queue.is_idle());
    }

    #[test]
    fn the_next_answer_is_made_though_those_behind_it_fill_the_memory() {
        let mut queue = AnswerQueue::default();
        let mut polls = 0;
        queue.push(Answer::Later(Box::pin(poll_fn(move |_| {
            polls += 1;
            match polls {
                1 => Poll::Pending,
                _ => Poll::Ready(Some(answer())),
            }
        }))));
        complete(&mut queue);
        queue.push(Answer::Ready(answer()));
        queue.push(Answer::Ready(answer()));
        complete(&mut queue);
        assert_eq!(queue.unsent.size_bytes(), 3 * ANSWER_BYTES);
    }
}
