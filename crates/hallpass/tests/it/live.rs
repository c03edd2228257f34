//! Sessions while they live: changed, ended and shown from elsewhere, with both strategies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hallpass::clock::Clock;
use hallpass::jose::TokenKeys;
use hallpass::testkit::Browser;
use hallpass::{
    Auth, BoxError, Builder, Dialect, Error, ErrorKind, Jwt, JwtDecision, NoClaims, SessionEvent,
    SessionToken, Strategy, UserChange,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::site::{Log, SECRET, SESSION, SITE, Site, browse, with_token};

const BOTH: [Strategy; 2] = [Strategy::Jwt, Strategy::Database];

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    role: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    company_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    company_id: String,
}

fn app(site: &Site, strategy: Strategy) -> Builder<(), Claims> {
    let builder = site.with_store().session_strategy(strategy).jwt(async |event: Jwt<Claims, Update>, ()| {
        Ok(match event {
            Jwt::SignIn(_) => Some(Claims { role: "reader".into(), company_id: None }),
            Jwt::Update(it) => Some(Claims { company_id: Some(it.update.company_id), ..it.claims }),
            Jwt::Read(it) => Some(it.claims),
        })
    });
    builder.session(async |it: SessionEvent<Claims>, ()| {
        Ok(json!({ "user": it.user.public(), "role": it.claims.role, "companyId": it.claims.company_id }))
    })
}

async fn signed_in<C>(auth: &Auth<C>, site: &Site) -> Browser {
    let mut browser = page(auth);
    assert_eq!(browser.sign_in("idp", &site.idp).await.location(), SITE);
    site.clock.advance(Duration::from_secs(1));
    browser
}

/// A page of the site asks.
fn page<C>(auth: &Auth<C>) -> Browser {
    browse(auth).with_header("sec-fetch-site", "same-origin")
}

fn id(site: &Site) -> String {
    site.store.rows().users[0].id.clone()
}

#[tokio::test]
async fn revoked_sessions_are_refused_though_their_token_is_still_valid() {
    for strategy in BOTH {
        let site = Site::new();
        let auth = app(&site, strategy).build().unwrap();
        let (mut one, mut two) = (signed_in(&auth, &site).await, signed_in(&auth, &site).await);
        one.session().await;
        auth.sessions().revoke_all(&id(&site)).await.unwrap();
        for browser in [&mut one, &mut two] {
            assert_eq!(browser.get("session").await.text(), "null", "{strategy:?}");
            assert_eq!(browser.cookie(SESSION), None);
        }
        let mut after = signed_in(&auth, &site).await;
        assert_eq!(after.session().await["role"], "reader");
    }
}

#[tokio::test]
async fn everywhere_else_ends_sessions_in_tokens_too() {
    let site = Site::new();
    let rows = app(&site, Strategy::Database).build().unwrap();
    let tokens = app(&site, Strategy::Jwt).build().unwrap();
    let (mut here, mut there) = (signed_in(&rows, &site).await, signed_in(&tokens, &site).await);
    let own = SessionToken::new(here.cookie(SESSION).unwrap());
    assert_eq!(tokens.sessions().revoke_others(&id(&site), own.id()).await.unwrap(), 0);
    assert_eq!(there.get("session").await.text(), "null");
    assert_eq!(here.session().await["role"], "reader");
}

#[tokio::test]
async fn session_that_would_not_fit_its_cookies_ends_no_other_and_not_itself() {
    let site = Site::new();
    let auth = app(&site, Strategy::Jwt).build().unwrap();
    let (mut here, mut there) = (signed_in(&auth, &site).await, signed_in(&auth, &site).await);
    let length = here.cookie(SESSION).unwrap().len();
    let small = app(&site, Strategy::Jwt).cookie_budget(length - 50).build().unwrap();
    let cookie = format!("{SESSION}={}", here.cookie(SESSION).unwrap());
    let parts = http::Request::get("/").header("cookie", cookie).body(()).unwrap().into_parts().0;
    let read = small.read(&parts).await.unwrap();
    let error = read.handle().unwrap().sign_out_elsewhere().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionTooLarge);
    for browser in [&mut here, &mut there] {
        assert_eq!(browser.session().await["role"], "reader");
    }
}

