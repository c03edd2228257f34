//! OAuth 2 (RFC 6749) as plain functions over values: every request to a provider has a function that
//! builds it and one that judges the answer. Sending is the caller's part.
//!
//! In the order of a sign-in: [`metadata`] → [`pkce`] and [`authorize`] → [`callback`] → [`token`] →
//! [`userinfo`].

use std::error::Error;
use std::fmt;
use std::sync::Arc;

mod answer;
pub mod authorize;
pub mod callback;
mod client_auth;
mod endpoint;
pub mod metadata;
pub mod pkce;
pub mod token;
pub mod userinfo;

pub(crate) use answer::{json_object, parse_object};
pub(crate) use client_auth::check_private_key;
pub(crate) use endpoint::{IssuerPattern, address, get};

/// A provider or a browser said something that the protocol does not allow.
///
/// The message says which check failed, and the provider's `error` if that is one word; it never holds a token,
/// a code or anything secret.
#[derive(Clone, Debug)]
pub struct ProtocolError {
    kind: ProtocolErrorKind,
    message: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
    code: Option<String>,
    description: Option<String>,
    temporary: bool,
}

/// At which step a sign-in failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProtocolErrorKind {
    /// The provider answered `error=…` through the browser, after `state` and `iss` were checked: as a
    /// rule the person refused.
    ErrorAnswer,
    /// The browser brought an answer that is not one to our request.
    Callback,
    /// The discovery document or the keys cannot be used.
    Discovery,
    /// The token endpoint refused, or its answer cannot be used.
    Token,
    /// The ID token failed a check.
    IdToken,
    /// The userinfo endpoint refused, or its answer cannot be used.
    UserInfo,
    /// The provider's profile function could not read the profile.
    Profile,
    /// The provider did not answer.
    Unreachable,
    /// The provider is not configured well enough to be asked.
    Configuration,
}

impl ProtocolError {
    pub(crate) fn new(kind: ProtocolErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, code: None, description: None, temporary: false }
    }

    pub(crate) fn caused_by(self, source: impl Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// Marks what may go away by itself.
    pub(crate) fn for_now(self, temporary: bool) -> Self {
        Self { temporary, ..self }
    }

    /// Takes over `error` and `error_description` of the provider, cut and cleaned for logs.
    pub(crate) fn with_answer(self, code: &str, description: Option<&str>) -> Self {
        Self {
            code: Some(printable(code, 64)),
            description: description.map(|it| printable(it, 512)),
            ..self
        }
    }

    /// At which step it failed.
    pub fn kind(&self) -> ProtocolErrorKind {
        self.kind
    }

    /// The provider's `error`, such as `access_denied` or `invalid_grant` (RFC 6749 §4.1.2.1, §5.2), if it
    /// gave one. At most 64 characters, none of them a control character; still a stranger's text.
    pub fn error_code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The provider's `error_description`, for logs. At most 512 characters, none of them a control
    /// character; still a stranger's text.
    pub fn error_description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Whether the same request may succeed a little later: no answer, a 5xx or a 429. A refresh that fails
    /// like this says nothing about the refresh token.
    pub fn is_temporary(&self) -> bool {
        self.temporary
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let word = |it: &&str| it.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        match self.error_code().filter(word) {
            Some(code) => write!(f, ": {code}"),
            None => Ok(()),
        }
    }
}

impl Error for ProtocolError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|it| it as _)
    }
}

fn printable(text: &str, longest: usize) -> String {
    text.chars().filter(|it| !it.is_control()).take(longest).collect()
}

#[cfg(test)]
pub(crate) mod tests;
