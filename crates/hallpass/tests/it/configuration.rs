//! What `build` refuses, and what the environment says.

use std::time::Duration;

use hallpass::mail::{HttpService, MailTemplate};
use hallpass::pages::TemplateName;
use hallpass::providers::{AUTH0, GITHUB, Provider};
use hallpass::testkit::{Browser, Idp, ManualClock};
use hallpass::{
    Auth, Builder, ConfigError, CookieKind, CookieOptions, Credentials, Email, Environment, ErrorKind,
    MemoryStore, PagePaths, Theme, User,
};

use crate::site::{SECRET, SITE, Site, bare, browse, password_form};

fn refused(builder: Builder) -> ConfigError {
    builder.build().expect_err("the configuration is refused")
}

/// The texts of all problems.
fn problems(builder: Builder) -> Vec<String> {
    refused(builder).problems().iter().map(|problem| problem.message.clone()).collect()
}

fn empty() -> Builder {
    Auth::builder().environment(Environment::empty())
}

#[tokio::test]
async fn all_mistakes_are_told_at_once() {
    let error = refused(
        empty()
            .secret("short")
            .url("not an address")
            .base_path("auth")
            .provider(GITHUB)
            .email(Email::new(), async |_, ()| Ok(()))
            .credentials(Credentials::new().id("a/b"), async |_, ()| Ok(None))
            .pages(PagePaths::new().sign_in("login"))
            .session_max_age(Duration::ZERO),
    );
    let kinds: Vec<_> = error.problems().iter().map(|problem| problem.kind).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == ErrorKind::MissingSecret).count(), 1);
    assert_eq!(kinds.iter().filter(|kind| **kind == ErrorKind::MissingStore).count(), 1);
    let text = error.to_string();
    for setting in [
        "AUTH_SECRET",
        "AUTH_URL",
        "base_path",
        "AUTH_GITHUB_ID",
        "AUTH_GITHUB_SECRET",
        "store",
        "a/b",
        "sign_in",
        "session_max_age",
    ] {
        assert!(text.contains(setting), "{setting} is not named in {text}");
    }
    assert!(!text.contains("\"short\""), "{text}");
}

fn stored() -> Builder {
    bare().store(MemoryStore::new())
}

