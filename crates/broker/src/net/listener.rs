//! Accepts connections on one named listener.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{debug, warn};

use super::connection::{self, ConnectionInfo, ConnectionSettings, RequestHandler};
use super::limits::ConnectionCounts;

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
    /// `socket.send.buffer.bytes`, `None` for the system's default (-1).
    pub send_buffer_bytes: Option<usize>,
    /// `socket.receive.buffer.bytes`, `None` for the system's default (-1).
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
        let host = if settings.host.is_empty() {
            "0.0.0.0"
        } else {
            settings.host.as_str()
        };
        let resolve = |source| BindError::Resolve {
            listener: settings.name.clone(),
            host: host.to_owned(),
            source,
        };
        let address = tokio::net::lookup_host((host, settings.port))
            .await
            .map_err(resolve)?
            .min_by_key(SocketAddr::is_ipv6)
            .ok_or_else(|| resolve(io::ErrorKind::NotFound.into()))?;
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
        handler: Arc<dyn RequestHandler>,
        mut stop: watch::Receiver<bool>,
    ) {
        let listener: Arc<str> = self.settings.name.as_str().into();
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stop.wait_for(|stopped| *stopped) => break,
                accepted = self.socket.accept() => accepted,
                Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%listener, %error, "cannot accept a connection; raise the limit on open files if it persists");
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                    continue;
                }
            };
            let admission = match counts.admit(peer.ip()) {
                Ok(admission) => admission,
                Err(refusal) => {
                    warn!(%listener, %peer, "connection refused: {refusal}");
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

fn open(address: SocketAddr, settings: &ListenerSettings) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
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
