//! The token endpoint (RFC 6749 §4.1.3, §5, §6).

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response};
use serde_json::{Map, Value};

use super::callback::ValidCallback;
use super::metadata::Metadata;
use super::{ProtocolError, ProtocolErrorKind as Kind, client_auth, endpoint, json_object};
use crate::providers::Provider;
use crate::{Secret, Timestamp};

/// Asks for tokens in exchange for the code.
///
/// `jti` are fresh random bytes, for providers that want a signed assertion.
///
/// # Errors
/// When the client's id, secret or key is missing or unusable.
pub fn token_request(
    provider: &Provider,
    metadata: &Metadata,
    callback: ValidCallback,
    redirect_uri: &str,
    code_verifier: Option<&str>,
    now: Timestamp,
    jti: [u8; 16],
) -> Result<Request<Bytes>, ProtocolError> {
    let mut form = vec![
        ("grant_type", "authorization_code".to_owned()),
        ("code", callback.into_code().expose().to_owned()),
        ("redirect_uri", redirect_uri.to_owned()),
    ];
    if let Some(verifier) = code_verifier {
        form.push(("code_verifier", verifier.to_owned()));
    }
    post(provider, metadata, form, now, jti)
}

/// Asks for new tokens in exchange for a refresh token (RFC 6749 §6).
///
/// # Errors
/// As [`token_request`].
pub fn refresh_request(
    provider: &Provider,
    metadata: &Metadata,
    refresh_token: &Secret,
    now: Timestamp,
    jti: [u8; 16],
) -> Result<Request<Bytes>, ProtocolError> {
    let form = vec![
        ("grant_type", "refresh_token".to_owned()),
        ("refresh_token", refresh_token.expose().to_owned()),
    ];
    post(provider, metadata, form, now, jti)
}

/// Judges the answer of the token endpoint and returns its members: with `expires_at`
/// (seconds since the epoch) added from `expires_in`, `scope` as one text, and without the names that
/// Hallpass itself gives to an account.
///
/// The ID token in it is not verified yet.
///
/// # Errors
/// When it is not a JSON object of at most 1 MiB with status 200 or 201, holds `error`, or a member is missing
/// or of the wrong kind.
pub fn token_response(
    response: &Response<Bytes>,
    now: Timestamp,
) -> Result<Map<String, Value>, ProtocolError> {
    let mut tokens = json_object(response, Kind::Token, "the answer of the token endpoint", MAX_ANSWER)?;
    if let Some(code) = tokens.get("error").filter(|it| !it.is_null()) {
        let description = tokens.get("error_description").and_then(Value::as_str);
        return Err(error("the token endpoint answered with an error")
            .with_answer(code.as_str().unwrap_or_default(), description));
    }
    for name in NOT_THEIRS {
        tokens.shift_remove(*name);
    }
    match tokens.get("access_token") {
        Some(Value::String(token)) if is_header_safe(token) => {}
        Some(Value::String(_)) => return Err(error("access_token is empty or not visible ASCII")),
        Some(_) => return Err(error("access_token is not a text")),
        None => return Err(error("the token endpoint gave no access_token")),
    }
    match tokens.get("token_type") {
        Some(Value::String(text)) if text.eq_ignore_ascii_case("bearer") => {}
        Some(Value::String(_)) => return Err(error("token_type is not bearer")),
        _ => return Err(error("the token endpoint gave no token_type")),
    }
    for name in ["refresh_token", "id_token"] {
        match tokens.get(name) {
            None => {}
            Some(Value::String(text)) if !text.is_empty() => {}
            Some(Value::Null) => drop(tokens.shift_remove(name)),
            Some(_) => return Err(error(&format!("{name} is not a text"))),
        }
    }
    join_scope(&mut tokens);
    add_expires_at(&mut tokens, now)?;
    Ok(tokens)
}

fn post(
    provider: &Provider,
    metadata: &Metadata,
    mut form: Vec<(&'static str, String)>,
    now: Timestamp,
    jti: [u8; 16],
) -> Result<Request<Bytes>, ProtocolError> {
    let authorization = client_auth::authenticate(provider, metadata, now, jti, &mut form)?;
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let mut request = endpoint::request(provider, Method::POST, &metadata.token_endpoint, Bytes::from(body))?;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    if let Some(value) = authorization {
        headers.insert(AUTHORIZATION, value);
    }
    Ok(request)
}

/// What a bearer token may consist of, so that it cannot break out of the header that carries it.
fn is_header_safe(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|it| it.is_ascii_graphic())
}

/// Some providers answer the scopes as a list.
fn join_scope(tokens: &mut Map<String, Value>) {
    if let Some(Value::Array(scopes)) = tokens.get("scope") {
        let joined = scopes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
        tokens.insert("scope".to_owned(), joined.into());
    }
}

fn add_expires_at(tokens: &mut Map<String, Value>, now: Timestamp) -> Result<(), ProtocolError> {
    let seconds = match tokens.get("expires_in") {
        None => return Ok(()),
        Some(Value::Null) => {
            tokens.shift_remove("expires_in");
            return Ok(());
        }
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse::<f64>().ok(),
        Some(_) => None,
    };
    let Some(seconds) = seconds.filter(|it| !it.is_nan()) else {
        return Err(error("expires_in is not a number"));
    };
    // A lifetime that no column or date can hold is no lifetime; `as` saturates.
    let seconds = seconds.clamp(-LONGEST_LIFETIME, LONGEST_LIFETIME).floor() as i64;
    tokens.insert("expires_at".to_owned(), now.seconds().saturating_add(seconds).into());
    Ok(())
}

fn error(message: &str) -> ProtocolError {
    ProtocolError::new(Kind::Token, message)
}

/// Names that an account has from us. A provider cannot set them.
const NOT_THEIRS: &[&str] = &["provider", "type", "providerAccountId", "userId", "id", "__proto__"];
const MAX_ANSWER: usize = 1024 * 1024;
/// Ten years, in seconds.
const LONGEST_LIFETIME: f64 = 315_360_000.0;

#[cfg(test)]
mod tests;
