//! Whether requests can be answered.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::storage::Storage;

/// Asks the store, at most once at a time and once in a second, however many ask whether it answers.
#[derive(Debug, Default)]
pub(super) struct Readiness(Mutex<Option<(Instant, bool)>>);

impl Readiness {
    /// Whether the store answers, within the time-out that it has.
    pub(super) async fn of(&self, storage: &Storage) -> bool {
        let mut known = self.0.lock().await;
        match *known {
            Some((when, answers)) if when.elapsed() < COUNTS_FOR => answers,
            _ => {
                let answers = storage.answers().await;
                *known = Some((Instant::now(), answers));
                answers
            }
        }
    }
}

const COUNTS_FOR: Duration = Duration::from_secs(1);
