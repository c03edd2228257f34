//! Spelling.

use crate::command::{Failure, Outcome, missing, program, run};
use crate::options::Options;
use crate::workspace::Workspace;

/// Runs `typos` over the repository, with `_typos.toml`. `.ci/run` puts the wanted version into `target/tools`.
pub(crate) fn step(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    Options::parse(arguments, &[])?;
    let ours = workspace.target().join("tools/bin/typos");
    let Some(typos) = Some(ours).filter(|path| path.is_file()).or_else(|| program("typos")) else {
        return missing("typos");
    };
    run(&mut workspace.command(typos, &["--config", "_typos.toml"]))?;
    Ok(Outcome::Passed)
}
