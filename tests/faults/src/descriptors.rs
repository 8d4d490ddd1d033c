//! Open files: a broker raises its limit by itself, and goes on when even that is used up.

use std::path::Path;
use std::time::Duration;

use ottla_client::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::failure::Failure;
use crate::node::{Node, OpenFiles};

/// The limit on open files: a broker with its own files and some connections fits into it.
const FEW_FILES: usize = 100;
/// Connections that are held open: more than the limit takes, and not more than wait to be accepted.
const CONNECTIONS: usize = FEW_FILES + 10;
/// How long anything may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// ApiVersions at version 0, without a client id.
const API_VERSIONS: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];

/// Opens more connections than the broker may have files. What was checked.
pub async fn run(program: &Path) -> Result<String, Failure> {
    let mut node = Node::new(program)?;
    node.limit_open_files(OpenFiles::AtFirst(FEW_FILES));
    node.start().await?;
    for connection in &mut open_all(&node).await? {
        served(connection).await?;
    }
    node.kill().await?;

    let mut node = Node::new(program)?;
    node.limit_open_files(OpenFiles::AtMost(FEW_FILES));
    node.start().await?;
    let connections = open_all(&node).await?;
    let told = async {
        while !node.log().contains("cannot accept connections") {
            sleep(LOOK_INTERVAL).await;
        }
    };
    if timeout(DEADLINE, told).await.is_err() {
        return Err(Failure::NotReady(node.log()));
    }
    drop(connections);
    let mut client = Client::new(&node.address(), "faults", DEADLINE);
    client.metadata(Some(&[])).await?;
    node.kill().await?;
    Ok(format!(
        "{CONNECTIONS} connections with {FEW_FILES} open files"
    ))
}

async fn open_all(node: &Node) -> Result<Vec<TcpStream>, Failure> {
    let mut connections = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        connections.push(TcpStream::connect(node.address()).await?);
    }
    Ok(connections)
}

/// Waits for the answer to a request.
async fn served(connection: &mut TcpStream) -> Result<(), Failure> {
    connection.write_all(&API_VERSIONS).await?;
    let answer = timeout(DEADLINE, connection.read_u32()).await;
    answer.map_err(std::io::Error::from)??;
    Ok(())
}
