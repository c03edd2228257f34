//! What Prometheus sees.

use crate::browser::{Browser, connect};
use crate::operation::ask;
use crate::program::{Folder, Server, program, refusal};
use crate::storage::configured;

pub(crate) const LISTEN: &str = "[metrics]\nlisten = \"127.0.0.1:0\"\n";

/// A server, and where its metrics are.
pub(crate) fn measured(folder: &Folder) -> (Server, Browser) {
    let mut server = Server::start(program(folder, &[]));
    let line = server.wait_for_log("metrics at http://");
    let (_, address) = line.split_once("http://").unwrap();
    let metrics = Browser::new(address.split('/').next().unwrap());
    (server, metrics)
}

#[test]
fn requests_sign_ins_and_errors_are_counted_without_a_word_about_anybody() {
    let folder = configured(&format!("{LISTEN}[providers.github]\nid = \"id\"\nsecret = \"secret\"\n"));
    let (server, mut metrics) = measured(&folder);
    let mut browser = Browser::new(&server.host);
    browser.sign_in("ada", "correct horse");
    browser.session();
    browser.session();
    Browser::new(&server.host).sign_in("ada", "canary-password");
    browser.get("/api/auth/callback/github?code=canary-code&state=canary-state");
    browser.get("/api/auth/callback/canary-provider?code=x");
    for number in 0..20 {
        browser.get(&format!("/canary-path-{number}"));
    }
    let mut open = connect(&server.host);
    ask(&mut open, "/healthz");
    let text = metrics.get("/metrics");
    drop(open);
    assert!(text.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    for line in [
        "hallpass_http_requests_total{route=\"/session\",status=\"2xx\"} 2",
        "hallpass_http_requests_total{route=\"/callback/:provider\",status=\"3xx\"} 4",
        "hallpass_http_requests_total{route=\"other\",status=\"4xx\"} 20",
        "hallpass_http_request_duration_seconds_count{route=\"/session\"} 2",
        "hallpass_http_requests_in_flight 0",
        "hallpass_http_requests_shed_total 0",
        "hallpass_sign_ins_total{provider=\"credentials\",outcome=\"success\"} 1",
        "hallpass_sign_ins_total{provider=\"credentials\",outcome=\"refused\"} 1",
        "hallpass_sign_ins_total{provider=\"github\",outcome=\"failed\"} 1",
        "hallpass_errors_total{kind=\"CredentialsSignin\"} 1",
        "hallpass_errors_total{kind=\"InvalidCheck\"} 1",
        "hallpass_connections_closed_for_others_total 0",
        "hallpass_build_info{version=\"0.1.0\"} 1",
    ] {
        assert!(text.body.contains(&format!("{line}\n")), "{line}\n{}", text.body);
    }
    assert!(!text.body.contains("\nhallpass_connections 0\n"), "{}", text.body);
    assert!(text.body.contains("\nprocess_start_time_seconds 1"), "{}", text.body);
    for secret in ["canary", "\"ada", "Lovelace", "horse"] {
        assert!(!text.body.contains(secret), "{secret}: {}", text.body);
    }
    assert_eq!(metrics.get("/").status, 404);
    assert_eq!(metrics.get("/api/auth/session").status, 404);
    // They are nowhere but there.
    assert_eq!(browser.get("/metrics").status, 404);
}

#[test]
fn callbacks_in_javascript_are_timed_and_their_failures_counted() {
    let folder = configured(LISTEN);
    folder.write(
        "hallpass.config.js",
        "export default { callbacks: { jwt: ({ token }) => token, session() { throw new Error('canary') } } }",
    );
    let (server, mut metrics) = measured(&folder);
    let mut browser = Browser::new(&server.host);
    browser.sign_in("ada", "correct horse");
    browser.get("/api/auth/session");
    let text = metrics.get("/metrics").body;
    for line in [
        "hallpass_callback_duration_seconds_count{callback=\"session\"} 1",
        "hallpass_callback_failures_total{callback=\"session\"} 1",
        "hallpass_callback_duration_seconds_count{callback=\"jwt\"} ",
    ] {
        assert!(text.contains(&format!("\n{line}")), "{line}\n{text}");
    }
    assert!(!text.contains("canary") && !text.contains("failures_total{callback=\"jwt\"}"), "{text}");
}

#[test]
fn metrics_need_an_address_that_is_one() {
    for (section, said) in [
        ("[metrics]\n", "[metrics] needs `listen`"),
        ("[metrics]\nlisten = \"somewhere\"\n", "`metrics.listen` must be an address and a port"),
    ] {
        let folder = configured(section);
        let told = refusal(program(&folder, &[]));
        assert!(told.contains(said), "{told}");
    }
}
