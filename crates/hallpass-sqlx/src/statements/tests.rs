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

/// How each query that a request waits for is carried out.
async fn plans(url: &str, explain: &str) -> Vec<String> {
    let store = SqlStore::builder(url).secrets(["a secret"]).connect().await.unwrap();
    store.migrate().await.unwrap();
    let mut lease = store.0.pool.reader().await.unwrap();
    if explain == "EXPLAIN" {
        // The tables are empty: what an index would be good for shows only when it must be used.
        lease.command("SET enable_seqscan = off").await.unwrap();
    }
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

#[tokio::test]
async fn every_read_of_a_request_uses_an_index_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("hallpass.db").display());
    for plan in plans(&url, "EXPLAIN QUERY PLAN").await {
        assert!(plan.contains("SEARCH") && !plan.contains("SCAN"), "{plan}");
    }
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
