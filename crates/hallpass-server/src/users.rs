//! People who sign in with a name and a password.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use hallpass::{BoxError, Secret, User};

mod file;
mod hash;
mod verifier;

pub(crate) use file::Problem;
use hash::Cost;
pub(crate) use hash::Hash;
pub(crate) use verifier::Verifier;

/// The people of a users file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users {
    /// By the name that they type, in lower case.
    people: HashMap<String, Person>,
    /// How many hashes cost how much.
    costs: BTreeMap<Cost, usize>,
}

/// Somebody with a password.
#[derive(Clone, Debug)]
struct Person {
    user: User,
    hash: Arc<Hash>,
}

impl Users {
    /// Reads a users file.
    ///
    /// # Errors
    /// When it cannot be read, or every mistake in it.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        file::read(path)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    pub(crate) fn has(&self, username: &str) -> bool {
        self.people.contains_key(&username.to_lowercase())
    }

    /// Adds somebody; `false` if the name is taken. Capital and small letters are the same.
    pub(crate) fn add(&mut self, username: &str, user: User, hash: Hash) -> bool {
        *self.costs.entry(hash.cost()).or_default() += 1;
        self.people.insert(username.to_lowercase(), Person { user, hash: Arc::new(hash) }).is_none()
    }

    /// The user, if the password is theirs. A name that nobody has costs as much time as one that somebody has.
    ///
    /// # Errors
    /// When too many passwords are waiting to be checked.
    pub(crate) async fn authorize(
        &self,
        verifier: &Verifier,
        username: &str,
        password: &str,
    ) -> Result<Option<User>, BoxError> {
        if password.len() > LONGEST_PASSWORD || username.len() > LONGEST_USERNAME {
            return Ok(None);
        }
        let person = self.people.get(&username.to_lowercase());
        let hash = person.map_or_else(|| self.decoy(), |person| Arc::clone(&person.hash));
        let is_right = verifier.verify(hash, Secret::from(password)).await?;
        Ok(person.filter(|_| is_right).map(|person| person.user.clone()))
    }

    /// What is checked for a name that nobody has: as costly as most hashes here, and right for no password.
    fn decoy(&self) -> Arc<Hash> {
        let usual = self.costs.iter().max_by_key(|(_, count)| **count).map(|(cost, _)| *cost);
        Arc::new(Hash::decoy(usual.unwrap_or_default()))
    }
}

/// In bytes, as it was typed.
pub(crate) const LONGEST_PASSWORD: usize = 4096;

/// In bytes.
const LONGEST_USERNAME: usize = 1024;

#[cfg(test)]
mod tests;
