//! Running other programs.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How a step ended when it did not fail.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    /// Nothing was checked; the text says why.
    Skipped(String),
}

/// Why a step failed.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// A program that is not installed: a failure where everything is required, else a reason to skip.
pub(crate) fn missing(program: &str) -> Result<Outcome, Failure> {
    if std::env::var_os("HALLPASS_TEST_REQUIRE").is_some_and(|value| value == "all") {
        return Err(Failure::new(format!("{program} not found, and HALLPASS_TEST_REQUIRE=all")));
    }
    Ok(Outcome::Skipped(format!("{program} not found")))
}

/// Shows the command, runs it and wants exit status 0.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    println!("$ {}", shown(command));
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("{} ended with {status}", shown(command))))
}

/// Runs the command, wants exit status 0 and returns what it printed.
pub(crate) fn output_of(command: &mut Command) -> Result<String, Failure> {
    let output = command.output().map_err(|error| not_started(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("{} ended with {}\n{stderr}", shown(command), output.status)))
}

/// Where a program is, looked up in `PATH`.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

/// A program that runs beside us and ends with this value.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    name: String,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Result<Self, Failure> {
        println!("$ {} &", shown(command));
        let child = command.spawn().map_err(|error| not_started(command, &error))?;
        Ok(Self { child, name: shown(command) })
    }

    /// Waits until somebody listens on this port of 127.0.0.1.
    pub(crate) fn wait_until_listening(&mut self, port: u16, limit: Duration) -> Result<(), Failure> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let started = Instant::now();
        while started.elapsed() < limit {
            if let Some(status) = self.child.try_wait()? {
                return Err(Failure::new(format!("{} ended with {status}", self.name)));
            }
            if TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(Failure::new(format!("{} does not listen on {address} after {} s", self.name, limit.as_secs())))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Ports of 127.0.0.1 on which nobody listens at the moment, all different.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N], Failure> {
    let mut listeners = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(ports)
}

fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} did not start: {error}", shown(command)))
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let mut words = vec![name.to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}
