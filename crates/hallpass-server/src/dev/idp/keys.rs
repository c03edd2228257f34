//! The keys that sign ID tokens, made at the start.

use std::collections::VecDeque;

use base64ct::{Base64UrlUnpadded, Encoding};
use hallpass::random::NoRandomness;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Map, Value, json};

/// Which key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signer {
    /// The one that signs usually.
    Current,
    /// A new one, which signs from now on.
    Rotated,
    /// One that nobody was told of.
    Unpublished,
}

/// ES256 (RFC 7518 §3.4).
pub(super) struct Keys {
    /// Newest last.
    published: VecDeque<Key>,
    unpublished: Key,
    made: usize,
}

struct Key {
    id: String,
    pair: EcdsaKeyPair,
}

impl Keys {
    /// # Errors
    /// When there are no random bytes.
    pub(super) fn new() -> Result<Self, NoRandomness> {
        let published = VecDeque::from([Key::new("stand-in-1")?]);
        Ok(Self { published, unpublished: Key::new("nobody-knows-this-key")?, made: 1 })
    }

    /// A token with these claims.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(super) fn sign(
        &mut self,
        claims: &Map<String, Value>,
        signer: Signer,
    ) -> Result<String, NoRandomness> {
        if signer == Signer::Rotated {
            self.made += 1;
            self.published.push_back(Key::new(&format!("stand-in-{}", self.made))?);
            // Tokens that are under way may be signed with the one before.
            while self.published.len() > 2 {
                self.published.pop_front();
            }
        }
        let key = match signer {
            Signer::Unpublished => &self.unpublished,
            Signer::Current | Signer::Rotated => self.published.back().unwrap_or(&self.unpublished),
        };
        key.sign(claims)
    }

    /// The public halves (RFC 7517 §5).
    pub(super) fn jwks(&self) -> Value {
        json!({ "keys": self.published.iter().map(Key::public).collect::<Vec<_>>() })
    }
}

impl Key {
    fn new(id: &str) -> Result<Self, NoRandomness> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map_err(|_| NoRandomness)
            .and_then(|pem| {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pem.as_ref(), &random)
                    .map_err(|_| NoRandomness)
            })?;
        Ok(Self { id: id.to_owned(), pair })
    }

    fn sign(&self, claims: &Map<String, Value>) -> Result<String, NoRandomness> {
        let header = json!({ "alg": "ES256", "kid": self.id, "typ": "JWT" }).to_string();
        let claims = Value::Object(claims.clone()).to_string();
        let encode = |part: &[u8]| Base64UrlUnpadded::encode_string(part);
        let input = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).map_err(|_| NoRandomness)?;
        Ok(format!("{input}.{}", encode(signature.as_ref())))
    }

    fn public(&self) -> Value {
        // An uncompressed point: a byte that says so, and two coordinates of 32 bytes (SEC 1 §2.3.3).
        let point = self.pair.public_key().as_ref();
        let coordinate =
            |at: usize| point.get(at..at + 32).map(Base64UrlUnpadded::encode_string).unwrap_or_default();
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id,
            "x": coordinate(1), "y": coordinate(33),
        })
    }
}
