//! What must not be in the repository: addresses of package mirrors and paths of one machine.

use serde_json::Value;

use crate::command::{Failure, Outcome};
use crate::options::Options;
use crate::workspace::Workspace;

pub(crate) fn step(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    let mut problems = Vec::new();
    for path in workspace.tracked_files()? {
        // A binary file has neither; a link has the text of what it points at.
        let Ok(content) = workspace.read(&path) else { continue };
        problems.extend(problems_of(&path, &content).into_iter().map(|problem| format!("{path}: {problem}")));
    }
    if problems.is_empty() {
        return Ok(Outcome::Passed);
    }
    Err(Failure::new(problems.join("\n")))
}

fn problems_of(path: &str, content: &str) -> Vec<String> {
    let mut problems = machine_paths(content);
    problems.extend(package_hosts(content));
    let name = path.rsplit('/').next().unwrap_or(path);
    match name {
        "package-lock.json" => problems.extend(resolved_packages(content)),
        "Cargo.lock" => problems.extend(foreign_sources(content)),
        ".npmrc" => problems.extend(lines_with(&content.replace(" =", "="), "registry=")),
        "config.toml" if path.ends_with(".cargo/config.toml") => {
            for setting in ["registry", "registries", "[source"] {
                problems.extend(lines_with(content, setting));
            }
        }
        _ => {}
    }
    problems
}

fn machine_paths(content: &str) -> Vec<String> {
    MACHINE_FOLDERS.iter().flat_map(|folder| lines_with(content, &format!("/{folder}/"))).collect()
}

fn package_hosts(content: &str) -> Vec<String> {
    PACKAGE_HOSTS.iter().flat_map(|(host, domain)| lines_with(content, &format!("{host}.{domain}"))).collect()
}

fn lines_with(content: &str, text: &str) -> Vec<String> {
    let lines = content.lines().enumerate().filter(|(_, line)| line.contains(text));
    lines.map(|(index, _)| format!("line {} has {text}", index + 1)).collect()
}

/// npm writes where each package came from, unless told not to; a link to a folder beside is fine.
fn resolved_packages(content: &str) -> Vec<String> {
    let Ok(lock) = serde_json::from_str::<Value>(content) else {
        return vec!["is not JSON".into()];
    };
    let packages = lock.get("packages").and_then(Value::as_object);
    let resolved = packages.into_iter().flatten().filter(|(_, package)| {
        package.get("resolved").is_some() && package.get("link").and_then(Value::as_bool) != Some(true)
    });
    resolved
        .map(|(name, _)| format!("{name} has an address (npm install --omit-lockfile-registry-resolved)"))
        .collect()
}

fn foreign_sources(content: &str) -> Vec<String> {
    let sources = content.lines().filter_map(|line| line.strip_prefix("source = "));
    let foreign = sources.filter(|source| source.trim_matches('"') != CRATES_IO);
    foreign.map(|source| format!("a source other than crates.io: {source}")).collect()
}

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Folders that only one machine has.
const MACHINE_FOLDERS: [&str; 4] = ["work", "root", "home", "farm"];

/// Hosts that serve packages: a lock file that names one is of no use behind a mirror. In two parts, so that this file
/// passes its own check.
const PACKAGE_HOSTS: [(&str, &str); 5] = [
    ("registry", "npmjs.org"),
    ("registry", "yarnpkg.com"),
    ("files", "pythonhosted.org"),
    ("static", "crates.io"),
    ("index", "crates.io"),
];

#[cfg(test)]
mod tests;
