//! The words of next-auth 4, where they are the only ones.

use std::sync::{Arc, Mutex};

use hallpass::jose::TokenKeys;
use hallpass::testkit::{Answer, Browser};
use hallpass::{
    Auth, Builder, ClientLog, Compat, Credentials, Dialect, Email, Environment, Event, Secret, SignIn,
    Timestamp, User,
};
use http::StatusCode;
use http::header::LOCATION;
use serde_json::{Map, Value, json};

use crate::site::{Log, PASSWORD, SECRET, SITE, Site, browse, password_form, raw, signed_in};

const SESSION: &str = "__Secure-next-auth.session-token";

fn v4(site: &Site) -> Auth {
    site.builder().dialects([Dialect::V4]).build().unwrap()
}

/// Where a client of v4 is told to go.
fn url(answer: &Answer) -> String {
    assert_eq!(answer.header(LOCATION), None);
    answer.json()["url"].as_str().unwrap().to_owned()
}

async fn submit_as_json(browser: &mut Browser, address: &str, fields: &[(&str, &str)]) -> Answer {
    browser.submit(address, &[&[("json", "true")], fields].concat()).await
}

fn claims(browser: &Browser) -> Map<String, Value> {
    let keys = TokenKeys::derive(Dialect::V4, &[Secret::from(SECRET)], "");
    keys.open_claims(browser.cookie(SESSION).unwrap(), Timestamp::from_seconds(0)).unwrap()
}

#[tokio::test]
async fn cookies_have_the_names_of_v4_and_the_session_its_format() {
    let site = Site::new();
    let auth = v4(&site);
    let browser = signed_in(&auth).await;
    let names: Vec<_> = browser.cookies().iter().map(|cookie| cookie.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "__Host-next-auth.csrf-token",
            "__Secure-next-auth.callback-url",
            "__Secure-next-auth.session-token"
        ]
    );
    assert_eq!(claims(&browser)["sub"], "1");
}

#[tokio::test]
async fn nobody_is_an_empty_object() {
    let site = Site::new();
    let mut browser = browse(&v4(&site));
    assert_eq!(browser.session().await, json!({}));
    let refused = browser.post_json("session", &json!({ "data": {} })).await;
    assert_eq!((refused.status(), refused.json()), (StatusCode::BAD_REQUEST, json!({})));
}

#[tokio::test]
async fn a_form_with_json_is_told_where_to_go() {
    let site = Site::new();
    let auth = v4(&site);
    let mut browser = browse(&auth);
    let answer = submit_as_json(&mut browser, "callback/credentials", PASSWORD).await;
    assert_eq!((answer.status(), url(&answer)), (StatusCode::OK, SITE.to_owned()));
    let answer = submit_as_json(&mut browser, "signout", &[("callbackUrl", "/bye")]).await;
    assert_eq!((answer.status(), url(&answer)), (StatusCode::OK, format!("{SITE}/bye")));
    let answer = submit_as_json(&mut browser, "signin/idp", &[]).await;
    assert!(url(&answer).starts_with("https://idp.example/authorize?"));
}

#[tokio::test]
async fn only_the_text_true_in_the_body_asks_for_json() {
    let site = Site::new();
    let mut browser = browse(&v4(&site));
    let token = browser.csrf().await;
    for json in [json!(true), json!("1"), json!(["true"])] {
        let body = json!({ "csrfToken": token, "password": "open sesame", "json": json });
        assert_eq!(
            browser.post_json("callback/credentials", &body).await.status(),
            StatusCode::FOUND,
            "{json}"
        );
    }
    let answer = browser.submit("callback/credentials?json=true", PASSWORD).await;
    assert_eq!(answer.status(), StatusCode::FOUND);
    let mut of_v5 = browse(&v4(&site)).with_header("x-auth-return-redirect", "1");
    assert_eq!(of_v5.sign_in_with_credentials(PASSWORD).await.status(), StatusCode::FOUND);
}

