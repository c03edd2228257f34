//! Development mode answers this machine only.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::HOST;
use http::uri::Authority;

use crate::config::is_loopback_host;

/// Refuses a request that names another host: a page elsewhere could have its own name point to this machine and
/// read what stands here (DNS rebinding).
pub(crate) async fn only_this_machine(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    match host.parse::<Authority>() {
        Ok(authority) if is_loopback_host(authority.host()) => next.run(request).await,
        _ => {
            (StatusCode::MISDIRECTED_REQUEST, "development mode answers this machine only\n").into_response()
        }
    }
}
