//! "Extending the Session".

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use example_axum_session_recipes::{company, inbox, user_id};
use hallpass::{Auth, Jwt, NoClaims, Strategy};
use serde_json::json;
use sqlx::sqlite::SqlitePoolOptions;

use crate::server::{Mood, Server};
use crate::shells::Shell;
use crate::site::{Site, Way, everywhere};

#[tokio::test]
async fn seed_1_1_without_callbacks_the_browser_sees_name_email_and_image() {
    for site in everywhere() {
        let auth = site.builder().build().unwrap();
        let mut shown = site.by(&auth, Way::Credentials).await.session().await;
        assert!(shown.as_object_mut().unwrap().remove("expires").unwrap().is_string());
        let user = json!({ "name": "Milo", "email": "milo@example.com", "image": "/milo.png" });
        assert_eq!(shown, json!({ "user": user }));
        // It is not for want of more: the row has a role and a hash.
        let row = site.store.rows().users[0].clone();
        assert_eq!((row.id.as_str(), row.get("role")), ("42", Some(&json!("admin"))));
        assert!(row.get("password").is_some());
    }
}

/// The application's database has a table of plans.
async fn with_inbox(site: &Site, server: &Server) -> (Auth, inbox::App) {
    let database = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
    let app = inbox::App { database, api: server.api.clone() };
    for statement in
        ["CREATE TABLE plans (name TEXT, plan TEXT)", "INSERT INTO plans VALUES ('Milo', 'premium')"]
    {
        sqlx::query(statement).execute(&app.database).await.unwrap();
    }
    (inbox::extend(site.builder_with(app.clone())).build().unwrap(), app)
}

#[tokio::test]
async fn seed_1_2_a_query_and_a_call_complete_the_session() {
    for site in everywhere() {
        let server = Server::start(Mood::Well).await;
        let (auth, _) = with_inbox(&site, &server).await;
        let mut browser = site.by(&auth, Way::Credentials).await;
        let shown = browser.session().await;
        assert_eq!((&shown["plan"], &shown["unread"]), (&json!("premium"), &json!(3)));
        assert_eq!(shown["user"]["name"], "Milo");
    }
}

#[tokio::test]
async fn seed_1_2_a_query_or_a_call_that_fails_signs_out() {
    for site in everywhere() {
        let server = Server::start(Mood::Well).await;
        let (auth, app) = with_inbox(&site, &server).await;
        let mut browsers = [site.by(&auth, Way::Credentials).await, site.by(&auth, Way::Credentials).await];
        server.set(Mood::Broken);
        assert_eq!(browsers[0].get("session").await.text(), "null");
        server.set(Mood::Well);
        sqlx::query("ALTER TABLE plans RENAME TO gone").execute(&app.database).await.unwrap();
        assert_eq!(browsers[1].get("session").await.text(), "null");
        sqlx::query("ALTER TABLE gone RENAME TO plans").execute(&app.database).await.unwrap();
        // A token has gone with its cookie; a row is there still when all is well again.
        for browser in &mut browsers {
            let is_there = browser.session().await["plan"] == "premium";
            let kept = site.strategy == Strategy::Database;
            assert_eq!((is_there, Site::has_cookie(browser)), (kept, kept));
        }
    }
}

#[tokio::test]
async fn seed_1_2_a_call_that_hangs_is_503_and_signs_nobody_out() {
    for site in everywhere() {
        let server = Server::start(Mood::Well).await;
        let (patient, _) = with_inbox(&site, &server).await;
        // Its own database, which is in memory: a query that is given up takes its connection with it.
        let (_, app) = with_inbox(&site, &server).await;
        let hasty = site.builder_with(app).callback_timeout(Duration::from_millis(20));
        let hasty = inbox::extend(hasty).build().unwrap();
        let browser = site.by(&patient, Way::Credentials).await;
        server.set(Mood::Hanging);
        let mut waiting = site.restarted(&hasty, &browser);
        let answer = waiting.get("session").await;
        let told = (answer.status(), answer.header("retry-after"));
        assert_eq!(told, (StatusCode::SERVICE_UNAVAILABLE, Some("5")));
        assert_eq!(answer.set_cookies(), Vec::<&str>::new());
        // Others are not held up, and when the server is back, so is the session.
        assert_eq!(site.page(&hasty).get("session").await.text(), "null");
        server.set(Mood::Well);
        assert_eq!(site.restarted(&patient, &waiting).session().await["unread"], 3);
    }
}

