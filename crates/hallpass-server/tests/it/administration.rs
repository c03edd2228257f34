//! `hallpass migrate`, `users` and `sessions`.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::program::{Folder, Server, program, run};
use crate::storage::{SETTINGS, configured, done};

fn json(folder: &Folder, arguments: &[&str]) -> Value {
    serde_json::from_str(&done(folder, &[arguments, &["--json"]].concat())).unwrap()
}

/// Runs a command that fails, and returns what it says.
fn failure(folder: &Folder, arguments: &[&str]) -> String {
    let output = run(folder, arguments, "");
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn migrate_tells_makes_and_has_nothing_left_to_do() {
    let folder = configured("[database]\nurl = \"sqlite:mine.db\"\n");
    let status = run(&folder, &["migrate", "--status"], "");
    assert_eq!(
        (status.status.code(), status.stdout),
        (Some(1), b"pending 0001_own\npending 0002_own\n".to_vec())
    );
    let sql = done(&folder, &["migrate", "--dry-run"]);
    assert!(sql.contains("CREATE TABLE hallpass_users") && sql.trim_end().ends_with(';'), "{sql}");
    let statements = json(&folder, &["migrate", "--dry-run"]);
    assert!(statements["statements"].as_array().unwrap().len() > 3, "{statements}");
    // Nothing was changed so far.
    assert_eq!(json(&folder, &["migrate"]), json!({ "applied": ["0001_own", "0002_own"] }));
    assert_eq!(json(&folder, &["migrate"]), json!({ "applied": [] }));
    assert_eq!(done(&folder, &["migrate"]), "nothing to do\n");
    assert_eq!(done(&folder, &["migrate", "--dry-run"]), "-- nothing to do\n");
    let applied = ["0001_own", "0002_own"].map(|name| json!({ "name": name, "applied": true }));
    assert_eq!(json(&folder, &["migrate", "--status"]), json!(applied));
    for arguments in [&["migrate", "--reseal"][..], &["migrate", "--reseal", "--dry-run"]] {
        assert_eq!(json(&folder, arguments), json!({ "resealed": 0, "unopened": 0 }));
    }
}

#[test]
fn commands_want_the_tables_that_the_server_wants() {
    let folder = configured("[database]\nurl = \"sqlite:mine.db\"\n");
    assert!(failure(&folder, &["users", "list"]).contains("run `hallpass migrate`"));
}

#[test]
fn a_user_is_made_shown_changed_and_deleted() {
    let folder = configured("");
    let new =
        ["users", "create", "--id", "7", "--email", "Grace@Example.com", "--name", "Grace\u{1b}[2J\nHopper"];
    let made = json(&folder, &new);
    let shown = json!({
        "id": "7", "name": "Grace\u{1b}[2J\nHopper", "email": "grace@example.com", "emailVerified": null,
        "image": null, "fields": [],
    });
    assert_eq!(made, shown);
    assert_eq!(json(&folder, &["users", "list"]), json!([shown]));
    for named in ["7", "GRACE@example.com"] {
        assert_eq!(json(&folder, &["users", "show", named]), shown, "{named}");
    }
    // In a terminal a name does nothing.
    let list = done(&folder, &["users", "list"]);
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(list.contains("Grace\\u001b[2J\\nHopper"), "{list}");

    let change = ["users", "update", "7", "--name", "Grace", "--verified", "true", "--image", ""];
    let changed = json(&folder, &change);
    assert_eq!((&changed["name"], &changed["email"]), (&json!("Grace"), &json!("grace@example.com")));
    assert!(changed["emailVerified"].as_str().unwrap().ends_with('Z'), "{changed}");
    let cleared = json(&folder, &["users", "update", "7", "--name", "", "--email", "hopper@example.com"]);
    assert_eq!((&cleared["name"], &cleared["emailVerified"]), (&Value::Null, &Value::Null));

    assert_eq!(json(&folder, &["users", "delete", "hopper@example.com"]), json!({ "deleted": "7" }));
    assert!(
        failure(&folder, &["users", "show", "7"]).contains("there is no user with the id or address \"7\"")
    );
}

#[test]
fn pages_of_users_follow_one_another() {
    let folder = configured("");
    for id in ["a", "b", "c"] {
        done(&folder, &["users", "create", "--id", id]);
    }
    let ids = |arguments: &[&str]| -> Vec<String> {
        let list = json(&folder, &[&["users", "list"], arguments].concat());
        list.as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&["--limit", "2"]), ["a", "b"]);
    assert_eq!(ids(&["--limit", "2", "--after", "b"]), ["c"]);
}

