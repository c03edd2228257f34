//! A line of the log for each request: which route, and how it ended. Nothing of what was said.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use http::{HeaderName, HeaderValue, Method};
use tracing::{Level, Span};

/// What is known of a request before it is answered.
pub(super) struct RequestLine {
    method: &'static str,
    /// What tells this request from others: what a proxy sent, or a number of our own.
    id: String,
}

impl RequestLine {
    /// `None` where nobody wants such lines.
    pub(super) fn of(request: &Request) -> Option<Self> {
        if !tracing::enabled!(target: "hallpass::request", Level::DEBUG) {
            return None;
        }
        let given = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok());
        let id = given.filter(|id| is_sane(id)).map_or_else(next, str::to_owned);
        Some(Self { method: word(request.method()), id })
    }

    /// Everything that is logged for the request names it.
    pub(super) fn span(&self) -> Span {
        tracing::debug_span!(target: "hallpass::request", "request", id = self.id)
    }

    /// Writes the line, and tells the client which it is.
    pub(super) fn write(self, route: &'static str, mut response: Response, took: Duration) -> Response {
        let Self { method, id } = self;
        let (status, ms) = (response.status().as_u16(), took.as_secs_f64() * 1000.0);
        tracing::debug!(target: "hallpass::request", method, route, status, ms, id, "answered");
        if let Ok(id) = HeaderValue::try_from(id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
}

/// What strangers send goes into the log only when it can be nothing but an id.
fn is_sane(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&id.len()) && id.bytes().all(is_plain)
}

/// Different for each request, and for each process.
fn next() -> String {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:016x}-{:x}", *PROCESS, COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A method of one's own could be anything.
fn word(method: &Method) -> &'static str {
    let known = [
        Method::GET,
        Method::POST,
        Method::HEAD,
        Method::OPTIONS,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::TRACE,
        Method::CONNECT,
    ];
    let words = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"];
    known.iter().zip(words).find(|(known, _)| *known == method).map_or("other", |(_, word)| word)
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_only_when_it_can_be_nothing_else() {
        for id in ["7", "01HV-2_c.9", &"a".repeat(64)] {
            assert!(is_sane(id), "{id}");
        }
        for id in ["", "a b", "a\nb", "ada@example.com", "a=b", "é", &"a".repeat(65)] {
            assert!(!is_sane(id), "{id}");
        }
        assert_ne!(next(), next());
    }
}
