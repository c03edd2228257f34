//! The contract on the tables of Auth.js' adapters, as far as they can keep it, and what is different there.

use std::future::Future;

use hallpass::{
    Account, AccountKind, OneTimeToken, SessionChange, SessionToken, Store, StoreErrorKind, StoredSession,
    Timestamp, User, UserChange,
};
use hallpass_sqlx::{OpenError, SqlStore, TableMap};
use serde_json::{Map, Value, json};
use sqlx::{Connection, PgConnection, Row, SqliteConnection};

use crate::open::{builder, execute, sqlite_url};

/// The rules of `Store` that these tables can keep. Not: further fields of a user and members of a token answer
/// without a column, and who has vouched for an address.
macro_rules! contract {
    ($($name:ident: $fresh:expr;)*) => {
        $(mod $name {
            hallpass::__store_contract_tests! { $fresh;
                a_new_user_is_found_by_id_address_and_account
                an_address_belongs_to_one_user
                users_without_an_address_do_not_meet
                an_id_that_repeats_takes_over_no_row
                a_user_whose_account_is_taken_is_not_made
                what_is_not_there_is_not_found
                a_change_touches_what_it_names
                a_new_address_is_not_proven
                a_refused_change_changes_nothing
                pages_show_each_user_once
                with_a_user_goes_what_is_theirs
                what_a_deleted_user_had_is_free_again
                the_second_proof_leaves_everything
                an_account_belongs_to_one_user
                one_id_at_two_providers_is_two_accounts
                an_account_of_nobody_is_refused
                an_account_is_taken_from_its_owner_only
                the_last_account_stays_if_it_must
                a_session_is_found_by_its_token_only
                a_session_is_kept_whole
                a_session_comes_with_the_user_as_they_are_now
                a_session_of_nobody_is_refused
                a_token_names_one_session
                claims_are_written_over_the_version_they_were_made_from
                a_renewal_leaves_claims_and_version
                a_session_that_is_gone_is_not_changed
                a_session_is_changed_by_its_id_for_its_user_only
                an_expired_session_is_returned
                sessions_are_listed_for_their_user_the_newest_first
                sessions_are_revoked_all_one_or_others
                nobody_revokes_a_session_of_somebody_else
                a_deleted_session_is_returned_once
                times_are_kept_to_the_millisecond
                sweep_leaves_what_has_not_expired
                user_agent_and_address_are_forgotten_and_nothing_else
                user_agent_and_address_of_later_sessions_are_kept
                user_agents_and_addresses_are_forgotten_in_bounded_steps
                an_epoch_follows_the_one_it_was_made_from
                epochs_of_users_are_apart
                an_epoch_outlives_its_user
                a_one_time_token_is_taken_once
                a_one_time_token_is_taken_by_its_identifier_and_hash_only
                one_time_tokens_of_one_address_are_apart
                an_expired_one_time_token_is_returned
                a_one_time_token_is_kept_once
                a_session_is_adopted_once
                a_session_that_is_not_adopted_leaves_nothing
                texts_that_look_alike_are_different
                injected_texts_find_nothing
                of_many_takers_one_gets_the_token
                of_many_who_keep_a_token_one_wins
                of_many_who_adopt_a_session_one_wins
                of_many_writers_one_wins_each_version
                of_many_sign_ups_with_one_address_one_makes_a_user
                of_many_sign_ups_with_one_account_one_makes_a_user
                of_many_changes_to_one_address_one_wins
                of_many_links_of_one_account_one_wins
                of_two_who_unlink_the_last_accounts_one_fails
                of_many_who_end_a_session_one_gets_it
                of_many_who_forget_user_agents_each_is_counted_once
                of_many_who_begin_an_epoch_one_wins
                a_user_deleted_during_sign_ins_leaves_no_session
                a_user_deleted_during_links_leaves_no_account
                a_first_proof_during_sign_ins_leaves_the_user_proven
                sweep_removes_what_has_expired_in_bounded_steps
            }
        })*
    };
}

contract! {
    authjs: super::authjs;
    drizzle: super::drizzle;
    prisma_on_sqlite: super::prisma_on_sqlite;
}

