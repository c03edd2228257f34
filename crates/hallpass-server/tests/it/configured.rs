//! A server with a configuration.

use crate::browser::{Browser, connect, read};
use crate::program::{Folder, Server, program, refusal, run};
use std::io::Write;

const SETTINGS: &str = "listen = \"127.0.0.1:0\"\nsecret = \"a secret of at least 32 characters\"\nusers_file = \"users.toml\"\n";

/// A folder with settings and somebody whose password is `correct horse`.
fn configured(more: &str) -> Folder {
    let folder = Folder::new();
    let entry = run(&folder, &["user", "ada", "--name", "Ada Lovelace", "--role", "admin"], "correct horse");
    folder.write("users.toml", &String::from_utf8(entry.stdout).unwrap());
    folder.write("hallpass.toml", &format!("{SETTINGS}{more}"));
    folder
}

#[test]
fn people_of_the_users_file_sign_in() {
    let folder = configured("");
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    assert!(
        browser.sign_in("ada", "correct horse ").header("location").unwrap().contains("CredentialsSignin")
    );
    assert_eq!(browser.sign_in("Ada", "correct horse").status, 302);
    let session = browser.get("/api/auth/session").body;
    assert!(
        session.starts_with("{\"user\":{\"name\":\"Ada Lovelace\",\"role\":\"admin\"},\"expires\":"),
        "{session}"
    );
    assert!(browser.get("/").body.contains("Signed in as Ada Lovelace"));
}

#[test]
fn a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let folder = configured("");
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    let [known, unknown] = ["ada", "eve"].map(|name| {
        let mut answer = browser.sign_in(name, "wrong");
        answer.headers.retain(|(name, _)| name != "date");
        (answer.status, answer.headers, answer.body)
    });
    assert_eq!(known, unknown);
}

#[test]
fn nothing_of_development_mode_is_there() {
    let folder = configured("");
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    let page = browser.get("/");
    assert!(page.body.contains("href=\"&#x2f;api&#x2f;auth&#x2f;signin?callbackUrl=%2F\""), "{}", page.body);
    assert!(!page.body.contains("lena"));
    assert!(browser.sign_in("lena", "demo").header("location").unwrap().contains("CredentialsSignin"));
    assert_eq!(browser.post("/dev/update", &[("name", "Eve")]).status, 404);
    for path in ["/dev/inbox", "/dev/inbox.json"] {
        assert_eq!(browser.get(path).status, 404, "{path}");
    }
    assert!(!browser.get("/api/auth/providers").body.contains("\"email\""));
    assert!(!folder.path().join(".hallpass").exists());
}

#[test]
fn a_client_may_change_nothing() {
    let folder = configured("");
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    browser.sign_in("ada", "correct horse");
    let answer = browser.post("/api/auth/session", &[("data", "x")]);
    assert_eq!(answer.status, 400);
    assert!(browser.get("/api/auth/session").body.contains("Ada Lovelace"));
}

#[test]
fn mistakes_are_told_all_at_once_with_their_place() {
    let folder = Folder::new();
    folder.write(
        "hallpass.toml",
        "lisen = \"127.0.0.1:0\"\nusers_file = \"users.toml\"\n[session]\nmax_age = true\n",
    );
    folder.write("users.toml", "[ada]\npassword = \"plain\"\n");
    let told = refusal(program(&folder, &["serve"]));
    for text in [
        "hallpass: the configuration has 4 mistakes",
        "hallpass.toml, line 1, column 1: unknown key `lisen`: did you mean `listen`?",
        "hallpass.toml, line 4, column 11: `session.max_age` must be a duration",
        "users.toml, line 2, column 12: `ada.password` is not an Argon2id hash",
        "there is no secret",
    ] {
        assert!(told.contains(text), "{text}: {told}");
    }
    assert!(!told.contains("plain"));
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let told = refusal(program(&Folder::new(), &["--config", "elsewhere.toml"]));
    assert!(told.contains("elsewhere.toml cannot be read"), "{told}");
}

#[test]
fn the_environment_alone_makes_a_server() {
    let folder = Folder::new();
    let mut command = program(&folder, &["--listen", "127.0.0.1:0"]);
    command.env("AUTH_SECRET", "a secret of at least 32 characters");
    command.env("AUTH_GITHUB_ID", "id").env("AUTH_GITHUB_SECRET", "secret");
    let server = Server::start(command);
    let providers = Browser::new(&server.host).get("/api/auth/providers").body;
    assert!(
        providers.starts_with("{\"github\":{\"id\":\"github\",\"name\":\"GitHub\",\"type\":\"oauth\""),
        "{providers}"
    );
}

#[test]
fn another_base_path_and_looks_are_taken() {
    let folder = configured("base_path = \"/auth\"\n[theme]\ntitle = \"Acme\"\n");
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    assert!(browser.get("/auth/signin").body.contains("Sign in to Acme"));
    assert_eq!(browser.get("/api/auth/signin").status, 404);
}

#[test]
#[cfg(unix)]
fn a_request_that_has_begun_is_finished_before_the_server_stops() {
    let folder = configured("");
    let mut server = Server::start(program(&folder, &[]));
    let mut stream = connect(&server.host);
    write!(stream, "POST /api/auth/signout HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{", server.host).unwrap();
    // Another request that is answered shows that the first has been accepted.
    assert_eq!(Browser::new(&server.host).get("/healthz").body, "ok\n");
    server.terminate();
    server.wait_for_log("stopping");
    stream.write_all(b"}").unwrap();
    assert_eq!(read(&mut stream).status, 302);
    assert_eq!(server.wait(), Some(0));
}
