//! Keeps the listeners and the limits of connections as the configuration says, from start to stop.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ottla_config::{BrokerConfig, Listener as ConfiguredListener, NetworkConfig};
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::net::{
    BindError, ConnectionCounts, ConnectionLimits, Listener, ListenerLimits, ListenerSet,
    ListenerSettings, RequestHandler, RequestMemory,
};

/// Opens the sockets that the configuration names; they accept nothing yet.
pub async fn bind(config: &BrokerConfig) -> Result<Vec<Listener>, BindError> {
    let mut bound = Vec::new();
    for listener in &config.listeners.listeners {
        bound.push(Listener::bind(settings(config, listener)).await?);
    }
    Ok(bound)
}

/// The sockets of one node and the requests that come in through them.
pub struct Network {
    counts: Arc<ConnectionCounts>,
    listeners: ListenerSet,
}

impl Network {
    /// Serves `bound`. Limits hold before the first connection is accepted.
    pub async fn start(
        bound: Vec<Listener>,
        config: &BrokerConfig,
        handler: Arc<dyn RequestHandler>,
    ) -> Self {
        let memory = RequestMemory::new(
            config
                .network
                .queued_max_request_bytes
                .and_then(|bytes| usize::try_from(bytes).ok()),
        );
        let counts = Arc::new(ConnectionCounts::default());
        counts.set_limits(limits(config).await);
        let mut listeners = ListenerSet::new(Arc::clone(&counts), memory, handler);
        bound
            .into_iter()
            .for_each(|listener| listeners.open(listener));
        Self { counts, listeners }
    }

    /// Follows the configuration until `stop` turns true, then waits until every connection has
    /// finished what is in flight.
    pub async fn run(
        mut self,
        mut configs: watch::Receiver<Arc<BrokerConfig>>,
        mut stop: watch::Receiver<bool>,
    ) {
        loop {
            let config = Arc::clone(&configs.borrow_and_update());
            self.follow(&config).await;
            tokio::select! {
                biased;
                _ = stop.wait_for(|stopped| *stopped) => break,
                Ok(()) = configs.changed() => {}
            }
        }
        self.listeners.close_all().await;
    }

    /// Opens listeners that are new by name and closes those that are gone; those that stay keep
    /// their addresses, as in Kafka.
    async fn follow(&mut self, config: &BrokerConfig) {
        self.counts.set_limits(limits(config).await);
        let configured = &config.listeners.listeners;
        let is_configured = |name: &str| configured.iter().any(|listener| listener.name == name);
        let open: Vec<String> = self.listeners.names().map(str::to_owned).collect();
        for name in open.iter().filter(|name| !is_configured(name)) {
            info!(listener = %name, "this listener is not configured any more: closing it");
            self.listeners.close(name);
        }
        for listener in configured
            .iter()
            .filter(|listener| !open.contains(&listener.name))
        {
            match Listener::bind(settings(config, listener)).await {
                Ok(bound) => {
                    info!(listener = %listener.name, address = %bound.local_address(), "listening");
                    self.listeners.open(bound);
                }
                Err(error) => error!(%error, "a new listener could not be opened"),
            }
        }
    }
}

fn settings(config: &BrokerConfig, listener: &ConfiguredListener) -> ListenerSettings {
    let network = &config.network;
    let idle_ms = u64::try_from(network.connections_max_idle_ms).unwrap_or(u64::from(u32::MAX));
    ListenerSettings {
        name: listener.name.clone(),
        host: listener.host.clone(),
        port: listener.port,
        backlog: network.socket_listen_backlog_size,
        max_request_bytes: usize::try_from(network.socket_request_max_bytes).unwrap_or(0),
        max_idle: Duration::from_millis(idle_ms.min(u64::from(u32::MAX))),
        send_buffer_bytes: network.socket_send_buffer_bytes,
        receive_buffer_bytes: network.socket_receive_buffer_bytes,
    }
}

async fn limits(config: &BrokerConfig) -> ConnectionLimits {
    let network = &config.network;
    let count = |count: i32| usize::try_from(count).unwrap_or(0);
    let of = |max_connections, rate: i32| ListenerLimits {
        max_connections: count(max_connections),
        max_creation_rate: rate.unsigned_abs(),
    };
    let listeners = &config.listeners;
    let is_shared = listeners.listeners.len() == 1;
    ConnectionLimits {
        broker: of(
            network.max_connections,
            network.max_connection_creation_rate,
        ),
        by_listener: network
            .by_listener
            .iter()
            .map(|(name, limits)| {
                (
                    name.clone(),
                    of(limits.max_connections, limits.max_connection_creation_rate),
                )
            })
            .collect(),
        inter_broker_listener: (!is_shared).then(|| listeners.inter_broker_name.clone()),
        max_connections_per_ip: Some(count(network.max_connections_per_ip)),
        per_ip_overrides: resolve(network).await,
    }
}

/// The addresses of the hosts in `max.connections.per.ip.overrides`.
async fn resolve(network: &NetworkConfig) -> HashMap<IpAddr, usize> {
    let mut overrides = HashMap::new();
    for (host, limit) in &network.max_connections_per_ip_overrides {
        match tokio::net::lookup_host((host.as_str(), 0)).await {
            Ok(addresses) => overrides.extend(addresses.map(|address| {
                (
                    address.ip().to_canonical(),
                    usize::try_from(*limit).unwrap_or(0),
                )
            })),
            Err(error) => warn!(
                host,
                %error,
                "this host in max.connections.per.ip.overrides has no address: its limit does not hold"
            ),
        }
    }
    overrides
}
