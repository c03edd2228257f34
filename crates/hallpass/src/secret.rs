//! Values that must not be printed.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A text that never shows in `Debug`, logs or errors and is wiped from memory when dropped.
///
/// It has no `PartialEq`: compare with [`Secret::matches`], which takes the same time for every input of
/// the same length.
///
/// ```
/// use hallpass::Secret;
///
/// let secret = Secret::from("correct horse");
/// assert_eq!(format!("{secret:?}"), "Secret(…)");
/// assert!(secret.matches("correct horse"));
/// ```
///
/// What would take longer the more of a guess is right does not compile:
///
/// ```compile_fail,E0369
/// # use hallpass::Secret;
/// let same = Secret::from("a") == Secret::from("a");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself. Grep for this word to see where secrets are used.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in constant time.
    pub fn matches(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests;
