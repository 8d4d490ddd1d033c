//! A client is told the addresses that belong to the listener it came in by.

use ottla_protocol::messages::describe_cluster_request::DescribeClusterRequest;
use ottla_protocol::messages::find_coordinator_request::FindCoordinatorRequest;
use ottla_protocol::messages::metadata_request::MetadataRequest;

use super::harness::{Client, Server};

/// What Metadata, DescribeCluster and FindCoordinator call the broker, which must be the same.
async fn told(client: &mut Client) -> (String, i32) {
    let metadata = client.call(&MetadataRequest::default(), 12).await;
    let [broker] = &metadata.brokers[..] else {
        panic!("one broker, not {:?}", metadata.brokers)
    };
    let request = DescribeClusterRequest {
        endpoint_type: 1,
        ..Default::default()
    };
    let cluster = client.call(&request, 1).await;
    assert_eq!(cluster.brokers.len(), 1);
    let described = (&cluster.brokers[0].host, cluster.brokers[0].port);
    assert_eq!(described, (&broker.host, broker.port));
    let request = FindCoordinatorRequest {
        coordinator_keys: vec!["group".to_owned()],
        ..Default::default()
    };
    let coordinators = client.call(&request, 4).await.coordinators;
    assert_eq!(coordinators[0].error_code, 0);
    let found = (&coordinators[0].host, coordinators[0].port);
    assert_eq!(found, (&broker.host, broker.port));
    (broker.host.clone(), broker.port)
}

fn port(address: &str) -> i32 {
    address.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// Whether this machine has IPv6.
fn has_six() -> bool {
    std::net::UdpSocket::bind("[::1]:0").is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_listener_has_its_advertised_address() {
    let six = if has_six() { "[::1]" } else { "127.0.0.1" };
    let server = Server::start(&[
        "listener.security.protocol.map=INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT,SIX:PLAINTEXT",
        &format!("listeners=INSIDE://127.0.0.1:0,OUTSIDE://0.0.0.0:0,SIX://{six}:0"),
        "advertised.listeners=INSIDE://inside.example:19092,OUTSIDE://outside.example:0,SIX://[2001:db8::1]:9094",
        "inter.broker.listener.name=INSIDE",
    ])
    .await;
    let inside = told(&mut server.connect_to("INSIDE").await).await;
    assert_eq!(inside, ("inside.example".to_owned(), 19092));
    let outside_port = port(&server.address("OUTSIDE"));
    let mut client = Client::connect(&format!("127.0.0.1:{outside_port}")).await;
    let outside = told(&mut client).await;
    assert_eq!(outside, ("outside.example".to_owned(), outside_port));
    let six = told(&mut server.connect_to("SIX").await).await;
    assert_eq!(six, ("2001:db8::1".to_owned(), 9094));
    server.node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_without_a_host_is_reached_by_every_address() {
    let server = Server::start(&["listeners=PLAINTEXT://:0"]).await;
    let port = port(&server.address("PLAINTEXT"));
    let (host, told_port) = told(&mut Client::connect(&format!("127.0.0.1:{port}")).await).await;
    assert_eq!(told_port, port);
    assert!(
        !host.is_empty() && host != "0.0.0.0" && host != "::",
        "{host}"
    );
    if has_six() {
        let over_six = told(&mut Client::connect(&format!("[::1]:{port}")).await).await;
        assert_eq!(over_six, (host, port));
    }
    server.node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_come_and_go_while_the_broker_runs() {
    let server = Server::start(&[
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,EXTRA:PLAINTEXT",
        "advertised.listeners=PLAINTEXT://one.example:1",
    ])
    .await;
    let mut admin = server.connect().await;
    let extra = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let listeners = format!("PLAINTEXT://127.0.0.1:0,EXTRA://{extra}");
    assert_eq!(
        admin
            .set_broker_configs("1", &[("listeners", &listeners)])
            .await,
        0
    );
    let mut client = connect_when_open(&extra.to_string()).await;
    let metadata = client.call(&MetadataRequest::default(), 12).await;
    assert!(
        metadata.brokers.is_empty(),
        "no broker is advertised for the new listener"
    );

    assert_eq!(
        admin
            .set_broker_configs("1", &[("listeners", "PLAINTEXT://127.0.0.1:0")])
            .await,
        0
    );
    client.expect_end().await;
    assert_eq!(told(&mut admin).await, ("one.example".to_owned(), 1));

    // Clients were told of PLAINTEXT: it cannot go.
    let invalid_request = 42;
    let listeners = format!("EXTRA://{extra}");
    assert_eq!(
        admin
            .set_broker_configs("1", &[("listeners", &listeners)])
            .await,
        invalid_request
    );
    server.node.stop().await.unwrap();
}

/// A connection to an address that will be listened on soon.
async fn connect_when_open(address: &str) -> Client {
    super::harness::within(async {
        loop {
            match tokio::net::TcpStream::connect(address).await {
                Ok(_) => return Client::connect(address).await,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await
}
