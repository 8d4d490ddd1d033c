//! A broker of our own: started on a free port, killed by pid.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::failure::Failure;

/// How long a start, with recovery, may take on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(120);

/// A limit on a node's open files.
#[derive(Clone, Copy, Debug)]
pub enum OpenFiles {
    /// Which the node may raise.
    AtFirst(usize),
    /// Which the node cannot raise.
    AtMost(usize),
}

/// A node that keeps its port and folder over restarts.
pub struct Node {
    program: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
    open_files: Option<OpenFiles>,
}

impl Node {
    /// A node that is not running yet.
    pub fn new(program: &Path) -> Result<Self, Failure> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        Ok(Self {
            program: program.to_owned(),
            folder: tempfile::tempdir()?,
            port,
            child: None,
            open_files: None,
        })
    }

    /// Limits the open files of the next start.
    pub fn limit_open_files(&mut self, limit: OpenFiles) {
        self.open_files = Some(limit);
    }

    /// The program, with its limits.
    fn command(&self) -> Command {
        let limit = match self.open_files {
            None => return Command::new(&self.program),
            Some(OpenFiles::AtFirst(files)) => format!("ulimit -S -n {files}"),
            Some(OpenFiles::AtMost(files)) => format!("ulimit -n {files}"),
        };
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{limit} && exec \"$0\" \"$@\"")]);
        shell.arg(&self.program);
        shell
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Starts it and waits until it is ready.
    pub async fn start(&mut self) -> Result<(), Failure> {
        let mut child = self.spawn()?;
        let out = child
            .stdout
            .take()
            .ok_or(Failure::NotReady(String::new()))?;
        let mut lines = BufReader::new(out).lines();
        let line = timeout(START_DEADLINE, lines.next_line())
            .await
            .map_err(|_| Failure::NotReady(self.log()))??;
        self.child = Some(child);
        match line.is_some_and(|line| line.starts_with("ready ")) {
            true => Ok(()),
            false => Err(Failure::NotReady(self.log())),
        }
    }

    /// Starts it and ends it `after` that, ready or not.
    pub async fn start_and_kill(&mut self, after: Duration) -> Result<(), Failure> {
        self.child = Some(self.spawn()?);
        tokio::time::sleep(after).await;
        self.kill().await
    }

    fn spawn(&self) -> Result<Child, Failure> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))?;
        let child = self
            .command()
            .arg("start")
            .args([
                "--set",
                &format!("listeners=PLAINTEXT://{}", self.address()),
            ])
            .args([
                "--set",
                &format!("log.dirs={}", self.folder.path().join("data").display()),
            ])
            .args([
                "--set",
                "group.initial.rebalance.delay.ms=0",
                "--set",
                "log.segment.bytes=1048576",
                // Checkpoints, flushes and snapshots of the metadata are in the way of the kills, too.
                "--set",
                "log.flush.offset.checkpoint.interval.ms=100",
                "--set",
                "replica.high.watermark.checkpoint.interval.ms=100",
                "--set",
                "log.flush.interval.messages=5000",
                "--set",
                "metadata.log.max.record.bytes.between.snapshots=20000",
            ])
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        Ok(child)
    }

    /// Ends it at once, as `kill -9` does.
    pub async fn kill(&mut self) -> Result<(), Failure> {
        if let Some(mut child) = self.child.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// Stops it cleanly.
    pub async fn stop(&mut self) -> Result<(), Failure> {
        if let Some(mut child) = self.child.take() {
            if let Some(pid) = child.id().and_then(|pid| Pid::from_raw(pid as i32)) {
                kill_process(pid, Signal::TERM).map_err(std::io::Error::from)?;
            }
            let status = timeout(START_DEADLINE, child.wait()).await;
            let status = status.map_err(|_| Failure::Log("it does not stop".to_owned()))??;
            if !status.success() {
                return Err(Failure::Log(format!(
                    "it stopped with {status}: {}",
                    self.log()
                )));
            }
        }
        Ok(())
    }

    /// All that it has logged.
    pub fn whole_log(&self) -> String {
        let log = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The end of what it has logged.
    pub fn log(&self) -> String {
        let log = self.whole_log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}
