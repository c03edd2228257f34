//! The session in handlers, and the layer that renews it.

use axum::Router;
use axum::routing::get;
use hallpass::{Auth, Jwt, MemoryStore, Strategy};
use hallpass_axum::{AuthExt, Session};
use http::Request;

use crate::application::{Claims, ask, builder, builder_with, cookies_of, header};

async fn role(session: Session<Claims>) -> String {
    session.claims.role.clone()
}

async fn home(session: Option<Session<Claims>>) -> String {
    session.map_or_else(|| "stranger".to_owned(), |session| session.user.id.clone())
}

async fn both(one: Session<Claims>, two: Option<Session<Claims>>) -> String {
    format!("{} {}", one.user.id, two.is_some())
}

async fn cached(_: Session<Claims>) -> ([(&'static str, &'static str); 1], &'static str) {
    ([("cache-control", "public, max-age=60")], "cached")
}

async fn private(_: Session<Claims>) -> ([(&'static str, &'static str); 1], &'static str) {
    ([("cache-control", "Private, max-age=60")], "private")
}

fn app(auth: &Auth<Claims>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/role", get(role))
        .route("/both", get(both))
        .route("/cached", get(cached))
        .route("/private", get(private))
        .route("/static", get(async || "nobody asks"))
        .layer(auth.layer())
        .with_state(auth.clone())
}

#[tokio::test]
async fn handler_gets_the_session() {
    let auth = builder().build().unwrap();
    let app = app(&auth);
    let cookies = cookies_of(&auth, "admin").await;
    assert_eq!(ask(&app, Request::get("/").header("cookie", &cookies)).await.body(), "admin");
    assert_eq!(ask(&app, Request::get("/role").header("cookie", &cookies)).await.body(), "admin");
    assert_eq!(ask(&app, Request::get("/")).await.body(), "stranger");
}

#[tokio::test]
async fn stranger_is_sent_to_sign_in_or_gets_401() {
    let auth = builder().build().unwrap();
    let app = Router::new().nest("/area", app(&auth));
    let program = ask(&app, Request::get("/area/role").header("accept", "application/json")).await;
    assert_eq!((program.status().as_u16(), header(&program, "location")), (401, None));
    assert_eq!(header(&program, "cache-control"), Some("no-store"));
    let page = ask(&app, Request::get("/area/role?a=b&c=d").header("accept", "text/html,*/*")).await;
    let sign_in = "/api/auth/signin?callbackUrl=%2Farea%2Frole%3Fa%3Db%26c%3Dd";
    assert_eq!((page.status().as_u16(), header(&page, "location")), (303, Some(sign_in)));
    assert_eq!(header(&page, "cache-control"), Some("no-store"));
}

#[tokio::test]
async fn layer_renews_the_cookie_once() {
    let auth = builder().build().unwrap();
    let app = app(&auth);
    let cookies = cookies_of(&auth, "admin").await;
    for (path, renewed) in [("/", 1), ("/role", 1), ("/both", 1), ("/static", 0)] {
        let answer = ask(&app, Request::get(path).header("cookie", &cookies)).await;
        let lines: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
        assert_eq!(lines.len(), renewed, "{path}");
        assert!(
            lines.iter().all(|line| line.to_str().unwrap().starts_with("__Secure-authjs.session-token=eyJ"))
        );
        // What is said of nobody may be cached; a cookie may not.
        assert_eq!(header(&answer, "cache-control"), (renewed > 0).then_some("private, no-store"), "{path}");
    }
    let without = Router::new().route("/", get(home)).with_state(auth.clone());
    let answer = ask(&without, Request::get("/").header("cookie", &cookies)).await;
    assert_eq!((answer.body().as_str(), header(&answer, "set-cookie")), ("admin", None));
}

#[tokio::test]
async fn answer_with_a_session_cookie_is_kept_out_of_shared_caches() {
    let auth = builder().build().unwrap();
    let app = app(&auth);
    let cookies = cookies_of(&auth, "admin").await;
    let answer = ask(&app, Request::get("/cached").header("cookie", &cookies)).await;
    assert_eq!(header(&answer, "cache-control"), Some("private, no-store"));
    let answer = ask(&app, Request::get("/private").header("cookie", &cookies)).await;
    assert_eq!(header(&answer, "cache-control"), Some("Private, max-age=60"));
}

