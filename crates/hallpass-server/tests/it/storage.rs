//! Where users and sessions are kept.

use test_servers::{Durability, Kind};

use crate::browser::Browser;
use crate::program::{Folder, Server, program, refusal, run};

/// Settings with somebody whose password is `correct horse`.
pub(crate) fn configured(more: &str) -> Folder {
    let folder = Folder::new();
    let entry = run(&folder, &["user", "ada", "--name", "Ada Lovelace", "--role", "admin"], "correct horse");
    folder.write("users.toml", &String::from_utf8(entry.stdout).unwrap());
    folder.write("hallpass.toml", &format!("{SETTINGS}{more}"));
    folder
}

/// Runs a command that succeeds, and returns what it prints.
pub(crate) fn done(folder: &Folder, arguments: &[&str]) -> String {
    let output = run(folder, arguments, "");
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_session_of_the_users_file_outlives_the_server_and_ends_on_the_server() {
    let folder = configured("");
    let server = Server::start(program(&folder, &[]));
    assert!(server.printed.contains("users in        SQLite, hallpass.db"), "{}", server.printed);
    let mut browser = Browser::new(&server.host);
    browser.sign_in("ada", "correct horse");
    let stolen = browser.clone();
    drop(server);

    let server = Server::start(program(&folder, &[]));
    let (mut browser, mut stolen) = (browser.at(&server.host), stolen.at(&server.host));
    let session = browser.get("/api/auth/session").body;
    assert!(
        session.contains("\"name\":\"Ada Lovelace\"") && session.contains("\"role\":\"admin\""),
        "{session}"
    );
    // A row, not a token: signing out ends the copies too.
    browser.post("/api/auth/signout", &[]);
    assert_eq!(stolen.get("/api/auth/session").body, "null");
}

#[test]
fn the_file_of_the_server_is_for_its_owner_only() {
    let folder = configured("");
    let _server = Server::start(program(&folder, &[]));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(folder.path().join("hallpass.db")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn missing_tables_of_a_named_database_are_refused_until_they_are_made() {
    let folder = configured("[database]\nurl = \"sqlite:mine.db\"\n");
    let output = program(&folder, &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("run `hallpass migrate`") && told.contains("0001_own"), "{told}");
    assert_eq!(done(&folder, &["migrate"]), "applied 0001_own\napplied 0002_own\n");
    let server = Server::start(program(&folder, &[]));
    assert_eq!(Browser::new(&server.host).sign_in("ada", "correct horse").status, 302);
}

#[test]
fn tokens_are_made_on_demand_and_sessions_of_the_other_kind_go_on() {
    let folder = configured("");
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    browser.sign_in("ada", "correct horse");
    drop(server);
    for strategy in ["jwt", "database"] {
        folder.write("hallpass.toml", &format!("{SETTINGS}[session]\nstrategy = \"{strategy}\"\n"));
        let server = Server::start(program(&folder, &[]));
        browser = browser.at(&server.host);
        for _ in 0..2 {
            assert!(browser.get("/api/auth/session").body.contains("Ada Lovelace"), "{strategy}");
        }
        let is_token = browser.cookie("authjs.session-token").unwrap().starts_with("eyJ");
        assert_eq!(is_token, strategy == "jwt");
    }
}

#[test]
fn a_database_out_of_reach_is_told_without_its_password() {
    let folder = configured("[database]\nurl = \"postgres://someone:canary@127.0.0.1:1/auth\"\n");
    let output = program(&folder, &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("could not be opened") && told.contains("PostgreSQL, auth at 127.0.0.1"), "{told}");
    assert!(!told.contains("canary"), "{told}");
}

#[test]
fn mariadb_keeps_users_and_sessions_too() {
    let Some(mariadb) = test_servers::Server::start(Kind::MariaDb, Durability::Fast) else { return };
    let url = mariadb.database().url;
    let folder = configured(&format!("[database]\nurl = \"{url}\"\n"));
    assert_eq!(done(&folder, &["migrate"]), "applied 0001_own\napplied 0002_own\n");
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    browser.sign_in("ada", "correct horse");
    assert!(browser.get("/api/auth/session").body.contains("Ada Lovelace"));
    assert_eq!(done(&folder, &["sessions", "revoke-all", "ada"]), "revoked 1 session\n");
    assert_eq!(browser.get("/api/auth/session").body, "null");
}

#[test]
fn an_address_that_is_no_database_is_refused() {
    let folder = configured("[database]\nurl = \"mongodb://h/d\"\n");
    assert!(refusal(program(&folder, &[])).contains("`database.url` must start with sqlite:"));
}

pub(crate) const SETTINGS: &str = "listen = \"127.0.0.1:0\"\nsecret = \"a secret of at least 32 characters\"\nusers_file = \"users.toml\"\n";