#[tokio::test]
async fn refusals_have_the_codes_and_statuses_of_v4() {
    let site = Site::new();
    let auth = v4(&site);
    let mut browser = browse(&auth);
    let wrong = [("password", "wrong")];
    let error = format!("{SITE}/api/auth/error?error=CredentialsSignin&provider=credentials");
    let answer = submit_as_json(&mut browser, "callback/credentials", &wrong).await;
    assert_eq!((answer.status(), url(&answer)), (StatusCode::UNAUTHORIZED, error.clone()));
    assert_eq!(browser.submit("callback/credentials", &wrong).await.location(), error);
    // What the person can mend is shown by the sign-in page.
    let page = browser.get(&error).await;
    assert_eq!(page.location(), format!("{SITE}/api/auth/signin?error=CredentialsSignin"));

    let denying = site.builder().dialects([Dialect::V4]).sign_in(async |_, ()| Ok(false)).build().unwrap();
    let mut browser = browse(&denying);
    let error = format!("{SITE}/api/auth/error?error=AccessDenied");
    let answer = submit_as_json(&mut browser, "callback/credentials", PASSWORD).await;
    assert_eq!((answer.status(), url(&answer)), (StatusCode::FORBIDDEN, error.clone()));
    assert_eq!(browser.get(&error).await.status(), StatusCode::FORBIDDEN);
    let returning = site.idp.authorize(browser.start("idp").await.location());
    let answer = browser.come_back(&returning).await;
    assert_eq!(answer.location(), error);
    // The checks were good and are used up.
    assert!(browser.cookies().iter().all(|cookie| !cookie.name.ends_with("state")));
}

#[tokio::test]
async fn a_missing_csrf_token_leads_back_to_the_form() {
    let site = Site::new();
    let mut browser = signed_in(&v4(&site)).await;
    for (address, page) in
        [("callback/credentials", "signin"), ("signin/idp", "signin"), ("signout", "signout")]
    {
        let answer = browser.post_form(address, &[("json", "true"), ("password", "open sesame")]).await;
        assert_eq!(url(&answer), format!("{SITE}/api/auth/{page}?csrf=true"));
        assert!(!answer.cookie_names().contains(&SESSION));
    }
    assert_eq!(browser.session().await["user"]["name"], "Ali");
}

#[tokio::test]
async fn what_there_is_not_is_a_bare_400() {
    let site = Site::new();
    let mut browser = browse(&v4(&site));
    for (method, target) in [
        ("GET", "nope"),
        ("PUT", "session"),
        ("GET", "webauthn-options/idp"),
        ("GET", "callback/nobody"),
        ("GET", "_log"),
        ("POST", "providers"),
        ("POST", "csrf"),
    ] {
        let answer = raw(&mut browser, method, &format!("/api/auth/{target}"), "json=true").await;
        assert_eq!((answer.status(), answer.text()), (StatusCode::BAD_REQUEST, "Bad request."), "{target}");
        assert!(answer.set_cookies().is_empty(), "{target}");
    }
}

#[tokio::test]
async fn failures_at_a_provider_have_the_codes_of_v4() {
    let site = Site::new();
    let mut browser = browse(&v4(&site));
    let start = browser.start("idp").await;
    let state = start.location_parameter("state").unwrap();
    let refused =
        browser.get(&format!("callback/idp?error=access_denied&iss=https://idp.example&state={state}")).await;
    assert_eq!(refused.location(), format!("{SITE}/api/auth/error?error=Callback"));
    let forged = browser.get("callback/idp?code=x&state=forged").await;
    assert_eq!(forged.location(), format!("{SITE}/api/auth/error?error=OAuthCallback"));
}

