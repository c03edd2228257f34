//! The program `hallpass` with all that it can take, and more.

mod crowd;
mod drain;
mod saturation;
pub(crate) mod soak;
mod tally;

use std::fmt::Write;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::Result;
use crate::client::{Connection, PASSWORD, SignedIn};
use crate::process::Process;
use crate::site::SECRET;

/// Saturation for so many seconds, then a crowd of idle and slow connections for as long, then the end of a server that
/// is busy.
pub(crate) async fn run(seconds: u64, hallpass: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("hallpass.toml"), settings())?;
    std::fs::write(folder.path().join("users.toml"), users(hallpass).await?)?;
    let server = Process::start_program(hallpass, folder.path()).await?;
    let site = Arc::new(Site::open(server.address()).await?);
    let all = Duration::from_secs(seconds.max(3));
    saturation::run(&site, all).await?;
    crowd::run(&server, &site, all).await?;
    drain::run(server, &site, all.min(BUSY)).await
}

/// What all connections share.
struct Site {
    address: SocketAddr,
    /// Their sessions are tokens: many connections may show the same.
    people: Vec<SignedIn>,
    csrf: (String, String),
}

impl Site {
    /// Everybody signs in, once.
    async fn open(address: SocketAddr) -> Result<Self> {
        let mut connection = Connection::open(address).await?;
        let csrf = connection.csrf().await?;
        let mut people = Vec::new();
        for number in 0..PEOPLE {
            let (person, answer) = connection.sign_in(&name(number)).await?;
            people.push(person.ok_or_else(|| format!("{}: {answer:?}", name(number)))?);
        }
        Ok(Self { address, people, csrf })
    }

    async fn connect(&self) -> Result<Connection> {
        Ok(Connection::open(self.address).await?.with_csrf(self.csrf.clone()))
    }
}

fn settings() -> String {
    format!(
        "listen = \"127.0.0.1:0\"\nbase_path = \"/auth\"\nsecret = \"{SECRET}\"\nusers_file = \"users.toml\"\n\n\
         [session]\nstrategy = \"jwt\"\n\n\
         [rate_limit]\nenabled = false\n\n\
         [limits]\nconnections = {MOST_CONNECTIONS}\n"
    )
}

/// Passwords as people have them: checking one takes as long as it takes.
async fn users(hallpass: &Path) -> Result<String> {
    let mut command = Command::new(hallpass);
    command.args(["user", "nobody"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    child.stdin.take().ok_or("no stdin")?.write_all(PASSWORD.as_bytes()).await?;
    let entry = String::from_utf8(child.wait_with_output().await?.stdout)?;
    let (_, entry) = entry.split_once("[nobody]").ok_or("hallpass user printed no entry")?;
    let mut file = String::new();
    for number in 0..PEOPLE {
        let name = name(number);
        write!(file, "[{name}]{entry}\nname = \"{name}\"\nemail = \"{name}@example.com\"\n\n")?;
    }
    Ok(file)
}

fn name(number: usize) -> String {
    format!("person{number}")
}

/// How many of so many connections this process may open: what the system allows, and room for the rest.
fn that_fit(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let most = if raised.is_ok() { limit.maximum } else { limit.current };
    let most = most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let fit = wanted.min(most.saturating_sub(OTHER_FILES));
    if fit < wanted {
        println!(
            "  {fit} connections in place of {wanted}: this machine lets a process open {most} files (ulimit -n)"
        );
    }
    fit
}

/// Whether there is no such server any more, or not yet.
fn is_refused(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// At once, in the scenarios that saturate the server.
const CONNECTIONS: usize = 512;

/// Those of a crowd, and of others beside it: nobody has to make room.
const MOST_CONNECTIONS: usize = 12_000;

const PEOPLE: usize = 8;

/// How long a server is busy before it is to end.
const BUSY: Duration = Duration::from_secs(10);

/// Files of the runtime, pipes, and the connections of [`CONNECTIONS`].
const OTHER_FILES: usize = CONNECTIONS + 200;