#[tokio::test]
async fn another_node_learns_of_a_revocation() {
    for strategy in BOTH {
        let site = Site::new();
        let here = app(&site, strategy).build().unwrap();
        let there = app(&site, strategy).revocation_delay(Duration::ZERO).build().unwrap();
        let browser = signed_in(&here, &site).await;
        let mut elsewhere = browse(&there);
        elsewhere.plant(&format!("{SESSION}={}; Path=/; Secure", browser.cookie(SESSION).unwrap()));
        assert_eq!(elsewhere.session().await["role"], "reader");
        here.sessions().revoke_all(&id(&site)).await.unwrap();
        assert_eq!(elsewhere.get("session").await.text(), "null", "{strategy:?}");
    }
}

#[tokio::test]
async fn seed_3_1_new_first_name_is_in_every_session_at_the_next_read() {
    for strategy in BOTH {
        let site = Site::new();
        let auth = app(&site, strategy).build().unwrap();
        let (mut one, mut two) = (signed_in(&auth, &site).await, signed_in(&auth, &site).await);
        auth.users().update(&id(&site), UserChange::new().name("Augusta".to_owned())).await.unwrap();
        for browser in [&mut one, &mut two] {
            let shown = browser.session().await;
            assert_eq!((&shown["user"]["name"], &shown["role"]), (&json!("Augusta"), &json!("reader")));
        }
        // It stays so, also when the token is old.
        site.clock.advance(DAY);
        assert_eq!(one.session().await["user"]["name"], "Augusta");
    }
}

