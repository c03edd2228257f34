//! What came back.

use std::time::{Duration, Instant};

use crate::Result;
use crate::client::{Answer, Connection};
use crate::load::{PEOPLE, Site, name};

/// Answers, by what they were. Anything else is an error.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// How long each look at a session took, in microseconds.
    reads: Vec<u32>,
    sign_ins: u64,
    /// Told to come again: 503 with `Retry-After`.
    shed: u64,
}

impl Tally {
    /// Asks for something: mostly for a session, and once in a hundred signs in. Returns whether the server keeps the
    /// connection.
    ///
    /// # Errors
    /// When the answer is none of those that are right, or there is none.
    pub(super) async fn ask(
        &mut self,
        connection: &mut Connection,
        site: &Site,
        turn: usize,
    ) -> Result<bool> {
        if turn % 100 == 99 {
            return self.sign_in(connection, turn).await;
        }
        let person = site.people.get(turn % PEOPLE).ok_or("nobody is signed in")?;
        let started = Instant::now();
        let answer = connection.get("/auth/session", &person.cookie).await?;
        let took = started.elapsed();
        let stays = stays(&answer);
        if answer.status == 200 && answer.body.contains(&person.name) {
            self.reads.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
            return Ok(stays);
        }
        self.shed(&answer)?;
        Ok(stays)
    }

    async fn sign_in(&mut self, connection: &mut Connection, turn: usize) -> Result<bool> {
        let (person, answer) = connection.sign_in(&name(turn / 100 % PEOPLE)).await?;
        match person {
            Some(_) => self.sign_ins += 1,
            None => self.shed(&answer)?,
        }
        Ok(stays(&answer))
    }

    fn shed(&mut self, answer: &Answer) -> Result<()> {
        if answer.status != 503 || answer.header("retry-after").is_none() {
            return Err(format!("an answer that nobody wants: {answer:?}").into());
        }
        self.shed += 1;
        Ok(())
    }

    pub(super) fn add(&mut self, other: Self) {
        self.reads.extend(other.reads);
        self.sign_ins += other.sign_ins;
        self.shed += other.shed;
    }

    /// How many answers there were.
    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.reads.len()).unwrap_or(u64::MAX) + self.sign_ins + self.shed
    }

    /// Says what there was, in this time.
    pub(super) fn report(&mut self, what: &str, time: Duration) {
        self.reads.sort_unstable();
        let of = |part: usize| {
            let at = self.reads.len().saturating_sub(1) * part / 100;
            f64::from(self.reads.get(at).copied().unwrap_or_default()) / 1000.0
        };
        println!(
            "{what}: {} session reads ({:.0} a second; p50 {:.1} ms, p99 {:.1} ms), {} sign-ins, {} told to come again",
            self.reads.len(),
            self.reads.len() as f64 / time.as_secs_f64(),
            of(50),
            of(99),
            self.sign_ins,
            self.shed
        );
    }
}

fn stays(answer: &Answer) -> bool {
    answer.header("connection") != Some("close")
}
