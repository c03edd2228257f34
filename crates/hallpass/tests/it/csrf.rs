//! `/csrf`, and what needs its token.

use hallpass::testkit::{Answer, Browser};
use serde_json::json;

use crate::site::{PASSWORD, SECRET, SESSION, SITE, Site, bare, browse, raw, signed_in};

const CSRF: &str = "__Host-authjs.csrf-token";

/// Every address that changes something, with the fields that it would take.
const WRITES: &[(&str, &str)] = &[
    ("signin/idp", ""),
    ("signin/plain", ""),
    ("signin", ""),
    ("callback/credentials", "username=ali&password=open+sesame&"),
    ("session", "data=1&"),
    ("signout", ""),
];

#[tokio::test]
async fn token_is_kept_as_long_as_its_cookie() {
    let auth = bare().url(SITE).build().unwrap();
    let mut browser = browse(&auth);
    let first = browser.get("csrf").await;
    let token = first.json()["csrfToken"].as_str().unwrap().to_owned();
    assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(first.cookie_names(), [CSRF, "__Secure-authjs.callback-url"]);
    let second = browser.get("csrf").await;
    assert_eq!((second.json(), second.set_cookies()), (first.json(), vec![]));
    assert_ne!(browser.other().csrf().await, token);
}

#[tokio::test]
async fn post_with_its_token_is_taken_in_both_encodings() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = signed_in(&auth).await;
    browser.sign_out().await;
    assert!(browser.cookie(SESSION).is_none());
    let token = browser.csrf().await;
    let body = json!({ "csrfToken": token, "password": "open sesame" });
    assert_eq!(browser.post_json("callback/credentials", &body).await.location(), SITE);
    assert!(browser.cookie(SESSION).is_some());
}

#[tokio::test]
async fn post_without_its_token_changes_nothing() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let foreign = browse(&auth).csrf().await;
    for (path, fields) in WRITES {
        let mut browser = signed_in(&auth).await;
        let own = browser.csrf().await;
        let cookie = browser.cookie(CSRF).unwrap().to_owned();
        let target = format!("/api/auth/{path}");
        let tokens = [
            String::new(),
            "csrfToken=".to_owned(),
            format!("csrfToken={foreign}"),
            format!("csrfToken={own}x"),
            format!("csrfToken={}", own.to_uppercase()),
            format!("csrfToken={own}&csrfToken=x"),
            format!("csrfToken={own}&csrfToken="),
            format!("csrfToken={cookie}"),
            format!("csrftoken={own}"),
            format!("csrfToken[]={own}"),
        ];
        for token in &tokens {
            let answer = raw(&mut browser, "POST", &target, &format!("{fields}{token}")).await;
            assert_refused(path, &answer);
            // The query does not count.
            let answer = raw(&mut browser, "POST", &format!("{target}?csrfToken={own}"), fields).await;
            assert_refused(path, &answer);
        }
        for body in [
            json!({ "csrfToken": null }),
            json!({ "csrfToken": [own] }),
            json!({ "csrfToken": 1 }),
            json!([own]),
        ] {
            assert_refused(path, &browser.post_json(path, &body).await);
        }
        for kind in ["text/plain", "multipart/form-data; boundary=x", "", "application/xml"] {
            let request = http::Request::post(&target).header("content-type", kind);
            let body = format!("{fields}csrfToken={own}");
            assert_refused(path, &browser.send(request.body(body.into()).unwrap()).await);
        }
        browser.remove_cookie(CSRF);
        let answer = raw(&mut browser, "POST", &target, &format!("{fields}csrfToken={own}")).await;
        assert_refused(path, &answer);
        assert_eq!(browser.session().await["user"]["name"], "Ali");
    }
    assert_eq!(site.idp.requests().len(), 0);
}

fn assert_refused(path: &str, answer: &Answer) {
    if path == "session" {
        assert_eq!((answer.status().as_u16(), answer.text()), (400, "null"));
    } else {
        assert!(answer.is_error("MissingCSRF"), "{path}: {answer:?}");
        assert_eq!(answer.location(), format!("{SITE}/api/auth/signin?error=MissingCSRF"));
    }
    assert!(answer.set_cookies().is_empty(), "{path}");
}

#[tokio::test]
async fn pair_made_with_another_secret_is_refused() {
    let auth = Site::new().builder().build().unwrap();
    let theirs = bare().secret("the secret of another site, 32 and more").url(SITE).build().unwrap();
    let mut elsewhere = browse(&theirs);
    let token = elsewhere.csrf().await;
    let mut browser = browse(&auth);
    browser.plant(&format!("{CSRF}={}; Path=/; Secure", elsewhere.cookie(CSRF).unwrap()));
    assert_refused("signout", &browser.post_form("signout", &[("csrfToken", &token)]).await);
    assert_ne!(browser.csrf().await, token);
}

#[tokio::test]
async fn pair_with_an_empty_or_forged_proof_is_refused() {
    let auth = Site::new().builder().build().unwrap();
    for cookie in ["t%7C", "t", "%7C", "t%7Ct", "%7C%7C", "t|0000", ""] {
        let mut browser = browse(&auth);
        browser.plant(&format!("{CSRF}={cookie}; Path=/; Secure"));
        assert_refused("signout", &browser.post_form("signout", &[("csrfToken", "t")]).await);
    }
}

