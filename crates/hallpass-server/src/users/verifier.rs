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
        let check = move |memory: &mut Memory| hash.verify(password.expose(), memory);
        match self.in_turn(check).await? {
            Some(Ok(is_right)) => Ok(is_right),
            Some(Err(_)) | None => Err(unavailable("the password could not be checked")),
        }
    }

    /// Does this when there is a place for it. `None` if it panicked.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<Option<T>, BoxError> {
        let place = timeout(self.patience, Arc::clone(&self.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(unavailable("too many passwords are being checked"));
        };
        let verifier = self.clone();
        let working = spawn_blocking(move || {
            let mut memory = verifier.unused_memory().pop().unwrap_or_default();
            let done = work(&mut memory);
            verifier.unused_memory().push(memory);
            // Kept until the work is done, even if the request has gone.
            drop(place);
            verifier.rest();
            done
        });
        Ok(working.await.ok())
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::mpsc;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::users::hash::Cost;

    #[tokio::test(start_paused = true)]
    async fn whoever_finds_no_place_in_time_is_told_to_come_again() {
        let error = check(&Verifier::with_places(0)).await.unwrap_err();
        assert_eq!(error.downcast_ref::<Error>().map(Error::kind), Some(ErrorKind::Unavailable));
    }

    #[tokio::test(start_paused = true)]
    async fn of_five_hundred_at_once_as_many_are_checked_as_there_are_places_and_the_rest_is_told_to_come_again()
     {
        const PLACES: usize = 4;
        let verifier = Verifier::with_places(PLACES);
        let (begun, mut begins) = mpsc::unbounded_channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let released = Arc::new(Mutex::new(released));
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let check = || {
            let (verifier, begun, released) = (verifier.clone(), begun.clone(), Arc::clone(&released));
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            async move {
                let work = move |_: &mut Memory| {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    begun.send(()).unwrap();
                    released.lock().unwrap().recv().unwrap();
                    running.fetch_sub(1, Ordering::SeqCst);
                };
                verifier.in_turn(work).await
            }
        };
        let all: Vec<_> = (0..500).map(|_| tokio::spawn(check())).collect();
        // There is one thread for all of them, and it goes on.
        for _ in 0..PLACES {
            begins.recv().await.unwrap();
        }
        everybody_has_had_a_turn().await;
        tokio::time::advance(verifier.patience).await;
        everybody_has_had_a_turn().await;
        let (turned_away, mut held): (Vec<_>, Vec<_>) = all.into_iter().partition(JoinHandle::is_finished);
        assert_eq!((turned_away.len(), held.len()), (500 - PLACES, PLACES));
        for check in turned_away {
            let error = check.await.unwrap().unwrap_err();
            assert_eq!(error.downcast_ref::<Error>().map(Error::kind), Some(ErrorKind::Unavailable));
        }
        // A request that goes away makes no room: its password is still being checked.
        held.pop().unwrap().abort();
        everybody_has_had_a_turn().await;
        assert_eq!(verifier.places.available_permits(), 0);
        for _ in 0..=PLACES {
            release.send(()).unwrap();
        }
        for check in held {
            assert_eq!(check.await.unwrap().unwrap(), Some(()));
        }
        check().await.unwrap();
        assert_eq!(most.load(Ordering::SeqCst), PLACES);
    }

    /// Also where the runtime looks after other things now and then.
    async fn everybody_has_had_a_turn() {
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
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
