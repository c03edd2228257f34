//! Tokens of providers, encrypted at rest.

use std::fmt;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use base64ct::{Base64UrlUnpadded, Encoding};
use hallpass::Secret;
use hallpass::random::{NoRandomness, Random, SystemRandom};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Encrypts with the first of its keys, and opens with any.
#[derive(Clone)]
pub(crate) struct Sealer(Vec<Key>);

#[derive(Clone)]
struct Key {
    id: String,
    cipher: Aes256Gcm,
}

/// Whose tokens they are: moved to another account they do not open.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) user_id: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) provider_account_id: &'a str,
}

/// Why tokens could not be sealed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error("there is no secret to encrypt tokens of providers with")]
    NoSecret,
    #[error(transparent)]
    Random(#[from] NoRandomness),
    #[error("the tokens are too long to encrypt")]
    TooLong,
}

impl Sealer {
    /// Keys from secrets, the newest first.
    pub(crate) fn new(secrets: &[Secret]) -> Self {
        Self(secrets.iter().filter_map(Key::new).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `1.<id of the key>.<nonce and ciphertext>`.
    pub(crate) fn seal(&self, owner: Owner<'_>, text: &str) -> Result<String, SealError> {
        let key = self.0.first().ok_or(SealError::NoSecret)?;
        let mut nonce = [0; NONCE];
        SystemRandom.fill(&mut nonce)?;
        let aad = owner.bytes();
        let payload = Payload { msg: text.as_bytes(), aad: &aad };
        let sealed = key.cipher.encrypt(&nonce.into(), payload).map_err(|_| SealError::TooLong)?;
        let value = Base64UrlUnpadded::encode_string(&[nonce.as_slice(), &sealed].concat());
        Ok(format!("{VERSION}.{}.{value}", key.id))
    }

    /// Whether it names the first key.
    pub(crate) fn is_newest(&self, sealed: &str) -> bool {
        let named = sealed.strip_prefix(VERSION).and_then(|rest| rest.strip_prefix('.')?.split_once('.'));
        named.is_some_and(|(id, _)| self.0.first().is_some_and(|key| key.id == id))
    }

    /// What was sealed for this owner; `None` when no key opens it.
    pub(crate) fn open(&self, owner: Owner<'_>, sealed: &str) -> Option<Zeroizing<String>> {
        let (id, value) = sealed.strip_prefix(VERSION)?.strip_prefix('.')?.split_once('.')?;
        let value = Base64UrlUnpadded::decode_vec(value).ok()?;
        let (nonce, sealed) = value.split_at_checked(NONCE)?;
        let nonce: [u8; NONCE] = nonce.try_into().ok()?;
        let aad = owner.bytes();
        let open = |key: &Key| key.cipher.decrypt(&nonce.into(), Payload { msg: sealed, aad: &aad }).ok();
        let text = self.0.iter().filter(|key| key.id == id).find_map(open)?;
        String::from_utf8(text).ok().map(Zeroizing::new)
    }
}

impl Key {
    fn new(secret: &Secret) -> Option<Self> {
        let from = Hkdf::<Sha256>::new(None, secret.expose().as_bytes());
        let mut key = Zeroizing::new([0; 32]);
        let mut id = [0; 4];
        from.expand(b"hallpass: provider tokens, key", key.as_mut_slice()).ok()?;
        from.expand(b"hallpass: provider tokens, id", &mut id).ok()?;
        Some(Self { id: Base64UrlUnpadded::encode_string(&id), cipher: Aes256Gcm::new((&*key).into()) })
    }
}

impl Owner<'_> {
    /// Each part with its length in front: no two owners look the same.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [self.user_id, self.provider, self.provider_account_id] {
            bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

const VERSION: &str = "1";

const NONCE: usize = 12;
