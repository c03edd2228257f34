//! New secrets.

use base64ct::{Base64, Encoding};
use hallpass::Secret;
use hallpass::random::{NoRandomness, Random, SystemRandom};

/// 32 random bytes in Base64: 44 characters.
///
/// # Errors
/// When the operating system has no random bytes to give.
pub(crate) fn new() -> Result<Secret, NoRandomness> {
    let mut bytes = [0; 32];
    SystemRandom.fill(&mut bytes)?;
    Ok(Secret::from(Base64::encode_string(&bytes)))
}
