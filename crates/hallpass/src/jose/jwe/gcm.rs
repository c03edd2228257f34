//! A256GCM (RFC 7518 §5.3).

use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};

use crate::jose::OpenError;

pub(super) struct Gcm(Aes256Gcm);

impl Gcm {
    pub(super) fn new([key]: &[[u8; 32]; 1]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    /// `None` when the payload is longer than 64 GiB.
    pub(super) fn encrypt(&self, header: &str, payload: &[u8], iv: &[u8; 12]) -> Option<(Vec<u8>, [u8; 16])> {
        let mut text = payload.to_vec();
        let tag =
            self.0.encrypt_inout_detached(iv.into(), header.as_bytes(), text.as_mut_slice().into()).ok()?;
        Some((text, tag.into()))
    }

    /// The cipher checks the tag, in constant time, before it decrypts.
    pub(super) fn decrypt(
        &self,
        header: &str,
        iv: &[u8; 12],
        ciphertext: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), OpenError> {
        self.0
            .decrypt_inout_detached(iv.into(), header.as_bytes(), ciphertext.into(), tag.into())
            .map_err(|_| OpenError::Decrypt)
    }
}
