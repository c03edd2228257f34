//! `kill -9` of the server while people sign up and sign in.

use std::fmt::Write;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use hallpass_sqlx::SqlStore;
use tokio::task::JoinSet;

use crate::Result;
use crate::chaos::{all_are_signed_in, whole};
use crate::client::{Connection, SignedIn};
use crate::process::Process;
use crate::site::SECRET;

pub(crate) async fn rounds(database: &str, url: &str, rounds: u32, hallpass: &Path) -> Result<()> {
    let store = SqlStore::builder(url).secrets([SECRET]).connect().await?;
    store.migrate().await?;
    store.close().await;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("hallpass.toml"), settings(url))?;
    let start = async || Process::start_program(hallpass, folder.path()).await;
    let mut everybody = Vec::new();
    for round in 1..=rounds {
        std::fs::write(folder.path().join("users.toml"), users(round)?)?;
        let people = sign_in_until_killed(round, start().await?).await?;
        let server = start().await?;
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
    let server = start().await?;
    all_are_signed_in(&server, &everybody).await?;
    println!("{database}: {} sign-ins of {rounds} rounds are there", everybody.len());
    server.kill().await
}

/// Those who were told that they are signed in before the server was killed.
async fn sign_in_until_killed(round: u32, server: Process) -> Result<Vec<SignedIn>> {
    let address = server.address();
    let mut tasks = JoinSet::new();
    for number in 0..CONNECTIONS {
        tasks.spawn(sign_in_and_on(address, format!("r{round}c{number}")));
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
async fn sign_in_and_on(address: SocketAddr, prefix: String) -> Vec<SignedIn> {
    let mut signed_in = Vec::new();
    let Ok(mut connection) = Connection::open(address).await else { return signed_in };
    for number in 0.. {
        let number = match number % 3 {
            2 => number - 2,
            _ => number,
        };
        let name = format!("{prefix}n{}", number % NAMES);
        match connection.sign_in(&name).await {
            Ok((Some(person), _)) => signed_in.push(person),
            // Refused for want of time: what counts is what was answered with success.
            Ok((None, _)) => {}
            Err(_) => break,
        }
    }
    signed_in
}

fn settings(url: &str) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\nbase_path = \"/auth\"\nsecret = \"{SECRET}\"\nusers_file = \"users.toml\"\n\n\
         [database]\nurl = \"{url}\"\n"
    )
}

/// People who are in no database yet. Their password is [`PASSWORD`](crate::client::PASSWORD).
fn users(round: u32) -> Result<String> {
    let mut file = String::new();
    for connection in 0..CONNECTIONS {
        for number in 0..NAMES {
            let name = format!("r{round}c{connection}n{number}");
            write!(
                file,
                "[{name}]\npassword = \"{HASH}\"\nname = \"{name}\"\nemail = \"{name}@example.com\"\n\n"
            )?;
        }
    }
    Ok(file)
}

/// Different each time, so that the server dies in the middle of different things.
fn random_pause() -> Duration {
    let random = RandomState::new().build_hasher().finish();
    Duration::from_millis(400) + Duration::from_micros(random % 800_000)
}

const CONNECTIONS: u32 = 32;

/// For each connection in each round.
const NAMES: u32 = 100;

/// Cheap, so that the database is what there is to wait for.
const HASH: &str =
    "$argon2id$v=19$m=1024,t=1,p=1$OehFZP7BaJfFCcFxaclcVw$buloIso1rbLHQZtTEYT8Nm9AWhLRBVIBRtuiHsuV5KU";
