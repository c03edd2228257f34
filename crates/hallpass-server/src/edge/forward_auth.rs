//! `GET /verify`: a proxy asks whether a request may pass, and who sends it.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use hallpass::shell::Refusal;
use hallpass::{Auth, Session};
use http::header::{ACCEPT, CACHE_CONTROL, HOST, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use url::Url;

use super::ThroughProxy;
use crate::config::Config;
use crate::session::Claims;

/// What proxies are told.
#[derive(Clone, Debug, Default)]
pub(crate) struct ForwardAuth {
    /// Where they ask.
    pub(crate) path: String,
    /// What they are told of the session beside the user.
    pub(crate) claims: Vec<Claim>,
    /// Who may pass: sessions of which all of these hold.
    pub(crate) require: Vec<Requirement>,
    /// Whether a browser without a session is sent to the sign-in page.
    pub(crate) redirect: bool,
    /// Whether they ask as Envoy does: with the method of the request, and its path behind theirs.
    pub(crate) envoy: bool,
    /// Other sites that they guard.
    pub(crate) origins: Vec<String>,
}

/// A claim, and the header that tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Names from the outside in, with dots: `company.id`.
    path: String,
    pub(crate) header: HeaderName,
}

/// One of these texts is what a claim has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Requirement {
    pub(crate) claim: String,
    pub(crate) any_of: Vec<String>,
}

impl Claim {
    /// A claim that can be told: letters, digits, `_`, `-`, and `.` between the names.
    pub(crate) fn new(path: &str) -> Option<Self> {
        let is_plain = path.bytes().all(|it| it.is_ascii_alphanumeric() || b"_-.".contains(&it));
        let header = format!("x-auth-claim-{}", path.to_ascii_lowercase().replace(['_', '.'], "-"));
        let is_name = is_plain && path.split('.').all(|name| !name.is_empty());
        let header = is_name.then(|| HeaderName::try_from(header).ok()).flatten()?;
        Some(Self { path: path.to_owned(), header })
    }
}

/// Who answers.
#[derive(Clone, Debug)]
struct Door {
    auth: Auth<Claims>,
    settings: ForwardAuth,
    /// The public address of this server, where it is known.
    origin: Option<String>,
}

/// The address at which proxies ask.
pub(super) fn routes(settings: &ForwardAuth, config: &Config, auth: &Auth<Claims>) -> Router {
    let url = config.url.as_deref().and_then(|url| Url::parse(url).ok());
    let origin = url.map(|url| url.origin().ascii_serialization());
    let door = Door { auth: auth.clone(), settings: settings.clone(), origin };
    let path = &settings.path;
    let router = match settings.envoy {
        true => Router::new()
            .route(path, any(verify))
            .route(&format!("{path}/"), any(verify))
            .route(&format!("{path}/{{*rest}}"), any(verify)),
        false => Router::new().route(path, get(verify)),
    };
    router.with_state(door)
}

async fn verify(State(door): State<Door>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let read = match door.auth.read(&parts).await {
        Ok(read) => read,
        Err(error) => return Refusal::Unavailable(error).response().map(Body::from),
    };
    let mut answer = match &read.session {
        Some(session) => door.admit(session),
        None => door.turn_away(&parts),
    };
    for cookie in read.set_cookies() {
        answer.headers_mut().append(SET_COOKIE, cookie.clone());
    }
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    answer
}

impl Door {
    fn admit(&self, session: &Session<Claims>) -> Response {
        let Ok(claims) = serde_json::from_str::<Value>(session.claims.json()) else {
            return Refusal::Forbidden.response().map(Body::from);
        };
        if !self.settings.require.iter().all(|it| it.holds(&claims)) {
            return Refusal::Forbidden.response().map(Body::from);
        }
        let user = &session.user;
        let mut headers = HeaderMap::new();
        // All of them are in every answer, so that none is left of what the visitor has sent.
        let known = [
            (USER_ID, user.id.as_str()),
            (USER_NAME, user.name.as_deref().unwrap_or_default()),
            (USER_EMAIL, user.email.as_deref().unwrap_or_default()),
        ];
        for (name, text) in known {
            headers.insert(name, value(text));
        }
        for claim in &self.settings.claims {
            let text = find(&claims, &claim.path).map(text).unwrap_or_default();
            headers.insert(claim.header.clone(), value(&text));
        }
        (StatusCode::OK, headers).into_response()
    }

