//! How the store signs in to the database.

use sqlx::{Connection, MySqlConnection};

use crate::open::{execute, fresh};

#[tokio::test]
async fn who_never_signed_in_to_mysql_before_does() {
    let Some(database) = test_servers::mariadb().await else { return };
    let (_, place) = database.url.split_once('@').unwrap();
    let (_, name) = place.split_once('/').unwrap();
    // MySQL has the whole password sent the first time, which it takes from nobody without TLS, and remembers it.
    let statements = format!(
        "CREATE USER {name}@'127.0.0.1' IDENTIFIED BY 'canary'; GRANT ALL ON {name}.* TO {name}@'127.0.0.1'"
    );
    execute(&database.url, statements).await;
    fresh(&format!("mysql://{name}:canary@{place}")).await;
    let wrong = MySqlConnection::connect(&format!("mysql://{name}:wrong@{place}")).await;
    assert!(wrong.unwrap_err().into_database_error().is_some());
}
