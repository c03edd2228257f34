//! The server in the place of an application that ran Auth.js: its database, its cookies.

use hallpass::jose::TokenKeys;
use hallpass::{Dialect, Secret};
use serde_json::{Map, json};
use sqlx::{Connection, Executor, PgConnection};
use test_servers::{Durability, Kind};

use crate::browser::Browser;
use crate::program::{Server, program};
use crate::sink::Sink;
use crate::storage::{configured, done};

#[test]
fn users_and_sessions_of_an_auth_js_database_go_on() {
    let Some(postgres) = test_servers::Server::start(Kind::Postgres, Durability::Fast) else { return };
    let url = postgres.database().url;
    query(&url, include_str!("../../../hallpass-sqlx/testdata/authjs.postgres.sql"));
    query(&url, FILLED);
    let sink = Sink::start();
    let folder = configured(&format!(
        "[database]\nurl = \"{url}\"\ntables = \"authjs\"\n\
         [email]\nfrom = \"login@acme.example\"\nsmtp_url = \"smtp://127.0.0.1:{}\"\n",
        sink.port
    ));
    let refused = program(&folder, &[]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("0001_authjs"));
    assert_eq!(done(&folder, &["migrate"]), "applied 0001_authjs\napplied 0002_authjs\n");

    let server = Server::start(program(&folder, &[]));
    let mut grace = Browser::new(&server.host);
    let live = "cookie: authjs.session-token=0b6f1c9e-live\r\n";
    let session = grace.get_with("/api/auth/session", live);
    assert!(session.body.contains("\"name\":\"Grace Hopper\""), "{}", session.body);

    // The same person signs in anew, and somebody for the first time.
    for address in ["grace@example.com", "new@example.com"] {
        let mut browser = Browser::new(&server.host);
        browser.post("/api/auth/signin/nodemailer", &[("email", address)]);
        assert_eq!(browser.follow(&sink.link()).status, 302);
        assert!(browser.get("/api/auth/session").body.contains(address));
        let token = browser.cookie("authjs.session-token").unwrap();
        let found = format!(
            "SELECT count(*) FROM sessions s JOIN users u ON u.id = s.\"userId\" \
             WHERE u.email = '{address}' AND s.\"sessionToken\" = '{token}'"
        );
        assert_eq!(number(&url, &found), 1, "{address}");
    }
    assert_eq!(number(&url, "SELECT count(*) FROM users"), 2);
    assert_eq!(done(&folder, &["sessions", "revoke-all", "grace@example.com"]), "revoked 2 sessions\n");
    assert_eq!(grace.get_with("/api/auth/session", live).body, "null");
}

#[test]
fn tokens_of_auth_js_go_on() {
    for (dialect, name) in [(Dialect::V5, "authjs"), (Dialect::V4, "next-auth")] {
        for more in ["", "[session]\nstrategy = \"jwt\"\n"] {
            let server = Server::start(program(&configured(more), &[]));
            let cookie = format!("{name}.session-token");
            let secret = Secret::from("a secret of at least 32 characters");
            let keys = TokenKeys::derive(dialect, &[secret], if name == "authjs" { &cookie } else { "" });
            let mut claims = Map::new();
            claims.insert("sub".to_owned(), "7".into());
            claims.insert("name".to_owned(), "Grace Hopper".into());
            claims.insert("role".to_owned(), json!(["admin"]));
            claims.insert("exp".to_owned(), 4_000_000_000_u64.into());
            let token = keys.seal_claims(&claims, &[7; 16]);
            let cookie = format!("cookie: {cookie}={token}\r\n");
            for _ in 0..2 {
                let session = Browser::new(&server.host).get_with("/api/auth/session", &cookie).body;
                assert!(session.contains("\"user\":{\"name\":\"Grace Hopper\"}"), "{name} {more}: {session}");
            }
        }
    }
}

fn query(url: &str, sql: &'static str) {
    connected(url, async |mut connection| {
        connection.execute(sql).await.unwrap();
    });
}

fn number(url: &str, sql: &str) -> i64 {
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    connected(url, async |mut connection| sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap())
}

fn connected<T>(url: &str, work: impl AsyncFnOnce(PgConnection) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { work(PgConnection::connect(url).await.unwrap()).await })
}

const FILLED: &str = "
    INSERT INTO users (name, email, \"emailVerified\") VALUES ('Grace Hopper', 'grace@example.com', now());
    INSERT INTO sessions (\"userId\", expires, \"sessionToken\")
    SELECT id, now() + interval '20 days', '0b6f1c9e-live' FROM users;
";
