//! When the database is away, slow, or cuts the connection.

use std::time::{Duration, Instant};

use hallpass::{OneTimeToken, SessionToken, Store, StoreErrorKind, StoredSession, Timestamp, User};
use hallpass_sqlx::SqlStore;
use test_servers::{Durability, Kind, Server};

use crate::open::builder;

async fn with_a_session(url: &str, timeout: Duration) -> (SqlStore, SessionToken) {
    let store = builder(url).timeout(timeout).connect().await.unwrap();
    store.migrate().await.unwrap();
    store.create_user(User::new("42").with_email("ada@example.com"), None).await.unwrap();
    let token = SessionToken::new("token");
    let session = StoredSession::new(&token, "42", Timestamp::from_seconds(4_102_444_800));
    store.create_session(&token, session).await.unwrap();
    (store, token)
}

async fn a_cut_connection_is_replaced(url: &str, cut: impl AsyncFn()) {
    let (store, token) = with_a_session(url, Duration::from_secs(5)).await;
    cut().await;
    let (_, owner) = store.session(&token).await.unwrap().unwrap();
    cut().await;
    store.verify_email(&owner, Timestamp::from_seconds(1)).await.unwrap();
    cut().await;
    // Whether a single statement was carried out nobody knows: it fails, and the next one works.
    let token = OneTimeToken::new("ada@example.com", "hash", Timestamp::from_seconds(1));
    if let Err(error) = store.create_token(token).await {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    }
    store.create_token(OneTimeToken::new("ada@example.com", "2", Timestamp::from_seconds(1))).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_postgresql_terminates_is_replaced() {
    let Some(database) = test_servers::postgres().await else { return };
    a_cut_connection_is_replaced(&database.url, async || {
        use sqlx::Connection;

        let mut other = sqlx::PgConnection::connect(&database.url).await.unwrap();
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        sqlx::query(cut).execute(&mut other).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_mariadb_kills_is_replaced() {
    let Some(database) = test_servers::mariadb().await else { return };
    a_cut_connection_is_replaced(&database.url, async || {
        use sqlx::{Connection, Row};

        let mut other = sqlx::MySqlConnection::connect(&database.url).await.unwrap();
        let query =
            "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()";
        for row in sqlx::query(query).fetch_all(&mut other).await.unwrap() {
            let id: i64 = row.try_get_unchecked(0).unwrap();
            let kill = sqlx::AssertSqlSafe(format!("KILL {id}"));
            sqlx::raw_sql(kill).execute(&mut other).await.unwrap();
        }
    })
    .await;
}

async fn everything_works_again_when_the_database_is_back(kind: Kind) {
    let Some(server) = Server::start(kind, Durability::Lasting) else { return };
    let url = server.database().url;
    let (store, token) = with_a_session(&url, Duration::from_secs(1)).await;

    server.kill();
    let started = Instant::now();
    for _ in 0..3 {
        let error = store.session(&token).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    }
    assert!(started.elapsed() < Duration::from_secs(3));
    server.run();
    let back = Instant::now();
    while store.session(&token).await.is_err() {
        assert!(back.elapsed() < Duration::from_secs(2));
    }
    let (_, owner) = store.session(&token).await.unwrap().unwrap();
    store.verify_email(&owner, Timestamp::from_seconds(1)).await.unwrap();

    server.pause();
    let started = Instant::now();
    let error = store.user("42").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let elapsed = started.elapsed();
    assert!(elapsed >= Duration::from_secs(1) && elapsed < Duration::from_secs(2), "{elapsed:?}");
    server.resume();
    let back = Instant::now();
    while store.user("42").await.is_err() {
        assert!(back.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_works_again_when_postgresql_is_back() {
    everything_works_again_when_the_database_is_back(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_works_again_when_mariadb_is_back() {
    everything_works_again_when_the_database_is_back(Kind::MariaDb).await;
}

#[tokio::test]
async fn who_gets_no_connection_in_time_is_told() {
    let Some(database) = test_servers::postgres().await else { return };
    let timeout = Duration::from_secs(1);
    let store = builder(&database.url).pool_size(1).timeout(timeout).connect().await.unwrap();
    store.migrate().await.unwrap();
    store.create_user(User::new("42"), None).await.unwrap();
    let mut other = <sqlx::PgConnection as sqlx::Connection>::connect(&database.url).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE hallpass_users").execute(&mut other).await.unwrap();
    let (first, second) = tokio::join!(store.user("42"), store.user("42"));
    assert_eq!(first.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert_eq!(second.unwrap_err().kind(), StoreErrorKind::Unavailable);
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    assert!(store.user("42").await.unwrap().is_some());
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_no_transaction_behind() {
    let Some(database) = test_servers::postgres().await else { return };
    let store = builder(&database.url).pool_size(1).connect().await.unwrap();
    store.migrate().await.unwrap();
    let owner = store.create_user(User::new("42"), None).await.unwrap();
    let mut other = <sqlx::PgConnection as sqlx::Connection>::connect(&database.url).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT * FROM hallpass_users FOR UPDATE").execute(&mut other).await.unwrap();
    let change = store.verify_email(&owner, Timestamp::from_seconds(1));
    assert!(tokio::time::timeout(Duration::from_millis(200), change).await.is_err());
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    assert_eq!(store.user("42").await.unwrap().unwrap().email_verified, None);
    store.delete_user("42").await.unwrap();
}

/// A backup, a shell that somebody left open.
#[tokio::test]
async fn a_file_that_another_program_has_locked_is_unavailable_until_it_lets_go() {
    use sqlx::Connection;

    let url = crate::open::sqlite_url();
    let (store, token) = with_a_session(&url, Duration::from_millis(300)).await;
    let (_, owner) = store.session(&token).await.unwrap().unwrap();
    let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let once = |hash| OneTimeToken::new("ada@example.com", hash, Timestamp::from_seconds(1));
    for _ in 0..2 {
        let error = store.create_token(once("1")).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let error = store.verify_email(&owner, Timestamp::from_seconds(1)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        // Who is signed in can be read all the same.
        assert!(store.session(&token).await.unwrap().is_some());
    }
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    store.create_token(once("2")).await.unwrap();
    store.verify_email(&owner, Timestamp::from_seconds(1)).await.unwrap();
    assert_eq!(store.take_token("ada@example.com", "1").await.unwrap(), None);
}
