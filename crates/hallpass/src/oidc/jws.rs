//! Signed tokens in the compact form (RFC 7515 §7.1), read strictly.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use crate::oauth::parse_object;

/// A token as it came: parsed, its signature not looked at. Printing it shows its header alone.
#[derive(Clone)]
pub struct Compact<'a> {
    pub(super) algorithm: SigningAlgorithm,
    pub(super) key_id: Option<String>,
    pub(super) signing_input: &'a [u8],
    pub(super) signature: Vec<u8>,
    payload: Vec<u8>,
}

/// Why a text is no signed token that could be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwsError {
    /// Not three parts.
    #[error("not three parts between dots")]
    Parts,
    /// Padding, foreign characters or surplus bits.
    #[error("not base64url without padding")]
    Base64,
    /// The header is not a JSON object with each member once.
    #[error("the header is not a JSON object")]
    Header,
    /// `alg` is missing, `none`, symmetric or unknown.
    #[error("alg is not a known asymmetric signature")]
    Algorithm,
    /// `kid` is not a text.
    #[error("kid is not a text")]
    KeyId,
    /// The header demands an extension (`crit`, `b64`) or names a token of another kind (`typ`, `cty`).
    #[error("the header asks for something that an ID token has not")]
    Extension,
    /// The payload is not a JSON object with each member once.
    #[error("the payload is not a JSON object")]
    Payload,
}

impl<'a> Compact<'a> {
    /// Takes a token apart. Members of the header that name a key (`jwk`, `jku`, `x5u`, `x5c`) are not read.
    ///
    /// # Errors
    /// When it is not three parts of unpadded base64url, or the header is not one that an ID token has.
    pub fn parse(token: &'a str) -> Result<Self, JwsError> {
        let (signing_input, signature) = token.rsplit_once('.').ok_or(JwsError::Parts)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JwsError::Parts)?;
        if payload.contains('.') {
            return Err(JwsError::Parts);
        }
        let header = parse_object(&decode(header)?).map_err(|_| JwsError::Header)?;
        let algorithm = header
            .get("alg")
            .and_then(Value::as_str)
            .and_then(SigningAlgorithm::named)
            .ok_or(JwsError::Algorithm)?;
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(JwsError::KeyId),
        };
        refuse_extensions(&header)?;
        Ok(Self {
            algorithm,
            key_id,
            signing_input: signing_input.as_bytes(),
            signature: decode(signature)?,
            payload: decode(payload)?,
        })
    }

    /// How the token says it is signed.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The claims. Nothing in them may be believed before
    /// [`Jwks::verify`](super::jwks::Jwks::verify) said yes.
    ///
    /// # Errors
    /// When the payload is not a JSON object with each member once.
    pub fn unverified_claims(&self) -> Result<Map<String, Value>, JwsError> {
        parse_object(&self.payload).map_err(|_| JwsError::Payload)
    }
}

impl fmt::Debug for Compact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compact")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// The asymmetric signatures of RFC 7518 §3.1, RFC 8037 and RFC 9864 that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are those of the registry")]
pub enum SigningAlgorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

impl SigningAlgorithm {
    /// By its registered name. `None` for `none`, for HMAC and for whatever else.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::RS256,
            "RS384" => Self::RS384,
            "RS512" => Self::RS512,
            "PS256" => Self::PS256,
            "PS384" => Self::PS384,
            "PS512" => Self::PS512,
            "ES256" => Self::ES256,
            "ES384" => Self::ES384,
            "EdDSA" | "Ed25519" => Self::EdDSA,
            _ => return None,
        })
    }

    pub(super) fn backend(self) -> Algorithm {
        match self {
            Self::RS256 => Algorithm::RS256,
            Self::RS384 => Algorithm::RS384,
            Self::RS512 => Algorithm::RS512,
            Self::PS256 => Algorithm::PS256,
            Self::PS384 => Algorithm::PS384,
            Self::PS512 => Algorithm::PS512,
            Self::ES256 => Algorithm::ES256,
            Self::ES384 => Algorithm::ES384,
            Self::EdDSA => Algorithm::EdDSA,
        }
    }
}

fn decode(part: &str) -> Result<Vec<u8>, JwsError> {
    Base64UrlUnpadded::decode_vec(part).map_err(|_| JwsError::Base64)
}

fn refuse_extensions(header: &Map<String, Value>) -> Result<(), JwsError> {
    if header.contains_key("crit") || header.contains_key("b64") || header.contains_key("cty") {
        return Err(JwsError::Extension);
    }
    // Explicit typing (RFC 8725 §3.11): a logout token or an access token is no ID token.
    match header.get("typ") {
        None => Ok(()),
        Some(Value::String(typ)) if !typ.to_ascii_lowercase().ends_with("+jwt") => Ok(()),
        Some(_) => Err(JwsError::Extension),
    }
}

#[cfg(test)]
mod tests;
