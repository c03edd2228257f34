//! One context of the engine with a configuration in it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rquickjs::promise::PromiseState;
use rquickjs::{Context, Ctx, Function, Module, Object, Runtime, Value};

use super::fault::{Fault, Kind};
use super::host;
use super::modules::Modules;
use super::slice::{Crowd, Slice};

/// A configuration, ready to be loaded into contexts.
#[derive(Debug)]
pub(crate) struct Program {
    /// Name of the file, for people.
    pub(super) file: String,
    /// As it was written.
    pub(super) source: String,
    /// Without types.
    pub(super) script: String,
    /// `process.env`, as JSON.
    pub(super) environment: String,
    pub(super) limits: Limits,
}

/// What one callback may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// From the call to the answer. Default: 1 second.
    pub(crate) time: Duration,
    /// Of one context, in bytes. Default: 64 MiB.
    pub(crate) memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(1), memory: 64 * 1024 * 1024 }
    }
}

/// What the program asked for and Hallpass does for it.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) id: u32,
    pub(super) kind: String,
    pub(super) argument: String,
}

/// Wishes that nobody has taken up yet.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    list: Mutex<Vec<Wish>>,
    last: AtomicU32,
}

impl Wishes {
    pub(super) fn add(&self, kind: String, argument: String) -> u32 {
        let id = self.last.fetch_add(1, Ordering::Relaxed);
        self.list.lock().unwrap_or_else(PoisonError::into_inner).push(Wish { id, kind, argument });
        id
    }

