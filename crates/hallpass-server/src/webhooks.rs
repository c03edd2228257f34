//! Callbacks that another server answers: signed requests to an address of the settings.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hallpass::clock::{Clock, SystemClock};
use hallpass::http::{Client, HttpClient, HttpError, Limits, Reach};
use hallpass::random::{Random, SystemRandom};
use hallpass::{BoxError, Error, ErrorKind};
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use url::Url;

mod callbacks;
mod signature;

pub(crate) use callbacks::EVENTS;
pub(crate) use signature::Signer;

/// A callback that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callback {
    SignIn,
    Jwt,
    Session,
}

impl Callback {
    pub(crate) const ALL: [Self; 3] = [Self::SignIn, Self::Jwt, Self::Session];

    /// Its name in the settings.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Jwt => "jwt",
            Self::Session => "session",
        }
    }
}

/// What the settings say of it.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) url: Url,
    pub(crate) signer: Signer,
    pub(crate) callbacks: Vec<Callback>,
    /// Events that are told, in the words of the settings.
    pub(crate) events: Vec<&'static str>,
    /// Until the whole answer is there. Default: 5 seconds.
    pub(crate) timeout: Duration,
    /// Whether tokens of providers go along. Default: no.
    pub(crate) provider_tokens: bool,
}

/// Asks and tells another server.
#[derive(Debug)]
pub(crate) struct Webhooks {
    settings: Settings,
    reach: Reach,
    client: Client,
    places: Arc<Semaphore>,
}

/// Why there is no answer that counts.
#[derive(Debug)]
struct Failed {
    message: String,
    /// Nobody is there who could decide: the same may work in a moment.
    is_away: bool,
}

impl Webhooks {
    pub(crate) fn new(settings: Settings) -> Self {
        let limits = Limits {
            total: settings.timeout,
            connect: settings.timeout.min(Limits::DEFAULT.connect),
            body: LARGEST_ANSWER,
            ..Limits::DEFAULT
        };
        Self {
            reach: reach(&settings.url),
            settings,
            client: Client::with_limits(limits),
            places: Arc::new(Semaphore::new(MOST_AT_ONCE)),
        }
    }

    /// Whether this callback is asked there.
    pub(crate) fn asks(&self, callback: Callback) -> bool {
        self.settings.callbacks.contains(&callback)
    }

    /// Whether anything is told there.
    pub(crate) fn hears_events(&self) -> bool {
        !self.settings.events.is_empty()
    }

    /// Asks, and reads the answer as JSON.
    async fn ask(&self, callback: Callback, data: Value) -> Result<Value, Failed> {
        let Ok(_place) = self.places.try_acquire() else {
            return Err(Failed::away(format!("{MOST_AT_ONCE} requests are waiting already")));
        };
        let answer = self.send(&format!("callback.{}", callback.name()), data).await?;
        serde_json::from_slice(&answer).map_err(|_| Failed::wrong("the answer is not JSON"))
    }

    async fn send(&self, kind: &str, data: Value) -> Result<Bytes, Failed> {
        let at = SystemClock.now();
        let body = json!({ "type": kind, "timestamp": at.to_iso(), "data": data }).to_string();
        let request = self.request(at.seconds(), body).map_err(|error| Failed::wrong(&error.to_string()))?;
        let answer = self.client.send(request).await.map_err(|error| match error {
            HttpError::TooLarge { .. } => {
                Failed::wrong(&format!("the answer is larger than {} KiB", LARGEST_ANSWER / 1024))
            }
            HttpError::Connection(_) => Failed::away("nobody answers".to_owned()),
            other => Failed::away(other.to_string()),
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer.into_body());
        }
        let message = format!("the answer is {}", status.as_u16());
        let is_away = status.is_server_error()
            || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
        Err(Failed { message, is_away })
    }

    fn request(&self, at: i64, body: String) -> Result<Request<Bytes>, BoxError> {
        let mut random = [0; 16];
        SystemRandom.fill(&mut random)?;
        let id = format!("msg_{:032x}", u128::from_be_bytes(random));
        let signature = HeaderValue::from_str(&self.settings.signer.sign(&id, at, body.as_bytes())?)?;
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.settings.url.as_str().parse()?;
        let headers = request.headers_mut();
        headers.insert("webhook-id", HeaderValue::from_str(&id)?);
        headers.insert("webhook-timestamp", HeaderValue::from(at));
        headers.insert("webhook-signature", signature);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static("hallpass"));
        request.extensions_mut().insert(self.reach);
        Ok(request)
    }

    /// Writes to the log what went wrong, and makes it the library's error.
    fn report(&self, callback: Callback, failed: &Failed) -> BoxError {
        // Without the path, which may hold a token.
        let origin = self.settings.url.origin().ascii_serialization();
        let message = format!("webhook `{}` at {origin}: {}", callback.name(), failed.message);
        tracing::error!("{message}");
        let kind = match callback {
            Callback::SignIn if !failed.is_away => ErrorKind::AccessDenied,
            // Nobody is signed out because a server is broken.
            _ => ErrorKind::Unavailable,
        };
        Box::new(Error::new(kind, message))
    }
}

impl Failed {
    fn away(message: String) -> Self {
        Self { message, is_away: true }
    }

    fn wrong(message: &str) -> Self {
        Self { message: message.to_owned(), is_away: false }
    }
}

/// The operator has named this address, so it may be inside the network.
fn reach(url: &Url) -> Reach {
    let is_loopback = url.host_str().is_some_and(crate::config::is_loopback_host);
    match (url.scheme(), is_loopback) {
        (_, true) => Reach::Loopback,
        ("http", false) => Reach::Named,
        _ => Reach::PrivateNetwork,
    }
}

/// In bytes: more than a session may hold.
const LARGEST_ANSWER: usize = 256 * 1024;

/// Requests that wait for an answer.
const MOST_AT_ONCE: usize = 256;
