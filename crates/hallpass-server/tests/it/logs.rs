//! What stands in the log, and what never does.

use serde_json::Value;

use crate::browser::Browser;
use crate::idp::OpenIdProvider;
use crate::program::{Folder, Server, program, refusal};
use crate::sink::Sink;
use crate::storage::configured;

/// Settings with every way to sign in.
pub(crate) fn every_way(idp: &OpenIdProvider, sink: &Sink) -> String {
    format!(
        "[email]\nfrom = \"login@acme.example\"\nsmtp_url = \"smtp://127.0.0.1:{}\"\n{}",
        sink.port,
        idp.provider()
    )
}

/// Signs in in every way, with mistakes on the way, and returns what nobody else may see.
pub(crate) fn sign_in_in_every_way(server: &Server, idp: &OpenIdProvider, sink: &Sink) -> Vec<String> {
    let mut secrets = vec!["a secret of at least 32 characters".to_owned(), "the client's secret".to_owned()];
    let mut browser = Browser::new(&server.host);
    let keep = |browser: &Browser, secrets: &mut Vec<String>| {
        secrets.extend(browser.cookies().filter(|value| value.len() > 20).map(str::to_owned));
    };

    let back = idp.way_back(&mut browser);
    keep(&browser, &mut secrets);
    let parameters = back.split(['?', '&']).skip(1).map(|pair| pair.split_once('=').unwrap().1.to_owned());
    secrets.extend(parameters.filter(|value| value.len() > 8));
    let replay = browser.clone();
    assert_eq!(browser.get(&back).status, 302);
    assert!(browser.has_session());
    keep(&browser, &mut secrets);
    replay.clone().get(&back);
    browser.get("/api/auth/session?token=canary-query");
    browser
        .get_with("/api/auth/session", "x-request-id: canary id\r\nauthorization: Bearer canary-bearer\r\n");
    browser.get_with("/api/auth/session", "x-request-id: from-the-proxy.7\r\n");
    browser.get("/canary-path");

    let mut browser = Browser::new(&server.host);
    browser.sign_in("ada", "canary-password");
    browser.sign_in("ada", "correct horse");
    keep(&browser, &mut secrets);
    browser.update("\"canary-update\"");
    browser.post("/api/auth/signout", &[]);

    let mut browser = Browser::new(&server.host);
    browser.post("/api/auth/signin/nodemailer", &[("email", "canary-address@example.com")]);
    let link = sink.link();
    let parameters = link.split(['?', '&']).skip(1).map(|pair| pair.split_once('=').unwrap().1.to_owned());
    secrets.extend(parameters.filter(|value| value.len() > 30));
    let answer = browser.follow(&link);
    assert!(browser.has_session(), "{}", answer.body);
    keep(&browser, &mut secrets);

    secrets.extend(["canary", "correct horse", "ada@example.com"].map(str::to_owned));
    assert!(secrets.len() > 12, "{secrets:?}");
    secrets
}

#[test]
fn nothing_that_lets_anybody_in_is_in_the_log() {
    for format in ["text", "json"] {
        let (idp, sink) = (OpenIdProvider::start(), Sink::start());
        let folder = configured(&format!("[log]\nformat = \"{format}\"\n{}", every_way(&idp, &sink)));
        let mut command = program(&folder, &[]);
        command.env("HALLPASS_LOG", "debug");
        let server = Server::start(command);
        let secrets = sign_in_in_every_way(&server, &idp, &sink);
        let log = server.log();
        for secret in secrets {
            let line = log.lines().find(|line| line.contains(&secret));
            assert_eq!(line, None, "{format}: {secret}");
        }
        assert!(log.contains("from-the-proxy.7") && log.contains("/callback/:provider"), "{log}");
    }
}

#[test]
fn as_json_each_line_is_an_object_and_each_request_a_line_with_its_id() {
    let folder = Folder::new();
    let mut command = program(&folder, &["serve", "--listen", "127.0.0.1:0"]);
    command.env("HALLPASS_LOG", "info,hallpass::request=debug").env("HALLPASS_LOG_FORMAT", "json");
    let server = Server::start(command);
    let mut browser = Browser::new(&server.host);
    let given = browser.get_with("/api/auth/signin/nobody", "x-request-id: 0123-abc\r\n");
    assert_eq!(given.header("x-request-id"), Some("0123-abc"));
    let made = browser.get_with("/nothing", "x-request-id: not an id\r\n");
    let made = made.header("x-request-id").unwrap().to_owned();
    assert!(!made.contains(' '));
    let log = server.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |id: &str| lines.iter().find(|line| line["message"] == "answered" && line["id"] == id).unwrap();
    let line = of("0123-abc");
    assert_eq!(
        (&line["level"], &line["method"], &line["route"], &line["status"]),
        (&"DEBUG".into(), &"GET".into(), &"/signin/:provider".into(), &given.status.into())
    );
    assert!(line["ms"].is_number() && line["timestamp"].is_string(), "{line}");
    assert_eq!(of(&made)["status"], 404);
    // What the library says of a request can be found by its id.
    let error = lines.iter().find(|line| line["kind"] == "InvalidProvider").unwrap();
    assert_eq!(error["span"]["id"], "0123-abc");
}

#[test]
fn without_being_asked_for_there_is_no_line_for_a_request() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let answer = Browser::new(&server.host).get("/api/auth/csrf");
    assert_eq!(answer.header("x-request-id"), None);
    assert!(!server.log().contains("answered"));
}

#[test]
fn another_format_than_text_and_json_is_refused() {
    let folder = configured("[log]\nformat = \"xml\"\n");
    let told = refusal(program(&folder, &[]));
    assert!(told.contains("`log.format` must be one of \"text\", \"json\""), "{told}");
    let folder = configured("");
    let mut command = program(&folder, &[]);
    command.env("HALLPASS_LOG_FORMAT", "xml");
    let told = refusal(command);
    assert!(told.contains("HALLPASS_LOG_FORMAT must be \"text\" or \"json\""), "{told}");
}
