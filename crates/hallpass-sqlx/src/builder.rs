//! Opening a store.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use hallpass::{Environment, Secret, StoreError};
use sqlx::ConnectOptions;

use crate::columns::Columns;
use crate::database::Options;
use crate::dialect::Dialect;
use crate::map::TableMap;
use crate::pool::Pool;
use crate::seal::Sealer;
use crate::statements::Statements;
use crate::{Inner, SqlStore};

/// What a store is opened with. [`SqlStore::builder`] makes one.
#[derive(Clone)]
#[must_use]
pub struct SqlStoreBuilder {
    url: String,
    tables: TableMap,
    pool_size: u32,
    timeout: Duration,
    secrets: Option<Vec<Secret>>,
}

/// A store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL starts with none of `sqlite:`, `postgres:`, `postgresql:`, `mysql:` and `mariadb:`.
    #[error("the URL of the database starts with none of sqlite:, postgres:, postgresql:, mysql:, mariadb:")]
    Scheme,
    /// The database is not compiled in.
    #[error("the cargo feature {0} of hallpass-sqlx is off")]
    Feature(&'static str),
    /// The URL cannot be read.
    #[error("the URL of the database cannot be read")]
    Url(#[source] sqlx::Error),
    /// The file of the database cannot be made.
    #[error("the file of the database cannot be made")]
    File(#[source] std::io::Error),
    /// There is no secret, so tokens of providers cannot be encrypted.
    #[error("there is no secret to encrypt tokens of providers with: set AUTH_SECRET, or call secrets()")]
    NoSecret,
    /// The table map is not for this kind of database.
    #[error("the table map {0} is for PostgreSQL and SQLite")]
    Tables(&'static str),
    /// The database is out of reach, or refuses, or lacks the tables of the map.
    #[error("the database could not be opened")]
    Database(#[source] StoreError),
}

impl SqlStoreBuilder {
    pub(crate) fn new(url: String) -> Self {
        let (tables, pool_size, timeout) = (TableMap::own(), 10, Duration::from_secs(5));
        Self { url, tables, pool_size, timeout, secrets: None }
    }

    /// Which tables and columns hold what. Default: [`TableMap::own`].
    pub fn tables(self, tables: TableMap) -> Self {
        Self { tables, ..self }
    }

    /// How many connections at most are open at a time. Default: 10; 1 for a database in memory.
    pub fn pool_size(self, pool_size: u32) -> Self {
        Self { pool_size, ..self }
    }

    /// How long one call may take, with waiting for a connection. Default: 5 s.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// What tokens of providers are encrypted with, the newest first; the others only decrypt. Default:
    /// `AUTH_SECRET_3`, `_2`, `_1` and `AUTH_SECRET` of the process' environment, `NEXTAUTH_SECRET` where there is none
    /// of them. Not used with tables of Auth.js.
    pub fn secrets<S: Into<Secret>>(self, secrets: impl IntoIterator<Item = S>) -> Self {
        Self { secrets: Some(secrets.into_iter().map(Into::into).collect()), ..self }
    }

    /// Opens the database: makes the first connection, and the file where SQLite has none. The tables may be missing
    /// still: see [`SqlStore::pending`].
    ///
    /// # Errors
    /// When something is not configured, or the database is out of reach.
    pub async fn connect(self) -> Result<SqlStore, OpenError> {
        let dialect = Dialect::of_url(&self.url).ok_or(OpenError::Scheme)?;
        if !self.tables.fits(dialect) {
            return Err(OpenError::Tables(self.tables.name));
        }
        let secrets = self.secrets.unwrap_or_else(|| Environment::of_process().secrets());
        let sealer = Sealer::new(&secrets);
        if sealer.is_empty() && self.tables.is_own {
            return Err(OpenError::NoSecret);
        }
        let (options, is_in_memory) = options(dialect, &self.url)?;
        let size = if is_in_memory { 1 } else { self.pool_size };
        let pool = Arc::new(Pool::new(dialect, options, dialect.setup(self.timeout), size));
        let look = async {
            let mut lease = pool.reader().await?;
            Columns::of(&self.tables, dialect, &mut lease).await
        };
        let columns = match tokio::time::timeout(self.timeout, look).await {
            Ok(columns) => columns.map_err(|failure| OpenError::Database(failure.into_store_error("")))?,
            Err(_) => {
                return Err(OpenError::Database(StoreError::unavailable(
                    "the database did not answer in time",
                )));
            }
        };
        let statements = Statements::new(dialect, &self.tables, &columns);
        let (map, timeout) = (self.tables, self.timeout);
        Ok(SqlStore(Arc::new(Inner { pool, statements, columns, map, sealer, timeout })))
    }
}

/// How to reach the database, and whether it is one in memory.
fn options(dialect: Dialect, url: &str) -> Result<(Options, bool), OpenError> {
    match dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => sqlite(url),
        #[cfg(feature = "postgres")]
        Dialect::Postgres => {
            let options = sqlx::postgres::PgConnectOptions::from_str(url).map_err(OpenError::Url)?;
            Ok((Options::Postgres(options.disable_statement_logging()), false))
        }
        #[cfg(feature = "mysql")]
        Dialect::MySql => {
            let options = sqlx::mysql::MySqlConnectOptions::from_str(url).map_err(OpenError::Url)?;
            Ok((Options::MySql(options.disable_statement_logging()), false))
        }
        #[cfg(not(feature = "sqlite"))]
        Dialect::Sqlite => Err(OpenError::Feature("sqlite")),
        #[cfg(not(feature = "postgres"))]
        Dialect::Postgres => Err(OpenError::Feature("postgres")),
        #[cfg(not(feature = "mysql"))]
        Dialect::MySql => Err(OpenError::Feature("mysql")),
    }
}

#[cfg(feature = "sqlite")]
fn sqlite(url: &str) -> Result<(Options, bool), OpenError> {
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

    let options = SqliteConnectOptions::from_str(url).map_err(OpenError::Url)?;
    let is_in_memory = url.contains(":memory:") || url.contains("mode=memory");
    if !is_in_memory && !url.contains("mode=ro") {
        make_private(options.get_filename()).map_err(OpenError::File)?;
    }
    let options = options
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // Each commit is on the disk before it is answered, also when the power goes.
        .synchronous(SqliteSynchronous::Full)
        // Else each of ten connections copies what it reads, of a large file again and again.
        .pragma("mmap_size", MAPPED)
        .disable_statement_logging();
    Ok((Options::Sqlite(options), is_in_memory))
}

/// Makes the file of a database, which is nobody else's to read.
#[cfg(feature = "sqlite")]
fn make_private(path: &std::path::Path) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new();
    file.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    match file.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Bytes of a SQLite file, from its start, that are read in place. An address range, not memory.
#[cfg(feature = "sqlite")]
const MAPPED: &str = if cfg!(target_pointer_width = "64") { "1073741824" } else { "0" };

impl std::fmt::Debug for SqlStoreBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlStoreBuilder")
            .field("tables", &self.tables.name)
            .field("pool_size", &self.pool_size)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
