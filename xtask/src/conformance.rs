//! The recorded answers of Auth.js, and the differences that we know of.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::command::{Failure, Outcome, Running, free_ports, missing, output_of, program};
use crate::harness;
use crate::options::Options;
use crate::rust::build_programs;
use crate::workspace::Workspace;

pub(crate) fn step(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let options = Options::parse(arguments, &["--harness", "--profile", "--only", "--shell"])?;
    let Some(source) = harness::find(workspace, "conformance", options.value("--harness")) else {
        return Ok(Outcome::Skipped("harness not found".into()));
    };
    if !workspace.exists(TARGET_MANIFEST) {
        return Ok(Outcome::Skipped("crates/conformance-target is not there".into()));
    }
    if program("node").is_none() {
        return missing("node");
    }
    let harness = harness::copy(workspace, &source)?;
    build_programs(workspace)?;
    let known = known_differences(workspace)?;
    check_known(&known, &scenarios(workspace, &harness)?)?;

    let mut stale = BTreeSet::new();
    for shell in options.value("--shell").map_or_else(|| SHELLS.to_vec(), |shell| vec![shell]) {
        println!("--- {shell}");
        stale.extend(run_in(shell, workspace, &harness, &options)?);
    }
    if stale.is_empty() {
        return Ok(Outcome::Passed);
    }
    let stale: Vec<_> = stale.into_iter().collect();
    Err(Failure::new(format!("{KNOWN} lists what passes: {}", stale.join("; "))))
}

/// Asks the target with everything mounted in one shell, and returns the known differences that are none.
fn run_in(
    shell: &str,
    workspace: &Workspace,
    harness: &Path,
    options: &Options<'_>,
) -> Result<Vec<String>, Failure> {
    let [port, op_port, fake_port] = free_ports()?;
    let ports =
        [("CONFORMANCE_OP_PORT", op_port.to_string()), ("CONFORMANCE_FAKE_PORT", fake_port.to_string())];
    let listen = format!("127.0.0.1:{port}");
    let arguments = ["--listen", &listen, "--shell", shell];
    let mut target = workspace.command(workspace.built("conformance-target"), &arguments);
    let mut target = Running::start(target.envs(ports.clone()))?;
    target.wait_until_listening(port, Duration::from_secs(20))?;

    let mut runner =
        workspace.command("node", &["run.mjs", "--target", &format!("http://127.0.0.1:{port}/auth")]);
    runner.current_dir(harness).envs(ports);
    runner.args(["--profile", options.value("--profile").unwrap_or(PROFILES)]);
    if let Some(only) = options.value("--only") {
        runner.args(["--only", only]);
    }
    if workspace.exists(KNOWN) {
        runner.arg("--known").arg(workspace.path(KNOWN));
    }
    run_and_filter(&mut runner)
}

/// Runs the harness, shows what does not pass, and returns the known differences that are none.
fn run_and_filter(runner: &mut std::process::Command) -> Result<Vec<String>, Failure> {
    let mut child = runner.stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().ok_or_else(|| Failure::new("the harness has no output"))?;
    let mut stale = Vec::new();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        match line.strip_prefix("pass ") {
            None => println!("{line}"),
            Some(passed) => stale.extend(passed.strip_suffix(STALE).map(|name| name.trim().to_owned())),
        }
    }
    let status = child.wait()?;
    if !status.success() {
        return Err(Failure::new("the answers differ from those of Auth.js"));
    }
    Ok(stale)
}

/// Scenario name and reason.
fn known_differences(workspace: &Workspace) -> Result<BTreeMap<String, String>, Failure> {
    if !workspace.exists(KNOWN) {
        return Ok(BTreeMap::new());
    }
    let known: Value = serde_json::from_str(&workspace.read(KNOWN)?)?;
    let object = known.as_object().ok_or_else(|| Failure::new(format!("{KNOWN} is no object")))?;
    let reasons = object.iter().map(|(name, reason)| match reason.as_str() {
        Some(reason) if !reason.trim().is_empty() => Ok((name.clone(), reason.to_owned())),
        _ => Err(Failure::new(format!("{KNOWN}: {name} has no reason"))),
    });
    reasons.collect()
}