async fn authjs() -> Option<SqlStore> {
    let url = test_servers::postgres().await?.url;
    execute(&url, AUTHJS).await;
    execute(&url, "ALTER TABLE users ADD COLUMN role text, ADD COLUMN age integer").await;
    Some(open(&url, TableMap::authjs()).await)
}

async fn drizzle() -> Option<SqlStore> {
    let url = test_servers::postgres().await?.url;
    execute(&url, DRIZZLE).await;
    execute(&url, "ALTER TABLE \"user\" ADD COLUMN role text, ADD COLUMN age integer").await;
    // The rules look past the year 2038.
    execute(&url, "ALTER TABLE account ALTER COLUMN expires_at TYPE bigint").await;
    Some(open(&url, TableMap::drizzle()).await)
}

async fn prisma_on_sqlite() -> Option<SqlStore> {
    let url = sqlite_url();
    execute(&url, PRISMA_SQLITE).await;
    execute(&url, "ALTER TABLE \"User\" ADD COLUMN role TEXT; ALTER TABLE \"User\" ADD COLUMN age INTEGER")
        .await;
    // The rules use one hash for two addresses, which does not happen.
    execute(&url, "DROP INDEX \"VerificationToken_token_key\"").await;
    Some(open(&url, TableMap::prisma()).await)
}

/// A store on tables that somebody else has made.
async fn open(url: &str, tables: TableMap) -> SqlStore {
    let store = builder(url).tables(tables).connect().await.unwrap();
    store.migrate().await.unwrap();
    store
}

