//! `docs/security-cases.md`: one row for each case, and each row names tests that exist.

use std::collections::BTreeMap;
use std::fs;

use crate::command::{Failure, Outcome};
use crate::harness;
use crate::options::Options;
use crate::steps::Step;
use crate::workspace::Workspace;

pub(crate) fn step(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    let cases = cases(&workspace.read(TABLE)?)?;
    let mut problems = problems_of_ids(&cases);
    let sources = Sources::read(workspace)?;
    let mut later = 0;
    for case in &cases {
        match &case.tests {
            Tests::Later => later += 1,
            Tests::Named(names) => problems.extend(
                names
                    .iter()
                    .filter_map(|name| Some(format!("{}: {name}: {}", case.id, sources.problem(name)?))),
            ),
        }
    }
    println!("{} cases, {later} of them for later releases", cases.len());
    if problems.is_empty() {
        return Ok(Outcome::Passed);
    }
    Err(Failure::new(format!("{TABLE}:\n{}", problems.join("\n"))))
}

#[derive(Debug, PartialEq, Eq)]
struct Case {
    id: String,
    tests: Tests,
}

#[derive(Debug, PartialEq, Eq)]
enum Tests {
    /// The case belongs to a part that is not there yet.
    Later,
    Named(Vec<String>),
}

/// The rows of every table in the document whose first cell is an id.
fn cases(document: &str) -> Result<Vec<Case>, Failure> {
    document.lines().filter(|line| line.starts_with("| B-")).map(case).collect()
}

fn case(row: &str) -> Result<Case, Failure> {
    let cells: Vec<&str> = row.trim().trim_matches('|').split('|').map(str::trim).collect();
    let [id, what, tests] = *cells.as_slice() else {
        return Err(Failure::new(format!("{TABLE}: a row needs three cells: {row}")));
    };
    if what.is_empty() {
        return Err(Failure::new(format!("{TABLE}: {id} does not say what it is")));
    }
    let tests = match tests.strip_prefix("later: ") {
        Some(part) if PARTS.contains(&part) => Tests::Later,
        Some(part) => {
            return Err(Failure::new(format!(
                "{TABLE}: {id}: later: {part}, but parts are {}",
                PARTS.join(", ")
            )));
        }
        None => Tests::Named(tests.split('`').skip(1).step_by(2).map(str::to_owned).collect()),
    };
    if tests == Tests::Named(Vec::new()) {
        return Err(Failure::new(format!("{TABLE}: {id} names no test")));
    }
    Ok(Case { id: id.to_owned(), tests })
}

fn problems_of_ids(cases: &[Case]) -> Vec<String> {
    let wanted = (1..=CASES).map(|number| format!("B-{number:02}"));
    let mut problems: Vec<String> = wanted
        .filter_map(|id| match cases.iter().filter(|case| case.id == id).count() {
            1 => None,
            0 => Some(format!("{id} is missing")),
            count => Some(format!("{id} is there {count} times")),
        })
        .collect();
    let known =
        |id: &str| id.strip_prefix("B-").and_then(|it| it.parse().ok()).is_some_and(|it: u32| it <= CASES);
    problems
        .extend(cases.iter().filter(|case| !known(&case.id)).map(|case| format!("{} is no case", case.id)));
    problems
}

/// Where tests can be.
#[derive(Debug)]
struct Sources {
    /// Content by path.
    files: BTreeMap<String, String>,
    /// Absent where the harness is absent.
    evil_op_modes: Option<String>,
    conformance_scenarios: Option<String>,
}

impl Sources {
    fn read(workspace: &Workspace) -> Result<Self, Failure> {
        let paths = workspace
            .tracked_files()?
            .into_iter()
            .filter(|path| path.ends_with(".rs") || path.ends_with(".mjs"));
        let files =
            paths.map(|path| Ok((path.clone(), workspace.read(&path)?))).collect::<Result<_, Failure>>()?;
        let evil_op = harness::find(workspace, "evil-op", None);
        let conformance = harness::find(workspace, "conformance", None);
        let mut scenarios = None;
        if let Some(folder) = conformance {
            let mut recorded = String::new();
            for entry in fs::read_dir(folder.join("golden"))? {
                recorded.push_str(&fs::read_to_string(entry?.path())?);
            }
            scenarios = Some(recorded);
        }
        Ok(Self {
            files,
            evil_op_modes: evil_op.map(|folder| fs::read_to_string(folder.join("modes.mjs"))).transpose()?,
            conformance_scenarios: scenarios,
        })
    }

    /// Why this is not the name of a test, or nothing when it is.
    fn problem(&self, name: &str) -> Option<String> {
        if let Some(mode) = name.strip_prefix("evil-op:") {
            return self.problem_of_mode(mode);
        }
        if let Some(scenario) = name.strip_prefix("conformance:") {
            let recorded = self.conformance_scenarios.as_ref()?;
            let key = serde_json::Value::from(scenario).to_string();
            return (!recorded.contains(&format!("{key}:"))).then(|| "no such scenario".into());
        }
        if let Some(step) = name.strip_prefix("step:") {
            return Step::named(step).is_none().then(|| "no such step".into());
        }
        if let Some((path, test)) = name.split_once('#') {
            return self.problem_of_test_in(path, test);
        }
        self.problem_of_test(name)
    }

    /// A mode, the beginning of several (`id-email-*`), or what is expected of them (`reject`).
    fn problem_of_mode(&self, mode: &str) -> Option<String> {
        if EXPECTATIONS.contains(&mode) {
            return None;
        }
        let modes = self.evil_op_modes.as_ref()?;
        let found = match (mode.strip_suffix('*'), mode.split_once('@')) {
            (Some(beginning), _) => modes.contains(&format!("('{beginning}")),
            (None, Some((fault, _endpoint))) => modes.contains(&format!("  {fault}: [")),
            (None, None) => modes.contains(&format!("('{mode}'")),
        };
        (!found).then(|| "no such mode".into())
    }

    /// `crates/hallpass/tests/it/signin.rs#a_rule`, `e2e/browser/flow.mjs#a title`.
    fn problem_of_test_in(&self, path: &str, test: &str) -> Option<String> {
        let Some(content) = self.files.get(path) else {
            return Some(format!("git knows no {path}"));
        };
        let found = if path.ends_with(".rs") { has_test(content, test) } else { content.contains(test) };
        (!found).then(|| format!("no such test in {path}"))
    }

    /// `hallpass::oauth::callback::a_rule`: a function in a source file of that crate.
    fn problem_of_test(&self, name: &str) -> Option<String> {
        let Some((krate, rest)) = name.split_once("::") else {
            return Some("neither a path of a test nor file#test".into());
        };
        let test = rest.rsplit("::").next().unwrap_or(rest);
        let folder = krate.replace('_', "-");
        let prefixes = [format!("crates/{folder}/"), format!("{folder}/")];
        let mut inside =
            self.files.iter().filter(|(path, _)| prefixes.iter().any(|prefix| path.starts_with(prefix)));
        (!inside.any(|(_, content)| has_test(content, test)))
            .then(|| format!("no function {test} in {krate}"))
    }
}

/// Whether a Rust source has a function of this name.
fn has_test(content: &str, test: &str) -> bool {
    content.contains(&format!("fn {test}("))
}

const TABLE: &str = "docs/security-cases.md";

const CASES: u32 = 84;

const PARTS: [&str; 5] = ["passwords", "passkeys", "sessions", "clients", "operations"];

const EXPECTATIONS: [&str; 5] = ["accept", "reject", "either", "bounded", "guard"];

#[cfg(test)]
mod tests;
