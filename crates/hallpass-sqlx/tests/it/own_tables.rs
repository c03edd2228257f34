//! What stands in Hallpass' own tables, and what does not.

use std::path::Path;

use hallpass::{
    Account, AccountKind, OneTimeToken, SessionToken, Store, StoreErrorKind, StoredSession, Timestamp, User,
};
use hallpass_sqlx::{OpenError, SqlStore};
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
    let mut new = account("new");
    new.user_id = Some("42".to_owned());
    new.provider = "gitlab".to_owned();
    rotated.link_account(new).await.unwrap();
    let newest = builder(&url).secrets(["a newer secret"]).connect().await.unwrap();
    newest.unlink_account("42", "github", "1234", false).await.unwrap();
    assert_eq!(newest.accounts("42").await.unwrap()[0].access_token(), Some("new"));
}

#[tokio::test]
async fn tokens_that_no_secret_opens_are_an_error_that_names_the_account() {
    let url = sqlite_url();
    filled(&fresh(&url).await).await;
    let other = builder(&url).secrets(["another secret"]).connect().await.unwrap();
    let error = other.accounts("42").await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "no secret opens the tokens of account \"1234\" of provider \"github\"");
    assert!(other.user_by_account("github", "1234").await.unwrap().is_some());
    assert!(other.session(&SessionToken::new("the-raw-session-token")).await.unwrap().is_some());
    assert!(other.unlink_account("42", "github", "1234", false).await.unwrap());
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
        assert!(store.accounts("43").await.is_err());
    }
}

#[tokio::test]
async fn broken_tokens_are_an_error() {
    let url = sqlite_url();
    let store = fresh(&url).await;
    filled(&store).await;
    let mut other = SqliteConnection::connect(&url).await.unwrap();
    for broken in ["", "1", "1.", "1.x", "1.x.y", "2.x.y", "1..", "ñ.ñ.ñ", "{}"] {
        let query = sqlx::query("UPDATE hallpass_accounts SET tokens = ?").bind(broken);
        query.execute(&mut other).await.unwrap();
        assert!(store.accounts("42").await.is_err(), "{broken}");
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
