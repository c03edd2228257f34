//! Keys from secrets, and claims in tokens.

use std::fmt;

use hkdf::Hkdf;
use serde_json::{Map, Value};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::jwe::{Compact, ContentKey, Header};
use crate::{Secret, Timestamp};

/// Whose token format is spoken. They share no keys: a token of one never opens as the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// Auth.js (next-auth 5, `@auth/core`): written with A256CBC-HS512 and a `kid`, also read with A256GCM.
    V5,
    /// next-auth 4: written and read with A256GCM, without a `kid`.
    V4,
}

/// The keys of one cookie, ready for use.
///
/// Deriving them takes longer than opening a token, so it is done once for each cookie name. They are wiped from memory
/// when dropped and never show in `Debug`.
///
/// ```
/// use hallpass::jose::{Dialect, TokenKeys};
/// use hallpass::{Secret, Timestamp};
/// use serde_json::{Map, json};
///
/// let keys = TokenKeys::derive(Dialect::V5, &[Secret::from("a long secret")], "authjs.session-token");
/// let claims = Map::from_iter([("sub".to_owned(), json!("lena")), ("exp".to_owned(), json!(2_000))]);
/// let iv = [7; 16]; // sixteen fresh random bytes, see `hallpass::random`
///
/// let token = keys.seal_claims(&claims, &iv);
/// assert_eq!(keys.open_claims(&token, Timestamp::from_seconds(1_000)).unwrap(), claims);
/// assert!(keys.open_claims(&token, Timestamp::from_seconds(3_000)).is_err());
/// ```
pub struct TokenKeys {
    dialect: Dialect,
    /// In the order in which they are tried. The first one writes.
    keys: Vec<ContentKey>,
}

impl TokenKeys {
    /// Derives the keys with HKDF-SHA256 (RFC 5869), as the dialect does.
    ///
    /// `secrets` are newest first: the first one seals, all of them open, so that changing the secret signs nobody
    /// out while the old one stays listed. `salt` is the name of the cookie, which binds a token to it: one made
    /// for another cookie does not open. Session tokens of [`Dialect::V4`] have an empty salt.
    ///
    /// Without any secret nothing opens, and what is sealed is an empty text.
    pub fn derive(dialect: Dialect, secrets: &[Secret], salt: &str) -> Self {
        let keys = secrets.iter().flat_map(|secret| match dialect {
            Dialect::V5 => {
                let info = format!("{V5_INFO} ({salt})");
                vec![
                    ContentKey::cbc(&expand(secret, salt, &info)),
                    ContentKey::gcm(&expand(secret, salt, &info)),
                ]
            }
            Dialect::V4 if salt.is_empty() => {
                vec![ContentKey::gcm_without_kid(&expand(secret, salt, V4_INFO))]
            }
            Dialect::V4 => {
                vec![ContentKey::gcm_without_kid(&expand(secret, salt, &format!("{V4_INFO} ({salt})")))]
            }
        });
        Self { dialect, keys: keys.collect() }
    }

    /// Encrypts a payload with the first secret: a compact JWE (RFC 7516 §7.1) with `alg` `dir`.
    ///
    /// `iv` is sixteen random bytes, fresh for every token: with [`Dialect::V4`], which uses the first twelve of
    /// them, a repeated `iv` gives the contents of both tokens away and lets others be forged.
    pub fn seal(&self, payload: &[u8], iv: &[u8; 16]) -> String {
        self.keys.first().and_then(|key| key.seal(payload, iv)).unwrap_or_default()
    }

    /// Decrypts a token and returns its payload.
    ///
    /// A `kid` names the secret (v5). Without one all secrets are tried in order, where Auth.js tries only the
    /// first: tokens of v4 never have a `kid`, and rotation must not sign anybody out.
    ///
    /// # Errors
    /// [`OpenError::Malformed`], [`OpenError::Algorithm`], [`OpenError::UnknownKey`] or [`OpenError::Decrypt`]. A
    /// token of more than 1 MiB is malformed.
    pub fn open(&self, token: &str) -> Result<Vec<u8>, OpenError> {
        let token = Compact::split(token)?;
        // Nearly every token has a header that we would write: compared as text, not parsed.
        let mut ready = self.keys.iter().filter(|key| key.writes(token.header)).peekable();
        if ready.peek().is_some() {
            return first_that_opens(ready, &token);
        }

        let header = Header::parse(token.header)?;
        if !self.keys.is_empty() && !self.keys.iter().any(|key| key.enc() == header.enc) {
            return Err(OpenError::Algorithm);
        }
        first_that_opens(self.keys.iter().filter(|key| key.fits(&header)), &token)
    }

