//! `/signin`.

use std::collections::HashSet;

use hallpass::testkit::Browser;
use hallpass::{Forwarded, PagePaths};
use serde_json::json;
use url::Url;

use crate::site::{SITE, Site, bare, browse, raw};

#[tokio::test]
async fn page_offers_every_way_to_sign_in() {
    let auth = Site::new().builder().build().unwrap();
    let answer = browse(&auth).get("signin").await;
    for path in ["signin/idp", "signin/other", "signin/plain", "callback/credentials"] {
        assert!(answer.text().contains(&format!("action=\"{SITE}/api/auth/{path}\"")), "{path}");
    }
    assert_eq!(answer.cookie_names(), ["__Host-authjs.csrf-token", "__Secure-authjs.callback-url"]);
}

#[tokio::test]
async fn page_tells_what_went_wrong() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = browse(&auth);
    let plain = browser.get("signin").await;
    let told = browser.get("signin?error=CredentialsSignin").await;
    assert!(told.text().len() > plain.text().len());
    assert_eq!(told.status(), 200);
}

#[tokio::test]
async fn own_page_gets_the_way_back_and_the_error() {
    let auth = bare().url(SITE).pages(PagePaths::new().sign_in("/login?theme=dark")).build().unwrap();
    let mut browser = browse(&auth);
    let answer = browser.get("signin?callbackUrl=/cart&error=AccessDenied&code=x").await;
    let expected = "/login?theme=dark&callbackUrl=https%3A%2F%2Fapp.example.com%2Fcart&error=AccessDenied";
    assert_eq!(answer.location(), expected);
    let answer = browser.post_form("signout", &[]).await;
    assert_eq!(answer.location(), format!("{SITE}/login?theme=dark&error=MissingCSRF"));
}

#[tokio::test]
async fn get_never_starts_a_sign_in() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    for path in ["signin/idp", "signin/plain", "signin/idp?callbackUrl=/x", "signin/credentials"] {
        let answer = browse(&auth).get(path).await;
        assert!(answer.is_error("Configuration"));
        assert_eq!(answer.set_cookies(), Vec::<&str>::new());
    }
    assert!(site.idp.requests().is_empty());
}

#[tokio::test]
async fn a_form_is_not_started_but_shown() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = browse(&auth);
    for path in ["signin/credentials", "signin", "signin/undefined"] {
        assert_eq!(browser.submit(path, &[]).await.location(), format!("{SITE}/api/auth/signin"), "{path}");
    }
}

#[tokio::test]
async fn authorization_request_says_who_asks_and_binds_the_answer() {
    let auth = Site::new().builder().build().unwrap();
    let answer = browse(&auth).start("idp").await;
    let param = |name: &str| answer.location_parameter(name).unwrap_or_default();
    assert!(answer.location().starts_with("https://idp.example/authorize?"));
    assert_eq!(param("response_type"), "code");
    assert_eq!(param("client_id"), "the client");
    assert_eq!(param("scope"), "openid profile email");
    assert_eq!(param("redirect_uri"), format!("{SITE}/api/auth/callback/idp"));
    assert_eq!([param("state").len(), param("nonce").len(), param("code_challenge").len()], [43, 43, 43]);
    assert_eq!(
        answer.cookie_names(),
        ["__Secure-authjs.state", "__Secure-authjs.pkce.code_verifier", "__Secure-authjs.nonce"]
    );
    // What the cookies hold is sealed: nobody reads the verifier there.
    assert!(!answer.set_cookies().concat().contains(&param("state")));
}

#[tokio::test]
async fn code_challenge_is_always_s256() {
    for supported in [json!(["plain"]), json!([]), json!(null), json!(["S256", "plain"])] {
        let site = Site::new();
        let auth = site.builder().build().unwrap();
        let document = json!({
            "issuer": "https://idp.example",
            "authorization_endpoint": "https://idp.example/authorize",
            "token_endpoint": "https://idp.example/token",
            "jwks_uri": "https://idp.example/jwks",
            "code_challenge_methods_supported": supported,
        });
        site.idp.answer_once("/.well-known/openid-configuration", 200, &document.to_string());
        for provider in ["idp", "plain"] {
            let answer = browse(&auth).start(provider).await;
            assert_eq!(answer.location_parameter("code_challenge_method").as_deref(), Some("S256"));
            assert_eq!(answer.location_parameter("code_challenge").unwrap().len(), 43);
        }
    }
}

#[tokio::test]
async fn state_nonce_and_verifier_never_repeat() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let mut seen = HashSet::new();
    let mut browser = browse(&auth);
    for _ in 0..100 {
        let returning = site.idp.authorize(browser.start("idp").await.location());
        let answer = browser.come_back(&returning).await;
        assert_eq!(answer.location(), SITE);
    }
    for _ in 0..100 {
        let answer = browser.start("idp").await;
        for name in ["state", "nonce", "code_challenge"] {
            assert!(seen.insert(answer.location_parameter(name).unwrap()), "{name}");
        }
    }
    let verifiers: HashSet<_> = (site.idp.requests().iter())
        .filter(|request| request.uri().path() == "/token")
        .filter_map(|request| {
            let mut form = url::form_urlencoded::parse(request.body());
            form.find(|(name, _)| name == "code_verifier").map(|(_, value)| value.into_owned())
        })
        .collect();
    assert_eq!(verifiers.len(), 100);
    assert!(verifiers.iter().all(|verifier| verifier.len() == 43 && !seen.contains(verifier)));
}

