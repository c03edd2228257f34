use sqlx::Connection;

use super::*;
use crate::database::{Row, Value};
use crate::map::Ids;
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
    if explain == "EXPLAIN FORMAT=JSON" {
        // The newer format of MySQL, which MariaDB does not have, says nothing of an `UPDATE`.
        let format = "SET @is_older = 1 /*!80300 , SESSION explain_json_format_version = 1 */";
        lease.command(format).await.unwrap();
    }
    (store, lease)
}

/// How each query that a request waits for is carried out.
async fn plans(url: &str, explain: &str, tables: TableMap) -> Vec<String> {
    let id = if tables.ids == Ids::Integer { Value::from(7_i64) } else { Value::from("x") };
    let (store, mut lease) = opened(url, explain, tables).await;
    let statements = &store.0.statements;
    let text = [Value::from("x")];
    let id = [id];
    let two = [Value::from("x"), Value::from("y")];
    let mut plans = Vec::new();
    for (statement, values) in [
        (&statements.session, &text[..]),
        (&statements.user, &id),
        (&statements.user_by_email, &text),
        (&statements.accounts, &id),
        (&statements.sessions, &id),
        (&statements.user_by_account, &two),
        (&statements.token, &two),
    ] {
        plans.push(plan(&mut lease, explain, statement, values).await);
    }
    plans
}

async fn made_by_an_adapter(url: &str, schema: &'static str) {
    // In a map of its own, Hallpass asks for no table when it opens the database.
    let store = SqlStore::builder(url).secrets(["a secret"]).connect().await.unwrap();
    let mut lease = store.0.pool.writer().await.unwrap();
    for statement in schema.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()) {
        lease.command(statement).await.unwrap();
    }
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
    let prisma = include_str!("../../testdata/prisma.sqlite.sql");
    let drizzle = include_str!("../../testdata/drizzle.sqlite.sql");
    for (tables, schema) in
        [(TableMap::own(), ""), (TableMap::prisma(), prisma), (TableMap::drizzle(), drizzle)]
    {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("hallpass.db").display());
        made_by_an_adapter(&url, schema).await;
        for plan in plans(&url, "EXPLAIN QUERY PLAN", tables.clone()).await {
            assert!(plan.contains("SEARCH") && !plan.contains("SCAN"), "{}: {plan}", tables.name);
        }
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
    let authjs = include_str!("../../testdata/authjs.postgres.sql");
    let prisma = include_str!("../../testdata/prisma.postgres.sql");
    let drizzle = include_str!("../../testdata/drizzle.postgres.sql");
    for (tables, schema) in [
        (TableMap::own(), ""),
        (TableMap::authjs(), authjs),
        (TableMap::prisma(), prisma),
        (TableMap::drizzle(), drizzle),
    ] {
        let Some(database) = test_servers::postgres().await else { return };
        made_by_an_adapter(&database.url, schema).await;
        for plan in plans(&database.url, "EXPLAIN", tables.clone()).await {
            assert!(plan.contains("Index") && !plan.contains("Seq Scan"), "{}: {plan}", tables.name);
            assert!(!plan.contains("Filter"), "{}: {plan}", tables.name);
        }
    }
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn every_read_of_a_request_uses_an_index_on_mariadb() {
    let Some(database) = test_servers::mariadb().await else { return };
    for plan in plans(&database.url, "EXPLAIN FORMAT=JSON", TableMap::own()).await {
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
