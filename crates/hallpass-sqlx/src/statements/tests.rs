use sqlx::Connection;

use super::*;
use crate::database::{Row, Value};
use crate::pool::Lease;
use crate::{SqlStore, TableMap};

async fn plan(lease: &mut Lease, explain: &str, statement: &Statement, values: &[Value<'_>]) -> String {
    let rows = lease.rows(&Statement::from(format!("{explain} {}", statement.text())), values).await.unwrap();
    let text = |row: &Row| match explain {
        "EXPLAIN QUERY PLAN" => row.text(3).unwrap(),
        "EXPLAIN FORMAT=JSON" | "EXPLAIN" => row.text(0).unwrap(),
        _ => None,
    };
    rows.iter().filter_map(text).collect::<Vec<_>>().join("\n")
}

async fn opened(url: &str, explain: &str, tables: TableMap) -> (SqlStore, Lease) {
    let store = SqlStore::builder(url).secrets(["a secret"]).tables(tables).connect().await.unwrap();
    store.migrate().await.unwrap();
    let mut lease = store.0.pool.reader().await.unwrap();
    if explain == "EXPLAIN" {
        // The tables are empty: what an index would be good for shows only when it must be used.
        lease.command("SET enable_seqscan = off").await.unwrap();
    }
    (store, lease)
}

/// How each query that a request waits for is carried out.
async fn plans(url: &str, explain: &str) -> Vec<String> {
    let (store, mut lease) = opened(url, explain, TableMap::own()).await;
    let statements = &store.0.statements;
    let one = [Value::from("x")];
    let two = [Value::from("x"), Value::from("y")];
    let mut plans = Vec::new();
    for statement in [
        &statements.session,
        &statements.user,
        &statements.user_by_email,
        &statements.accounts,
        &statements.sessions,
    ] {
        plans.push(plan(&mut lease, explain, statement, &one).await);
    }
    for statement in [&statements.user_by_account, &statements.token] {
        plans.push(plan(&mut lease, explain, statement, &two).await);
    }
    plans
}

/// How user agents and addresses to forget are found.
async fn forgetting(url: &str, explain: &str, tables: TableMap) -> String {
    let (store, mut lease) = opened(url, explain, tables).await;
    let (statements, is_own) = (&store.0.statements, store.0.map.is_own);
    let statement = if is_own { &statements.forget_clients } else { &statements.old_clients };
    let plan = plan(&mut lease, explain, statement, &[Value::from(1), Value::from(1000)]).await;
    assert!(plan.contains("hallpass_sessions_client"), "{plan}");
    plan
}

#[tokio::test]
async fn every_read_of_a_request_uses_an_index_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("hallpass.db").display());
    for plan in plans(&url, "EXPLAIN QUERY PLAN").await {
        assert!(plan.contains("SEARCH") && !plan.contains("SCAN"), "{plan}");
    }
}

#[tokio::test]
async fn user_agents_and_addresses_to_forget_are_found_by_an_index_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let mut prisma = sqlx::SqliteConnection::connect(&format!("{}?mode=rwc", url("prisma"))).await.unwrap();
    sqlx::raw_sql(include_str!("../../testdata/prisma.sqlite.sql")).execute(&mut prisma).await.unwrap();
    for (name, tables) in [("own", TableMap::own()), ("prisma", TableMap::prisma())] {
        let plan = forgetting(&url(name), "EXPLAIN QUERY PLAN", tables).await;
        assert!(plan.contains("SEARCH") && !plan.contains("SCAN"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn user_agents_and_addresses_to_forget_are_found_by_an_index_on_postgresql() {
    let (Some(own), Some(theirs)) = (test_servers::postgres().await, test_servers::postgres().await) else {
        return;
    };
    let mut authjs = sqlx::PgConnection::connect(&theirs.url).await.unwrap();
    sqlx::raw_sql(include_str!("../../testdata/authjs.postgres.sql")).execute(&mut authjs).await.unwrap();
    for (database, tables) in [(own, TableMap::own()), (theirs, TableMap::authjs())] {
        let plan = forgetting(&database.url, "EXPLAIN", tables).await;
        assert!(!plan.contains("Seq Scan"), "{plan}");
    }
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn user_agents_and_addresses_to_forget_are_found_by_an_index_on_mariadb() {
    let Some(database) = test_servers::mariadb().await else { return };
    let plan = forgetting(&database.url, "EXPLAIN FORMAT=JSON", TableMap::own()).await;
    assert!(plan.contains("\"range\"") && !plan.contains("\"ALL\""), "{plan}");
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn every_read_of_a_request_uses_an_index_on_postgresql() {
    let Some(database) = test_servers::postgres().await else { return };
    for plan in plans(&database.url, "EXPLAIN").await {
        assert!(plan.contains("Index") && !plan.contains("Seq Scan"), "{plan}");
        assert!(!plan.contains("Filter"), "{plan}");
    }
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn every_read_of_a_request_uses_an_index_on_mariadb() {
    let Some(database) = test_servers::mariadb().await else { return };
    for plan in plans(&database.url, "EXPLAIN FORMAT=JSON").await {
        assert!(!plan.contains("\"ALL\""), "{plan}");
    }
}

#[test]
fn no_query_is_made_of_what_comes_in() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::MySql] {
        let statements = Statements::new(dialect, &TableMap::own(), &Columns::default());
        let text = statements.session.text();
        assert_eq!(text.matches(['?', '$']).count(), 1, "{text}");
        assert!(!text.contains(['{', '}', ':']), "{text}");
    }
}
