//! Who can read the files with secrets, and whether somebody has put something into them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::setup::init::is_placeholder;

use super::finding::Finding;

pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let mut files: Vec<PathBuf> = config.secret_files.clone();
    files.extend(config.database.file());
    files.sort();
    files.dedup();
    let mut findings: Vec<_> = files.iter().filter_map(|path| open_to_others(path)).collect();
    if findings.is_empty() && files.iter().any(|path| path.is_file()) {
        findings.push(Finding::ok(CHECK, "nobody else can read the files with secrets"));
    }
    for path in &config.secret_files {
        if fs::read_to_string(path).is_ok_and(|text| is_placeholder(text.trim())) {
            let message = format!("{} still has to be filled in", path.display());
            findings.push(Finding::problem(CHECK, message, "put the value there that you were given"));
        }
    }
    findings
}

#[cfg(unix)]
fn open_to_others(path: &Path) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = fs::metadata(path).ok()?;
    let mode = metadata.permissions().mode() & 0o777;
    // What a container is given is read by nobody outside of it.
    let is_given = ["/run/secrets", "/var/run/secrets"].iter().any(|folder| path.starts_with(folder));
    if is_given || mode & 0o006 == 0 {
        return None;
    }
    let what = if mode & 0o002 == 0 { "read" } else { "change" };
    let (shown, message) =
        (path.display(), format!("everybody on this machine can {what} {}, mode {mode:o}", path.display()));
    let cure = format!("chmod 600 {shown}, for the user that the server runs as");
    // A database is made with the mode that the system gives it.
    let is_database = path.extension().is_some_and(|extension| extension == "db");
    Some(match is_database && mode & 0o002 == 0 {
        true => Finding::warning(CHECK, message, cure),
        false => Finding::problem(CHECK, message, cure),
    })
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> Option<Finding> {
    None
}

const CHECK: &str = "files";
