//! What strangers may learn of the server itself: nothing, unless it was configured.

use crate::browser::Browser;
use crate::idp::OpenIdProvider;
use crate::logs::{every_way, sign_in_in_every_way};
use crate::metrics::{LISTEN, measured};
use crate::program::{Server, program};
use crate::sink::Sink;
use crate::storage::configured;

#[test]
fn nothing_that_looks_after_the_server_is_there_unless_it_was_configured() {
    let folder = configured("[providers.github]\nid = \"id\"\nsecret = \"secret\"\n");
    let server = Server::start(program(&folder, &[]));
    let mut admin = Browser::new(&server.host);
    admin.sign_in("ada", "correct horse");
    assert_eq!(admin.session()["user"]["role"], "admin");
    let mut stranger = Browser::new(&server.host);
    for browser in [&mut stranger, &mut admin] {
        for path in [
            "/metrics",
            "/dev",
            "/dev/",
            "/dev/inbox",
            "/dev/inbox.json",
            "/dev/update",
            "/dev/sessions",
            "/dev/idp/github/authorize",
            "/dev/idp/github/token",
            "/dev/idp/github/jwks",
            "/dev/idp/github/.well-known/openid-configuration",
            "/verify",
            "/admin",
            "/users",
            "/sessions",
            "/hallpass.toml",
            "/hallpass.db",
            "/../hallpass.toml",
            "/%2e%2e/hallpass.toml",
        ] {
            assert_eq!(browser.get(path).status, 404, "{path}");
            let answer = browser.post(path, &[("session", "1"), ("name", "Eve")]);
            assert!([404, 405].contains(&answer.status), "{path}: {}", answer.status);
        }
        // No action, as Auth.js says it.
        for path in ["/api/auth/metrics", "/api/auth/users", "/api/auth/sessions", "/api/auth/healthz"] {
            assert_eq!(browser.get(path).status, 400, "{path}");
            assert_eq!(browser.post(path, &[]).status, 400, "{path}");
        }
    }
    // A page, and not the one that shows claims and callbacks.
    assert!(stranger.get("/").body.contains("Hallpass is running"));
    let page = admin.get("/").body;
    assert!(page.contains("Signed in as Ada Lovelace"), "{page}");
    for part in ["/dev/", "<table", "<pre", "<form", "callback", "admin", "expires"] {
        assert!(!page.contains(part), "{part}: {page}");
    }
    // And no other port has them.
    #[cfg(target_os = "linux")]
    assert_eq!(server.ports(), 1);
}

#[test]
fn health_says_one_word_whoever_asks() {
    let (idp, sink) = (OpenIdProvider::start(), Sink::start());
    let folder = configured(&every_way(&idp, &sink));
    let mut command = program(&folder, &[]);
    command.env("HALLPASS_LOG", "error");
    let server = Server::start(command);
    sign_in_in_every_way(&server, &idp, &sink);
    let mut ada = Browser::new(&server.host);
    ada.sign_in("ada", "correct horse");
    for browser in [&mut ada, &mut Browser::new(&server.host)] {
        for (path, word) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
            for query in ["", "?verbose=1", "?full", "?format=json"] {
                let headers = "accept: application/json\r\norigin: https://evil.example\r\n";
                let answer = browser.get_with(&format!("{path}{query}"), headers);
                assert_eq!((answer.status, answer.body.as_str()), (200, word), "{path}");
                let mut names: Vec<_> = answer.headers.iter().map(|(name, _)| name.as_str()).collect();
                names.sort_unstable();
                let wanted = [
                    "cache-control",
                    "connection",
                    "content-length",
                    "content-type",
                    "date",
                    "x-content-type-options",
                ];
                assert_eq!(names, wanted, "{path}");
            }
        }
    }
}

#[test]
fn metrics_know_nothing_of_anybody_who_has_signed_in() {
    let (idp, sink) = (OpenIdProvider::start(), Sink::start());
    let folder = configured(&format!("{LISTEN}{}", every_way(&idp, &sink)));
    let (server, mut metrics) = measured(&folder);
    let secrets = sign_in_in_every_way(&server, &idp, &sink);
    Browser::new(&server.host).get("/api/auth/callback/canary-provider?code=canary-code");
    #[cfg(target_os = "linux")]
    assert_eq!(server.ports(), 2);
    let text = metrics.get("/metrics");
    // Everybody was counted.
    for provider in ["credentials", "nodemailer", "oidc"] {
        let line = format!("hallpass_sign_ins_total{{provider=\"{provider}\",outcome=\"success\"}} 1\n");
        assert!(text.body.contains(&line), "{line}{}", text.body);
    }
    let people = [
        "Ada",
        "Lovelace",
        "\"42\"",
        "@",
        "example",
        "127.0.0.1",
        "localhost",
        "session-token",
        "hallpass.db",
    ];
    let all =
        secrets.iter().map(String::as_str).chain(people).chain([idp.origin.as_str(), server.host.as_str()]);
    for secret in all {
        let line = text.body.lines().find(|line| !line.starts_with('#') && line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
    // Each label is one of a few words.
    let labels =
        text.body.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('{'));
    for (_, labels) in labels {
        let values = labels.split('"').skip(1).step_by(2);
        for value in values {
            let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"/:-_.+".contains(&byte);
            assert!(value.len() <= 24 && value.bytes().all(is_word), "{labels}");
        }
    }
    // Nothing else is there, and no page elsewhere may read it.
    for path in
        ["/", "/healthz", "/metrics/", "/metrics.json", "/api/auth/session", "/api/auth/csrf", "/dev/inbox"]
    {
        assert_eq!(metrics.get(path).status, 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = metrics.send(method, "/metrics", "origin: https://evil.example\r\n", "");
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    assert_eq!(Browser::new(&server.host).get("/metrics").status, 404);
}
