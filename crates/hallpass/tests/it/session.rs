//! `/session`, and the callbacks that extend it.

use std::time::Duration;

use hallpass::testkit::Browser;
use hallpass::{Auth, Builder, ErrorKind, Jwt, JwtDecision, SessionEvent};
use http::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::site::{Log, PASSWORD, SECRET, SESSION, SITE, Site, bare, browse, signed_in};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Claims {
    role: String,
    company: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    company_id: u32,
}

/// An application that writes down what its callbacks are given.
fn app(site: &Site, log: &Log) -> Builder<Log, Claims> {
    site.builder_with(log.clone())
        .sign_in(async |event, log: Log| {
            log.add(format!("signIn {}", serde_json::to_string(&event)?));
            Ok(true)
        })
        .jwt(async |event: Jwt<Claims, Update>, log: Log| {
            log.add(format!("jwt {}", serde_json::to_string(&event)?));
            Ok(match event {
                Jwt::SignIn(_) => Some(Claims { role: "reader".into(), company: None }),
                Jwt::Update(it) => Some(Claims { company: Some(it.update.company_id), ..it.claims }),
                Jwt::Read(it) => Some(it.claims),
            })
        })
        .session(async |event: SessionEvent<Claims>, log: Log| {
            log.add(format!("session {}", serde_json::to_string(&event)?));
            Ok(json!({ "user": event.user.public(), "company": event.claims.company }))
        })
        .on_event(async |event, log: Log| {
            log.add(format!("event {} {}", event.name(), serde_json::to_string(&event)?));
            Ok(())
        })
}

type Decide<C> = fn(Jwt<C, Update>) -> Result<JwtDecision<C>, hallpass::Error>;

/// An application whose `jwt` callback does as a function says.
fn deciding<C>(site: &Site, decide: Decide<C>) -> Builder<Decide<C>, C>
where
    C: Serialize + for<'de> Deserialize<'de> + Send + 'static,
{
    site.builder_with(decide).jwt(async |event: Jwt<C, Update>, decide: Decide<C>| Ok(decide(event)?))
}

fn names(log: &Log) -> Vec<String> {
    log.take().iter().map(|line| line.split(" {").next().unwrap().to_owned()).collect()
}

pub(crate) fn parts_of(browser: &Browser) -> http::request::Parts {
    let cookies: Vec<_> =
        browser.cookies().iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
    let request = Request::get("/page").header("cookie", cookies.join("; "));
    request.body(()).unwrap().into_parts().0
}

#[tokio::test]
async fn nobody_is_null_and_no_callback_runs() {
    let (site, log) = (Site::new(), Log::default());
    let auth = app(&site, &log).build().unwrap();
    let mut browser = browse(&auth);
    let answer = browser.get("session").await;
    assert_eq!((answer.status().as_u16(), answer.text()), (200, "null"));
    assert_eq!(answer.cookie_names(), ["__Host-authjs.csrf-token", "__Secure-authjs.callback-url"]);
    assert_eq!(log.take(), Vec::<String>::new());
}

#[tokio::test]
async fn callbacks_and_events_run_in_their_order() {
    let (site, log) = (Site::new(), Log::default());
    let auth = app(&site, &log).build().unwrap();
    let mut browser = signed_in(&auth).await;
    assert_eq!(names(&log), ["signIn", "jwt", "event signIn"]);
    browser.session().await;
    assert_eq!(names(&log), ["jwt", "session", "event session"]);
    browser.update(&json!({ "companyId": 7 })).await;
    assert_eq!(names(&log), ["jwt", "session", "event session"]);
    browser.sign_out().await;
    assert_eq!(names(&log), ["event signOut"]);
    browser.sign_in("idp", &site.idp).await;
    assert_eq!(names(&log), ["signIn", "jwt", "event signIn"]);
    auth.session(&parts_of(&browser)).await.unwrap().unwrap();
    assert_eq!(names(&log), ["jwt"]);
}

