//! What the APIs of consumer groups have in common: how to ask the coordinator, and which topics exist.

use std::net::{IpAddr, SocketAddr};

use ottla_groups::{Decision, FailureReply, GroupShard, RequestContext as GroupContext};
use ottla_metadata::{MetadataImage, TopicImage};
use ottla_protocol::{ErrorCode, Uuid};

use super::{Reply, RequestContext};
use crate::coordinator_host::{Asker, Outcome, Parkable};

/// First version of OffsetCommit and of OffsetFetch that names topics by their ids (KIP-848).
pub(super) const FIRST_VERSION_WITH_TOPIC_IDS: i16 = 10;

/// Asks the shard of `group_id`, which answers at once.
pub(super) fn decide<R: FailureReply>(
    context: &RequestContext,
    group_id: &str,
    decide: impl FnOnce(&GroupShard, &GroupContext<'_>) -> Decision<R>,
) -> Result<R, ErrorCode> {
    let client_host = client_host(context.connection.peer);
    context
        .broker
        .groups
        .decide(asker(context, &client_host), group_id, decide)
}

/// Asks the shard of `group_id`, which may answer when the group has moved on. `refuse` makes the
/// answer when the shard is elsewhere, is loading, or goes away before it has answered.
pub(super) fn decide_or_park<R: FailureReply + Parkable>(
    context: &RequestContext,
    group_id: &str,
    decide: impl FnOnce(&GroupShard, &GroupContext<'_>) -> Decision<R>,
    refuse: impl FnOnce(ErrorCode) -> R + Send + 'static,
) -> Reply<R> {
    let client_host = client_host(context.connection.peer);
    match context
        .broker
        .groups
        .decide_or_park(asker(context, &client_host), group_id, decide)
    {
        Err(code) => Reply::Now(refuse(code)),
        Ok(Outcome::Now(response)) => Reply::Now(response),
        Ok(Outcome::Parked(receiver)) => Reply::later(async move {
            let parked = receiver.await.ok().and_then(R::from_parked);
            parked.unwrap_or_else(|| refuse(ErrorCode::NotCoordinator))
        }),
    }
}

fn asker<'a>(context: &'a RequestContext, client_host: &'a str) -> Asker<'a> {
    Asker {
        api_version: context.version,
        client_id: &context.client_id,
        client_host,
    }
}

/// The peer's address as Java's `InetAddress` prints it: a slash, and IPv6 without `::`.
fn client_host(peer: SocketAddr) -> String {
    match peer.ip().to_canonical() {
        IpAddr::V4(address) => format!("/{address}"),
        IpAddr::V6(address) => {
            let [a, b, c, d, e, f, g, h] = address.segments();
            format!("/{a:x}:{b:x}:{c:x}:{d:x}:{e:x}:{f:x}:{g:x}:{h:x}")
        }
    }
}

/// The topic that a request of `version` names by its id or by its name; adds the one that the
/// version lacks.
pub(super) fn resolve_topic<'a>(
    image: &'a MetadataImage,
    version: i16,
    name: &mut String,
    topic_id: &mut Uuid,
) -> Result<&'a TopicImage, ErrorCode> {
    if version >= FIRST_VERSION_WITH_TOPIC_IDS {
        let topic = image
            .topics()
            .by_id(*topic_id)
            .ok_or(ErrorCode::UnknownTopicId)?;
        *name = topic.name.to_string();
        return Ok(topic);
    }
    let topic = image
        .topics()
        .by_name(name)
        .ok_or(ErrorCode::UnknownTopicOrPartition)?;
    *topic_id = topic.id;
    Ok(topic)
}

#[cfg(test)]
mod tests {
    use super::client_host;

    #[test]
    fn hosts_are_printed_as_java_does() {
        let check = |peer: &str, expected: &str| {
            assert_eq!(client_host(peer.parse().expect("an address")), expected);
        };
        check("127.0.0.1:9092", "/127.0.0.1");
        check("[::1]:9092", "/0:0:0:0:0:0:0:1");
        check("[2001:db8::a]:1", "/2001:db8:0:0:0:0:0:a");
        check("[::ffff:10.0.0.7]:1", "/10.0.0.7");
    }
}