#[tokio::test]
async fn seed_1_3_the_id_is_in_the_session_for_every_way_to_sign_in() {
    for site in everywhere() {
        let auth = user_id::extend(site.builder()).build().unwrap();
        for (way, email) in [
            (Way::Credentials, "milo@example.com"),
            (Way::Email, "lin@example.com"),
            (Way::OAuth, "grace@example.com"),
            (Way::OpenId, "ada@example.com"),
        ] {
            let mut browser = site.by(&auth, way).await;
            let row = auth.users().find_by_email(email).await.unwrap().unwrap();
            assert_eq!(browser.session().await["user"]["id"], json!(row.id), "{way:?}");
        }
    }
}

#[tokio::test]
async fn seed_1_4_the_id_is_there_after_ten_reads_a_restart_and_a_new_secret() {
    for site in everywhere() {
        let before = user_id::extend(site.builder()).build().unwrap();
        let mut browser = site.signed_in(&before).await;
        let id = browser.session().await["user"]["id"].clone();
        assert!(id.is_string());
        for _ in 0..10 {
            site.clock.advance(Duration::from_secs(3600));
            assert_eq!(browser.session().await["user"]["id"], id);
        }
        let again = user_id::extend(site.builder()).build().unwrap();
        assert_eq!(site.restarted(&again, &browser).session().await["user"]["id"], id);
        let secrets = ["another text of at least 32 characters", Site::SECRET];
        let rotated = user_id::extend(site.with_secrets((), &secrets)).build().unwrap();
        assert_eq!(site.restarted(&rotated, &browser).session().await["user"]["id"], id);
    }
}

/// That the types say so is in `src/seed_1_5.rs`.
#[tokio::test]
async fn seed_1_5_the_user_is_there_at_sign_in_only() {
    type Log = Arc<Mutex<Vec<String>>>;
    for site in everywhere() {
        let log = Log::default();
        let builder = site.builder_with(Arc::clone(&log)).jwt(async |event: Jwt<NoClaims>, log: Log| {
            log.lock().unwrap().push(match event {
                Jwt::SignIn(it) => format!("{} signs in", it.user.id),
                Jwt::Read(_) => "a read".to_owned(),
            });
            Ok(Some(NoClaims {}))
        });
        let auth = builder.build().unwrap();
        let mut browser = site.by(&auth, Way::Credentials).await;
        browser.session().await;
        browser.get("/").await;
        assert_eq!(*log.lock().unwrap(), ["42 signs in", "a read", "a read"]);
    }
}

#[tokio::test]
async fn seed_1_6_a_handler_has_the_id() {
    for site in everywhere() {
        let auth = user_id::extend(site.builder()).build().unwrap();
        let mut browser = site.by(&auth, Way::Credentials).await;
        let known = json!({ "id": "42", "name": "Milo", "claims": { "id": "42" } });
        assert_eq!(browser.get("/").await.json(), known);
        assert_eq!(site.page(&auth).get("/").await.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn seed_1_7_the_id_comes_from_the_database() {
    for shell in Shell::ALL {
        let site = Site::new(Strategy::Database, shell);
        let auth = user_id::extend_from_database(site.builder()).build().unwrap();
        let mut browser = site.signed_in(&auth).await;
        assert_eq!(browser.session().await["user"]["id"], json!(site.store.rows().users[0].id));
    }
}

#[tokio::test]
async fn seed_1_8_what_the_application_keeps_is_in_the_row() {
    for shell in Shell::ALL {
        let site = Site::new(Strategy::Database, shell);
        let auth = company::extend(site.builder_with(site.store.clone())).build().unwrap();
        let mut browser = site.signed_in(&auth).await;
        browser.update(&json!({ "companyId": "acme" })).await;
        assert_eq!(site.store.rows().sessions[0].1.claims["selectedCompanyId"], "acme");
        // The cookie holds no more than a random token.
        assert!(browser.cookies().iter().all(|cookie| cookie.value.len() < 200));
    }
}