#[test]
fn each_mistake_names_its_setting() {
    let max = Duration::from_secs(401 * 24 * 60 * 60);
    let authorize = async |_, ()| Ok(None::<User>);
    let table: Vec<(Builder, &str)> = vec![
        (empty().credentials(password_form(), authorize), "AUTH_SECRET"),
        (bare().secret(""), "secret"),
        (bare().secret("x".repeat(31)), "32"),
        (bare().secrets([SECRET, ""]), "secrets"),
        (empty().secret(SECRET), "`provider`, `credentials`, `email` or `mailer`"),
        (bare().url("app.example.com"), "`url`"),
        (bare().url("ftp://app.example.com"), "`url`"),
        (bare().url("https://"), "`url`"),
        (bare().trusted_origins(["https://app.example.com/"]), "`trusted_origins`"),
        (bare().trusted_origins(["*"]), "`trusted_origins`"),
        (bare().trusted_origins(["null"]), "`trusted_origins`"),
        (bare().redirect_origins(["https://APP.example.com"]), "`redirect_origins`"),
        (bare().redirect_origins(["https://*.example.com"]), "`redirect_origins`"),
        (bare().base_path("auth"), "`base_path`"),
        (bare().base_path("/"), "`base_path`"),
        (bare().base_path("//auth"), "`base_path`"),
        (bare().base_path("/a b"), "`base_path`"),
        (bare().base_path("/{x}"), "`base_path`"),
        (bare().base_path("/a?b"), "`base_path`"),
        (bare().credentials(password_form(), authorize), "\"credentials\""),
        (bare().credentials(Credentials::new().id(""), authorize), "id"),
        (bare().email(Email::new(), async |_, ()| Ok(())), "`store`"),
        (stored().email(Email::new().max_age(Duration::ZERO), async |_, ()| Ok(())), "`max_age`"),
        (stored().email(Email::new().max_age(max), async |_, ()| Ok(())), "`max_age`"),
        (stored().mailer(Email::new(), HttpService::resend().key("k")), "EMAIL_FROM"),
        (stored().mailer(Email::new().from("a@b.example"), HttpService::resend()), "AUTH_RESEND_KEY"),
        (stored().mailer(Email::new().from("a@b.example").id("own"), HttpService::resend()), "AUTH_OWN_KEY"),
        (
            stored()
                .mailer(Email::new().from("a@b.example"), HttpService::resend().key("k"))
                .mail_template(MailTemplate::Html, "{{ nothing }}"),
            "`mail_template`",
        ),
        (bare().theme(Theme::new().brand_color("blue")), "`theme`"),
        (bare().style("p {} </style>"), "`style`"),
        (bare().template(TemplateName::SignIn, "{% if %}"), "`template`: template sign_in"),
        (bare().provider(GITHUB.client("", "secret")), "AUTH_GITHUB_ID"),
        (bare().provider(GITHUB.client("id", "")), "AUTH_GITHUB_SECRET"),
        (bare().provider(AUTH0.client("id", "secret")), ".with(\"domain\""),
        (bare().provider(Provider::oidc("x", "X", "http://idp.example").client("i", "s")), "https"),
        (bare().provider(Provider::oidc("x", "X", "javascript:x").client("i", "s")), ".issuer("),
        (bare().provider(Provider::oidc("x", "X", "ftp://idp.example").client("i", "s")), "https"),
        (bare().provider(Provider::oidc("x", "X", "https://u:p@idp.example").client("i", "s")), "user name"),
        (
            bare().provider(Provider::oidc("x", "X", "https://idp.example").client("i", "s").checks(&[])),
            ".checks(",
        ),
        (bare().redirect_proxy_url("proxy"), "AUTH_REDIRECT_PROXY_URL"),
        (bare().pages(PagePaths::new().sign_in("login")), "sign_in"),
        (bare().pages(PagePaths::new().sign_out("//evil.example")), "sign_out"),
        (bare().pages(PagePaths::new().error("javascript:x")), "error"),
        (bare().pages(PagePaths::new().verify_request("/\\evil.example")), "verify_request"),
        (bare().pages(PagePaths::new().new_user("/a\r\nb")), "new_user"),
        (bare().session_max_age(Duration::from_millis(999)), "`session_max_age`"),
        (bare().session_max_age(max), "`session_max_age`"),
        (bare().jwt_update_age(max), "`jwt_update_age`"),
        (bare().cookie(CookieKind::SessionToken, CookieOptions::new().name("a b")), "cookie"),
        (bare().cookie(CookieKind::SessionToken, CookieOptions::new().name("")), "cookie"),
        (bare().cookie(CookieKind::SessionToken, CookieOptions::new().name("authjs.state")), "cookie"),
        (
            bare().cookie(CookieKind::SessionToken, CookieOptions::new().path("/; Domain=evil.example")),
            "cookie",
        ),
        (bare().cookie(CookieKind::SessionToken, CookieOptions::new().domain("a\r\nb")), "cookie"),
        (bare().cookie(CookieKind::CsrfToken, CookieOptions::new().domain("example.com")), "__Host-"),
        (bare().cookie(CookieKind::CsrfToken, CookieOptions::new().path("/auth")), "__Host-"),
    ];
    for (index, (builder, named)) in table.into_iter().enumerate() {
        let problems = problems(builder);
        assert_eq!(problems.len(), 1, "{index}: {problems:?}");
        assert!(problems[0].contains(named), "{index}: {named} is not named in {problems:?}");
    }
}

