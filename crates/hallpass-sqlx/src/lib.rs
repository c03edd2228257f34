//! Keeps users, accounts, sessions and one-time tokens of Hallpass in SQLite, PostgreSQL, MySQL or MariaDB.
//!
//! ```
//! use hallpass::{Auth, NoClaims, Store, User};
//! use hallpass_sqlx::SqlStore;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let url = format!("sqlite:{}", folder.path().join("hallpass.db").display());
//! let secret = "a text of at least 32 characters, at random";
//! let store = SqlStore::builder(url).secrets([secret]).connect().await?;
//! store.migrate().await?;
//!
//! store.create_user(User::new("42").with_email("ada@example.com"), None).await?;
//! assert_eq!(store.user_by_email("ada@example.com").await?.map(|user| user.id).as_deref(), Some("42"));
//! # Ok(()) }
//! ```
//!
//! # Databases
//!
//! | URL | feature | |
//! |---|---|---|
//! | `sqlite:hallpass.db` | `sqlite` (default) | compiled in; WAL, one writer |
//! | `postgres://user:password@host/database` | `postgres` | |
//! | `mysql://user:password@host/database` | `mysql` | MySQL (tested with 9.7) and MariaDB (10.11) |
//!
//! On SQLite a commit is on the disk before it is answered. TLS is rustls with ring, and asked for in the URL
//! (`sslmode=verify-full`, `ssl-mode=VERIFY_IDENTITY`). Where nothing is asked for it is used if the server offers it,
//! as MySQL does by default; with `ssl-mode=DISABLED` its usual accounts (`caching_sha2_password`) cannot sign in.
//!
//! # What is kept how
//!
//! In its own tables ([`TableMap::own`]) Hallpass keeps the SHA-256 of a session's token and tokens of providers
//! encrypted with AES-256-GCM, so that a copy of the database signs nobody in. Every text is compared byte for byte;
//! what is too long for its column or contains a NUL character is refused before anything is written. The tables of
//! Auth.js' adapters are used as they are through another [`TableMap`].
//!
//! # When the database fails
//!
//! Every call ends within [`timeout`](SqlStoreBuilder::timeout). A deadlock, a serialization failure and a dead
//! connection are tried again where nothing can have happened twice; a connection that died is replaced.
// Without a database there is nothing here.
#![cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]

mod builder;
mod columns;
mod database;
mod dialect;
mod failure;
mod limits;
mod map;
mod migrate;
mod operations;
mod pool;
mod reseal;
mod rows;
mod seal;
mod statements;
mod store;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use builder::{OpenError, SqlStoreBuilder};
pub use map::{Ids, TableMap, Times};
pub use migrate::Migration;
pub use reseal::Reseal;

/// Users, accounts, sessions and one-time tokens in a SQL database. Clones share their connections.
#[derive(Clone)]
pub struct SqlStore(Arc<Inner>);

struct Inner {
    pool: Arc<pool::Pool>,
    statements: statements::Statements,
    columns: columns::Columns,
    map: TableMap,
    sealer: seal::Sealer,
    timeout: Duration,
}

impl SqlStore {
    /// A store in the database with this URL: `sqlite:hallpass.db`, `postgres://…`, `mysql://…`, `mariadb://…`.
    pub fn builder(url: impl Into<String>) -> SqlStoreBuilder {
        SqlStoreBuilder::new(url.into())
    }

    /// Opens a store with Hallpass' own tables and defaults for everything else.
    ///
    /// # Errors
    /// When something is not configured, or the database is out of reach.
    pub async fn connect(url: impl Into<String>) -> Result<Self, OpenError> {
        Self::builder(url).connect().await
    }

    /// Closes the connections that are not in use; every later call fails. Without it they end with the last clone.
    pub async fn close(&self) {
        self.0.pool.close().await;
    }
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore").field("tables", &self.0.map.name).finish_non_exhaustive()
    }
}
