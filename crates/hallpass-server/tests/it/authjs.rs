//! The server in the place of an application that ran Auth.js: its database, its cookies.

use std::process::{Command, Stdio};

use hallpass::jose::TokenKeys;
use hallpass::{Dialect, Secret};
use serde_json::{Map, Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use test_servers::{Durability, Kind};

use crate::browser::Browser;
use crate::idp::OpenIdProvider;
use crate::program::{Folder, Server, program, refusal};
use crate::sink::Sink;
use crate::storage::{configured, done};

#[test]
fn tables_of_the_postgresql_adapter_go_on() {
    let schema = include_str!("../../../hallpass-sqlx/testdata/authjs.postgres.sql");
    on_postgres(&AUTHJS, schema, AUTHJS_ROWS);
}

#[test]
fn tables_of_prisma_go_on() {
    let schema = include_str!("../../../hallpass-sqlx/testdata/prisma.postgres.sql");
    on_postgres(&PRISMA, schema, PRISMA_ROWS);
    on_sqlite(&PRISMA, include_str!("../../../hallpass-sqlx/testdata/prisma.sqlite.sql"), PRISMA_SQLITE_ROWS);
}

#[test]
fn tables_of_next_auth_4_with_prisma_go_on() {
    let schema = include_str!("../../../hallpass-sqlx/testdata/prisma4.postgres.sql");
    on_postgres(&PRISMA, schema, PRISMA4_ROWS);
    let schema = include_str!("../../../hallpass-sqlx/testdata/prisma4.sqlite.sql");
    on_sqlite(&PRISMA, schema, PRISMA4_SQLITE_ROWS);
}

#[test]
fn tables_of_drizzle_go_on() {
    let schema = include_str!("../../../hallpass-sqlx/testdata/drizzle.postgres.sql");
    on_postgres(&DRIZZLE, schema, DRIZZLE_ROWS);
    let schema = include_str!("../../../hallpass-sqlx/testdata/drizzle.sqlite.sql");
    on_sqlite(&DRIZZLE, schema, DRIZZLE_SQLITE_ROWS);
}

#[test]
fn tables_of_auth_js_are_refused_on_mysql() {
    for tables in ["authjs", "prisma", "drizzle"] {
        let settings = format!("[database]\nurl = \"mysql://h/d\"\ntables = \"{tables}\"\n");
        let refused = refusal(program(&configured(&settings), &[]));
        assert!(refused.contains("`database.tables`") && refused.contains("line 6, column 10"), "{refused}");
    }
}

/// `cargo xtask adapters` runs it.
#[test]
#[ignore = "needs node and e2e/adapters/node_modules"]
fn the_npm_adapters_and_the_server_share_databases() {
    let pg = include_str!("../../../hallpass-sqlx/testdata/authjs.postgres.sql");
    let drizzle = include_str!("../../../hallpass-sqlx/testdata/drizzle.postgres.sql");
    for (name, map, schema) in [("pg", "authjs", pg), ("drizzle", "drizzle", drizzle)] {
        let Some(postgres) = test_servers::Server::start(Kind::Postgres, Durability::Fast) else { return };
        let url = postgres.database().url;
        execute(&url, schema);
        let live = "a-session-of-the-adapter";
        let given = json!({ "adapter": name, "session": live }).to_string();
        let people: Value = serde_json::from_str(&adapter(&["people", &url, &given])).unwrap();

        let (provider, sink) = (OpenIdProvider::start(), Sink::start());
        let folder = shared(map, &url, &provider, &sink);
        done(&folder, &["migrate"]);
        let server = Server::start(program(&folder, &[]));
        let cookie = format!("cookie: authjs.session-token={live}\r\n");
        let session = Browser::new(&server.host).get_with("/api/auth/session", &cookie).body;
        assert!(session.contains("Grace Hopper"), "{name}: {session}");
        let mut sessions = Map::new();
        for (who, sub, name, email) in [
            ("ada", "42", "Ada Lovelace", "ada@example.com"),
            ("hedy", "77", "Hedy Lamarr", "hedy@example.com"),
        ] {
            provider.set_user(json!({ "sub": sub, "name": name, "email": email }));
            let mut browser = Browser::new(&server.host);
            provider.sign_in(&mut browser);
            sessions.insert(who.to_owned(), browser.cookie("authjs.session-token").unwrap().into());
        }
        for who in ["grace", "new"] {
            let mut browser = Browser::new(&server.host);
            browser.post("/api/auth/signin/nodemailer", &[("email", &format!("{who}@example.com"))]);
            browser.follow(&sink.link());
            sessions.insert(who.to_owned(), browser.cookie("authjs.session-token").unwrap().into());
        }
        let written = json!({
            "adapter": name, "ada": people["ada"], "grace": people["grace"], "live": live, "sessions": sessions,
        });
        println!("{name}: {}", adapter(&["signed-in", &url, &written.to_string()]));
    }
}

/// What the script prints.
fn adapter(arguments: &[&str]) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../e2e/adapters");
    let mut node = Command::new("node");
    node.arg("adapters.mjs").args(arguments).current_dir(folder).stderr(Stdio::inherit());
    let output = node.output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    printed
}

