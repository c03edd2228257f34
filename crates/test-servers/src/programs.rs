//! Where the programs are, and as whom they run.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that a test starts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is this one")]
pub enum Program {
    /// The proxy.
    Nginx,
}

impl Program {
    /// Where it is. Where it is not, the test is reported as skipped.
    pub fn find(self) -> Option<PathBuf> {
        let Self::Nginx = self;
        let found = find("nginx");
        if found.is_none() {
            skip("nginx");
        }
        found
    }
}

/// Finds a program in the folders where distributions put it, newest version first, and in `PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = entries(Path::new("/usr/lib/postgresql"));
    let version = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    folders.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    let mut folders: Vec<PathBuf> = folders.into_iter().map(|folder| folder.join("bin")).collect();
    folders.extend(["/usr/sbin", "/usr/bin"].map(PathBuf::from));
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// A server of the same kind that takes the place of the usual one: MySQL of MariaDB, Valkey of Redis.
pub(crate) fn in_place(variable: &str) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os(variable)?);
    assert!(
        path.is_absolute() && path.is_file(),
        "{variable} is not the path of a program: {}",
        path.display()
    );
    Some(path)
}

/// Reports the test as skipped, or fails it with `HALLPASS_TEST_REQUIRE=all`.
///
/// Written past the capture of the test harness, which keeps what passing tests print to itself.
pub(crate) fn skip(what: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    assert!(
        std::env::var_os("HALLPASS_TEST_REQUIRE").is_none_or(|value| value != "all"),
        "{what} is not installed, and HALLPASS_TEST_REQUIRE=all"
    );
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {what} is not installed");
}

/// Whom a server runs as: it refuses to be root.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    uid: u32,
    gid: u32,
}

impl Identity {
    /// The user with this name, if this process is root; otherwise the server runs as we do.
    pub(crate) fn of(user: &str) -> Option<Self> {
        let is_root = fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0);
        if !is_root {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").expect("/etc/passwd is readable");
        let mut fields = users.lines().map(|line| line.split(':')).find_map(|mut fields| {
            (fields.next() == Some(user)).then(|| fields.skip(1).map_while(|field| field.parse().ok()))
        });
        let mut number = || fields.as_mut().and_then(Iterator::next);
        match (number(), number()) {
            (Some(uid), Some(gid)) => Some(Self { uid, gid }),
            _ => panic!("there is no user {user} for the server to run as"),
        }
    }

    pub(crate) fn drop_to(this: Option<Self>, command: &mut Command) {
        if let Some(Self { uid, gid }) = this {
            command.uid(uid).gid(gid);
        }
    }

    pub(crate) fn give(this: Option<Self>, path: &Path) {
        if let Some(Self { uid, gid }) = this {
            std::os::unix::fs::chown(path, Some(uid), Some(gid)).expect("root gives files away");
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests;
