//! Benchmarks: that they run (in CI), and what they say (by hand).

use crate::command::{Failure, Outcome, missing, program, run};
use crate::fuzz;
use crate::node;
use crate::options::Options;
use crate::workspace::{Workspace, array, text};

/// Every benchmark for a moment, compiled quickly: shows that they work, and no numbers to quote.
pub(crate) fn short(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    let quick =
        ["--warm-up-time", "0.1", "--measurement-time", "0.5", "--sample-size", "10", "--noplot", "--quiet"];
    let quick_build = [("CARGO_PROFILE_BENCH_LTO", "off"), ("CARGO_PROFILE_BENCH_CODEGEN_UNITS", "16")];
    criterion(workspace, &quick, &quick_build)
}

/// What takes too long for CI.
pub(crate) fn long(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    criterion(workspace, &[], &[])?;
    if workspace.exists(LOAD) {
        if program("node").is_none() {
            return missing("node");
        }
        run(&mut workspace.cargo(&["build", "--locked", "--release", "--workspace", "--bins"]))?;
        node::install(workspace, &workspace.path("e2e/bench"))?;
        run(workspace.command("node", &[LOAD]).env("HALLPASS_TARGET", workspace.target()))?;
    }
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

const LOAD: &str = "e2e/bench/bench.mjs";

/// Seconds for each fuzz target.
const LONG_FUZZING: u32 = 600;
