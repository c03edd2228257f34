//! How often something may happen, counted for each key by itself.

use std::hash::{BuildHasher, Hash, RandomState};
use std::time::{Duration, Instant};

use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

/// So many in so much time: as many at once, and then one whenever a part of the time has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) count: u32,
    pub(crate) window: Duration,
}

impl Rate {
    /// How long until one comes back.
    fn interval(self) -> Duration {
        self.window / self.count.max(1)
    }
}

/// The counts for all keys. Of a key nothing is kept but its hash, and only for as long as it matters; of too many keys
/// those go first that nobody has used for longest.
#[derive(Debug)]
pub(super) struct Counts {
    rate: Rate,
    /// When each of them will be as good as new.
    full_at: Cache<u64, Instant>,
    hash: RandomState,
}

impl Counts {
    pub(super) fn new(rate: Rate) -> Self {
        Self::with_room(rate, MOST_KEYS)
    }

    fn with_room(rate: Rate, most_keys: u64) -> Self {
        let full_at = Cache::builder()
            .max_capacity(most_keys)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(rate.window)
            .build();
        Self { rate, full_at, hash: RandomState::new() }
    }

    pub(super) fn window(&self) -> Duration {
        self.rate.window
    }

    pub(super) fn key(&self, of: impl Hash) -> u64 {
        self.hash.hash_one(of)
    }

    /// Counts one more.
    ///
    /// # Errors
    /// How long to wait, where there were too many; then it is not counted.
    pub(super) fn take(&self, key: u64, now: Instant) -> Result<(), Duration> {
        let mut result = Ok(());
        self.full_at.entry(key).and_compute_with(|entry| {
            let full_at = entry.map_or(now, |entry| entry.into_value().max(now));
            let after = full_at + self.rate.interval();
            let excess = after.duration_since(now).saturating_sub(self.rate.window);
            // What is lost in the division must not take one away.
            if excess > Duration::from_micros(1) {
                result = Err(excess);
                return Op::Put(full_at);
            }
            Op::Put(after)
        });
        result
    }

    /// It did not happen after all. A key that is as good as new goes, so that nobody makes room by what does not
    /// count.
    pub(super) fn give_back(&self, key: u64) {
        self.full_at.entry(key).and_compute_with(|entry| {
            let Some(entry) = entry else { return Op::Nop };
            match entry.into_value().checked_sub(self.rate.interval()) {
                Some(full_at) if full_at > Instant::now() => Op::Put(full_at),
                _ => Op::Remove,
            }
        });
    }
}

/// For each limit. An entry takes about 200 bytes.
const MOST_KEYS: u64 = 100_000;

#[cfg(test)]
mod tests;