/// Settings of a server on tables of an adapter, with a provider and mails.
fn shared(map: &str, url: &str, provider: &OpenIdProvider, sink: &Sink) -> Folder {
    configured(&format!(
        "[database]\nurl = \"{url}\"\ntables = \"{map}\"\n{}\
         [email]\nfrom = \"login@acme.example\"\nsmtp_url = \"smtp://127.0.0.1:{}\"\n",
        provider.provider(),
        sink.port
    ))
}

/// The names of an adapter's tables.
struct Tables {
    map: &'static str,
    users: &'static str,
    accounts: &'static str,
    sessions: &'static str,
}

fn on_postgres(tables: &Tables, schema: &'static str, rows: &'static str) {
    let Some(postgres) = test_servers::Server::start(Kind::Postgres, Durability::Fast) else { return };
    goes_on(tables, &postgres.database().url, schema, rows);
}

fn on_sqlite(tables: &Tables, schema: &'static str, rows: &'static str) {
    let folder = Folder::new();
    let url = format!("sqlite:{}", folder.path().join("app.db").display());
    goes_on(tables, &url, schema, rows);
    // Both adapters know a time by its milliseconds.
    let kinds = format!("SELECT DISTINCT typeof(expires) FROM \"{}\"", tables.sessions);
    assert_eq!(query(&url, &kinds), ["integer"], "{}", tables.map);
}

