//! Contexts that wait for calls.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout_at};

use super::engine::{Engine, Input, Program, Step, Wish, too_late};
use super::fault::{Fault, Kind};
use super::fetch::Fetch;
use super::slice::Crowd;
use crate::ops::Metrics;

/// The contexts of one configuration. A call has a context to itself until it is answered.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(super) program: Arc<Program>,
    crowd: Arc<Crowd>,
    idle: Mutex<Vec<Engine>>,
    places: Arc<Semaphore>,
    /// What one person may take of the places. People share one by chance, which is no harm.
    seats: Vec<Arc<Semaphore>>,
    fetch: Fetch,
    pub(super) metrics: OnceLock<Arc<Metrics>>,
}

impl Pool {
    /// Loads the program once, to see that it works.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn new(program: Program, fetch: Fetch) -> Result<Self, Fault> {
        let pool = Self {
            program: Arc::new(program),
            crowd: Arc::new(Crowd::new()),
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(MOST_CONTEXTS)),
            seats: (0..SEATS).map(|_| Arc::new(Semaphore::new(MOST_OF_ONE))).collect(),
            fetch,
            metrics: OnceLock::new(),
        };
        let engine = pool.engine()?;
        pool.put_back(engine);
        Ok(pool)
    }

    /// Whether callbacks may see the request.
    pub(super) fn is_per_request(&self) -> bool {
        self.idle().last().is_some_and(|engine| engine.is_per_request)
    }

    /// Calls something of the configuration, for this person where one is known, and waits for what it waits for. The
    /// answer is JSON, or `undefined`; or empty, see [`Input::Read`].
    ///
    /// # Errors
    /// When it throws, or takes more than it may.
    pub(crate) async fn call(
        self: &Arc<Self>,
        kind: &'static str,
        input: Input<'_>,
        request: &str,
        person: Option<&str>,
    ) -> Result<String, Fault> {
        let Some(metrics) = self.metrics.get() else {
            return self.answer(kind, input, request, person).await;
        };
        let began = Instant::now();
        let result = self.answer(kind, input, request, person).await;
        // Wrong credentials are an answer.
        let has_failed = result.as_ref().is_err_and(|fault| fault.code.is_none());
        metrics.called(kind, began.elapsed(), has_failed);
        result
    }

    async fn answer(
        self: &Arc<Self>,
        kind: &'static str,
        input: Input<'_>,
        request: &str,
        person: Option<&str>,
    ) -> Result<String, Fault> {
        let named = |fault: Fault| fault.in_callback(kind);
        let deadline = Instant::now() + self.program.limits.time;
        let seat = match person.and_then(|person| self.seat(person)) {
            Some(seat) => {
                let busy = || format!("{MOST_OF_ONE} callbacks of this person are running already");
                Some(self.room(seat, deadline, busy).await.map_err(named)?)
            }
            None => None,
        };
        let busy = || format!("{MOST_CONTEXTS} callbacks are running already");
        let place = self.room(&self.places, deadline, busy).await.map_err(named)?;
        let engine = self.engine().map_err(named)?;
        let mut call = Call { pool: Arc::clone(self), engine, deadline, flights: None, _place: place };
        let result = call.run(kind, input, request).await;
        match &result {
            Err(fault) if !fault.is_thrown() => {
                drop(call);
                // A context that is thrown away is work for everybody: a person causes it now and then, and no more.
                tokio::spawn(async move {
                    sleep(PENANCE).await;
                    drop(seat);
                });
            }
            _ => call.finish(),
        }
        result.map_err(named)
    }

    /// The same without waiting for anything outside of the engine.
    ///
    /// # Errors
    /// As [`call`](Self::call), and when it would have to wait.
    pub(super) fn call_now(
        &self,
        kind: &'static str,
        argument: &str,
        request: &str,
    ) -> Result<String, Fault> {
        let named = |fault: Fault| fault.in_callback(kind);
        let mut engine = self.engine().map_err(named)?;
        let result = engine.start(kind, Input::Argument(argument), request, self.program.limits.time);
        if !matches!(&result, Err(fault) if !fault.is_thrown()) {
            engine.wishes();
            if engine.forget().is_ok() {
                self.put_back(engine);
            }
        }
        match result.map_err(named)? {
            Step::Answer(answer) => Ok(answer),
            Step::Waiting => Err(named(
                Fault::new(Kind::Threw, "it waits for something")
                    .in_file(&self.program.file)
                    .cure("answer at once"),
            )),
        }
    }

    fn seat(&self, person: &str) -> Option<&Arc<Semaphore>> {
        let mut hasher = DefaultHasher::new();
        person.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % u64::try_from(SEATS).ok()?).ok()?;
        self.seats.get(index)
    }

    async fn room(
        &self,
        of: &Arc<Semaphore>,
        deadline: Instant,
        busy: impl FnOnce() -> String,
    ) -> Result<OwnedSemaphorePermit, Fault> {
        if let Ok(place) = Arc::clone(of).try_acquire_owned() {
            return Ok(place);
        }
        let patience = deadline.min(Instant::now() + PATIENCE);
        match timeout_at(patience, Arc::clone(of).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Fault::new(Kind::Busy, busy())
                .in_file(&self.program.file)
                .cure("look for what they wait for")),
        }
    }

    fn engine(&self) -> Result<Engine, Fault> {
        let idle = self.idle().pop();
        idle.map_or_else(|| Engine::new(Arc::clone(&self.program), Arc::clone(&self.crowd)), Ok)
    }

    fn put_back(&self, engine: Engine) {
        // What a program piles up goes with its context.
        if engine.calls < CALLS_PER_CONTEXT {
            self.idle().push(engine);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Engine>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("calls", &self.calls).finish_non_exhaustive()
    }
}

