//! Answers for programs.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::{Value, json};

pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body.to_string()).into_response()
}

/// An error (RFC 6749 §5.2).
pub(super) fn error(status: StatusCode, code: &str, description: &str) -> Response {
    json(status, &json!({ "error": code, "error_description": description }))
}

pub(super) fn nobody() -> Response {
    error(StatusCode::NOT_FOUND, "not_found", "nobody stands in for this provider")
}
