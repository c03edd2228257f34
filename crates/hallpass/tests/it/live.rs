//! Sessions while they live: changed, ended and shown from elsewhere, with both strategies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hallpass::testkit::Browser;
use hallpass::{
    Auth, BoxError, Builder, ErrorKind, Jwt, JwtDecision, NoClaims, SessionEvent, SessionToken, Strategy,
    UserChange,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::site::{Log, SESSION, SITE, Site, browse};

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
async fn another_node_learns_of_a_revocation() {
    for strategy in BOTH {
        let site = Site::new();
        let here = app(&site, strategy).build().unwrap();
        let there = app(&site, strategy).revocation_delay(Duration::from_millis(1)).build().unwrap();
        let browser = signed_in(&here, &site).await;
        let mut elsewhere = browse(&there);
        elsewhere.plant(&format!("{SESSION}={}; Path=/; Secure", browser.cookie(SESSION).unwrap()));
        assert_eq!(elsewhere.session().await["role"], "reader");
        here.sessions().revoke_all(&id(&site)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
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