#[tokio::test]
async fn somebody_elses_sessions_can_be_changed() {
    for strategy in BOTH {
        let site = Site::new();
        let auth = app(&site, strategy).build().unwrap();
        let (mut one, mut two) = (signed_in(&auth, &site).await, signed_in(&auth, &site).await);
        one.update(&json!({ "companyId": "acme" })).await;
        auth.sessions().update(&id(&site), json!({ "role": "admin", "companyId": null })).await.unwrap();
        for browser in [&mut one, &mut two] {
            let shown = browser.session().await;
            assert_eq!(
                (&shown["role"], &shown["companyId"]),
                (&json!("admin"), &Value::Null),
                "{strategy:?}"
            );
        }
        // What the session does afterwards is its own.
        one.update(&json!({ "companyId": "other" })).await;
        assert_eq!(one.session().await["companyId"], "other");
        let refused = auth.sessions().update(&id(&site), json!("admin")).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidUpdate);
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Pair {
    left: u32,
    right: u32,
}

/// Each update changes one claim and keeps the other.
fn pairs(site: &Site, strategy: Strategy) -> Builder<(), Pair> {
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Side {
        Left(u32),
        Right(u32),
    }
    let builder = site.with_store().session_strategy(strategy).jwt(async |event: Jwt<Pair, Side>, ()| {
        Ok(match event {
            Jwt::SignIn(_) => Some(Pair::default()),
            Jwt::Update(it) => Some(match it.update {
                Side::Left(left) => Pair { left, ..it.claims },
                Side::Right(right) => Pair { right, ..it.claims },
            }),
            Jwt::Read(it) => Some(it.claims),
        })
    });
    builder.session(async |it: SessionEvent<Pair>, ()| Ok(it.claims))
}

/// The rule of docs/session.md, first half. The answers of two updates come back in either order; a browser keeps the
/// cookie of the later one.
#[tokio::test]
async fn of_two_updates_of_a_token_the_last_cookie_wins_as_a_whole() {
    for (strategy, [first_alone, last]) in
        [(Strategy::Jwt, [(1, 0), (0, 2)]), (Strategy::Database, [(1, 2), (1, 2)])]
    {
        let site = Site::new();
        let auth = pairs(&site, strategy).build().unwrap();
        let mut first = signed_in(&auth, &site).await;
        // Another tab has sent its request before the first answer is there: with the same cookie.
        let mut second = first.clone();
        assert_eq!(first.update(&json!({ "left": 1 })).await.json()["left"], 1);
        assert_eq!(second.update(&json!({ "right": 2 })).await.json()["right"], 2);
        let kept = |browser: &Browser| browser.cookie(SESSION).unwrap().to_owned();
        let (earlier, later) = (kept(&first), kept(&second));
        for (order, (left, right)) in [([&later, &earlier], first_alone), ([&earlier, &later], last)] {
            let mut browser = page(&auth);
            for cookie in order {
                browser.plant(&format!("{SESSION}={cookie}; Path=/; Secure"));
            }
            let shown = browser.session().await;
            assert_eq!((&shown["left"], &shown["right"]), (&json!(left), &json!(right)), "{strategy:?}");
        }
    }
}

/// The rule of docs/session.md, second half.
#[tokio::test]
async fn patches_of_sessions_are_merged_by_claim_and_the_later_one_wins() {
    for strategy in BOTH {
        let site = Site::new();
        let auth = pairs(&site, strategy).build().unwrap();
        let node = pairs(&site, strategy).build().unwrap();
        let (mut one, mut two) = (signed_in(&auth, &site).await, signed_in(&auth, &site).await);
        let id = id(&site);
        auth.sessions().update(&id, json!({ "left": 1 })).await.unwrap();
        // One session has learnt of it and the other has not, before more comes.
        assert_eq!(one.session().await["left"], 1);
        auth.sessions().update(&id, json!({ "left": 2 })).await.unwrap();
        let (here, there) = (auth.sessions(), node.sessions());
        let both = futures_util::future::join(
            here.update(&id, json!({ "right": 3 })),
            there.update(&id, json!({ "left": 4 })),
        );
        let (here, there) = both.await;
        here.and(there).unwrap();
        // What another node has said is learnt within `revocation_delay`: by a node that has not asked yet, at once.
        let fresh = pairs(&site, strategy).build().unwrap();
        for browser in [&mut one, &mut two] {
            let mut later = page(&fresh);
            later.plant(&format!("{SESSION}={}; Path=/; Secure", browser.cookie(SESSION).unwrap()));
            let shown = later.session().await;
            assert_eq!((&shown["left"], &shown["right"]), (&json!(4), &json!(3)), "{strategy:?}");
            // What the session does afterwards is its own: no patch comes twice.
            assert_eq!(later.update(&json!({ "left": 5 })).await.json()["left"], 5);
            let shown = later.session().await;
            assert_eq!((&shown["left"], &shown["right"]), (&json!(5), &json!(3)), "{strategy:?}");
        }
    }
}

#[tokio::test]
async fn deleted_user_is_signed_out_everywhere() {
    for strategy in BOTH {
        let site = Site::new();
        let auth = app(&site, strategy).build().unwrap();
        let mut browser = signed_in(&auth, &site).await;
        auth.users().delete(&id(&site)).await.unwrap();
        assert_eq!(browser.get("session").await.text(), "null", "{strategy:?}");
    }
}

#[tokio::test]
async fn absolute_life_time_holds_under_constant_use() {
    for strategy in BOTH {
        let site = Site::new();
        let auth = app(&site, strategy).session_absolute_max_age(40 * DAY).build().unwrap();
        let mut browser = signed_in(&auth, &site).await;
        for _ in 0..39 {
            site.clock.advance(DAY);
            assert_eq!(browser.session().await["role"], "reader", "{strategy:?}");
        }
        site.clock.advance(DAY);
        assert_eq!(browser.get("session").await.text(), "null", "{strategy:?}");
        assert_eq!(site.store.rows().sessions.len(), 0);
    }
}

/// A token that another program has made does not say when its session began, but for its `iat`.
fn of_auth_js(site: &Site, id: &str) -> String {
    let keys = TokenKeys::derive(Dialect::V5, &[SECRET.into()], SESSION);
    let now = site.clock.now().seconds();
    let claims = json!({ "sub": id, "iat": now, "exp": now + 30 * 24 * 3600, "jti": "made elsewhere", "role": "reader" });
    keys.seal_claims(claims.as_object().unwrap(), &[7; 16])
}

/// The same session, where nothing is known yet.
fn in_a_fresh_process(site: &Site, browser: &Browser) -> Browser {
    let fresh = app(site, Strategy::Jwt).build().unwrap();
    with_token(&fresh, browser.cookie(SESSION).unwrap())
}

#[tokio::test]
async fn token_of_auth_js_that_is_used_lives_no_longer_than_the_absolute_life_time() {
    let site = Site::new();
    let auth = app(&site, Strategy::Jwt).session_absolute_max_age(40 * DAY).build().unwrap();
    let mut browser = with_token(&auth, &of_auth_js(&site, "1"));
    for _ in 0..39 {
        site.clock.advance(DAY);
        assert_eq!(browser.session().await["role"], "reader");
    }
    site.clock.advance(DAY);
    assert_eq!(browser.get("session").await.text(), "null");
}

#[tokio::test]
async fn token_of_auth_js_that_is_used_after_a_revocation_elsewhere_is_refused_like_any_other() {
    let site = Site::new();
    let (here, there) =
        (app(&site, Strategy::Jwt).build().unwrap(), app(&site, Strategy::Jwt).build().unwrap());
    let mut browser = with_token(&there, &of_auth_js(&site, "1"));
    // There it is known that nothing has happened to the user, for a while.
    browser.session().await;
    here.sessions().revoke_all("1").await.unwrap();
    site.clock.advance(Duration::from_secs(2));
    browser.session().await;
    let mut elsewhere = in_a_fresh_process(&site, &browser);
    assert_eq!(elsewhere.get("session").await.text(), "null");
}

#[tokio::test]
async fn token_that_auth_js_has_made_after_a_revocation_stays_good_where_nobody_has_heard_of_that() {
    let site = Site::new();
    let (here, there) =
        (app(&site, Strategy::Jwt).build().unwrap(), app(&site, Strategy::Jwt).build().unwrap());
    let mut browser = with_token(&there, &of_auth_js(&site, "1"));
    browser.session().await;
    here.sessions().revoke_all("1").await.unwrap();
    site.clock.advance(Duration::from_secs(2));
    let mut browser = with_token(&there, &of_auth_js(&site, "1"));
    assert_eq!(browser.session().await["role"], "reader");
    let mut elsewhere = in_a_fresh_process(&site, &browser);
    // Caught up, and renewed.
    for _ in 0..2 {
        assert_eq!(elsewhere.session().await["role"], "reader");
    }
    here.sessions().revoke_all("1").await.unwrap();
    let mut last = in_a_fresh_process(&site, &elsewhere);
    assert_eq!(last.get("session").await.text(), "null");
}

#[tokio::test]
async fn change_of_the_claims_names_none_that_are_of_the_user() {
    let site = Site::new();
    let auth = app(&site, Strategy::Jwt).build().unwrap();
    for patch in [json!({ "sub": "2" }), json!({ "role": "a", "nbf": 9 }), json!({ "name": null })] {
        let error = auth.sessions().update("1", &patch).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidUpdate, "{patch}");
    }
    assert_eq!(site.store.rows().epochs, []);
}

