//! Test harnesses that stand beside the repository: found, copied into the target folder, and used from there.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Failure, run};
use crate::workspace::Workspace;

/// The folder of a harness: the one given, below `HALLPASS_SHARED`, or beside the repository.
pub(crate) fn find(workspace: &Workspace, name: &str, given: Option<&str>) -> Option<PathBuf> {
    let shared = std::env::var_os("HALLPASS_SHARED").map(PathBuf::from);
    let candidates = match given {
        Some(folder) => vec![PathBuf::from(folder)],
        None => shared.into_iter().chain([workspace.path("../shared")]).map(|it| it.join(name)).collect(),
    };
    candidates.into_iter().find(|folder| folder.is_dir())
}

/// Copies the harness, installs what it needs, and returns the copy. Does nothing when the copy is that of the same
/// files.
pub(crate) fn copy(workspace: &Workspace, source: &Path) -> Result<PathBuf, Failure> {
    let name = source.file_name().ok_or_else(|| Failure::new("the harness folder has no name"))?;
    let copy = workspace.target().join("harness").join(name);
    let stamp = copy.join(".copied");
    let fingerprint = fingerprint(source)?;
    if fs::read_to_string(&stamp).is_ok_and(|found| found == fingerprint) {
        return Ok(copy);
    }
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    for relative in files(source)? {
        let target = copy.join(&relative);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&target, fs::read(source.join(&relative))?)?;
    }
    if copy.join("package-lock.json").is_file() {
        run(Command::new("npm").args(["ci", "--silent"]).current_dir(&copy))?;
    }
    fs::write(&stamp, fingerprint)?;
    Ok(copy)
}

fn fingerprint(source: &Path) -> Result<String, Failure> {
    let mut hasher = DefaultHasher::new();
    for relative in files(source)? {
        relative.hash(&mut hasher);
        fs::read(source.join(&relative))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Every file below the folder, sorted, without what npm installed.
fn files(source: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                if !path.ends_with("node_modules") {
                    folders.push(path);
                }
            } else if let Ok(relative) = path.strip_prefix(source) {
                found.push(relative.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}
