//! Variables whose value is in a file: `AUTH_SECRET_FILE`, as containers are given secrets.

use std::collections::HashMap;
use std::fs;

use hallpass::Environment;

use super::problem::Problem;

/// The environment, with what the files hold that variables ending in `_FILE` name. Only secret ones may be in a file.
pub(super) fn with_files(environment: Environment, problems: &mut Vec<Problem>) -> Environment {
    let named: Vec<_> = environment
        .iter()
        .filter_map(|(variable, path)| Some((variable.strip_suffix("_FILE")?, path)))
        .filter(|(name, path)| is_secret(name) && !path.is_empty())
        .map(|(name, path)| (name.to_owned(), path.to_owned()))
        .collect();
    if named.is_empty() {
        return environment;
    }
    let mut all: HashMap<_, _> =
        environment.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for (name, path) in named {
        if environment.get(&name).is_some() {
            problems.push(Problem::new(format!("{name} and {name}_FILE are set: keep one of them")));
            continue;
        }
        match fs::read_to_string(&path) {
            Ok(text) if text.trim().is_empty() => {
                problems.push(Problem::new(format!("{name}_FILE: {path} is empty")));
            }
            Ok(text) => _ = all.insert(name, text.trim_end_matches(['\r', '\n']).to_owned()),
            Err(error) => {
                problems.push(Problem::new(format!("{name}_FILE: {path} cannot be read: {error}")));
            }
        }
    }
    all.into()
}

/// Whether a variable is one of ours that holds something secret.
pub(crate) fn is_secret(name: &str) -> bool {
    let ends = ["_SECRET", "_KEY", "_SECRET_1", "_SECRET_2", "_SECRET_3"];
    ["AUTH_DATABASE_URL", "DATABASE_URL", "AUTH_REDIS_URL", "EMAIL_SERVER", "NEXTAUTH_SECRET"].contains(&name)
        || (name.starts_with("AUTH_") && ends.iter().any(|end| name.ends_with(end)))
}
