//! Addresses and methods.

use hallpass::testkit::Browser;
use serde_json::json;

use crate::site::{SESSION, SITE, Site, bare, browse, raw, signed_in};

#[tokio::test]
async fn providers_are_listed_with_their_addresses() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let answer = browse(&auth).get("providers").await;
    let entry = |id: &str, name: &str, kind: &str| {
        json!({
            "id": id, "name": name, "type": kind,
            "signinUrl": format!("{SITE}/api/auth/signin/{id}"),
            "callbackUrl": format!("{SITE}/api/auth/callback/{id}"),
        })
    };
    let expected = json!({
        "idp": entry("idp", "The idp", "oidc"),
        "other": entry("other", "The other", "oidc"),
        "plain": entry("plain", "The plain", "oauth"),
        "credentials": entry("credentials", "Credentials", "credentials"),
    });
    assert_eq!((answer.json(), answer.set_cookies()), (expected, vec![]));
}

#[tokio::test]
async fn only_get_and_post_are_understood() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = signed_in(&auth).await;
    for method in ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "BREW"] {
        for path in ["session", "csrf", "providers", "signin", "signout", "callback/credentials", "error"] {
            let answer = raw(&mut browser, method, &format!("/api/auth/{path}"), "").await;
            assert_eq!(
                (answer.status().as_u16(), answer.text()),
                (400, "\"Bad request.\""),
                "{method} {path}"
            );
            assert!(answer.set_cookies().is_empty());
        }
    }
}

#[tokio::test]
async fn addresses_that_do_not_exist_are_bad_requests() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = signed_in(&auth).await;
    let paths = [
        "/",
        "/api/auth",
        "/api/auth/",
        "/api/auth//",
        "/api/auth/nope",
        "/api/auth/nope/x",
        "/api/authsession",
        "/api/authx/session",
        "/auth/session",
        "/API/auth/session",
        "/api/auth/Session",
        "/api/auth/session/x",
        "/api/auth/csrf/x",
        "/api/auth/providers/x",
        "/api/auth/signout/x",
        "/api/auth/error/x",
        "/api/auth/verify-request/x",
        "/api/auth/signin/idp/x",
        "/api/auth/callback/idp/x",
        "/x/api/auth/session",
        "/api/auth/./session",
        "/api/auth/../auth/session",
        "/api/auth/session;x",
        "/api/auth/session%2f",
        "/api/auth/%73ession",
        "/api/auth%2fsession",
        "/api/auth/session%00",
        "/api//auth/session",
        "//api/auth/session",
        "/api/auth\u{2f}session.json",
        "/api/auth/_log",
    ];
    for path in paths {
        for method in ["GET", "POST"] {
            let answer = raw(&mut browser, method, path, "").await;
            assert_eq!(
                (answer.status().as_u16(), answer.text()),
                (400, "\"Bad request.\""),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn variants_of_a_path_get_the_same_policy() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let mut browser = signed_in(&auth).await;
    let targets = [
        "/api/auth/signout",
        "/api/auth//signout",
        "/api/auth/signout/",
        "/api/auth///signout//",
        "/api/auth/signout?x",
    ];
    for target in targets {
        let answer = raw(&mut browser, "POST", target, "").await;
        assert!(answer.is_error("MissingCSRF"), "{target}");
    }
    for target in [
        "/api/auth/callback/credentials",
        "/api/auth/callback//credentials",
        "/api/auth//callback/credentials/",
    ] {
        let answer = raw(&mut browser, "POST", target, "username=ali&password=open+sesame").await;
        assert!(answer.is_error("MissingCSRF"), "{target}");
    }
    for target in ["/api/auth/signin/idp", "/api/auth/signin//idp", "/api/auth/signin/idp/"] {
        let answer = raw(&mut browser, "POST", target, "").await;
        assert!(answer.is_error("MissingCSRF"), "{target}");
    }
    for target in
        ["/api/auth/signin/IDP", "/api/auth/signin/i%64p", "/api/auth/signin/idp%20", "/api/auth/signin/.."]
    {
        let answer = raw(&mut browser, "POST", target, "").await;
        assert!(answer.is_error("Configuration"), "{target}");
    }
    assert_eq!(browser.session().await["user"]["name"], "Ali");
    assert_eq!(site.token_requests(), 0);
}

#[tokio::test]
async fn override_headers_do_not_change_the_method() {
    let auth = Site::new().builder().build().unwrap();
    let browser = signed_in(&auth).await;
    for header in ["x-http-method-override", "x-http-method", "x-method-override"] {
        let mut browser = browser.clone().with_header(header, "POST");
        let token = browser.csrf().await;
        for target in ["signout", &format!("signout?_method=POST&csrfToken={token}")] {
            let answer = browser.get(target).await;
            assert_eq!((answer.status().as_u16(), answer.set_cookies()), (200, vec![]), "{header}");
        }
        assert!(browser.cookie(SESSION).is_some());
    }
}

#[tokio::test]
async fn headers_that_name_another_path_are_ignored() {
    let auth = Site::new().builder().build().unwrap();
    let browser = browse(&auth);
    for header in
        ["x-original-url", "x-rewrite-url", "x-forwarded-uri", "x-forwarded-prefix", "x-original-uri"]
    {
        let mut browser = browser.clone().with_header(header, "/api/auth/providers");
        assert_eq!(browser.get("session").await.text(), "null", "{header}");
    }
}

#[tokio::test]
async fn addresses_that_take_one_method_refuse_the_other() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = browse(&auth);
    for path in ["providers", "csrf", "error", "verify-request", "webauthn-options", "webauthn-options/idp"] {
        let answer = browser.submit(path, &[]).await;
        assert!(answer.is_error("Configuration"), "POST {path}");
        assert!(answer.set_cookies().is_empty());
    }
    for path in ["signin/idp", "signin/credentials", "callback/credentials", "webauthn-options"] {
        assert!(browser.get(path).await.is_error("Configuration"), "GET {path}");
    }
}

#[tokio::test]
async fn unknown_providers_are_refused() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = browse(&auth);
    for path in ["signin/nobody", "callback/nobody", "callback", "callback/undefined"] {
        let answer = browser.submit(path, &[]).await;
        assert!(answer.is_error("Configuration"), "{path}");
        assert_eq!(answer.location(), format!("{SITE}/api/auth/error?error=Configuration"));
    }
}