#[tokio::test]
async fn callback_decides_how_long_a_session_lives() {
    for strategy in BOTH {
        let site = Site::new();
        let short = async |event: Jwt<NoClaims>, ()| -> Result<JwtDecision<NoClaims>, BoxError> {
            let token = match event {
                Jwt::SignIn(it) => it.token,
                Jwt::Read(it) => it.token,
            };
            Ok(token.max_age(Duration::from_secs(600)).with(NoClaims {}))
        };
        let auth = site.with_store().session_strategy(strategy).session_update_age(Duration::ZERO).jwt(short);
        let auth = auth.build().unwrap();
        let mut browser = signed_in(&auth, &site).await;
        for _ in 0..3 {
            site.clock.advance(Duration::from_secs(590));
            assert_eq!(browser.session().await["user"]["name"], "Ada", "{strategy:?}");
        }
        let kept = browser.cookie(SESSION).unwrap().to_owned();
        site.clock.advance(Duration::from_secs(620));
        browser.plant(&format!("{SESSION}={kept}; Path=/; Secure"));
        assert_eq!(browser.get("session").await.text(), "null", "{strategy:?}");
    }
}

#[tokio::test]
async fn cookie_lives_as_long_as_the_callback_says_though_the_session_was_looked_at() {
    for strategy in BOTH {
        let site = Site::new();
        let remembered = async |event: Jwt<NoClaims>, ()| -> Result<JwtDecision<NoClaims>, BoxError> {
            let token = match event {
                Jwt::SignIn(it) => it.token,
                Jwt::Read(it) => it.token,
            };
            Ok(token.max_age(90 * DAY).with(NoClaims {}))
        };
        let auth = site.with_store().session_strategy(strategy).jwt(remembered).build().unwrap();
        let mut browser = signed_in(&auth, &site).await;
        // Too early to renew it.
        browser.session().await;
        site.clock.advance(80 * DAY);
        assert_eq!(browser.session().await["user"]["name"], "Ada", "{strategy:?}");
    }
}