#[tokio::test]
async fn callbacks_get_what_auth_js_gives_them() {
    let (site, log) = (Site::new(), Log::default());
    let auth = app(&site, &log).build().unwrap();
    let mut browser = signed_in(&auth).await;
    let lines = log.take();
    let arguments = |line: &str| {
        let (_, arguments) = line.split_once(" {").unwrap();
        serde_json::from_str::<Value>(&format!("{{{arguments}")).unwrap()
    };
    let user = json!({ "id": "1", "name": "Ali", "email": "ali@example.com" });
    let account = json!({ "provider": "credentials", "type": "credentials", "providerAccountId": "1" });
    let mut sign_in = arguments(&lines[0]);
    let token = sign_in["credentials"].as_object_mut().unwrap().remove("csrfToken").unwrap();
    assert_eq!(token.as_str().unwrap().len(), 64);
    let credentials = json!({ "username": "ali", "password": "open sesame" });
    assert_eq!(sign_in, json!({ "user": user, "account": account, "credentials": credentials }));
    assert_eq!(
        arguments(&lines[1]),
        json!({
            "token": { "name": "Ali", "email": "ali@example.com", "sub": "1" },
            "user": user, "account": account, "isNewUser": false, "trigger": "signIn",
        })
    );
    assert_eq!(arguments(&lines[2]), json!({ "user": user, "account": account }));

    let shown = browser.session().await;
    let lines = log.take();
    let mut read = arguments(&lines[0]);
    let token = read["token"].as_object_mut().unwrap();
    assert_eq!(token.remove("jti").unwrap().as_str().unwrap().len(), 36);
    let start = 1_795_168_800;
    assert_eq!(
        read,
        json!({ "token": {
            "sub": "1", "name": "Ali", "email": "ali@example.com", "role": "reader", "company": null,
            "iat": start, "exp": start + 30 * 24 * 60 * 60,
        } })
    );
    let session = arguments(&lines[1]);
    assert_eq!(
        session["session"],
        json!({ "user": { "name": "Ali", "email": "ali@example.com" }, "expires": shown["expires"] })
    );
    assert_eq!(session["token"]["role"], "reader");
    assert_eq!(arguments(&lines[2])["session"], shown);

    browser.update(&json!({ "companyId": 7, "more": true })).await;
    let update = arguments(&log.take()[0]);
    assert_eq!(
        (&update["trigger"], &update["session"]),
        (&json!("update"), &json!({ "companyId": 7, "more": true }))
    );
    browser.sign_out().await;
    assert_eq!(arguments(&log.take()[0])["token"]["company"], 7);
    browser.sign_in("idp", &site.idp).await;
    let provider = arguments(&log.take()[1]);
    assert_eq!((&provider["profile"]["sub"], &provider["account"]["type"]), (&json!("ada"), &json!("oidc")));
    // Without a store nobody knows who is new.
    assert_eq!(provider.get("isNewUser"), None);
}

#[tokio::test]
async fn browser_sees_what_the_session_callback_shows_and_nothing_else() {
    let (site, log) = (Site::new(), Log::default());
    let auth = app(&site, &log).build().unwrap();
    let mut browser = signed_in(&auth).await;
    let expires = "2026-12-20T10:00:00.000Z";
    let expected =
        json!({ "user": { "name": "Ali", "email": "ali@example.com" }, "company": null, "expires": expires });
    assert_eq!(browser.session().await, expected);

    let auth = site.builder().build().unwrap();
    let mut browser = signed_in(&auth).await;
    assert_eq!(
        browser.session().await,
        json!({ "user": { "name": "Ali", "email": "ali@example.com" }, "expires": expires })
    );
}

#[tokio::test]
async fn handlers_get_the_claims_as_their_type() {
    let (site, log) = (Site::new(), Log::default());
    let auth = app(&site, &log).build().unwrap();
    let mut browser = signed_in(&auth).await;
    browser.update(&json!({ "companyId": 7 })).await;
    let session = auth.session(&parts_of(&browser)).await.unwrap().unwrap();
    assert_eq!(session.claims, Claims { role: "reader".into(), company: Some(7) });
    assert_eq!((session.user.id.as_str(), session.user.name.as_deref()), ("1", Some("Ali")));
    assert!(auth.session(&parts_of(&browser.other())).await.unwrap().is_none());
    let read = auth.read(&parts_of(&browser)).await.unwrap();
    assert_eq!(read.set_cookies().count(), 1);
}

