//! nuxt-auth's "Session data".

use std::sync::{Arc, Mutex};
use std::time::Duration;

use example_axum_session_recipes::{enriched, provider_token};
use hallpass::{Auth, Builder, Jwt, NoUpdate, Strategy};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::server::{Mood, Server};
use crate::site::{Site, Way, everywhere};

/// The provider's token answer has a field that no other provider's has.
fn tell_token(site: &Site, token: &'static str) {
    site.idp.on_token_answer(move |answer| {
        answer.insert("session_token".to_owned(), token.into());
    });
}

#[tokio::test]
async fn seed_2_1_a_field_that_only_this_provider_has_is_in_account() {
    for site in everywhere() {
        tell_token(&site, "from the provider");
        let auth = provider_token::extend(site.builder()).build().unwrap();
        for way in [Way::OpenId, Way::OAuth] {
            let mut browser = site.by(&auth, way).await;
            assert_eq!(
                browser.get("/").await.json()["claims"],
                json!({ "sessionToken": "from the provider" })
            );
            // Row 2.4: it is nowhere that a page could see.
            assert!(!browser.get("session").await.text().contains("from the provider"));
        }
    }
}

/// What the `jwt` callback was given, as Auth.js would give it, and as it prints.
type Log = Arc<Mutex<Vec<(Value, String)>>>;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    session_token: String,
}

fn logging(site: &Site, log: &Log) -> Auth<Kept> {
    let builder = site.builder_with(Arc::clone(log)).jwt(async |event: Jwt<Kept>, log: Log| {
        log.lock().unwrap().push((serde_json::to_value(&event)?, format!("{event:?}")));
        Ok(match event {
            Jwt::SignIn(_) => Some(Kept { session_token: "kept".to_owned() }),
            Jwt::Read(it) => Some(it.claims),
        })
    });
    builder.build().unwrap()
}

#[tokio::test]
async fn seed_2_1_at_creation_everything_is_there_and_prints_no_secret() {
    for site in everywhere() {
        tell_token(&site, "from the provider");
        let log = Log::default();
        let auth = logging(&site, &log);
        site.signed_in(&auth).await;
        let (given, printed) = log.lock().unwrap().remove(0);
        assert_eq!(given["user"]["email"], "ada@example.com");
        assert_eq!((&given["account"]["provider"], &given["profile"]["sub"]), (&json!("idp"), &json!("idp")));
        assert_eq!(given["account"]["session_token"], "from the provider");
        assert_eq!((&given["isNewUser"], &given["trigger"]), (&json!(true), &json!("signUp")));
        let secret = given["account"]["access_token"].as_str().unwrap();
        assert!(printed.contains("idp") && !printed.contains(secret), "{printed}");
        assert!(!printed.contains("from the provider"), "{printed}");
        site.signed_in(&auth).await;
        let (given, _) = log.lock().unwrap().remove(0);
        assert_eq!((&given["isNewUser"], &given["trigger"]), (&json!(false), &json!("signIn")));
    }
}

#[tokio::test]
async fn seed_2_2_later_there_is_only_the_token() {
    for site in everywhere() {
        let log = Log::default();
        let auth = logging(&site, &log);
        let mut browser = site.signed_in(&auth).await;
        log.lock().unwrap().clear();
        for _ in 0..2 {
            browser.session().await;
            let (given, _) = log.lock().unwrap().remove(0);
            assert_eq!(given.as_object().unwrap().keys().collect::<Vec<_>>(), ["token"]);
            assert_eq!(given["token"]["sessionToken"], "kept");
        }
    }
}

fn enriching(site: &Site, server: &Server) -> Builder<enriched::Api, provider_token::Claims> {
    tell_token(site, "t-1");
    enriched::extend(provider_token::extend(site.builder_with(server.api.clone())))
}

