//! Whether the settings are right at all.

use hallpass::Auth;

use crate::config::{Config, Problems};
use crate::setup::variables;

use super::finding::Finding;

pub(super) fn findings(config: &Config, wrong: Option<&Problems>, auth: Option<&Auth>) -> Vec<Finding> {
    let mut findings: Vec<_> = wrong.into_iter().flat_map(problems).collect();
    if let Some(fault) = &config.broken_script {
        findings.push(Finding::problem(CHECK, fault.to_string(), ""));
    }
    if findings.is_empty() {
        let place = match (&config.file, config.dev) {
            (Some(file), _) => format!("{} is right", file.display()),
            (None, true) => "development mode, without a file".to_owned(),
            (None, false) => "the environment is right; there is no file".to_owned(),
        };
        findings.push(Finding::ok(CHECK, place));
    }
    for (set, meant) in variables::slips(config.environment(), auth) {
        let message = format!("{set} is set, and read by nobody");
        findings.push(Finding::warning(CHECK, message, format!("did you mean {meant}?")));
    }
    findings
}

/// The messages say what mends them.
pub(super) fn problems(problems: &Problems) -> impl Iterator<Item = Finding> {
    problems.iter().map(|problem| Finding::problem(CHECK, problem.to_string(), ""))
}

const CHECK: &str = "settings";