    /// Programs get 401, browsers the way to the sign-in page where that is wanted.
    fn turn_away(&self, parts: &Parts) -> Response {
        let accepts = parts.headers.get(ACCEPT).and_then(|it| it.to_str().ok()).unwrap_or_default();
        if !accepts.contains("text/html") || !self.redirects(parts) {
            return Refusal::SignedOut.response().map(Body::from);
        }
        let mut to =
            format!("{}{}/signin", self.origin.as_deref().unwrap_or_default(), self.auth.base_path());
        if let Some(opened) = self.opened(parts) {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("callbackUrl", &opened)
                .finish();
            to = format!("{to}?{query}");
        }
        (StatusCode::FOUND, [(LOCATION, to)]).into_response()
    }

    fn redirects(&self, parts: &Parts) -> bool {
        // Behind the path stands what the visitor has asked for, and their query.
        let query = parts.uri.query().filter(|_| parts.uri.path() == self.settings.path).unwrap_or_default();
        let said = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "redirect");
        said.map_or(self.settings.redirect, |(_, value)| value == "1" || value == "true")
    }

    /// The address that the visitor has opened, as a listed proxy tells it. Whether the browser is sent back there is
    /// for the sign-in page to judge.
    fn opened(&self, parts: &Parts) -> Option<String> {
        parts.extensions.get::<ThroughProxy>()?;
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let behind = parts.uri.path_and_query().map_or("", |it| it.as_str());
        let behind = behind.strip_prefix(self.settings.path.as_str()).filter(|it| it.starts_with('/'));
        let target = ["x-original-url", "x-forwarded-uri", "x-original-uri"].into_iter().find_map(header);
        let target = target.or(behind)?;
        let address = match target.starts_with('/') {
            true => {
                let host = header("x-forwarded-host").or_else(|| header(HOST.as_str()))?;
                format!("{}://{host}{target}", header("x-forwarded-proto").unwrap_or("http"))
            }
            false => target.to_owned(),
        };
        let url = Url::parse(&address).ok()?;
        let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
        (is_web && url.as_str().len() <= LONGEST_ADDRESS).then(|| url.into())
    }
}

impl Requirement {
    fn holds(&self, claims: &Value) -> bool {
        let is_one = |value: &Value| match value {
            Value::String(text) => self.any_of.contains(text),
            Value::Bool(_) | Value::Number(_) => self.any_of.contains(&value.to_string()),
            _ => false,
        };
        match find(claims, &self.claim) {
            Some(Value::Array(items)) => items.iter().any(is_one),
            Some(value) => is_one(value),
            None => false,
        }
    }
}

fn find<'a>(claims: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(claims, |value, name| value.get(name))
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A text in a header: visible ASCII as it is, and spaces inside; anything else, and `%`, percent-encoded as UTF-8.
/// What is too long to pass on is left out.
fn value(text: &str) -> HeaderValue {
    let is_bare = text.trim() == text;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (byte.is_ascii_graphic() && byte != b'%') || (byte == b' ' && is_bare) {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    if encoded.len() > LONGEST_VALUE {
        tracing::warn!("a header for the proxy would be longer than {LONGEST_VALUE} bytes: it is left empty");
        encoded.clear();
    }
    HeaderValue::try_from(encoded).unwrap_or(HeaderValue::from_static(""))
}

const USER_ID: HeaderName = HeaderName::from_static("x-auth-user-id");
const USER_NAME: HeaderName = HeaderName::from_static("x-auth-user-name");
const USER_EMAIL: HeaderName = HeaderName::from_static("x-auth-user-email");

/// In bytes. Proxies bound all headers together, often to 4 or 8 KiB.
const LONGEST_VALUE: usize = 2048;

/// In bytes, as for any `callbackUrl`.
const LONGEST_ADDRESS: usize = 2048;

#[cfg(test)]
mod tests;