#[tokio::test]
async fn seed_2_5_the_session_callback_runs_whenever_the_session_is_requested() {
    for site in everywhere() {
        let server = Server::start(Mood::Well).await;
        let auth = enriching(&site, &server).build().unwrap();
        let mut browser = site.signed_in(&auth).await;
        assert_eq!(server.calls(), 0);
        for times in 1..=3 {
            browser.session().await;
            assert_eq!(server.calls(), times);
        }
        // `update()` shows the session too. A handler has the claims, and shows nothing.
        refresh(&mut browser).await;
        browser.get("/").await;
        assert_eq!(server.calls(), 4);
    }
}

#[tokio::test]
async fn seed_2_5_what_is_kept_for_a_while_is_not_asked_for_again() {
    for site in everywhere() {
        let server = Server::start(Mood::Well).await;
        let auth = enriching(&site, &server).cache_for(Duration::from_secs(60)).build().unwrap();
        let mut browser = site.signed_in(&auth).await;
        for _ in 0..3 {
            assert_eq!(browser.session().await["user"]["role"], "manager");
        }
        assert_eq!(server.calls(), 1);
        refresh(&mut browser).await;
        assert_eq!(server.calls(), 2);
        // Somebody else's is their own.
        site.by(&auth, Way::OAuth).await.session().await;
        assert_eq!(server.calls(), 3);
        // What may be kept for no time at all is asked for each time.
        let auth = enriching(&site, &server).cache_for(Duration::from_nanos(1)).build().unwrap();
        let mut browser = site.restarted(&auth, &browser);
        for times in 4..=5 {
            browser.session().await;
            assert_eq!(server.calls(), times);
        }
    }
}

/// `update()` without data.
async fn refresh(browser: &mut hallpass::testkit::Browser) {
    let token = browser.csrf().await;
    let answer = browser.post_json("session", &json!({ "csrfToken": token })).await;
    assert_eq!(answer.json()["user"]["name"], "Ada");
}

#[tokio::test]
async fn seed_2_6_the_session_is_enriched_by_an_api_and_user_is_replaced() {
    for site in everywhere() {
        let server = Server::start(Mood::Well).await;
        let auth = enriching(&site, &server).build().unwrap();
        let shown = site.signed_in(&auth).await.session().await;
        assert_eq!(shown["user"], json!({ "name": "Ada", "avatar": "/ada.png", "role": "manager" }));
    }
}

#[tokio::test]
async fn seed_2_7_an_error_in_the_session_callback_signs_out_and_others_are_unaffected() {
    for site in everywhere() {
        let server = Server::start(Mood::Well).await;
        let log = Arc::new(Mutex::new(Vec::new()));
        let errors = Arc::clone(&log);
        let builder = enriching(&site, &server).on_error(move |error, _| {
            errors.lock().unwrap().push(format!("{error}: {:?}", std::error::Error::source(error)));
        });
        let auth = builder.build().unwrap();
        let mut other = site.by(&auth, Way::OAuth).await;
        tell_token(&site, "unknown there");
        let mut browser = site.signed_in(&auth).await;
        assert_eq!(browser.get("session").await.text(), "null");
        assert_eq!(
            Site::has_cookie(&browser),
            site.strategy == Strategy::Database,
            "the cookie of a token goes, that of a row stays"
        );
        let told = log.lock().unwrap().join("\n");
        assert!(told.contains("session callback") && told.contains("404"), "{told}");
        assert_eq!(other.session().await["user"]["role"], "manager");
    }
}

/// That TypeScript reads it, and refuses a wrong role, is `cargo xtask types`.
#[test]
fn seed_2_9_2_10_declarations_are_made_of_the_rust_types() {
    let declarations = hallpass::typescript::<provider_token::Claims, enriched::View, NoUpdate>();
    declarations.check("types/next-auth.d.ts").unwrap();
    let text = declarations.to_string();
    for wanted in [
        r#"export type Role = "admin" | "manager" | "user";"#,
        "  name: string;\n  avatar: string;\n  role: Role;",
        "  sessionToken?: string;",
    ] {
        assert!(text.contains(wanted), "{wanted}");
    }
}
