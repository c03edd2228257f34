//! Whatever is sent, an answer comes back.

use hallpass::testkit::{Idps, ManualClock};
use hallpass::{Auth, Dialect, Email, MemoryStore};
use http::{HeaderName, HeaderValue, Method, Request};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::site::{SESSION, Site};

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "a=b",
        "csrfToken",
        "json=true",
        "{\"json\":\"true\"}",
        "callbackUrl=%",
        "=",
        ";",
        "%",
        "%ff",
        "%00",
        "\u{0}",
        "{",
        "{\"a\":",
        "[[[[",
        "null",
        "eyJ",
        ".",
        "..",
        "x.0",
        "|",
        "https://",
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "app.example.com",
        "multipart/form-data",
        "&",
        "?",
        "#",
        "\\",
    ]);
    let piece = prop_oneof![
        3 => known.prop_map(|text: &str| text.as_bytes().to_vec()),
        2 => prop::collection::vec(any::<u8>(), 0..20),
        1 => "[ -~]{0,30}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn target() -> impl Strategy<Value = String> {
    let words = vec![
        "providers",
        "session",
        "csrf",
        "signin",
        "signin/idp",
        "signin/plain",
        "signin/email",
        "signin/credentials",
        "signout",
        "callback/idp",
        "callback/plain",
        "callback/email",
        "callback/credentials",
        "callback/apple",
        "verify-request",
        "error",
        "webauthn-options",
        "_log",
        "nope",
        "",
    ];
    let names = vec![
        "callbackUrl",
        "error",
        "code",
        "state",
        "token",
        "email",
        "csrfToken",
        "iss",
        "x",
        "provider",
        "response",
    ];
    let value = bytes().prop_map(|bytes| {
        percent_encoding::percent_encode(&bytes, percent_encoding::NON_ALPHANUMERIC).to_string()
    });
    let pair = (prop::sample::select(names), value).prop_map(|(name, value)| format!("{name}={value}"));
    let query = prop_oneof![
        prop::collection::vec(pair, 0..4).prop_map(|pairs| pairs.join("&")),
        "[!-~]{0,40}".prop_filter("a query", |text| !text.contains(['#', '"', '<', '>'])),
    ];
    let path = prop_oneof![
        9 => prop::sample::select(words).prop_map(|word| format!("/api/auth/{word}")),
        1 => "/[!-~]{0,20}".prop_filter("a path", |text| !text.contains(['#', '?', '"', '<', '>'])),
    ];
    (path, query).prop_map(|(path, query)| format!("{path}?{query}"))
}

fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let names = vec![
        "content-type",
        "origin",
        "sec-fetch-site",
        "x-auth-return-redirect",
        "authorization",
        "accept",
        "referer",
        "x-forwarded-host",
        "x-forwarded-proto",
        "forwarded",
        "user-agent",
        "host",
        "cookie",
        "accept-language",
        "transfer-encoding",
        "x-http-method-override",
    ];
    prop::collection::vec((prop::sample::select(names).prop_map(str::to_owned), bytes()), 0..4)
}

fn cookies() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let names = vec![
        SESSION.to_owned(),
        format!("{SESSION}.0"),
        format!("{SESSION}.1"),
        format!("{SESSION}.999999999999"),
        "__Secure-authjs.state".to_owned(),
        "__Secure-authjs.nonce".to_owned(),
        "__Secure-authjs.pkce.code_verifier".to_owned(),
        "__Secure-authjs.callback-url".to_owned(),
        "__Host-authjs.csrf-token".to_owned(),
        "__Secure-next-auth.session-token".to_owned(),
        "__Secure-next-auth.session-token.0".to_owned(),
        "__Secure-next-auth.state".to_owned(),
        "__Secure-next-auth.callback-url".to_owned(),
        "__Host-next-auth.csrf-token".to_owned(),
        "".to_owned(),
        "x".to_owned(),
    ];
    prop::collection::vec((prop::sample::select(names), bytes()), 0..4)
}

fn site(dialects: impl IntoIterator<Item = Dialect>) -> Auth {
    let site = Site::new();
    let apple = site.idp.oidc_provider("apple").authorization_param("response_mode", "form_post");
    site.builder()
        .dialects(dialects)
        .http_client(Idps::new([site.idp.clone()]))
        .clock(ManualClock::new())
        .store(MemoryStore::new())
        .provider(apple)
        .email(Email::new(), async |_, ()| Ok(()))
        // So that what is sent gets past the door.
        .dangerous()
        .skip_csrf_check()
        .build()
        .unwrap()
}

#[test]
fn no_bytes_anywhere_end_in_a_panic_or_5xx() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let [v4, v5] = [Dialect::V4, Dialect::V5];
    let strict = |dialects: &[Dialect]| Site::new().builder().dialects(dialects.to_vec()).build().unwrap();
    let auths = [site([v5]), site([v4]), site([v5, v4]), strict(&[v5]), strict(&[v4, v5])];
    let methods = prop::sample::select(vec!["GET", "POST", "GET", "POST", "HEAD", "PUT", "OPTIONS", "X"]);
    let requests = (methods, target(), headers(), cookies(), bytes());
    let config = ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() };
    let result = TestRunner::new(config).run(&requests, |(method, target, headers, cookies, body)| {
        let Ok(uri) = target.parse::<http::Uri>() else { return Ok(()) };
        // As in Auth.js: the page of a wrong configuration has its status for whoever asks for it.
        let shows_failure =
            uri.path().ends_with("/error") && target.to_ascii_lowercase().contains("error=configuration");
        let mut request = Request::new(bytes::Bytes::from(body));
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        *request.uri_mut() = uri;
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                request.headers_mut().append(HeaderName::try_from(name).unwrap(), value);
            }
        }
        for (name, value) in cookies {
            let line = [name.as_bytes(), b"=", &value].concat();
            if let Ok(value) = HeaderValue::from_bytes(&line) {
                request.headers_mut().append("cookie", value);
            }
        }
        for auth in &auths {
            let answer = runtime.block_on(auth.handle(request.clone()));
            let status = answer.status().as_u16();
            prop_assert!(status < 500 || (shows_failure && status == 500), "{status}");
            let parts = request.clone().into_parts().0;
            prop_assert!(runtime.block_on(auth.session(&parts)).unwrap().is_none());
        }
        Ok(())
    });
    result.unwrap();
}
