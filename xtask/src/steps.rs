//! The steps, and running all of them.

use std::time::{Duration, Instant};

use crate::command::{Failure, Outcome};
use crate::workspace::Workspace;
use crate::{
    bench, chaos, conformance, deny, evil_op, fuzz, image, load, lockfiles, node, purity, rust,
    security_cases, seeds, typos,
};

/// One thing that can fail.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Whether `cargo xtask ci` runs it.
    pub(crate) in_ci: bool,
    /// What it is told there.
    ci_arguments: &'static [&'static str],
    pub(crate) run: fn(&Workspace, &[String]) -> Result<Outcome, Failure>,
}

impl Step {
    const fn ci(
        name: &'static str,
        about: &'static str,
        run: fn(&Workspace, &[String]) -> Result<Outcome, Failure>,
    ) -> Self {
        Self { name, about, in_ci: true, ci_arguments: &[], run }
    }

    const fn by_hand(
        name: &'static str,
        about: &'static str,
        run: fn(&Workspace, &[String]) -> Result<Outcome, Failure>,
    ) -> Self {
        Self { name, about, in_ci: false, ci_arguments: &[], run }
    }

    const fn with_ci_arguments(self, ci_arguments: &'static [&'static str]) -> Self {
        Self { ci_arguments, ..self }
    }

    /// The step with this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        STEPS.iter().find(|step| step.name == name)
    }
}

/// Runs every step that CI runs, stops at the first failure, and prints what each took.
pub(crate) fn run_all(workspace: &Workspace) -> Result<(), Failure> {
    let started = Instant::now();
    let mut rows = Vec::new();
    let mut failure = None;
    for step in STEPS.iter().filter(|step| step.in_ci) {
        println!("\n=== {}", step.name);
        let step_started = Instant::now();
        let arguments: Vec<String> = step.ci_arguments.iter().map(ToString::to_string).collect();
        let result = (step.run)(workspace, &arguments);
        let took = step_started.elapsed();
        let verdict = match &result {
            Ok(Outcome::Passed) => "ok".to_owned(),
            Ok(Outcome::Skipped(why)) => format!("skipped: {why}"),
            Err(_) => "FAILED".to_owned(),
        };
        println!("=== {}: {verdict}, {:.1} s", step.name, took.as_secs_f64());
        rows.push((step.name, took, verdict));
        if let Err(error) = result {
            failure = Some(Failure::new(format!("step {}: {error}", step.name)));
            break;
        }
    }
    print_table(&rows, started.elapsed());
    failure.map_or(Ok(()), Err)
}

fn print_table(rows: &[(&str, Duration, String)], total: Duration) {
    println!();
    for (name, took, verdict) in rows {
        println!("{name:<16} {:>7.1} s  {verdict}", took.as_secs_f64());
    }
    println!("{:<16} {:>7.1} s", "all", total.as_secs_f64());
}

/// Quick ones first, then those that compile, then those that run what was compiled.
pub(crate) const STEPS: &[Step] = &[
    Step::ci("fmt", "rustfmt finds nothing to change", rust::fmt),
    Step::ci("seeds", "the blocks in e2e/seeds are the bytes that people have", seeds::step),
    Step::ci(
        "purity",
        "the protocol ring does no input or output and imports nothing above it",
        purity::step,
    ),
    Step::ci("lockfiles", "no lock file or text names a machine or a package mirror", lockfiles::step),
    Step::ci("security-cases", "every security case names tests that exist", security_cases::step),
    Step::ci("typos", "the spell checker finds nothing", typos::step),
    Step::ci("deny", "dependencies: banned crates, licences, sources (deny.toml)", deny::step),
    Step::ci("clippy", "clippy finds nothing, with all targets and features", rust::clippy),
    Step::ci("test", "the tests of the tools; `cargo test` and the step examples run all others", rust::test),
    Step::ci("doc", "rustdoc warns of nothing", rust::doc),
    Step::ci("features", "each feature compiles alone, and none at all", rust::features),
    Step::ci("examples", "the examples compile, pass their tests and stay short", rust::examples),
    Step::ci(
        "conformance",
        "the recorded answers of Auth.js [--harness DIR] [--shell axum|actix] [--profile P] [--only TEXT]",
        conformance::step,
    ),
    Step::ci(
        "evil-op",
        "a provider that misbehaves in 310 ways [--harness DIR] [--only REGEX]",
        evil_op::step,
    ),
    Step::ci("tokens", "session tokens against the Auth.js libraries", node::tokens),
    Step::ci(
        "adapters",
        "databases of Auth.js' adapters for PostgreSQL and Drizzle, shared with Hallpass",
        node::adapters,
    ),
    Step::ci("types", "generated declarations: fresh, and read by TypeScript [--only PROJECT]", node::types),
    Step::ci("pages", "the built-in pages in a browser", node::pages),
    Step::ci("browser", "whole flows in a browser", node::browser),
    Step::ci(
        "clients",
        "the client libraries of next-auth 4 and 5 and of nuxt-auth in a browser",
        node::clients,
    ),
    Step::ci(
        "quickstarts",
        "docs/quickstart-*.md, done to the letter and tried in a browser [--only NAME]",
        node::quickstarts,
    ),
    Step::ci(
        "image",
        "what the Dockerfile lays out runs without root and writes to its volume only [--program FILE]",
        image::step,
    ),
    Step::ci(
        "chaos",
        "servers killed and databases taken away [--rounds N, default 20; one in ci]",
        chaos::step,
    )
    .with_ci_arguments(&["--rounds", "1"]),
    Step::ci(
        "load",
        "the server with all that it can take, and more [--seconds N, default 60; ten in ci]",
        load::step,
    )
    .with_ci_arguments(&["--seconds", "10"]),
    Step::ci("soak", "people who come and go leave nothing behind [--seconds N, default 60]", load::soak),
    Step::ci("fuzz", "each fuzz target for a while [--seconds N, default 30]", fuzz::step),
    Step::ci(
        "bench",
        "the benchmarks run, shortly [--seconds N: only the servers, as released; stores [--rows N] [--only STORE]]",
        bench::short,
    ),
    Step::by_hand(
        "long",
        "long fuzzing, full benchmarks, 20 rounds of chaos, a minute of load, half an hour of soak; load, soak: only that",
        bench::long,
    ),
];
