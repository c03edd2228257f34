//! Dependencies: banned crates, licences and sources, by the rules in `deny.toml`.
//!
//! The file has the form that cargo-deny reads. This reads the three parts that need no network by itself, so that
//! nothing has to be installed.

use toml::Table;

use serde_json::Value;

use crate::command::{Failure, Outcome};
use crate::options::Options;
use crate::rust::OTHER_WORKSPACES;
use crate::workspace::{Workspace, array, text};

pub(crate) fn step(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    let rules = Rules::parse(&workspace.read("deny.toml")?)?;
    let root = format!("{}/", workspace.root().display());
    let others = OTHER_WORKSPACES.into_iter().filter(|manifest| workspace.exists(manifest));
    let mut problems = Vec::new();
    for manifest in std::iter::once("Cargo.toml").chain(others) {
        let metadata = workspace.metadata(manifest, &["--all-features"])?;
        let packages: Vec<&Value> = array(&metadata, "packages").collect();
        println!("{manifest}: {} crates", packages.len());
        problems.extend(packages.into_iter().flat_map(|package| rules.problems(package, &root)));
    }
    if problems.is_empty() {
        return Ok(Outcome::Passed);
    }
    problems.sort();
    problems.dedup();
    Err(Failure::new(problems.join("\n")))
}

/// What `deny.toml` says.
#[derive(Debug)]
struct Rules {
    banned: Vec<String>,
    licences: Vec<String>,
    /// Crate and licence that is allowed for it alone.
    exceptions: Vec<(String, String)>,
    registries: Vec<String>,
}

impl Rules {
    fn parse(toml: &str) -> Result<Self, Failure> {
        let table: Table = toml.parse().map_err(|error| Failure::new(format!("deny.toml: {error}")))?;
        let exceptions = tables(&table, "licenses", "exceptions").flat_map(|exception| {
            let name = string(exception, "crate");
            strings(exception, "allow").map(move |licence| (name.clone(), licence))
        });
        let rules = Self {
            banned: tables(&table, "bans", "deny").map(|ban| string(ban, "crate")).collect(),
            licences: section(&table, "licenses").into_iter().flat_map(|it| strings(it, "allow")).collect(),
            exceptions: exceptions.collect(),
            registries: section(&table, "sources")
                .into_iter()
                .flat_map(|it| strings(it, "allow-registry"))
                .collect(),
        };
        if rules.banned.is_empty() || rules.licences.is_empty() || rules.registries.is_empty() {
            return Err(Failure::new(
                "deny.toml: bans.deny, licenses.allow or sources.allow-registry is empty",
            ));
        }
        Ok(rules)
    }

    /// What is wrong with a package, as `cargo metadata` describes it.
    fn problems(&self, package: &Value, root: &str) -> Vec<String> {
        let name = text(package, "name");
        let mut problems = Vec::new();
        if self.banned.iter().any(|banned| banned == name) {
            problems.push(format!("{name} is banned"));
        }
        match text(package, "source") {
            "" if text(package, "manifest_path").starts_with(root) => return problems,
            "" => problems.push(format!("{name} is a folder outside the repository")),
            source => {
                let registry = source.strip_prefix("registry+").unwrap_or(source);
                if !self.registries.iter().any(|allowed| allowed == registry) {
                    problems.push(format!("{name} comes from {source}"));
                }
            }
        }
        let licence = text(package, "license");
        let allowed = |one: &str| {
            self.licences.iter().any(|it| it == one)
                || self.exceptions.iter().any(|(crate_name, it)| crate_name == name && it == one)
        };
        if !satisfies(licence, allowed) {
            problems.push(format!("{name} has the licence {licence:?}"));
        }
        problems
    }
}

/// Whether an SPDX expression can be met by allowed licences alone. What cannot be read is not met.
fn satisfies(expression: &str, allowed: impl Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest, &allowed) == Some(true) && rest.is_empty()
}

fn any_of(words: &mut &[&str], allowed: &impl Fn(&str) -> bool) -> Option<bool> {
    let mut met = all_of(words, allowed)?;
    while let Some(("OR", rest)) = words.split_first().map(|(word, rest)| (*word, rest)) {
        *words = rest;
        met |= all_of(words, allowed)?;
    }
    Some(met)
}

fn all_of(words: &mut &[&str], allowed: &impl Fn(&str) -> bool) -> Option<bool> {
    let mut met = one_of(words, allowed)?;
    while let Some(("AND", rest)) = words.split_first().map(|(word, rest)| (*word, rest)) {
        *words = rest;
        met &= one_of(words, allowed)?;
    }
    Some(met)
}

fn one_of(words: &mut &[&str], allowed: &impl Fn(&str) -> bool) -> Option<bool> {
    let (word, rest) = words.split_first()?;
    *words = rest;
    if *word == "(" {
        let met = any_of(words, allowed)?;
        let (close, rest) = words.split_first()?;
        *words = rest;
        return (*close == ")").then_some(met);
    }
    if let ["WITH", exception, rest @ ..] = *words {
        let licence = format!("{word} WITH {exception}");
        *words = rest;
        return Some(allowed(&licence));
    }
    Some(allowed(word))
}

fn section<'a>(table: &'a Table, name: &str) -> Option<&'a Table> {
    table.get(name)?.as_table()
}

fn tables<'a>(table: &'a Table, name: &str, key: &str) -> impl Iterator<Item = &'a Table> {
    let list = section(table, name).and_then(|it| it.get(key)).and_then(toml::Value::as_array);
    list.into_iter().flatten().filter_map(toml::Value::as_table)
}

fn strings<'a>(table: &'a Table, key: &str) -> impl Iterator<Item = String> + use<'a> {
    let list = table.get(key).and_then(toml::Value::as_array);
    list.into_iter().flatten().filter_map(toml::Value::as_str).map(str::to_owned)
}

fn string(table: &Table, key: &str) -> String {
    table.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
