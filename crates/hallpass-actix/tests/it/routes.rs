//! Hallpass' own addresses.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::Bytes;
use actix_web::{App, test};
use hallpass::{Auth, Credentials, Environment, MAX_BODY};
use hallpass_actix::{AuthExt, ConfigErrorExt};

use crate::application::{Answer, SITE, ask_routes, builder};

fn get(path: &str) -> TestRequest {
    TestRequest::get().uri(path)
}

#[actix_web::test]
async fn addresses_are_mounted_beside_those_of_the_application() {
    let auth = builder().build().unwrap();
    assert_eq!(ask_routes(auth.routes(), get("/")).await.body, "home");
    assert_eq!(ask_routes(auth.routes(), get("/api/auth/session")).await.body, "null");
    assert!(ask_routes(auth.routes(), get("/api/auth/signout")).await.body.contains("<form"));
    for path in ["/api/auth", "/api/auth/", "/api/auth/nope", "/api/auth/a/b/c", "/api/auth//%2f/%zz"] {
        let answer = ask_routes(auth.routes(), get(path)).await;
        assert_eq!((answer.status, answer.body.as_str()), (400, "\"Bad request.\""), "{path}");
    }
    for path in ["/nope", "/api/authx", "/api/authx/session"] {
        assert_eq!(ask_routes(auth.routes(), get(path)).await.status, 404, "{path}");
    }
}

#[actix_web::test]
async fn every_method_gets_to_hallpass() {
    let auth = builder().build().unwrap();
    for method in [Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS, Method::TRACE, Method::PATCH] {
        let answer = ask_routes(auth.routes(), get("/api/auth/session").method(method.clone())).await;
        assert_eq!(answer.status, 400, "{method}");
    }
    let answer = ask_routes(auth.routes(), TestRequest::post().uri("/api/auth/signout")).await;
    assert_eq!(answer.header("location"), Some(&*format!("{SITE}/api/auth/signin?error=MissingCSRF")));
}

/// Nothing is added to the answer of Hallpass, and each of its cookies is a header of its own.
#[actix_web::test]
async fn answer_is_that_of_hallpass() {
    let auth = builder().build().unwrap();
    for path in ["/api/auth/csrf", "/api/auth/signin", "/api/auth/signin?callbackUrl=x", "/api/auth/nope"] {
        let answer = ask_routes(auth.routes(), get(path)).await;
        let own = auth.handle(http::Request::get(path).body(Bytes::new()).unwrap()).await;
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names
        };
        let ours = sorted(answer.headers.iter().map(|(name, _)| name.clone()).collect());
        assert_eq!(ours, sorted(own.headers().iter().map(|(name, _)| name.to_string()).collect()), "{path}");
        assert_eq!((answer.status, answer.body.len()), (own.status().as_u16(), own.body().len()), "{path}");
    }
}

#[actix_web::test]
async fn base_path_is_the_configured_one() {
    let auth = builder().base_path("/auth").build().unwrap();
    assert_eq!(ask_routes(auth.routes(), get("/auth/session")).await.body, "null");
    assert_eq!(ask_routes(auth.routes(), get("/api/auth/session")).await.status, 404);
}

#[actix_web::test]
async fn body_over_the_limit_is_413() {
    let auth = builder().build().unwrap();
    let form = || {
        let request = TestRequest::post().uri("/api/auth/signout");
        request.insert_header(("content-type", "application/x-www-form-urlencoded"))
    };
    let fits = ask_routes(auth.routes(), form().set_payload("x".repeat(MAX_BODY))).await;
    assert_eq!(fits.status, 302);
    let larger = ask_routes(auth.routes(), form().set_payload("x".repeat(MAX_BODY + 1))).await;
    assert_eq!(larger.status, 413);
    // One that never ends is not waited for.
    let app = init_service(App::new().configure(auth.routes())).await;
    let (request, _) = form().to_request().replace_payload(payload(Endless));
    assert_eq!(call_service(&app, request).await.status().as_u16(), 413);
}

fn payload(stream: impl futures_core::Stream<Item = Result<Bytes, PayloadError>> + 'static) -> Payload {
    Payload::Stream { payload: Box::pin(stream) }
}

struct Endless;

impl futures_core::Stream for Endless {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(Some(Ok(Bytes::from_static(&[b'x'; 1024]))))
    }
}

/// A body that broke off is nobody's form.
#[actix_web::test]
async fn body_that_breaks_off_is_400() {
    let auth = builder().build().unwrap();
    let app = init_service(App::new().configure(auth.routes())).await;
    let request = TestRequest::post().uri("/api/auth/signout").to_request();
    let (request, _) = request.replace_payload(payload(Broken));
    assert_eq!(call_service(&app, request).await.status().as_u16(), 400);
}

struct Broken;

impl futures_core::Stream for Broken {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(Some(Err(PayloadError::Incomplete(None))))
    }
}

#[actix_web::test]
async fn wrong_configuration_can_be_mounted() {
    let error = Auth::builder().environment(Environment::empty()).build().err().unwrap();
    let routes = error.routes();
    let page = get("/api/auth/signin").insert_header(("host", "localhost"));
    let page = ask_routes(routes.clone(), page).await;
    assert_eq!((page.status, page.header("content-type")), (500, Some("text/html; charset=utf-8")));
    let session = get("/api/auth/session").insert_header(("host", "localhost"));
    let session = ask_routes(routes, session).await;
    assert_eq!(session.status, 500);
    assert!(session.body.starts_with("{\"message\":"));
}

/// HTTP/2 names the host in the address.
#[actix_web::test]
async fn host_may_stand_in_the_address() {
    let auth = Auth::builder()
        .environment(Environment::empty())
        .secret("the secret of the site, 32 and more")
        .trust_host(true)
        .credentials(Credentials::new(), async |_, ()| Ok(None))
        .build()
        .unwrap();
    let answer = ask_routes(auth.routes(), get("http://app.example.com/api/auth/providers")).await;
    assert!(answer.body.contains("http://app.example.com/api/auth/signin/credentials"), "{}", answer.body);
}

/// Bytes that are no text arrive, and are no error of the server.
#[actix_web::test]
async fn strange_headers_are_no_error_of_the_server() {
    let auth = builder().build().unwrap();
    let app = init_service(App::new().configure(auth.routes())).await;
    for name in ["cookie", "authorization", "host", "accept", "x-forwarded-host", "x-y"] {
        for value in [&b"\xff\xfe"[..], b"a=%zz; b=%ff; __Secure-authjs.session-token=\x80", b"Bearer %", b""]
        {
            let value = actix_web::http::header::HeaderValue::from_bytes(value).unwrap();
            let request = test::TestRequest::get().uri("/api/auth/session").insert_header((name, value));
            let answer = Answer::of(call_service(&app, request.to_request()).await).await;
            assert!(answer.status < 500, "{name}: {}", answer.status);
        }
    }
}
