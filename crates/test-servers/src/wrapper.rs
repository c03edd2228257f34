//! The shell around a server.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::programs::Identity;

/// A shell that runs a server until we, and with us its standard input, are gone.
#[derive(Debug)]
pub(crate) struct Wrapper {
    shell: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Wrapper {
    pub(crate) fn spawn(
        folder: &Path,
        signals: [&str; 2],
        identity: Option<Identity>,
        program: &Path,
        arguments: &[String],
    ) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "wrapper.sh"]).arg(folder).args(signals).arg(program).args(arguments);
        // Out of reach of Ctrl-C, so that it can clear up after us.
        command.process_group(0).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        Identity::drop_to(identity, &mut command);
        let mut shell = command.spawn().expect("/bin/sh runs");
        let input = shell.stdin.take();
        let output = BufReader::new(shell.stdout.take().expect("standard output is piped"));
        Self { shell, input, output }
    }

    /// Has the shell do something, and waits until it is done.
    pub(crate) fn tell(&mut self, word: &str) {
        let input = self.input.as_mut().expect("the shell listens");
        writeln!(input, "{word}").expect("the shell listens");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("the shell answers");
        assert_eq!(answer.trim_end(), word);
    }

    /// Has the shell stop the server in some way, and waits until both are gone. The data stay.
    pub(crate) fn end(mut self, word: &str) {
        self.tell(word);
        let _ = self.shell.wait();
    }

    /// Ends the server and removes its data.
    pub(crate) fn clear(mut self) {
        self.input = None;
        let _ = self.shell.wait();
    }
}

const SCRIPT: &str = include_str!("wrapper.sh");