/// A server in the place of the application: Ada has signed in with a provider there, Grace by mail, and Grace is
/// signed in. Nobody has proven Ada's address.
fn goes_on(tables: &Tables, url: &str, schema: &'static str, rows: &'static str) {
    let Tables { map, users, accounts, sessions } = tables;
    execute(url, schema);
    execute(url, rows);
    let (provider, sink) = (OpenIdProvider::start(), Sink::start());
    let folder = shared(map, url, &provider, &sink);
    let refused = program(&folder, &[]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains(&format!("0001_{map}")));
    assert_eq!(done(&folder, &["migrate"]), format!("applied 0001_{map}\napplied 0002_{map}\n"));
    let all_users = format!("SELECT CAST(id AS text) || ' ' || email FROM \"{users}\" ORDER BY email");
    let before = query(url, &all_users);
    assert_eq!(before.len(), 2);
    let server = Server::start(program(&folder, &[]));

    let home = format!("http://{}/", server.host);
    let live = "cookie: authjs.session-token=0b6f1c9e-live\r\n";
    let mut old = Browser::new(&server.host);
    let session = old.get_with("/api/auth/session", live).body;
    assert!(session.contains("\"name\":\"Grace Hopper\""), "{map}: {session}");

    // Who was there is the same user, with the account that was there.
    let owner = |browser: &Browser| {
        let token = browser.cookie("authjs.session-token").unwrap();
        let owner = format!(
            "SELECT CAST(u.id AS text) || ' ' || u.email FROM \"{sessions}\" s JOIN \"{users}\" u \
             ON u.id = s.\"userId\" WHERE s.\"sessionToken\" = '{token}'"
        );
        query(url, &owner)
    };
    let linked = format!(
        "SELECT u.email || ' ' || a.type || ' ' || a.provider || ' ' || a.\"providerAccountId\" FROM \"{accounts}\" a \
         JOIN \"{users}\" u ON u.id = a.\"userId\" ORDER BY u.email"
    );
    assert_eq!(query(url, &linked), ["ada@example.com oidc oidc 42"]);
    let mut ada = Browser::new(&server.host);
    let back = provider.sign_in(&mut ada);
    assert_eq!(back.header("location"), Some(home.as_str()), "{map}");
    assert_eq!(ada.session()["user"]["name"], "Ada Lovelace");
    assert_eq!(owner(&ada), before[..1], "{map}");
    let mut grace = Browser::new(&server.host);
    grace.post("/api/auth/signin/nodemailer", &[("email", "grace@example.com")]);
    assert_eq!(grace.follow(&sink.link()).status, 302, "{map}");
    assert_eq!(grace.session()["user"]["name"], "Grace Hopper");
    assert_eq!(owner(&grace), before[1..], "{map}");
    assert_eq!(query(url, &all_users), before, "{map}");
    assert_eq!(query(url, &linked), ["ada@example.com oidc oidc 42"], "{map}");

    // An address that is somebody's is not theirs at another account.
    provider.set_user(json!({ "sub": "666", "name": "Mallory", "email": "grace@example.com" }));
    let mut mallory = Browser::new(&server.host);
    let refused = provider.sign_in(&mut mallory);
    assert!(refused.header("location").unwrap().contains("error=OAuthAccountNotLinked"), "{map}");
    assert!(!mallory.has_session(), "{map}");

    // Who was not becomes a user, in columns where the adapter looks.
    provider.set_user(json!({ "sub": "77", "name": "Hedy Lamarr", "email": "hedy@example.com" }));
    let mut hedy = Browser::new(&server.host);
    let back = provider.sign_in(&mut hedy);
    assert_eq!(back.header("location"), Some(home.as_str()), "{map}");
    let mut new = Browser::new(&server.host);
    new.post("/api/auth/signin/nodemailer", &[("email", "new@example.com")]);
    assert_eq!(new.follow(&sink.link()).status, 302, "{map}");
    let after = query(url, &all_users);
    assert_eq!((after.len(), &after[..2]), (4, &before[..]), "{map}");
    assert_eq!([owner(&hedy), owner(&new)].concat(), after[2..], "{map}");
    assert_eq!(
        query(url, &linked),
        ["ada@example.com oidc oidc 42", "hedy@example.com oidc oidc 77"],
        "{map}"
    );
    let tokens = format!(
        "SELECT token_type FROM \"{accounts}\" WHERE \"providerAccountId\" = '77' \
         AND access_token <> '' AND id_token LIKE 'ey%' AND expires_at > 1700000000"
    );
    assert_eq!(query(url, &tokens), ["bearer"], "{map}");
    let proven = format!("SELECT email FROM \"{users}\" WHERE \"emailVerified\" IS NOT NULL ORDER BY email");
    assert_eq!(query(url, &proven), ["grace@example.com", "new@example.com"], "{map}");

    assert_eq!(done(&folder, &["sessions", "revoke-all", "grace@example.com"]), "revoked 2 sessions\n");
    assert_eq!(old.get_with("/api/auth/session", live).body, "null");
    assert_eq!(hedy.session()["user"]["email"], "hedy@example.com");
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

fn execute(url: &str, sql: &'static str) {
    running(async {
        if url.starts_with("sqlite:") {
            sqlite(url).await.execute(sql).await.unwrap();
        } else {
            PgConnection::connect(url).await.unwrap().execute(sql).await.unwrap();
        }
    });
}

/// The first column, which is a text.
fn query(url: &str, sql: &str) -> Vec<String> {
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    running(async {
        if url.starts_with("sqlite:") {
            sqlx::query_scalar(sql).fetch_all(&mut sqlite(url).await).await.unwrap()
        } else {
            let mut connection = PgConnection::connect(url).await.unwrap();
            sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
        }
    })
}

async fn sqlite(url: &str) -> SqliteConnection {
    let options: SqliteConnectOptions = url.parse().unwrap();
    SqliteConnection::connect_with(&options.create_if_missing(true)).await.unwrap()
}

fn running<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

const AUTHJS: Tables = Tables { map: "authjs", users: "users", accounts: "accounts", sessions: "sessions" };

const PRISMA: Tables = Tables { map: "prisma", users: "User", accounts: "Account", sessions: "Session" };

const DRIZZLE: Tables = Tables { map: "drizzle", users: "user", accounts: "account", sessions: "session" };

const AUTHJS_ROWS: &str = r#"
    INSERT INTO users (name, email, "emailVerified") VALUES
        ('Ada Lovelace', 'ada@example.com', NULL), ('Grace Hopper', 'grace@example.com', '2026-01-02T03:04:05.678Z');
    INSERT INTO accounts ("userId", type, provider, "providerAccountId", access_token, expires_at, token_type, scope)
    SELECT id, 'oidc', 'oidc', '42', 'an access token', 1800000000, 'bearer', 'openid' FROM users WHERE name LIKE 'Ada%';
    INSERT INTO sessions ("userId", expires, "sessionToken")
    SELECT id, now() + interval '20 days', '0b6f1c9e-live' FROM users WHERE name LIKE 'Grace%';
"#;

const PRISMA_ROWS: &str = r#"
    INSERT INTO "User" (id, name, email, "emailVerified", "updatedAt") VALUES
        ('cm3qxw0000000abcdefghijkl', 'Ada Lovelace', 'ada@example.com', NULL, '2026-01-01'),
        ('cm3qxw0000001abcdefghijkl', 'Grace Hopper', 'grace@example.com', '2026-01-02 03:04:05.678', '2026-01-01');
    INSERT INTO "Account" ("userId", type, provider, "providerAccountId", access_token, expires_at, "updatedAt") VALUES
        ('cm3qxw0000000abcdefghijkl', 'oidc', 'oidc', '42', 'an access token', 1800000000, '2026-01-01');
    INSERT INTO "Session" ("sessionToken", "userId", expires, "updatedAt") VALUES
        ('0b6f1c9e-live', 'cm3qxw0000001abcdefghijkl', '2099-12-31 23:59:59.999', '2026-01-01');
"#;

/// Prisma writes milliseconds there.
const PRISMA_SQLITE_ROWS: &str = r#"
    INSERT INTO "User" (id, name, email, "emailVerified", "createdAt", "updatedAt") VALUES
        ('cm3qxw0000000abcdefghijkl', 'Ada Lovelace', 'ada@example.com', NULL, 1767225600000, 1767225600000),
        ('cm3qxw0000001abcdefghijkl', 'Grace Hopper', 'grace@example.com', 1767323045678, 1767225600000, 1767225600000);
    INSERT INTO "Account" ("userId", type, provider, "providerAccountId", access_token, expires_at, "createdAt", "updatedAt")
    VALUES ('cm3qxw0000000abcdefghijkl', 'oidc', 'oidc', '42', 'an access token', 1800000000, 1767225600000, 1767225600000);
    INSERT INTO "Session" ("sessionToken", "userId", expires, "createdAt", "updatedAt") VALUES
        ('0b6f1c9e-live', 'cm3qxw0000001abcdefghijkl', 4102444799999, 1767225600000, 1767225600000);
"#;

const PRISMA4_ROWS: &str = r#"
    INSERT INTO "User" (id, name, email, "emailVerified") VALUES
        ('cl3qxw0000000abcdefghijkl', 'Ada Lovelace', 'ada@example.com', NULL),
        ('cl3qxw0000001abcdefghijkl', 'Grace Hopper', 'grace@example.com', '2023-01-02 03:04:05.678');
    INSERT INTO "Account" (id, "userId", type, provider, "providerAccountId", access_token, expires_at) VALUES
        ('cl3qxw0000002abcdefghijkl', 'cl3qxw0000000abcdefghijkl', 'oidc', 'oidc', '42', 'an access token', 1700000000);
    INSERT INTO "Session" (id, "sessionToken", "userId", expires) VALUES
        ('cl3qxw0000003abcdefghijkl', '0b6f1c9e-live', 'cl3qxw0000001abcdefghijkl', '2099-12-31 23:59:59.999');
"#;

const PRISMA4_SQLITE_ROWS: &str = r#"
    INSERT INTO "User" (id, name, email, "emailVerified") VALUES
        ('cl3qxw0000000abcdefghijkl', 'Ada Lovelace', 'ada@example.com', NULL),
        ('cl3qxw0000001abcdefghijkl', 'Grace Hopper', 'grace@example.com', 1672628645678);
    INSERT INTO "Account" (id, "userId", type, provider, "providerAccountId", access_token, expires_at) VALUES
        ('cl3qxw0000002abcdefghijkl', 'cl3qxw0000000abcdefghijkl', 'oidc', 'oidc', '42', 'an access token', 1700000000);
    INSERT INTO "Session" (id, "sessionToken", "userId", expires) VALUES
        ('cl3qxw0000003abcdefghijkl', '0b6f1c9e-live', 'cl3qxw0000001abcdefghijkl', 4102444799999);
"#;

const DRIZZLE_ROWS: &str = r#"
    INSERT INTO "user" (id, name, email, "emailVerified") VALUES
        ('5f3c1e2a-9b4d-4c6f-8a7e-000000000001', 'Ada Lovelace', 'ada@example.com', NULL),
        ('5f3c1e2a-9b4d-4c6f-8a7e-000000000002', 'Grace Hopper', 'grace@example.com', '2026-01-02 03:04:05.678');
    INSERT INTO account ("userId", type, provider, "providerAccountId", access_token, expires_at) VALUES
        ('5f3c1e2a-9b4d-4c6f-8a7e-000000000001', 'oidc', 'oidc', '42', 'an access token', 1800000000);
    INSERT INTO session ("sessionToken", "userId", expires) VALUES
        ('0b6f1c9e-live', '5f3c1e2a-9b4d-4c6f-8a7e-000000000002', '2099-12-31 23:59:59.999');
"#;

const DRIZZLE_SQLITE_ROWS: &str = r#"
    INSERT INTO "user" (id, name, email, "emailVerified") VALUES
        ('5f3c1e2a-9b4d-4c6f-8a7e-000000000001', 'Ada Lovelace', 'ada@example.com', NULL),
        ('5f3c1e2a-9b4d-4c6f-8a7e-000000000002', 'Grace Hopper', 'grace@example.com', 1767323045678);
    INSERT INTO account ("userId", type, provider, "providerAccountId", access_token, expires_at) VALUES
        ('5f3c1e2a-9b4d-4c6f-8a7e-000000000001', 'oidc', 'oidc', '42', 'an access token', 1800000000);
    INSERT INTO session ("sessionToken", "userId", expires) VALUES
        ('0b6f1c9e-live', '5f3c1e2a-9b4d-4c6f-8a7e-000000000002', 4102444799999);
"#;
