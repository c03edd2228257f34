//! The disk is full.

use std::time::Duration;

use crate::Result;
use crate::chaos::{all_are_signed_in, whole, works_soon};
use crate::client::SignedIn;
use crate::process::Process;

/// SQLite whose files cannot grow: sign-ups are refused and clearly so, sessions are read on, and nothing is lost.
pub(crate) async fn run(url: &str) -> Result<()> {
    // The tables first: they are all there is room for, and a little more.
    Process::start("hallpass", url, TIMEOUT).await?.kill().await?;
    let server = Process::start_limited(url, ROOM).await?;
    let people = sign_up_until_full(&server).await?;
    all_are_signed_in(&server, &people).await?;
    println!("SQLite: disk full after {} sign-ups; 503 for the next, and everybody is there", people.len());
    server.give_room().await?;
    let person = people.first().ok_or("nobody has signed up")?;
    let newcomer = works_soon(&server, person, "newcomer").await?;
    server.kill().await?;

    let server = Process::start("hallpass", url, TIMEOUT).await?;
    let everybody: Vec<_> = people.into_iter().chain([newcomer]).collect();
    all_are_signed_in(&server, &everybody).await?;
    whole::check(url, &everybody).await?;
    server.kill().await
}

/// Until many are refused, one after the other: now and then there is room for one more.
async fn sign_up_until_full(server: &Process) -> Result<Vec<SignedIn>> {
    let (mut people, mut refused) = (Vec::new(), 0);
    let mut browser = server.connect().await?;
    for number in 0..MANY {
        let (signed_in, answer) = browser.sign_in(&format!("n{number}")).await?;
        refused = if signed_in.is_some() { 0 } else { refused + 1 };
        match signed_in {
            Some(person) => people.push(person),
            None if answer.status != 503 || answer.header("retry-after").is_none() => {
                return Err(format!("a sign-up on a full disk: {answer:?}").into());
            }
            None if refused == REFUSED => return Ok(people),
            None => {}
        }
    }
    Err("the disk is never full".into())
}

const TIMEOUT: Duration = Duration::from_secs(1);

/// KiB for each file.
const ROOM: u32 = 1024;

const MANY: u32 = 100_000;

/// In a row.
const REFUSED: u32 = 20;