#[test]
fn what_cannot_be_done_is_told_with_exit_code_1() {
    let folder = configured("");
    done(&folder, &["users", "create", "--id", "1", "--email", "a@example.com"]);
    for (arguments, said) in [
        (&["users", "create", "--email", "A@example.com"][..], "address"),
        (&["users", "create", "--email", "nobody"], "not an e-mail address"),
        (&["users", "update", "2", "--name", "x"], "there is no user"),
        (&["users", "unlink", "1", "github", "5"], "has no account"),
        (&["sessions", "list", "b@example.com"], "there is no user"),
        (&["sessions", "show", "1", "abc"], "has no session"),
        (&["sessions", "update", "2", "{}"], "there is no user"),
        (&["sessions", "revoke", "1", "abc"], "has no session"),
        (&["sessions", "update", "1", r#"{"sub":"2"}"#], "is Hallpass' own: change the user"),
    ] {
        let told = failure(&folder, arguments);
        assert!(told.starts_with("hallpass: ") && told.contains(said), "{arguments:?}: {told}");
    }
    // A change of nothing is a slip, and so is what is no change.
    assert_eq!(run(&folder, &["users", "update", "1"], "").status.code(), Some(2));
    for (patch, said) in [("[1]", "a JSON object is wanted"), ("{role:1}", "that is no JSON")] {
        let output = run(&folder, &["sessions", "update", "1", patch], "");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(said), "{patch}");
    }
}

#[test]
fn accounts_and_sessions_are_shown_without_their_tokens() {
    let folder = configured("");
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    browser.sign_in("ada", "correct horse");
    let token = browser.cookie("authjs.session-token").unwrap().to_owned();

    let user = json(&folder, &["users", "show", "ada"]);
    assert_eq!((&user["name"], &user["fields"]), (&json!("Ada Lovelace"), &json!(["role"])));
    let account = json!({
        "provider": "credentials", "type": "credentials", "providerAccountId": "ada", "scope": null,
        "expiresAt": null,
    });
    assert_eq!(json(&folder, &["users", "accounts", "ada"]), json!([account]));
    assert!(failure(&folder, &["users", "unlink", "ada", "credentials", "ada"]).contains("last"));

    let list = json(&folder, &["sessions", "list", "ada"]);
    assert!(!list.to_string().contains(&token) && !list.to_string().contains("claims"), "{list}");
    let keys: Vec<_> = list[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["id", "userId", "expires", "created", "lastSeen", "userAgent", "address"]);
    let id = list[0]["id"].as_str().unwrap();
    assert!(done(&folder, &["sessions", "list", "ada"]).contains(id));
    assert_eq!(json(&folder, &["sessions", "show", "ada", id]), list[0]);
    assert!(done(&folder, &["sessions", "show", "ada", id]).contains("address   127.0.0.1\n"));
    assert_eq!(json(&folder, &["sessions", "sweep"]), json!({ "removed": 0, "forgotten": 0 }));

    // While the server runs.
    assert_eq!(json(&folder, &["sessions", "revoke-all", "ada"]), json!({ "revoked": 1 }));
    assert_eq!(browser.get("/api/auth/session").body, "null");
}

#[test]
fn what_sessions_keep_is_changed_wherever_they_are() {
    for strategy in ["database", "jwt"] {
        let folder = configured(&format!("[session]\nstrategy = \"{strategy}\"\n"));
        // A form adds nobody where sessions are in cookies.
        done(&folder, &["users", "create", "--id", "ada", "--name", "Ada Lovelace"]);
        let mut server = Server::start(program(&folder, &[]));
        let mut browser = Browser::new(&server.host);
        browser.sign_in("ada", "correct horse");
        assert_eq!(browser.session()["user"]["role"], "admin");
        for (patch, shown) in [(r#"{"role":"editor"}"#, json!("editor")), (r#"{"role":null}"#, Value::Null)] {
            assert_eq!(json(&folder, &["sessions", "update", "ada", patch]), json!({ "updated": "ada" }));
            // One that runs learns it too; where sessions are in cookies, within seconds.
            drop(server);
            server = Server::start(program(&folder, &[]));
            browser = browser.at(&server.host);
            let session = browser.session();
            assert_eq!(
                (&session["user"]["name"], &session["user"]["role"]),
                (&json!("Ada Lovelace"), &shown)
            );
        }
    }
}

#[test]
fn addresses_are_kept_for_as_long_as_the_settings_say() {
    let settings = |folder: &Folder, more: &str| {
        folder.write("hallpass.toml", &format!("{SETTINGS}[session]\n{more}\n"));
    };
    let sign_in = |folder: &Folder| {
        let server = Server::start(program(folder, &[]));
        Browser::new(&server.host).sign_in("ada", "correct horse");
    };
    let addresses = |folder: &Folder| -> Vec<Value> {
        let list = json(folder, &["sessions", "list", "ada"]);
        list.as_array().unwrap().iter().map(|session| session["address"].clone()).collect()
    };
    let folder = configured("");
    settings(&folder, "client_retention = \"30d\"");
    sign_in(&folder);
    assert_eq!(addresses(&folder), [json!("127.0.0.1")]);
    assert_eq!(json(&folder, &["sessions", "sweep"]), json!({ "removed": 0, "forgotten": 0 }));
    // Never: new ones are not written, and the old one is not shown.
    settings(&folder, "client_retention = 0");
    sign_in(&folder);
    assert_eq!(addresses(&folder), [Value::Null, Value::Null]);
    settings(&folder, "");
    assert_eq!(addresses(&folder), [Value::Null, json!("127.0.0.1")]);
    settings(&folder, "client_retention = 0");
    assert_eq!(json(&folder, &["sessions", "sweep"]), json!({ "removed": 0, "forgotten": 1 }));
    settings(&folder, "");
    assert_eq!(addresses(&folder), [Value::Null, Value::Null]);
}

#[test]
fn a_user_who_is_deleted_is_signed_out_and_one_who_is_renamed_is_seen_so() {
    let folder = configured("");
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    browser.sign_in("ada", "correct horse");
    done(&folder, &["users", "update", "ada", "--name", "Countess"]);
    assert!(browser.get("/api/auth/session").body.contains("Countess"));
    // The users file says otherwise, and counts when they sign in.
    browser.sign_in("ada", "correct horse");
    assert!(browser.get("/api/auth/session").body.contains("Ada Lovelace"));
    done(&folder, &["users", "delete", "ada"]);
    assert_eq!(browser.get("/api/auth/session").body, "null");
}

#[test]
fn the_database_of_development_mode_is_there_too() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    Browser::new(&server.host).sign_in("lena", "demo");
    assert_eq!(json(&folder, &["users", "show", "lena"])["name"], "Lena Liddell");
    assert!(folder.path().join(".hallpass/dev.db").is_file());
}
