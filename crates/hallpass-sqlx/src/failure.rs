//! What went wrong, and whether to try again.

use hallpass::StoreError;

/// Why an operation did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    Database(sqlx::Error),
    Store(StoreError),
    /// Somebody else has written what this transaction has read.
    Overtaken,
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    /// Whether the same transaction may succeed now: it met another one, or its connection was dead.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Database(error) => is_broken(error) || has_met_another(error),
            Self::Store(_) => false,
            Self::Overtaken => true,
        }
    }

    /// Whether the database has undone the statement, and asks for it again.
    pub(crate) fn is_collision(&self) -> bool {
        matches!(self, Self::Database(error) if has_met_another(error))
    }

    /// A violated unique key is a conflict of this kind, and nothing else changes.
    pub(crate) fn or_conflict(self, taken: &'static str) -> Self {
        match &self {
            Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                Self::Store(StoreError::conflict(taken))
            }
            _ => self,
        }
    }

    /// The store's error. `taken` is what a violated unique key means here, `missing` a violated foreign key.
    pub(crate) fn into_store_error(self, taken: &'static str) -> StoreError {
        let error = match self {
            Self::Store(error) => return error,
            Self::Overtaken => return StoreError::unavailable("too many others change this user"),
            Self::Database(error) => error,
        };
        match error.as_database_error().map(sqlx::error::DatabaseError::kind) {
            Some(sqlx::error::ErrorKind::UniqueViolation) => StoreError::conflict(taken),
            Some(sqlx::error::ErrorKind::ForeignKeyViolation) => {
                StoreError::not_found("there is no such user")
            }
            _ if is_unfit(&error) => StoreError::refused(error),
            _ => StoreError::unavailable(error),
        }
    }
}

/// Whether a value does not fit into its column.
fn is_unfit(error: &sqlx::Error) -> bool {
    let Some(database) = error.as_database_error() else { return false };
    // SQLite: SQLITE_TOOBIG and SQLITE_MISMATCH.
    matches!(
        database.code().unwrap_or_default().as_ref(),
        "22001" | "22003" | "22021" | "22P05" | "18" | "20"
    ) || matches!(number(database), Some(1264 | 1366 | 1406))
        || database.kind() == sqlx::error::ErrorKind::NotNullViolation
}

/// Whether the connection is good for nothing any more.
pub(crate) fn is_broken(error: &sqlx::Error) -> bool {
    let Some(database) = error.as_database_error() else {
        return !matches!(
            error,
            sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)
        );
    };
    let Some(code) = database.code() else { return true };
    // PostgreSQL: connection lost, server going down, plan of a changed table. MySQL and MariaDB: the same.
    matches!(code.as_ref(), "57P01" | "57P02" | "57P03" | "0A000" | "08S01" | "70100")
        || code.starts_with("08")
        || matches!(number(database), Some(1053 | 1927 | 2006 | 2013 | 4031))
}

/// A deadlock, a serialization failure, a lock that somebody else held too long.
fn has_met_another(error: &sqlx::Error) -> bool {
    let Some(database) = error.as_database_error() else { return false };
    let code = database.code().unwrap_or_default();
    // SQLite: SQLITE_BUSY, _LOCKED, _BUSY_RECOVERY, _BUSY_SNAPSHOT.
    matches!(code.as_ref(), "40001" | "40P01" | "55P03" | "5" | "6" | "261" | "517")
        || matches!(number(database), Some(1205 | 1213 | 1020))
}

#[cfg(feature = "mysql")]
fn number(error: &dyn sqlx::error::DatabaseError) -> Option<u16> {
    error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(sqlx::mysql::MySqlDatabaseError::number)
}

#[cfg(not(feature = "mysql"))]
fn number(_: &dyn sqlx::error::DatabaseError) -> Option<u16> {
    None
}
