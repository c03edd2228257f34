//! Sessions of Auth.js and Hallpass, for services that only read them: `getToken`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use percent_encoding::percent_decode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::clock::{Clock, SystemClock};
use crate::jose::{self, Dialect, OpenError, TokenKeys};
use crate::received::Cookies;
use crate::{Secret, Timestamp};

#[cfg(feature = "tower")]
mod layer;

#[cfg(feature = "tower")]
pub use layer::{RequestToken, TokenLayer, TokenService};

/// Reads the session tokens of Auth.js (v5), next-auth 4 and Hallpass: what `getToken` of `@auth/core/jwt` does.
///
/// It needs the secret and nothing else: no store, no provider, no HTTP client. Make one and keep it: it has derived
/// its keys.
///
/// A token is looked for in the session cookie, whole or in pieces, then in `Authorization: Bearer`. Of several session
/// cookies the first of these decides: `__Secure-authjs.session-token`, `__Secure-next-auth.session-token`,
/// `authjs.session-token`, `next-auth.session-token`. Cookies of other purposes (`state`, PKCE) never pass for a
/// session.
///
/// A token lives until it expires: that a session was revoked since, only [`Auth`](crate::Auth) can tell.
///
/// ```
/// use hallpass::jose::{Dialect, TokenKeys};
/// use hallpass::{Secret, TokenReader};
/// use http::HeaderMap;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Claims {
///     role: String,
/// }
///
/// let reader = TokenReader::new("the secret of the Next.js application");
///
/// # let secret = Secret::from("the secret of the Next.js application");
/// # let keys = TokenKeys::derive(Dialect::V5, &[secret], "authjs.session-token");
/// # let cookie = format!("authjs.session-token={}", keys.seal(br#"{"sub":"lena","role":"editor"}"#, &[7; 16]));
/// let mut headers = HeaderMap::new();
/// # let cookie = cookie.as_str();
/// headers.insert("cookie", cookie.parse()?); // "authjs.session-token=eyJ…"
/// let token = reader.read::<Claims>(&headers)?.expect("somebody is signed in");
/// assert_eq!(token.sub.as_deref(), Some("lena"));
/// assert_eq!(token.claims.role, "editor");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TokenReader {
    secrets: Vec<Secret>,
    sources: Vec<Source>,
    clock: Arc<dyn Clock>,
}

/// One session cookie, and the keys of what is in it.
#[derive(Clone, Debug)]
struct Source {
    dialect: Dialect,
    cookie: Cow<'static, str>,
    keys: Arc<TokenKeys>,
}

/// What a session's token holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DecodedToken<C = Map<String, Value>> {
    /// The user's id.
    pub sub: Option<String>,
    /// Display name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Address of a picture.
    pub picture: Option<String>,
    /// When it was made.
    pub issued: Option<Timestamp>,
    /// When it ends, give or take 15 seconds.
    pub expires: Option<Timestamp>,
    /// What the application keeps with the session. A [`Map`] has the whole payload.
    pub claims: C,
}

impl TokenReader {
    /// A reader for tokens that were sealed with this secret (`AUTH_SECRET`, `NEXTAUTH_SECRET`), of both dialects.
    pub fn new(secret: impl Into<Secret>) -> Self {
        Self::with_secrets([secret])
    }

    /// A reader for tokens that were sealed with any of these secrets. Empty ones do not count; without any, nothing is
    /// read.
    pub fn with_secrets<S: Into<Secret>>(secrets: impl IntoIterator<Item = S>) -> Self {
        let secrets = secrets.into_iter().map(Into::into).filter(|secret| !secret.expose().is_empty());
        let reader = Self { secrets: secrets.collect(), sources: Vec::new(), clock: Arc::new(SystemClock) };
        let sources = COOKIES.map(|(dialect, cookie)| reader.source(dialect, cookie));
        Self { sources: sources.into(), ..reader }
    }