#[derive(Clone, Debug)]
struct Scenario {
    profile: String,
    tags: Vec<String>,
    name: String,
}

impl Scenario {
    fn is_of_v4(&self) -> bool {
        self.profile.starts_with("v4")
    }
}

/// What `run.mjs --list` prints: file, profile, tags and name, with tabs between.
fn scenarios(workspace: &Workspace, harness: &Path) -> Result<Vec<Scenario>, Failure> {
    let listed = output_of(workspace.command("node", &["run.mjs", "--list"]).current_dir(harness))?;
    Ok(listed.lines().filter_map(scenario).collect())
}

fn scenario(line: &str) -> Option<Scenario> {
    let mut cells = line.splitn(4, '\t').skip(1);
    let profile = cells.next()?.to_owned();
    let tags = cells.next()?.split(',').map(str::to_owned).collect();
    Some(Scenario { profile, tags, name: cells.next()?.to_owned() })
}

/// Every known difference is a scenario, and few of each dialect are our own choice.
fn check_known(known: &BTreeMap<String, String>, scenarios: &[Scenario]) -> Result<(), Failure> {
    let (mut of_v5, mut of_v4) = (Vec::new(), Vec::new());
    for name in known.keys() {
        let Some(scenario) = scenarios.iter().find(|scenario| scenario.name == *name) else {
            return Err(Failure::new(format!("{KNOWN}: no scenario is called {name:?}")));
        };
        let is_fault_of_the_original = scenario.tags.iter().any(|tag| tag == "quirk");
        let cannot_be_configured = IMPOSSIBLE.contains(&scenario.profile.as_str());
        if !is_fault_of_the_original && !cannot_be_configured {
            let chosen = if scenario.is_of_v4() { &mut of_v4 } else { &mut of_v5 };
            chosen.push(name.as_str());
        }
    }
    println!(
        "{} known differences, chosen: {} in v5, {} in v4 (at most {MOST_CHOSEN} each)",
        known.len(),
        of_v5.len(),
        of_v4.len()
    );
    match [("v5", of_v5), ("v4", of_v4)].into_iter().find(|(_, chosen)| chosen.len() > MOST_CHOSEN) {
        None => Ok(()),
        Some((dialect, chosen)) => Err(Failure::new(format!(
            "{KNOWN}: {} chosen differences in {dialect}: {}",
            chosen.len(),
            chosen.join("; ")
        ))),
    }
}

const KNOWN: &str = "conformance/known-differences.json";

/// The web frameworks that Hallpass is mounted in.
const SHELLS: [&str; 2] = ["axum", "actix"];

const TARGET_MANIFEST: &str = "crates/conformance-target/Cargo.toml";

/// How the harness marks a scenario that passes though it is listed.
const STALE: &str = "(listed as a known deviation, but passes)";

/// Wrong configurations that our types cannot express.
const IMPOSSIBLE: [&str; 3] = ["bad-adapter", "bad-strategy", "v4-bad-strategy"];

/// Differences in one dialect that are our own choice: each is one more thing for a user to know.
const MOST_CHOSEN: usize = 8;

const PROFILES: &str = "jwt,core,database,hybrid,pages,custom,nocsrf,proxy,env,bad-secret,bad-host,bad-endpoints,bad-email,\
    bad-strategy,bad-adapter,bad-database,bad-pages,v4,v4-database,v4-hybrid,v4-pages,v4-custom,v4-request,\
    v4-trust,v4-bad-secret,v4-bad-pages,v4-bad-strategy,v4-bad-database,v4-bad-endpoints";

#[cfg(test)]
mod tests;