type Flight = futures_util::future::BoxFuture<'static, (u32, Result<String, String>)>;

/// A call that is being answered. When its request goes away, its context goes too.
struct Call {
    pool: Arc<Pool>,
    engine: Engine,
    deadline: Instant,
    /// What the program waits for; most calls wait for nothing.
    flights: Option<FuturesUnordered<Flight>>,
    _place: OwnedSemaphorePermit,
}

impl Call {
    async fn run(&mut self, kind: &str, input: Input<'_>, request: &str) -> Result<String, Fault> {
        let mut step = self.engine.start(kind, input, request, self.left())?;
        loop {
            self.take_up_wishes();
            if let Step::Answer(answer) = step {
                return Ok(answer);
            }
            if !self.is_waiting() {
                return Err(Fault::new(Kind::TimedOut, "it waits for a promise that nobody will resolve")
                    .in_file(&self.pool.program.file)
                    .cure("resolve it, or return without it"));
            }
            step = self.next().await?;
        }
    }

    async fn next(&mut self) -> Result<Step, Fault> {
        let landing = self.flights.get_or_insert_default().next();
        match timeout_at(self.deadline, landing).await {
            Ok(Some((id, result))) => self.engine.go_on(id, &result, self.left()),
            _ => Err(too_late(&self.pool.program)),
        }
    }

    fn take_up_wishes(&mut self) {
        for wish in self.engine.wishes() {
            self.flights.get_or_insert_default().push(fly(&self.pool, wish));
        }
    }

    fn is_waiting(&self) -> bool {
        self.flights.as_ref().is_some_and(|flights| !flights.is_empty())
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Gives the context back; what the callback began and did not wait for is finished first.
    fn finish(mut self) {
        self.take_up_wishes();
        if !self.is_waiting() {
            return self.give_back();
        }
        tokio::spawn(async move {
            while self.is_waiting() {
                if self.next().await.is_err() {
                    return;
                }
                self.take_up_wishes();
            }
            self.give_back();
        });
    }

    fn give_back(self) {
        self.pool.put_back(self.engine);
    }
}

fn fly(pool: &Arc<Pool>, wish: Wish) -> Flight {
    let id = wish.id;
    if wish.kind == "sleep" {
        let millis = wish.argument.parse().unwrap_or(0.0_f64).clamp(0.0, LONGEST_SLEEP);
        return sleep(Duration::from_secs_f64(millis / 1000.0))
            .map(move |()| (id, Ok(String::new())))
            .boxed();
    }
    let pool = Arc::clone(pool);
    async move { (id, pool.fetch.answer(&wish.argument).await) }.boxed()
}

/// Each takes about half a megabyte.
const MOST_CONTEXTS: usize = 64;

/// Places that one person may take: whoever finds a callback that loops must not take all.
const MOST_OF_ONE: usize = 8;

const SEATS: usize = 256;

/// How long a seat stays taken when its call was ended.
const PENANCE: Duration = Duration::from_secs(1);

/// How long a call waits for a context.
const PATIENCE: Duration = Duration::from_millis(250);

const CALLS_PER_CONTEXT: u32 = 100_000;

/// In milliseconds: longer than any callback.
const LONGEST_SLEEP: f64 = 3_600_000.0;
