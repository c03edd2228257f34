//! A server with all that it can take, and more: what the program `stress` does.

use std::path::PathBuf;

use crate::command::{Failure, Outcome, missing, program, run};
use crate::options::Options;
use crate::rust;
use crate::workspace::Workspace;

/// With what is compiled for the tests: every request is answered.
pub(crate) fn step(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    compiled_for_tests(workspace, "load", arguments)
}

/// People who come and go, with what is compiled for the tests: nothing of them stays.
pub(crate) fn soak(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    compiled_for_tests(workspace, "soak", arguments)
}

/// The same as released, so that the numbers mean something: `load` or `soak`.
pub(crate) fn released(
    workspace: &Workspace,
    scenario: &str,
    arguments: &[String],
) -> Result<Outcome, Failure> {
    let build =
        ["build", "--locked", "--quiet", "--release", "--package", "stress", "--package", "hallpass-server"];
    let built = |name: &str| workspace.target().join("release").join(name);
    stress(workspace, [scenario, usual(scenario)], arguments, || run(&mut workspace.cargo(&build)), built)
}

fn compiled_for_tests(
    workspace: &Workspace,
    scenario: &str,
    arguments: &[String],
) -> Result<Outcome, Failure> {
    let built = |name: &str| workspace.built(name);
    stress(workspace, [scenario, "60"], arguments, || rust::build_programs(workspace), built)
}

fn stress(
    workspace: &Workspace,
    [scenario, usual]: [&str; 2],
    arguments: &[String],
    build: impl Fn() -> Result<(), Failure>,
    built: impl Fn(&str) -> PathBuf,
) -> Result<Outcome, Failure> {
    let options = Options::parse(arguments, &["--seconds"])?;
    if program("kill").is_none() {
        return missing("kill");
    }
    build()?;
    let seconds = options.value("--seconds").unwrap_or(usual);
    run(workspace.command(built("stress"), &[scenario, seconds]).arg(built("hallpass")))?;
    Ok(Outcome::Passed)
}

/// Seconds, when nobody says how many.
fn usual(scenario: &str) -> &'static str {
    if scenario == "soak" { "1800" } else { "60" }
}
