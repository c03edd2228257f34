//! The provider's keys (RFC 7517).

use base64ct::{Base64UrlUnpadded, Encoding};
use bytes::Bytes;
use http::{Request, Response};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use serde_json::{Map, Value};

use super::jws::{Compact, SigningAlgorithm};
use crate::oauth::metadata::Metadata;
use crate::oauth::{ProtocolError, ProtocolErrorKind as Kind, get, json_object};
use crate::providers::Provider;

/// The usable ones of a provider's keys, at most 100.
#[derive(Clone, Debug, Default)]
pub struct Jwks {
    keys: Vec<Jwk>,
}

/// What a set of keys says about a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verification {
    /// One of the keys made it.
    Verified,
    /// The key that the token names is not in the set; a newer set may have it.
    UnknownKey,
    /// The key that the token names did not make it.
    Forged,
}

/// Asks for the keys.
///
/// # Errors
/// When the provider has no `jwks_uri`.
pub fn jwks_request(provider: &Provider, metadata: &Metadata) -> Result<Request<Bytes>, ProtocolError> {
    match &metadata.jwks_uri {
        Some(url) => get(provider, url, None),
        None => Err(ProtocolError::new(Kind::Configuration, "the provider has no jwks_uri")),
    }
}

/// Judges the set. Keys that are malformed, of unknown kinds, too weak or not for signatures are left out.
///
/// # Errors
/// When the answer is not a JSON object of at most 256 KiB with an array `keys`.
pub fn jwks_response(response: &Response<Bytes>) -> Result<Jwks, ProtocolError> {
    let document = json_object(response, Kind::Discovery, "the JWKS document", MAX_DOCUMENT)?;
    let Some(Value::Array(keys)) = document.get("keys") else {
        return Err(ProtocolError::new(Kind::Discovery, "the JWKS document has no array of keys"));
    };
    let keys = keys.iter().filter_map(Value::as_object).filter_map(Jwk::read).take(MAX_KEYS).collect();
    Ok(Jwks { keys })
}

impl Jwks {
    /// Judges the signature of a token with the keys that fit its `alg` and `kid`; all that fit its `alg` if
    /// it names none.
    pub fn verify(&self, token: &Compact<'_>) -> Verification {
        let named = |key: &&Jwk| token.key_id.is_none() || key.id == token.key_id;
        let mut candidates = self.keys.iter().filter(named).filter(|it| it.fits(token.algorithm)).peekable();
        if candidates.peek().is_none() {
            return Verification::UnknownKey;
        }
        if candidates.any(|it| it.made(token)) {
            return Verification::Verified;
        }
        // Without a name the right key may just not be there yet.
        if token.key_id.is_none() { Verification::UnknownKey } else { Verification::Forged }
    }

    /// How many keys can be used.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key can be used.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

#[derive(Clone, Debug)]
struct Jwk {
    id: Option<String>,
    family: Family,
    algorithm: Option<SigningAlgorithm>,
    key: DecodingKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl Jwk {
    fn read(jwk: &Map<String, Value>) -> Option<Self> {
        if !may_verify(jwk) {
            return None;
        }
        let id = match jwk.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str()?.to_owned()),
        };
        let algorithm = match jwk.get("alg") {
            None => None,
            Some(alg) => Some(SigningAlgorithm::named(alg.as_str()?)?),
        };
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let (family, key) = match (text("kty")?, text("crv")) {
            ("RSA", _) => (Family::Rsa, rsa(&decode(jwk, "n")?, &decode(jwk, "e")?)?),
            ("EC", Some("P-256")) => (Family::P256, point(&decode(jwk, "x")?, &decode(jwk, "y")?, 32)?),
            ("EC", Some("P-384")) => (Family::P384, point(&decode(jwk, "x")?, &decode(jwk, "y")?, 48)?),
            ("OKP", Some("Ed25519")) => {
                let x = decode(jwk, "x")?;
                // The backend takes the first 32 bytes without looking.
                (Family::Ed25519, (x.len() == 32).then(|| DecodingKey::from_ed_der(&x))?)
            }
            _ => return None,
        };
        Some(Self { id, family, algorithm, key })
    }

    fn fits(&self, algorithm: SigningAlgorithm) -> bool {
        let family = match algorithm {
            SigningAlgorithm::ES256 => Family::P256,
            SigningAlgorithm::ES384 => Family::P384,
            SigningAlgorithm::EdDSA => Family::Ed25519,
            _ => Family::Rsa,
        };
        self.family == family && self.algorithm.is_none_or(|it| it == algorithm)
    }

    fn made(&self, token: &Compact<'_>) -> bool {
        (DEFAULT_PROVIDER.verifier_factory)(&token.algorithm.backend(), &self.key)
            .is_ok_and(|verifier| verifier.verify(token.signing_input, &token.signature).is_ok())
    }
}

/// `use` and `key_ops` (RFC 7517 §4.2, §4.3), where they are given.
fn may_verify(jwk: &Map<String, Value>) -> bool {
    let usage = jwk.get("use").is_none_or(|it| it == "sig");
    let operations = match jwk.get("key_ops") {
        None => true,
        Some(Value::Array(operations)) => operations.iter().any(|it| it == "verify"),
        Some(_) => false,
    };
    usage && operations
}

/// At least 2048 bits (RFC 7518 §3.3) and an odd exponent of at least 65537: with a smaller one signatures can
/// be forged, with 1 by anybody.
fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<DecodingKey> {
    let modulus = without_leading_zeros(modulus);
    let exponent = without_leading_zeros(exponent);
    let bits = modulus.len() * 8 - modulus.first()?.leading_zeros() as usize;
    let value =
        exponent.iter().try_fold(0_u64, |sum, byte| sum.checked_mul(256)?.checked_add(u64::from(*byte)))?;
    let odd = modulus.last()? & 1 == 1 && value & 1 == 1;
    (bits >= 2048 && value >= 65_537 && odd).then(|| DecodingKey::from_rsa_raw_components(modulus, exponent))
}

fn point(x: &[u8], y: &[u8], size: usize) -> Option<DecodingKey> {
    let encoded = [&[4], x, y].concat();
    (x.len() == size && y.len() == size).then(|| DecodingKey::from_ec_der(&encoded))
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|it| **it == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

fn decode(jwk: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(jwk.get(name)?.as_str()?).ok()
}

const MAX_DOCUMENT: usize = 256 * 1024;
const MAX_KEYS: usize = 100;

#[cfg(test)]
mod tests;
