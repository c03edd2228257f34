//! A server that a test can stop, kill, pause, and start again.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::database::Numbers;
use crate::wrapper::Wrapper;
use crate::{Database, Kind};

/// Whether data survive a crash of the machine. What a server promises otherwise is the same: what it has answered is
/// there after it was killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "lasting or not")]
pub enum Durability {
    /// Nothing is flushed to the disk: the fastest. Redis forgets everything when it ends, MariaDB up to a second when
    /// it is killed.
    #[default]
    Fast,
    /// Flushed with each commit, as in production.
    Lasting,
}

/// A private server on a free port of 127.0.0.1. Dropping it ends it and removes its data.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    durability: Durability,
    folder: PathBuf,
    address: SocketAddr,
    running: Mutex<Option<Wrapper>>,
    databases: Numbers,
}

impl Server {
    /// A server of one's own, with nothing in it, that answers.
    ///
    /// `None`, and the test is reported as skipped, when it is not installed.
    ///
    /// # Panics
    /// When it cannot be started, or is not installed and `HALLPASS_TEST_REQUIRE=all`.
    pub fn start(kind: Kind, durability: Durability) -> Option<Self> {
        if kind.program().is_none() {
            kind.skip();
            return None;
        }
        Some(Self::prepare(kind, durability))
    }

    pub(crate) fn start_if_there(kind: Kind) -> Option<Self> {
        kind.program().map(|_| Self::prepare(kind, Durability::Fast))
    }

    fn prepare(kind: Kind, durability: Durability) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("hallpass-test-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // Left by a process with the same id whose wrapper was killed too.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("the folder for temporary files can be written");
        let identity = kind.identity();
        crate::programs::Identity::give(identity, &folder);
        kind.prepare(&folder, identity);
        let server = Self {
            kind,
            durability,
            folder,
            address: free_address(),
            running: Mutex::new(None),
            databases: Numbers::default(),
        };
        server.run();
        server
    }

    /// Where the server listens. Stays the same when it is started again.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A fresh database.
    ///
    /// # Panics
    /// When the server does not run.
    pub fn database(&self) -> Database {
        Database { url: self.kind.create_database(self.address, self.databases.next()) }
    }

    /// Stops the server in good order. Its data stay for [`run`](Self::run).
    pub fn stop(&self) {
        self.end("stop");
    }

    /// Kills the server with SIGKILL. Its data stay for [`run`](Self::run).
    pub fn kill(&self) {
        self.end("kill");
    }

    /// Freezes the server: connections stay and nothing is answered, as with a machine that hangs.
    pub fn pause(&self) {
        self.tell("pause");
    }

    /// Lets a frozen server go on.
    pub fn resume(&self) {
        self.tell("resume");
    }

    /// Starts a server that was stopped or killed again, on the same data and port, and waits until it answers.
    ///
    /// # Panics
    /// When it does not answer within a minute.
    pub fn run(&self) {
        let mut running = self.running();
        if running.is_some() {
            return;
        }
        let program = self.kind.program().expect("the server is installed");
        let arguments = self.kind.arguments(&self.folder, self.address.port(), self.durability);
        *running = Some(Wrapper::spawn(
            &self.folder,
            self.kind.signals(),
            self.kind.identity(),
            &program,
            &arguments,
        ));
        let started = Instant::now();
        while !self.kind.is_ready(self.address) {
            if started.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                panic!("{:?} does not answer:\n{log}", self.kind);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn end(&self, word: &str) {
        if let Some(wrapper) = self.running().take() {
            wrapper.end(word);
        }
    }

    fn tell(&self, word: &str) {
        self.running().as_mut().expect("the server runs").tell(word);
    }

    fn running(&self) -> MutexGuard<'_, Option<Wrapper>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(wrapper) = self.running().take() {
            wrapper.clear();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("127.0.0.1 has a free port");
    listener.local_addr().expect("the listener has an address")
}

const PATIENCE: Duration = Duration::from_secs(60);
