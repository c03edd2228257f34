//! Tokens in handlers of a service that only reads them.

use axum::Router;
use axum::routing::get;
use hallpass::TokenLayer;
use hallpass::TokenReader;
use hallpass_axum::Token;
use http::Request;

use crate::application::{Claims, ask, builder, cookies_of, header};

async fn role(token: Token<Claims>) -> String {
    token.claims.role.clone()
}

async fn home(token: Option<Token<Claims>>) -> String {
    token.and_then(|token| token.sub.clone()).unwrap_or_else(|| "stranger".to_owned())
}

fn app() -> Router {
    Router::new().route("/", get(home)).route("/role", get(role))
}

fn layer() -> TokenLayer<Claims> {
    // The tests' clock stands in the past.
    let reader = TokenReader::new("the secret of the site, 32 and more");
    TokenLayer::new(reader.clock(hallpass::testkit::ManualClock::new()))
}

#[tokio::test]
async fn handler_gets_the_token() {
    let app = app().layer(layer());
    let cookies = cookies_of(&builder().build().unwrap(), "admin").await;
    for path in ["/", "/role"] {
        assert_eq!(ask(&app, Request::get(path).header("cookie", &cookies)).await.body(), "admin", "{path}");
    }
}

#[tokio::test]
async fn without_a_good_token_it_is_401() {
    let app = app().layer(layer());
    for request in [
        Request::get("/role"),
        Request::get("/role").header("cookie", "authjs.session-token=x"),
        Request::get("/role").header("authorization", "Bearer %"),
    ] {
        let answer = ask(&app, request).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "www-authenticate")), (401, Some("Bearer")));
    }
    assert_eq!(ask(&app, Request::get("/").header("authorization", "Bearer %")).await.body(), "stranger");
    assert_eq!(ask(&app, Request::get("/")).await.body(), "stranger");
}

/// A layer that is forgotten must not look like a world of strangers.
#[tokio::test]
async fn without_the_layer_it_is_500() {
    for path in ["/", "/role"] {
        assert_eq!(ask(&app(), Request::get(path)).await.status(), 500, "{path}");
    }
}