    /// Encrypts claims as JSON, as they are: `iat`, `exp` and `jti` are the caller's to set. See
    /// [`seal`](Self::seal) for `iv`.
    pub fn seal_claims(&self, claims: &Map<String, Value>, iv: &[u8; 16]) -> String {
        // A map of JSON values always has a text. If that changes, an empty payload opens for nobody.
        let payload = serde_json::to_vec(claims).unwrap_or_default();
        self.seal(&payload, iv)
    }

    /// Decrypts a token and returns its claims, if they hold at `now`.
    ///
    /// `exp` and `nbf` (RFC 7519 §4.1) are in seconds and may be off by 15 s: a token that expires at `exp` is
    /// accepted while `now - 15 < exp`. Missing ones set no limit.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`OpenError::Payload`] when the payload is no JSON object or `exp`, `nbf` or
    /// `iat` is no number; [`OpenError::Expired`] and [`OpenError::NotYetValid`].
    pub fn open_claims(&self, token: &str, now: Timestamp) -> Result<Map<String, Value>, OpenError> {
        let payload = self.open(token)?;
        let claims: Map<String, Value> = serde_json::from_slice(&payload).map_err(|_| OpenError::Payload)?;
        check_times(|name| claims.get(name), now)?;
        Ok(claims)
    }
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKeys").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

/// Why a token did not open. A browser learns none of this: to it the token is just absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not a compact JWE: wrong number or length of parts, not base64url, or longer than 1 MiB.
    #[error("the token is not a compact JWE")]
    Malformed,
    /// The header asks for something else than `dir` with an accepted `enc`, or for `zip`, `crit` or `p2c`.
    #[error("the token asks for an algorithm or extension that is not accepted")]
    Algorithm,
    /// The `kid` belongs to none of the secrets.
    #[error("the token was sealed with a secret that is not configured, or for another cookie")]
    UnknownKey,
    /// Altered, or sealed with another secret or for another cookie. That is all anybody may learn about it.
    #[error("the token does not decrypt")]
    Decrypt,
    /// Not a JSON object, or a time in it is no number.
    #[error("the payload of the token is not a set of claims")]
    Payload,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` has not come yet.
    #[error("the token is not valid yet")]
    NotYetValid,
}

fn expand<const N: usize>(secret: &Secret, salt: &str, info: &str) -> Zeroizing<[[u8; 32]; N]> {
    let mut key = Zeroizing::new([[0; 32]; N]);
    #[expect(
        clippy::expect_used,
        reason = "HKDF-SHA256 gives up to 255 blocks of 32 bytes; a zero key would be worse"
    )]
    Hkdf::<Sha256>::new(Some(salt.as_bytes()), secret.expose().as_bytes())
        .expand(info.as_bytes(), key.as_flattened_mut())
        .expect("the key is one or two blocks long");
    key
}

fn first_that_opens<'a>(
    keys: impl Iterator<Item = &'a ContentKey>,
    token: &Compact<'_>,
) -> Result<Vec<u8>, OpenError> {
    let mut failure = OpenError::UnknownKey;
    let mut ciphertext = token.ciphertext()?;
    for key in keys {
        match key.open(token, &mut ciphertext) {
            Ok(()) => return Ok(ciphertext),
            Err(OpenError::Decrypt) => failure = OpenError::Decrypt,
            Err(error) => return Err(error),
        }
    }
    Err(failure)
}

/// Whether claims hold at `now`, as [`TokenKeys::open_claims`] judges it.
///
/// # Errors
/// [`OpenError::Payload`] when `exp`, `nbf` or `iat` is no number; [`OpenError::Expired`] and
/// [`OpenError::NotYetValid`].
pub(crate) fn check_times<'a>(
    claim: impl Fn(&str) -> Option<&'a Value>,
    now: Timestamp,
) -> Result<(), OpenError> {
    // A wrong type is not a missing claim: `"exp": null` must not mean forever.
    let number = |name| claim(name).map(|claim| claim.as_f64().ok_or(OpenError::Payload)).transpose();
    number("iat")?;
    let nbf = number("nbf")?;
    let exp = number("exp")?;
    // JavaScript's numbers, for claims written by JavaScript; whole seconds are exact for 285 million years.
    let now = now.seconds() as f64;
    if nbf.is_some_and(|nbf| nbf > now + TOLERANCE) {
        return Err(OpenError::NotYetValid);
    }
    if exp.is_some_and(|exp| exp <= now - TOLERANCE) {
        return Err(OpenError::Expired);
    }
    Ok(())
}

const V5_INFO: &str = "Auth.js Generated Encryption Key";
const V4_INFO: &str = "NextAuth.js Generated Encryption Key";
/// In seconds.
const TOLERANCE: f64 = 15.0;

#[cfg(test)]
mod tests;
