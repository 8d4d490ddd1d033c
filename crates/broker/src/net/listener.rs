//! Accepts connections on one named listener.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

use super::connection::{self, ConnectionInfo, ConnectionSettings, RequestHandler};
use super::limits::ConnectionCounts;
use super::memory::RequestMemory;

/// How long to wait after `accept` failed, for example for want of file descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// A listener could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The name of the listener's host has no address.
    #[error(
        "cannot resolve the host '{host}' of listener {listener}: {source}; name an address of this machine in `listeners`"
    )]
    Resolve {
        listener: String,
        host: String,
        source: io::Error,
    },
    /// Another process listens there.
    #[error(
        "cannot listen on {address} ({listener}): the port is taken; stop the process that holds it or choose another port in `listeners`"
    )]
    Taken {
        listener: String,
        address: SocketAddr,
    },
    /// Any other refusal of the operating system.
    #[error("cannot listen on {address} ({listener}): {source}")]
    Refused {
        listener: String,
        address: SocketAddr,
        source: io::Error,
    },
}

/// What a listener needs to know.
#[derive(Clone, Debug)]
pub struct ListenerSettings {
    /// The listener's name, as in `listeners`.
    pub name: String,
    /// Host to bind; empty for every address.
    pub host: String,
    /// Port to bind; 0 for any free one.
    pub port: u16,
    /// `socket.listen.backlog.size`.
    pub backlog: i32,
    /// `socket.request.max.bytes`.
    pub max_request_bytes: usize,
    /// `connections.max.idle.ms`.
    pub max_idle: Duration,
    /// `socket.send.buffer.bytes`, `None` to leave it to the system.
    pub send_buffer_bytes: Option<usize>,
    /// `socket.receive.buffer.bytes`, `None` to leave it to the system.
    pub receive_buffer_bytes: Option<usize>,
}

/// An open listening socket that accepts nothing yet.
pub struct Listener {
    settings: ListenerSettings,
    socket: TcpListener,
    local: SocketAddr,
}

impl Listener {
    /// Opens the socket. Must run inside the runtime.
    pub async fn bind(settings: ListenerSettings) -> Result<Self, BindError> {
        let address = resolve(&settings).await?;
        let socket = open(address, &settings).map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => BindError::Taken {
                listener: settings.name.clone(),
                address,
            },
            _ => BindError::Refused {
                listener: settings.name.clone(),
                address,
                source,
            },
        })?;
        let local = socket.local_addr().map_err(|source| BindError::Refused {
            listener: settings.name.clone(),
            address,
            source,
        })?;
        Ok(Self {
            settings,
            socket,
            local,
        })
    }

    /// The listener's name.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// The bound address, with the port that was given out when 0 was asked for.
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// Accepts until `stop` turns true, then waits for the connections to finish what is in flight.
    pub async fn run(
        self,
        counts: Arc<ConnectionCounts>,
        memory: RequestMemory,
        handler: Arc<dyn RequestHandler>,
        mut stop: watch::Receiver<bool>,
    ) {
        let listener: Arc<str> = self.settings.name.as_str().into();
        let mut connections = JoinSet::new();
        let mut is_failing = false;
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stop.wait_for(|stopped| *stopped) => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => continue,
                accepted = self.socket.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok((stream, peer)) => (stream, canonical(peer)),
                Err(error) => {
                    if !std::mem::replace(&mut is_failing, true) {
                        warn!(%listener, %error, "cannot accept connections, trying again until it works; raise the limit on open files if that is the reason");
                    }
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                    continue;
                }
            };
            is_failing = false;
            let admitted = tokio::select! {
                biased;
                _ = stop.wait_for(|stopped| *stopped) => break,
                admitted = counts.admit(&listener, peer.ip()) => admitted,
            };
            let admission = match admitted {
                Ok(admission) => admission,
                Err(refusal) => {
                    info!(%listener, %peer, "connection refused: {refusal}");
                    continue;
                }
            };
            if let Err(error) = self.tune(&stream) {
                debug!(%listener, %peer, %error, "cannot set socket options");
            }
            let info = ConnectionInfo {
                listener: Arc::clone(&listener),
                peer,
            };
            let settings = ConnectionSettings {
                memory: memory.clone(),
                max_request_bytes: self.settings.max_request_bytes,
                max_idle: self.settings.max_idle,
            };
            let (handler, stop) = (Arc::clone(&handler), stop.clone());
            connections.spawn(async move {
                connection::run(stream, info, settings, handler, stop).await;
                drop(admission);
            });
        }
        drop(self.socket);
        while connections.join_next().await.is_some() {}
    }

    fn tune(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let socket = socket2::SockRef::from(stream);
        socket.set_keepalive(true)?;
        if let Some(size) = self.settings.send_buffer_bytes {
            socket.set_send_buffer_size(size)?;
        }
        Ok(())
    }
}

/// The address to bind: an IPv4 one where a name has both. No host is every address of the machine,
/// IPv6 ones too where it has them.
async fn resolve(settings: &ListenerSettings) -> Result<SocketAddr, BindError> {
    let host = match settings.host.as_str() {
        "" if has_ipv6() => "::",
        "" => "0.0.0.0",
        host => host,
    };
    let failure = |source| BindError::Resolve {
        listener: settings.name.clone(),
        host: host.to_owned(),
        source,
    };
    tokio::net::lookup_host((host, settings.port))
        .await
        .map_err(failure)?
        .min_by_key(SocketAddr::is_ipv6)
        .ok_or_else(|| failure(io::ErrorKind::NotFound.into()))
}

fn has_ipv6() -> bool {
    std::net::UdpSocket::bind("[::1]:0").is_ok()
}

/// An IPv4 address as such, though it came in through an IPv6 socket.
fn canonical(peer: SocketAddr) -> SocketAddr {
    SocketAddr::new(peer.ip().to_canonical(), peer.port())
}

fn open(address: SocketAddr, settings: &ListenerSettings) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    if let Some(size) = settings.receive_buffer_bytes {
        // Set before `listen` so that accepted sockets inherit it and can scale their window.
        socket.set_recv_buffer_size(size)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(settings.backlog)?;
    TcpListener::from_std(socket.into())
}
