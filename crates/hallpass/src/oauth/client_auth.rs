//! How the client proves who it is at the token endpoint (RFC 6749 §2.3, RFC 7523).

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use http::HeaderValue;
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Map, Value, json};

use super::metadata::Metadata;
use super::{ProtocolError, ProtocolErrorKind as Kind};
use crate::providers::{ClientAuth, PrivateKey, Provider};
use crate::{Secret, Timestamp};

/// Adds to the form what proves who we are, or returns the value of an `Authorization` header that does.
///
/// `jti` are random bytes, which an assertion needs to be unique (RFC 7523 §3).
pub(super) fn authenticate(
    provider: &Provider,
    metadata: &Metadata,
    now: Timestamp,
    jti: [u8; 16],
    form: &mut Vec<(&'static str, String)>,
) -> Result<Option<HeaderValue>, ProtocolError> {
    let client_id = provider
        .client_id
        .as_deref()
        .filter(|it| !it.is_empty())
        .ok_or_else(|| configuration("the provider has no client id"))?;
    match provider.client_auth {
        ClientAuth::Basic => return basic(client_id, secret(provider)?).map(Some),
        ClientAuth::Post => {
            form.push(("client_id", client_id.to_owned()));
            form.push(("client_secret", secret(provider)?.expose().to_owned()));
        }
        ClientAuth::None => form.push(("client_id", client_id.to_owned())),
        ClientAuth::SecretJwt => {
            let key = EncodingKey::from_secret(secret(provider)?.expose().as_bytes());
            let claims = assertion_claims(client_id, audience(provider, metadata), now, jti);
            push_assertion(form, client_id, sign(Algorithm::HS256, "HS256", None, &claims, &key)?);
        }
        ClientAuth::PrivateKeyJwt => {
            let key = private_key(provider)?;
            let mut claims = assertion_claims(client_id, audience(provider, metadata), now, jti);
            if let Some(issuer) = &key.issuer {
                claims.insert("iss".to_owned(), json!(issuer));
            }
            push_assertion(form, client_id, sign_with(key, &claims)?);
        }
        ClientAuth::SignedSecret => {
            let secret = match &provider.private_key {
                Some(key) => signed_secret(key, client_id, audience(provider, metadata), now)?,
                None => secret(provider)?.expose().to_owned(),
            };
            form.push(("client_id", client_id.to_owned()));
            form.push(("client_secret", secret));
        }
    }
    Ok(None)
}

/// Signs something that nobody gets to see: whether a private key is of any use.
///
/// # Errors
/// When the key cannot be read, is too small, or is not one for its algorithm.
pub(crate) fn check_private_key(key: &PrivateKey) -> Result<(), ProtocolError> {
    sign_with(key, &Map::new()).map(drop)
}

/// Form-encoded first, so that a colon or an umlaut cannot shift the border (RFC 6749 §2.3.1).
fn basic(client_id: &str, secret: &Secret) -> Result<HeaderValue, ProtocolError> {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(client_id), encode(secret.expose()));
    let mut value = HeaderValue::try_from(format!("Basic {}", Base64::encode_string(pair.as_bytes())))
        .map_err(|_| configuration("the client's credentials cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn assertion_claims(client_id: &str, audience: &str, now: Timestamp, jti: [u8; 16]) -> Map<String, Value> {
    object(json!({
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": Base64UrlUnpadded::encode_string(&jti),
        "iat": now.seconds(),
        "exp": now.seconds() + LIFETIME,
    }))
}

fn signed_secret(
    key: &PrivateKey,
    client_id: &str,
    audience: &str,
    now: Timestamp,
) -> Result<String, ProtocolError> {
    let claims = object(json!({
        "iss": key.issuer.as_deref().unwrap_or(client_id),
        "iat": now.seconds(),
        "exp": now.seconds() + LIFETIME,
        "aud": audience,
        "sub": client_id,
    }));
    sign_with(key, &claims)
}

fn push_assertion(form: &mut Vec<(&'static str, String)>, client_id: &str, assertion: String) {
    form.push(("client_id", client_id.to_owned()));
    form.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned()));
    form.push(("client_assertion", assertion));
}

/// The issuer, so that another server cannot pass the assertion on; the token endpoint where the issuer
/// has no one value.
fn audience<'a>(provider: &Provider, metadata: &'a Metadata) -> &'a str {
    match (&metadata.issuer, provider.issuer_placeholder) {
        (Some(issuer), None) => issuer,
        (Some(issuer), Some((placeholder, _))) if !issuer.contains(placeholder) => issuer,
        _ => metadata.token_endpoint.as_str(),
    }
}

fn sign_with(key: &PrivateKey, claims: &Map<String, Value>) -> Result<String, ProtocolError> {
    let pem = key.pem.expose().as_bytes();
    let (algorithm, read) = match key.algorithm.as_str() {
        "ES256" => (Algorithm::ES256, EncodingKey::from_ec_pem(pem)),
        "EdDSA" => (Algorithm::EdDSA, EncodingKey::from_ed_pem(pem)),
        "RS256" => (Algorithm::RS256, EncodingKey::from_rsa_pem(pem)),
        "PS256" => (Algorithm::PS256, EncodingKey::from_rsa_pem(pem)),
        _ => return Err(configuration("the private key's algorithm is not ES256, EdDSA, RS256 or PS256")),
    };
    // The cause may quote the key, so it is left out.
    let encoding_key =
        read.map_err(|_| configuration("the private key is not PKCS#8 in PEM for its algorithm"))?;
    if matches!(algorithm, Algorithm::RS256 | Algorithm::PS256)
        && encoding_key.as_bytes().len() < RSA_2048_DER
    {
        return Err(configuration("the private key has fewer than 2048 bits"));
    }
    sign(algorithm, &key.algorithm, key.key_id.as_deref(), claims, &encoding_key)
}

fn sign(
    algorithm: Algorithm,
    name: &str,
    key_id: Option<&str>,
    claims: &Map<String, Value>,
    key: &EncodingKey,
) -> Result<String, ProtocolError> {
    let mut header = object(json!({ "alg": name, "typ": "JWT" }));
    if let Some(kid) = key_id {
        header.insert("kid".to_owned(), json!(kid));
    }
    let encode = |part: Map<String, Value>| {
        Base64UrlUnpadded::encode_string(Value::Object(part).to_string().as_bytes())
    };
    let input = format!("{}.{}", encode(header), encode(claims.clone()));
    let signer = (DEFAULT_PROVIDER.signer_factory)(&algorithm, key)
        .map_err(|_| configuration("the private key does not fit its algorithm"))?;
    let signature =
        signer.try_sign(input.as_bytes()).map_err(|_| configuration("the private key cannot sign"))?;
    Ok(format!("{input}.{}", Base64UrlUnpadded::encode_string(&signature)))
}

fn secret(provider: &Provider) -> Result<&Secret, ProtocolError> {
    let secret = provider.client_secret.as_ref().filter(|it| !it.expose().is_empty());
    secret.ok_or_else(|| configuration("the provider has no client secret"))
}

fn private_key(provider: &Provider) -> Result<&PrivateKey, ProtocolError> {
    provider.private_key.as_ref().ok_or_else(|| configuration("the provider has no private key"))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn configuration(message: &str) -> ProtocolError {
    ProtocolError::new(Kind::Configuration, message)
}

/// Seconds that an assertion lives.
const LIFETIME: i64 = 120;
/// No RSA key of 2048 bits is shorter in PKCS#1.
const RSA_2048_DER: usize = 1100;

#[cfg(test)]
mod tests;
