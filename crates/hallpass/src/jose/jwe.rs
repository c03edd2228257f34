//! Compact JWE with direct encryption (RFC 7516 §7.1, RFC 7518 §4.5), and nothing else of it.

mod cbc_hmac;
mod gcm;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use self::cbc_hmac::CbcHmac;
use self::gcm::Gcm;
use super::OpenError;

/// A token in its parts, nothing of it decoded or trusted yet. The encrypted key is known to be empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compact<'a> {
    /// The protected header, which is authenticated as the text that it is.
    pub(super) header: &'a str,
    iv: &'a str,
    ciphertext: &'a str,
    tag: &'a str,
}

impl<'a> Compact<'a> {
    pub(super) fn split(token: &'a str) -> Result<Self, OpenError> {
        if token.len() > MAX_TOKEN {
            return Err(OpenError::Malformed);
        }
        let mut parts = token.split('.');
        match std::array::from_fn(|_| parts.next()) {
            [Some(header), Some(""), Some(iv), Some(ciphertext), Some(tag), None] => {
                Ok(Self { header, iv, ciphertext, tag })
            }
            _ => Err(OpenError::Malformed),
        }
    }

    pub(super) fn ciphertext(&self) -> Result<Vec<u8>, OpenError> {
        URL_SAFE_NO_PAD.decode(without_padding(self.ciphertext)).map_err(|_| OpenError::Malformed)
    }
}

/// What a protected header says. It decides only which key is tried; the key then authenticates it.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) enc: Enc,
    kid: Option<String>,
}

impl Header {
    /// Members that are not known are ignored (RFC 7516 §4), but not those that would change how the token is read.
    pub(super) fn parse(encoded: &str) -> Result<Self, OpenError> {
        if encoded.len() > MAX_HEADER {
            return Err(OpenError::Malformed);
        }
        let json = URL_SAFE_NO_PAD.decode(without_padding(encoded)).map_err(|_| OpenError::Malformed)?;
        let header: Map<String, Value> = serde_json::from_slice(&json).map_err(|_| OpenError::Malformed)?;
        if header.keys().any(|name| matches!(name.as_str(), "zip" | "crit" | "p2c")) {
            return Err(OpenError::Algorithm);
        }

        if header.get("alg").and_then(Value::as_str) != Some("dir") {
            return Err(OpenError::Algorithm);
        }
        let enc = match header.get("enc").and_then(Value::as_str) {
            Some("A256CBC-HS512") => Enc::A256CbcHs512,
            Some("A256GCM") => Enc::A256Gcm,
            _ => return Err(OpenError::Algorithm),
        };
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(OpenError::Malformed),
        };
        Ok(Self { enc, kid })
    }
}

/// Content encryption (RFC 7518 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enc {
    A256CbcHs512,
    A256Gcm,
}

/// A shared key with all that can be prepared: key schedules, `kid` and the header of the tokens that it writes.
pub(super) struct ContentKey {
    kid: Option<String>,
    header: String,
    cipher: Cipher,
}

enum Cipher {
    CbcHmac(Box<CbcHmac>),
    Gcm(Box<Gcm>),
}

