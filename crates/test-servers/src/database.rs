//! A fresh database for each test.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Kind, Server};

/// An empty database.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Database {
    /// Where it is, with user and database name: `postgres://…`, `mysql://…` or `redis://…`.
    pub url: String,
}

/// A fresh PostgreSQL database on the server of this test binary.
///
/// `None`, and the test is reported as skipped, when PostgreSQL is not installed.
///
/// # Panics
/// When the server cannot be started, or is not installed and `HALLPASS_TEST_REQUIRE=all`.
pub async fn postgres() -> Option<Database> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    shared(&SHARED, Kind::Postgres)
}

/// A fresh MariaDB database on the server of this test binary. Its default collation folds case and accents.
///
/// `None`, and the test is reported as skipped, when MariaDB is not installed.
///
/// # Panics
/// When the server cannot be started, or is not installed and `HALLPASS_TEST_REQUIRE=all`.
pub async fn mariadb() -> Option<Database> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    shared(&SHARED, Kind::MariaDb)
}

/// A fresh Redis database on the server of this test binary: one of its numbered ones, so `FLUSHALL` and channels
/// reach the other tests.
///
/// `None`, and the test is reported as skipped, when Redis is not installed.
///
/// # Panics
/// When the server cannot be started, or is not installed and `HALLPASS_TEST_REQUIRE=all`.
pub async fn redis() -> Option<Database> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    shared(&SHARED, Kind::Redis)
}

// A static is never dropped: the server ends with the process.
fn shared(server: &'static OnceLock<Option<Server>>, kind: Kind) -> Option<Database> {
    let server = server.get_or_init(|| Server::start_if_there(kind));
    match server {
        Some(server) => Some(server.database()),
        None => {
            kind.skip();
            None
        }
    }
}

/// Numbers the databases of a server, from 1.
#[derive(Debug, Default)]
pub(crate) struct Numbers(AtomicU32);

impl Numbers {
    pub(crate) fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}
