//! Signatures as Standard Webhooks has them: HMAC-SHA-256 over id, time and body.

use base64ct::{Base64, Encoding};
use hallpass::{BoxError, Secret};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Signs with every secret that there is, so that a receiver may know the old or the new one.
pub(crate) struct Signer(Vec<Vec<u8>>);

impl Signer {
    /// Secrets as the settings have them: `whsec_` and Base64, or any text.
    ///
    /// # Errors
    /// What is wrong with one of them, without it.
    pub(crate) fn new(secrets: &[Secret]) -> Result<Self, &'static str> {
        let key = |secret: &Secret| {
            let key = match secret.expose().strip_prefix(PREFIX) {
                Some(encoded) => Base64::decode_vec(encoded)
                    .map_err(|_| "what follows `whsec_` must be Base64, with its padding")?,
                None => secret.expose().as_bytes().to_vec(),
            };
            if key.len() < SHORTEST {
                return Err("must be at least 24 bytes: `openssl rand -base64 32`, or `hallpass secret`");
            }
            Ok(key)
        };
        secrets.iter().map(key).collect::<Result<_, _>>().map(Self)
    }

    /// The value of `webhook-signature`.
    ///
    /// # Errors
    /// Never for keys that [`new`](Self::new) took.
    pub(super) fn sign(&self, id: &str, at: i64, body: &[u8]) -> Result<String, BoxError> {
        let mut all = Vec::with_capacity(self.0.len());
        for key in &self.0 {
            let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
            mac.update(format!("{id}.{at}.").as_bytes());
            mac.update(body);
            all.push(format!("v1,{}", Base64::encode_string(&mac.finalize().into_bytes())));
        }
        Ok(all.join(" "))
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.0.len())
    }
}

const PREFIX: &str = "whsec_";

/// In bytes, as Standard Webhooks asks for.
const SHORTEST: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_signs_as_the_specification_shows() {
        // The example of Standard Webhooks.
        let secret = Secret::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signer = Signer::new(&[secret]).unwrap();
        let signature =
            signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_secret_signs_and_short_ones_are_refused() {
        let both = ["a secret of at least 24 bytes", "another secret of 24 bytes"].map(Secret::from);
        let signer = Signer::new(&both).unwrap();
        assert_eq!(signer.sign("a", 1, b"").unwrap().matches("v1,").count(), 2);
        assert_eq!(format!("{signer:?}"), "Signer(2)");
        for wrong in ["short", "whsec_c2hvcnQ=", "whsec_?"] {
            assert!(Signer::new(&[Secret::from(wrong)]).is_err(), "{wrong}");
        }
    }
}
