//! Servers that are killed, databases that go away, disks that are full.

mod full;
mod kill;
mod outage;
mod whole;

use std::path::Path;
use std::time::{Duration, Instant};

use test_servers::{Durability, Kind, Server};

use crate::Result;
use crate::client::SignedIn;
use crate::process::Process;

/// Every scenario; the program `hallpass` is killed so many times on each database.
pub(crate) async fn run(rounds: u32, hallpass: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("kill.db").display());
    kill::rounds("SQLite", &url, rounds, hallpass).await?;
    full::run(&format!("sqlite:{}", folder.path().join("full.db").display())).await?;
    let Some(server) = Server::start(Kind::Postgres, Durability::Lasting) else { return Ok(()) };
    kill::rounds("PostgreSQL", &server.database().url, rounds, hallpass).await?;
    outage::run(&server).await
}

/// Wants the session of each to be there.
async fn all_are_signed_in(server: &Process, people: &[SignedIn]) -> Result<()> {
    let mut browser = server.connect().await?;
    for SignedIn { name, cookie } in people {
        let answer = browser.get("/auth/session", cookie).await?;
        if answer.status != 200 || !answer.body.contains(&format!("\"name\":\"{name}\"")) {
            return Err(format!("{name} was signed in, and now: {answer:?}").into());
        }
    }
    Ok(())
}

/// Wants somebody's session to be read and somebody new to sign up, both within [`SOON`].
async fn works_soon(server: &Process, person: &SignedIn, newcomer: &str) -> Result<SignedIn> {
    let started = Instant::now();
    loop {
        let answer = server.connect().await?.get("/private", &person.cookie).await?;
        let (signed_in, sign_up) = server.connect().await?.sign_in(newcomer).await?;
        if let (200, Some(newcomer)) = (answer.status, signed_in) {
            println!("  works again after {} ms", started.elapsed().as_millis());
            return Ok(newcomer);
        }
        if started.elapsed() > SOON {
            return Err(format!("after {SOON:?}: {answer:?}, {sign_up:?}").into());
        }
    }
}

/// After what was in the way is gone.
const SOON: Duration = Duration::from_secs(2);
