//! How often keys may be asked for out of turn.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::Timestamp;

/// A token that names an unknown key is worth one look at newer keys: the provider may have rotated them. It
/// may also be one of a flood of forgeries, so of the looks that found nothing at most five happen in a minute,
/// the last two of them 15 seconds after the one before: in the middle of a flood an honest rotation is still
/// noticed.
#[derive(Debug, Default)]
pub(super) struct Refetches(Mutex<VecDeque<Timestamp>>);

impl Refetches {
    /// Whether one more may happen now; if so, it counts.
    pub(super) fn allow(&self, now: Timestamp) -> bool {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = |it: &Timestamp| now.millis().saturating_sub(it.millis());
        recent.retain(|it| (0..MINUTE).contains(&since(it)));
        let spaced = recent.back().is_none_or(|it| since(it) >= SPACE);
        if recent.len() >= AT_ONCE && !(recent.len() < IN_A_MINUTE && spaced) {
            return false;
        }
        recent.push_back(now);
        true
    }

    /// The look at that time found the key, so it does not count.
    pub(super) fn forgive(&self, at: Timestamp) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = recent.iter().rposition(|it| *it == at) {
            recent.remove(index);
        }
    }
}

const AT_ONCE: usize = 3;
const IN_A_MINUTE: usize = 5;
/// Milliseconds.
const MINUTE: i64 = 60_000;
/// Milliseconds.
const SPACE: i64 = 15_000;