#[tokio::test]
async fn unreadable_session_is_removed() {
    let auth = builder().build().unwrap();
    let app = app(&auth);
    let answer = ask(&app, Request::get("/").header("cookie", "__Secure-authjs.session-token=x")).await;
    assert_eq!(answer.body(), "stranger");
    assert!(header(&answer, "set-cookie").unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn session_that_cannot_be_decided_is_503() {
    let auth = builder().build().unwrap();
    let cookies = cookies_of(&auth, "admin").await;
    let app = app(&builder_with(|_| panic!("in jwt")).build().unwrap());
    for path in ["/", "/role", "/both"] {
        let answer =
            ask(&app, Request::get(path).header("cookie", &cookies).header("accept", "text/html")).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "retry-after")), (503, Some("5")), "{path}");
        assert_eq!((header(&answer, "set-cookie"), header(&answer, "location")), (None, None));
    }
    // Nobody's session needs no callback.
    assert_eq!(ask(&app, Request::get("/")).await.body(), "stranger");
}

#[tokio::test]
async fn session_that_the_application_ends_is_none() {
    let auth = builder().build().unwrap();
    let cookies = cookies_of(&auth, "admin").await;
    let ends = builder_with(|event| match event {
        Jwt::SignIn(it) => Ok(Some(Claims { role: it.user.id }).into()),
        _ => Ok(None.into()),
    });
    let app = app(&ends.build().unwrap());
    let answer = ask(&app, Request::get("/role").header("cookie", &cookies)).await;
    assert_eq!(answer.status(), 401);
    assert!(header(&answer, "set-cookie").unwrap().contains("Max-Age=0"));
}

async fn promote(mut session: Session<Claims>) -> String {
    session.update(|claims| claims.role.push('!')).await.unwrap();
    session.update(|claims| claims.role.push('?')).await.unwrap();
    session.claims.role.clone()
}

async fn leave(session: Session<Claims>) -> &'static str {
    session.sign_out().await.unwrap();
    "bye"
}

async fn only_here(mut session: Session<Claims>) -> String {
    session.sign_out_elsewhere().await.unwrap();
    session.user.id.clone()
}

/// What a browser sends next that sent `cookies` and got `answer`.
fn next(cookies: &str, answer: &http::Response<String>) -> String {
    let mut jar: Vec<(String, String)> = cookies
        .split("; ")
        .filter_map(|cookie| cookie.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for line in answer.headers().get_all("set-cookie") {
        let (name, value) = line.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
        jar.retain(|(known, _)| known != name);
        jar.push((name.to_owned(), value.to_owned()));
    }
    jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn handler_changes_and_ends_the_session() {
    for strategy in [Strategy::Jwt, Strategy::Database] {
        let auth = builder().store(MemoryStore::new()).session_strategy(strategy).build().unwrap();
        let app = app(&auth).merge(
            Router::new()
                .route("/promote", get(promote))
                .route("/leave", get(leave))
                .layer(auth.layer())
                .with_state(auth.clone()),
        );
        let cookies = cookies_of(&auth, "admin").await;
        let answer = ask(&app, Request::get("/promote").header("cookie", &cookies)).await;
        assert_eq!(answer.body(), "admin!?", "{strategy:?}");
        let lines = answer.headers().get_all("set-cookie").iter().count();
        assert_eq!(lines, usize::from(strategy == Strategy::Jwt), "one cookie, and none for a row");
        let cookies = next(&cookies, &answer);
        assert_eq!(ask(&app, Request::get("/role").header("cookie", &cookies)).await.body(), "admin!?");
        let answer = ask(&app, Request::get("/leave").header("cookie", &cookies)).await;
        let cookies = next(&cookies, &answer);
        assert_eq!(ask(&app, Request::get("/").header("cookie", &cookies)).await.body(), "stranger");
    }
}

#[tokio::test]
async fn handler_ends_all_other_sessions() {
    for strategy in [Strategy::Jwt, Strategy::Database] {
        let auth = builder().store(MemoryStore::new()).session_strategy(strategy).build().unwrap();
        let app = app(&auth).merge(
            Router::new().route("/only-here", get(only_here)).layer(auth.layer()).with_state(auth.clone()),
        );
        let (here, there) = (cookies_of(&auth, "admin").await, cookies_of(&auth, "admin").await);
        let answer = ask(&app, Request::get("/only-here").header("cookie", &here)).await;
        let here = next(&here, &answer);
        assert_eq!(
            ask(&app, Request::get("/").header("cookie", &here)).await.body(),
            "admin",
            "{strategy:?}"
        );
        assert_eq!(ask(&app, Request::get("/").header("cookie", &there)).await.body(), "stranger");
    }
}
