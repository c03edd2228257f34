//! Fuzzing, without cargo-fuzz: what it does besides is a handful of compiler flags.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Failure, Outcome, output_of, run};
use crate::options::Options;
use crate::workspace::{Workspace, array, text};

pub(crate) fn step(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let options = Options::parse(arguments, &["--seconds"])?;
    let seconds = options.value("--seconds").unwrap_or("30");
    let seconds: u32 =
        seconds.parse().map_err(|_| Failure::new(format!("{seconds} is no number of seconds")))?;
    smoke(workspace, seconds)
}

/// Builds every fuzz target and runs each for so long, as many at a time as there are cores.
pub(crate) fn smoke(workspace: &Workspace, seconds: u32) -> Result<Outcome, Failure> {
    if !workspace.exists(MANIFEST) {
        return Ok(Outcome::Skipped("fuzz/ is not there".into()));
    }
    let names = targets(workspace)?;
    if names.is_empty() {
        return Err(Failure::new(format!("{MANIFEST} has no target")));
    }
    let binaries = build(workspace)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for some in names.chunks(cores) {
        let mut running = Vec::new();
        for name in some {
            let mut command = fuzzer(workspace, &binaries, name, seconds)?;
            println!("fuzzing {name} for {seconds} s");
            running.push((name, command.spawn()?));
        }
        let mut failed = Vec::new();
        for (name, mut child) in running {
            if !child.wait()?.success() {
                failed.push(name.as_str());
            }
        }
        if !failed.is_empty() {
            let artifacts = workspace.shown(&workspace.target().join("fuzz/artifacts"));
            return Err(Failure::new(format!("{} failed: see {artifacts}", failed.join(", "))));
        }
    }
    Ok(Outcome::Passed)
}

fn targets(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let metadata = workspace.metadata(MANIFEST, &["--no-deps"])?;
    let targets = array(&metadata, "packages").flat_map(|package| array(package, "targets"));
    let binaries = targets.filter(|target| array(target, "kind").any(|kind| kind == "bin"));
    Ok(binaries.map(|target| text(target, "name").to_owned()).collect())
}

/// Builds with coverage counters and returns the folder of the binaries. With `--target`, the flags do not reach build
/// scripts and procedural macros.
fn build(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let version = output_of(Command::new("rustc").arg("-vV"))?;
    let triple = version.lines().find_map(|line| line.strip_prefix("host: "));
    let triple = triple.ok_or_else(|| Failure::new("rustc -vV names no host"))?;
    let folder = workspace.target().join("fuzz");
    let arguments = [
        "build",
        "--locked",
        "--quiet",
        "--release",
        "--bins",
        "--manifest-path",
        MANIFEST,
        "--target",
        triple,
    ];
    let mut build = workspace.cargo(&arguments);
    build.arg("--target-dir").arg(&folder).env("RUSTFLAGS", FLAGS.join(" ")).envs(PROFILE);
    run(&mut build)?;
    Ok(folder.join(triple).join("release"))
}

fn fuzzer(workspace: &Workspace, binaries: &Path, name: &str, seconds: u32) -> Result<Command, Failure> {
    let corpus = workspace.target().join("fuzz/corpus").join(name);
    let artifacts = workspace.target().join("fuzz/artifacts").join(name);
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&artifacts)?;
    let mut command = workspace.command(binaries.join(name), LIMITS);
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    command.arg(corpus);
    let seeds = workspace.path("fuzz/seeds").join(name);
    if seeds.is_dir() {
        command.arg(seeds);
    }
    let dictionary = workspace.path("fuzz/dictionaries").join(format!("{name}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    Ok(command)
}

const MANIFEST: &str = "fuzz/Cargo.toml";

/// What `cargo fuzz build --sanitizer none` gives the compiler.
const FLAGS: [&str; 7] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cdebug-assertions",
];

/// Quick to build, and the counters survive.
const PROFILE: [(&str, &str); 3] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
];

/// Seconds for one input, MiB of memory, and no line for each new input.
const LIMITS: &[&str] = &["-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1", "-verbosity=0"];
