//! A database of the real `@auth/pg-adapter`, used by Hallpass. `cargo xtask adapters` runs it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::process::{Command, Stdio};

use hallpass::{
    Account, AccountKind, OneTimeToken, SessionChange, SessionToken, Store, StoredSession, Timestamp, User,
    UserChange,
};
use hallpass_sqlx::{SqlStore, TableMap};
use serde_json::{Map, Value, json};
use sqlx::{Connection, PgConnection};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node and e2e/adapters/node_modules"]
async fn the_npm_adapter_and_hallpass_share_a_database() {
    let Some(database) = test_servers::postgres().await else { return };
    let url = database.url.as_str();
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(include_str!("../testdata/authjs.postgres.sql")).execute(&mut connection).await.unwrap();
    let filled: Value = serde_json::from_str(&adapter(&["fill", url])).unwrap();
    let store = SqlStore::builder(url).tables(TableMap::authjs()).connect().await.unwrap();
    store.migrate().await.unwrap();

    let ada = reads_what_the_adapter_has_written(&store).await;
    assert_eq!(json!(ada.id), filled["id"].to_string().replace('"', ""));
    let grace = writes(&store, &ada).await;

    let written = json!({
        "ada": { "id": ada.id },
        "grace": { "id": grace.id },
        "session": { "token": "session-of-hallpass", "expires": expires() },
        "token": { "identifier": "grace@example.com", "token": "hash-of-hallpass" },
    });
    println!("{}", adapter(&["check", url, &written.to_string()]));

    // Rows that the adapter adds and removes after the migration.
    assert!(store.session(&SessionToken::new("session-of-hallpass")).await.unwrap().is_none());
    let (session, owner) = store.session(&SessionToken::new("second-session")).await.unwrap().unwrap();
    assert_eq!((owner.id, session.claims), (grace.id, Map::new()));
}

async fn reads_what_the_adapter_has_written(store: &SqlStore) -> User {
    let ada = store.user_by_email("ada@example.com").await.unwrap().unwrap();
    assert_eq!(ada.name.as_deref(), Some("Ada"));
    assert_eq!(ada.email_verified, Timestamp::from_iso("2026-11-20T10:00:00.123Z"));
    assert_eq!(store.user_by_account("google", "1234").await.unwrap(), Some(ada.clone()));
    assert_eq!(store.user(&ada.id).await.unwrap(), Some(ada.clone()));
    let account = store.accounts(&ada.id).await.unwrap().remove(0);
    assert_eq!(account.kind, AccountKind::Oidc);
    assert_eq!(account.access_token(), Some("ya29.access"));
    assert_eq!(account.refresh_token(), Some("1//refresh"));
    assert_eq!(account.expires_at(), Some(Timestamp::from_seconds(1_800_000_000)));
    let (session, owner) = store.session(&SessionToken::new("session-of-authjs")).await.unwrap().unwrap();
    assert_eq!((owner, session.expires), (ada.clone(), expires()));
    let taken = store.take_token("ada@example.com", "hash-of-authjs").await.unwrap();
    assert_eq!(taken, Some(OneTimeToken::new("ada@example.com", "hash-of-authjs", expires())));
    ada
}

async fn writes(store: &SqlStore, ada: &User) -> User {
    store.update_user(&ada.id, UserChange::new().name("Ada Lovelace".to_owned())).await.unwrap();
    let own = SessionToken::new("session-of-authjs");
    let claims = Map::from_iter([("theme".to_owned(), json!("dark"))]);
    let change = SessionChange::new().claims(claims.clone(), 0).expires(expires());
    assert!(store.update_session(&own, change).await.unwrap());
    assert_eq!(store.session(&own).await.unwrap().unwrap().0.claims, claims);

    let mut account = Account::new("github", AccountKind::OAuth, "5678");
    account.tokens = Map::from_iter([
        ("access_token".to_owned(), json!("gho_access")),
        ("expires_at".to_owned(), json!(1_800_000_001)),
        ("scope".to_owned(), json!("read:user")),
    ]);
    let user = User::new("dropped").with_name("Grace").with_email("grace@example.com");
    let grace = store.create_user(user, Some(account)).await.unwrap();
    let at = Timestamp::from_iso("2026-11-21T00:00:00.007Z").unwrap();
    let change = UserChange::new().email_verified(Some(at));
    let grace = store.update_user(&grace.id, change).await.unwrap();
    let token = SessionToken::new("session-of-hallpass");
    store.create_session(&token, StoredSession::new(&token, &grace.id, expires())).await.unwrap();
    let token = OneTimeToken::new("grace@example.com", "hash-of-hallpass", expires());
    store.create_token(token).await.unwrap();
    grace
}

/// What the script prints.
fn adapter(arguments: &[&str]) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../e2e/adapters");
    let mut node = Command::new("node");
    let output = node
        .arg("adapters.mjs")
        .args(arguments)
        .current_dir(folder)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    printed
}

fn expires() -> Timestamp {
    Timestamp::from_iso("2099-12-31T23:59:59.999Z").unwrap()
}