#[tokio::test]
async fn openid_providers_are_of_type_oauth() {
    let site = Site::new();
    let log = Log::default();
    let auth = site.builder_with(log.clone()).dialects([Dialect::V4]);
    let auth = auth.sign_in(async |event: SignIn, log: Log| {
        log.add(serde_json::to_value(&event.account)?["type"].to_string());
        Ok(true)
    });
    let mut browser = browse(&auth.build().unwrap());
    assert_eq!(browser.get("providers").await.json()["idp"]["type"], "oauth");
    browser.sign_in("idp", &site.idp).await;
    assert_eq!(log.take(), [r#""oauth""#]);
}

#[tokio::test]
async fn somebody_without_a_row_has_the_id_of_their_provider() {
    let site = Site::new();
    let mut browser = browse(&v4(&site));
    browser.sign_in("idp", &site.idp).await;
    assert_eq!(claims(&browser)["sub"], "ada");
}

#[tokio::test]
async fn a_row_has_an_id_of_our_own() {
    let site = Site::new();
    let log = Log::default();
    let auth = site.builder_with(log.clone()).dialects([Dialect::V4]).store(site.store.clone());
    let auth = auth.sign_in(async |event: SignIn, log: Log| {
        log.add(event.user.id);
        Ok(true)
    });
    browse(&auth.build().unwrap()).sign_in("idp", &site.idp).await;
    assert_eq!(log.take(), ["ada"]);
    let rows = site.store.rows();
    assert_eq!(rows.users[0].id.len(), 36);
    assert_eq!(rows.accounts[0].user_id.as_deref(), Some(rows.users[0].id.as_str()));
}

#[tokio::test]
async fn somebody_with_a_link_is_called_by_their_address_until_there_is_a_row() {
    let site = Site::new();
    let log = Log::default();
    let links = Arc::new(Mutex::new(Vec::new()));
    let sent = Arc::clone(&links);
    let auth = site.builder_with(log.clone()).dialects([Dialect::V4]).store(site.store.clone());
    let auth = auth
        .compat(Compat::new().magic_link(true))
        .email(Email::new(), move |mail, _| {
            sent.lock().unwrap().push(mail.url);
            async { Ok(()) }
        })
        .sign_in(async |event: SignIn, log: Log| {
            log.add(event.user.id);
            Ok(true)
        });
    let mut browser = browse(&auth.build().unwrap());
    for _ in 0..2 {
        browser.submit("signin/email", &[("email", "eva@example.com")]).await;
        let link = links.lock().unwrap().pop().unwrap();
        assert_eq!(browser.get(&link).await.location(), SITE);
    }
    let id = site.store.rows().users[0].id.clone();
    assert_eq!(id.len(), 36);
    assert_eq!(log.take(), ["eva@example.com", "eva@example.com", id.as_str(), id.as_str()]);

    let refused = browser.submit("signin/email", &[("email", "eva@nodot")]).await;
    assert_eq!(refused.location(), format!("{SITE}/api/auth/error?error=EmailSignin"));
}

#[tokio::test]
async fn ids_that_are_numbers_stay_numbers() {
    let seen = |dialect: Dialect| async move {
        let site = Site::new();
        let log = Log::default();
        let ids = Credentials::new().id("ids");
        let auth = site.builder_with(log.clone()).dialects([dialect]);
        let auth = auth.credentials(ids, async |_, _| Ok(Some(User::from_json(json!({ "id": 42 }))?)));
        let auth = auth.on_event(async |event: Event, log: Log| {
            log.add(serde_json::to_string(&event)?);
            Ok(())
        });
        let mut browser = browse(&auth.build().unwrap());
        browser.submit("callback/ids", &[]).await;
        let event: Value = serde_json::from_str(&log.take()[0]).unwrap();
        (event["user"]["id"].clone(), event["account"]["providerAccountId"].clone())
    };
    assert_eq!(seen(Dialect::V4).await, (json!(42), json!(42)));
    assert_eq!(seen(Dialect::V5).await, (json!("42"), json!("42")));
}

/// What an application hears of clients.
fn reporting(site: &Site) -> (Auth, Arc<Mutex<Vec<ClientLog>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let logs = Arc::clone(&heard);
    let auth = site.builder().dialects([Dialect::V4]);
    let auth = auth.on_client_log(move |log, _| logs.lock().unwrap().push(log.clone()));
    (auth.build().unwrap(), heard)
}

#[tokio::test]
async fn clients_report_to_log_without_a_token_and_change_nothing() {
    let site = Site::new();
    let (auth, heard) = reporting(&site);
    let mut browser = browse(&auth);
    let fields = [("level", "warn"), ("code", "CLIENT_FETCH_ERROR"), ("message", "no\nnetwork")];
    let answer = browser.post_form("_log", &fields).await;
    assert_eq!((answer.status(), answer.text()), (StatusCode::OK, ""));
    assert!(answer.set_cookies().is_empty());
    let [log] = heard.lock().unwrap().clone().try_into().unwrap();
    assert_eq!((log.level, log.code.as_str()), ("warn", "CLIENT_FETCH_ERROR"));
    assert_eq!(log.fields["message"], "no\nnetwork");
}

#[tokio::test]
async fn a_report_is_bounded_and_names_no_level_or_code_of_its_own() {
    let site = Site::new();
    let (auth, heard) = reporting(&site);
    let mut browser = browse(&auth);
    let mut body = json!({ "level": "fatal", "code": format!("x\r\nINJECTED{}", "A".repeat(5000)), "long": "x".repeat(3000) });
    for number in 0..100 {
        body[format!("field{number}")] = json!("y".repeat(number));
    }
    assert_eq!(browser.post_json("_log", &body).await.status(), StatusCode::OK);
    assert_eq!(browser.post_json("_log", &json!(["no", "object"])).await.status(), StatusCode::OK);
    let [log, empty] = heard.lock().unwrap().clone().try_into().unwrap();
    assert_eq!((log.level, log.code.len()), ("error", 64));
    assert!(log.code.bytes().all(|byte| byte.is_ascii_uppercase()), "{}", log.code);
    assert!(log.fields.len() <= 16 && !log.fields.contains_key("long"));
    assert!(json!(log.fields).to_string().len() <= 4096);
    assert!(empty.code.is_empty() && empty.fields.is_empty());
}

#[tokio::test]
async fn v5_alone_knows_none_of_this() {
    let site = Site::new();
    let mut browser = browse(&site.builder().build().unwrap());
    let answer = browser.post_form("_log", &[("level", "error")]).await;
    assert_eq!((answer.status(), answer.json()), (StatusCode::BAD_REQUEST, json!("Bad request.")));
    let answer = submit_as_json(&mut browser, "callback/credentials", PASSWORD).await;
    assert_eq!((answer.status(), answer.location()), (StatusCode::FOUND, SITE));
}

#[tokio::test]
async fn a_trusted_proxy_that_names_no_scheme_means_https() {
    let auth = |dialect| -> Auth {
        let builder: Builder = Auth::builder().environment(Environment::empty()).secret(SECRET);
        let form = builder.credentials(password_form(), async |_, ()| Ok(None));
        form.dialects([dialect]).trust_host(true).build().unwrap()
    };
    let callback = async |dialect, headers: &[(&str, &str)]| {
        let mut browser = Browser::new(&auth(dialect), "http://inside.example");
        for (name, value) in headers {
            browser = browser.with_header(name, value);
        }
        browser.get("providers").await.json()["credentials"]["callbackUrl"].as_str().unwrap().to_owned()
    };
    let forwarded = [("x-forwarded-host", "app.example.com")];
    let rest = "app.example.com/api/auth/callback/credentials";
    assert_eq!(callback(Dialect::V4, &forwarded).await, format!("https://{rest}"));
    assert_eq!(callback(Dialect::V5, &forwarded).await, format!("http://{rest}"));
    let plain = [forwarded[0], ("x-forwarded-proto", "http")];
    assert_eq!(callback(Dialect::V4, &plain).await, format!("http://{rest}"));
}

#[tokio::test]
async fn the_variables_of_v4_are_read() {
    let environment = Environment::from([
        ("NEXTAUTH_URL", "https://app.example.com/base/auth"),
        ("NEXTAUTH_SECRET", SECRET),
    ]);
    let builder: Builder = Auth::builder().environment(environment).dialects([Dialect::V4]);
    let auth = builder.credentials(password_form(), async |_, ()| Ok(Some(User::new("1")))).build().unwrap();
    assert_eq!(auth.base_path(), "/base/auth");
    // Whatever the headers say.
    let mut browser =
        Browser::new(&auth, "http://evil.example").with_header("x-forwarded-host", "evil.example");
    let providers = browser.get("providers").await.json();
    assert_eq!(providers["credentials"]["signinUrl"], "https://app.example.com/base/auth/signin/credentials");
    let mut browser = browse(&auth);
    browser.sign_in_with_credentials(PASSWORD).await;
    assert_eq!(claims(&browser)["sub"], "1");
}

#[tokio::test]
async fn a_session_is_cut_as_v4_cuts_it() {
    let site = Site::new();
    let large = Credentials::new().id("large");
    let auth = site
        .builder()
        .dialects([Dialect::V4])
        .credentials(large, async |_, ()| Ok(Some(User::new("1").with_name("n".repeat(5000)))));
    let mut browser = browse(&auth.build().unwrap());
    let answer = browser.submit("callback/large", &[]).await;
    let first = answer.set_cookies()[0].split(';').next().unwrap();
    assert_eq!(
        first.split_once('=').map(|(name, value)| (name.len() - SESSION.len(), value.len())),
        Some((2, 3933))
    );
}
