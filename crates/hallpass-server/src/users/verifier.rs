//! Checks passwords beside the requests: a few at a time, off the threads that answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use argon2::Block;
use hallpass::{BoxError, Error, ErrorKind, Secret};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Hash;

/// As many passwords at once as there are processors; whoever waits too long is told to come again.
#[derive(Clone, Debug)]
pub(crate) struct Verifier {
    places: Arc<Semaphore>,
    /// How many places there are.
    count: usize,
    /// Memory that is not in use now, while other passwords are being checked. An allocator would keep far more.
    memory: Arc<Mutex<Vec<Memory>>>,
    patience: Duration,
}

/// What Argon2 works in.
pub(super) type Memory = Vec<Block>;

impl Verifier {
    pub(crate) fn new() -> Self {
        Self::with_places(thread::available_parallelism().map_or(1, usize::from))
    }

    fn with_places(count: usize) -> Self {
        let places = Arc::new(Semaphore::new(count));
        Self { places, count, memory: Arc::default(), patience: Duration::from_secs(2) }
    }

    /// Whether this is the password.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when there was no place in time, or no memory.
    pub(super) async fn verify(&self, hash: Arc<Hash>, password: Secret) -> Result<bool, BoxError> {
        let place = timeout(self.patience, Arc::clone(&self.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(unavailable("too many passwords are being checked"));
        };
        let verifier = self.clone();
        let checked = spawn_blocking(move || {
            let mut memory = verifier.unused_memory().pop().unwrap_or_default();
            let is_right = hash.verify(password.expose(), &mut memory);
            verifier.unused_memory().push(memory);
            // Kept until the work is done, even if the request has gone.
            drop(place);
            verifier.rest();
            is_right
        });
        match checked.await {
            Ok(Ok(is_right)) => Ok(is_right),
            Ok(Err(_)) | Err(_) => Err(unavailable("the password could not be checked")),
        }
    }

    /// Gives all memory back when no password is being checked.
    fn rest(&self) {
        if self.places.available_permits() == self.count {
            self.unused_memory().clear();
        }
    }

    fn unused_memory(&self) -> MutexGuard<'_, Vec<Memory>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unavailable(message: &'static str) -> BoxError {
    Box::new(Error::new(ErrorKind::Unavailable, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::hash::Cost;

    #[tokio::test(start_paused = true)]
    async fn whoever_finds_no_place_in_time_is_told_to_come_again() {
        let error = check(&Verifier::with_places(0)).await.unwrap_err();
        assert_eq!(error.downcast_ref::<Error>().map(Error::kind), Some(ErrorKind::Unavailable));
    }

    #[tokio::test]
    async fn many_at_once_are_checked_one_after_the_other_in_the_same_memory() {
        let verifier = Verifier::with_places(1);
        let held = Arc::clone(&verifier.places).acquire_owned().await.unwrap();
        let all: Vec<_> = (0..20)
            .map(|_| {
                let verifier = verifier.clone();
                tokio::spawn(async move { check(&verifier).await.unwrap() })
            })
            .collect();
        drop(held);
        for checked in all {
            assert!(!checked.await.unwrap());
            assert!(verifier.unused_memory().len() <= 1);
        }
    }

    #[tokio::test]
    async fn no_memory_is_kept_when_nobody_signs_in() {
        let verifier = Verifier::with_places(2);
        check(&verifier).await.unwrap();
        assert!(verifier.unused_memory().is_empty());
    }

    async fn check(verifier: &Verifier) -> Result<bool, BoxError> {
        let hash = Hash::decoy(Cost { memory: 8, passes: 1, lanes: 1 });
        verifier.verify(Arc::new(hash), Secret::from("demo")).await
    }
}
