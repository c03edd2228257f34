//! What one connection is doing, and since when.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a connection may take for what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// From the first byte of a request, or from the start of the connection, to the end of the headers.
    pub(crate) header: Duration,
    /// From there to the end of the body.
    pub(crate) body: Duration,
    /// Between two requests.
    pub(crate) idle: Duration,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing has come yet.
    Fresh,
    /// A request was answered, and none has begun.
    Idle,
    /// Headers are coming in.
    Head,
    /// A body is coming in.
    Body,
    /// A request is being answered.
    Busy,
}

/// A connection, as everybody who has to do with it sees it.
#[derive(Debug)]
pub(crate) struct Visit {
    times: Times,
    began: Instant,
    /// The phase in the last three bits, and before them the milliseconds from the beginning.
    state: AtomicU64,
    /// Somebody else needs the place.
    pub(super) unwanted: Notify,
    /// The connection is about to be closed: what has arrived must be seen now.
    last_look: AtomicBool,
}

impl Visit {
    pub(super) fn new(times: Times) -> Self {
        Self {
            times,
            began: Instant::now(),
            state: AtomicU64::new(Phase::Fresh as u64),
            unwanted: Notify::new(),
            last_look: AtomicBool::new(false),
        }
    }

    pub(crate) fn is(&self, phase: Phase) {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or_default();
        self.state.store(millis << PHASE_BITS | phase as u64, Ordering::Relaxed);
    }

    /// Bytes have arrived.
    pub(super) fn has_read(&self) {
        if matches!(self.phase(), Phase::Fresh | Phase::Idle) {
            self.is(Phase::Head);
        }
    }

    pub(super) fn phase(&self) -> Phase {
        match self.state.load(Ordering::Relaxed) & PHASE_MASK {
            0 => Phase::Fresh,
            1 => Phase::Idle,
            2 => Phase::Head,
            3 => Phase::Body,
            _ => Phase::Busy,
        }
    }

    /// Since when it has been doing that.
    pub(super) fn since(&self) -> Instant {
        self.began + Duration::from_millis(self.state.load(Ordering::Relaxed) >> PHASE_BITS)
    }

    /// How long a body may take.
    pub(crate) fn body_time(&self) -> Duration {
        self.times.body
    }

    /// When it has waited long enough. A request has time-outs of its own.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let most = match self.phase() {
            Phase::Fresh | Phase::Head => self.times.header,
            Phase::Idle => self.times.idle,
            Phase::Body | Phase::Busy => return None,
        };
        Some(self.since() + most)
    }

    pub(super) fn look_once_more(&self) {
        self.last_look.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_last_look(&self) -> bool {
        self.last_look.load(Ordering::Relaxed)
    }
}

const PHASE_BITS: u32 = 3;

const PHASE_MASK: u64 = 0b111;
