//! `GET /session` beside an axum handler that makes one indexed read through the same pool.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Result;
use crate::client::Connection;
use crate::process::Process;
use crate::stores::percentile;

/// In turns of a few, so that both have the same of what else the machine does.
pub(crate) async fn run(name: &str, url: &str, seconds: f64) -> Result<()> {
    let hallpass = Process::start("hallpass", url, PATIENCE).await?;
    let bare = Process::start("bare", url, PATIENCE).await?;
    let (person, _) = hallpass.connect().await?.sign_in("ada").await?;
    let cookie = person.ok_or("nobody signs in")?.cookie;
    let turn = Duration::try_from_secs_f64(seconds / f64::from(TURNS))?;
    let (mut ours, mut theirs) = (Load::default(), Load::default());
    // Not counted: connections are opened.
    for server in [&hallpass, &bare] {
        load(server, &cookie, Duration::from_millis(300)).await?;
    }
    for _ in 0..TURNS {
        ours.add(load(&hallpass, &cookie, turn).await?);
        theirs.add(load(&bare, &cookie, turn).await?);
    }
    for (server, load) in [("GET /session", &ours), ("bare", &theirs)] {
        println!(
            "{name}: {server:<13} {:>6.0} requests/s, p50 {} µs, p99 {} µs, CPU {:.0} µs/request",
            load.rate(),
            percentile(load.took.clone(), 50).as_micros(),
            percentile(load.took.clone(), 99).as_micros(),
            load.cpu()
        );
    }
    println!(
        "{name}: {:.2} x bare by requests/s, {:.2} by CPU",
        ours.rate() / theirs.rate(),
        theirs.cpu() / ours.cpu()
    );
    hallpass.kill().await?;
    bare.kill().await
}

#[derive(Default)]
struct Load {
    took: Vec<Duration>,
    elapsed: Duration,
    ticks: u64,
}

impl Load {
    fn add(&mut self, other: Self) {
        self.took.extend(other.took);
        self.elapsed += other.elapsed;
        self.ticks += other.ticks;
    }

    fn count(&self) -> f64 {
        u32::try_from(self.took.len()).map_or(0.0, f64::from)
    }

    fn rate(&self) -> f64 {
        self.count() / self.elapsed.as_secs_f64()
    }

    /// Processor time of the server for each request, in µs. A tick is 10 ms.
    fn cpu(&self) -> f64 {
        u32::try_from(self.ticks).map_or(0.0, f64::from) * 10_000.0 / self.count()
    }
}

async fn load(server: &Process, cookie: &str, limit: Duration) -> Result<Load> {
    let (started, ticks) = (Instant::now(), server.ticks());
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        tasks.spawn(ask_until(server.connect().await?, cookie.to_owned(), started + limit));
    }
    let mut took = Vec::new();
    while let Some(task) = tasks.join_next().await {
        took.extend(task??);
    }
    let ticks = server.ticks().zip(ticks).map_or(0, |(after, before)| after.saturating_sub(before));
    Ok(Load { took, elapsed: started.elapsed(), ticks })
}

async fn ask_until(mut browser: Connection, cookie: String, end: Instant) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    loop {
        let started = Instant::now();
        if started >= end {
            return Ok(took);
        }
        let answer = browser.get("/auth/session", &cookie).await?;
        took.push(started.elapsed());
        if answer.status != 200 || !answer.body.contains("\"name\":\"ada\"") {
            return Err(format!("a session under load: {answer:?}").into());
        }
    }
}

const CONNECTIONS: u32 = 32;

const TURNS: u32 = 8;

const PATIENCE: Duration = Duration::from_secs(5);