#[tokio::test]
async fn planted_pair_is_refused_by_origin() {
    let auth = Site::new().builder().build().unwrap();
    for site in ["cross-site", "same-site", "nonsense", ""] {
        for (path, fields) in WRITES {
            let mut browser = planted(&auth).await.with_header("sec-fetch-site", site);
            let token = browser.csrf().await;
            let body = format!("{fields}csrfToken={token}");
            let answer = raw(&mut browser, "POST", &format!("/api/auth/{path}"), &body).await;
            assert_refused(path, &answer);
        }
    }
}

/// As from a browser that does not send `Sec-Fetch-Site`.
#[tokio::test]
async fn foreign_origin_is_refused_where_the_browser_says_nothing_else() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = planted(&auth).await;
    let token = browser.csrf().await;
    let cookies: Vec<_> =
        browser.cookies().iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
    for (origin, refused) in [
        ("https://evil.example", true),
        ("https://sub.app.example.com", true),
        ("https://app.example.com.evil.example", true),
        ("http://app.example.com", true),
        ("https://app.example.com:444", true),
        ("", true),
        ("null", true),
        (SITE, false),
    ] {
        let request = http::Request::post("/api/auth/signout")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", cookies.join("; "))
            .header("origin", origin);
        let answer = auth.handle(request.body(format!("csrfToken={token}").into()).unwrap()).await;
        let location = answer.headers()["location"].to_str().unwrap();
        assert_eq!(location.contains("error=MissingCSRF"), refused, "{origin}");
    }
}

async fn planted(auth: &hallpass::Auth) -> Browser {
    let mut attacker = browse(auth);
    attacker.csrf().await;
    let mut browser = signed_in(auth).await;
    browser.plant(&format!("{CSRF}={}; Path=/; Secure", attacker.cookie(CSRF).unwrap()));
    browser
}

#[tokio::test]
async fn two_csrf_cookies_are_none() {
    let auth = Site::new().builder().build().unwrap();
    let (mut one, mut two) = (browse(&auth), browse(&auth));
    let tokens = [one.csrf().await, two.csrf().await];
    let cookies = format!("{CSRF}={}; {CSRF}={}", one.cookie(CSRF).unwrap(), two.cookie(CSRF).unwrap());
    for token in tokens {
        let mut browser = browse(&auth).with_header("cookie", &cookies);
        let answer = browser.post_form("signout", &[("csrfToken", &token)]).await;
        assert_refused("signout", &answer);
    }
    let doubled = format!("{CSRF}={cookie}; {CSRF}={cookie}", cookie = one.cookie(CSRF).unwrap());
    let token = one.csrf().await;
    let mut browser = browse(&auth).with_header("cookie", &doubled);
    assert_eq!(browser.post_form("signout", &[("csrfToken", &token)]).await.location(), SITE);
}

#[tokio::test]
async fn token_survives_a_new_secret() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = browse(&auth);
    let token = browser.csrf().await;
    let cookie = browser.cookie(CSRF).unwrap().to_owned();
    let rotated =
        Site::new().builder().secrets(["a new secret, and 32 characters long", SECRET]).build().unwrap();
    let mut browser = browse(&rotated).with_header("cookie", &format!("{CSRF}={cookie}"));
    let fields = [&[("csrfToken", token.as_str())], PASSWORD].concat();
    assert_eq!(browser.post_form("callback/credentials", &fields).await.location(), SITE);
}

#[tokio::test]
async fn check_can_be_switched_off_by_name() {
    let auth = Site::new().builder().dangerous().skip_csrf_check().build().unwrap();
    let mut browser = browse(&auth);
    let answer = browser.get("csrf").await;
    assert_eq!(
        (answer.status().as_u16(), answer.cookie_names()),
        (404, vec!["__Secure-authjs.callback-url", CSRF])
    );
    assert_eq!(browser.post_form("callback/credentials", PASSWORD).await.location(), SITE);
}

#[tokio::test]
async fn a_trusted_origin_may_post_with_the_token_and_not_without() {
    let site = Site::new();
    let front_end = "https://app.example.org";
    let auth = site.builder().trusted_origins([front_end]).redirect_origins(["https://docs.example.org"]);
    let auth = auth.build().unwrap();
    for (origin, fetch_site, is_taken) in [
        (front_end, "cross-site", true),
        (front_end, "same-site", true),
        ("https://evil.example.org", "cross-site", false),
        ("https://app.example.org:8443", "same-site", false),
        ("http://app.example.org", "cross-site", false),
        ("https://docs.example.org", "cross-site", false),
        ("null", "cross-site", false),
    ] {
        let mut browser = browse(&auth);
        let token = browser.csrf().await;
        let cookies: Vec<_> =
            browser.cookies().iter().map(|it| format!("{}={}", it.name, it.value)).collect();
        let mut post = async |token: &str| {
            let request = http::Request::post("/api/auth/callback/credentials")
                .header("content-type", "application/x-www-form-urlencoded")
                .header("cookie", cookies.join("; "))
                .header("origin", origin)
                .header("sec-fetch-site", fetch_site);
            let body = format!("username=ali&password=open+sesame&csrfToken={token}");
            browser.send(request.body(body.into()).unwrap()).await
        };
        assert!(post("").await.is_error("MissingCSRF"), "{origin}");
        let answer = post(&token).await;
        assert_eq!(answer.location() == SITE, is_taken, "{origin}: {}", answer.location());
        assert_eq!(answer.is_error("MissingCSRF"), !is_taken, "{origin}");
    }
}
