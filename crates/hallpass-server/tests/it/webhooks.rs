//! Callbacks that another server answers.

use std::thread;

use base64ct::{Base64, Encoding};
use hallpass::clock::{Clock, SystemClock};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::api::Api;
use crate::browser::Browser;
use crate::hook::{Hook, Reply};
use crate::program::{Folder, Server, program, refusal};

const SETTINGS: &str = "listen = \"127.0.0.1:0\"\nsecret = \"a secret of at least 32 characters\"\n";

const SECRETS: [&str; 2] = ["a secret of the webhook, the new one", "a secret of the webhook, the old one"];

/// Somebody comes in with the provider `acme`.
fn site(api: &Api, hook: &Hook, more: &str) -> (Folder, Server) {
    let folder = Folder::new();
    let [new, old] = SECRETS;
    let settings = format!(
        "{SETTINGS}[session]\nstrategy = \"jwt\"\n{}[webhooks]\nurl = \"{}\"\nsecrets = [\"{new}\", \"{old}\"]\n{more}",
        api.provider(),
        hook.url
    );
    folder.write("hallpass.toml", &settings);
    let server = Server::start(program(&folder, &[]));
    (folder, server)
}

/// Everybody may come in and is an editor.
fn friendly(kind: &str, data: &Value) -> Reply {
    Reply::Body(
        match kind {
            "callback.sign_in" => json!(true),
            "callback.jwt" if data.get("user").is_some() => {
                let mut token = data["token"].clone();
                token["role"] = json!("editor");
                token
            }
            "callback.jwt" => data["token"].clone(),
            "callback.session" => {
                json!({ "user": { "name": data["session"]["user"]["name"], "role": data["token"]["role"] },
                                          "expires": data["session"]["expires"], "password": "of somebody" })
            }
            _ => Value::Null,
        }
        .to_string(),
    )
}

const ALL: &str = "callbacks = [\"sign_in\", \"jwt\", \"session\"]\n";

