//! `kill -9` of the server while people sign up and sign in.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::task::JoinSet;

use crate::Result;
use crate::chaos::{all_are_signed_in, whole};
use crate::client::{Connection, SignedIn};
use crate::process::Process;

pub(crate) async fn rounds(database: &str, url: &str, rounds: u32) -> Result<()> {
    let mut everybody = Vec::new();
    for round in 1..=rounds {
        let people = round_of(round, url).await?;
        let server = Process::start("hallpass", url).await?;
        all_are_signed_in(&server, &people).await?;
        whole::check(url, &people).await?;
        println!(
            "{database}: killed, round {round}: {} sign-ins, all there, nothing half-written",
            people.len()
        );
        everybody.extend(people);
        server.kill().await?;
    }
    // What one round has written the next one must not have undone.
    let server = Process::start("hallpass", url).await?;
    all_are_signed_in(&server, &everybody).await?;
    println!("{database}: {} sign-ins of {rounds} rounds are there", everybody.len());
    server.kill().await
}

/// Those who were told that they are signed in before the server was killed.
async fn round_of(round: u32, url: &str) -> Result<Vec<SignedIn>> {
    let server = Process::start("hallpass", url).await?;
    let address = server.address();
    let mut tasks = JoinSet::new();
    for number in 0..CONNECTIONS {
        tasks.spawn(sign_in_until_killed(address, format!("r{round}c{number}")));
    }
    tokio::time::sleep(random_pause()).await;
    server.kill().await?;
    let people: Vec<SignedIn> = tasks.join_all().await.into_iter().flatten().collect();
    if people.is_empty() {
        Err("the server was killed before anybody had signed in".into())
    } else {
        Ok(people)
    }
}

/// Two new people, then the first of them once more, and so on.
async fn sign_in_until_killed(address: SocketAddr, prefix: String) -> Vec<SignedIn> {
    let mut signed_in = Vec::new();
    let Ok(mut connection) = Connection::open(address).await else { return signed_in };
    for number in 0.. {
        let name = match number % 3 {
            2 => format!("{prefix}n{}", number - 2),
            _ => format!("{prefix}n{number}"),
        };
        match connection.sign_in(&name).await {
            Ok((Some(person), _)) => signed_in.push(person),
            // Refused for want of time: what counts is what was answered with success.
            Ok((None, _)) => {}
            Err(_) => break,
        }
    }
    signed_in
}

/// Different each time, so that the server dies in the middle of different things.
fn random_pause() -> Duration {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    Duration::from_millis(400) + Duration::from_micros(u64::from(nanos % 800_000))
}

const CONNECTIONS: u32 = 32;
