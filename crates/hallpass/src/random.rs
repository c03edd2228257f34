//! Random bytes, as an input.

use std::fmt;

/// Where random bytes come from. Everything that must not be guessed is made from them.
pub trait Random: Send + Sync + fmt::Debug + 'static {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// When the source has no random bytes to give. The request ends then: there is no weaker fall-back.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness>;
}

/// The source of random bytes failed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the operating system has no random bytes to give")]
pub struct NoRandomness;

/// The operating system's source: the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the operating system")]
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        getrandom::fill(bytes).map_err(|_| NoRandomness)
    }
}