#[tokio::test]
async fn jwt_callback_may_end_the_session() {
    let site = Site::new();
    let auth = app(&site, &Log::default()).build().unwrap();
    let mut browser = signed_in(&auth).await;
    let ends = deciding::<Claims>(&site, |_| Ok(JwtDecision::End)).build().unwrap();
    let mut ended = moved(&browser, &ends);
    let answer = ended.get("session").await;
    assert_eq!((answer.text(), ended.cookie(SESSION)), ("null", None));
    let mut ended = moved(&browser, &ends);
    let answer = ended.update(&json!({ "companyId": 1 })).await;
    assert_eq!((answer.status().as_u16(), answer.text(), ended.cookie(SESSION)), (200, "null", None));
    let read = ends.read(&parts_of(&browser)).await.unwrap();
    assert!(read.session.is_none());
    assert!(read.set_cookies().all(|cookie| cookie.to_str().unwrap().contains("Max-Age=0")));
    // At sign-in nobody gets one.
    let mut fresh = browse(&ends);
    assert_eq!(fresh.sign_in_with_credentials(PASSWORD).await.location(), SITE);
    assert_eq!(fresh.cookie(SESSION), None);
    assert_eq!(browser.session().await["user"]["name"], "Ali");
}

/// The same cookies in front of another configuration.
pub(crate) fn moved<C>(browser: &Browser, auth: &Auth<C>) -> Browser {
    let mut moved = browse(auth);
    for cookie in browser.cookies() {
        let host = if cookie.name.starts_with("__") { "; Secure" } else { "" };
        moved.plant(&format!("{}={}; Path=/{host}", cookie.name, cookie.value));
    }
    moved
}

#[tokio::test]
async fn error_of_the_jwt_callback_signs_out_and_is_reported() {
    let (site, log) = (Site::new(), Log::default());
    let auth = app(&site, &Log::default()).build().unwrap();
    let browser = signed_in(&auth).await;
    let errors = log.clone();
    let fails = deciding::<Claims>(&site, |_| Err(hallpass::Error::new(ErrorKind::Callback, "no such user")))
        .on_error(move |error, _| errors.add(error.to_string()))
        .build()
        .unwrap();
    let mut failed = moved(&browser, &fails);
    assert_eq!(failed.session().await, json!(null));
    assert_eq!(failed.cookie(SESSION), None);
    assert_eq!(log.take(), ["JWTSessionError: the jwt callback failed"]);
    assert!(fails.session(&parts_of(&browser)).await.unwrap().is_none());
    log.take();
    let mut fresh = browse(&fails);
    assert!(fresh.sign_in_with_credentials(PASSWORD).await.is_error("Configuration"));
    assert_eq!(fresh.cookie(SESSION), None);
}

#[tokio::test]
async fn panic_of_a_callback_is_503_and_touches_no_cookie() {
    let site = Site::new();
    let auth = app(&site, &Log::default()).build().unwrap();
    let browser = signed_in(&auth).await;
    let session = browser.cookie(SESSION).unwrap();
    let jwt = deciding::<Claims>(&site, |_| panic!("in jwt")).build().unwrap();
    let shown = deciding::<Claims>(&site, |event| match event {
        Jwt::Read(it) => Ok(Some(it.claims).into()),
        _ => Ok(JwtDecision::End),
    });
    let panics = async |_: SessionEvent<Claims>, _| -> Result<Value, _> { panic!("in session") };
    let shown = shown.session(panics).build().unwrap();
    for auth in [&jwt, &shown] {
        let mut browser = moved(&browser, auth);
        let answer = browser.get("session").await;
        assert_eq!((answer.status().as_u16(), answer.header("retry-after")), (503, Some("5")));
        assert_eq!(answer.set_cookies(), Vec::<&str>::new());
        assert_eq!(browser.cookie(SESSION), Some(session));
    }
    let error = jwt.session(&parts_of(&browser)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let answer = browse(&jwt).sign_in_with_credentials(PASSWORD).await;
    assert_eq!((answer.status().as_u16(), answer.set_cookies()), (503, vec![]));
}

#[tokio::test]
async fn session_callback_that_shows_nothing_leaves_the_session_alone() {
    let site = Site::new();
    let auth = site.builder().session(async |_, ()| Ok(None::<Value>)).build().unwrap();
    let mut browser = signed_in(&auth).await;
    assert_eq!(browser.session().await, json!(null));
    assert!(browser.cookie(SESSION).is_some());
}

#[tokio::test]
async fn session_callback_that_fails_signs_out() {
    let site = Site::new();
    let failing = site.builder().session(async |_, ()| Err::<Value, _>("broken".into())).build().unwrap();
    let text = site.builder().session(async |_, ()| Ok("a text")).build().unwrap();
    for auth in [failing, text] {
        let mut browser = signed_in(&auth).await;
        assert_eq!(browser.session().await, json!(null));
        assert_eq!(browser.cookie(SESSION), None);
    }
}

#[tokio::test]
async fn every_read_renews_the_session() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let mut browser = signed_in(&auth).await;
    let first = browser.cookie(SESSION).unwrap().to_owned();
    site.clock.advance(Duration::from_secs(60));
    let answer = browser.get("session").await;
    assert_eq!(answer.cookie_names(), [SESSION]);
    assert!(answer.set_cookies()[0].contains("Expires=Sun, 20 Dec 2026 10:01:00 GMT"));
    assert_eq!(answer.json()["expires"], "2026-12-20T10:01:00.000Z");
    assert_ne!(browser.cookie(SESSION), Some(first.as_str()));
}

