//! A provider that misbehaves on request, and how we answer it.

use crate::command::{Failure, Outcome, missing, program, run};
use crate::harness;
use crate::options::Options;
use crate::rust::build_programs;
use crate::workspace::Workspace;

pub(crate) fn step(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let options = Options::parse(arguments, &["--harness", "--only"])?;
    let Some(source) = harness::find(workspace, "evil-op", options.value("--harness")) else {
        return Ok(Outcome::Skipped("harness not found".into()));
    };
    if !workspace.exists("crates/conformance-target/Cargo.toml") {
        return Ok(Outcome::Skipped("crates/conformance-target is not there".into()));
    }
    if program("node").is_none() {
        return missing("node");
    }
    let harness = harness::copy(workspace, &source)?;
    build_programs(workspace)?;
    let mut driver = workspace.command("node", &["e2e/evil-op/run.mjs"]);
    driver.arg("--op").arg(harness).arg("--target").arg(workspace.built("conformance-target"));
    driver.arg("--server").arg(workspace.built("hallpass"));
    if let Some(only) = options.value("--only") {
        driver.args(["--only", only]);
    }
    run(&mut driver)?;
    Ok(Outcome::Passed)
}
