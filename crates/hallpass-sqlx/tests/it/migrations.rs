//! Making the tables: once, again, by two at once.

use hallpass::{SessionToken, Store, Timestamp};

use crate::open::{builder, execute};

macro_rules! on_each_database {
    ($($name:ident: $url:expr, $first:expr;)*) => {
        $(mod $name {
            #[tokio::test]
            async fn tables_are_made_once() {
                let Some(url) = $url.await else { return };
                super::tables_are_made_once(&url).await;
            }

            #[tokio::test]
            async fn a_dry_run_changes_nothing_and_says_what_would_be_done() {
                let Some(url) = $url.await else { return };
                super::a_dry_run_changes_nothing(&url).await;
            }

            #[tokio::test]
            async fn user_agents_and_addresses_from_before_the_second_step_are_forgotten_too() {
                let Some(url) = $url.await else { return };
                super::clients_from_before_are_forgotten_too(&url, $first).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn of_many_who_migrate_at_once_one_does_it() {
                let Some(url) = $url.await else { return };
                super::of_many_one_does_it(&url).await;
            }
        })*
    };
}

on_each_database! {
    sqlite: async { Some(crate::open::sqlite_url()) }, include_str!("../../migrations/sqlite/0001_own.sql");
    postgres: async { Some(test_servers::postgres().await?.url) },
        include_str!("../../migrations/postgres/0001_own.sql");
    mariadb: async { Some(test_servers::mariadb().await?.url) },
        include_str!("../../migrations/mysql/0001_own.sql");
}

async fn tables_are_made_once(url: &str) {
    let store = builder(url).connect().await.unwrap();
    assert_eq!(store.pending().await.unwrap(), ["0001_own", "0002_own"]);
    assert_eq!(store.migrate().await.unwrap(), ["0001_own", "0002_own"]);
    assert!(store.pending().await.unwrap().is_empty());
    assert!(store.dry_run().await.unwrap().is_empty());
    assert!(store.migrate().await.unwrap().is_empty());
    let migrations = store.migrations().await.unwrap();
    assert_eq!(
        migrations.iter().map(|it| (it.name, it.is_applied)).collect::<Vec<_>>(),
        [("0001_own", true), ("0002_own", true)]
    );
}

async fn a_dry_run_changes_nothing(url: &str) {
    let store = builder(url).connect().await.unwrap();
    let statements = store.dry_run().await.unwrap();
    assert!(statements.iter().any(|statement| statement.contains("hallpass_users")));
    assert!(statements.len() >= 4);
    assert_eq!(store.pending().await.unwrap(), ["0001_own", "0002_own"]);
}

async fn of_many_one_does_it(url: &str) {
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let store = builder(url).connect().await.unwrap();
        tasks.push(tokio::spawn(async move { store.migrate().await.unwrap() }));
    }
    let mut done = Vec::new();
    for task in tasks {
        done.extend(task.await.unwrap());
    }
    assert_eq!(done, ["0001_own", "0002_own"]);
}

async fn clients_from_before_are_forgotten_too(url: &str, first: &'static str) {
    execute(url, first).await;
    execute(url, "CREATE TABLE hallpass_migrations (name VARCHAR(100) NOT NULL PRIMARY KEY)").await;
    let (old, young) = (SessionToken::new("old"), SessionToken::new("young"));
    let rows = format!(
        "INSERT INTO hallpass_migrations VALUES ('0001_own'); \
         INSERT INTO hallpass_users (id, extra) VALUES ('ada', '{{}}'); \
         INSERT INTO hallpass_sessions (token_hash, user_id, expires, created, user_agent, address, claims, version) \
         VALUES ('{}', 'ada', 9, 1, 'Firefox', NULL, '{{}}', 0), ('{}', 'ada', 9, 2, NULL, '192.0.2.1', '{{}}', 0)",
        old.hash(),
        young.hash()
    );
    execute(url, rows).await;
    let store = builder(url).connect().await.unwrap();
    assert_eq!(store.migrate().await.unwrap(), ["0002_own"]);
    assert_eq!(store.forget_clients(Timestamp::from_millis(2), 100).await.unwrap(), 1);
    assert_eq!(store.session(&old).await.unwrap().unwrap().0.user_agent, None);
    assert_eq!(store.session(&young).await.unwrap().unwrap().0.address.as_deref(), Some("192.0.2.1"));
    assert_eq!(store.forget_clients(Timestamp::from_millis(3), 100).await.unwrap(), 1);
}

#[tokio::test]
async fn a_step_that_was_interrupted_on_mariadb_is_carried_out_again() {
    let Some(database) = test_servers::mariadb().await else { return };
    let store = builder(&database.url).connect().await.unwrap();
    store.migrate().await.unwrap();
    for lost in [&["0002_own"][..], &["0001_own", "0002_own"]] {
        for name in lost {
            execute(&database.url, format!("DELETE FROM hallpass_migrations WHERE name = '{name}'")).await;
        }
        assert_eq!(store.migrate().await.unwrap(), lost);
    }
}
