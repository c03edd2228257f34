//! Benchmarks: that they run (in CI), and what they say (by hand).

use crate::chaos;
use crate::command::{Failure, Outcome, missing, program, run};
use crate::fuzz;
use crate::load;
use crate::node;
use crate::options::Options;
use crate::workspace::{Workspace, array, text};

/// Every benchmark for a moment, compiled quickly, and the servers for `--seconds` each: shows that they work. Only
/// with `--seconds` the servers are compiled as for a release, so that their numbers mean something. `stores` measures
/// stores with many rows in place of all that.
pub(crate) fn short(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    if let Some((_, rest)) = arguments.split_first().filter(|(first, _)| *first == "stores") {
        return chaos::stores(workspace, rest);
    }
    let options = Options::parse(arguments, &["--seconds"])?;
    if let Some(seconds) = options.value("--seconds") {
        return servers(workspace, seconds, &[]);
    }
    let quick =
        ["--warm-up-time", "0.1", "--measurement-time", "0.5", "--sample-size", "10", "--noplot", "--quiet"];
    criterion(workspace, &quick, &QUICK_BUILD)?;
    chaos::few_rows(workspace)?;
    servers(workspace, "2", &QUICK_BUILD)
}

/// What takes too long for CI.
pub(crate) fn long(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    if let Some((scenario, rest)) =
        arguments.split_first().filter(|(first, _)| matches!(first.as_str(), "load" | "soak"))
    {
        return load::released(workspace, scenario, rest);
    }
    Options::parse(arguments, &[])?;
    criterion(workspace, &[], &[])?;
    if let Outcome::Skipped(why) = servers(workspace, "10", &[])? {
        println!("servers are not compared: {why}");
    }
    chaos::stores(workspace, &[])?;
    if let Outcome::Skipped(why) = chaos::rounds(workspace, chaos::ROUNDS)? {
        println!("no server is killed: {why}");
    }
    for scenario in ["load", "soak"] {
        if let Outcome::Skipped(why) = load::released(workspace, scenario, &[])? {
            println!("no {scenario}: {why}");
        }
    }
    fuzz::smoke(workspace, LONG_FUZZING)
}

/// Requests per second of a server with Hallpass, of one without, and of one with Auth.js.
fn servers(workspace: &Workspace, seconds: &str, profile: &[(&str, &str)]) -> Result<Outcome, Failure> {
    for needed in ["node", "taskset"] {
        if program(needed).is_none() {
            return missing(needed);
        }
    }
    let build = ["build", "--locked", "--quiet", "--release", "--package", "hallpass-axum", "--examples"];
    run(workspace.cargo(&build).envs(profile.iter().copied()))?;
    let build = ["build", "--locked", "--quiet", "--release", "--package", "hallpass-server"];
    run(workspace.cargo(&build).envs(profile.iter().copied()))?;
    node::install(workspace, &workspace.path("e2e/bench"))?;
    run(workspace.command("node", &[COMPARISON, seconds]).env("HALLPASS_TARGET", workspace.target()))?;
    Ok(Outcome::Passed)
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

const COMPARISON: &str = "e2e/bench/bench.mjs";

/// Compiles faster and runs slower than what is released.
const QUICK_BUILD: [(&str, &str); 4] = [
    ("CARGO_PROFILE_BENCH_LTO", "off"),
    ("CARGO_PROFILE_BENCH_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
];

/// Seconds for each fuzz target.
const LONG_FUZZING: u32 = 600;