#[test]
fn weak_secret_is_refused() {
    for secret in ["", "hunter2", &"x".repeat(31)] {
        let error = refused(bare().secret(secret));
        assert_eq!(error.problems()[0].kind, ErrorKind::MissingSecret);
        assert!(secret.is_empty() || !error.to_string().contains(secret));
        assert!(error.to_string().contains("AUTH_SECRET"));
    }
    // An old one may be short, as long as it is not empty: people sign in with the new one.
    assert!(bare().secrets([SECRET, "old"]).build().is_ok());
}

#[tokio::test]
async fn wrong_configuration_answers_and_lets_nobody_in() {
    let core = std::sync::Arc::new(refused(empty().pages(PagePaths::new())).into_core());
    assert_eq!(core.base_path(), "/api/auth");
    let mut browser = Browser::of(&core, SITE);
    for path in ["signin", "signout", "error", "verify-request"] {
        let answer = browser.get(path).await;
        assert_eq!(
            (answer.status().as_u16(), answer.header("content-type")),
            (500, Some("text/html; charset=utf-8"))
        );
    }
    for path in ["session", "csrf", "providers", "callback/idp"] {
        let answer = browser.get(path).await;
        assert_eq!(
            (answer.status().as_u16(), answer.header("content-type")),
            (500, Some("application/json"))
        );
        assert!(answer.json()["message"].is_string() && answer.json().get("user").is_none());
    }
    assert_eq!(browser.post_form("signin/idp", &[]).await.status(), 500);
    assert_eq!(browser.get("nope").await.status(), 400);

    let core = std::sync::Arc::new(refused(empty().pages(PagePaths::new().error("/oops"))).into_core());
    let mut browser = Browser::of(&core, SITE);
    assert!(browser.get("signin").await.location().ends_with("/oops?error=Configuration"));
    // Not in circles.
    assert_eq!(browser.get("signin?callbackUrl=/oops").await.status(), 500);
}

#[tokio::test]
async fn environment_fills_in_what_the_application_has_not_said() {
    let clock = ManualClock::new();
    let idp = Idp::new("https://idp.example", &clock);
    let environment = Environment::from([
        ("AUTH_SECRET", SECRET),
        ("AUTH_URL", "https://app.example.com/auth"),
        ("AUTH_GITHUB_ID", "the id"),
        ("AUTH_GITHUB_SECRET", "the secret"),
        ("AUTH_ACME_IDP_ID", "the client"),
        ("AUTH_ACME_IDP_SECRET", "the client's secret"),
        ("AUTH_KEYCLOAK_ID", "the client"),
        ("AUTH_KEYCLOAK_SECRET", "the client's secret"),
        ("AUTH_KEYCLOAK_ISSUER", "https://idp.example"),
    ]);
    let auth = Auth::builder()
        .environment(environment.clone())
        .clock(clock.clone())
        .http_client(idp.clone())
        .provider(GITHUB)
        .provider(hallpass::providers::KEYCLOAK)
        .provider(Provider::oidc("acme-idp", "Acme", "https://idp.example"))
        .build()
        .unwrap();
    assert_eq!(auth.base_path(), "/auth");
    let mut browser = browse(&auth);
    assert_eq!(browser.start("github").await.location_parameter("client_id").unwrap(), "the id");
    for provider in ["acme-idp", "keycloak"] {
        assert_eq!(browser.sign_in(provider, &idp).await.location(), SITE);
    }
    // What the application says wins.
    let auth = Auth::builder()
        .environment(environment)
        .url("https://other.example.com/api/auth")
        .provider(GITHUB.client("mine", "secret"))
        .build()
        .unwrap();
    let start = Browser::new(&auth, "https://other.example.com").start("github").await;
    assert_eq!(start.location_parameter("client_id").unwrap(), "mine");
    assert_eq!(
        start.location_parameter("redirect_uri").unwrap(),
        "https://other.example.com/api/auth/callback/github"
    );
}

