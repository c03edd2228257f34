//! Questions to a database, past the store.

use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection, Row, SqliteConnection};

use crate::Result;

/// A connection of its own.
pub(crate) enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
    MySql(MySqlConnection),
}

/// The same for each kind of connection.
macro_rules! each {
    ($database:expr, $connection:ident => $body:expr) => {
        match $database {
            Database::Sqlite($connection) => $body,
            Database::Postgres($connection) => $body,
            Database::MySql($connection) => $body,
        }
    };
}

impl Database {
    pub(crate) async fn open(url: &str) -> Result<Self> {
        Ok(match url.split(':').next() {
            Some("sqlite") => Self::Sqlite(SqliteConnection::connect(url).await?),
            Some("postgres") => Self::Postgres(PgConnection::connect(url).await?),
            _ => Self::MySql(MySqlConnection::connect(url).await?),
        })
    }

    pub(crate) async fn run(&mut self, sql: String) -> Result<()> {
        each!(self, connection => sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop))?;
        Ok(())
    }

    /// The number that a query gives.
    pub(crate) async fn count(&mut self, sql: &str) -> Result<i64> {
        let sql = sql.to_owned();
        Ok(each!(self, connection => {
            sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(connection).await?.try_get_unchecked::<i64, _>(0)?
        }))
    }

    /// What a query answers, a line for each row.
    pub(crate) async fn lines(&mut self, sql: String) -> Result<Vec<String>> {
        Ok(each!(self, connection => {
            let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(connection).await?;
            rows.iter().map(|row| {
                let texts = (0..row.len()).map(|at| row.try_get_unchecked::<Option<String>, _>(at));
                texts.map(|text| text.ok().flatten().unwrap_or_default()).collect::<Vec<_>>().join(" ").trim().to_owned()
            }).collect()
        }))
    }
}
