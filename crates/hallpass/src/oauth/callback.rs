//! The authorization response (RFC 6749 §4.1.2): what the browser brings back.

use super::metadata::Metadata;
use super::{IssuerPattern, ProtocolError, ProtocolErrorKind as Kind};
use crate::Secret;
use crate::providers::Provider;

/// An authorization response that passed every check. Only [`validate`] makes one, and nothing else can be
/// redeemed, once.
#[derive(Debug)]
pub struct ValidCallback {
    code: Secret,
}

impl ValidCallback {
    pub(super) fn into_code(self) -> Secret {
        self.code
    }
}

/// Judges the parameters that the browser brought: query or form, in their order, decoded once.
///
/// `expected_state` is the state of the request, or `None` if none was sent.
///
/// # Errors
/// [`ErrorAnswer`](Kind::ErrorAnswer) when the provider itself said `error`, [`Callback`](Kind::Callback)
/// for everything else: a parameter twice, a state that is missing or another, an issuer that is another
/// (RFC 9207) or missing though promised, no code, or an answer of a kind that was not asked for.
pub fn validate(
    provider: &Provider,
    metadata: &Metadata,
    params: &[(String, String)],
    expected_state: Option<&str>,
) -> Result<ValidCallback, ProtocolError> {
    let refuse = |message: &str| Err(ProtocolError::new(Kind::Callback, message));
    for name in ONCE {
        if params.iter().filter(|(it, _)| it == name).count() > 1 {
            return refuse(&format!("the parameter {name} stands twice"));
        }
    }
    let param = |name: &str| params.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str());
    if param("response").is_some() {
        return refuse("the answer is a token that was not asked for (JARM)");
    }
    if UNASKED.iter().any(|it| param(it).is_some()) {
        return refuse("the answer holds tokens where a code was asked for");
    }
    if let Some(expected) = expected_state {
        match param("state") {
            None => return refuse("the answer has no state"),
            Some(state) if !Secret::from(expected).matches(state) => {
                return refuse("the state is not that of the request");
            }
            Some(_) => {}
        }
    }
    // Mix-up defense, RFC 9207: the issuer that answers must be the one that was asked.
    match (param("iss"), metadata.issuer.as_deref()) {
        (Some(iss), Some(issuer)) if IssuerPattern::new(provider, issuer).tenant_of(iss).is_none() => {
            return refuse("the answer is from another issuer");
        }
        (None, _) if metadata.iss_parameter_supported => {
            return refuse("the answer does not name its issuer");
        }
        _ => {}
    }
    match (param("code"), param("error")) {
        (Some(_), Some(_)) => refuse("the answer holds both a code and an error"),
        (None, Some(error)) => {
            Err(ProtocolError::new(Kind::ErrorAnswer, "the provider answered with an error")
                .with_answer(error, param("error_description")))
        }
        (None | Some(""), None) => refuse("the answer has no code"),
        (Some(code), None) => Ok(ValidCallback { code: Secret::from(code) }),
    }
}

const ONCE: &[&str] = &["state", "code", "iss", "error", "response", "access_token", "id_token", "token"];
const UNASKED: &[&str] = &["access_token", "id_token", "token"];

#[cfg(test)]
mod tests;