#[tokio::test]
async fn base_path_is_a_setting_or_the_path_of_the_url() {
    let in_setting = bare().url(SITE).base_path("/auth/").build().unwrap();
    let in_url = bare().url("https://app.example.com/auth").build().unwrap();
    for auth in [in_setting, in_url] {
        assert_eq!(auth.base_path(), "/auth");
        let mut browser = browse(&auth);
        assert_eq!(browser.get("/auth/session").await.text(), "null");
        assert_eq!(browser.get("/api/auth/session").await.status(), 400);
        let providers = browser.get("/auth/providers").await.json();
        assert_eq!(providers["credentials"]["signinUrl"], format!("{SITE}/auth/signin/credentials"));
    }
}

#[tokio::test]
async fn body_over_the_limit_is_refused() {
    let auth = bare().url(SITE).build().unwrap();
    let mut browser = browse(&auth);
    let body = format!("a={}", "x".repeat(hallpass::MAX_BODY - 2));
    assert!(raw(&mut browser, "POST", "/api/auth/signout", &body).await.is_error("MissingCSRF"));
    let answer = raw(&mut browser, "POST", "/api/auth/signout", &format!("{body}x")).await;
    assert_eq!(answer.status(), 413);
}

#[tokio::test]
async fn body_that_is_not_json_is_a_bad_request() {
    let auth = bare().url(SITE).build().unwrap();
    for body in ["", "{", "{}x", "\u{feff}{}", "{\"a\":1", "nul", "\"\\ud800\""] {
        let mut browser = browse(&auth);
        let request = http::Request::post("/api/auth/signout").header("content-type", "application/json");
        let answer = browser.send(request.body(body.to_owned().into()).unwrap()).await;
        assert_eq!((answer.status().as_u16(), answer.text()), (400, "\"Bad request.\""), "{body}");
    }
    for body in ["[]", "null", "1", "\"x\"", "{}"] {
        let mut browser = browse(&auth);
        let request = http::Request::post("/api/auth/signout").header("content-type", "application/json");
        assert!(
            browser.send(request.body(body.to_owned().into()).unwrap()).await.is_error("MissingCSRF"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn host_is_needed_where_no_url_is_configured() {
    let auth = bare().trust_host(true).build().unwrap();
    let core = auth.core();
    let without = http::Request::get("/api/auth/session").body(Default::default()).unwrap();
    assert_eq!(core.handle(without).await.status(), 400);
    for host in
        ["", "a b", "a/b", "a\\b", "user@host", "a,b", "host:port", "host?x", "host#x", "[::1", "a\tb"]
    {
        let request =
            http::Request::get("/api/auth/session").header("host", host).body(Default::default()).unwrap();
        assert_eq!(core.handle(request).await.status(), 400, "{host}");
    }
    assert_eq!(Browser::new(&auth, "http://app.example.com:8080").get("session").await.text(), "null");
}

#[tokio::test]
async fn two_hosts_are_none() {
    let auth = bare().trust_host(true).build().unwrap();
    for name in ["host", "x-forwarded-host"] {
        let request = http::Request::get("/api/auth/providers").header(name, "app.example.com");
        let request = request.header(name, "evil.example");
        assert_eq!(auth.handle(request.body(Default::default()).unwrap()).await.status(), 400, "{name}");
    }
}

#[tokio::test]
async fn http_2_requests_name_their_host_in_the_address() {
    let auth = bare().trust_host(true).build().unwrap();
    let request =
        http::Request::get("http://app.example.com/api/auth/providers").body(Default::default()).unwrap();
    let answer = auth.handle(request).await;
    assert!(
        String::from_utf8_lossy(answer.body()).contains("http://app.example.com/api/auth/signin/credentials")
    );
}

#[tokio::test]
async fn answers_say_how_a_program_is_redirected() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    for value in ["1", "0", ""] {
        let mut browser = browse(&auth).with_header("x-auth-return-redirect", value);
        let answer = browser.start("idp").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.json(), json!({ "url": answer.location() }));
        let answer = browser.sign_in_with_credentials(&[("password", "open sesame")]).await;
        assert_eq!((answer.status().as_u16(), answer.json()), (200, json!({ "url": SITE })));
        assert!(browser.cookie(SESSION).is_some());
        let answer = browser.sign_out().await;
        assert_eq!((answer.status().as_u16(), answer.json()), (200, json!({ "url": SITE })));
        let answer = browser.sign_in_with_credentials(&[("password", "wrong")]).await;
        let url = format!("{SITE}/api/auth/signin?error=CredentialsSignin&code=credentials");
        assert_eq!((answer.status().as_u16(), answer.json()), (200, json!({ "url": url })));
        assert_eq!(answer.header("location"), None);
        assert_eq!(browser.get("signin").await.header("content-type"), Some("text/html; charset=utf-8"));
    }
}
