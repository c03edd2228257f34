//! Front ends at other origins.

use crate::browser::{Answer, Browser};
use crate::program::{Folder, Server, program, refusal};
use crate::storage::configured;

const CORS: &str = "url = \"https://auth.example.com\"\n[cors]\norigins = [\"https://app.example.com\", \
                    \"http://localhost:5173\"]\n";

fn start(settings: &str) -> (Folder, Server) {
    let folder = configured(settings);
    let server = Server::start(program(&folder, &[]));
    (folder, server)
}

/// Whom an answer allows to read it.
fn reader(answer: &Answer) -> (Option<&str>, Option<&str>) {
    (answer.header("access-control-allow-origin"), answer.header("access-control-allow-credentials"))
}

fn varies_by_origin(answer: &Answer) -> bool {
    answer.headers.iter().any(|(name, value)| name == "vary" && value.to_lowercase().contains("origin"))
}

/// Origins that are almost listed.
const OTHERS: &[&str] = &[
    "null",
    "*",
    "",
    "https://app.example.com.evil.example",
    "https://evil-app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com:443",
    "https://app.example.com/",
    "http://app.example.com",
    "HTTPS://APP.EXAMPLE.COM",
    "https://example.com",
    "https://auth.example.com.evil.example",
    "http://localhost:3000",
    "https://app.example.com https://evil.example",
];

#[test]
fn listed_origins_may_read_answers_and_nobody_else() {
    let (_folder, server) = start(CORS);
    let ask = |path: &str, origin: &str| {
        Browser::new(&server.host).get_with(path, &format!("origin: {origin}\r\n"))
    };
    for path in ["/api/auth/session", "/api/auth/csrf", "/api/auth/providers", "/api/auth/nowhere"] {
        for origin in ["https://app.example.com", "http://localhost:5173"] {
            let answer = ask(path, origin);
            assert_eq!(reader(&answer), (Some(origin), Some("true")), "{path}");
            assert!(varies_by_origin(&answer), "{path}");
        }
        for origin in OTHERS {
            let answer = ask(path, origin);
            assert_eq!(answer.header("access-control-allow-origin"), None, "{path} {origin}");
            assert!(varies_by_origin(&answer), "{path}");
        }
    }
    // What is no address of the library has no such headers.
    assert_eq!(reader(&ask("/healthz", "https://app.example.com")), (None, None));
    assert!(varies_by_origin(&Browser::new(&server.host).get("/api/auth/session")));
}

#[test]
fn a_preflight_names_what_client_libraries_send() {
    let (_folder, server) = start(CORS);
    let preflight = |origin: &str| {
        let headers = format!(
            "origin: {origin}\r\naccess-control-request-method: POST\r\n\
             access-control-request-headers: content-type, x-auth-return-redirect\r\n"
        );
        Browser::new(&server.host).send("OPTIONS", "/api/auth/callback/credentials", &headers, "")
    };
    let answer = preflight("https://app.example.com");
    assert_eq!((answer.status, reader(&answer)), (200, (Some("https://app.example.com"), Some("true"))));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET,POST"));
    let headers = "authorization,content-type,x-auth-return-redirect";
    assert_eq!(answer.header("access-control-allow-headers"), Some(headers));
    assert_eq!(answer.header("access-control-max-age"), Some("600"));
    for origin in OTHERS {
        assert_eq!(preflight(origin).header("access-control-allow-origin"), None, "{origin}");
    }
}

#[test]
fn without_the_section_there_are_no_such_headers() {
    let (_folder, server) = start("");
    let answer =
        Browser::new(&server.host).get_with("/api/auth/session", "origin: https://app.example.com\r\n");
    assert_eq!(reader(&answer), (None, None));
    assert!(!varies_by_origin(&answer));
}

#[test]
fn a_front_end_signs_in_with_its_token_only_and_may_come_back_to_itself() {
    let (_folder, server) = start(CORS);
    // Behind the proxy that ends TLS the cookies have these names.
    let sign_in = |origin: &str, has_token: bool| {
        let headers =
            format!("origin: {origin}\r\nsec-fetch-site: cross-site\r\nx-auth-return-redirect: 1\r\n");
        let mut browser = Browser::new(&server.host).saying(&headers);
        let fields = [
            ("username", "ada"),
            ("password", "correct horse"),
            ("callbackUrl", "https://app.example.com/cart"),
        ];
        let path = "/api/auth/callback/credentials";
        let answer = if has_token { browser.post(path, &fields) } else { browser.post_bare(path, &fields) };
        (answer.body, browser.has_session())
    };
    let (body, is_in) = sign_in("https://app.example.com", true);
    assert_eq!((body.as_str(), is_in), ("{\"url\":\"https://app.example.com/cart\"}", true));
    let (body, is_in) = sign_in("https://app.example.com", false);
    assert!(body.contains("MissingCSRF") && !is_in, "{body}");
    for origin in OTHERS {
        let (body, is_in) = sign_in(origin, true);
        assert!(body.contains("MissingCSRF") && !is_in, "{origin}: {body}");
    }
}

#[test]
fn a_refusal_for_too_many_tries_can_be_read() {
    let (_folder, server) = start(&format!("{CORS}[rate_limit]\npasswords_per_account = \"1/1h\"\n"));
    let mut browser = Browser::new(&server.host).saying("origin: https://app.example.com\r\n");
    browser.sign_in("ada", "wrong");
    let answer = browser.sign_in("ada", "wrong");
    assert_eq!((answer.status, reader(&answer).0), (429, Some("https://app.example.com")));
    assert_eq!(answer.header("access-control-expose-headers"), Some("retry-after"));
}

#[test]
fn an_origin_is_written_as_browsers_write_it() {
    let folder = configured("");
    for wrong in [
        "*",
        "null",
        "https://*.example.com",
        "https://app.example.com/",
        "https://app.example.com:443",
        "http://app.example.com",
        "app.example.com",
        "https://APP.example.com",
        "https://user@app.example.com",
        "file:///",
    ] {
        let settings = format!(
            "secret = \"a secret of at least 32 characters\"\nusers_file = \"users.toml\"\n[cors]\norigins = [\"{wrong}\"]\n"
        );
        folder.write("hallpass.toml", &settings);
        let told = refusal(program(&folder, &[]));
        assert!(told.contains("line 4, column 1: `cors.origins` holds origins"), "{wrong}: {told}");
    }
}

#[test]
fn cookies_go_to_other_sites_and_subdomains_where_that_is_wanted() {
    let url = "url = \"https://auth.example.com\"\n";
    let (_folder, server) =
        start(&format!("{url}[cookies]\nsame_site = \"none\"\ndomain = \"example.com\"\n"));
    let mut browser = Browser::new(&server.host);
    let csrf = browser.get("/api/auth/csrf");
    let csrf = csrf.header("set-cookie").unwrap();
    assert!(csrf.starts_with("__Host-") && csrf.contains("SameSite=None; Secure"), "{csrf}");
    let answer = browser.sign_in("ada", "correct horse");
    let mut cookies = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    let session = &cookies.find(|(_, cookie)| cookie.contains("session-token")).unwrap().1;
    assert!(session.contains("SameSite=None; Secure") && session.contains("Domain=example.com"), "{session}");
    let (_folder, server) = start(url);
    let answer = Browser::new(&server.host).sign_in("ada", "correct horse");
    let cookies = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    assert!(cookies.clone().count() > 0);
    assert!(cookies.clone().all(|(_, cookie)| cookie.contains("SameSite=Lax") && !cookie.contains("Domain")));
}
