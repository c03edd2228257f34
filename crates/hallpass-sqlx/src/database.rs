//! One connection to one of three databases: the only place that tells the drivers apart.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Row as _};

/// The text of a query, made once when a store is opened.
#[derive(Clone, Debug)]
pub(crate) struct Statement(Arc<str>);

/// What a placeholder of a query stands for.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Text(Option<&'a str>),
    Int(Option<i64>),
    Flag(bool),
}

impl From<String> for Statement {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Statement {
    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<&'a Option<String>> for Value<'a> {
    fn from(text: &'a Option<String>) -> Self {
        Self::Text(text.as_deref())
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<hallpass::Timestamp> for Value<'_> {
    fn from(at: hallpass::Timestamp) -> Self {
        Self::Int(Some(at.millis()))
    }
}

impl From<Option<hallpass::Timestamp>> for Value<'_> {
    fn from(at: Option<hallpass::Timestamp>) -> Self {
        Self::Int(at.map(hallpass::Timestamp::millis))
    }
}

/// How to reach a database.
#[derive(Clone, Debug)]
pub(crate) enum Options {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::sqlite::SqliteConnectOptions),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::postgres::PgConnectOptions),
    #[cfg(feature = "mysql")]
    MySql(sqlx::mysql::MySqlConnectOptions),
}

pub(crate) enum Connection {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgConnection),
    #[cfg(feature = "mysql")]
    MySql(sqlx::MySqlConnection),
}

pub(crate) enum Row {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::sqlite::SqliteRow),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::postgres::PgRow),
    #[cfg(feature = "mysql")]
    MySql(sqlx::mysql::MySqlRow),
}

/// The same for each driver that is compiled in.
macro_rules! each {
    ($kind:ident, $value:expr, $inner:ident => $then:expr) => {
        match $value {
            #[cfg(feature = "sqlite")]
            $kind::Sqlite($inner) => $then,
            #[cfg(feature = "postgres")]
            $kind::Postgres($inner) => $then,
            #[cfg(feature = "mysql")]
            $kind::MySql($inner) => $then,
        }
    };
}

macro_rules! bound {
    ($statement:expr, $values:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe(Arc::clone(&$statement.0)));
        for value in $values {
            query = match *value {
                Value::Text(text) => query.bind(text),
                Value::Int(number) => query.bind(number),
                Value::Flag(flag) => query.bind(flag),
            };
        }
        query
    }};
}

impl Options {
    pub(crate) async fn connect(&self) -> Result<Connection, sqlx::Error> {
        Ok(match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(options) => Connection::Sqlite(options.connect().await?),
            #[cfg(feature = "postgres")]
            Self::Postgres(options) => Connection::Postgres(options.connect().await?),
            #[cfg(feature = "mysql")]
            Self::MySql(options) => Connection::MySql(options.connect().await?),
        })
    }
}

impl Connection {
    /// How many rows the statement changed; an `UPDATE` counts those that it found.
    pub(crate) async fn run(
        &mut self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<u64, sqlx::Error> {
        each!(Self, self, inner => Ok(bound!(statement, values).execute(inner).await?.rows_affected()))
    }

    /// The one row of the answer, or none.
    pub(crate) async fn row(
        &mut self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, sqlx::Error> {
        Ok(match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(inner) => bound!(statement, values).fetch_optional(inner).await?.map(Row::Sqlite),
            #[cfg(feature = "postgres")]
            Self::Postgres(inner) => {
                bound!(statement, values).fetch_optional(inner).await?.map(Row::Postgres)
            }
            #[cfg(feature = "mysql")]
            Self::MySql(inner) => bound!(statement, values).fetch_optional(inner).await?.map(Row::MySql),
        })
    }

    pub(crate) async fn rows(
        &mut self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, sqlx::Error> {
        Ok(match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(inner) => {
                bound!(statement, values).fetch_all(inner).await?.into_iter().map(Row::Sqlite).collect()
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(inner) => {
                bound!(statement, values).fetch_all(inner).await?.into_iter().map(Row::Postgres).collect()
            }
            #[cfg(feature = "mysql")]
            Self::MySql(inner) => {
                bound!(statement, values).fetch_all(inner).await?.into_iter().map(Row::MySql).collect()
            }
        })
    }

    /// Runs what cannot be prepared: the limits of a transaction, changes of the schema.
    pub(crate) async fn command(&mut self, text: &str) -> Result<(), sqlx::Error> {
        let command = sqlx::raw_sql(AssertSqlSafe(text.to_owned()));
        each!(Self, self, inner => command.execute(inner).await.map(|_| ()))
    }

    pub(crate) async fn ping(&mut self) -> Result<(), sqlx::Error> {
        each!(Self, self, inner => inner.ping().await)
    }

    pub(crate) async fn close(self) -> Result<(), sqlx::Error> {
        each!(Self, self, inner => inner.close().await)
    }
}

impl Row {
    /// A text, or bytes that are one.
    pub(crate) fn text(&self, index: usize) -> Result<Option<String>, sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(row) => row.try_get_unchecked(index),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => row.try_get(index),
            #[cfg(feature = "mysql")]
            Self::MySql(row) => {
                let bytes: Option<Vec<u8>> = row.try_get_unchecked(index)?;
                bytes
                    .map(|bytes| String::from_utf8(bytes).map_err(|e| sqlx::Error::Decode(e.into())))
                    .transpose()
            }
        }
    }

    /// A text that cannot be `NULL`.
    pub(crate) fn required(&self, index: usize) -> Result<String, sqlx::Error> {
        self.text(index)?
            .ok_or_else(|| sqlx::Error::Decode("a column that must have a value has none".into()))
    }

    pub(crate) fn int(&self, index: usize) -> Result<Option<i64>, sqlx::Error> {
        each!(Self, self, row => row.try_get_unchecked(index))
    }

    pub(crate) fn flag(&self, index: usize) -> Result<bool, sqlx::Error> {
        each!(Self, self, row => row.try_get_unchecked(index))
    }
}