#[test]
fn each_callback_is_asked_with_a_signature_and_what_it_answers_counts() {
    let (api, hook) = (Api::start(), Hook::start(friendly));
    let (_folder, server) = site(&api, &hook, ALL);
    let mut browser = Browser::new(&server.host);
    assert_eq!(browser.sign_in_with("acme").status, 302);
    let session = browser.session();
    assert_eq!(session["user"], json!({ "name": "Ada Lovelace", "role": "editor" }));
    assert!(session["expires"].is_string() && session.get("password").is_none(), "{session}");
    let asked = hook.asked();
    let kinds: Vec<_> = asked.iter().map(|it| it.json()["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["callback.sign_in", "callback.jwt", "callback.jwt", "callback.session"]);
    assert_eq!(asked[1].json()["data"]["profile"]["id"], 42);
    assert_eq!(asked[1].json()["data"]["trigger"], "signUp");
    let mut ids = Vec::new();
    for it in &asked {
        let (id, at) = (it.header("webhook-id"), it.header("webhook-timestamp"));
        ids.push(id.to_owned());
        let signatures: Vec<_> = SECRETS.iter().map(|secret| sign(secret, id, at, &it.body)).collect();
        assert_eq!(it.header("webhook-signature"), signatures.join(" "));
        let now = SystemClock.now().seconds();
        assert!(now.abs_diff(at.parse().unwrap()) < 300, "{at}");
        // What the provider has given is nobody else's, unless the settings say so.
        assert!(!it.body.contains("access-token-of-acme") && !it.body.contains("abc-123"), "{}", it.body);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), asked.len());
}

fn sign(secret: &str, id: &str, at: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    format!("v1,{}", Base64::encode_string(&mac.finalize().into_bytes()))
}

#[test]
fn sign_in_refuses_or_sends_elsewhere() {
    let (api, hook) = (Api::start(), Hook::start(friendly));
    let (_folder, server) = site(&api, &hook, "callbacks = [\"sign_in\"]\n");
    for (answer, location) in [("false", "error=AccessDenied"), ("\"/sorry\"", "/sorry")] {
        hook.answer(move |_, _| Reply::Body(answer.to_owned()));
        let mut browser = Browser::new(&server.host);
        let answer = browser.sign_in_with("acme");
        assert!(answer.header("location").unwrap().contains(location), "{:?}", answer.headers);
        assert!(!browser.has_session());
    }
    hook.answer(friendly);
    let mut browser = Browser::new(&server.host);
    browser.sign_in_with("acme");
    // Without a `session` callback there the server's own counts.
    assert_eq!(browser.session()["user"]["name"], "Ada Lovelace");
}

/// Answers that are none, and whether somebody could come again.
fn bad() -> [(Reply, bool); 10] {
    [
        (Reply::Status("500 Internal Server Error", ""), true),
        (Reply::Status("503 Service Unavailable", ""), true),
        (Reply::Nothing, true),
        (Reply::Never, true),
        (Reply::Status("404 Not Found", ""), false),
        (Reply::Status("307 Temporary Redirect", "location: /elsewhere\r\n"), false),
        (Reply::Body("tru".to_owned()), false),
        (Reply::Body(String::new()), false),
        (Reply::Body("17".to_owned()), false),
        (Reply::Body(format!("\"{}\"", "x".repeat(300_000))), false),
    ]
}

#[test]
fn nobody_is_let_in_without_an_answer() {
    let (api, hook) = (Api::start(), Hook::start(friendly));
    let (_folder, server) = site(&api, &hook, "timeout = 1\ncallbacks = [\"sign_in\"]\n");
    for (reply, is_away) in bad() {
        let given = reply.clone();
        hook.answer(move |_, _| given.clone());
        let mut browser = Browser::new(&server.host);
        let answer = browser.sign_in_with("acme");
        match is_away {
            true => assert_eq!(answer.status, 503, "{reply:?}"),
            false => assert!(answer.header("location").unwrap().contains("error=AccessDenied"), "{reply:?}"),
        }
        assert!(!browser.has_session(), "{reply:?}");
    }
    let asked = hook.asked();
    assert!(asked.iter().all(|it| it.json()["type"] == "callback.sign_in"), "a redirect was followed");
    let log = server.log();
    assert!(log.contains("webhook `sign_in` at http://127.0.0.1"), "{log}");
    for secret in [SECRETS[0], SECRETS[1], "path-secret", "access-token-of-acme", "ada@example.com"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[test]
fn nobody_is_signed_out_without_an_answer() {
    for callback in ["jwt", "session"] {
        let (api, hook) = (Api::start(), Hook::start(friendly));
        let (_folder, server) = site(&api, &hook, &format!("timeout = 1\ncallbacks = [\"{callback}\"]\n"));
        let mut browser = Browser::new(&server.host);
        browser.sign_in_with("acme");
        for (reply, _) in bad() {
            let given = reply.clone();
            hook.answer(move |_, _| given.clone());
            let answer = browser.get("/api/auth/session");
            assert_eq!(answer.status, 503, "{callback}: {reply:?}");
            assert!(
                answer.header("retry-after").is_some() && answer.header("set-cookie").is_none(),
                "{reply:?}"
            );
            hook.answer(friendly);
            assert_eq!(browser.session()["user"]["name"], "Ada Lovelace", "{callback}: {reply:?}");
        }
        // Whoever answers says that a session ends.
        hook.answer(|_, _| Reply::Body("null".to_owned()));
        assert_eq!(browser.get("/api/auth/session").body, "null");
    }
}

#[test]
fn others_are_answered_while_somebody_waits() {
    let (api, hook) = (Api::start(), Hook::start(friendly));
    let (_folder, server) = site(&api, &hook, "timeout = 9\ncallbacks = [\"sign_in\"]\n");
    let mut other = Browser::new(&server.host);
    other.sign_in_with("acme");
    let before = hook.asked().len();
    hook.answer(|_, _| Reply::Never);
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let mut browser = Browser::new(&server.host);
            thread::spawn(move || browser.sign_in_with("acme").status)
        })
        .collect();
    while hook.asked().len() < before + 8 {
        thread::yield_now();
    }
    assert_eq!(other.session()["user"]["name"], "Ada Lovelace");
    assert!(waiting.iter().all(|it| !it.is_finished()));
    drop(server);
}

#[test]
fn events_are_told_and_tokens_go_where_they_are_asked_for() {
    let (api, hook) = (Api::start(), Hook::start(|_, _| Reply::Status("500 Oh", "")));
    let more = "events = [\"sign_in\", \"sign_out\", \"create_user\"]\nprovider_tokens = true\n";
    let (_folder, server) = site(&api, &hook, more);
    let mut browser = Browser::new(&server.host);
    browser.sign_in_with("acme");
    assert_eq!(browser.session()["user"]["name"], "Ada Lovelace");
    assert_eq!(hook.wait_for("event.create_user")["data"]["user"]["name"], "Ada Lovelace");
    let told = hook.wait_for("event.sign_in");
    assert_eq!(told["data"]["account"]["access_token"], "access-token-of-acme");
    browser.post("/api/auth/signout", &[]);
    hook.wait_for("event.sign_out");
}

#[test]
fn mistakes_in_the_section_are_told() {
    for (section, said) in [
        ("secret = \"a secret of 24 characters or so\"\ncallbacks = [\"jwt\"]", "[webhooks] needs `url`"),
        ("url = \"https://a.example\"\ncallbacks = [\"jwt\"]", "[webhooks] needs `secret`"),
        (
            "url = \"https://a.example\"\nsecret = \"canary\"\ncallbacks = [\"jwt\"]",
            "must be at least 24 bytes",
        ),
        ("url = \"https://a.example\"\nsecret = \"whsec_canary?\"\ncallbacks = [\"jwt\"]", "must be Base64"),
        (
            "url = \"ftp://a.example\"\nsecret = \"a secret of 24 characters or so\"\ncallbacks = [\"jwt\"]",
            "line 6, column 7",
        ),
        (
            "url = \"https://u:canary@a.example\"\nsecret = \"a secret of 24 characters or so\"\ncallbacks = [\"jwt\"]",
            "without a user name",
        ),
        (
            "url = \"https://a.example\"\nsecret = \"a secret of 24 characters or so\"",
            "asks and tells nothing",
        ),
        (
            "url = \"https://a.example\"\nsecret = \"a secret of 24 characters or so\"\ncallbacks = [\"sesion\"]",
            "must be",
        ),
        (
            "url = \"https://a.example\"\nsecret = \"a secret of 24 characters or so\"\ncallbacks = [\"jwt\"]\ntimeout = \"10s\"",
            "less than 10 seconds",
        ),
        (
            "url = \"https://a.example\"\nsecret = \"a secret of 24 characters or so\"\ncallbacks = [\"jwt\"]\ntimeot = 1",
            "did you mean `timeout`?",
        ),
    ] {
        let folder = Folder::new();
        folder.write(
            "hallpass.toml",
            &format!("{SETTINGS}users_file = \"users.toml\"\n\n[webhooks]\n{section}\n"),
        );
        folder.write("users.toml", "");
        let told = refusal(program(&folder, &[]));
        assert!(told.contains(said) && !told.contains("canary"), "{section}: {told}");
    }
}

#[test]
fn two_doors_for_one_callback_are_refused() {
    let folder = Folder::new();
    folder.write("users.toml", "");
    folder.write("hallpass.config.js", "export default { callbacks: { jwt: ({ token }) => token } }");
    folder.write(
        "hallpass.toml",
        &format!(
            "{SETTINGS}users_file = \"users.toml\"\n[claims]\nrole = \"'x'\"\n[webhooks]\nurl = \"https://a.example\"\n\
             secret = \"a secret of 24 characters or so\"\ncallbacks = [\"jwt\", \"session\"]\n"
        ),
    );
    let told = refusal(program(&folder, &[]));
    let said = "`jwt` in hallpass.config.js and \"jwt\" in [webhooks] and [claims] decide the same: keep one of them";
    assert!(told.contains(said) && !told.contains("\"session\" in"), "{told}");
}
