//! What an action decided becomes a response: the only writer of headers.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, EXPIRES, LOCATION, PRAGMA, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::Value;

use crate::config::Compat;
use crate::cookie::CookieChange;
use crate::error::{Error, ErrorKind};
use crate::pages::Pages;

/// What an action decided, as data.
pub(crate) struct Outcome {
    pub(crate) body: Body,
    pub(crate) cookies: Vec<CookieChange>,
    /// Auth.js forbids caching here too.
    pub(crate) no_cache: bool,
    /// The address of this page holds a token: no `Referer` may tell it, not even on this site.
    pub(crate) address_is_secret: bool,
    /// When to come again, where it is not for the usual moment.
    pub(crate) retry_after: Option<Duration>,
    /// What went wrong, for whoever counts.
    pub(crate) error: Option<ErrorKind>,
}

pub(crate) enum Body {
    /// A page, with its status.
    Page(StatusCode, String),
    /// JSON that is ready, with its status.
    Json(StatusCode, String),
    /// The browser goes elsewhere; a client that asked for JSON is told where.
    Redirect { to: String, as_json: AsJson },
    /// An error that sends the browser elsewhere: as JSON it is nothing but the address, with this status.
    ErrorRedirect { to: String, as_json: AsJson, status: StatusCode },
    /// A text, with its status.
    Text(StatusCode, &'static str),
    /// Nothing to say.
    Empty(StatusCode),
}

/// Whether a client asked for the address of a redirect as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AsJson {
    No,
    /// Beside the `Location`, except for errors.
    BesideLocation,
    /// And nothing else.
    Alone,
}

impl Outcome {
    pub(crate) fn new(body: Body) -> Self {
        Self {
            body,
            cookies: Vec::new(),
            no_cache: false,
            address_is_secret: false,
            retry_after: None,
            error: None,
        }
    }

    pub(crate) fn page(html: String) -> Self {
        Self::new(Body::Page(StatusCode::OK, html))
    }

    pub(crate) fn json(value: &Value) -> Self {
        Self::new(Body::Json(StatusCode::OK, serde_json::to_string(value).unwrap_or_default()))
    }

    /// As the answer to an error.
    pub(crate) fn of(self, error: &Error) -> Self {
        Self { error: Some(error.kind()), ..self }
    }

    /// With cookies before its own.
    pub(crate) fn after(self, mut cookies: Vec<CookieChange>) -> Self {
        cookies.extend(self.cookies);
        Self { cookies, ..self }
    }

    pub(crate) fn with_cookies(mut self, cookies: impl IntoIterator<Item = CookieChange>) -> Self {
        self.cookies.extend(cookies);
        self
    }
}

/// Writes the response.
pub(crate) fn respond(outcome: Outcome, compat: Compat, pages: Option<&Pages>) -> Response<Bytes> {
    let mut headers = HeaderMap::with_capacity(6);
    let is_page = matches!(outcome.body, Body::Page(..));
    let (status, body) = match outcome.body {
        Body::Page(status, html) => (status, Bytes::from(html)),
        Body::Json(status, json) => {
            headers.insert(CONTENT_TYPE, JSON);
            (status, Bytes::from(json))
        }
        Body::Redirect { to, as_json: AsJson::No } | Body::ErrorRedirect { to, as_json: AsJson::No, .. } => {
            location(&mut headers, &to);
            (StatusCode::FOUND, Bytes::new())
        }
        Body::Redirect { to, as_json } => {
            if as_json == AsJson::BesideLocation {
                location(&mut headers, &to);
            }
            headers.insert(CONTENT_TYPE, JSON);
            (StatusCode::OK, address(&to))
        }
        Body::ErrorRedirect { to, status, .. } => {
            headers.insert(CONTENT_TYPE, JSON);
            (status, address(&to))
        }
        Body::Text(status, text) => (status, Bytes::from_static(text.as_bytes())),
        Body::Empty(status) => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(""));
            (status, Bytes::new())
        }
    };
    if is_page {
        headers.extend(pages.into_iter().flat_map(Pages::headers));
    }
    if outcome.address_is_secret {
        // Not `no-referrer`: browsers would send `Origin: null` with the form, and it could not be checked.
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    if let Some(after) = outcome.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
    }
    if outcome.no_cache {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache, no-store"));
        headers.insert(EXPIRES, HeaderValue::from_static("0"));
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    } else if !compat.cache_headers {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    set_cookies(&mut headers, &outcome.cookies);
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    if let Some(error) = outcome.error {
        response.extensions_mut().insert(error);
    }
    response
}

pub(crate) fn set_cookies(headers: &mut HeaderMap, cookies: &[CookieChange]) {
    for header in cookies.iter().filter_map(CookieChange::header) {
        headers.append(SET_COOKIE, header);
    }
}

/// Addresses come from `redirect.rs` and are visible ASCII; anything else has no place in a header.
fn location(headers: &mut HeaderMap, to: &str) {
    if let Ok(to) = HeaderValue::try_from(to) {
        headers.insert(LOCATION, to);
    }
}

fn address(to: &str) -> Bytes {
    Bytes::from(serde_json::json!({ "url": to }).to_string())
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
