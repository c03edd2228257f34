//! Hallpass' own addresses.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use hallpass::{Auth, Environment, MAX_BODY};
use hallpass_axum::{AuthExt, ConfigErrorExt};
use http::{Method, Request};

use crate::application::{SITE, ask, builder, header, send};

fn app() -> Router {
    Router::new().route("/", get(async || "home")).merge(builder().build().unwrap().routes())
}

#[tokio::test]
async fn addresses_are_mounted_beside_those_of_the_application() {
    let app = app();
    assert_eq!(ask(&app, Request::get("/")).await.body(), "home");
    assert_eq!(ask(&app, Request::get("/api/auth/session")).await.body(), "null");
    assert!(ask(&app, Request::get("/api/auth/signout")).await.body().contains("<form"));
    for path in ["/api/auth", "/api/auth/", "/api/auth/nope", "/api/auth/a/b/c"] {
        let answer = ask(&app, Request::get(path)).await;
        assert_eq!((answer.status().as_u16(), answer.body().as_str()), (400, "\"Bad request.\""), "{path}");
    }
    assert_eq!(ask(&app, Request::get("/nope")).await.status(), 404);
}

#[tokio::test]
async fn every_method_gets_to_hallpass() {
    let app = app();
    for method in [Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS, Method::TRACE, Method::PATCH] {
        let answer = ask(&app, Request::builder().method(method.clone()).uri("/api/auth/session")).await;
        assert_eq!(answer.status(), 400, "{method}");
    }
    let answer = ask(&app, Request::post("/api/auth/signout")).await;
    assert_eq!(header(&answer, "location"), Some(&*format!("{SITE}/api/auth/signin?error=MissingCSRF")));
}

#[tokio::test]
async fn base_path_is_the_configured_one() {
    let auth = builder().base_path("/auth").build().unwrap();
    let app = Router::<()>::new().merge(auth.routes());
    assert_eq!(ask(&app, Request::get("/auth/session")).await.body(), "null");
    assert_eq!(ask(&app, Request::get("/api/auth/session")).await.status(), 404);
}

#[tokio::test]
async fn body_over_the_limit_is_413() {
    let app = app();
    let form =
        || Request::post("/api/auth/signout").header("content-type", "application/x-www-form-urlencoded");
    let fits = send(&app, form().body("x".repeat(MAX_BODY).into()).unwrap()).await;
    assert_eq!(fits.status(), 302);
    let larger = send(&app, form().body("x".repeat(MAX_BODY + 1).into()).unwrap()).await;
    assert_eq!(larger.status(), 413);
    // One that never ends is not waited for.
    let endless = Body::from_stream(Endless);
    let answer = send(&app, form().body(endless).unwrap()).await;
    assert_eq!(answer.status(), 413);
}

struct Endless;

impl futures_core::Stream for Endless {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(Some(Ok(Bytes::from_static(&[b'x'; 1024]))))
    }
}

#[tokio::test]
async fn wrong_configuration_can_be_mounted() {
    let error = Auth::builder().environment(Environment::empty()).build().err().unwrap();
    let app = Router::<()>::new().merge(error.routes());
    let page = ask(&app, Request::get("/api/auth/signin").header("host", "localhost")).await;
    assert_eq!(
        (page.status().as_u16(), header(&page, "content-type")),
        (500, Some("text/html; charset=utf-8"))
    );
    let session = ask(&app, Request::get("/api/auth/session").header("host", "localhost")).await;
    assert_eq!(session.status(), 500);
    assert!(session.body().starts_with("{\"message\":"));
}

/// HTTP/2 names the host in the address.
#[tokio::test]
async fn host_may_stand_in_the_address() {
    let auth = Auth::builder()
        .environment(Environment::empty())
        .secret("the secret of the site, 32 and more")
        .trust_host(true)
        .credentials(hallpass::Credentials::new(), async |_, ()| Ok(None))
        .build()
        .unwrap();
    let app = Router::<()>::new().merge(auth.routes());
    let answer = ask(&app, Request::get("http://app.example.com/api/auth/providers")).await;
    assert!(
        answer.body().contains("http://app.example.com/api/auth/signin/credentials"),
        "{}",
        answer.body()
    );
}
