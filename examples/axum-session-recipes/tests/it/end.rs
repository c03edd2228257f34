//! Sessions that handlers change and end, and how long they live.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use example_axum_session_recipes::{company, handlers, remember_me};
use hallpass::testkit::Browser;
use hallpass::{Auth, Strategy, User};
use hallpass_axum::AuthExt;
use serde_json::{Value, json};

use crate::shells::{Shell, through_router};
use crate::site::{Site, Way};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn both() -> impl Iterator<Item = Site> {
    [Strategy::Jwt, Strategy::Database].into_iter().map(|strategy| Site::new(strategy, Shell::Axum))
}

/// A browser at an application that has the recipe's handlers.
fn at_handlers(auth: &Auth<company::Claims>) -> Browser {
    let app = Router::new().merge(handlers::routes()).merge(auth.routes());
    let app = app.layer(auth.layer()).with_state(auth.clone());
    through_router(Browser::new(auth, Site::URL).with_header("user-agent", "Difference Engine"), app)
}

#[tokio::test]
async fn handlers_change_the_session_at_hand_and_those_of_others() {
    for site in both() {
        let auth = company::extend(site.builder_with(site.store.clone())).build().unwrap();
        let (mut ada, mut milo) = (at_handlers(&auth), at_handlers(&auth));
        site.sign_in(&mut ada, Way::OpenId).await;
        site.sign_in(&mut milo, Way::Credentials).await;
        assert_eq!(ada.post_form("/pick/globex", &[]).await.status(), StatusCode::OK);
        assert_eq!(ada.session().await["selectedCompanyId"], "globex");
        for path in ["/assign/42", "/rename/42"] {
            assert_eq!(milo.post_form(path, &[]).await.status(), StatusCode::FORBIDDEN);
            assert_eq!(at_handlers(&auth).post_form(path, &[]).await.status(), StatusCode::UNAUTHORIZED);
        }
        assert_eq!(milo.session().await["selectedCompanyId"], Value::Null);
        for path in ["/assign/42", "/rename/42"] {
            assert_eq!(ada.post_form(path, &[]).await.status(), StatusCode::OK);
        }
        let shown = milo.session().await;
        assert_eq!(
            (&shown["selectedCompanyId"], &shown["user"]["name"]),
            (&json!("acme"), &json!("Augusta"))
        );
        assert_eq!(ada.session().await["selectedCompanyId"], "globex");
    }
}

#[tokio::test]
async fn handlers_end_the_session_at_hand_all_others_or_all() {
    for site in both() {
        let auth = company::extend(site.builder_with(site.store.clone())).build().unwrap();
        let mut browsers = [at_handlers(&auth), at_handlers(&auth), at_handlers(&auth)];
        for browser in &mut browsers {
            site.sign_in(browser, Way::OpenId).await;
            // A token knows the second in which it was made.
            site.clock.advance(Duration::from_secs(1));
        }
        let devices = browsers[0].get("/devices").await.json();
        // Sessions that are only in tokens are on no list.
        let listed = if site.strategy == Strategy::Database { 3 } else { 0 };
        assert_eq!(devices, json!(vec!["Difference Engine"; listed]));
        for (asks, path, left) in
            [(0, "/sign-out", [false, true, true]), (1, "/sign-out-elsewhere", [false, true, false])]
        {
            assert_eq!(browsers[asks].post_form(path, &[]).await.status(), StatusCode::OK);
            for (browser, left) in browsers.iter_mut().zip(left) {
                assert_eq!(browser.get("session").await.text() != "null", left, "{path}");
            }
        }
        let mut again = at_handlers(&auth);
        site.sign_in(&mut again, Way::OpenId).await;
        assert_eq!(again.post_form("/sign-out-everywhere", &[]).await.status(), StatusCode::OK);
        for browser in [&mut browsers[1], &mut again] {
            assert_eq!(browser.get("session").await.text(), "null");
        }
    }
}

#[tokio::test]
async fn whoever_asks_to_be_remembered_is_for_ninety_days_and_others_for_one() {
    for site in both() {
        let auth = remember_me::extend(site.builder()).build().unwrap();
        let mut forgotten = site.by(&auth, Way::Credentials).await;
        auth.users()
            .create(User::new("").with_email("lin@example.com").with("remember", true))
            .await
            .unwrap();
        let mut remembered = site.by(&auth, Way::Email).await;
        for browser in [&mut forgotten, &mut remembered] {
            assert!(browser.session().await["user"].is_object());
        }
        site.clock.advance(2 * DAY);
        assert_eq!(forgotten.get("session").await.text(), "null");
        for _ in 0..2 {
            site.clock.advance(80 * DAY);
            assert_eq!(remembered.session().await["user"]["email"], "lin@example.com");
        }
        site.clock.advance(91 * DAY);
        assert_eq!(remembered.get("session").await.text(), "null");
    }
}