fn of_environment(variables: &[(&str, &str)]) -> Result<Auth, ConfigError> {
    let map = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let environment = Environment::from(map.collect::<std::collections::HashMap<_, _>>());
    let authorize = async |_, ()| Ok(Some(User::new("1").with_name("Ali")));
    Auth::builder().environment(environment).credentials(Credentials::new(), authorize).build()
}

#[tokio::test]
async fn secrets_of_the_environment_are_newest_first() {
    let (old, new) = ("the old secret, 32 characters long", "the new secret, 32 characters long");
    let url = ("AUTH_URL", SITE);
    let before = of_environment(&[("AUTH_SECRET", old), url]).unwrap();
    let mut browser = browse(&before);
    browser.sign_in_with_credentials(&[]).await;
    let cookie = format!("{}={}", crate::site::SESSION, browser.cookie(crate::site::SESSION).unwrap());
    let name = async |auth: &Auth| {
        browse(auth).with_header("cookie", &cookie).session().await["user"]["name"].clone()
    };
    for variable in ["AUTH_SECRET_1", "AUTH_SECRET_2", "AUTH_SECRET_3"] {
        let rotated = of_environment(&[(variable, new), ("AUTH_SECRET", old), url]).unwrap();
        assert_eq!(name(&rotated).await, "Ali");
        let mut fresh = browse(&rotated);
        fresh.sign_in_with_credentials(&[]).await;
        let after = of_environment(&[("AUTH_SECRET", new), url]).unwrap();
        let cookie = format!("{}={}", crate::site::SESSION, fresh.cookie(crate::site::SESSION).unwrap());
        assert_eq!(browse(&after).with_header("cookie", &cookie).session().await["user"]["name"], "Ali");
    }
    assert_eq!(name(&of_environment(&[("AUTH_SECRET", new), url]).unwrap()).await, serde_json::Value::Null);
    assert_eq!(
        name(&of_environment(&[("NEXTAUTH_SECRET", old), ("NEXTAUTH_URL", SITE)]).unwrap()).await,
        "Ali"
    );
    // Empty is not set.
    assert_eq!(
        name(&of_environment(&[("AUTH_SECRET_1", ""), ("AUTH_SECRET", old), url]).unwrap()).await,
        "Ali"
    );
    assert!(of_environment(&[("AUTH_SECRET", ""), url]).is_err());
}

#[tokio::test]
async fn trust_in_the_host_is_read_as_people_mean_it() {
    for (value, trusted) in [
        ("true", true),
        ("1", true),
        ("yes", true),
        ("false", false),
        ("0", false),
        ("no", false),
        ("FALSE", false),
        ("off", false),
    ] {
        let auth = of_environment(&[("AUTH_SECRET", SECRET), ("AUTH_TRUST_HOST", value)]).unwrap();
        let status = Browser::new(&auth, "https://any.example").get("session").await.status();
        assert_eq!(status == 200, trusted, "{value}");
    }
    let auth = of_environment(&[("AUTH_SECRET", SECRET)]).unwrap();
    assert_eq!(Browser::new(&auth, "https://any.example").get("session").await.status(), 500);
}

#[tokio::test]
async fn environments_of_two_configurations_do_not_mix() {
    let site = Site::new();
    let one = of_environment(&[("AUTH_SECRET", SECRET), ("AUTH_URL", SITE)]).unwrap();
    let two =
        of_environment(&[("AUTH_SECRET", "another secret, 32 characters long"), ("AUTH_URL", SITE)]).unwrap();
    let mut browser = browse(&one);
    browser.sign_in_with_credentials(&[]).await;
    let cookie = format!("{}={}", crate::site::SESSION, browser.cookie(crate::site::SESSION).unwrap());
    assert_eq!(browse(&two).with_header("cookie", &cookie).session().await, serde_json::Value::Null);
    drop(site);
}
