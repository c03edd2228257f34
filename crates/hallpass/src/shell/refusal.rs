//! What whoever may not pass is told.

use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, Uri};

use crate::{Auth, Error};

/// Why a handler is not called.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody is signed in: 401.
    #[error("nobody is signed in")]
    SignedOut,
    /// Nobody is signed in, and a browser is opening a page: to this sign-in page.
    #[error("nobody is signed in")]
    SignInFirst(String),
    /// Somebody is signed in who may not do this: 403.
    #[error("somebody is signed in who may not do this")]
    Forbidden,
    /// It cannot be decided now: 503. Nobody is treated as signed in, nor as signed out.
    #[error("whether somebody is signed in cannot be decided now")]
    Unavailable(#[source] Error),
    /// The application has mounted no [`Auth`] with claims of the type that the handler wants: 500.
    #[error("the application has mounted no `Auth` with claims of this type")]
    NotMounted,
}

impl Refusal {
    /// Nobody is signed in: [`SignInFirst`](Self::SignInFirst) for a person who opens the page at `uri`, else
    /// [`SignedOut`](Self::SignedOut).
    pub fn signed_out<C>(auth: &Auth<C>, parts: &Parts, uri: &Uri) -> Self {
        if !opens_page(parts) {
            return Self::SignedOut;
        }
        Self::SignInFirst(auth.sign_in_url(uri.path_and_query().map_or("/", |path| path.as_str())))
    }

    /// The answer to send.
    pub fn response(&self) -> Response<Bytes> {
        let (status, body) = match self {
            Self::SignInFirst(page) => match HeaderValue::try_from(page) {
                Ok(page) => return redirect(page),
                Err(_) => (StatusCode::UNAUTHORIZED, SIGN_IN_FIRST),
            },
            Self::SignedOut => (StatusCode::UNAUTHORIZED, SIGN_IN_FIRST),
            Self::Forbidden => (StatusCode::FORBIDDEN, r#"{"message":"you may not do this"}"#),
            Self::Unavailable(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, r#"{"message":"try again in a moment"}"#)
            }
            Self::NotMounted => {
                tracing::error!("{self}");
                (StatusCode::INTERNAL_SERVER_ERROR, r#"{"message":"the server is set up wrongly"}"#)
            }
        };
        let mut response = Response::new(Bytes::from_static(body.as_bytes()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

/// The answer to a body of more than [`MAX_BODY`](crate::MAX_BODY) bytes: 413.
pub fn body_too_large() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"the body is larger than 64 KiB"));
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// A person opens a page, as opposed to a program that asks for data.
fn opens_page(parts: &Parts) -> bool {
    let accepts = parts.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    parts.method == Method::GET && accepts.contains("text/html")
}

fn redirect(page: HeaderValue) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, page);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

const SIGN_IN_FIRST: &str = r#"{"message":"sign in first"}"#;