#[tokio::test]
async fn jwt_update_age_says_how_often_a_read_renews() {
    let site = Site::new();
    let auth = site.builder().jwt_update_age(Duration::from_secs(60)).build().unwrap();
    let mut browser = signed_in(&auth).await;
    site.clock.advance(Duration::from_secs(59));
    let answer = browser.get("session").await;
    assert_eq!(
        (answer.set_cookies(), &answer.json()["expires"]),
        (vec![], &json!("2026-12-20T10:00:00.000Z"))
    );
    site.clock.advance(Duration::from_secs(1));
    let answer = browser.get("session").await;
    assert_eq!(
        (answer.cookie_names(), &answer.json()["expires"]),
        (vec![SESSION], &json!("2026-12-20T10:01:00.000Z"))
    );
    // A change is kept at once.
    let log = Log::default();
    let auth = app(&site, &log).jwt_update_age(Duration::from_secs(60)).build().unwrap();
    let mut browser = signed_in(&auth).await;
    assert_eq!(browser.update(&json!({ "companyId": 7 })).await.cookie_names(), [SESSION]);
    assert_eq!(browser.session().await["company"], 7);
}

#[tokio::test]
async fn session_ends_with_its_time() {
    for (seconds, lives) in [(100, true), (114, true), (115, false), (10_000, false)] {
        let site = Site::new();
        let auth = site.builder().session_max_age(Duration::from_secs(100)).build().unwrap();
        let browser = signed_in(&auth).await;
        let cookie = format!("{SESSION}={}", browser.cookie(SESSION).unwrap());
        site.clock.advance(Duration::from_secs(seconds));
        // This browser does not mind that the cookie has expired.
        let mut browser = browse(&auth).with_header("cookie", &cookie);
        let answer = browser.get("session").await;
        assert_eq!(answer.json().is_object(), lives, "{seconds}");
        let cleared =
            answer.set_cookies().iter().any(|line| line.starts_with(SESSION) && line.contains("Max-Age=0"));
        assert_eq!(cleared, !lives);
    }
    // A browser that minds forgets it.
    let site = Site::new();
    let auth = site.builder().session_max_age(Duration::from_secs(100)).build().unwrap();
    let mut browser = signed_in(&auth).await;
    site.clock.advance(Duration::from_secs(100));
    assert_eq!(browser.session().await, json!(null));
}

#[tokio::test]
async fn clock_set_back_revives_nothing() {
    let site = Site::new();
    let auth = site.builder().session_max_age(Duration::from_secs(100)).build().unwrap();
    let mut browser = signed_in(&auth).await;
    site.clock.advance(Duration::from_secs(99));
    browser.session().await;
    let renewed = browser.cookie(SESSION).unwrap().to_owned();
    site.clock.set(hallpass::Timestamp::from_seconds(1_795_168_800 - 3600));
    // It is readable, and what it gets now ends earlier than before.
    assert_eq!(browser.session().await["expires"], "2026-11-20T09:01:40.000Z");
    assert_ne!(browser.cookie(SESSION), Some(renewed.as_str()));
}