#[tokio::test]
async fn seed_3_6_key_of_the_query_that_the_application_names_is_an_update() {
    for strategy in BOTH {
        let site = Site::new();
        let auth = app(&site, strategy).update_from_query(["companyId"]).build().unwrap();
        let mut browser = signed_in(&auth, &site).await;
        assert_eq!(browser.get("session?companyId=acme").await.json()["companyId"], "acme");
        assert_eq!(browser.session().await["companyId"], "acme");
        // Other keys are no update, and a stranger's link neither.
        browser.get("session?role=admin").await;
        for from in ["cross-site", "same-site", "none"] {
            let mut stranger = browse(&auth).with_header("sec-fetch-site", from);
            stranger.plant(&format!("{SESSION}={}; Path=/; Secure", browser.cookie(SESSION).unwrap()));
            assert_eq!(stranger.get("session?companyId=evil").await.json()["companyId"], "acme", "{from}");
        }
        let mut own = browse(&auth).with_header("sec-fetch-site", "same-origin");
        own.plant(&format!("{SESSION}={}; Path=/; Secure", browser.cookie(SESSION).unwrap()));
        assert_eq!(own.get("session?companyId=other").await.json()["companyId"], "other");
    }
}

#[tokio::test]
async fn where_a_browser_does_not_say_it_origin_and_referer_must_name_the_site() {
    let site = Site::new();
    let auth = app(&site, Strategy::Jwt).update_from_query(["companyId"]).build().unwrap();
    let mut browser = signed_in(&auth, &site).await;
    let page = format!("{SITE}/companies?id=1");
    let beside = format!("{SITE}.evil.example/");
    const PAGE: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for (headers, counts) in [
        (vec![], true),
        (vec![("accept", "*/*")], true),
        (vec![("accept", "application/json")], true),
        // `<a rel="noreferrer">` elsewhere.
        (vec![("accept", PAGE)], false),
        (vec![("accept", "Text/HTML")], false),
        (vec![("accept", PAGE), ("referer", &page)], true),
        (vec![("accept", PAGE), ("origin", SITE)], true),
        (vec![("origin", SITE)], true),
        (vec![("referer", SITE)], true),
        (vec![("origin", SITE), ("referer", &page)], true),
        (vec![("origin", "https://evil.example")], false),
        (vec![("origin", "null")], false),
        (vec![("origin", &beside)], false),
        (vec![("referer", "https://evil.example/")], false),
        (vec![("referer", &beside)], false),
        (vec![("referer", "http://app.example.com/")], false),
        (vec![("origin", SITE), ("referer", "https://evil.example/")], false),
        (vec![("origin", "https://evil.example"), ("referer", &page)], false),
        // What the browser says of the site itself decides.
        (vec![("sec-fetch-site", "same-origin"), ("referer", "https://evil.example/")], true),
        (vec![("sec-fetch-site", "cross-site"), ("referer", &page)], false),
        (vec![("sec-fetch-site", "none"), ("referer", &page)], false),
        (vec![("sec-fetch-site", "none"), ("accept", PAGE)], false),
        (vec![("sec-fetch-site", "same-origin"), ("accept", PAGE)], true),
    ] {
        browser.update(&json!({ "companyId": "acme" })).await;
        let says_it = headers.iter().any(|(name, _)| *name == "sec-fetch-site");
        let mut other = if says_it { browse(&auth) } else { browse(&auth).without_header("sec-fetch-site") };
        for (name, value) in &headers {
            other = other.with_header(name, value);
        }
        other.plant(&format!("{SESSION}={}; Path=/; Secure", browser.cookie(SESSION).unwrap()));
        let company = other.get("session?companyId=other").await.json()["companyId"].clone();
        assert_eq!(company, if counts { "other" } else { "acme" }, "{headers:?}");
    }
}

