//! Starts the program in a folder of its own and with no environment but what a test gives it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A folder that goes when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The program, to be run in a folder.
pub(crate) fn program(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
    command.args(arguments).current_dir(folder.path()).env_clear().stdin(Stdio::null());
    command
}

/// Runs the program to its end, with this on stdin.
pub(crate) fn run(folder: &Folder, arguments: &[&str], stdin: &str) -> Output {
    let mut command = program(folder, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that does not read has closed the pipe already.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

/// Runs the program, which refuses to start, and returns what it says.
pub(crate) fn refusal(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A server that is running.
pub(crate) struct Server {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// Host and port.
    pub(crate) host: String,
    /// What it printed before it was ready.
    pub(crate) printed: String,
}

impl Server {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut printed = String::new();
        // The whole text is written at once; its end is known by a line that begins with these words.
        while !["A server of your own", "  sign-in page"].iter().any(|end| printed.contains(end)) {
            if stdout.read_line(&mut printed).unwrap() == 0 {
                let mut said = String::new();
                let _ = BufReader::new(stderr).read_to_string(&mut said);
                panic!("it ended before it was ready: {printed}{said}");
            }
        }
        let (_, address) = printed.split_once("http://").unwrap();
        let host = address.split(|c: char| c.is_whitespace() || c == '/').next().unwrap().to_owned();
        Self { child, stderr, host, printed }
    }

    /// In development mode, on any free port.
    pub(crate) fn development(folder: &Folder) -> Self {
        Self::start(program(folder, &["serve", "--listen", "127.0.0.1:0"]))
    }

    /// Reads what it logs until there is this text, and returns the line.
    pub(crate) fn wait_for_log(&mut self, text: &str) -> String {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(self.stderr.read_line(&mut line).unwrap(), 0, "it ended without {text:?}");
        }
        line
    }

    /// Ends it at once, and returns everything that it logged.
    pub(crate) fn log(mut self) -> String {
        let _ = self.child.kill();
        let mut log = String::new();
        let _ = self.stderr.read_to_string(&mut log);
        log
    }

    /// Asks it to stop, as a supervisor does.
    #[cfg(unix)]
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Asks it to read its settings again.
    #[cfg(unix)]
    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// On how many ports it listens.
    #[cfg(target_os = "linux")]
    pub(crate) fn ports(&self) -> usize {
        let process = Path::new("/proc").join(self.child.id().to_string());
        let files = fs::read_dir(process.join("fd")).unwrap();
        let files: Vec<_> = files.map(|file| fs::read_link(file.unwrap().path()).unwrap()).collect();
        let sockets = ["net/tcp", "net/tcp6"].map(|table| fs::read_to_string(process.join(table)).unwrap());
        let sockets = sockets.iter().flat_map(|table| table.lines()).map(|line| line.split_whitespace());
        let listening = sockets.filter_map(|mut words| (words.nth(3)? == "0A").then(|| words.nth(5))?);
        let names = listening.map(|number| PathBuf::from(format!("socket:[{number}]")));
        names.filter(|name| files.contains(name)).count()
    }

    /// The most memory that it has ever taken, in KiB.
    #[cfg(target_os = "linux")]
    pub(crate) fn most_memory(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Its exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
