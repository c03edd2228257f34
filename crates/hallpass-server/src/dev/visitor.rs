//! Asks Hallpass what the browser would ask, for the browser.

use axum::http::request::Parts;
use bytes::Bytes;
use hallpass::Auth;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use serde_json::Value;

use crate::session::Claims;

/// A browser that waits for a page, and the cookies that it will get with it.
#[derive(Debug)]
pub(super) struct Visitor<'a> {
    auth: &'a Auth<Claims>,
    headers: HeaderMap,
    set_cookies: Vec<HeaderValue>,
}

impl<'a> Visitor<'a> {
    pub(super) fn new(auth: &'a Auth<Claims>, parts: &Parts) -> Self {
        let mut headers = parts.headers.clone();
        for name in [CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        Self { auth, headers, set_cookies: Vec::new() }
    }

    /// Sends a GET request to an address below the base path, and reads the JSON that comes back.
    pub(super) async fn get(&mut self, action: &str) -> Value {
        let response = self.send(Method::GET, action, Bytes::new()).await;
        serde_json::from_slice(response.body()).unwrap_or_default()
    }

    /// Sends JSON to an address below the base path.
    pub(super) async fn post(&mut self, action: &str, body: &Value) -> Response<Bytes> {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.send(Method::POST, action, Bytes::from(body.to_string())).await
    }

    /// What to set in the browser.
    pub(super) fn into_cookies(self) -> HeaderMap {
        self.set_cookies.into_iter().map(|cookie| (SET_COOKIE, cookie)).collect()
    }

    async fn send(&mut self, method: Method, action: &str, body: Bytes) -> Response<Bytes> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        if let Ok(uri) = format!("{}/{action}", self.auth.base_path()).parse() {
            *request.uri_mut() = uri;
        }
        *request.headers_mut() = self.headers.clone();
        let response = self.auth.handle(request).await;
        for cookie in response.headers().get_all(SET_COOKIE) {
            self.keep(cookie);
        }
        response
    }

    /// The next request must have the cookie, or it would get another one; and no other of this name, or neither
    /// counts.
    fn keep(&mut self, cookie: &HeaderValue) {
        self.set_cookies.push(cookie.clone());
        let Some(pair) = cookie.to_str().ok().and_then(|text| text.split(';').next()) else { return };
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let sent: Vec<_> = self.headers.get_all(COOKIE).iter().filter_map(|it| it.to_str().ok()).collect();
        let sent = sent.join("; ");
        let others = sent.split("; ").filter(|sent| sent.split('=').next() != Some(name) && !sent.is_empty());
        let next: Vec<_> = others.chain(Some(pair).filter(|_| !value.is_empty())).collect();
        if let Ok(next) = HeaderValue::from_str(&next.join("; ")) {
            self.headers.insert(COOKIE, next);
        }
    }
}
