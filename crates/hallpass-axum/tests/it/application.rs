//! The application that the tests ask.

use axum::Router;
use axum::body::{Body, to_bytes};
use hallpass::testkit::{Browser, ManualClock};
use hallpass::{Auth, Builder, Credentials, Environment, Jwt, JwtDecision, User};
use http::{Request, Response};
use serde::{Deserialize, Serialize};
use tower::ServiceExt;

pub(crate) const SITE: &str = "https://app.example.com";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) role: String,
}

pub(crate) type Decide = fn(Jwt<Claims>) -> Result<JwtDecision<Claims>, hallpass::Error>;

/// The role is what was typed as user name.
pub(crate) fn builder() -> Builder<Decide, Claims> {
    builder_with(|event| {
        Ok(match event {
            Jwt::SignIn(it) => Some(Claims { role: it.user.id }),
            Jwt::Update(it) => Some(it.claims),
            Jwt::Read(it) => Some(it.claims),
        }
        .into())
    })
}

pub(crate) fn builder_with(decide: Decide) -> Builder<Decide, Claims> {
    Auth::builder_with(decide)
        .environment(Environment::empty())
        .secret("the secret of the site, 32 and more")
        .url(SITE)
        .clock(ManualClock::new())
        .credentials(Credentials::new(), async |input, _| Ok(input.text("username").map(User::new)))
        .jwt(async |event: Jwt<Claims>, decide: Decide| Ok(decide(event)?))
}

/// The cookies of somebody who has signed in.
pub(crate) async fn cookies_of(auth: &Auth<Claims>, name: &str) -> String {
    let mut browser = Browser::new(auth, SITE);
    browser.sign_in_with_credentials(&[("username", name)]).await;
    cookies(&browser)
}

pub(crate) fn cookies(browser: &Browser) -> String {
    let cookies = browser.cookies().iter().map(|cookie| format!("{}={}", cookie.name, cookie.value));
    cookies.collect::<Vec<_>>().join("; ")
}

pub(crate) async fn ask(app: &Router, request: http::request::Builder) -> Response<String> {
    send(app, request.body(Body::empty()).unwrap()).await
}

pub(crate) async fn send(app: &Router, request: Request<Body>) -> Response<String> {
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    Response::from_parts(parts, String::from_utf8(body.to_vec()).unwrap())
}

pub(crate) fn header<'a>(response: &'a Response<String>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}
