//! The ID token (OpenID Connect Core §2, §3.1.3.7): what it must say to be believed.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::jws::{Compact, SigningAlgorithm};
use crate::oauth::metadata::Metadata;
use crate::oauth::{IssuerPattern, ProtocolError, ProtocolErrorKind as Kind};
use crate::providers::Provider;
use crate::{Secret, Timestamp};

/// What the claims of an ID token are held against. Printing it shows neither the access token nor the nonce.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The time now.
    pub now: Timestamp,
    /// The access token that came along, for `at_hash`.
    pub access_token: &'a str,
    /// Which sign-in the token must belong to.
    pub origin: Origin<'a>,
}

/// Which sign-in an ID token must belong to. Printing it shows neither the nonce nor the claims.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Origin<'a> {
    /// A sign-in that sent this nonce, or none.
    SignIn {
        /// The nonce of the authorization request.
        nonce: Option<&'a str>,
    },
    /// A refresh: the claims of the ID token that we have, as far as it is still there. Issuer and subject must
    /// be the same (OpenID Connect Core §12.2).
    Refresh {
        /// The earlier claims.
        previous: Option<&'a Map<String, Value>>,
    },
}

/// Takes an ID token apart and checks that it is signed in a way that this provider may sign.
///
/// # Errors
/// When it is malformed, or its `alg` is none of the provider's.
pub fn parse<'a>(
    provider: &Provider,
    metadata: &Metadata,
    token: &'a str,
) -> Result<Compact<'a>, ProtocolError> {
    let compact =
        Compact::parse(token).map_err(|cause| error("the ID token cannot be read").caused_by(cause))?;
    let allowed = provider.id_token_algorithms.as_ref().unwrap_or(&metadata.id_token_signing_algs);
    let algorithm = compact.algorithm();
    if !allowed.iter().any(|it| SigningAlgorithm::named(it) == Some(algorithm)) {
        return Err(error("the ID token is signed with an algorithm that the provider did not announce"));
    }
    Ok(compact)
}

/// Judges the claims of an ID token whose signature was [verified](super::jwks::Jwks::verify), and returns them.
///
/// Times are allowed to be 30 seconds off; `iat` may be up to five minutes ahead.
///
/// # Errors
/// When a claim is missing, of the wrong kind, or not what this sign-in expects. A claim of the wrong kind is
/// wrong, never absent.
pub fn validate(
    provider: &Provider,
    metadata: &Metadata,
    token: &Compact<'_>,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, ProtocolError> {
    let claims =
        token.unverified_claims().map_err(|cause| error("the ID token cannot be read").caused_by(cause))?;
    issuer(provider, metadata, &claims)?;
    subject(&claims)?;
    audience(provider, &claims)?;
    times(&claims, expected.now)?;
    match expected.origin {
        Origin::SignIn { nonce } => {
            check_nonce(&claims, nonce)?;
            authentication(provider, &claims, expected.now)?;
        }
        Origin::Refresh { previous } => same_person(&claims, previous)?,
    }
    at_hash(&claims, token.algorithm(), expected.access_token)?;
    Ok(claims)
}

impl fmt::Debug for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expected")
            .field("now", &self.now)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SignIn { .. } => "SignIn",
            Self::Refresh { .. } => "Refresh",
        })
    }
}

fn issuer(
    provider: &Provider,
    metadata: &Metadata,
    claims: &Map<String, Value>,
) -> Result<(), ProtocolError> {
    let iss = text(claims, "iss")?;
    let issuer = metadata.issuer.as_deref().unwrap_or_default();
    let tenant = IssuerPattern::new(provider, issuer)
        .tenant_of(iss)
        .ok_or_else(|| error("iss is not the provider's issuer"))?;
    let Some((_, claim)) = provider.issuer_placeholder.filter(|_| !tenant.is_empty()) else { return Ok(()) };
    if text(claims, claim)? != tenant {
        return Err(error("iss is not the issuer of the tenant that the ID token names"));
    }
    let configured = provider.issuer.as_deref().unwrap_or_default();
    let wanted = IssuerPattern::new(provider, issuer).tenant_of(configured);
    match wanted.filter(|it| !ANY_TENANT.contains(it)) {
        Some(wanted) if wanted != tenant => {
            Err(error("the ID token is from another tenant than the configured one"))
        }
        _ => Ok(()),
    }
}

fn subject(claims: &Map<String, Value>) -> Result<(), ProtocolError> {
    let sub = text(claims, "sub")?;
    if sub.is_empty() || sub.chars().count() > MAX_SUBJECT || sub.contains(char::is_control) {
        return Err(error("sub is empty, longer than 255 characters or holds control characters"));
    }
    Ok(())
}

fn audience(provider: &Provider, claims: &Map<String, Value>) -> Result<(), ProtocolError> {
    let client_id = provider.client_id.as_deref().unwrap_or_default();
    let several = match claims.get("aud") {
        Some(Value::String(aud)) if aud == client_id => false,
        Some(Value::Array(all)) if all.iter().any(|it| it == client_id) => all.len() > 1,
        _ => return Err(error("aud is not this client")),
    };
    match claims.get("azp") {
        Some(Value::String(azp)) if azp == client_id => Ok(()),
        Some(_) => Err(error("azp is another client")),
        None if several => Err(error("aud names several clients, and azp none")),
        None => Ok(()),
    }
}

