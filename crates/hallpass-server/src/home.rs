//! What stands at `/`, and what pages are made of.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hallpass::Auth;
use hallpass_axum::{AuthExt, Session};
use http::{HeaderName, HeaderValue, StatusCode, header};
use minijinja::{Environment, context};
use serde::Serialize;

use crate::session::Claims;

/// A server that is not in development mode says that it runs, and leads to the sign-in page.
pub(crate) fn routes(auth: &Auth<Claims>) -> Router {
    Router::new().route("/", get(home)).layer(auth.layer()).with_state(auth.clone())
}

async fn home(State(auth): State<Auth<Claims>>, session: Option<Session<Claims>>) -> Response {
    let who = session.as_ref().map(|session| {
        let user = &session.user;
        user.name.clone().or_else(|| user.email.clone()).unwrap_or_else(|| user.id.clone())
    });
    let signs_out = format!("{}/signout", auth.base_path());
    page("home.html", HOME, context! { who, sign_in => auth.sign_in_url("/"), sign_out => signs_out })
}

/// The stylesheet and the mark.
pub(crate) fn assets() -> Router {
    let css = async || asset("text/css; charset=utf-8", include_str!("home/style.css"));
    let mark = async || asset("image/svg+xml", include_str!("home/mark.svg"));
    Router::new()
        .route("/hallpass.css", get(css))
        .route("/hallpass.svg", get(mark))
        .route("/favicon.ico", get(mark))
}

/// Fills in a template. Everything in it is escaped.
pub(crate) fn page(name: &'static str, template: &'static str, data: impl Serialize) -> Response {
    let mut environment = Environment::new();
    let filled = environment
        .add_template("layout.html", LAYOUT)
        .and_then(|()| environment.add_template(name, template))
        .and_then(|()| environment.get_template(name)?.render(minijinja::value::Serde(data)));
    match filled {
        Ok(html) => (PAGE_HEADERS, html).into_response(),
        Err(error) => {
            tracing::error!("the page {name} failed: {error}");
            (StatusCode::INTERNAL_SERVER_ERROR, "something went wrong\n").into_response()
        }
    }
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let kind = HeaderValue::from_static(kind);
    // A new version of the program has a new stylesheet.
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))], text)
}

const PAGE_HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Not `no-referrer`: browsers would send `Origin: null` with the forms, and it could not be checked.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

const LAYOUT: &str = include_str!("home/layout.html");

const HOME: &str = include_str!("home/home.html");