#[tokio::test]
async fn browser_may_hint_but_not_choose_what_binds_the_answer() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = browse(&auth);
    let honest = browser.start("idp").await;
    let token = browser.csrf().await;
    let query = "login_hint=ada&prompt=login&client_id=evil&redirect_uri=https://evil.example&state=s&nonce=n\
                 &response_type=token&response_mode=fragment&code_challenge=c&code_challenge_method=plain\
                 &request=x&request_uri=https://evil.example&client_secret=x&redirect_uri=https://evil.example";
    let target = format!("/api/auth/signin/idp?{query}");
    let answer = raw(&mut browser, "POST", &target, &format!("csrfToken={token}")).await;
    for name in
        ["client_id", "redirect_uri", "response_type", "code_challenge_method", "request", "request_uri"]
    {
        assert_eq!(answer.location_parameter(name), honest.location_parameter(name), "{name}");
    }
    for name in ["state", "nonce", "code_challenge"] {
        assert_eq!(answer.location_parameter(name).unwrap().len(), 43, "{name}");
    }
    assert_eq!(answer.location_parameter("login_hint").as_deref(), Some("ada"));
    assert!(!answer.location().contains("evil"));
    assert!(!answer.location().contains("response_mode"));
}

#[tokio::test]
async fn forged_host_reaches_no_redirect_uri() {
    let forged = |browser: Browser| {
        ["host", "x-forwarded-host", "forwarded", "x-original-host", "x-host", "x-forwarded-server"].map(
            |name| {
                browser
                    .clone()
                    .with_header(name, if name == "forwarded" { "host=evil.example" } else { "evil.example" })
            },
        )
    };
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    for mut browser in forged(browse(&auth)) {
        let mut browser2 = browser.clone().with_header("x-forwarded-proto", "http");
        for browser in [&mut browser, &mut browser2] {
            let start = browser.start("idp").await;
            assert_eq!(
                start.location_parameter("redirect_uri").unwrap(),
                format!("{SITE}/api/auth/callback/idp")
            );
            let page = browser.get("signin").await;
            let providers = browser.get("providers").await;
            assert!(!page.text().contains("evil") && !providers.text().contains("evil"));
            assert!(!page.set_cookies().concat().contains("evil"));
            assert_eq!(browser.sign_in_with_credentials(crate::site::PASSWORD).await.location(), SITE);
        }
    }
}

#[tokio::test]
async fn host_is_believed_only_where_it_is_trusted() {
    let providers = async |browser: Browser| {
        let answer = browser.clone().get("providers").await;
        let url = answer.json()["credentials"]["signinUrl"].as_str().map(|url| Url::parse(url).unwrap());
        (answer.status().as_u16(), url.map(|url| url.origin().ascii_serialization()))
    };
    let ok = |origin: &str| (200, Some(origin.to_owned()));
    let untrusted = (500, None);

    // Unless something is said, only this machine is believed, and no header that a proxy would set.
    let auth = bare().build().unwrap();
    for origin in ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:3000", "http://app.localhost"] {
        assert_eq!(providers(Browser::new(&auth, origin)).await, ok(origin));
    }
    for host in
        ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "notlocalhost"]
    {
        assert_eq!(providers(Browser::new(&auth, &format!("http://{host}"))).await, untrusted, "{host}");
    }
    let local = Browser::new(&auth, "http://localhost:3000");
    assert_eq!(
        providers(local.with_header("x-forwarded-host", "evil.example")).await,
        ok("http://localhost:3000")
    );

    let auth = bare().trust_host(true).build().unwrap();
    let browser = Browser::new(&auth, "http://inner:3000").with_header("x-forwarded-host", "app.example.com");
    assert_eq!(providers(browser.clone()).await, ok("http://app.example.com"));
    assert_eq!(
        providers(browser.with_header("x-forwarded-proto", "https")).await,
        ok("https://app.example.com")
    );

    let auth = bare().trust_host(true).forwarded(Forwarded::Proto).build().unwrap();
    let browser = Browser::new(&auth, "http://inner:3000").with_header("x-forwarded-host", "evil.example");
    assert_eq!(
        providers(browser.with_header("x-forwarded-proto", "https, http")).await,
        ok("https://inner:3000")
    );

    let auth = bare().trust_host(true).forwarded(Forwarded::Ignored).build().unwrap();
    let browser = Browser::new(&auth, "http://inner:3000").with_header("x-forwarded-host", "evil.example");
    assert_eq!(providers(browser.with_header("x-forwarded-proto", "https")).await, ok("http://inner:3000"));

    let auth = bare().trust_host(false).build().unwrap();
    assert_eq!(providers(Browser::new(&auth, "http://localhost:3000")).await, untrusted);
    // Where the address is configured there is nothing to believe.
    let auth = bare().url(SITE).trust_host(false).build().unwrap();
    assert_eq!(providers(Browser::new(&auth, "http://evil.example")).await, ok(SITE));
}

#[tokio::test]
async fn provider_that_is_down_leaves_the_others_alone() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    site.other.fail_once("/.well-known/openid-configuration");
    site.other.answer_once("/.well-known/openid-configuration", 503, "down");
    let mut browser = browse(&auth);
    for _ in 0..2 {
        let answer = browser.start("other").await;
        assert!(answer.is_error("Configuration") && answer.set_cookies().is_empty());
        assert_eq!(browser.sign_in("idp", &site.idp).await.location(), SITE);
    }
    // It recovers by itself, and what is known is used while it is down again.
    assert_eq!(browser.sign_in("other", &site.other).await.location(), SITE);
    site.other.fail_once("/.well-known/openid-configuration");
    assert_eq!(browser.sign_in("other", &site.other).await.location(), SITE);
}
