//! The server as a process of its own, to be killed.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::Result;
use crate::client::Connection;

pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    /// The site, or `bare`, with a database whose calls may take so long.
    pub(crate) async fn start(kind: &str, url: &str, timeout: Duration) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", kind, url, &timeout.as_millis().to_string()]);
        Self::spawn(command).await
    }

    /// A server none of whose files may grow beyond so many KiB, until [`give_room`](Self::give_room).
    pub(crate) async fn start_limited(url: &str, kib: u32) -> Result<Self> {
        let mut command = Command::new("bash");
        let script = format!("trap '' XFSZ; ulimit -S -f {kib}; exec \"$@\"");
        command
            .args(["-c", &script, "bash"])
            .arg(std::env::current_exe()?)
            .args(["serve", "hallpass", url, "1000"]);
        Self::spawn(command).await
    }

    /// The program `hallpass` with the settings in this folder.
    pub(crate) async fn start_program(program: &Path, folder: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["serve", "--config", "hallpass.toml"]).current_dir(folder).stderr(Stdio::null());
        Self::spawn(command).await
    }

    async fn spawn(mut command: Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let output = child.stdout.take().ok_or("the server has no output")?;
        let line = tokio::time::timeout(PATIENCE, BufReader::new(output).lines().next_line()).await??;
        let line = line.ok_or("the server ended at its start")?;
        // The port alone, or "… is ready at http://localhost:3000".
        let port: u16 = line.rsplit(':').next().unwrap_or_default().trim_end_matches('/').parse()?;
        Ok(Self { child, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn connect(&self) -> Result<Connection> {
        Connection::open(self.address).await
    }

    /// SIGKILL.
    pub(crate) async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// `TERM`, `HUP`.
    pub(crate) async fn signal(&self, name: &str) -> Result<()> {
        let id = self.child.id().ok_or("the server has ended")?.to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status().await?;
        if status.success() { Ok(()) } else { Err(format!("kill -s {name} failed").into()) }
    }

    /// Waits until it has ended by itself, and returns its exit code.
    pub(crate) async fn ended(mut self) -> Result<Option<i32>> {
        Ok(tokio::time::timeout(PATIENCE, self.child.wait()).await??.code())
    }

    pub(crate) async fn give_room(&self) -> Result<()> {
        let id = self.child.id().ok_or("the server has ended")?.to_string();
        let status = Command::new("prlimit").args(["--pid", &id, "--fsize=unlimited"]).status().await?;
        if status.success() { Ok(()) } else { Err("prlimit failed".into()) }
    }

    /// Memory of the process that is not swapped out, in KiB (Linux).
    pub(crate) fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()
    }

    /// Processor time of the process until now, in ticks (Linux).
    pub(crate) fn ticks(&self) -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()?)).ok()?;
        let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
        let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(user + system)
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
