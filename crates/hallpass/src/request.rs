//! What came in: named and split, not yet trusted.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AsHeaderName, CONTENT_TYPE, COOKIE, HOST, ORIGIN, REFERER};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Method, Request};
use serde_json::{Map, Value};

use crate::cookie::{CookieChange, Cookies, sent_next};
use crate::dialect::{Dialects, Signs};
use crate::jose::Dialect;
use crate::respond::AsJson;
use crate::verify::Site;
use crate::{Error, ErrorKind};

/// A request as callbacks see it. Printing it shows the names of its parameters and headers, not their values:
/// codes, tokens and cookies are among them.
#[derive(Clone)]
pub struct RequestInfo {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    /// What of the query callbacks see, where that is not all of it.
    named: Option<Vec<(String, String)>>,
    headers: HeaderMap,
    peer: Option<IpAddr>,
    /// Origin of the site that is asked, once that is known.
    site: Option<String>,
}

/// Where a request comes from: a shell puts it into the extensions of the [`http::Request`], so that callbacks and
/// the list of sessions know it. Behind a proxy it is for the shell to find out who the visitor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "shells make it")]
pub struct Peer(pub IpAddr);

impl RequestInfo {
    pub(crate) fn new(parts: &Parts) -> Self {
        let headers = parts.headers.clone();
        Self::with_headers(parts.method.clone(), &parts.uri, headers, &parts.extensions)
    }

    fn with_headers(
        method: Method,
        uri: &http::Uri,
        mut headers: HeaderMap,
        extensions: &Extensions,
    ) -> Self {
        // HTTP/2 names the host in the address (RFC 9113 §8.3.1).
        if let (false, Some(authority)) = (headers.contains_key(HOST), uri.authority())
            && let Ok(host) = HeaderValue::try_from(authority.as_str())
        {
            headers.insert(HOST, host);
        }
        let query = uri.query().map(parse_form).unwrap_or_default();
        let peer = extensions.get::<Peer>().map(|peer| peer.0);
        Self { method, path: uri.path().to_owned(), query, named: None, headers, peer, site: None }
    }

    /// The same, asked of this site.
    pub(crate) fn at(self, site: &Site) -> Self {
        Self { site: Some(site.origin.clone()), ..self }
    }

    /// The next request of this browser, once it has these cookies.
    pub(crate) fn with_cookies(&self, changes: &[CookieChange]) -> Self {
        let mut next = self.clone();
        let sent: Vec<_> =
            self.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).collect();
        next.headers.remove(COOKIE);
        if let Ok(value) = HeaderValue::try_from(sent_next(&sent.join("; "), changes)) {
            next.headers.insert(COOKIE, value);
        }
        next
    }

    /// Hides everything from callbacks that the application has not named, and all of it from a request that another
    /// site has sent: reading a session must not do what a stranger's link says.
    pub(crate) fn show_only(self, names: &[String]) -> Self {
        let is_own = self.is_from_site();
        let named = self.query.iter().filter(|(name, _)| is_own && names.contains(name));
        Self { named: Some(named.cloned().collect()), ..self }
    }

    /// A parameter of the query, also one that callbacks do not see.
    pub(crate) fn any_query(&self, name: &str) -> Option<&str> {
        last(&self.query, name)
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
    ///
    /// Where a session is read, only those are here that
    /// [`update_from_query`](crate::Builder::update_from_query) names.
    pub fn query(&self, name: &str) -> Option<&str> {
        last(self.query_pairs(), name)
    }

    /// Whether the site itself asks, and no other: its browser says `Sec-Fetch-Site: same-origin`, as every current one
    /// does. An older one says nothing there; then `Origin` and `Referer` must name the site, as far as they are sent.
    /// What sends none of the three counts, but for what wants a page (`Accept: text/html`): a program follows nobody's
    /// link, and an older browser may (`<a rel="noreferrer">`).
    pub fn is_from_site(&self) -> bool {
        let mut said = self.headers.get_all("sec-fetch-site").iter().peekable();
        if said.peek().is_some() {
            return said.all(|from| from == "same-origin");
        }
        let mut named = self.headers.get_all(ORIGIN).iter().chain(self.headers.get_all(REFERER)).peekable();
        match named.peek() {
            Some(_) => named.all(|from| self.is_of_site(from)),
            None => !self.wants_page(),
        }
    }

    /// Whether a browser goes there itself: the only request of another site that comes with cookies that are Lax.
    fn wants_page(&self) -> bool {
        let mut wanted = self.headers.get_all(ACCEPT).iter();
        wanted
            .any(|types| String::from_utf8_lossy(types.as_bytes()).to_ascii_lowercase().contains("text/html"))
    }

    /// Whether a header names the site, or a page of it.
    fn is_of_site(&self, from: &HeaderValue) -> bool {
        let site = self.site.as_deref().map(str::as_bytes);
        let rest = site.and_then(|site| from.as_bytes().strip_prefix(site));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    }

    /// The parameters of the query, in order. See [`query`](Self::query).
    pub fn query_pairs(&self) -> &[(String, String)] {
        self.named.as_ref().unwrap_or(&self.query)
    }

    /// Address of the visitor, where the shell knows it.
    pub fn peer(&self) -> Option<IpAddr> {
        self.peer
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

/// Of repeated ones the last.
fn last<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
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
pub(crate) type Form = Option<Vec<(String, String)>>;

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
        let info = RequestInfo::with_headers(parts.method, &parts.uri, parts.headers, &parts.extensions);
        let info = if action == Action::Session { info.show_only(&[]) } else { info };
        Ok(Self { info: Arc::new(info), action, provider, body, form, cookies, dialect, as_json })
    }

    /// The same, asked of this site. Of the query of a session callbacks see what the application has named.
    pub(crate) fn at(self, site: &Site, named_keys: &[String]) -> Self {
        let info = Arc::unwrap_or_clone(self.info).at(site);
        let info = if self.action == Action::Session { info.show_only(named_keys) } else { info };
        Self { info: Arc::new(info), ..self }
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
pub(crate) fn route(path: &str, base_path: &str) -> Option<(Action, Option<String>)> {
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
pub(crate) fn parse_body(headers: &HeaderMap, body: &Bytes) -> Result<(Map<String, Value>, Form), Error> {
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
