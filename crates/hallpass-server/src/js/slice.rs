//! Keeps callbacks from taking the processors from everybody else.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// Callbacks that compute for long take turns: most processors stay with those who do not.
#[derive(Debug)]
pub(super) struct Crowd {
    running: Mutex<usize>,
    one_less: Condvar,
    most: usize,
}

impl Crowd {
    pub(super) fn new() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self { running: Mutex::new(0), one_less: Condvar::new(), most: (processors / 2).max(1) }
    }

    /// Waits for a turn; `false` if there was none in time.
    fn enter(&self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.one_less.wait_timeout_while(running, left, |running| *running >= self.most);
        let (mut running, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() && *running >= self.most {
            return false;
        }
        *running += 1;
        true
    }

    fn leave(&self) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.one_less.notify_one();
    }
}

/// One uninterrupted run of the engine.
pub(super) struct Slice {
    crowd: Arc<Crowd>,
    epoch: Instant,
    /// Nanoseconds since the epoch.
    began: AtomicU64,
    deadline: AtomicU64,
    /// How often other work of this thread was given away.
    gave_way: AtomicU64,
    is_in_crowd: AtomicBool,
    /// Whether it need not take turns: a context that is being made is what others wait for.
    is_free: AtomicBool,
}

impl Slice {
    pub(super) fn new(crowd: Arc<Crowd>) -> Self {
        Self {
            crowd,
            epoch: Instant::now(),
            began: AtomicU64::new(0),
            deadline: AtomicU64::new(0),
            gave_way: AtomicU64::new(0),
            is_in_crowd: AtomicBool::new(false),
            is_free: AtomicBool::new(true),
        }
    }

    pub(super) fn begin(&self, deadline: Instant) {
        let nanos = |time: Instant| {
            u64::try_from(time.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(u64::MAX)
        };
        self.began.store(nanos(Instant::now()), Ordering::Relaxed);
        self.deadline.store(nanos(deadline), Ordering::Relaxed);
        self.gave_way.store(0, Ordering::Relaxed);
    }

    /// From now on it takes turns.
    pub(super) fn take_turns(&self) {
        self.is_free.store(false, Ordering::Relaxed);
    }

    /// Whether it took too long.
    pub(super) fn end(&self) -> bool {
        if self.is_in_crowd.swap(false, Ordering::Relaxed) {
            self.crowd.leave();
        }
        self.has_ended()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.now() > self.deadline.load(Ordering::Relaxed)
    }

    /// What the engine asks every few microseconds: whether to stop. A run that is not over soon gets its thread for
    /// itself, so that the requests which would wait for this thread are answered by another.
    pub(super) fn is_over(&self) -> bool {
        let now = self.now();
        let deadline = self.deadline.load(Ordering::Relaxed);
        if now > deadline {
            return true;
        }
        let took = Duration::from_nanos(now.saturating_sub(self.began.load(Ordering::Relaxed)));
        let times = self.gave_way.load(Ordering::Relaxed);
        let next = usize::try_from(times).ok().and_then(|times| GIVE_WAY_AFTER.get(times));
        if next.is_some_and(|after| took > *after) {
            self.gave_way.store(times + 1, Ordering::Relaxed);
            give_way(|| thread::sleep(Duration::from_micros(200)));
        }
        if took > LONG && !self.is_free.load(Ordering::Relaxed) && !self.is_in_crowd.load(Ordering::Relaxed) {
            let until = self.epoch + Duration::from_nanos(deadline);
            let mut has_turn = false;
            give_way(|| has_turn = self.crowd.enter(until));
            self.is_in_crowd.store(has_turn, Ordering::Relaxed);
            return !has_turn;
        }
        false
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slice")
    }
}

/// Lets another thread take over the other tasks of this one, where there are others.
fn give_way(run: impl FnOnce()) {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => block_in_place(run),
        _ => run(),
    }
}

const GIVE_WAY_AFTER: [Duration; 4] = [
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
];

/// From here on a callback takes turns with others.
const LONG: Duration = Duration::from_millis(100);
