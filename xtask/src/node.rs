//! The end-to-end tests that are npm projects.

use std::fs;
use std::path::Path;

use crate::command::{Failure, Outcome, missing, program, run};
use crate::options::Options;
use crate::rust::{EXAMPLES, build_programs};
use crate::workspace::Workspace;

/// Session tokens that we make are read by the Auth.js libraries, and theirs by us.
pub(crate) fn tokens(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    if let Some(ended) = unable(workspace, "e2e/tokens/tokens.mjs", false)? {
        return Ok(ended);
    }
    build_programs(workspace)?;
    run_script(workspace, "e2e/tokens/tokens.mjs", &[])
}

/// A database of a real adapter of Auth.js is used by Hallpass, and what Hallpass writes is read by the adapter.
pub(crate) fn adapters(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    if let Some(ended) = unable(workspace, "e2e/adapters/adapters.mjs", false)? {
        return Ok(ended);
    }
    install(workspace, &workspace.path("e2e/adapters"))?;
    for (package, test) in
        [("--package=hallpass-sqlx", "--test=npm_adapter"), ("--package=hallpass-server", "--test=it")]
    {
        run(&mut workspace.cargo(&[
            "test",
            "--quiet",
            "--locked",
            package,
            test,
            "--",
            "--ignored",
            "npm_adapter",
        ]))?;
    }
    Ok(Outcome::Passed)
}

/// Writes every built-in page to `target/pages`, then opens them.
pub(crate) fn pages(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    if let Some(ended) = unable(workspace, "e2e/pages/pages.mjs", true)? {
        return Ok(ended);
    }
    build_programs(workspace)?;
    let folder = workspace.target().join("pages");
    run(&mut workspace.command(workspace.built("examples/pages"), &[&folder]))?;
    run_script(workspace, "e2e/pages/pages.mjs", &[&folder])
}

/// Every script of `e2e/browser`, in the order of their names.
pub(crate) fn browser(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    if let Some(ended) = unable(workspace, BROWSER, true)? {
        return Ok(ended);
    }
    build_programs(workspace)?;
    let mut scripts = Vec::new();
    for entry in fs::read_dir(workspace.path(BROWSER))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "mjs") {
            scripts.push(workspace.shown(&path));
        }
    }
    scripts.sort();
    if scripts.is_empty() {
        return Err(Failure::new(format!("no script in {BROWSER}")));
    }
    for script in scripts {
        run_script(workspace, &script, &[])?;
    }
    Ok(Outcome::Passed)
}

/// The real client libraries against Hallpass, in both dialects.
pub(crate) fn clients(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    let script = "e2e/clients/clients.mjs";
    if let Some(ended) = unable(workspace, script, true)? {
        return Ok(ended);
    }
    build_programs(workspace)?;
    run_script(workspace, script, &[])?;
    install(workspace, &workspace.path("e2e/clients/nuxt"))?;
    run_script(workspace, "e2e/clients/nuxt.mjs", &[])
}

/// What the quickstarts say is done, each in an empty folder: every command, every file, every step in the browser.
pub(crate) fn quickstarts(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let options = Options::parse(arguments, &["--only"])?;
    let script = "e2e/quickstarts/quickstarts.mjs";
    if let Some(ended) = unable(workspace, script, true)? {
        return Ok(ended);
    }
    build_programs(workspace)?;
    let only: Vec<&Path> = options.value("--only").into_iter().map(Path::new).collect();
    run_script(workspace, script, &only)
}

/// The declarations that come from Rust types and from JSON are the committed ones, and the compiler of TypeScript
/// reads them together with the types of next-auth 4, next-auth 5 and nuxt-auth.
pub(crate) fn types(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let options = Options::parse(arguments, &["--only"])?;
    // The whole workspace, so that the dependencies are those of the examples step.
    let mut test = workspace.cargo(&["test", "--quiet", "--locked", "--workspace", "--bins", "--tests"]);
    let examples = test.args(["--manifest-path", EXAMPLES, "--target-dir"]).arg(workspace.target());
    run(examples.arg("declarations"))?;
    run(&mut workspace.cargo(&[
        "test",
        "--quiet",
        "--locked",
        "--package",
        "hallpass",
        "--package",
        "hallpass-server",
        "--test",
        "it",
        "types::",
    ]))?;

    if let Some(ended) = unable(workspace, "e2e/types/types.mjs", false)? {
        return Ok(ended);
    }
    let projects: Vec<&str> = match options.value("--only") {
        Some(project) => vec![project],
        None => TYPES_PROJECTS.to_vec(),
    };
    for project in &projects {
        install(workspace, &workspace.path(&format!("e2e/types/{project}")))?;
    }
    let mut node = workspace.command("node", &["e2e/types/types.mjs"]);
    run(node.args(projects).env("NUXT_TELEMETRY_DISABLED", "1"))?;
    Ok(Outcome::Passed)
}

/// How the step ends at once when its script, node or a browser is missing.
fn unable(workspace: &Workspace, script: &str, in_a_browser: bool) -> Result<Option<Outcome>, Failure> {
    if !workspace.exists(script) {
        return Ok(Some(Outcome::Skipped(format!("{script} is not there"))));
    }
    if program("node").is_none() {
        return missing("node").map(Some);
    }
    if in_a_browser && !Path::new(CHROMIUM).is_file() {
        return missing(CHROMIUM).map(Some);
    }
    Ok(None)
}

/// Runs a script in its folder, after installing what its project needs.
fn run_script(workspace: &Workspace, script: &str, arguments: &[&Path]) -> Result<Outcome, Failure> {
    let path = workspace.path(script);
    let folder = path.parent().unwrap_or_else(|| workspace.root());
    install(workspace, folder)?;
    let mut node = workspace.command("node", &[&path]);
    run(node.args(arguments).current_dir(folder).env("HALLPASS_TARGET", workspace.target()))?;
    Ok(Outcome::Passed)
}

/// `npm ci`, unless what is installed is newer than the lock file. A project without a lock file needs nothing.
pub(crate) fn install(workspace: &Workspace, folder: &Path) -> Result<(), Failure> {
    let lock = folder.join("package-lock.json");
    if !lock.is_file() {
        return Ok(());
    }
    // npm writes this one last.
    let installed = folder.join("node_modules/.package-lock.json");
    if installed.is_file() && fs::metadata(&installed)?.modified()? >= fs::metadata(&lock)?.modified()? {
        return Ok(());
    }
    // Next and Nuxt have optional packages of other platforms, of which `npm ci` wants to hear in the lock file.
    let text = fs::read_to_string(&lock)?;
    let is_large = ["\"node_modules/next\"", "\"node_modules/nuxt\""].iter().any(|name| text.contains(name));
    let how: &[&str] = if is_large { &["install", "--no-save", "--ignore-scripts"] } else { &["ci"] };
    let mut npm = workspace.command("npm", how);
    run(npm.args(["--silent", "--no-fund", "--no-audit"]).current_dir(folder))
}

const TYPES_PROJECTS: [&str; 3] = ["v4", "v5", "nuxt"];

const BROWSER: &str = "e2e/browser";

const CHROMIUM: &str = "/usr/bin/chromium";