impl ContentKey {
    pub(super) fn cbc(key: &[[u8; 32]; 2]) -> Self {
        let kid = Base64UrlUnpadded::encode_string(&Sha512::digest(
            thumbprint_input(key.as_flattened()).as_bytes(),
        ));
        let header = format!(r#"{{"alg":"dir","enc":"A256CBC-HS512","kid":"{kid}"}}"#);
        let header = Base64UrlUnpadded::encode_string(header.as_bytes());
        let cipher = Cipher::CbcHmac(Box::new(CbcHmac::new(key, &header)));
        Self { kid: Some(kid), header, cipher }
    }

    pub(super) fn gcm(key: &[[u8; 32]; 1]) -> Self {
        let kid = Base64UrlUnpadded::encode_string(&Sha256::digest(
            thumbprint_input(key.as_flattened()).as_bytes(),
        ));
        let header = format!(r#"{{"alg":"dir","enc":"A256GCM","kid":"{kid}"}}"#);
        let header = Base64UrlUnpadded::encode_string(header.as_bytes());
        let cipher = Cipher::Gcm(Box::new(Gcm::new(key)));
        Self { kid: Some(kid), header, cipher }
    }

    /// A key that writes no `kid` and ignores that of others, as next-auth 4 does.
    pub(super) fn gcm_without_kid(key: &[[u8; 32]; 1]) -> Self {
        let header = Base64UrlUnpadded::encode_string(br#"{"alg":"dir","enc":"A256GCM"}"#);
        Self { kid: None, header, cipher: Cipher::Gcm(Box::new(Gcm::new(key))) }
    }

    pub(super) const fn enc(&self) -> Enc {
        match self.cipher {
            Cipher::CbcHmac(_) => Enc::A256CbcHs512,
            Cipher::Gcm(_) => Enc::A256Gcm,
        }
    }

    /// Whether this is the very header that this key writes.
    pub(super) fn writes(&self, header: &str) -> bool {
        self.header == header
    }

    /// Whether a token with this header may have been made with this key.
    pub(super) fn fits(&self, header: &Header) -> bool {
        let is_named = match (&self.kid, &header.kid) {
            (Some(own), Some(named)) => own == named,
            _ => true,
        };
        is_named && self.enc() == header.enc
    }

    /// `None` when the payload is longer than the cipher can take (64 GiB).
    pub(super) fn seal(&self, payload: &[u8], iv: &[u8; 16]) -> Option<String> {
        match &self.cipher {
            Cipher::CbcHmac(cipher) => {
                let (ciphertext, tag) = cipher.encrypt(&self.header, payload, iv);
                Some(join(&self.header, iv, &ciphertext, &tag))
            }
            Cipher::Gcm(cipher) => {
                let iv = iv.first_chunk()?;
                let (ciphertext, tag) = cipher.encrypt(&self.header, payload, iv)?;
                Some(join(&self.header, iv, &ciphertext, &tag))
            }
        }
    }

    /// Turns `ciphertext`, which is that of the token, into the payload. It stays as it was when the tag does not fit.
    pub(super) fn open(&self, token: &Compact<'_>, ciphertext: &mut Vec<u8>) -> Result<(), OpenError> {
        match &self.cipher {
            Cipher::CbcHmac(cipher) => {
                cipher.decrypt(token.header, &decode(token.iv)?, ciphertext, &decode(token.tag)?)
            }
            Cipher::Gcm(cipher) => {
                cipher.decrypt(token.header, &decode(token.iv)?, ciphertext, &decode(token.tag)?)
            }
        }
    }
}

/// The text whose hash is the thumbprint of a shared key (RFC 7638 §3.2).
fn thumbprint_input(key: &[u8]) -> Zeroizing<String> {
    let k = Zeroizing::new(Base64UrlUnpadded::encode_string(key));
    Zeroizing::new(format!(r#"{{"k":"{}","kty":"oct"}}"#, k.as_str()))
}

fn join(header: &str, iv: &[u8], ciphertext: &[u8], tag: &[u8]) -> String {
    let bytes = iv.len() + ciphertext.len() + tag.len();
    let mut token = String::with_capacity(header.len() + 8 + bytes.div_ceil(3) * 4);
    token.push_str(header);
    token.push('.'); // the encrypted key is empty
    for part in [iv, ciphertext, tag] {
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(part, &mut token);
    }
    token
}

/// Exactly `N` bytes: an authentication tag must not be shortened.
fn decode<const N: usize>(part: &str) -> Result<[u8; N], OpenError> {
    let mut bytes = [0; N];
    match URL_SAFE_NO_PAD.decode_slice(without_padding(part), &mut bytes) {
        Ok(length) if length == N => Ok(bytes),
        _ => Err(OpenError::Malformed),
    }
}

/// Auth.js reads parts with their complete padding, so we do. Everything else that is not the one canonical text of
/// the bytes (RFC 4648 §3.5) is refused.
fn without_padding(part: &str) -> &str {
    if !part.len().is_multiple_of(4) {
        return part;
    }
    part.strip_suffix("==").or_else(|| part.strip_suffix('=')).unwrap_or(part)
}

/// In bytes. Cookies hold some 4 KiB each, and browsers send at most a few hundred of them.
const MAX_TOKEN: usize = 1024 * 1024;
/// In bytes, encoded; Auth.js writes 166.
const MAX_HEADER: usize = 4096;

#[cfg(test)]
mod tests;