/// What stands in a table, as the database writes it as text.
async fn look(url: &str, query: &'static str) -> Vec<String> {
    if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        let rows = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(|row| row.get_unchecked(0)).collect()
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let rows = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

async fn each<F: Future<Output = ()>>(check: impl Fn(SqlStore) -> F) {
    for store in [authjs().await, drizzle().await, prisma_on_sqlite().await].into_iter().flatten() {
        check(store).await;
    }
}

#[tokio::test]
async fn the_first_proof_takes_all_accounts_and_sessions() {
    each(async |store: SqlStore| {
        let mut account = Account::new("idp", AccountKind::Oidc, "1");
        account.email_verified = true;
        let ada = store.create_user(User::new("42").with_email("a@b.example"), Some(account)).await.unwrap();
        let token = SessionToken::new("token");
        store.create_session(&token, StoredSession::new(&token, &ada.id, at(1))).await.unwrap();
        store.verify_email(&ada, at(2)).await.unwrap();
        assert!(store.accounts(&ada.id).await.unwrap().is_empty());
        assert!(store.session(&token).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_text_is_kept_byte_for_byte_or_refused() {
    each(async |store: SqlStore| {
        for text in
            ["' OR 1=1 --", "$1 ? :a", "{user}", "a ", " a", "ä", "a\u{308}", "\0", "x\0", &"x".repeat(300)]
        {
            let account = Account::new(text, AccountKind::OAuth, text);
            let wanted = User::new("42").with_email(text).with_name(text).with_image(text).with("role", text);
            let Ok(made) = store.create_user(wanted.clone(), Some(account)).await else {
                assert!(store.user_by_email(text).await.unwrap().is_none(), "{text:?}");
                continue;
            };
            assert_eq!((&made.name, &made.email, &made.extra), (&wanted.name, &wanted.email, &wanted.extra));
            assert_eq!(store.user_by_email(text).await.unwrap(), Some(made.clone()), "{text:?}");
            assert_eq!(store.user_by_account(text, text).await.unwrap(), Some(made.clone()), "{text:?}");
            let token = SessionToken::new("token");
            let mut session = StoredSession::new(&token, &made.id, at(1));
            session.user_agent = Some(text.to_owned());
            session.claims = Map::from_iter([(text.to_owned(), Value::from(text))]);
            if store.create_session(&token, session.clone()).await.is_ok() {
                assert_eq!(store.session(&token).await.unwrap(), Some((session, made.clone())), "{text:?}");
            }
            assert!(store.delete_user(&made.id).await.unwrap());
        }
    })
    .await;
}

#[tokio::test]
async fn a_field_without_a_column_is_dropped_from_a_new_user_and_refused_in_a_change() {
    each(async |store: SqlStore| {
        let made = store.create_user(User::new("42").with("shoe_size", 42), None).await.unwrap();
        assert_eq!(made.extra, Map::new());
        let error = store.update_user(&made.id, UserChange::new().set("shoe_size", 42)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Refused);
    })
    .await;
}

#[tokio::test]
async fn prisma_columns_that_only_prisma_fills_are_filled() {
    let Some(database) = test_servers::postgres().await else { return };
    let url = database.url;
    execute(&url, PRISMA).await;
    execute(&url, PRISMA_ROWS).await;
    let store = open(&url, TableMap::prisma()).await;

    let ada = store.user_by_account("github", "1234").await.unwrap().unwrap();
    assert_eq!(ada.id, "cm3qxw0000000abcdefghijkl");
    assert_eq!(ada.email_verified, Timestamp::from_iso("2026-11-20T10:00:00.123Z"));
    assert_eq!(ada.extra.get("role"), Some(&json!("admin")));
    assert_eq!(ada.extra.get("createdAt"), Some(&json!("2026-01-01T00:00:00")));
    let (session, owner) = store.session(&SessionToken::new("live-session")).await.unwrap().unwrap();
    assert_eq!(
        (owner, session.expires),
        (ada.clone(), Timestamp::from_iso("2099-12-31T23:59:59.999Z").unwrap())
    );
    assert_eq!((session.claims, session.version, session.created), (Map::new(), 0, None));
    let account = store.accounts(&ada.id).await.unwrap().remove(0);
    assert_eq!(
        (account.access_token(), account.expires_at()),
        (Some("gho_x"), Some(Timestamp::from_seconds(1_800_000_000)))
    );
    let taken = store.take_token("ada@example.com", "hash").await.unwrap();
    assert_eq!(taken, Some(OneTimeToken::new("ada@example.com", "hash", at(5))));

    let claims = Map::from_iter([("theme".to_owned(), json!("dark"))]);
    let token = SessionToken::new("live-session");
    assert!(store.update_session(&token, SessionChange::new().claims(claims.clone(), 0)).await.unwrap());
    assert_eq!(store.session(&token).await.unwrap().unwrap().0.claims, claims);
    let user = User::new("grace").with_email("grace@example.com");
    let account = Account::new("github", AccountKind::OAuth, "5678");
    let grace = store.create_user(user, Some(account)).await.unwrap();
    assert_eq!(grace.extra.get("role"), Some(&json!("reader")));
    let changed = store.update_user("grace", UserChange::new().set("role", "admin")).await.unwrap();
    assert_eq!(changed.extra.get("role"), Some(&json!("admin")));
    let token = SessionToken::new("another");
    store.create_session(&token, StoredSession::new(&token, "grace", at(60_000))).await.unwrap();
    let kept = look(&url, "SELECT to_char(expires, 'YYYY-MM-DD HH24:MI:SS.MS') FROM \"Session\" WHERE \"sessionToken\" = 'another'").await;
    assert_eq!(kept, ["2100-01-01 00:01:00.000"]);
    // Prisma does not allow a user without an address here.
    let error = store.create_user(User::new("nobody"), None).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
}

#[tokio::test]
async fn rows_of_drizzle_on_sqlite_are_read_and_written() {
    let url = sqlite_url();
    execute(&url, DRIZZLE_SQLITE).await;
    execute(&url, DRIZZLE_ROWS).await;
    let store = open(&url, TableMap::drizzle()).await;
    let (session, ada) = store.session(&SessionToken::new("live-session")).await.unwrap().unwrap();
    assert_eq!(session.expires, at(7));
    assert_eq!((ada.id.as_str(), ada.email_verified), ("ada", Some(at(0))));
    assert_eq!(ada.extra.get("role"), Some(&json!("admin")));
    let token = SessionToken::new("another");
    store.create_session(&token, StoredSession::new(&token, "ada", at(9))).await.unwrap();
    let kept = look(&url, "SELECT CAST(expires AS TEXT) FROM session WHERE sessionToken = 'another'").await;
    assert_eq!(kept, [at(9).millis().to_string()]);
}

#[tokio::test]
async fn times_that_prisma_wrote_as_texts_are_read() {
    let url = sqlite_url();
    execute(&url, PRISMA_SQLITE).await;
    execute(&url, "INSERT INTO \"User\" (id, email, emailVerified) VALUES ('1', 'a@b.example', '2026-11-20T10:00:00.123Z')").await;
    let store = open(&url, TableMap::prisma()).await;
    let ada = store.user("1").await.unwrap().unwrap();
    assert_eq!(ada.email_verified, Timestamp::from_iso("2026-11-20T10:00:00.123Z"));
}

#[tokio::test]
async fn duplicates_stop_a_migration_and_nothing_is_changed() {
    let Some(database) = test_servers::postgres().await else { return };
    execute(&database.url, AUTHJS).await;
    execute(&database.url, "INSERT INTO users (email) VALUES ('a@b.example'), ('a@b.example')").await;
    let store = builder(&database.url).tables(TableMap::authjs()).connect().await.unwrap();
    let error = store.migrate().await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("hallpass_users_email"), "{cause}");
    assert_eq!(store.pending().await.unwrap(), ["0001_authjs", "0002_authjs"]);
    let query =
        "SELECT CAST(column_name AS text) FROM information_schema.columns WHERE column_name = 'hallpass'";
    assert!(look(&database.url, query).await.is_empty());
}

#[tokio::test]
async fn user_agents_and_addresses_from_before_the_second_step_are_forgotten_too() {
    for (make, tables, table) in [
        (AUTHJS, TableMap::authjs(), "sessions"),
        (DRIZZLE, TableMap::drizzle(), "session"),
        (PRISMA_SQLITE, TableMap::prisma(), "Session"),
        (DRIZZLE_SQLITE, TableMap::drizzle(), "session"),
    ] {
        let is_sqlite = [PRISMA_SQLITE, DRIZZLE_SQLITE].contains(&make);
        let url = match is_sqlite {
            true => sqlite_url(),
            false => match test_servers::postgres().await {
                Some(database) => database.url,
                None => continue,
            },
        };
        execute(&url, make).await;
        let store = open(&url, tables).await;
        let ada = store.create_user(User::new("ada").with_email("ada@example.com"), None).await.unwrap();
        for (token, created, claim) in
            [("old", at(0), "x"), ("young", at(1000), "x"), ("odd", at(1000), "\0")]
        {
            let token = SessionToken::new(token);
            let mut session = StoredSession::new(&token, &ada.id, at(5000));
            (session.created, session.claims) =
                (Some(created), Map::from_iter([("created".into(), claim.into())]));
            (session.user_agent, session.address) = (Some("Firefox".into()), Some("192.0.2.1".into()));
            store.create_session(&token, session).await.unwrap();
        }
        let bare = SessionToken::new("bare");
        store.create_session(&bare, StoredSession::new(&bare, &ada.id, at(5000))).await.unwrap();
        // As it was before.
        let before = format!(
            "DROP INDEX hallpass_sessions_client; ALTER TABLE \"{table}\" DROP COLUMN hallpass_client; \
             UPDATE \"{table}\" SET hallpass = NULL WHERE \"sessionToken\" = 'bare'; \
             DELETE FROM hallpass_migrations WHERE name LIKE '0002%'"
        );
        execute(&url, before).await;
        assert_eq!(store.migrate().await.unwrap().len(), 1);
        // What PostgreSQL cannot look into counts as old.
        let is_odd_old = u64::from(!is_sqlite);
        assert_eq!(store.forget_clients(at(1), 100).await.unwrap(), 1 + is_odd_old, "{table}");
        for (token, is_known) in [("old", false), ("young", true), ("odd", is_sqlite), ("bare", false)] {
            let (session, _) = store.session(&SessionToken::new(token)).await.unwrap().unwrap();
            assert_eq!(session.user_agent.is_some(), is_known, "{table} {token}");
            assert_eq!(session.address.is_some(), is_known, "{table} {token}");
            assert_eq!(session.claims.is_empty(), token == "bare", "{table} {token}");
        }
        assert_eq!(store.forget_clients(at(1001), 100).await.unwrap(), 2 - is_odd_old, "{table}");
    }
}

#[tokio::test]
async fn more_user_agents_and_addresses_are_forgotten_than_one_transaction_takes() {
    each(async |store: SqlStore| {
        let ada = store.create_user(User::new("42").with_email("a@b.example"), None).await.unwrap();
        for number in 0..205 {
            let token = SessionToken::new(format!("token {number}"));
            let mut session = StoredSession::new(&token, &ada.id, at(1));
            (session.created, session.user_agent) = (Some(at(number)), Some("Firefox".to_owned()));
            store.create_session(&token, session).await.unwrap();
        }
        assert_eq!(store.forget_clients(at(1000), 203).await.unwrap(), 203);
        let sessions = store.sessions(&ada.id).await.unwrap();
        // Those that began first go first.
        assert!(sessions[..2].iter().all(|session| session.user_agent.is_some()));
        assert!(sessions[2..].iter().all(|session| session.user_agent.is_none()));
        assert_eq!(store.forget_clients(at(1000), 203).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn tables_that_are_not_there_are_named() {
    let opened = builder(sqlite_url()).tables(TableMap::prisma()).connect().await;
    let Err(OpenError::Database(error)) = opened else { panic!("{opened:?}") };
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "there is no table User");
}

#[tokio::test]
async fn uuids_are_ids_too() {
    let Some(database) = test_servers::postgres().await else { return };
    execute(&database.url, AUTHJS).await;
    let change = "ALTER TABLE users DROP COLUMN id; ALTER TABLE users ADD COLUMN id uuid PRIMARY KEY DEFAULT gen_random_uuid(); \
                  ALTER TABLE accounts DROP COLUMN \"userId\"; ALTER TABLE accounts ADD COLUMN \"userId\" uuid NOT NULL; \
                  ALTER TABLE sessions DROP COLUMN \"userId\"; ALTER TABLE sessions ADD COLUMN \"userId\" uuid NOT NULL";
    execute(&database.url, change).await;
    let store = open(&database.url, TableMap::authjs().ids(hallpass_sqlx::Ids::Uuid)).await;
    let id = "5f3c1e2a-9b4d-4c6f-8a7e-000000000001";
    let account = Account::new("idp", AccountKind::Oidc, "1");
    store.create_user(User::new(id), Some(account)).await.unwrap();
    let token = SessionToken::new("token");
    store.create_session(&token, StoredSession::new(&token, id, at(1))).await.unwrap();
    assert_eq!(store.session(&token).await.unwrap().unwrap().1.id, id);
    assert!(store.user(&id.to_uppercase()).await.unwrap().is_none());
    assert!(store.user("' OR 1=1").await.unwrap().is_none());
    assert_eq!(store.accounts(id).await.unwrap().len(), 1);
}

/// Milliseconds after the beginning of the year 2100.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(4_102_444_800_000 + millis)
}

const AUTHJS: &str = include_str!("../../testdata/authjs.postgres.sql");

const PRISMA: &str = include_str!("../../testdata/prisma.postgres.sql");

const PRISMA_SQLITE: &str = include_str!("../../testdata/prisma4.sqlite.sql");

const DRIZZLE: &str = include_str!("../../testdata/drizzle.postgres.sql");

const DRIZZLE_SQLITE: &str = include_str!("../../testdata/drizzle.sqlite.sql");

/// As Prisma writes them.
const PRISMA_ROWS: &str = r#"
    INSERT INTO "User" ("id", "name", "email", "emailVerified", "role", "createdAt", "updatedAt") VALUES
        ('cm3qxw0000000abcdefghijkl', 'Ada', 'ada@example.com', '2026-11-20 10:00:00.123', 'admin', '2026-01-01', '2026-01-01');
    INSERT INTO "Account" ("userId", "type", "provider", "providerAccountId", "access_token", "expires_at", "updatedAt") VALUES
        ('cm3qxw0000000abcdefghijkl', 'oauth', 'github', '1234', 'gho_x', 1800000000, '2026-01-01');
    INSERT INTO "Session" ("sessionToken", "userId", "expires", "updatedAt") VALUES
        ('live-session', 'cm3qxw0000000abcdefghijkl', '2099-12-31 23:59:59.999', '2026-01-01');
    INSERT INTO "VerificationToken" ("identifier", "token", "expires") VALUES
        ('ada@example.com', 'hash', '2100-01-01 00:00:00.005');
"#;

/// As Drizzle writes them: times in milliseconds.
const DRIZZLE_ROWS: &str = "
    INSERT INTO user (id, email, emailVerified, role) VALUES ('ada', 'ada@example.com', 4102444800000, 'admin');
    INSERT INTO session (sessionToken, userId, expires) VALUES ('live-session', 'ada', 4102444800007);
";
