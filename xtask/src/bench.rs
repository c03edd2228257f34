//! Benchmarks: that they run (in CI), and what they say (by hand).

mod load;

use crate::command::{Failure, Outcome, run};
use crate::fuzz;
use crate::options::Options;
use crate::workspace::{Workspace, array, text};

/// Every benchmark for a moment, compiled quickly: shows that they work, and no numbers to quote.
pub(crate) fn smoke(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    let quick = ["--warm-up-time", "0.1", "--measurement-time", "0.5", "--sample-size", "10", "--noplot"];
    criterion(workspace, &quick, &QUICK_BUILD)?;
    load::compare(workspace, &QUICK_BUILD, 1, 1.0)
}

/// The whole way of a request, beside axum alone and beside Auth.js.
pub(crate) fn step(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let options = Options::parse(arguments, &["--seconds"])?;
    let seconds = options.value("--seconds").unwrap_or("10");
    let seconds: f64 =
        seconds.parse().map_err(|_| Failure::new(format!("{seconds} is no number of seconds")))?;
    load::compare(workspace, &[], ROUNDS, seconds)
}

/// What takes too long for CI.
pub(crate) fn long(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    criterion(workspace, &[], &[])?;
    load::compare(workspace, &[], ROUNDS, 20.0)?;
    fuzz::smoke(workspace, LONG_FUZZING)
}

fn criterion(workspace: &Workspace, options: &[&str], profile: &[(&str, &str)]) -> Result<Outcome, Failure> {
    let metadata = workspace.metadata("Cargo.toml", &["--no-deps"])?;
    let mut ran = false;
    for package in array(&metadata, "packages") {
        let benches =
            array(package, "targets").filter(|target| array(target, "kind").any(|kind| kind == "bench"));
        for bench in benches {
            let name = ["--package", text(package, "name"), "--bench", text(bench, "name")];
            let mut command = workspace.cargo(&["bench", "--locked", "--quiet"]);
            run(command.args(name).arg("--").args(options).envs(profile.iter().copied()))?;
            ran = true;
        }
    }
    if ran { Ok(Outcome::Passed) } else { Ok(Outcome::Skipped("no benchmark is there".into())) }
}

/// For the profiles of benchmarks and of examples alike, so that they share their dependencies.
const QUICK_BUILD: [(&str, &str); 4] = [
    ("CARGO_PROFILE_BENCH_LTO", "off"),
    ("CARGO_PROFILE_BENCH_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
];

/// Other work on the machine disturbs a round, not all of them.
const ROUNDS: usize = 5;

/// Seconds for each fuzz target.
const LONG_FUZZING: u32 = 600;