#[tokio::test]
async fn keys_of_the_query_that_nobody_names_are_invisible() {
    let (site, log) = (Site::new(), Log::default());
    let auth = site
        .builder_with(log.clone())
        .jwt(async |event: Jwt<NoClaims>, log: Log| {
            if let Jwt::Read(it) = event {
                log.add(format!("{:?} {:?}", it.request.query("companyId"), it.request.query_pairs()));
            }
            Ok(Some(NoClaims {}))
        })
        .build()
        .unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    browser.get("session?companyId=acme").await;
    assert_eq!(log.take(), ["None []"]);
}

#[tokio::test]
async fn update_from_the_query_that_does_not_parse_is_400_and_names_the_field() {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Number {
        #[expect(dead_code, reason = "only its type counts")]
        company_id: u32,
    }
    let site = Site::new();
    let builder = site.builder().jwt(async |event: Jwt<NoClaims, Number>, ()| {
        Ok(match event {
            Jwt::SignIn(_) | Jwt::Read(_) | Jwt::Update(_) => Some(NoClaims {}),
        })
    });
    let auth = builder.update_from_query(["companyId"]).build().unwrap();
    let mut browser = page(&auth);
    browser.sign_in("idp", &site.idp).await;
    let answer = browser.get("session?companyId=x").await;
    assert_eq!(answer.status().as_u16(), 400);
    assert_eq!(answer.json()["message"], "the update was refused: companyId: expected u32");
}

#[tokio::test]
async fn callback_that_takes_too_long_is_503_and_signs_nobody_out() {
    for strategy in BOTH {
        let site = Site::new();
        let slow = async |event: Jwt<NoClaims>, ()| {
            if matches!(event, Jwt::Read(_)) {
                std::future::pending::<()>().await;
            }
            Ok(Some(NoClaims {}))
        };
        let auth = site.with_store().session_strategy(strategy).jwt(slow);
        let auth = auth.callback_timeout(Duration::from_millis(20)).build().unwrap();
        let mut browser = signed_in(&auth, &site).await;
        let before = browser.cookie(SESSION).map(str::to_owned);
        let answer = browser.get("session").await;
        assert_eq!(
            (answer.status().as_u16(), answer.header("retry-after")),
            (503, Some("5")),
            "{strategy:?}"
        );
        assert_eq!(browser.cookie(SESSION), before.as_deref());
        // Others are not held up.
        let mut stranger = browse(&auth);
        assert_eq!(stranger.get("session").await.text(), "null");
    }
}

/// An application that copies what seed 3 copies: `user: { ...user, account }`.
fn careless(site: &Site, log: &Log, development: bool) -> Auth {
    let errors = log.clone();
    site.builder()
        .session(async |it: SessionEvent<NoClaims>, ()| {
            let account =
                json!({ "provider": "idp", "access_token": "a secret", "refresh_token": "another" });
            Ok(json!({ "user": { "name": it.user.name, "account": account } }))
        })
        .on_error(move |error, _| errors.add(error.to_string()))
        .development(development)
        .build()
        .unwrap()
}

#[tokio::test]
async fn seed_3_4_token_in_a_view_is_an_error_that_names_the_field_in_development() {
    let (site, log) = (Site::new(), Log::default());
    let auth = careless(&site, &log, true);
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    let answer = browser.get("session").await;
    assert_eq!(answer.status().as_u16(), 500);
    let text = answer.json()["message"].to_string();
    assert!(text.contains("user.account.access_token, user.account.refresh_token"), "{text}");
    assert!(!text.contains("a secret") && browser.cookie(SESSION).is_some());
}

