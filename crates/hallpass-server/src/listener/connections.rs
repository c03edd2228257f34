//! All connections: how many there may be, and who has to go when one more comes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::visit::{Phase, Times, Visit};

/// Open connections, at most so many. When one more comes, those that have waited longest without a request that is
/// being answered are closed: whoever holds connections only makes them shorter.
#[derive(Debug)]
pub(crate) struct Connections {
    most: usize,
    times: Times,
    open: Mutex<HashMap<u64, Arc<Visit>>>,
    next: AtomicU64,
    closed_for_others: AtomicU64,
}

impl Connections {
    pub(crate) fn new(most: usize, times: Times) -> Arc<Self> {
        Arc::new(Self {
            most,
            times,
            open: Mutex::default(),
            next: AtomicU64::new(0),
            closed_for_others: AtomicU64::new(0),
        })
    }

    /// A place for a new connection. `None` when a request is being answered on each of the others.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut open = self.open();
        if open.len() >= self.most {
            self.close_some(&mut open);
        }
        if open.len() >= self.most {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let visit = Arc::new(Visit::new(self.times));
        open.insert(number, Arc::clone(&visit));
        Some(Place { connections: Arc::clone(self), number, visit })
    }

    /// Closes those that have waited longest.
    pub(super) fn make_room(&self) {
        self.close_some(&mut self.open());
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.open().len()
    }

    /// How many were closed because others came.
    pub(crate) fn closed_for_others(&self) -> u64 {
        self.closed_for_others.load(Ordering::Relaxed)
    }

    /// On how many a request is coming in or being answered.
    pub(super) fn busy(&self) -> usize {
        let is_busy = |visit: &Visit| matches!(visit.phase(), Phase::Head | Phase::Body | Phase::Busy);
        self.open().values().filter(|visit| is_busy(visit)).count()
    }

    /// A part of all at once, so that looking through them costs little for each.
    fn close_some(&self, open: &mut HashMap<u64, Arc<Visit>>) {
        let mut waiting: Vec<_> = open
            .iter()
            .filter(|(_, visit)| visit.phase() != Phase::Busy)
            .map(|(number, visit)| (visit.since(), *number))
            .collect();
        let many = (self.most / PART).max(1).min(waiting.len());
        if many == 0 {
            return;
        }
        waiting.select_nth_unstable(many - 1);
        for (_, number) in waiting.into_iter().take(many) {
            if let Some(visit) = open.remove(&number) {
                visit.unwanted.notify_one();
                self.closed_for_others.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Visit>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection, free again when this goes.
#[derive(Debug)]
pub(super) struct Place {
    connections: Arc<Connections>,
    number: u64,
    pub(super) visit: Arc<Visit>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.open().remove(&self.number);
    }
}

/// One in so many is closed at once.
const PART: usize = 64;
