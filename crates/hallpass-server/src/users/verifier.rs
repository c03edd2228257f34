//! Checks passwords beside the requests: a few at a time, off the threads that answer.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use hallpass::{BoxError, Error, ErrorKind, Secret};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Hash;

/// As many passwords at once as there are processors; whoever waits too long is told to come again.
#[derive(Clone, Debug)]
pub(crate) struct Verifier {
    places: Arc<Semaphore>,
    patience: Duration,
}

impl Verifier {
    pub(crate) fn new() -> Self {
        let places = thread::available_parallelism().map_or(1, usize::from);
        Self { places: Arc::new(Semaphore::new(places)), patience: Duration::from_secs(2) }
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
        let checked = spawn_blocking(move || {
            // Kept until the work is done, even if the request has gone.
            let _place = place;
            hash.verify(password.expose())
        });
        match checked.await {
            Ok(Ok(is_right)) => Ok(is_right),
            Ok(Err(_)) | Err(_) => Err(unavailable("the password could not be checked")),
        }
    }
}

fn unavailable(message: &'static str) -> BoxError {
    Box::new(Error::new(ErrorKind::Unavailable, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_finds_no_place_in_time_is_told_to_come_again() {
        let verifier = Verifier { places: Arc::new(Semaphore::new(0)), patience: Duration::from_secs(2) };
        let hash = Arc::new(Hash::decoy(super::super::hash::Cost::default()));
        let error = verifier.verify(hash, Secret::from("demo")).await.unwrap_err();
        assert_eq!(error.downcast_ref::<Error>().map(Error::kind), Some(ErrorKind::Unavailable));
    }
}
