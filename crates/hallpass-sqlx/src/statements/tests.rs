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

/// How each query that a request waits for is carried out.
async fn plans(url: &str, explain: &str, tables: TableMap) -> Vec<String> {
    let id = if tables.ids == Ids::Integer { Value::from(7_i64) } else { Value::from("x") };
    let store = SqlStore::builder(url).secrets(["a secret"]).tables(tables).connect().await.unwrap();
    store.migrate().await.unwrap();
    let mut lease = store.0.pool.reader().await.unwrap();
    if explain == "EXPLAIN" {
        // The tables are empty: what an index would be good for shows only when it must be used.
        lease.command("SET enable_seqscan = off").await.unwrap();
    }
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