#[tokio::test]
async fn seed_3_4_token_in_a_view_is_left_out_with_a_warning_in_production() {
    let (site, log) = (Site::new(), Log::default());
    let auth = careless(&site, &log, false);
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    assert_eq!(browser.session().await["user"], json!({ "name": "Ada", "account": { "provider": "idp" } }));
    assert!(log.take()[0].contains("user.account.access_token"));
}

#[tokio::test]
async fn seed_3_4_what_the_session_keeps_as_a_token_is_not_shown_under_another_name() {
    #[derive(Serialize, Deserialize)]
    struct Kept {
        access_token: String,
    }
    for strategy in BOTH {
        let (site, log) = (Site::new(), Log::default());
        let errors = log.clone();
        let auth = site.with_store().session_strategy(strategy);
        let auth = auth
            .jwt(async |event: Jwt<Kept>, ()| {
                Ok(match event {
                    Jwt::SignIn(_) => Some(Kept { access_token: "a token of the provider".into() }),
                    Jwt::Read(it) => Some(it.claims),
                })
            })
            .session(async |it: SessionEvent<Kept>, ()| {
                Ok(json!({ "name": it.user.name, "api": { "key": it.claims.access_token } }))
            })
            .development(false)
            .on_error(move |error, _| errors.add(error.to_string()))
            .build()
            .unwrap();
        let mut browser = browse(&auth);
        browser.sign_in("idp", &site.idp).await;
        let shown = browser.session().await;
        assert_eq!((&shown["name"], &shown["api"]), (&json!("Ada"), &json!({})), "{strategy:?}");
        assert!(log.take()[0].contains("api.key"));
    }
}

#[tokio::test]
async fn a_server_that_is_out_of_reach_says_nothing_about_anybody() {
    /// Which callback asks a server that is away.
    const JWT: u32 = 1;
    const SHOW: u32 = 2;

    fn refused() -> BoxError {
        std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into()
    }
    for strategy in BOTH {
        for down in [JWT, SHOW] {
            let (site, is_down) = (Site::new(), Arc::new(AtomicU32::new(0)));
            let auth = site.builder_with(Arc::clone(&is_down)).store(site.store.clone());
            let auth = auth
                .session_strategy(strategy)
                .jwt(async |event: Jwt<Claims>, is_down: Arc<AtomicU32>| {
                    Ok(match event {
                        Jwt::SignIn(_) => Some(Claims::default()),
                        Jwt::Read(_) if is_down.load(Ordering::SeqCst) == JWT => {
                            return Err(refused());
                        }
                        Jwt::Read(it) => Some(it.claims),
                    })
                })
                .session(async |it, is_down: Arc<AtomicU32>| {
                    if is_down.load(Ordering::SeqCst) == SHOW {
                        return Err(refused());
                    }
                    Ok(json!({ "user": it.user.public() }))
                })
                .build()
                .unwrap();
            let mut browser = signed_in(&auth, &site).await;
            let before = browser.cookie(SESSION).map(str::to_owned);
            is_down.store(down, Ordering::SeqCst);
            assert_eq!(browser.get("session").await.status().as_u16(), 503, "{strategy:?} {down}");
            assert_eq!(browser.cookie(SESSION), before.as_deref());
        }
    }
}

#[tokio::test]
async fn kept_view_is_dropped_by_an_update() {
    for strategy in BOTH {
        let (site, calls) = (Site::new(), Arc::new(AtomicU32::new(0)));
        let auth = site
            .builder_with(Arc::clone(&calls))
            .store(site.store.clone())
            .session_strategy(strategy)
            .jwt(async |event: Jwt<Claims, Update>, _| {
                Ok(match event {
                    Jwt::SignIn(_) => Some(Claims::default()),
                    Jwt::Update(it) => Some(Claims { company_id: Some(it.update.company_id), ..it.claims }),
                    Jwt::Read(it) => Some(it.claims),
                })
            })
            .session(async |it: SessionEvent<Claims>, calls: Arc<AtomicU32>| {
                let call = calls.fetch_add(1, Ordering::SeqCst);
                Ok(json!({ "company": it.claims.company_id, "call": call }))
            })
            .cache_for(Duration::from_secs(60))
            .build()
            .unwrap();
        let (mut one, mut two) = (browse(&auth), browse(&auth));
        one.sign_in("idp", &site.idp).await;
        site.other.set_user(json!({ "sub": "2", "email": "2@example.com" }));
        two.sign_in("other", &site.other).await;
        for _ in 0..3 {
            assert_eq!(one.session().await["call"], 0, "{strategy:?}");
        }
        assert_eq!(two.session().await["call"], 1);
        assert_eq!(one.update(&json!({ "companyId": "acme" })).await.json()["company"], "acme");
        assert_eq!(one.session().await["call"], 2);
        // The same data again: whoever asks for an update wants fresh data.
        one.update(&json!({ "companyId": "acme" })).await;
        assert_eq!(
            (one.session().await["call"].clone(), two.session().await["call"].clone()),
            (json!(3), json!(1))
        );
    }
}

