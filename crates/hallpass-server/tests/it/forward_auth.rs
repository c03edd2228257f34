//! Proxies ask whether a request may pass.

use crate::api::Api;
use crate::browser::{Answer, Browser, send};
use crate::program::{Folder, Server, program};
use crate::storage::configured;

const LISTED: &str = "trusted_proxies = [\"127.0.0.1\"]\n";

fn start(settings: &str) -> (Folder, Server) {
    let folder = configured(settings);
    let server = Server::start(program(&folder, &[]));
    (folder, server)
}

fn signed_in(server: &Server) -> Browser {
    let mut browser = Browser::new(&server.host);
    assert_eq!(browser.sign_in("ada", "correct horse").status, 302);
    browser
}

/// The headers that tell who somebody is.
fn identity(answer: &Answer) -> Vec<(&str, &str)> {
    let told = answer.headers.iter().filter(|(name, _)| name.starts_with("x-auth-"));
    told.map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn whoever_is_signed_in_passes_and_the_proxy_is_told_who_it_is() {
    let (_folder, server) = start("[forward_auth]\nclaims = [\"role\", \"provider\", \"nothing\"]\n");
    let mut browser = signed_in(&server);
    let forged = "x-auth-user-id: root\r\nx-auth-claim-nothing: all\r\nx-forwarded-method: DELETE\r\n";
    for method in ["GET", "HEAD"] {
        let answer = browser.send(method, "/verify", forged, "");
        assert_eq!(answer.status, 200);
        // Each of them is there, so that none is left of what the visitor has sent.
        let told = [
            ("x-auth-user-id", "ada"),
            ("x-auth-user-name", "Ada Lovelace"),
            ("x-auth-user-email", ""),
            ("x-auth-claim-role", "admin"),
            ("x-auth-claim-provider", "credentials"),
            ("x-auth-claim-nothing", ""),
        ];
        assert_eq!(identity(&answer), told, "{method}");
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        assert_eq!(answer.body, "");
    }
}

#[test]
fn whoever_is_not_signed_in_gets_401_and_no_header_changes_that() {
    let (_folder, server) = start("[forward_auth]\n");
    let mut stranger = Browser::new(&server.host);
    for headers in [
        "",
        "accept: text/html\r\n",
        "x-auth-user-id: root\r\n",
        "authorization: Bearer x\r\n",
        "cookie: authjs.session-token=x\r\n",
        "x-forwarded-method: OPTIONS\r\nx-forwarded-uri: /public\r\n",
        "x-original-url: https://app.example.com/health\r\n",
        "x-forwarded-for: 127.0.0.1\r\nx-http-method-override: OPTIONS\r\n",
    ] {
        for path in ["/verify", "/verify?redirect=0", "/verify?x-auth-user-id=root"] {
            let answer = stranger.get_with(path, headers);
            assert_eq!((answer.status, identity(&answer)), (401, vec![]), "{path} {headers}");
        }
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        assert_eq!(signed_in(&server).send(method, "/verify", "", "").status, 405, "{method}");
    }
    for path in ["/verify/", "/Verify", "//verify", "/verify/x", "/%76erify"] {
        assert_eq!(signed_in(&server).get(path).status, 404, "{path}");
    }
}

#[test]
fn there_is_nothing_at_the_address_without_the_section() {
    let (_folder, server) = start("");
    assert_eq!(signed_in(&server).get("/verify").status, 404);
    let (_folder, server) = start("[forward_auth]\npath = \"/auth/check\"\n");
    let mut browser = signed_in(&server);
    assert_eq!((browser.get("/verify").status, browser.get("/auth/check").status), (404, 200));
}

#[test]
fn whoever_lacks_what_is_required_gets_403() {
    for (require, status) in [
        ("role = \"admin\"", 200),
        ("role = [\"editor\", \"admin\"]", 200),
        ("role = \"admin\"\nprovider = \"credentials\"", 200),
        ("role = \"owner\"", 403),
        ("role = \"admin\"\nprovider = \"github\"", 403),
        ("nothing = \"\"", 403),
    ] {
        let (_folder, server) = start(&format!("[forward_auth]\n[forward_auth.require]\n{require}\n"));
        let answer = signed_in(&server).get("/verify");
        assert_eq!(answer.status, status, "{require}");
        assert_eq!(identity(&answer).is_empty(), status == 403, "{require}");
        assert_eq!(Browser::new(&server.host).get("/verify").status, 401, "{require}");
    }
}

#[test]
fn a_session_that_has_ended_passes_no_more() {
    let (_folder, server) = start("[forward_auth]\n");
    let mut browser = signed_in(&server);
    let mut copy = browser.clone();
    assert_eq!(copy.get("/verify").status, 200);
    browser.post("/api/auth/signout", &[]);
    let answer = copy.get("/verify");
    assert_eq!((answer.status, identity(&answer)), (401, vec![]));
    // The cookie that is good for nothing goes.
    assert!(!copy.has_session());
}

#[test]
fn a_renewed_cookie_is_in_the_answer() {
    let (_folder, server) = start("[forward_auth]\n[session]\nstrategy = \"jwt\"\n");
    let answer = signed_in(&server).get("/verify");
    let cookie = answer.header("set-cookie").unwrap();
    assert!(answer.status == 200 && cookie.starts_with("authjs.session-token="), "{cookie}");
}

/// Where a browser without a session is sent.
fn sent_to(server: &Server, path: &str, headers: &str) -> String {
    let headers = format!("accept: text/html,*/*\r\n{headers}");
    let answer = Browser::new(&server.host).get_with(path, &headers);
    match answer.status {
        302 => answer.header("location").unwrap().to_owned(),
        status => status.to_string(),
    }
}

#[test]
fn a_browser_is_sent_to_sign_in_with_the_way_back_that_a_listed_proxy_tells() {
    let settings = format!("{LISTED}url = \"https://auth.example.com\"\n[forward_auth]\nredirect = true\n");
    let (_folder, server) = start(&settings);
    let page = "https://auth.example.com/api/auth/signin";
    let traefik =
        "x-forwarded-proto: https\r\nx-forwarded-host: app.example.com\r\nx-forwarded-uri: /a?b=c&d=%26\r\n";
    let back = format!("{page}?callbackUrl=https%3A%2F%2Fapp.example.com%2Fa%3Fb%3Dc%26d%3D%2526");
    assert_eq!(sent_to(&server, "/verify", traefik), back);
    assert_eq!(sent_to(&server, "/verify", "x-original-url: https://app.example.com/a?b=c&d=%26\r\n"), back);
    assert_eq!(sent_to(&server, "/verify?redirect=0", traefik), "401");
    for broken in ["javascript:alert(1)", "https://", "data:text/html,x", "file:///etc/passwd", "evil", ""] {
        let header = format!("x-original-url: {broken}\r\n");
        assert_eq!(sent_to(&server, "/verify", &header), page, "{broken}");
    }
    // Programs are told the status.
    assert_eq!(Browser::new(&server.host).get_with("/verify", traefik).status, 401);
}

#[test]
fn the_way_back_of_an_unlisted_sender_does_not_count() {
    let others = "trusted_proxies = [\"10.0.0.0/8\"]\nurl = \"https://auth.example.com\"\n[forward_auth]\n";
    let (_folder, server) = start(&format!("{others}redirect = true\n"));
    let headers = "x-original-url: https://auth.example.com/a\r\nx-forwarded-uri: /a\r\n";
    assert_eq!(sent_to(&server, "/verify", headers), "https://auth.example.com/api/auth/signin");
    let (_folder, server) = start(others);
    assert_eq!(sent_to(&server, "/verify", headers), "401");
    assert!(sent_to(&server, "/verify?redirect=1", headers).ends_with("/api/auth/signin"));
    // Where nobody is listed, nobody is believed.
    let (_folder, server) = start("url = \"https://auth.example.com\"\n[forward_auth]\n");
    assert!(sent_to(&server, "/verify?redirect=1", headers).ends_with("/api/auth/signin"));
}

#[test]
fn the_way_back_leads_to_guarded_sites_only() {
    let settings = format!(
        "{LISTED}[forward_auth]\nredirect = true\norigins = [\"https://app.example.com\"]\n[pages]\nsign_in = \"/login\"\n"
    );
    let (_folder, server) = start(&settings);
    for (host, leads_to) in
        [("app.example.com", "https%3A%2F%2Fapp.example.com%2Fa"), ("evil.example", "http%3A%2F%2F127.0.0.1")]
    {
        let headers = format!("x-original-url: https://{host}/a\r\n");
        let to = sent_to(&server, "/verify", &headers);
        assert!(to.starts_with("/api/auth/signin?callbackUrl="), "{to}");
        // The page of the application gets what the redirect rules have made of it.
        let page = Browser::new(&server.host).get(&to);
        let page = page.header("location").unwrap();
        let (_, back) = page.split_once("/login?callbackUrl=").unwrap();
        assert!(back.starts_with(leads_to), "{host}: {back}");
    }
}

#[test]
fn envoy_asks_with_method_and_path_of_the_request() {
    let settings = format!("{LISTED}[forward_auth]\nenvoy = true\nredirect = true\n");
    let (_folder, server) = start(&settings);
    let mut browser = signed_in(&server);
    for (method, path) in
        [("POST", "/verify/cart?x=1"), ("DELETE", "/verify/a/b"), ("GET", "/verify"), ("PUT", "/verify/")]
    {
        assert_eq!(browser.send(method, path, "", "").status, 200, "{method} {path}");
        assert_eq!(Browser::new(&server.host).send(method, path, "", "").status, 401, "{method} {path}");
    }
    // The query is the visitor's, and says nothing about what the proxy wants.
    let to = sent_to(&server, "/verify/cart?redirect=0", "x-forwarded-proto: https\r\n");
    let back = format!("https%3A%2F%2F{}%2Fcart%3Fredirect%3D0", server.host.replace(':', "%3A"));
    assert_eq!(to, format!("/api/auth/signin?callbackUrl={back}"));
}

#[test]
fn without_a_public_address_only_listed_proxies_ask_for_other_hosts() {
    for (settings, status) in [(LISTED, 401), ("trusted_proxies = [\"10.0.0.0/8\"]\n", 421)] {
        let (_folder, server) = start(&format!("{settings}[forward_auth]\n"));
        let request = "GET /verify HTTP/1.1\r\nhost: app.example.com\r\nconnection: close\r\n\r\n";
        assert_eq!(send(&server.host, request.as_bytes()).status, status, "{settings}");
    }
}

#[test]
fn nobody_passes_while_nothing_can_be_decided() {
    let api = Api::start();
    let (folder, _) = (configured("[forward_auth]\n"), ());
    folder.write(
        "hallpass.config.mjs",
        &format!(
            "export default {{ callbacks: {{ async jwt({{ token, trigger }}) {{ \
             if (!trigger) await fetch('{}/api/never'); return token }} }} }}",
            api.origin
        ),
    );
    let settings = format!(
        "listen = \"127.0.0.1:0\"\nsecret = \"a secret of at least 32 characters\"\nusers_file = \"users.toml\"\n\
         [forward_auth]\n[fetch]\nallow = [\"{}\"]\n",
        api.origin
    );
    folder.write("hallpass.toml", &settings);
    let server = Server::start(program(&folder, &[]));
    let mut browser = signed_in(&server);
    let answer = browser.get("/verify");
    assert_eq!((answer.status, identity(&answer)), (503, vec![]), "{}", answer.body);
    assert!(answer.header("retry-after").is_some() && browser.has_session());
}
