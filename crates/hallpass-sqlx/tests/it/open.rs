//! Fresh stores. Each keeps its folder, where it has one.

use hallpass_sqlx::{SqlStore, SqlStoreBuilder};

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

/// The URL of a database in a new folder, which stays until the process ends.
pub(crate) fn sqlite_url() -> String {
    let folder = tempfile::tempdir().unwrap().keep();
    format!("sqlite:{}", folder.join("hallpass.db").display())
}