#[tokio::test]
async fn update_that_the_callback_refuses_is_400_and_changes_nothing() {
    for strategy in BOTH {
        let site = Site::new();
        let auth =
            site.with_store().session_strategy(strategy).jwt(async |event: Jwt<Claims, Update>, ()| {
                Ok(match event {
                    Jwt::SignIn(_) => Some(Claims { role: "reader".into(), company_id: None }),
                    Jwt::Update(_) => {
                        return Err(Error::new(ErrorKind::InvalidUpdate, "no such company").into());
                    }
                    Jwt::Read(it) => Some(it.claims),
                })
            });
        let auth = auth.session(async |it: SessionEvent<Claims>, ()| Ok(it.claims)).build().unwrap();
        let mut browser = signed_in(&auth, &site).await;
        let before = browser.cookie(SESSION).map(str::to_owned);
        let answer = browser.update(&json!({ "companyId": "nowhere" })).await;
        assert_eq!(
            (answer.status().as_u16(), answer.json()["message"].clone()),
            (400, json!("no such company"))
        );
        assert_eq!(browser.cookie(SESSION), before.as_deref(), "{strategy:?}");
        assert_eq!(browser.session().await["role"], "reader");
    }
}

#[tokio::test]
async fn view_of_another_callback_is_not_kept_for_a_request() {
    let site = Site::new();
    let auth = site.builder().session(async |_, ()| Ok(json!({ "by": "all" })));
    let auth = auth.cache_for(Duration::from_secs(60)).build().unwrap();
    let own = auth.for_request().session(async |_| Ok(json!({ "by": "one" }))).build();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    assert_eq!(browser.session().await["by"], "all");
    let kept = browser.cookie(SESSION).unwrap().to_owned();
    let mut other = browse(&own);
    other.plant(&format!("{SESSION}={kept}; Path=/; Secure"));
    assert_eq!(other.session().await["by"], "one");
    assert_eq!(browser.session().await["by"], "all");
}

#[tokio::test]
async fn seed_3_5_options_that_depend_on_the_request_share_everything_else() {
    let site = Site::new();
    let auth = app(&site, Strategy::Jwt).build().unwrap();
    let company = "acme".to_owned();
    let own = auth.for_request().jwt(async move |event: Jwt<Claims, Update>| {
        Ok(match event {
            Jwt::SignIn(_) => Some(Claims { role: "guest".into(), company_id: Some(company) }),
            Jwt::Update(it) => Some(it.claims),
            Jwt::Read(it) => Some(it.claims),
        })
    });
    let own = own.session_max_age(Duration::from_secs(60)).build();
    let mut browser = page(&own);
    browser.sign_in("idp", &site.idp).await;
    let shown = browser.session().await;
    assert_eq!((&shown["role"], &shown["companyId"]), (&json!("guest"), &json!("acme")));
    let kept = browser.cookie(SESSION).unwrap().to_owned();
    // Keys are the same: the other configuration reads it, and is as it was.
    let mut other = page(&auth);
    other.plant(&format!("{SESSION}={kept}; Path=/; Secure"));
    assert_eq!(other.session().await["role"], "guest");
    assert_eq!(signed_in(&auth, &site).await.session().await["role"], "reader");
    site.clock.advance(Duration::from_secs(90));
    browser.plant(&format!("{SESSION}={kept}; Path=/; Secure"));
    assert_eq!(browser.get("session").await.text(), "null");
}