#[tokio::test]
async fn claims_that_no_longer_fit_sign_out_with_one_warning() {
    #[derive(Serialize, Deserialize)]
    struct Later {
        role: String,
        team: String,
    }
    #[derive(Serialize, Deserialize)]
    struct Lenient {
        role: String,
        #[serde(default)]
        team: Option<String>,
    }
    let (site, log) = (Site::new(), Log::default());
    let before = app(&site, &Log::default()).build().unwrap();
    let browser = signed_in(&before).await;
    let errors = log.clone();
    let later = site
        .builder()
        .on_error(move |error, _| errors.add(error.to_string()))
        .jwt(async |event: Jwt<Later>, ()| {
            Ok(match event {
                Jwt::Read(it) => Some(it.claims),
                _ => None,
            })
        })
        .build()
        .unwrap();
    let mut stale = moved(&browser, &later);
    assert_eq!(stale.session().await, json!(null));
    assert_eq!(stale.cookie(SESSION), None);
    assert_eq!(log.take().len(), 1);
    assert!(later.session(&parts_of(&browser)).await.unwrap().is_none());
    assert_eq!(log.take().len(), 1);
    let lenient = site
        .builder()
        .jwt(async |event: Jwt<Lenient>, ()| {
            Ok(match event {
                Jwt::Read(it) => Some(it.claims),
                _ => None,
            })
        })
        .build()
        .unwrap();
    assert_eq!(moved(&browser, &lenient).session().await["user"]["name"], "Ali");
    // Without a `jwt` callback the claims of another configuration do no harm.
    let plain = site.builder().build().unwrap();
    assert_eq!(moved(&browser, &plain).session().await["user"]["name"], "Ali");
}

#[tokio::test]
async fn update_that_is_not_taken_changes_nothing() {
    let (site, log) = (Site::new(), Log::default());
    let auth = app(&site, &log).build().unwrap();
    let mut browser = signed_in(&auth).await;
    browser.update(&json!({ "companyId": 7 })).await;
    let before = browser.cookie(SESSION).unwrap().to_owned();
    for (data, reason) in [
        (json!({}), "missing field `companyId`"),
        (json!({ "companyId": "x" }), "companyId: expected u32"),
        (json!({ "companyId": -1 }), "companyId: expected u32"),
        (json!([]), "expected struct Update"),
        (json!(7), "expected struct Update"),
        (json!("x"), "expected struct Update"),
        (json!(null), "expected struct Update"),
    ] {
        let answer = browser.update(&data).await;
        let text = answer.json()["message"].to_string();
        assert!(answer.status().as_u16() == 400 && text.contains(reason), "{data}: {text}");
        assert_eq!(answer.set_cookies(), Vec::<&str>::new());
        assert_eq!(browser.cookie(SESSION), Some(before.as_str()));
    }
    assert_eq!(browser.session().await["company"], 7);
}

#[tokio::test]
async fn application_without_an_update_type_takes_none() {
    let site = Site::new();
    let no_type = site.builder().jwt(async |event: Jwt<Claims>, ()| {
        Ok(match event {
            Jwt::SignIn(_) => Some(Claims { role: "reader".into(), company: None }),
            Jwt::Update(it) => Some(it.claims),
            Jwt::Read(it) => Some(it.claims),
        })
    });
    for auth in [site.builder().build().unwrap().core().clone(), no_type.build().unwrap().core().clone()] {
        let mut browser = Browser::of(&auth, SITE);
        browser.sign_in_with_credentials(PASSWORD).await;
        for data in [json!({ "name": "Root" }), json!({}), json!("x")] {
            let answer = browser.update(&data).await;
            let text = r#"{"message":"the update was refused: this application takes no updates"}"#;
            assert_eq!((answer.status().as_u16(), answer.text()), (400, text));
        }
        assert_eq!(browser.session().await["user"]["name"], "Ali");
    }
}

#[tokio::test]
async fn update_without_data_is_a_fresh_look() {
    let (site, log) = (Site::new(), Log::default());
    let with_type = app(&site, &log).build().unwrap();
    let without = site.builder().build().unwrap();
    for core in [with_type.core(), without.core()] {
        let mut browser = Browser::of(core, SITE);
        browser.sign_in_with_credentials(PASSWORD).await;
        let token = browser.csrf().await;
        let answer = browser.post_json("session", &json!({ "csrfToken": token })).await;
        assert_eq!((answer.status().as_u16(), answer.json()["user"]["name"].as_str()), (200, Some("Ali")));
        assert_eq!(answer.cookie_names(), [SESSION]);
    }
}

