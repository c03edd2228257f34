//! The steps that are cargo commands.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::command::{Failure, Outcome, run};
use crate::options::Options;
use crate::workspace::{Workspace, array, text};

pub(crate) fn fmt(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    run(&mut workspace.cargo(&["fmt", "--all", "--check"]))?;
    // `mod` stands inside a macro there, which cargo fmt does not look into.
    let providers = workspace.files_below("crates/hallpass/src/providers", ".rs")?;
    run(workspace.command("rustfmt", &["--check", "--edition", "2024"]).args(providers))?;
    for manifest in OTHER_WORKSPACES.iter().filter(|manifest| workspace.exists(manifest)) {
        run(&mut workspace.cargo(&["fmt", "--all", "--check", "--manifest-path", manifest]))?;
    }
    Ok(Outcome::Passed)
}

/// The tests of what is no default member: programs, and the servers that tests start. See [`build_programs`] for why
/// the others come along.
pub(crate) fn test(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    run(&mut workspace.cargo(&["test", "--quiet", "--locked", "--workspace", "--bins"]))?;
    run(&mut workspace.cargo(&["test", "--quiet", "--locked", "--package", "test-servers", "--lib"]))?;
    Ok(Outcome::Passed)
}

pub(crate) fn clippy(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    let all = ["clippy", "--workspace", "--all-targets", "--all-features", "--locked", "--quiet"];
    run(workspace.cargo(&all).args(DENY_WARNINGS))?;
    Ok(Outcome::Passed)
}

pub(crate) fn doc(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    let all = ["doc", "--workspace", "--no-deps", "--all-features", "--locked", "--quiet"];
    run(workspace.cargo(&all).env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Outcome::Passed)
}

/// Each feature of each published crate alone, none, and the default ones. Clippy rather than check: `-D warnings`
/// reaches our crates only, so the dependencies are shared with the other steps. All together is the clippy step.
pub(crate) fn features(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    let metadata = workspace.metadata("Cargo.toml", &["--no-deps"])?;
    for package in array(&metadata, "packages").filter(|package| is_published(package)) {
        let name = text(package, "name");
        let check = ["clippy", "--quiet", "--locked", "--package", name];
        run(workspace.cargo(&check).arg("--no-default-features").args(DENY_WARNINGS))?;
        for feature in features_of(package) {
            let chosen = ["--no-default-features", "--features", feature];
            run(workspace.cargo(&check).args(chosen).args(DENY_WARNINGS))?;
        }
        run(workspace.cargo(&check).args(DENY_WARNINGS))?;
    }
    Ok(Outcome::Passed)
}

/// Builds every program that the end-to-end tests use.
///
/// All together, and with examples: so cargo chooses the same features for every dependency as it does for
/// `cargo test`, and builds each once.
pub(crate) fn build_programs(workspace: &Workspace) -> Result<(), Failure> {
    run(&mut workspace.cargo(&["build", "--quiet", "--locked", "--workspace", "--bins", "--examples"]))
}

/// Builds the examples as people do, runs their tests, and counts their lines.
pub(crate) fn examples(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    if !workspace.exists(EXAMPLES) {
        return Ok(Outcome::Skipped("examples/ is not there".into()));
    }
    for command in ["build", "test"] {
        let all = [command, "--workspace", "--locked", "--quiet", "--manifest-path", EXAMPLES];
        run(workspace.cargo(&all).arg("--target-dir").arg(workspace.target()))?;
    }

    let mut too_long = Vec::new();
    for entry in fs::read_dir(workspace.path("examples"))? {
        let main = entry?.path().join("src/main.rs");
        if !main.is_file() {
            continue;
        }
        let lines = fs::read_to_string(&main)?.lines().count();
        println!("{}: {lines} lines", workspace.shown(&main));
        if lines > EXAMPLE_LINES {
            too_long.push(workspace.shown(&main));
        }
    }
    if too_long.is_empty() {
        return Ok(Outcome::Passed);
    }
    Err(Failure::new(format!("more than {EXAMPLE_LINES} lines: {}", too_long.join(", "))))
}

/// A package that goes to crates.io; `publish = false` is an empty list of registries.
fn is_published(package: &Value) -> bool {
    package.get("publish").and_then(Value::as_array).is_none_or(|registries| !registries.is_empty())
}

fn features_of(package: &Value) -> Vec<&str> {
    let features: BTreeMap<&str, &Value> = package
        .get("features")
        .and_then(Value::as_object)
        .map(|map| map.iter().map(|(name, enables)| (name.as_str(), enables)).collect())
        .unwrap_or_default();
    features.into_keys().filter(|name| *name != "default").collect()
}

const DENY_WARNINGS: [&str; 3] = ["--", "-D", "warnings"];

pub(crate) const EXAMPLES: &str = "examples/Cargo.toml";

const EXAMPLE_LINES: usize = 60;

/// Workspaces with a lock file of their own.
pub(crate) const OTHER_WORKSPACES: [&str; 2] = [EXAMPLES, "fuzz/Cargo.toml"];
