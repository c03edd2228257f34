//! Writing several files: all of them, or none.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::Failure;

/// A file to be.
#[derive(Debug)]
pub(super) struct NewFile {
    /// Below the folder.
    pub(super) path: String,
    pub(super) text: String,
    /// Only its owner may read it.
    pub(super) is_private: bool,
    /// What is there already stays, and the lines that it lacks are added.
    pub(super) is_shared: bool,
}

/// Writes all files; where one fails, those before it go again. With `force` what was there is kept as `.bak`.
///
/// # Errors
/// When a file is there already, or cannot be written.
pub(super) fn all(folder: &Path, files: &[NewFile], force: bool) -> Result<(), Failure> {
    let taken: Vec<_> = files
        .iter()
        .filter(|file| !file.is_shared && !force)
        .map(|file| folder.join(&file.path))
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path| path.display().to_string())
        .collect();
    if !taken.is_empty() {
        let taken = taken.join(", ");
        return Err(Failure::Other(format!(
            "{taken} already there, and nothing was written: --force writes new ones and keeps the old as .bak"
        )));
    }
    let mut done = Vec::new();
    for file in files {
        if let Err(error) = one(folder, file, &mut done) {
            undo(done);
            let path = folder.join(&file.path);
            return Err(Failure::Other(format!(
                "{} cannot be written ({error}), so nothing was",
                path.display()
            )));
        }
    }
    for step in done {
        // Everything that was in a shared file is in the new one.
        if let Step::Moved { to, is_kept: false, .. } = step {
            let _ = fs::remove_file(to);
        }
    }
    Ok(())
}

/// What was done, for taking it back.
enum Step {
    Folder(PathBuf),
    File(PathBuf),
    Moved { from: PathBuf, to: PathBuf, is_kept: bool },
}

fn one(folder: &Path, file: &NewFile, done: &mut Vec<Step>) -> io::Result<()> {
    let path = folder.join(&file.path);
    if let Some(parent) = path.parent() {
        make_folder(parent, file.is_private && parent != folder, done)?;
    }
    let mut text = file.text.clone();
    if path.symlink_metadata().is_ok() {
        if file.is_shared {
            let old = fs::read_to_string(&path)?;
            match with_missing_lines(&old, &file.text) {
                Some(more) => text = more,
                None => return Ok(()),
            }
        }
        let backup = free_name(&path);
        fs::rename(&path, &backup)?;
        done.push(Step::Moved { from: path.clone(), to: backup, is_kept: !file.is_shared });
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if file.is_private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut opened = options.open(&path)?;
    done.push(Step::File(path));
    opened.write_all(text.as_bytes())?;
    Ok(())
}

fn make_folder(path: &Path, is_private: bool, done: &mut Vec<Step>) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_folder(parent, false, done)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    if is_private {
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    }
    builder.create(path)?;
    done.push(Step::Folder(path.to_owned()));
    Ok(())
}

/// Takes back what was done, the last first; as far as it goes.
fn undo(done: Vec<Step>) {
    for step in done.into_iter().rev() {
        let _ = match step {
            Step::Folder(path) => fs::remove_dir(path),
            Step::File(path) => fs::remove_file(path),
            Step::Moved { from, to, .. } => fs::rename(to, from),
        };
    }
}

/// The text with the lines that it lacks, if it lacks any.
fn with_missing_lines(old: &str, lines: &str) -> Option<String> {
    let missing: Vec<_> =
        lines.lines().filter(|line| !old.lines().any(|known| known.trim() == line.trim())).collect();
    if missing.iter().all(|line| line.starts_with('#')) {
        return None;
    }
    let mut text = old.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for line in missing {
        text.push_str(line);
        text.push('\n');
    }
    Some(text)
}

/// `hallpass.toml.bak`, `hallpass.toml.bak2`, …
fn free_name(path: &Path) -> PathBuf {
    let name = path.to_string_lossy();
    let mut names =
        std::iter::once(format!("{name}.bak")).chain((2..).map(|number| format!("{name}.bak{number}")));
    let is_free = |name: &String| Path::new(name).symlink_metadata().is_err();
    PathBuf::from(names.find(is_free).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(test: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("hallpass-write-{test}-{}", std::process::id()));
        _ = fs::remove_dir_all(&folder);
        folder
    }

    fn file(path: &str, text: &str) -> NewFile {
        NewFile { path: path.to_owned(), text: text.to_owned(), is_private: true, is_shared: false }
    }

    #[test]
    fn where_one_file_fails_all_is_as_it_was() {
        let folder = folder("undo");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a"), "old").unwrap();
        fs::write(folder.join("taken"), "a file, no folder").unwrap();
        fs::write(folder.join(".gitignore"), "target").unwrap();
        let shared = NewFile { is_shared: true, ..file(".gitignore", "/a\n") };
        let files = [shared, file("a", "new"), file("sub/b", "new"), file("taken/c", "new")];
        assert!(all(&folder, &files, true).is_err());
        assert_eq!(fs::read_to_string(folder.join("a")).unwrap(), "old");
        assert_eq!(fs::read_to_string(folder.join(".gitignore")).unwrap(), "target");
        let mut names: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".gitignore", "a", "taken"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_shared_file_keeps_its_lines_and_gets_each_new_one_once() {
        let folder = folder("shared");
        let ignored = NewFile { is_shared: true, is_private: false, ..file(".gitignore", "# new\n/a\n/b\n") };
        for _ in 0..2 {
            all(&folder, std::slice::from_ref(&ignored), false).unwrap();
            assert_eq!(fs::read_to_string(folder.join(".gitignore")).unwrap(), "# new\n/a\n/b\n");
        }
        fs::write(folder.join(".gitignore"), "target\n/b").unwrap();
        all(&folder, &[ignored], false).unwrap();
        assert_eq!(fs::read_to_string(folder.join(".gitignore")).unwrap(), "target\n/b\n# new\n/a\n");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(folder).unwrap();
    }
}