#[tokio::test]
async fn update_sets_no_reserved_claim() {
    let (site, log) = (Site::new(), Log::default());
    let auth = app(&site, &log).build().unwrap();
    let mut browser = signed_in(&auth).await;
    let before = auth.session(&parts_of(&browser)).await.unwrap().unwrap();
    log.take();
    let data = json!({
        "companyId": 7, "id": "evil", "sub": "evil", "email": "evil@example.com", "emailVerified": true,
        "name": "evil", "picture": "evil", "image": "evil", "role": "admin", "exp": 9_999_999_999_u64, "iat": 1,
        "jti": "evil", "nbf": 1, "provider": "evil", "expires": "2999-01-01T00:00:00.000Z",
        "user": { "name": "evil" }, "__proto__": { "role": "admin" }, "constructor": { "role": "admin" },
    });
    assert_eq!(browser.update(&data).await.status(), 200);
    browser.session().await;
    let token = log.take().into_iter().rfind(|line| line.starts_with("jwt")).unwrap();
    assert!(!token.contains("evil") && !token.contains("admin") && !token.contains("9999999999"), "{token}");
    let after = auth.session(&parts_of(&browser)).await.unwrap().unwrap();
    assert_eq!((after.user, after.expires), (before.user, before.expires));
    assert_eq!(after.claims, Claims { role: "reader".into(), company: Some(7) });
}

#[tokio::test]
async fn claims_with_a_reserved_name_are_a_mistake_in_the_configuration() {
    #[derive(Serialize, Deserialize)]
    struct Greedy {
        sub: String,
    }
    let site = Site::new();
    let error =
        deciding::<Greedy>(&site, |_| Ok(Some(Greedy { sub: "admin".into() }).into())).build().unwrap_err();
    assert!(error.to_string().contains("\"sub\""), "{error}");
}

#[tokio::test]
async fn claims_that_hide_a_reserved_name_make_no_session() {
    #[derive(Serialize, Deserialize)]
    struct Hidden {
        #[serde(flatten)]
        all: std::collections::BTreeMap<String, String>,
    }
    let site = Site::new();
    let decide: Decide<Hidden> = |_| {
        let all = std::collections::BTreeMap::from([("sub".to_owned(), "admin".to_owned())]);
        Ok(Some(Hidden { all }).into())
    };
    let auth = deciding(&site, decide).build().unwrap();
    let mut browser = browse(&auth);
    assert!(browser.sign_in_with_credentials(PASSWORD).await.is_error("Configuration"));
    assert_eq!(browser.cookie(SESSION), None);
}

#[tokio::test]
async fn jwt_callback_may_change_the_name() {
    let site = Site::new();
    let auth = site
        .builder()
        .jwt(async |event: Jwt<Claims, Update>, ()| {
            Ok(match event {
                Jwt::SignIn(mut it) => {
                    it.token.email = None;
                    it.token.with(Claims { role: "reader".into(), company: None })
                }
                Jwt::Update(mut it) => {
                    it.token.name = Some("Ali Baba".into());
                    it.token.with(it.claims)
                }
                Jwt::Read(it) => Some(it.claims).into(),
            })
        })
        .build()
        .unwrap();
    let mut browser = signed_in(&auth).await;
    assert_eq!(browser.session().await["user"], json!({ "name": "Ali" }));
    browser.update(&json!({ "companyId": 1 })).await;
    assert_eq!(browser.session().await["user"], json!({ "name": "Ali Baba" }));
    let session = auth.session(&parts_of(&browser)).await.unwrap().unwrap();
    assert_eq!(session.user.id, "1");
}

#[tokio::test]
async fn rotated_secret_keeps_sessions() {
    let site = Site::new();
    let new = "a new secret, and 32 characters long";
    let browser = signed_in(&site.builder().build().unwrap()).await;
    let both = site.builder().secrets([new, SECRET]).build().unwrap();
    let mut browser = moved(&browser, &both);
    assert_eq!(browser.session().await["user"]["name"], "Ali");
    // Read once, it is sealed with the new one.
    let only_new = site.builder().secret(new).build().unwrap();
    assert_eq!(moved(&browser, &only_new).session().await["user"]["name"], "Ali");
}

#[tokio::test]
async fn removed_secret_ends_sessions() {
    let site = Site::new();
    let browser = signed_in(&site.builder().build().unwrap()).await;
    let only_new = site.builder().secret("a new secret, and 32 characters long").build().unwrap();
    let mut browser = moved(&browser, &only_new);
    assert_eq!((browser.session().await, browser.cookie(SESSION)), (json!(null), None));
}

