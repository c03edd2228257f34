//! Making the tables: once, again, by two at once.

use crate::open::builder;

macro_rules! on_each_database {
    ($($name:ident: $url:expr;)*) => {
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

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn of_many_who_migrate_at_once_one_does_it() {
                let Some(url) = $url.await else { return };
                super::of_many_one_does_it(&url).await;
            }
        })*
    };
}

on_each_database! {
    sqlite: async { Some(crate::open::sqlite_url()) };
    postgres: async { Some(test_servers::postgres().await?.url) };
    mariadb: async { Some(test_servers::mariadb().await?.url) };
}

async fn tables_are_made_once(url: &str) {
    let store = builder(url).connect().await.unwrap();
    assert_eq!(store.pending().await.unwrap(), ["0001_own"]);
    assert_eq!(store.migrate().await.unwrap(), ["0001_own"]);
    assert!(store.pending().await.unwrap().is_empty());
    assert!(store.dry_run().await.unwrap().is_empty());
    assert!(store.migrate().await.unwrap().is_empty());
    let migrations = store.migrations().await.unwrap();
    assert_eq!(
        migrations.iter().map(|it| (it.name, it.is_applied)).collect::<Vec<_>>(),
        [("0001_own", true)]
    );
}

async fn a_dry_run_changes_nothing(url: &str) {
    let store = builder(url).connect().await.unwrap();
    let statements = store.dry_run().await.unwrap();
    assert!(statements.iter().any(|statement| statement.contains("hallpass_users")));
    assert!(statements.len() >= 4);
    assert_eq!(store.pending().await.unwrap(), ["0001_own"]);
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
    assert_eq!(done, ["0001_own"]);
}
