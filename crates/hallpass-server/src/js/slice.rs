//! Keeps callbacks from taking the processors from everybody else.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// Callbacks that compute for long take turns: most processors stay with those who do not.
#[derive(Debug)]
pub(super) struct Crowd {
    slow: Mutex<Slow>,
    one_less: Condvar,
    most: usize,
}

/// Callbacks that have computed for long.
#[derive(Debug, Default)]
struct Slow {
    running: usize,
    waiting: usize,
}

/// What became of a callback that asked for a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Now,
    /// There was none in time.
    Never,
    /// Too many wait for one already.
    Full,
}

impl Crowd {
    pub(super) fn new() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self { slow: Mutex::default(), one_less: Condvar::new(), most: (processors / 2).max(1) }
    }

    fn slow(&self) -> MutexGuard<'_, Slow> {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn.
    fn enter(&self, until: Instant) -> Turn {
        let left = until.saturating_duration_since(Instant::now());
        let mut slow = self.slow();
        if slow.running + slow.waiting >= self.most + MOST_WAITING {
            return Turn::Full;
        }
        slow.waiting += 1;
        let waited = self.one_less.wait_timeout_while(slow, left, |slow| slow.running >= self.most);
        let (mut slow, _) = waited.unwrap_or_else(PoisonError::into_inner);
        slow.waiting -= 1;
        if slow.running >= self.most {
            return Turn::Never;
        }
        slow.running += 1;
        Turn::Now
    }

    fn leave(&self) {
        self.slow().running -= 1;
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
    /// When it last went on after a rest.
    rested: AtomicU64,
    is_in_crowd: AtomicBool,
    /// Whether it was ended because too many others compute for long.
    was_crowded_out: AtomicBool,
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
            rested: AtomicU64::new(0),
            is_in_crowd: AtomicBool::new(false),
            was_crowded_out: AtomicBool::new(false),
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
        self.was_crowded_out.store(false, Ordering::Relaxed);
    }

    /// Whether too many others compute for long.
    pub(super) fn was_crowded_out(&self) -> bool {
        self.was_crowded_out.load(Ordering::Relaxed)
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
        // Whoever was ended goes on being ended, whatever it catches.
        if self.was_crowded_out() {
            return true;
        }
        if took > LONG && !self.is_free.load(Ordering::Relaxed) && !self.is_in_crowd.load(Ordering::Relaxed) {
            let until = self.epoch + Duration::from_nanos(deadline);
            let mut turn = Turn::Never;
            give_way(|| turn = self.crowd.enter(until));
            self.is_in_crowd.store(turn == Turn::Now, Ordering::Relaxed);
            self.was_crowded_out.store(turn == Turn::Full, Ordering::Relaxed);
            return turn != Turn::Now;
        }
        if self.is_in_crowd.load(Ordering::Relaxed) {
            self.rest(now);
        }
        false
    }

    /// Lets others have the processor for as long as this run has just had it.
    fn rest(&self, now: u64) {
        let worked = Duration::from_nanos(now.saturating_sub(self.rested.load(Ordering::Relaxed)));
        if worked > STRETCH {
            give_way(|| thread::sleep(STRETCH));
            self.rested.store(self.now(), Ordering::Relaxed);
        }
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
const LONG: Duration = Duration::from_millis(20);

/// How long a callback computes at a stretch when it has its turn, and how long it then rests: with two processors, a
/// loop would take half of what there is for as long as it may.
const STRETCH: Duration = Duration::from_millis(1);

/// Callbacks that wait for a turn, each in a context of its own: others need contexts, too.
const MOST_WAITING: usize = 16;