#[tokio::test]
async fn answers_are_not_stored() {
    let site = Site::new();
    let auth = app(&site, &Log::default()).build().unwrap();
    let mut browser = signed_in(&auth).await;
    for answer in
        [browser.get("session").await, browse(&auth).get("session").await, browser.get("csrf").await]
    {
        assert_eq!(answer.header("cache-control"), Some("private, no-cache, no-store"));
        assert_eq!((answer.header("expires"), answer.header("pragma")), (Some("0"), Some("no-cache")));
    }
    for answer in [browser.update(&json!({ "companyId": 1 })).await, browser.update(&json!(1)).await] {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn failing_event_or_error_callback_changes_nothing() {
    let site = Site::new();
    let auth =
        site.builder().on_event(async |_, ()| -> Result<(), _> { panic!("in an event") }).build().unwrap();
    let mut browser = signed_in(&auth).await;
    assert_eq!(browser.session().await["user"]["name"], "Ali");
    assert_eq!(browser.sign_out().await.location(), SITE);
    let auth = site.builder().on_event(async |_, ()| Err("broken".into())).build().unwrap();
    signed_in(&auth).await;
    let auth = site.builder().audit(|_, _| panic!("in audit")).build().unwrap();
    signed_in(&auth).await;
    let auth = site.builder().on_error(|_, _| panic!("in on_error")).build().unwrap();
    assert!(browse(&auth).get("signin/nobody").await.is_error("Configuration"));
    assert_eq!(signed_in(&auth).await.session().await["user"]["name"], "Ali");
}

#[tokio::test]
async fn audit_sees_what_happens_to_accounts_with_the_request_and_no_look_at_a_session() {
    let site = Site::new();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = std::sync::Arc::clone(&seen);
    let auth = site
        .builder()
        .audit(move |event, request| {
            log.lock().unwrap().push(format!("{} {}", event.name(), request.path()));
        })
        .on_event(async |_, ()| Err("somebody else's".into()))
        .build()
        .unwrap();
    assert_eq!(auth.provider_ids().collect::<Vec<_>>(), ["idp", "other", "plain", "credentials"]);
    let mut browser = signed_in(&auth).await;
    browser.session().await;
    browser.sign_out().await;
    assert_eq!(*seen.lock().unwrap(), ["signIn /api/auth/callback/credentials", "signOut /api/auth/signout"]);
}

#[tokio::test]
async fn callback_that_cannot_decide_now_is_503_and_touches_no_cookie() {
    let site = Site::new();
    let decide: Decide<Claims> = |event| match event {
        Jwt::SignIn(_) => Ok(Some(Claims { role: "reader".into(), company: None }).into()),
        _ => Err(hallpass::Error::new(ErrorKind::Unavailable, "the API is away")),
    };
    let auth = deciding(&site, decide).build().unwrap();
    let mut browser = signed_in(&auth).await;
    let answer = browser.get("session").await;
    assert_eq!((answer.status().as_u16(), answer.set_cookies()), (503, vec![]));
    assert_eq!(auth.session(&parts_of(&browser)).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn session_that_has_grown_over_the_budget_stays_readable() {
    let site = Site::new();
    let decide: Decide<Claims> = |event| {
        Ok(match event {
            Jwt::SignIn(_) => Some(Claims { role: "reader".into(), company: None }),
            Jwt::Update(it) => Some(it.claims),
            Jwt::Read(it) => Some(Claims { role: "x".repeat(20_000), ..it.claims }),
        }
        .into())
    };
    let auth = deciding(&site, decide).build().unwrap();
    let mut browser = signed_in(&auth).await;
    let answer = browser.get("session").await;
    assert_eq!((answer.status().as_u16(), answer.set_cookies()), (200, vec![]));
    assert_eq!(answer.json()["user"]["name"], "Ali");
    assert_eq!(browser.sign_out().await.location(), SITE);
}

#[tokio::test]
async fn host_that_nobody_trusts_has_no_session() {
    let auth = bare().build().unwrap();
    let mut browser = Browser::new(&auth, "http://localhost:3000");
    browser.sign_in_with_credentials(PASSWORD).await;
    let session_at = async |host: &str| {
        let mut parts = parts_of(&browser);
        parts.headers.insert("host", host.parse().unwrap());
        auth.session(&parts).await.unwrap()
    };
    assert!(session_at("localhost:3000").await.is_some());
    assert!(session_at("evil.example").await.is_none());
}
