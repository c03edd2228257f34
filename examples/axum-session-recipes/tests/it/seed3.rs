//! "Handling Session Updates for Authenticated Users".

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use example_axum_session_recipes::{company, first_name, for_request, profile};
use hallpass::testkit::Browser;
use hallpass::{Auth, Builder, Jwt, SessionEvent, Strategy, UserChange, ViewUser};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::shells::{Shell, through_router};
use crate::site::{Site, Way, everywhere};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn picking(site: &Site) -> Auth<company::Claims> {
    company::extend(site.builder_with(site.store.clone())).build().unwrap()
}

/// What a handler says of whoever asks.
async fn id(browser: &mut Browser) -> String {
    browser.get("/").await.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn seed_3_1_3_3_a_new_name_is_in_every_session_at_the_next_read() {
    for site in everywhere() {
        let auth = picking(&site);
        for way in Way::ALL {
            let (mut one, mut two) = (site.by(&auth, way).await, site.by(&auth, way).await);
            let change = UserChange::new().name("Augusta".to_owned());
            auth.users().update(&id(&mut one).await, change).await.unwrap();
            for browser in [&mut one, &mut two] {
                assert_eq!(browser.session().await["user"]["name"], "Augusta", "{way:?}");
                assert_eq!(browser.get("/").await.json()["name"], "Augusta", "{way:?}");
            }
        }
    }
}

#[tokio::test]
async fn seed_3_1_3_3_an_update_whose_callback_changes_the_user_is_in_every_session() {
    for site in everywhere() {
        let app = first_name::App::default();
        let auth = first_name::build(site.builder_with(app.clone()), &app).unwrap();
        for way in Way::ALL {
            let (mut one, mut two) = (site.by(&auth, way).await, site.by(&auth, way).await);
            two.session().await;
            let answer = one.update(&json!({ "name": "Augusta" })).await.json();
            assert_eq!(answer["user"]["name"], "Augusta", "{way:?}");
            for browser in [&mut one, &mut two] {
                assert_eq!(browser.session().await["user"]["name"], "Augusta", "{way:?}");
            }
            site.clock.advance(2 * DAY);
            assert_eq!(two.session().await["user"]["name"], "Augusta", "{way:?}");
        }
        let mut browser = site.signed_in(&auth).await;
        let answer = browser.update(&json!({ "name": 7 })).await;
        assert_eq!(
            (answer.status(), browser.session().await["user"]["name"].clone()),
            (StatusCode::BAD_REQUEST, json!("Augusta"))
        );
    }
}

#[tokio::test]
async fn seed_3_2_3_3_the_company_survives_reloads_restarts_and_signing_in_again() {
    for site in everywhere() {
        let auth = picking(&site);
        for way in Way::ALL {
            let mut browser = site.by(&auth, way).await;
            assert_eq!(browser.session().await["selectedCompanyId"], Value::Null);
            browser.get("session?companyId=acme").await;
            assert_eq!(browser.session().await["selectedCompanyId"], "acme", "{way:?}");
            let mut restarted = site.restarted(&picking(&site), &browser);
            site.clock.advance(10 * DAY);
            assert_eq!(restarted.session().await["selectedCompanyId"], "acme", "{way:?}");
            restarted.sign_out().await;
            assert_eq!(restarted.get("session").await.text(), "null");
            let shown = site.by(&auth, way).await.session().await;
            assert_eq!(
                (&shown["selectedCompanyId"], &shown["companyName"]),
                (&json!("acme"), &json!("Acme Corporation"))
            );
        }
    }
}

#[tokio::test]
async fn seed_3_2_the_company_survives_another_provider_of_the_same_person() {
    for site in everywhere() {
        let auth = picking(&site);
        let mut browser = site.signed_in(&auth).await;
        let person = id(&mut browser).await;
        browser.get("session?companyId=acme").await;
        // While they are signed in, they come by the other provider too: both are theirs from then on.
        site.sign_in(&mut browser, Way::OAuth).await;
        assert_eq!(browser.session().await["selectedCompanyId"], "acme");
        let mut elsewhere = site.by(&auth, Way::OAuth).await;
        assert_eq!(id(&mut elsewhere).await, person);
        assert_eq!(elsewhere.session().await["selectedCompanyId"], "acme");
        // And what is picked there is what the first provider finds.
        elsewhere.update(&json!({ "companyId": "globex" })).await;
        assert_eq!(site.signed_in(&auth).await.session().await["companyName"], "Globex");
    }
}

#[tokio::test]
async fn seed_3_4_the_profile_of_the_first_sign_in_holds_no_secret() {
    for site in everywhere() {
        let auth = profile::extend(site.builder()).build().unwrap();
        let shown = site.by(&auth, Way::Credentials).await.session().await["user"].clone();
        let email = "milo@example.com";
        assert_eq!(shown, json!({ "id": "42", "name": "Milo", "email": email, "provider": "credentials" }));
    }
}

/// The seed to the letter: `user: { ...user, account }`.
#[derive(Clone, Serialize, Deserialize)]
struct Copied {
    user: Value,
}

fn copying(site: &Site, development: bool) -> (Auth<Copied>, Arc<Mutex<Vec<String>>>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let errors = Arc::clone(&log);
    let builder = site.builder().jwt(async |event: Jwt<Copied>, ()| {
        Ok(match event {
            Jwt::SignIn(it) => {
                let mut user = serde_json::to_value(&it.user)?;
                user["account"] = serde_json::to_value(&it.account)?;
                Some(Copied { user })
            }
            Jwt::Read(it) => Some(it.claims),
        })
    });
    let builder = builder.session(async |it: SessionEvent<Copied>, ()| Ok(json!({ "user": it.claims.user })));
    let builder = builder.on_error(move |error, _| errors.lock().unwrap().push(error.to_string()));
    (builder.development(development).build().unwrap(), log)
}

#[tokio::test]
async fn seed_3_4_a_token_in_a_view_is_named_in_development_and_left_out_in_production() {
    for site in everywhere() {
        let (auth, _) = copying(&site, true);
        let mut browser = site.signed_in(&auth).await;
        let answer = browser.get("session").await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let told = answer.json()["message"].to_string();
        assert!(told.contains("user.account.access_token"), "{told}");
        assert!(Site::has_cookie(&browser));

        let (auth, log) = copying(&site, false);
        let shown = site.restarted(&auth, &browser).session().await["user"].clone();
        assert_eq!(
            (&shown["email"], &shown["account"]["provider"]),
            (&json!("ada@example.com"), &json!("idp"))
        );
        let account = shown["account"].as_object().unwrap();
        assert!(!account.keys().any(|name| name.ends_with("_token")), "{account:?}");
        assert!(log.lock().unwrap().iter().any(|line| line.contains("user.account.access_token")));
    }
}

#[tokio::test]
async fn seed_3_13_a_hash_of_a_password_gets_into_no_view_and_no_cookie_tells_what_it_holds() {
    for site in everywhere() {
        let (auth, log) = copying(&site, false);
        let mut browser = site.by(&auth, Way::Credentials).await;
        let shown = browser.get("session").await.text().to_owned();
        assert!(shown.contains("Milo") && !shown.contains("a hash of a password"), "{shown}");
        assert!(log.lock().unwrap().iter().any(|line| line.contains("user.password")));
        // The handler has it: it was the application's own doing.
        assert_eq!(browser.get("/").await.json()["claims"]["user"]["password"], "a hash of a password");
        let session = browser.cookies().iter().find(|cookie| cookie.name.ends_with("session-token"));
        let parts: Vec<_> = session.unwrap().value.split('.').collect();
        match site.strategy {
            // RFC 7516, 7.1: a token that is encrypted has five parts, and the second is empty with a direct key.
            Strategy::Jwt => assert_eq!((parts.len(), parts[1]), (5, "")),
            _ => assert_eq!((parts.len(), parts[0].len()), (1, 43)),
        }
        let (auth, _) = copying(&site, true);
        let answer = site.restarted(&auth, &browser).get("session").await;
        assert!(answer.json()["message"].to_string().contains("user.password"), "{}", answer.text());
    }
}

#[tokio::test]
async fn seed_3_5_options_depend_on_the_request() {
    for strategy in [Strategy::Jwt, Strategy::Database] {
        let site = Site::new(strategy, Shell::Axum);
        let auth = picking(&site);
        let app = Router::new().route("/api/auth/{*path}", any(for_request::answer)).with_state(auth.clone());
        let through_axum = through_router(Browser::new(&auth, Site::URL), app);
        let options = auth.clone();
        let through_core = Browser::new(&auth, Site::URL).through(move |request| {
            let (parts, body) = request.into_parts();
            let auth = for_request::create_options(&options, &parts);
            async move { auth.handle(axum::http::Request::from_parts(parts, body)).await }
        });
        for browser in [through_axum, through_core] {
            let mut acme = browser.clone().with_header("x-company", "acme");
            let mut globex = browser.clone().with_header("x-company", "globex");
            let mut nobodys = browser;
            for (browser, company) in
                [(&mut acme, json!("acme")), (&mut globex, json!("globex")), (&mut nobodys, Value::Null)]
            {
                site.sign_in(browser, Way::OpenId).await;
                assert_eq!(browser.session().await["selectedCompanyId"], company, "{strategy:?}");
            }
            // The configuration without options reads the same sessions, and is as it was.
            assert_eq!(site.restarted(&auth, &acme).session().await["selectedCompanyId"], "acme");
            assert_eq!(site.signed_in(&auth).await.session().await["selectedCompanyId"], Value::Null);
        }
    }
}

#[tokio::test]
async fn seed_3_6_3_7_3_8_3_9_3_3_the_query_updates_the_session_and_the_answer_shows_it() {
    for site in everywhere() {
        let auth = picking(&site);
        for way in Way::ALL {
            let mut browser = site.by(&auth, way).await;
            // 3.7: the answer holds it. 3.8: the callback has completed it.
            let answer = browser.get("session?companyId=acme").await.json();
            assert_eq!(
                (&answer["selectedCompanyId"], &answer["companyName"]),
                (&json!("acme"), &json!("Acme Corporation")),
                "{way:?}"
            );
            // 3.9: so does every session from then on, and what a handler gets.
            assert_eq!(browser.session().await["selectedCompanyId"], "acme");
            assert_eq!(browser.get("/").await.json()["claims"]["selectedCompanyId"], "acme");
            assert_eq!(
                browser.update(&json!({ "companyId": "globex" })).await.json()["companyName"],
                "Globex"
            );
            assert_eq!(browser.session().await["companyName"], "Globex");
        }
    }
}

#[tokio::test]
async fn seed_3_6_only_named_keys_and_only_from_the_site_itself() {
    for site in everywhere() {
        let auth = picking(&site);
        let mut browser = site.signed_in(&auth).await;
        browser.get("session?companyId=acme").await;
        // An image or a link elsewhere, a page of a neighbour, an address that somebody types.
        for from in ["cross-site", "same-site", "none"] {
            let mut stranger = site.restarted(&auth, &browser).with_header("sec-fetch-site", from);
            assert_eq!(
                stranger.get("session?companyId=evil").await.json()["selectedCompanyId"],
                "acme",
                "{from}"
            );
        }
        let answer = browser.get("session?selectedCompanyId=evil&role=admin").await;
        assert_eq!(answer.json()["selectedCompanyId"], "acme");
        // Old browsers do not say where a request comes from.
        let mut old = site.restarted(&auth, &browser).without_header("sec-fetch-site");
        assert_eq!(old.get("session?companyId=globex").await.json()["selectedCompanyId"], "globex");
    }
}

#[tokio::test]
async fn seed_3_6_without_names_no_query_is_an_update() {
    for site in everywhere() {
        let auth = complex(site.builder()).build().unwrap();
        let mut browser = site.signed_in(&auth).await;
        let answer = browser.get("session?company=acme").await;
        assert_eq!((answer.status(), &answer.json()["company"]), (StatusCode::OK, &Value::Null));
    }
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Membership {
    company: Option<Company>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Company {
    id: u64,
    role: Vec<String>,
}

#[derive(Deserialize)]
struct Change {
    company: Company,
}

#[derive(Serialize)]
struct View {
    user: ViewUser,
    company: Option<Company>,
}

/// `update({ company: { id, role: […] } })`
fn complex(builder: Builder) -> Builder<(), Membership> {
    let builder = builder.jwt(async |event: Jwt<Membership, Change>, ()| {
        Ok(match event {
            Jwt::SignIn(_) => Some(Membership::default()),
            Jwt::Update(it) => Some(Membership { company: Some(it.update.company) }),
            Jwt::Read(it) => Some(it.claims),
        })
    });
    builder.session(async |it: SessionEvent<Membership>, ()| {
        Ok(View { user: it.user.public(), company: it.claims.company })
    })
}

#[tokio::test]
async fn seed_3_12_a_complex_payload_goes_by_post_and_what_does_not_parse_is_named() {
    for site in everywhere() {
        let auth = complex(site.builder()).build().unwrap();
        let mut browser = site.signed_in(&auth).await;
        let company = json!({ "id": 7, "role": ["owner", "clerk"] });
        let answer = browser.update(&json!({ "company": company })).await.json();
        assert_eq!((&answer["company"], &browser.session().await["company"]), (&company, &company));
        for (data, told) in [
            (json!({ "company": { "id": "7", "role": [] } }), "company.id: expected u64"),
            (json!({ "company": { "id": 7, "role": ["owner", 1] } }), "company.role[1]: expected a string"),
            (json!({ "company": { "id": 7 } }), "company: missing field `role`"),
        ] {
            let answer = browser.update(&data).await;
            assert_eq!((answer.status(), answer.set_cookies()), (StatusCode::BAD_REQUEST, vec![]));
            assert!(answer.text().contains(told), "{told}: {}", answer.text());
            assert_eq!(browser.session().await["company"], company);
        }
        // Without the token of this site it is another site's.
        let answer =
            browser.post_json("session", &json!({ "data": { "company": { "id": 8, "role": [] } } })).await;
        assert_ne!(answer.json()["company"]["id"], 8);
        assert_eq!(browser.session().await["company"], company);
    }
}

/// Picks, changes the name, picks again, signs in once more; what was shown.
async fn story(site: &Site) -> Vec<Value> {
    let auth = picking(site);
    let mut browser = site.signed_in(&auth).await;
    let mut shown = vec![browser.session().await, browser.get("session?companyId=acme").await.json()];
    let change = UserChange::new().name("Augusta".to_owned());
    auth.users().update(&id(&mut browser).await, change).await.unwrap();
    shown.extend([
        browser.session().await,
        browser.update(&json!({ "companyId": "globex" })).await.json(),
        browser.update(&json!({ "companyId": 7 })).await.json(),
        browser.session().await,
        site.signed_in(&auth).await.session().await,
    ]);
    for shown in &mut shown {
        shown.as_object_mut().unwrap().remove("expires");
    }
    shown
}

#[tokio::test]
async fn seed_3_14_the_same_code_runs_with_sessions_in_the_database() {
    let expected = story(&Site::new(Strategy::Jwt, Shell::Core)).await;
    assert_eq!(
        (&expected[2]["user"]["name"], &expected[5]["companyName"]),
        (&json!("Augusta"), &json!("Globex"))
    );
    for site in everywhere().filter(|site| site.strategy == Strategy::Database) {
        assert_eq!(story(&site).await, expected);
        let rows: Vec<_> = site.store.rows().sessions;
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|(_, row)| row.claims["companyName"] == "Globex"));
    }
}
