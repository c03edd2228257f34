//! Contexts that wait for calls.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout_at};

use super::engine::{Engine, Program, Step, Wish, too_late};
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

    /// Calls something of the configuration, and waits for what it waits for. The answer is JSON, or `undefined`.
    ///
    /// # Errors
    /// When it throws, or takes more than it may.
    pub(crate) async fn call(
        self: &Arc<Self>,
        kind: &'static str,
        argument: &str,
        request: &str,
    ) -> Result<String, Fault> {
        let Some(metrics) = self.metrics.get() else { return self.answer(kind, argument, request).await };
        let began = Instant::now();
        let result = self.answer(kind, argument, request).await;
        // Wrong credentials are an answer.
        let has_failed = result.as_ref().is_err_and(|fault| fault.code.is_none());
        metrics.called(kind, began.elapsed(), has_failed);
        result
    }

    async fn answer(
        self: &Arc<Self>,
        kind: &'static str,
        argument: &str,
        request: &str,
    ) -> Result<String, Fault> {
        let named = |fault: Fault| fault.in_callback(kind);
        let deadline = Instant::now() + self.program.limits.time;
        let place = self.place(deadline).await.map_err(named)?;
        let engine = self.engine().map_err(named)?;
        let mut call = Call {
            pool: Arc::clone(self),
            engine,
            deadline,
            flights: FuturesUnordered::new(),
            _place: place,
        };
        let result = call.run(kind, argument, request).await;
        match &result {
            Err(fault) if fault.kind != Kind::Threw => {}
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
        let result = engine.start(kind, argument, request, self.program.limits.time);
        if !matches!(&result, Err(fault) if fault.kind != Kind::Threw) {
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

    async fn place(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, Fault> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let patience = deadline.min(Instant::now() + PATIENCE);
        match timeout_at(patience, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Fault::new(Kind::Busy, format!("{MOST_CONTEXTS} callbacks are running already"))
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
    /// What the program waits for.
    flights: FuturesUnordered<Flight>,
    _place: OwnedSemaphorePermit,
}

impl Call {
    async fn run(&mut self, kind: &str, argument: &str, request: &str) -> Result<String, Fault> {
        let mut step = self.engine.start(kind, argument, request, self.left())?;
        loop {
            self.take_up_wishes();
            if let Step::Answer(answer) = step {
                return Ok(answer);
            }
            if self.flights.is_empty() {
                return Err(Fault::new(Kind::TimedOut, "it waits for a promise that nobody will resolve")
                    .in_file(&self.pool.program.file)
                    .cure("resolve it, or return without it"));
            }
            step = self.next().await?;
        }
    }

    async fn next(&mut self) -> Result<Step, Fault> {
        match timeout_at(self.deadline, self.flights.next()).await {
            Ok(Some((id, result))) => self.engine.go_on(id, &result, self.left()),
            _ => Err(too_late(&self.pool.program)),
        }
    }

    fn take_up_wishes(&mut self) {
        for wish in self.engine.wishes() {
            self.flights.push(fly(&self.pool, wish));
        }
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Gives the context back; what the callback began and did not wait for is finished first.
    fn finish(mut self) {
        self.take_up_wishes();
        if self.flights.is_empty() {
            return self.give_back();
        }
        tokio::spawn(async move {
            while !self.flights.is_empty() {
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

/// How long a call waits for a context.
const PATIENCE: Duration = Duration::from_millis(250);

const CALLS_PER_CONTEXT: u32 = 100_000;

/// In milliseconds: longer than any callback.
const LONGEST_SLEEP: f64 = 3_600_000.0;
