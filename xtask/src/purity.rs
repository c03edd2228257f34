//! The protocol ring is plain functions over values: this reads its sources and says where it is not.
//!
//! Reading tokens is enough, since a name has to be written to be used. Test code is left out.

mod source;

use std::path::Path;

use crate::command::{Failure, Outcome};
use crate::options::Options;
use crate::purity::source::{Name, names_in};
use crate::workspace::Workspace;

pub(crate) fn step(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    let mut problems = Vec::new();
    let mut files = 0;
    for path in workspace.files_below(SOURCES, ".rs")? {
        let Some(module) = ring_module(path.strip_prefix(workspace.path(SOURCES)).unwrap_or(&path)) else {
            continue;
        };
        files += 1;
        let shown = workspace.shown(&path);
        let source = workspace.read(&shown)?;
        problems
            .extend(problems_in(&source, &module).into_iter().map(|problem| format!("{shown}:{problem}")));
    }
    println!("{files} files of the protocol ring");
    if files == 0 {
        return Err(Failure::new(format!("no protocol ring below {SOURCES}")));
    }
    if problems.is_empty() {
        return Ok(Outcome::Passed);
    }
    Err(Failure::new(problems.join("\n")))
}

/// The module that a source file is, when it belongs to the ring and is no test: `oauth/callback.rs` is
/// `["oauth", "callback"]`.
fn ring_module(relative: &Path) -> Option<Vec<String>> {
    let path = relative.with_extension("");
    let mut module: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    let is_ring = module.first().is_some_and(|first| RING.contains(&first.as_str()));
    let is_test = module.iter().any(|part| part == "tests");
    (is_ring && !is_test).then_some(module)
}

/// `line: what` for everything that a module of the ring may not name.
fn problems_in(source: &str, module: &[String]) -> Vec<String> {
    let names = names_in(source);
    names.iter().filter_map(|name| Some(format!("{}: {}", name.line, problem(name, module)?))).collect()
}

fn problem(name: &Name, module: &[String]) -> Option<String> {
    let written = name.path.join("::");
    let path: Vec<&str> = name.path.iter().map(String::as_str).collect();
    if let Some((_, why)) = WORDS.iter().find(|(word, _)| path.contains(word)) {
        return Some(format!("{written}: {why}"));
    }
    let prefix = PATHS.iter().find(|(prefix, _)| path.windows(prefix.len()).any(|part| part == *prefix));
    if let Some((_, why)) = prefix {
        return Some(format!("{written}: {why}"));
    }
    // A bare `crate` or `super` is a visibility.
    let above = from_the_root(&path, module).filter(|above| !above.is_empty())?;
    let allowed = above.first().is_some_and(|first| RING.contains(first))
        || VALUES.iter().any(|value| above.starts_with(value));
    (!allowed).then(|| format!("{written}: the ring imports nothing above it"))
}

/// The path as seen from the root of the crate, when it starts there or climbs there by `super`.
fn from_the_root<'a>(path: &'a [&'a str], module: &[String]) -> Option<&'a [&'a str]> {
    match path.split_first()? {
        (&"crate", rest) => Some(rest),
        (&"super", _) => {
            let climbed = path.iter().take_while(|part| **part == "super").count();
            (climbed >= module.len()).then(|| path.get(climbed..).unwrap_or_default())
        }
        _ => None,
    }
}

const SOURCES: &str = "crates/hallpass/src";

const RING: [&str; 4] = ["jose", "oauth", "oidc", "providers"];

/// What the ring may use besides itself: types that are values.
const VALUES: [&[&str]; 5] =
    [&["Secret"], &["secret", "Secret"], &["Timestamp"], &["clock", "Timestamp"], &["http", "Reach"]];

const WORDS: [(&str, &str); 7] = [
    ("async", "plain functions only"),
    ("await", "plain functions only"),
    ("SystemTime", "the time is an argument"),
    ("tokio", "no runtime"),
    ("reqwest", "the engine does the sending"),
    ("getrandom", "random bytes are an argument"),
    ("rand", "random bytes are an argument"),
];

const PATHS: [(&[&str], &str); 7] = [
    (&["Instant", "now"], "the time is an argument"),
    (&["std", "env"], "the environment is an input"),
    (&["std", "net"], "no network"),
    (&["std", "fs"], "no files"),
    (&["std", "process"], "no processes"),
    (&["std", "thread"], "no threads"),
    (&["std", "io"], "no input or output"),
];

#[cfg(test)]
mod tests;
