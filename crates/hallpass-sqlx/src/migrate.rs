//! Making and changing the tables.

use hallpass::StoreError;

use crate::SqlStore;
use crate::database::{Statement, Value};
use crate::dialect::Dialect;
use crate::failure::Failure;
use crate::pool::Lease;

/// A step in the life of the tables, a file in `migrations/`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// Name of the file without its ending: `0001_own`.
    pub name: &'static str,
    /// Whether the database has it.
    pub is_applied: bool,
    sql: &'static str,
}

impl SqlStore {
    /// All steps, and which of them the database has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn migrations(&self) -> Result<Vec<Migration>, StoreError> {
        let operation = async {
            let mut lease = self.0.pool.reader().await?;
            self.look(&mut lease).await
        };
        self.within("", operation).await
    }

    /// The names of the steps that the database does not have yet: until [`migrate`](Self::migrate) was called, do
    /// not use the store.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pending(&self) -> Result<Vec<&'static str>, StoreError> {
        let migrations = self.migrations().await?;
        Ok(migrations
            .iter()
            .filter(|migration| !migration.is_applied)
            .map(|migration| migration.name)
            .collect())
    }

    /// The statements that [`migrate`](Self::migrate) would carry out now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dry_run(&self) -> Result<Vec<String>, StoreError> {
        let migrations = self.migrations().await?;
        let pending = migrations.iter().filter(|migration| !migration.is_applied);
        Ok(pending.flat_map(|migration| statements(migration.sql)).map(str::to_owned).collect())
    }

    /// Carries out what is [`pending`](Self::pending), and returns the names. Of two programs that do so at once one
    /// waits for the other and finds nothing left to do. Takes as long as the database needs.
    ///
    /// On SQLite and PostgreSQL all of it happens or nothing; MySQL and MariaDB cannot undo changes of tables, so
    /// there a migration that was interrupted is carried out again.
    ///
    /// # Errors
    /// When the database fails, does not allow its user to change tables, or its rows do not fit: the source of the
    /// error says what.
    pub async fn migrate(&self) -> Result<Vec<&'static str>, StoreError> {
        let operation = async {
            let mut lease = self.0.pool.writer().await?;
            let lease = &mut lease;
            if self.0.pool.dialect == Dialect::MySql {
                lease.command("SET SESSION lock_wait_timeout = 3600").await?;
                lease.row(&Statement::from(MYSQL_LOCK.to_owned()), &[]).await?;
            }
            lease.begin().await?;
            if self.0.pool.dialect == Dialect::Postgres {
                lease.command(POSTGRES_LOCK).await?;
            }
            let done = self.apply(lease).await?;
            lease.commit().await?;
            if self.0.pool.dialect == Dialect::MySql {
                lease.row(&Statement::from(MYSQL_UNLOCK.to_owned()), &[]).await?;
            }
            Ok::<_, Failure>(done)
        };
        operation.await.map_err(|failure| match failure {
            // The cause says what is in the way: a table, duplicates, a missing privilege.
            Failure::Database(error) => StoreError::unavailable(error),
            failure => failure.into_store_error(""),
        })
    }

    async fn apply(&self, lease: &mut Lease) -> Result<Vec<&'static str>, Failure> {
        lease.command(TABLE).await?;
        let mark = self.0.pool.dialect.render(
            &self.0.map,
            "INSERT INTO hallpass_migrations (name) VALUES (:text)",
            &|_| String::new(),
        );
        let mark = Statement::from(mark);
        let mut names = Vec::new();
        for migration in self.look(lease).await? {
            if migration.is_applied {
                continue;
            }
            for statement in statements(migration.sql) {
                lease.command(statement).await?;
            }
            lease.run(&mark, &[Value::from(migration.name)]).await?;
            names.push(migration.name);
        }
        Ok(names)
    }

    async fn look(&self, lease: &mut Lease) -> Result<Vec<Migration>, Failure> {
        let exists = match self.0.pool.dialect {
            Dialect::Sqlite => {
                "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'hallpass_migrations'"
            }
            Dialect::Postgres => "SELECT 1 WHERE to_regclass('hallpass_migrations') IS NOT NULL",
            Dialect::MySql => {
                "SELECT 1 FROM information_schema.tables \
                 WHERE table_schema = database() AND table_name = 'hallpass_migrations'"
            }
        };
        let mut applied = Vec::new();
        if lease.row(&Statement::from(exists.to_owned()), &[]).await?.is_some() {
            let names = Statement::from("SELECT name FROM hallpass_migrations".to_owned());
            for row in lease.rows(&names, &[]).await? {
                applied.push(row.required(0)?);
            }
        }
        let files = FILES.iter().filter(|file| file.0 == self.0.pool.dialect && file.1 == self.0.map.name);
        Ok(files
            .map(|&(_, _, name, sql)| Migration {
                name,
                sql,
                is_applied: applied.iter().any(|it| it == name),
            })
            .collect())
    }
}

/// The statements of a file. None of them has a semicolon inside.
fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(";\n").map(str::trim).filter(|statement| !statement.is_empty())
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS hallpass_migrations (name VARCHAR(100) NOT NULL PRIMARY KEY)";

/// Any number that no other program is likely to use: "hallpass" in ASCII. A lock that is held for long is waited for.
const POSTGRES_LOCK: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
     SELECT pg_advisory_xact_lock(7521983763894330227)";

/// Its name has at most 64 characters. MySQL 9.7 has `MD5` only in a component that is not installed by default.
const MYSQL_LOCK: &str =
    "SELECT GET_LOCK(CONCAT('hallpass migrations ', LEFT(SHA2(database(), 256), 32)), 3600)";

const MYSQL_UNLOCK: &str =
    "SELECT RELEASE_LOCK(CONCAT('hallpass migrations ', LEFT(SHA2(database(), 256), 32)))";

macro_rules! files {
    ($($dialect:ident, $folder:literal, $map:literal, $name:literal;)*) => {
        &[$((
            Dialect::$dialect,
            $map,
            $name,
            include_str!(concat!("../migrations/", $folder, "/", $name, ".sql")),
        )),*]
    };
}

/// All files: for which database and which map.
const FILES: &[(Dialect, &str, &str, &str)] = files! {
    Sqlite, "sqlite", "own", "0001_own";
    Sqlite, "sqlite", "own", "0002_own";
    Sqlite, "sqlite", "authjs", "0001_authjs";
    Sqlite, "sqlite", "authjs", "0002_authjs";
    Sqlite, "sqlite", "prisma", "0001_prisma";
    Sqlite, "sqlite", "prisma", "0002_prisma";
    Sqlite, "sqlite", "drizzle", "0001_drizzle";
    Sqlite, "sqlite", "drizzle", "0002_drizzle";
    Postgres, "postgres", "own", "0001_own";
    Postgres, "postgres", "own", "0002_own";
    Postgres, "postgres", "authjs", "0001_authjs";
    Postgres, "postgres", "authjs", "0002_authjs";
    Postgres, "postgres", "prisma", "0001_prisma";
    Postgres, "postgres", "prisma", "0002_prisma";
    Postgres, "postgres", "drizzle", "0001_drizzle";
    Postgres, "postgres", "drizzle", "0002_drizzle";
    MySql, "mysql", "own", "0001_own";
    MySql, "mysql", "own", "0002_own";
};
