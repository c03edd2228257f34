//! What stands in Hallpass' own tables, and what does not.

use std::path::Path;

use hallpass::{
    Account, AccountKind, OneTimeToken, SessionToken, Store, StoreErrorKind, StoredSession, Timestamp, User,
};
use hallpass_sqlx::{OpenError, Reseal, SqlStore};
use sqlx::{Connection, SqliteConnection};

use crate::open::{SECRET, builder, fresh, sqlite_url};

fn account(access_token: &str) -> Account {
    let mut account = Account::new("github", AccountKind::OAuth, "1234");
    account.tokens.insert("access_token".to_owned(), access_token.into());
    account
}

async fn filled(store: &SqlStore) {
    let user = User::new("42").with_email("ada@example.com");
    store.create_user(user, Some(account("gho_access_token"))).await.unwrap();
    let token = SessionToken::new("the-raw-session-token");
    let session = StoredSession::new(&token, "42", Timestamp::from_seconds(4_102_444_800));
    store.create_session(&token, session).await.unwrap();
    let hash = SessionToken::new("the-raw-one-time-token").hash().to_owned();
    let expires = Timestamp::from_seconds(4_102_444_800);
    store.create_token(OneTimeToken::new("ada@example.com", hash, expires)).await.unwrap();
}

#[tokio::test]
async fn a_copy_of_the_files_has_no_token_and_no_secret() {
    let url = sqlite_url();
    let store = fresh(&url).await;
    filled(&store).await;
    let file = url.strip_prefix("sqlite:").unwrap();
    let folder = Path::new(file).parent().unwrap();
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("ada@example.com"));
    assert!(has(SessionToken::new("the-raw-session-token").hash()));
    for secret in ["the-raw-session-token", "the-raw-one-time-token", "gho_access_token", SECRET] {
        assert!(!has(secret), "{secret}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_reads_the_file() {
    use std::os::unix::fs::PermissionsExt;

    let url = sqlite_url();
    let store = fresh(&url).await;
    filled(&store).await;
    let file = url.strip_prefix("sqlite:").unwrap();
    for entry in std::fs::read_dir(Path::new(file).parent().unwrap()).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o077, 0);
    }
}

#[tokio::test]
async fn an_older_secret_still_opens_and_the_newest_seals() {
    let url = sqlite_url();
    filled(&fresh(&url).await).await;
    let rotated = builder(&url).secrets(["a newer secret", SECRET]).connect().await.unwrap();
    let accounts = rotated.accounts("42").await.unwrap();
    assert_eq!(accounts[0].access_token(), Some("gho_access_token"));
    let owner = rotated.user("42").await.unwrap().unwrap();
    let mut new = account("new");
    new.provider = "gitlab".to_owned();
    rotated.link_account(&owner, new).await.unwrap();
    let newest = builder(&url).secrets(["a newer secret"]).connect().await.unwrap();
    newest.unlink_account("42", "github", "1234", false).await.unwrap();
    assert_eq!(newest.accounts("42").await.unwrap()[0].access_token(), Some("new"));
}

#[tokio::test]
async fn account_whose_tokens_no_secret_opens_is_listed_without_them() {
    let url = sqlite_url();
    filled(&fresh(&url).await).await;
    let other = builder(&url).secrets(["another secret"]).connect().await.unwrap();
    let accounts = other.accounts("42").await.unwrap();
    assert_eq!((accounts.len(), accounts[0].tokens.len(), accounts[0].access_token()), (1, 0, None));
    assert!(other.user_by_account("github", "1234").await.unwrap().is_some());
    assert!(other.session(&SessionToken::new("the-raw-session-token")).await.unwrap().is_some());
    assert!(other.unlink_account("42", "github", "1234", false).await.unwrap());
}

async fn resealed(store: &SqlStore, progress: Reseal) -> (u64, u64) {
    let mut progress = progress;
    let mut steps = 0;
    while !progress.is_done {
        store.reseal(&mut progress, 2).await.unwrap();
        steps += 1;
        assert!(steps < 100);
    }
    (progress.resealed, progress.unopened)
}

