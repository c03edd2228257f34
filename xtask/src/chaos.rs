//! Servers that are killed, databases that fail, stores with many rows: what the program `stress` does.

use crate::command::{Failure, Outcome, missing, program, run};
use crate::options::Options;
use crate::rust;
use crate::workspace::Workspace;

/// Kills the server, so many times on each database, and takes the database of a site away in every way.
pub(crate) fn step(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let options = Options::parse(arguments, &["--rounds"])?;
    rounds(workspace, options.value("--rounds").unwrap_or(ROUNDS))
}

pub(crate) fn rounds(workspace: &Workspace, rounds: &str) -> Result<Outcome, Failure> {
    for needed in ["bash", "prlimit"] {
        if program(needed).is_none() {
            return missing(needed);
        }
    }
    rust::build_programs(workspace)?;
    let mut stress = workspace.command(workspace.built("stress"), &["chaos", rounds]);
    run(stress.arg(workspace.built("hallpass")))?;
    Ok(Outcome::Passed)
}

/// Fills each store with so many rows and measures it, compiled as for a release.
pub(crate) fn stores(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let options = Options::parse(arguments, &["--rows", "--seconds", "--only"])?;
    run(&mut workspace.cargo(&["build", "--locked", "--quiet", "--release", "--package", "stress"]))?;
    let stress = workspace.target().join("release").join("stress");
    let rows = options.value("--rows").unwrap_or(ROWS);
    let seconds = options.value("--seconds").unwrap_or(SECONDS);
    run(workspace.command(stress, &["stores", rows, seconds]).args(options.value("--only")))?;
    Ok(Outcome::Passed)
}

/// Few rows, with what is compiled for the tests: shows that it works.
pub(crate) fn few_rows(workspace: &Workspace) -> Result<Outcome, Failure> {
    rust::build_programs(workspace)?;
    run(&mut workspace.command(workspace.built("stress"), &["stores", FEW_ROWS, "2"]))?;
    Ok(Outcome::Passed)
}

/// When nobody says how many.
pub(crate) const ROUNDS: &str = "20";

const ROWS: &str = "1000000";

const FEW_ROWS: &str = "20000";

/// For each of the two servers that are compared, on each database.
const SECONDS: &str = "16";
