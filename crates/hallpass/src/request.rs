//! What came in: named and split, not yet trusted.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AsHeaderName, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request};
use serde_json::{Map, Value};

use crate::cookie::Cookies;
use crate::dialect::{Dialects, Signs};
use crate::jose::Dialect;
use crate::respond::AsJson;
use crate::{Error, ErrorKind};

/// A request as callbacks see it. Printing it shows the names of its parameters and headers, not their values:
/// codes, tokens and cookies are among them.
#[derive(Clone)]
pub struct RequestInfo {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
}

impl RequestInfo {
    pub(crate) fn new(method: Method, uri: &http::Uri, mut headers: HeaderMap) -> Self {
        // HTTP/2 names the host in the address (RFC 9113 §8.3.1).
        if let (false, Some(authority)) = (headers.contains_key(HOST), uri.authority())
            && let Ok(host) = HeaderValue::try_from(authority.as_str())
        {
            headers.insert(HOST, host);
        }
        let query = uri.query().map(parse_form).unwrap_or_default();
        Self { method, path: uri.path().to_owned(), query, headers }
    }

    /// The method: GET or POST at Hallpass' own addresses.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path, as it was sent.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A parameter of the query. Of repeated ones it is the last, as in Auth.js.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All parameters of the query, in order.
    pub fn query_pairs(&self) -> &[(String, String)] {
        &self.query
    }

    /// A header that is readable text.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All headers. They hold cookies and other secrets of the visitor.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

impl fmt::Debug for RequestInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestInfo")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &self.query.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// What is asked for: the first word after the base path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Providers,
    Session,
    Csrf,
    SignIn,
    SignOut,
    Callback,
    VerifyRequest,
    Error,
    WebAuthnOptions,
    /// What a client of v4 reports.
    Log,
}

impl Action {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "providers" => Self::Providers,
            "session" => Self::Session,
            "csrf" => Self::Csrf,
            "signin" => Self::SignIn,
            "signout" => Self::SignOut,
            "callback" => Self::Callback,
            "verify-request" => Self::VerifyRequest,
            "error" => Self::Error,
            "webauthn-options" => Self::WebAuthnOptions,
            "_log" => Self::Log,
            _ => return None,
        })
    }

    fn takes_provider(self) -> bool {
        matches!(self, Self::SignIn | Self::Callback | Self::WebAuthnOptions)
    }

    /// Whether a person looks at the answer, so that a page is better than JSON.
    pub(crate) fn is_page(self) -> bool {
        matches!(self, Self::SignIn | Self::SignOut | Self::Error | Self::VerifyRequest)
    }
}

/// A request, taken apart. Nothing in it is trusted. Printing it shows the names of its fields and cookies, not
/// their values.
pub(crate) struct Inbound {
    pub(crate) info: Arc<RequestInfo>,
    pub(crate) action: Action,
    /// Provider id in the path.
    pub(crate) provider: Option<String>,
    /// Fields of the body, empty for GET. Of repeated ones of a form it is the last.
    pub(crate) body: Map<String, Value>,
    /// The fields of a form, in order, repeated ones too.
    form: Form,
    pub(crate) cookies: Cookies,
    /// Whose words the answer uses.
    pub(crate) dialect: Dialect,
    /// Whether the client wants `{"url": …}` instead of a redirect.
    pub(crate) as_json: AsJson,
}

/// The pairs of a form, if the body is one.
type Form = Option<Vec<(String, String)>>;

impl Inbound {
    /// Takes a request apart.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownAction`] for addresses, methods and bodies that Hallpass does not know.
    pub(crate) fn parse(
        request: Request<Bytes>,
        base_path: &str,
        dialects: &Dialects,
    ) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        if parts.method != Method::GET && parts.method != Method::POST {
            return Err(Error::new(ErrorKind::UnknownAction, "only GET and POST are understood"));
        }
        let (action, provider) = route(parts.uri.path(), base_path)
            .filter(|(action, _)| dialects.know(*action))
            .ok_or_else(|| Error::new(ErrorKind::UnknownAction, "no such address below the base path"))?;
        let (body, form) = match parts.method {
            Method::POST => parse_body(&parts.headers, &body)?,
            _ => (Map::new(), None),
        };
        let cookies = Cookies::parse(&parts.headers);
        let (dialect, as_json) = dialects.of_request(&Signs {
            return_redirect: parts.headers.contains_key("x-auth-return-redirect"),
            json: body.get("json").and_then(Value::as_str) == Some("true"),
        });
        let info = Arc::new(RequestInfo::new(parts.method, &parts.uri, parts.headers));
        Ok(Self { info, action, provider, body, form, cookies, dialect, as_json })
    }

    pub(crate) fn is_post(&self) -> bool {
        self.info.method == Method::POST
    }

    /// A field of the body that is a text.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str)
    }

    /// Parameters of a provider's answer that was posted: each field of a form as often as it stands there, so
    /// that a repeated one can be refused (RFC 6749 §3.1).
    pub(crate) fn body_pairs(&self) -> Vec<(String, String)> {
        if let Some(form) = &self.form {
            return form.clone();
        }
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.body.iter().map(|(name, value)| (name.clone(), text(value))).collect()
    }
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound")
            .field("info", &self.info)
            .field("body", &self.body.keys().collect::<Vec<_>>())
            .field("cookies", &self.cookies)
            .finish_non_exhaustive()
    }
}

/// One or two words below the base path; empty segments do not count, as in Auth.js.
fn route(path: &str, base_path: &str) -> Option<(Action, Option<String>)> {
    let rest = path.strip_prefix(base_path)?;
    if !rest.starts_with('/') {
        return None;
    }
    let mut segments = rest.split('/').filter(|segment| !segment.is_empty());
    let action = Action::parse(segments.next()?)?;
    let provider = segments.next();
    if segments.next().is_some() || (provider.is_some() && !action.takes_provider()) {
        return None;
    }
    // A client that concatenates an absent id sends this word.
    Some((action, provider.filter(|id| *id != "undefined").map(str::to_owned)))
}

/// The fields of a body, and with a form its pairs.
fn parse_body(headers: &HeaderMap, body: &Bytes) -> Result<(Map<String, Value>, Form), Error> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.contains("application/json") {
        let value = serde_json::from_slice(body)
            .map_err(|error| Error::caused_by(ErrorKind::UnknownAction, "the body is not JSON", error))?;
        return Ok(match value {
            Value::Object(fields) => (fields, None),
            _ => (Map::new(), None),
        });
    }
    if is_form(content_type) {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        let fields = pairs.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
        return Ok((fields, Some(pairs)));
    }
    Ok((Map::new(), None))
}

fn is_form(content_type: &str) -> bool {
    content_type.contains("application/x-www-form-urlencoded")
}

fn parse_form(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

#[cfg(test)]
mod tests;