fn times(claims: &Map<String, Value>, now: Timestamp) -> Result<(), ProtocolError> {
    let now = now.millis() as f64 / 1000.0;
    if number(claims, "exp")?.ok_or_else(|| error("exp is missing"))? <= now - SKEW {
        return Err(error("the ID token has expired"));
    }
    if number(claims, "iat")?.ok_or_else(|| error("iat is missing"))? > now + MAX_AHEAD {
        return Err(error("iat is in the future"));
    }
    match number(claims, "nbf")? {
        Some(nbf) if nbf > now + SKEW => Err(error("the ID token is not valid yet")),
        _ => Ok(()),
    }
}

fn check_nonce(claims: &Map<String, Value>, expected: Option<&str>) -> Result<(), ProtocolError> {
    match (claims.get("nonce"), expected) {
        (None, None) => Ok(()),
        (Some(Value::String(nonce)), Some(expected)) if Secret::from(expected).matches(nonce) => Ok(()),
        (None, Some(_)) => Err(error("the ID token has no nonce")),
        (Some(_), Some(_)) => Err(error("the nonce is not that of the request")),
        (Some(_), None) => Err(error("the ID token has a nonce, but none was sent")),
    }
}

/// `max_age` and `acr_values` of the configuration are demands (OpenID Connect Core §3.1.3.7, 12 and 13).
fn authentication(
    provider: &Provider,
    claims: &Map<String, Value>,
    now: Timestamp,
) -> Result<(), ProtocolError> {
    if let Some(max_age) = configured(provider, "max_age") {
        let max_age: f64 = max_age
            .parse()
            .map_err(|_| ProtocolError::new(Kind::Configuration, "max_age is not a number of seconds"))?;
        let at = number(claims, "auth_time")?.ok_or_else(|| error("auth_time is missing"))?;
        if at + max_age < now.seconds() as f64 - SKEW {
            return Err(error("the person signed in at the provider too long ago"));
        }
    }
    let Some(wanted) = configured(provider, "acr_values") else { return Ok(()) };
    match claims.get("acr").and_then(Value::as_str) {
        Some(acr) if wanted.split_ascii_whitespace().any(|it| it == acr) => Ok(()),
        _ => Err(error("acr is none of those asked for")),
    }
}

fn same_person(
    claims: &Map<String, Value>,
    previous: Option<&Map<String, Value>>,
) -> Result<(), ProtocolError> {
    let Some(previous) = previous else { return Ok(()) };
    for name in ["iss", "sub"] {
        if previous.get(name) != claims.get(name) {
            return Err(error(&format!("{name} is another than before the refresh")));
        }
    }
    match claims.get("nonce") {
        Some(nonce) if Some(nonce) != previous.get("nonce") => {
            Err(error("the nonce is another than before the refresh"))
        }
        _ => Ok(()),
    }
}

/// The left half of the access token's hash (OpenID Connect Core §3.1.3.6): optional here, but never wrong.
fn at_hash(
    claims: &Map<String, Value>,
    algorithm: SigningAlgorithm,
    access_token: &str,
) -> Result<(), ProtocolError> {
    let Some(at_hash) = claims.get("at_hash") else { return Ok(()) };
    let hash = match algorithm {
        SigningAlgorithm::RS256 | SigningAlgorithm::PS256 | SigningAlgorithm::ES256 => {
            Sha256::digest(access_token).to_vec()
        }
        SigningAlgorithm::RS384 | SigningAlgorithm::PS384 | SigningAlgorithm::ES384 => {
            Sha384::digest(access_token).to_vec()
        }
        SigningAlgorithm::RS512 | SigningAlgorithm::PS512 | SigningAlgorithm::EdDSA => {
            Sha512::digest(access_token).to_vec()
        }
    };
    let half = hash.get(..hash.len() / 2).unwrap_or_default();
    match at_hash.as_str() {
        Some(given) if given == Base64UrlUnpadded::encode_string(half) => Ok(()),
        _ => Err(error("at_hash is not that of the access token")),
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, ProtocolError> {
    match claims.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(error(&format!("{name} is not a text"))),
        None => Err(error(&format!("{name} is missing"))),
    }
}

fn number(claims: &Map<String, Value>, name: &str) -> Result<Option<f64>, ProtocolError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => Ok(number.as_f64()),
        Some(_) => Err(error(&format!("{name} is not a number"))),
    }
}

fn configured<'a>(provider: &'a Provider, name: &str) -> Option<&'a str> {
    provider.authorization_params.iter().rev().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
}

fn error(message: &str) -> ProtocolError {
    ProtocolError::new(Kind::IdToken, message)
}

/// Seconds that our clock and the provider's may be apart.
const SKEW: f64 = 30.0;
/// Seconds that `iat` may be ahead: it is no promise, but a far-off one is a sign of a wrong clock.
const MAX_AHEAD: f64 = 300.0;
/// Characters (OpenID Connect Core §2).
const MAX_SUBJECT: usize = 255;
/// Names in the place of a tenant that stand for any of them (Microsoft identity platform).
const ANY_TENANT: &[&str] = &["common", "organizations", "consumers"];

#[cfg(test)]
mod tests;