    /// Reads tokens of this dialect only. Default: both.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.sources.retain(|source| source.dialect == dialect);
        self
    }

    /// Reads cookies with the prefix `__Secure-` only, which nobody can plant from a page without https.
    /// Default: those without it, too.
    #[must_use]
    pub fn secure_only(mut self) -> Self {
        self.sources.retain(|source| source.cookie.starts_with("__Secure-"));
        self
    }

    /// Reads the session cookie of this name only: for an application that has chosen one.
    #[must_use]
    pub fn cookie(self, dialect: Dialect, name: impl Into<String>) -> Self {
        Self { sources: vec![self.source(dialect, name.into())], ..self }
    }

    /// Where the time comes from. Default: the clock of the machine.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// The token of a request; `None` when it has none.
    ///
    /// # Errors
    /// When there is one that does not open, has expired or holds other claims: whoever sent it is not signed in, 401.
    pub fn read<C: DeserializeOwned>(
        &self,
        headers: &HeaderMap,
    ) -> Result<Option<DecodedToken<C>>, TokenError> {
        let cookies = Cookies::parse(headers);
        for source in &self.sources {
            let pieces = cookies.pieces(&source.cookie);
            if !pieces.names.is_empty() {
                let token = pieces.value.ok_or(TokenError::Incomplete)?;
                return self.decode(&token, std::slice::from_ref(source)).map(Some);
            }
        }
        bearer(headers)?.map(|token| self.decode(&token, &self.sources)).transpose()
    }

    /// Reads a token that came another way.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn open<C: DeserializeOwned>(&self, token: &str) -> Result<DecodedToken<C>, TokenError> {
        self.decode(token, &self.sources)
    }

    fn decode<C: DeserializeOwned>(
        &self,
        token: &str,
        sources: &[Source],
    ) -> Result<DecodedToken<C>, TokenError> {
        if self.secrets.is_empty() {
            return Err(TokenError::NoSecret);
        }
        let mut failure = OpenError::UnknownKey;
        for source in sources {
            match source.keys.open(token) {
                Ok(payload) => return claims_of(&payload, self.clock.now()),
                Err(error) => failure = error,
            }
        }
        Err(failure.into())
    }

    fn source(&self, dialect: Dialect, cookie: impl Into<Cow<'static, str>>) -> Source {
        let cookie = cookie.into();
        // Session tokens of next-auth 4 are bound to no cookie.
        let salt = if dialect == Dialect::V4 { "" } else { &*cookie };
        let keys = Arc::new(TokenKeys::derive(dialect, &self.secrets, salt));
        Source { dialect, cookie, keys }
    }
}

impl fmt::Debug for TokenReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cookies: Vec<_> = self.sources.iter().map(|source| &source.cookie).collect();
        f.debug_struct("TokenReader").field("cookies", &cookies).finish_non_exhaustive()
    }
}

/// Why there is no token to be had from a request that has one. Nothing of the token is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It does not open, or has expired.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Pieces of the session cookie are missing, or two cookies of one name differ.
    #[error("the session cookie is incomplete")]
    Incomplete,
    /// `Authorization` is there twice, or holds `Bearer` and nothing that could be a token.
    #[error("the authorization header holds no readable bearer token")]
    Bearer,
    /// The payload is not of the type that was asked for.
    #[error("the claims of the token are not of the expected type")]
    Claims,
    /// The reader was made without a secret.
    #[error("there is no secret to read tokens with")]
    NoSecret,
}

/// The token of `Authorization: Bearer` (RFC 6750 §2.1). Auth.js percent-decodes it, so we do.
fn bearer(headers: &HeaderMap) -> Result<Option<Cow<'_, str>>, TokenError> {
    let mut values = headers.get_all(AUTHORIZATION).iter().map(|value| value.as_bytes());
    let Some(value) = values.next() else { return Ok(None) };
    let (scheme, token) = value.split_at_checked("Bearer".len()).unwrap_or((value, &[]));
    if !scheme.eq_ignore_ascii_case(b"Bearer") || token.first().is_some_and(|byte| *byte != b' ') {
        return Ok(None);
    }
    let token = token.trim_ascii();
    if token.is_empty() || values.next().is_some() {
        return Err(TokenError::Bearer);
    }
    percent_decode(token).decode_utf8().map(Some).map_err(|_| TokenError::Bearer)
}

fn claims_of<C: DeserializeOwned>(payload: &[u8], now: Timestamp) -> Result<DecodedToken<C>, TokenError> {
    // Serde reads a struct from a list as well.
    if !payload.trim_ascii_start().starts_with(b"{") {
        return Err(OpenError::Payload.into());
    }
    let registered: Registered = serde_json::from_slice(payload).map_err(|_| OpenError::Payload)?;
    let Registered { sub, name, email, picture, iat, exp, nbf } = registered;
    let claim = |claim: &str| match claim {
        "iat" => iat.as_ref(),
        "exp" => exp.as_ref(),
        "nbf" => nbf.as_ref(),
        _ => None,
    };
    jose::check_times(claim, now)?;
    let time = |time: &Option<Value>| time.as_ref().and_then(Value::as_f64).map(seconds);
    let (issued, expires) = (time(&iat), time(&exp));
    let claims = serde_json::from_slice(payload).map_err(|_| TokenError::Claims)?;
    Ok(DecodedToken { sub, name, email, picture, issued, expires, claims })
}

/// Registered claims (RFC 7519 §4.1), and those of Auth.js.
#[derive(Deserialize)]
struct Registered {
    #[serde(default, deserialize_with = "text")]
    sub: Option<String>,
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    email: Option<String>,
    #[serde(default, deserialize_with = "text")]
    picture: Option<String>,
    #[serde(default, deserialize_with = "present")]
    iat: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    exp: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<Value>,
}

/// A text; callbacks in JavaScript make it a number or `null` as well.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// `null` is not the same as nothing: `"exp": null` must not mean forever.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn seconds(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1000.0) as i64)
}

/// The session cookies that are looked for, in this order.
const COOKIES: [(Dialect, &str); 4] = [
    (Dialect::V5, "__Secure-authjs.session-token"),
    (Dialect::V4, "__Secure-next-auth.session-token"),
    (Dialect::V5, "authjs.session-token"),
    (Dialect::V4, "next-auth.session-token"),
];

#[cfg(test)]
mod tests;
