//! Which addresses may be asked, and how.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, USER_AGENT};
use http::{HeaderValue, Method, Request};
use url::Url;

use super::{ProtocolError, ProtocolErrorKind as Kind};
use crate::http::Reach;
use crate::providers::Provider;

/// Reads the address of an endpoint, from the configuration or from a discovery document.
///
/// What [`address`] allows; and http only where the issuer is this machine too, or the application itself wrote
/// the address down (RFC 8252 §8.3).
pub(super) fn parse(provider: &Provider, name: &str, text: &str, kind: Kind) -> Result<Url, ProtocolError> {
    let refuse = |why: &str| ProtocolError::new(kind, format!("{name} {why}"));
    let url = address(text).map_err(refuse)?;
    if url.scheme() == "http" && !issuer_is_loopback(provider) && !is_configured(provider, &url) {
        return Err(refuse(NOT_HTTPS));
    }
    Ok(url)
}

/// Reads an address that may be asked, or says why it may not: https, or http on this machine; no user name, no
/// fragment (RFC 6749 §3.1), and nothing that a lenient parser would mend.
pub(crate) fn address(text: &str) -> Result<Url, &'static str> {
    if !text.bytes().all(|it| it.is_ascii_graphic() && it != b'\\') {
        return Err("holds characters that an address cannot have");
    }
    if text.contains(['{', '}']) {
        return Err("still holds a placeholder");
    }
    let (Ok(url), Some((_, rest))) = (Url::parse(text), text.split_once("://")) else {
        return Err("is not an absolute address");
    };
    if !url.username().is_empty() || url.password().is_some() || authority(rest).contains('@') {
        return Err("holds a user name");
    }
    if url.fragment().is_some() {
        return Err("holds a fragment");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(NOT_HTTPS),
        _ => Err("is neither https nor http"),
    }
}

/// Starts a request: where it goes, what every request carries, and how far it may reach.
pub(super) fn request(
    provider: &Provider,
    method: Method,
    url: &Url,
    body: Bytes,
) -> Result<Request<Bytes>, ProtocolError> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = url
        .as_str()
        .parse()
        .map_err(|error| ProtocolError::new(Kind::Configuration, "an endpoint is no URI").caused_by(error))?;
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("hallpass"));
    request.extensions_mut().insert(reach(provider, url));
    Ok(request)
}

/// A GET, with the access token as bearer if there is one (RFC 6750 §2.1).
pub(crate) fn get(
    provider: &Provider,
    url: &Url,
    access_token: Option<&str>,
) -> Result<Request<Bytes>, ProtocolError> {
    let mut request = request(provider, Method::GET, url, Bytes::new())?;
    if let Some(token) = access_token {
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| ProtocolError::new(Kind::Token, "the access token cannot stand in a header"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(request)
}

/// The issuer that answers must have, with the placeholder that some multi-tenant providers leave in it
/// (`https://login.microsoftonline.com/{tenantid}/v2.0`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct IssuerPattern<'a> {
    issuer: &'a str,
    placeholder: Option<&'a str>,
}

impl<'a> IssuerPattern<'a> {
    pub(crate) fn new(provider: &Provider, issuer: &'a str) -> Self {
        Self { issuer, placeholder: provider.issuer_placeholder.map(|(text, _)| text) }
    }

    /// What stands in `candidate` at the place of the placeholder: empty without one, `None` if the issuer
    /// is another.
    pub(crate) fn tenant_of<'b>(&self, candidate: &'b str) -> Option<&'b str> {
        if let Some((before, after)) = self.placeholder.and_then(|it| self.issuer.split_once(it)) {
            let tenant = candidate.strip_prefix(before)?.strip_suffix(after)?;
            return is_tenant(tenant).then_some(tenant);
        }
        (self.issuer == candidate).then_some("")
    }
}

fn is_tenant(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_alphanumeric() || b"-._".contains(&it))
}

fn reach(provider: &Provider, url: &Url) -> Reach {
    if is_loopback(url) && (issuer_is_loopback(provider) || is_configured(provider, url)) {
        return Reach::Loopback;
    }
    if provider.private_network { Reach::PrivateNetwork } else { Reach::Public }
}

fn issuer_is_loopback(provider: &Provider) -> bool {
    provider.issuer.as_deref().and_then(|it| Url::parse(it).ok()).is_some_and(|it| is_loopback(&it))
}

/// Whether the application itself wrote this address down.
fn is_configured(provider: &Provider, url: &Url) -> bool {
    [
        &provider.authorization_endpoint,
        &provider.token_endpoint,
        &provider.userinfo_endpoint,
        &provider.jwks_uri,
    ]
    .into_iter()
    .flatten()
    .any(|it| Url::parse(it).is_ok_and(|it| it == *url))
}

fn is_loopback(url: &Url) -> bool {
    url.host().is_some_and(|host| Reach::is_loopback(&host))
}

fn authority(rest: &str) -> &str {
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

const NOT_HTTPS: &str = "is not https";