    fn take(&self) -> Vec<Wish> {
        std::mem::take(&mut *self.list.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the configuration is called with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Input<'a> {
    /// The argument, as JSON.
    Argument(&'a str),
    /// `jwt` at a read. The token, as JSON without objects and lists in it; an empty answer leaves it as it is.
    Read { token: &'a str },
    /// `session`, where the session is in a token.
    Show { token: &'a str, expires: &'a str },
}

/// How far a call has come.
#[derive(Debug)]
pub(super) enum Step {
    /// The answer, as JSON.
    Answer(String),
    /// It waits.
    Waiting,
}

/// One context.
pub(super) struct Engine {
    context: Context,
    program: Arc<Program>,
    wishes: Arc<Wishes>,
    slice: Arc<Slice>,
    /// The token that `jwt` has left as it was: the context has it still, for the `session` that follows.
    kept: Option<String>,
    /// Whether every call makes its options from the request.
    pub(super) is_per_request: bool,
    /// How many calls it has answered.
    pub(super) calls: u32,
}

impl Engine {
    /// Loads the program into a new context.
    ///
    /// # Errors
    /// What is wrong with the program.
    pub(super) fn new(program: Arc<Program>, crowd: Arc<Crowd>) -> Result<Self, Fault> {
        let unusable = |error: rquickjs::Error| {
            Fault::new(Kind::OutOfMemory, format!("the engine could not be started: {error}"))
                .in_file(&program.file)
        };
        let runtime = Runtime::new().map_err(unusable)?;
        runtime.set_memory_limit(program.limits.memory);
        runtime.set_max_stack_size(STACK);
        runtime.set_loader(Modules, Modules);
        let slice = Arc::new(Slice::new(crowd));
        let watch = Arc::clone(&slice);
        runtime.set_interrupt_handler(Some(Box::new(move || watch.is_over())));
        let context = Context::full(&runtime).map_err(unusable)?;
        let wishes = Arc::default();
        let mut engine =
            Self { context, program, wishes, slice, kept: None, is_per_request: false, calls: 0 };
        engine.is_per_request = engine.within(engine.program.limits.time, |ctx| engine.load(ctx))?;
        engine.slice.take_turns();
        Ok(engine)
    }

    fn load(&self, ctx: &Ctx<'_>) -> Result<bool, Fault> {
        let program = &*self.program;
        let caught = |_| Fault::caught(ctx, &program.file, &program.source);
        let host = host::functions(ctx, &self.wishes).map_err(caught)?;
        let prelude: Function<'_> = ctx.eval(PRELUDE).map_err(caught)?;
        let driver: Object<'_> = prelude.call((host, program.environment.as_str())).map_err(caught)?;
        driver
            .get::<_, Function<'_>>("freeze")
            .and_then(|freeze| freeze.call::<_, ()>(()))
            .map_err(caught)?;
        let module =
            Module::declare(ctx.clone(), program.file.as_str(), program.script.as_str()).map_err(|_| {
                let mut fault = Fault::caught(ctx, &program.file, &program.source);
                fault.kind = Kind::Broken;
                fault
            })?;
        let (module, evaluated) = module.eval().map_err(caught)?;
        self.run_jobs(ctx);
        match evaluated.state() {
            PromiseState::Resolved => {}
            PromiseState::Rejected => {
                let _ = evaluated.result::<Value<'_>>();
                return Err(caught(rquickjs::Error::Exception));
            }
            PromiseState::Pending => {
                return Err(Fault::new(Kind::Broken, "the file waits for something at its top level")
                    .in_file(&program.file)
                    .cure("do it in a callback"));
            }
        }
        let exports = module.namespace().map_err(caught)?;
        let is_per_request = driver
            .get::<_, Function<'_>>("configure")
            .and_then(|configure| configure.call::<_, bool>((exports,)))
            .map_err(|_| {
                let mut fault = Fault::caught(ctx, &program.file, &program.source);
                fault.position = None;
                fault.cure("write `export default { providers: […], callbacks: { … } }`")
            })?;
        ctx.globals().prop(DRIVER, driver).map_err(caught)?;
        Ok(is_per_request)
    }

    /// Calls something of the configuration.
    pub(super) fn start(
        &mut self,
        kind: &str,
        input: Input<'_>,
        request: &str,
        left: Duration,
    ) -> Result<Step, Fault> {
        self.calls += 1;
        let kept = self.kept.take();
        let step = self.within(left, |ctx| {
            let answer = match input {
                Input::Argument(argument) => {
                    self.driver(ctx, "start").and_then(|start| start.call((kind, request, argument)))
                }
                Input::Read { token } => {
                    self.driver(ctx, "startRead").and_then(|start| start.call((request, token)))
                }
                Input::Show { token, expires } => {
                    let token = if kept.as_deref() == Some(token) { "" } else { token };
                    self.driver(ctx, "startShow").and_then(|start| start.call((request, token, expires)))
                }
            };
            self.step(ctx, answer)
        });
        if let Input::Read { token } = input {
            self.kept = Some(token.to_owned());
        }
        self.keep_if_unchanged(step)
    }

    /// Goes on with what a wish has brought.
    pub(super) fn go_on(
        &mut self,
        id: u32,
        result: &Result<String, String>,
        left: Duration,
    ) -> Result<Step, Fault> {
        let step = self.within(left, |ctx| {
            let (failed, text) = match result {
                Ok(text) => (false, text.as_str()),
                Err(text) => (true, text.as_str()),
            };
            let nothing: rquickjs::Result<()> =
                self.driver(ctx, "finish").and_then(|finish| finish.call((id, failed, text)));
            self.step(ctx, nothing.map(|()| None))
        });
        self.keep_if_unchanged(step)
    }

    fn keep_if_unchanged(&mut self, step: Result<Step, Fault>) -> Result<Step, Fault> {
        if matches!(&step, Ok(Step::Answer(answer)) if !answer.is_empty()) {
            self.kept = None;
        }
        step
    }

    /// What the program has asked for since.
    pub(super) fn wishes(&self) -> Vec<Wish> {
        self.wishes.take()
    }

    /// Forgets what the last call left behind.
    pub(super) fn forget(&self) -> Result<(), Fault> {
        self.within(self.program.limits.time, |ctx| {
            self.driver(ctx, "forget")
                .and_then(|forget| forget.call::<_, ()>(()))
                .map_err(|_| Fault::caught(ctx, &self.program.file, &self.program.source))
        })
    }

    fn step(&self, ctx: &Ctx<'_>, answer: rquickjs::Result<Option<String>>) -> Result<Step, Fault> {
        let caught = |_| Fault::caught(ctx, &self.program.file, &self.program.source);
        if let Some(answer) = answer.map_err(caught)? {
            return Ok(Step::Answer(answer));
        }
        self.run_jobs(ctx);
        if self.slice.has_ended() {
            return Err(self.too_late());
        }
        if self.slice.was_crowded_out() {
            return Err(self.crowded_out());
        }
        let answer: Option<String> =
            self.driver(ctx, "look").and_then(|look| look.call(())).map_err(caught)?;
        Ok(answer.map_or(Step::Waiting, Step::Answer))
    }

    fn run_jobs(&self, ctx: &Ctx<'_>) {
        while !self.slice.has_ended() && !self.slice.was_crowded_out() && ctx.execute_pending_job() {}
    }

    /// Runs in the context, at most so long.
    fn within<T>(&self, left: Duration, run: impl FnOnce(&Ctx<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.slice.begin(Instant::now() + left);
        let result = self.context.with(|ctx| run(&ctx));
        let is_late = self.slice.end();
        match result {
            _ if self.slice.was_crowded_out() => Err(self.crowded_out()),
            Err(fault) if is_late && fault.kind != Kind::Broken => Err(self.too_late()),
            Err(fault) if fault.kind == Kind::TimedOut => Err(self.too_late()),
            result => result,
        }
    }

    fn crowded_out(&self) -> Fault {
        Fault::new(Kind::Busy, "too many callbacks compute for long")
            .in_file(&self.program.file)
            .cure("look for a loop that goes on for ever")
    }

    fn too_late(&self) -> Fault {
        too_late(&self.program)
    }

    fn driver<'js>(&self, ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Function<'js>> {
        ctx.globals().get::<_, Object<'js>>(DRIVER)?.get(name)
    }
}

/// The program took too long.
pub(super) fn too_late(program: &Program) -> Fault {
    let time = program.limits.time;
    Fault::new(Kind::TimedOut, format!("no answer within {} ms", time.as_millis()))
        .in_file(&program.file)
        .cure("look for an endless loop, a promise that is never resolved or a slow server; `time_limit` in [javascript]")
}

const PRELUDE: &str = include_str!("prelude.js");

pub(super) const DRIVER: &str = "__hallpass";

/// In bytes; the threads of the server have 2 MiB.
const STACK: usize = 512 * 1024;