async fn an_old_secret_may_go_once_tokens_are_sealed_anew(url: &str) {
    let store = fresh(url).await;
    filled(&store).await;
    let owner = store.user("42").await.unwrap().unwrap();
    for number in 0..4 {
        let mut more = account(&format!("token {number}"));
        more.provider_account_id = number.to_string();
        store.link_account(&owner, more).await.unwrap();
    }
    let rotated = builder(url).secrets(["a newer secret", SECRET]).connect().await.unwrap();
    let newest = builder(url).secrets(["a newer secret"]).connect().await.unwrap();
    assert_eq!(resealed(&rotated, Reseal::new().dry_run()).await, (5, 0));
    // Nothing was written: the newest secret alone opens none, and touches none.
    assert_eq!(resealed(&newest, Reseal::new()).await, (0, 5));
    assert_eq!(resealed(&rotated, Reseal::new()).await, (5, 0));
    assert_eq!(resealed(&rotated, Reseal::new()).await, (0, 0));
    assert_eq!(resealed(&newest, Reseal::new()).await, (0, 0));
    let accounts = store.accounts("42").await.unwrap();
    assert!(accounts.iter().all(|account| account.tokens.is_empty()), "the old secret opens nothing more");
    let accounts = newest.accounts("42").await.unwrap();
    let mut tokens: Vec<_> = accounts.iter().filter_map(Account::access_token).collect();
    tokens.sort_unstable();
    assert_eq!(tokens, ["gho_access_token", "token 0", "token 1", "token 2", "token 3"]);
}

#[tokio::test]
async fn an_old_secret_may_go_once_tokens_are_sealed_anew_on_each_database() {
    an_old_secret_may_go_once_tokens_are_sealed_anew(&sqlite_url()).await;
    if let Some(database) = test_servers::postgres().await {
        an_old_secret_may_go_once_tokens_are_sealed_anew(&database.url).await;
    }
    if let Some(database) = test_servers::mariadb().await {
        an_old_secret_may_go_once_tokens_are_sealed_anew(&database.url).await;
    }
}

#[tokio::test]
async fn tokens_moved_to_another_account_do_not_open() {
    let url = sqlite_url();
    let store = fresh(&url).await;
    filled(&store).await;
    store.create_user(User::new("43"), None).await.unwrap();
    let mut thief = SqliteConnection::connect(&url).await.unwrap();
    for change in ["user_id = '43'", "provider_account_id = '5'", "provider = 'gitlab'"] {
        let change = format!("UPDATE hallpass_accounts SET {change}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(change)).execute(&mut thief).await.unwrap();
        let moved = store.accounts("43").await.unwrap();
        assert!(moved[0].tokens.is_empty());
    }
}

#[tokio::test]
async fn broken_tokens_are_none() {
    let url = sqlite_url();
    let store = fresh(&url).await;
    filled(&store).await;
    let mut other = SqliteConnection::connect(&url).await.unwrap();
    for broken in ["", "1", "1.", "1.x", "1.x.y", "2.x.y", "1..", "ñ.ñ.ñ", "{}"] {
        let query = sqlx::query("UPDATE hallpass_accounts SET tokens = ?").bind(broken);
        query.execute(&mut other).await.unwrap();
        assert!(store.accounts("42").await.unwrap()[0].tokens.is_empty(), "{broken}");
    }
}

#[tokio::test]
async fn a_text_that_does_not_fit_is_refused() {
    let store = fresh(&sqlite_url()).await;
    for user in [
        User::new("1").with_email("a\0b"),
        User::new("1").with_email("x".repeat(1025)),
        User::new("x".repeat(256)),
        User::new("1").with_name("\0"),
        User::new("1").with_image("x".repeat(1024 * 1024 + 1)),
        User::new("1").with("bio", "x".repeat(1024 * 1024)),
    ] {
        let error = store.create_user(user, None).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Refused);
    }
}

#[tokio::test]
async fn without_a_secret_no_store_opens() {
    let opened = SqlStore::builder(sqlite_url()).secrets([""; 0]).connect().await;
    assert!(matches!(opened, Err(OpenError::NoSecret)));
}

#[tokio::test]
async fn a_database_in_memory_is_one() {
    let store = fresh("sqlite::memory:").await;
    filled(&store).await;
    assert_eq!(store.accounts("42").await.unwrap().len(), 1);
}
