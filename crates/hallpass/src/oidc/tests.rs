//! Keys that the tests sign with.

use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

pub(crate) fn rsa() -> EncodingKey {
    EncodingKey::from_rsa_pem(include_bytes!("../../testdata/keys/rsa.pem")).unwrap()
}

pub(crate) fn other_rsa() -> EncodingKey {
    EncodingKey::from_rsa_pem(include_bytes!("../../testdata/keys/rsa-other.pem")).unwrap()
}

pub(crate) fn small_rsa() -> EncodingKey {
    EncodingKey::from_rsa_pem(include_bytes!("../../testdata/keys/rsa-1024.pem")).unwrap()
}

pub(crate) fn p256() -> EncodingKey {
    EncodingKey::from_ec_pem(include_bytes!("../../testdata/keys/ec-p-256.pem")).unwrap()
}

pub(crate) fn other_p256() -> EncodingKey {
    EncodingKey::from_ec_pem(include_bytes!("../../testdata/keys/ec-p-256-other.pem")).unwrap()
}

pub(crate) fn p384() -> EncodingKey {
    EncodingKey::from_ec_pem(include_bytes!("../../testdata/keys/ec-p-384.pem")).unwrap()
}

pub(crate) fn ed25519() -> EncodingKey {
    EncodingKey::from_ed_pem(include_bytes!("../../testdata/keys/ed25519.pem")).unwrap()
}

/// The public half, as a provider publishes it.
pub(crate) fn jwk(key: &EncodingKey, algorithm: Algorithm, kid: &str) -> Value {
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(key, algorithm).unwrap()).unwrap();
    jwk["kid"] = kid.into();
    jwk["use"] = "sig".into();
    jwk
}

/// A token whose header may say anything.
pub(crate) fn sign(header: &Value, payload: &[u8], key: &EncodingKey, algorithm: Algorithm) -> String {
    let input = format!("{}.{}", encode(header.to_string().as_bytes()), encode(payload));
    let signer = (DEFAULT_PROVIDER.signer_factory)(&algorithm, key).unwrap();
    format!("{input}.{}", encode(&signer.try_sign(input.as_bytes()).unwrap()))
}

/// A token whose signature nobody looks at.
pub(crate) fn unsigned(header: &Value, payload: &[u8]) -> String {
    format!("{}.{}.c2ln", encode(header.to_string().as_bytes()), encode(payload))
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

pub(crate) fn header(algorithm: &str, kid: &str) -> Value {
    json!({ "alg": algorithm, "kid": kid, "typ": "JWT" })
}
