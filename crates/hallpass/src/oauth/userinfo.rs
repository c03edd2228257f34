//! The userinfo endpoint: OpenID Connect Core §5.3, and what plain OAuth 2 providers have in its place.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use serde_json::{Map, Value};
use url::Url;

use super::metadata::Metadata;
use super::{ProtocolError, ProtocolErrorKind as Kind, get, json_object};
use crate::providers::Provider;

/// Asks for the profile, with the access token as bearer.
///
/// # Errors
/// When the provider has no userinfo endpoint, or a configured header is none.
pub fn userinfo_request(
    provider: &Provider,
    metadata: &Metadata,
    access_token: &str,
) -> Result<Request<Bytes>, ProtocolError> {
    let Some(url) = &metadata.userinfo_endpoint else {
        return Err(ProtocolError::new(Kind::Configuration, "the provider has no userinfo endpoint"));
    };
    profile_request(provider, url, access_token)
}

/// A request to an address where a profile is, with the headers that the provider wants there.
pub(crate) fn profile_request(
    provider: &Provider,
    url: &Url,
    access_token: &str,
) -> Result<Request<Bytes>, ProtocolError> {
    let mut request = get(provider, url, Some(access_token))?;
    for (name, value) in &provider.userinfo_headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
            return Err(ProtocolError::new(
                Kind::Configuration,
                "a header for the userinfo endpoint is invalid",
            ));
        };
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

/// Judges the answer. With OpenID Connect `subject` is the `sub` of the ID token, and the answer must be about
/// the same person (OpenID Connect Core §5.3.2).
///
/// # Errors
/// When it is not a JSON object of at most 1 MiB with status 200, or is about somebody else.
pub fn userinfo_response(
    response: &Response<Bytes>,
    subject: Option<&str>,
) -> Result<Map<String, Value>, ProtocolError> {
    let profile = json_object(response, Kind::UserInfo, "the answer of the userinfo endpoint", MAX_ANSWER)?;
    let Some(subject) = subject else { return Ok(profile) };
    match profile.get("sub") {
        Some(Value::String(sub)) if sub == subject => Ok(profile),
        _ => Err(ProtocolError::new(Kind::UserInfo, "userinfo is about another person than the ID token")),
    }
}

const MAX_ANSWER: usize = 1024 * 1024;

#[cfg(test)]
mod tests;
