//! What the README shows.

use axum::body::{Body, to_bytes};
use axum::http::Response;
use hallpass::testkit::Browser;
use hallpass::{Environment, UserChange};
use serde_json::json;
use tower::ServiceExt;

use super::*;

#[tokio::test]
async fn the_browser_sees_id_and_role_as_the_database_has_them_now() {
    let store = SqlStore::builder("sqlite::memory:").secrets([SECRET]).connect().await.unwrap();
    store.migrate().await.unwrap();
    let builder = Auth::builder().environment(Environment::empty()).secret(SECRET).url(URL);
    let auth = extend(builder, store).build().unwrap();
    let mut browser = browser(&auth);
    browser.sign_in_with_credentials(&[("username", "ada"), ("password", "difference engine")]).await;
    let mut body = browser.session().await;
    body["expires"] = json!("…");
    assert_eq!(body, json!({ "user": { "name": "Ada", "id": "1", "role": "admin" }, "expires": "…" }));

    auth.users().update("1", UserChange::new().set("role", "reader")).await.unwrap();
    assert_eq!(browser.session().await["user"]["role"], "reader");
    assert_eq!(browser.get("/").await.text(), "You are user 1, and your role is reader.");
}

/// A browser that looks at the application.
fn browser(auth: &Auth) -> Browser {
    let app = app(auth.clone());
    Browser::new(auth, URL).through(move |request| {
        let app = app.clone();
        async move {
            let (parts, body) = app.oneshot(request.map(Body::from)).await.unwrap().into_parts();
            Response::from_parts(parts, to_bytes(body, 1 << 20).await.unwrap())
        }
    })
}

const SECRET: &str = "a text of at least 32 characters, at random";

const URL: &str = "https://app.example.com";
