//! Behind proxies: whose word counts for what.

use crate::browser::Browser;
use crate::program::{Server, program};
use crate::storage::{configured, done};

/// Of the people who listen on this machine, this one is the proxy.
const LISTED: &str = "trusted_proxies = [\"10.0.0.0/8\", \"127.0.0.1\"]\n";
/// Nobody here is.
const OTHERS: &str = "trusted_proxies = [\"10.0.0.0/8\"]\n";

const FORGED: &str =
    "x-forwarded-for: 192.0.2.7\r\nx-forwarded-host: evil.example\r\nx-forwarded-proto: https\r\n";

/// The address that the list of sessions has for somebody who signs in so.
fn address_of_session(settings: &str, headers: &str) -> String {
    let folder = configured(settings);
    let server = Server::start(program(&folder, &[]));
    let answer = Browser::new(&server.host).saying(headers).sign_in("ada", "correct horse");
    assert_eq!(answer.status, 302, "{}", answer.body);
    let sessions = done(&folder, &["sessions", "list", "ada", "--json"]);
    let sessions: serde_json::Value = serde_json::from_str(&sessions).unwrap();
    sessions[0]["address"].as_str().unwrap().to_owned()
}

#[test]
fn the_address_of_a_session_is_the_visitor_where_the_proxy_is_listed() {
    let chain = "x-forwarded-for: 198.51.100.1, 192.0.2.7\r\nx-forwarded-for: 10.0.0.3\r\n";
    assert_eq!(address_of_session(LISTED, chain), "192.0.2.7");
    assert_eq!(address_of_session(OTHERS, chain), "127.0.0.1");
    assert_eq!(address_of_session("", chain), "127.0.0.1");
    let settings = format!("{LISTED}proxy_headers = \"forwarded\"\n");
    let headers = format!("{chain}forwarded: for=\"[2001:db8::7]:80\"\r\n");
    assert_eq!(address_of_session(&settings, &headers), "2001:db8::7");
}

/// Where the sign-in is, in the answer to somebody who says this.
fn origin(settings: &str, headers: &str) -> (u16, String) {
    let folder = configured(settings);
    let server = Server::start(program(&folder, &[]));
    let answer = Browser::new(&server.host).get_with("/api/auth/providers", headers);
    let origin = answer.body.split("/api/auth").next().unwrap().rsplit('"').next().unwrap();
    (answer.status, origin.replace(&server.host, "here"))
}

#[test]
fn host_and_scheme_of_a_request_are_believed_of_a_listed_proxy_only() {
    let (site, here) = ((200, "https://evil.example".to_owned()), (200, "http://here".to_owned()));
    assert_eq!(origin(LISTED, FORGED), site);
    assert_eq!(origin(OTHERS, FORGED), here);
    assert_eq!(origin(&format!("{OTHERS}trust_host = true\n"), FORGED), here);
    // Without the list it is as it was: a local host may have a scheme, `trust_host` believes everybody.
    assert_eq!(origin("", FORGED), (200, "https://here".to_owned()));
    assert_eq!(origin("trust_host = true\n", FORGED), site);
    // The proxy speaks in the other kind of header.
    let settings = format!("{LISTED}proxy_headers = \"forwarded\"\n");
    assert_eq!(origin(&settings, FORGED), here);
    let spoken = format!("{FORGED}forwarded: for=192.0.2.7;host=\"app.example\";proto=https\r\n");
    assert_eq!(origin(&settings, &spoken), (200, "https://app.example".to_owned()));
    assert_eq!(origin(LISTED, "forwarded: for=192.0.2.7;host=evil.example\r\n"), here);
    let url = format!("{LISTED}url = \"https://auth.example.com\"\n");
    assert_eq!(origin(&url, FORGED), (200, "https://auth.example.com".to_owned()));
}

#[test]
fn without_a_public_address_another_host_is_believed_of_a_listed_proxy_only() {
    for (settings, status) in [
        (LISTED.to_owned(), 200),
        (OTHERS.to_owned(), 421),
        (format!("{OTHERS}trust_host = true\n"), 421),
        (format!("{OTHERS}url = \"https://auth.example.com\"\n"), 200),
        ("trust_host = true\n".to_owned(), 200),
    ] {
        let folder = configured(&settings);
        let server = Server::start(program(&folder, &[]));
        let ask = |path: &str| {
            let request = format!("GET {path} HTTP/1.1\r\nhost: other.example\r\nconnection: close\r\n\r\n");
            crate::browser::send(&server.host, request.as_bytes()).status
        };
        assert_eq!(ask("/api/auth/providers"), status, "{settings}");
        // What asks whether the server lives may call it as it likes.
        assert_eq!(ask("/healthz"), 200, "{settings}");
    }
}

#[test]
fn a_proxy_that_nobody_has_named_is_told_in_the_log() {
    let folder = configured("");
    let server = Server::start(program(&folder, &[]));
    for _ in 0..2 {
        Browser::new(&server.host).get_with("/hallpass.css", FORGED);
    }
    let log = server.log();
    assert_eq!(log.matches("name it in `trusted_proxies`").count(), 1, "{log}");
}
