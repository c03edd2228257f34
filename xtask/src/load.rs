//! A server with all that it can take, and more: what the program `stress` does.

use crate::command::{Failure, Outcome, missing, program, run};
use crate::options::Options;
use crate::rust;
use crate::workspace::Workspace;

/// With what is compiled for the tests: every request is answered.
pub(crate) fn step(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let options = Options::parse(arguments, &["--seconds"])?;
    if program("kill").is_none() {
        return missing("kill");
    }
    rust::build_programs(workspace)?;
    let mut stress = workspace
        .command(workspace.built("stress"), &["load", options.value("--seconds").unwrap_or(SECONDS)]);
    run(stress.arg(workspace.built("hallpass")))?;
    Ok(Outcome::Passed)
}

/// The same as released, so that the numbers mean something.
pub(crate) fn released(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let options = Options::parse(arguments, &["--seconds"])?;
    if program("kill").is_none() {
        return missing("kill");
    }
    let build =
        ["build", "--locked", "--quiet", "--release", "--package", "stress", "--package", "hallpass-server"];
    run(&mut workspace.cargo(&build))?;
    let built = |name: &str| workspace.target().join("release").join(name);
    let seconds = options.value("--seconds").unwrap_or(SECONDS);
    run(workspace.command(built("stress"), &["load", seconds]).arg(built("hallpass")))?;
    Ok(Outcome::Passed)
}

/// When nobody says how many.
const SECONDS: &str = "60";
