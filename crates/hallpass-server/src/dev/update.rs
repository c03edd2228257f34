//! A form that changes the session while it lives.

use axum::Form;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;

use super::Dev;
use super::visitor::Visitor;

/// What the form holds.
#[derive(Debug, Deserialize)]
pub(super) struct Change {
    #[serde(rename = "csrfToken", default)]
    csrf_token: String,
    #[serde(default)]
    name: String,
}

/// What a client does with JavaScript, done here for a browser without it: `POST session`, with the browser's
/// cookies, token and origin, so that it is checked as usual.
pub(super) async fn update(State(dev): State<Dev>, parts: Parts, Form(change): Form<Change>) -> Response {
    let mut visitor = Visitor::new(&dev.auth, &parts);
    let body = json!({ "csrfToken": change.csrf_token, "data": { "name": change.name } });
    let response = visitor.post("session", &body).await;
    let is_done = response.status().is_success() && response.body().starts_with(b"{");
    let page = if is_done { "/?change=done" } else { "/?change=refused" };
    (visitor.into_cookies(), Redirect::to(page)).into_response()
}
