//! Fresh stores. Each keeps its folder, where it has one.

use hallpass_sqlx::{SqlStore, SqlStoreBuilder};
use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection, SqliteConnection};

pub(crate) const SECRET: &str = "a secret of the tests, with 32 characters";

pub(crate) fn builder(url: impl Into<String>) -> SqlStoreBuilder {
    SqlStore::builder(url).secrets([SECRET])
}

/// With Hallpass' own tables.
pub(crate) async fn fresh(url: &str) -> SqlStore {
    let store = builder(url).connect().await.unwrap();
    store.migrate().await.unwrap();
    store
}

/// Carries out statements past the store.
pub(crate) async fn execute(url: &str, sql: impl Into<String>) {
    let sql = sqlx::raw_sql(AssertSqlSafe(sql.into()));
    let done = match url.split(':').next() {
        Some("sqlite") => {
            let mut connection = SqliteConnection::connect(&format!("{url}?mode=rwc")).await.unwrap();
            sql.execute(&mut connection).await.map(drop)
        }
        Some("mysql") => sql.execute(&mut MySqlConnection::connect(url).await.unwrap()).await.map(drop),
        _ => sql.execute(&mut PgConnection::connect(url).await.unwrap()).await.map(drop),
    };
    done.unwrap();
}

/// The URL of a database in a new folder, which stays until the process ends.
pub(crate) fn sqlite_url() -> String {
    let folder = tempfile::tempdir().unwrap().keep();
    format!("sqlite:{}", folder.join("hallpass.db").display())
}
