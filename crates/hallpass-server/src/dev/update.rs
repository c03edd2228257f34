//! A form that changes the session while it lives.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Form;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::timeline::unobserved;
use super::visitor::Visitor;
use super::{Dev, page};

/// What the form holds.
#[derive(Debug, Deserialize)]
pub(super) struct Change {
    #[serde(rename = "csrfToken", default)]
    csrf_token: String,
    /// What a client would give to `update()`: JSON.
    #[serde(default)]
    data: String,
}

/// What became of the last change, for the page that comes next.
#[derive(Clone, Debug, Default)]
pub(super) struct LastChange(Arc<Mutex<Option<Outcome>>>);

/// How a change ended.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// The browser sees another session now.
    Seen,
    /// It was taken, and the browser sees no difference.
    Unseen,
    /// Nothing was changed, and why.
    Refused(String),
}

impl LastChange {
    /// What became of it, once.
    pub(super) fn take(&self) -> Option<Outcome> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, outcome: Outcome) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }
}

/// What a client does with JavaScript, done here for a browser without it: `POST session`, with the browser's
/// cookies, token and origin, so that it is checked as usual.
pub(super) async fn update(State(dev): State<Dev>, parts: Parts, Form(change): Form<Change>) -> Response {
    let mut visitor = Visitor::new(&dev.auth, &parts);
    let outcome = match serde_json::from_str::<Value>(&change.data) {
        Ok(data) => {
            let before = unobserved(visitor.get("session")).await;
            let body = json!({ "csrfToken": change.csrf_token, "data": data });
            outcome(&before, &visitor.post("session", &body).await)
        }
        Err(error) => Outcome::Refused(format!("that is no JSON: {error}")),
    };
    dev.last_change.put(outcome);
    (visitor.into_cookies(), Redirect::to("/?change")).into_response()
}

fn outcome(before: &Value, response: &http::Response<Bytes>) -> Outcome {
    let text = String::from_utf8_lossy(response.body());
    match serde_json::from_slice(response.body()) {
        Ok(after @ Value::Object(_)) if response.status().is_success() => {
            match without_end(before.clone()) == without_end(after) {
                true => Outcome::Unseen,
                false => Outcome::Seen,
            }
        }
        _ if response.status() == StatusCode::BAD_REQUEST && text == "null" => {
            Outcome::Refused("the form was too old, or a callback failed: the log says which".to_owned())
        }
        Ok(Value::Null) => Outcome::Refused("nobody is signed in now".to_owned()),
        Ok(answer) if page::text(&answer, "/message").is_some() => {
            Outcome::Refused(page::text(&answer, "/message").unwrap_or_default())
        }
        _ => Outcome::Refused(text.trim().to_owned()),
    }
}

/// Each look moves it.
fn without_end(mut session: Value) -> Value {
    if let Some(members) = session.as_object_mut() {
        members.remove("expires");
    }
    session
}
