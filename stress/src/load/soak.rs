//! People who come and go, for a long time: what a server keeps of those who have gone.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{PEOPLE, Site, name, users};
use crate::Result;
use crate::process::Process;
use crate::site::SECRET;

/// Signs people in, reads their sessions and signs them out, with sessions in SQLite. Fails when the server has more
/// memory at the end than after a third of the time and what chance explains, or when an ended session is shown.
pub(crate) async fn run(seconds: u64, hallpass: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let settings = format!(
        "listen = \"127.0.0.1:0\"\nbase_path = \"/auth\"\nsecret = \"{SECRET}\"\nusers_file = \"users.toml\"\n\n\
         [session]\nstrategy = \"database\"\n\n[rate_limit]\nenabled = false\n"
    );
    std::fs::write(folder.path().join("hallpass.toml"), settings)?;
    std::fs::write(folder.path().join("users.toml"), users(hallpass).await?)?;
    let server = Process::start_program(hallpass, folder.path()).await?;
    let site = Arc::new(Site::open(server.address()).await?);
    let time = Duration::from_secs(seconds.max(3));
    let end = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for number in 0..CONNECTIONS {
        tasks.spawn(come_and_go(Arc::clone(&site), number, end));
    }
    sleep(time / 3).await;
    let early = server.memory().ok_or("the server's memory is not known")?;
    let mut visits = 0;
    for part in tasks.join_all().await {
        visits += part?;
    }
    let late = server.memory().ok_or("the server's memory is not known")?;
    let database = std::fs::metadata(folder.path().join("hallpass.db"))?.len() / 1024;
    println!(
        "{visits} visits in {} s: {early} KiB of memory after a third, {late} KiB at the end, {database} KiB of database",
        time.as_secs()
    );
    server.kill().await?;
    match late > early + early / 4 + BY_CHANCE {
        true => Err("the server keeps something of those who have gone".into()),
        false => Ok(()),
    }
}

/// Returns how many visits there were.
async fn come_and_go(site: Arc<Site>, number: usize, end: Instant) -> Result<u64> {
    let mut connection = site.connect().await?;
    let mut visits = 0;
    while Instant::now() < end {
        let (person, answer) = connection.sign_in(&name(number % PEOPLE)).await?;
        let person = person.ok_or_else(|| format!("nobody signs in: {answer:?}"))?;
        for _ in 0..READS {
            let answer = connection.get("/auth/session", &person.cookie).await?;
            if answer.status != 200 || !answer.body.contains(&person.name) {
                return Err(format!("a session that lives: {answer:?}").into());
            }
        }
        connection.sign_out(&person).await?;
        let answer = connection.get("/auth/session", &person.cookie).await?;
        if answer.body != "null" {
            return Err(format!("a session that has ended: {answer:?}").into());
        }
        visits += 1;
    }
    Ok(visits)
}

const CONNECTIONS: usize = 16;

/// In one visit.
const READS: usize = 20;

/// KiB: passwords that are being checked take 19 MiB each.
const BY_CHANCE: u64 = 48 * 1024;
