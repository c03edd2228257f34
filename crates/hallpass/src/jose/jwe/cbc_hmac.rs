//! A256CBC-HS512 (RFC 7518 §5.2.5).

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::consts::U32;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit};
use hmac::{Hmac, Mac};
use sha2::Sha512;
use subtle::ConstantTimeEq;

use crate::jose::OpenError;

pub(super) struct CbcHmac {
    /// Keyed, to be cloned.
    mac: Hmac<Sha512>,
    /// The header that this key writes, and the code that has taken it in already: a third of what is hashed.
    own_header: String,
    after_own_header: Hmac<Sha512>,
    aes: Aes256,
}

impl CbcHmac {
    pub(super) fn new([mac_key, aes_key]: &[[u8; 32]; 2], own_header: &str) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mac = Hmac::<Sha512>::new_from_slice(mac_key).expect("a key of any length");
        let after_own_header = mac.clone().chain_update(own_header);
        Self { mac, own_header: own_header.to_owned(), after_own_header, aes: Aes256::new(aes_key.into()) }
    }

    pub(super) fn encrypt(&self, header: &str, payload: &[u8], iv: &[u8; 16]) -> (Vec<u8>, [u8; 32]) {
        let ciphertext =
            cbc::Encryptor::inner_iv_init(&self.aes, iv.into()).encrypt_padded_vec::<Pkcs7>(payload);
        let tag = self.tag(header, iv, &ciphertext);
        (ciphertext, tag)
    }

    /// The tag is checked before anything is decrypted, and both failures are the same error, so nothing about the
    /// padding can be asked (Vaudenay's oracle).
    pub(super) fn decrypt(
        &self,
        header: &str,
        iv: &[u8; 16],
        ciphertext: &mut Vec<u8>,
        tag: &[u8; 32],
    ) -> Result<(), OpenError> {
        if !bool::from(self.tag(header, iv, ciphertext).ct_eq(tag)) {
            return Err(OpenError::Decrypt);
        }

        let payload = cbc::Decryptor::inner_iv_init(&self.aes, iv.into()).decrypt_padded::<Pkcs7>(ciphertext);
        let length = payload.map_err(|_| OpenError::Decrypt)?.len();
        ciphertext.truncate(length);
        Ok(())
    }

    pub(super) fn tag(&self, header: &str, iv: &[u8; 16], ciphertext: &[u8]) -> [u8; 32] {
        let header_bits = 8 * header.len() as u64;
        let after_header = if header == self.own_header {
            self.after_own_header.clone()
        } else {
            self.mac.clone().chain_update(header)
        };
        let mac = after_header.chain_update(iv).chain_update(ciphertext);
        let code = mac.chain_update(header_bits.to_be_bytes()).finalize().into_bytes();
        let (tag, _) = code.split::<U32>();
        tag.into()
    }
}
