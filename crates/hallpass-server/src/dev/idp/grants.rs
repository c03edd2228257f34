//! What was granted: codes, access tokens and refresh tokens, in memory.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hallpass::providers::Spec;

use super::fault::Fault;
use super::people::Answers;

/// Somebody who signed in here.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) spec: &'static Spec,
    pub(super) answers: Answers,
    pub(super) redirect_uri: String,
    /// Of PKCE, S256 (RFC 7636 §4.2).
    pub(super) challenge: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) scope: String,
    /// What shall go wrong.
    pub(super) fault: Option<Fault>,
}

/// All that were granted lately.
#[derive(Debug, Default)]
pub(super) struct Grants {
    pub(super) codes: Tokens,
    pub(super) access: Tokens,
    pub(super) refresh: Tokens,
    /// Provider and id of the people who have come through before.
    pub(super) met: HashSet<(&'static str, String)>,
}

/// Tokens of one kind, oldest first.
#[derive(Debug, Default)]
pub(super) struct Tokens(VecDeque<(String, Instant, Arc<Grant>)>);

impl Tokens {
    pub(super) fn insert(&mut self, token: String, grant: Arc<Grant>) {
        self.0.push_back((token, Instant::now(), grant));
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// What the token stands for, if it is younger than `age`.
    pub(super) fn get(&self, token: &str, age: Duration) -> Option<Arc<Grant>> {
        let (_, at, grant) = self.0.iter().find(|(known, ..)| known == token)?;
        (at.elapsed() < age).then(|| Arc::clone(grant))
    }

    /// The same, and the token is gone.
    pub(super) fn take(&mut self, token: &str, age: Duration) -> Option<Arc<Grant>> {
        let at = self.0.iter().position(|(known, ..)| known == token)?;
        let (_, at, grant) = self.0.remove(at)?;
        (at.elapsed() < age).then_some(grant)
    }
}

const MOST: usize = 1000;
