//! Nothing half-written.

use std::collections::BTreeSet;

use hallpass::Store;
use hallpass_sqlx::SqlStore;

use crate::Result;
use crate::client::SignedIn;
use crate::database::Database;
use crate::site::SECRET;

/// Wants the user and the account of everybody who was signed in, and no row that lacks what belongs to it.
pub(crate) async fn check(url: &str, people: &[SignedIn]) -> Result<()> {
    let store = SqlStore::builder(url).secrets([SECRET]).connect().await?;
    for name in people.iter().map(|person| person.name.as_str()).collect::<BTreeSet<_>>() {
        let user = store.user_by_account("credentials", name).await?;
        let address = user.and_then(|user| user.email);
        if address != Some(format!("{name}@example.com")) {
            return Err(format!("{name} has signed up, and their account leads to nobody").into());
        }
    }
    store.close().await;
    let mut database = Database::open(url).await?;
    let only_sqlite: &[_] = if url.starts_with("sqlite:") { &OF_SQLITE } else { &[] };
    for (wrong, query) in OF_ALL.iter().chain(only_sqlite) {
        let count = database.count(query).await?;
        if count != 0 {
            return Err(format!("{wrong}: {count}").into());
        }
    }
    Ok(())
}

const OF_ALL: [(&str, &str); 3] = [
    (
        "users without an account",
        "SELECT count(*) FROM hallpass_users WHERE id NOT IN (SELECT user_id FROM hallpass_accounts)",
    ),
    (
        "accounts without a user",
        "SELECT count(*) FROM hallpass_accounts WHERE user_id NOT IN (SELECT id FROM hallpass_users)",
    ),
    (
        "sessions without a user",
        "SELECT count(*) FROM hallpass_sessions WHERE user_id NOT IN (SELECT id FROM hallpass_users)",
    ),
];

const OF_SQLITE: [(&str, &str); 2] = [
    ("violated foreign keys", "SELECT count(*) FROM pragma_foreign_key_check"),
    ("damages", "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"),
];
