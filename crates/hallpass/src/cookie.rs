//! Cookies: their names, prefixes, attributes and life times, and the session in pieces.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cookie::Cookie;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::jose::{Dialect, TokenKeys};
use crate::{Secret, Timestamp};

pub use cookie::SameSite;

/// Which of Hallpass' cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CookieKind {
    /// The session. Auth.js: `sessionToken`.
    SessionToken,
    /// Where to go after sign-in or sign-out. Auth.js: `callbackUrl`.
    CallbackUrl,
    /// The CSRF token and its proof. Auth.js: `csrfToken`.
    CsrfToken,
    /// The PKCE verifier of a sign-in under way. Auth.js: `pkceCodeVerifier`.
    PkceCodeVerifier,
    /// The `state` of a sign-in under way.
    State,
    /// The `nonce` of a sign-in under way.
    Nonce,
}

impl CookieKind {
    const ALL: [Self; 6] = [
        Self::SessionToken,
        Self::CallbackUrl,
        Self::CsrfToken,
        Self::PkceCodeVerifier,
        Self::State,
        Self::Nonce,
    ];

    fn default_name(self, secure: bool) -> String {
        let name = match self {
            Self::SessionToken => "authjs.session-token",
            Self::CallbackUrl => "authjs.callback-url",
            Self::CsrfToken => "authjs.csrf-token",
            Self::PkceCodeVerifier => "authjs.pkce.code_verifier",
            Self::State => "authjs.state",
            Self::Nonce => "authjs.nonce",
        };
        let prefix = match (secure, self) {
            (false, _) => "",
            // Bound to this host: a sibling domain cannot plant it.
            (true, Self::CsrfToken) => "__Host-",
            (true, _) => "__Secure-",
        };
        format!("{prefix}{name}")
    }

    fn is_sealed(self) -> bool {
        !matches!(self, Self::CallbackUrl | Self::CsrfToken)
    }
}

/// How a cookie differs from the default. Unset fields keep it: `HttpOnly`, `SameSite=Lax`, `Path=/`, no
/// `Domain`, `Secure` over https.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct CookieOptions {
    pub(crate) name: Option<String>,
    pub(crate) domain: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) http_only: Option<bool>,
    pub(crate) same_site: Option<SameSite>,
}

impl CookieOptions {
    /// Nothing differs.
    pub fn new() -> Self {
        Self::default()
    }

    /// The whole name: an own name gets no `__Secure-` or `__Host-` prefix.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// `Domain`: the cookie is sent to its subdomains too.
    pub fn domain(self, domain: impl Into<String>) -> Self {
        Self { domain: Some(domain.into()), ..self }
    }

    /// `Path`. Default `/`.
    pub fn path(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// `HttpOnly`. Default true.
    pub fn http_only(self, http_only: bool) -> Self {
        Self { http_only: Some(http_only), ..self }
    }

    /// `SameSite`. Default `Lax`.
    pub fn same_site(self, same_site: SameSite) -> Self {
        Self { same_site: Some(same_site), ..self }
    }
}

impl CookieOptions {
    /// What no browser could make of these options.
    pub(crate) fn mistake(&self) -> Option<&'static str> {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let attribute = |byte: u8| byte.is_ascii_graphic() && byte != b';';
        if self.name.as_deref().is_some_and(|name| name.is_empty() || !name.bytes().all(token)) {
            return Some("the name of a cookie may hold letters, digits and !#$%&'*+-.^_`|~ only");
        }
        if [&self.domain, &self.path].into_iter().flatten().any(|text| !text.bytes().all(attribute)) {
            return Some("domain and path of a cookie may not hold a space or `;`");
        }
        None
    }
}

/// One cookie, as it is written for one scheme.
#[derive(Clone, Debug)]
pub(crate) struct CookieSpec {
    pub(crate) name: String,
    pub(crate) attributes: Arc<Attributes>,
    /// Keys of a sealed cookie. The name is the salt, so no cookie opens in another's place.
    keys: Option<Arc<TokenKeys>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Attributes {
    domain: Option<String>,
    path: String,
    http_only: bool,
    secure: bool,
    same_site: SameSite,
}

/// All cookies for one scheme.
#[derive(Clone, Debug)]
pub(crate) struct CookieSet(Vec<CookieSpec>);

impl CookieSet {
    pub(crate) fn new(options: &[(CookieKind, CookieOptions)], secure: bool, secrets: &[Secret]) -> Self {
        let specs = CookieKind::ALL.into_iter().map(|kind| {
            let own =
                options.iter().rev().find(|(other, _)| *other == kind).map(|(_, options)| options.clone());
            let own = own.unwrap_or_default();
            let name = own.name.unwrap_or_else(|| kind.default_name(secure));
            let keys = kind.is_sealed().then(|| Arc::new(TokenKeys::derive(Dialect::V5, secrets, &name)));
            let attributes = Attributes {
                domain: own.domain,
                path: own.path.unwrap_or_else(|| "/".to_owned()),
                http_only: own.http_only.unwrap_or(true),
                secure,
                same_site: own.same_site.unwrap_or(SameSite::Lax),
            };
            CookieSpec { name, attributes: Arc::new(attributes), keys }
        });
        Self(specs.collect())
    }

    pub(crate) fn names(options: &[(CookieKind, CookieOptions)], secure: bool) -> Vec<String> {
        Self::new(options, secure, &[]).0.into_iter().map(|spec| spec.name).collect()
    }

    /// The cookie that breaks the rules of `__Host-`, which browsers would drop.
    pub(crate) fn unkeepable(options: &[(CookieKind, CookieOptions)]) -> Option<String> {
        let breaks = |spec: &CookieSpec| {
            spec.name.starts_with("__Host-")
                && (spec.attributes.domain.is_some() || spec.attributes.path != "/")
        };
        Self::new(options, true, &[]).0.into_iter().find(breaks).map(|spec| spec.name)
    }

    pub(crate) fn get(&self, kind: CookieKind) -> &CookieSpec {
        #[expect(clippy::indexing_slicing, reason = "one spec for each kind, in the order of the enum")]
        &self.0[kind as usize]
    }
}

impl CookieSpec {
    /// Keys of a sealed cookie.
    pub(crate) fn keys(&self) -> &TokenKeys {
        #[expect(clippy::expect_used, reason = "every kind that is sealed is made with keys")]
        self.keys.as_deref().expect("a sealed cookie has keys")
    }

    pub(crate) fn set(&self, value: impl Into<String>) -> CookieChange {
        CookieChange {
            name: self.name.clone(),
            value: value.into(),
            attributes: Arc::clone(&self.attributes),
            max_age: None,
            expires: None,
        }
    }

    pub(crate) fn clear(&self) -> CookieChange {
        self.clear_named(&self.name)
    }

    fn clear_named(&self, name: &str) -> CookieChange {
        CookieChange { name: name.to_owned(), max_age: Some(Duration::ZERO), ..self.set("") }
    }

    /// The session in as many cookies as it needs; what was there before and is not written again is removed.
    pub(crate) fn set_in_pieces(
        &self,
        value: String,
        expires: Timestamp,
        before: &Pieces,
    ) -> Vec<CookieChange> {
        let mut changes = Vec::new();
        if value.len() <= PIECE {
            changes.push(CookieChange { expires: Some(expires), ..self.set(value) });
        } else {
            // The value is base64url and dots: any cut is between characters.
            for (index, piece) in value.as_bytes().chunks(PIECE).enumerate() {
                let piece = String::from_utf8_lossy(piece).into_owned();
                let name = format!("{}.{index}", self.name);
                changes.push(CookieChange { name, expires: Some(expires), ..self.set(piece) });
            }
        }
        let left_over =
            before.names.iter().filter(|name| !changes.iter().any(|change| change.name == **name));
        let removals: Vec<_> = left_over.map(|name| self.clear_named(name)).collect();
        changes.extend(removals);
        changes
    }

    pub(crate) fn clear_pieces(&self, pieces: &Pieces) -> Vec<CookieChange> {
        pieces.names.iter().map(|name| self.clear_named(name)).collect()
    }
}

/// One `Set-Cookie` to write. Printing it shows its name, not its value.
#[derive(Clone)]
pub(crate) struct CookieChange {
    name: String,
    value: String,
    attributes: Arc<Attributes>,
    max_age: Option<Duration>,
    expires: Option<Timestamp>,
}

impl CookieChange {
    /// A cookie that lives as long as a sign-in may take.
    pub(crate) fn for_sign_in(self, now: Timestamp, max_age: bool) -> Self {
        Self { max_age: max_age.then_some(SIGN_IN), expires: Some(now + SIGN_IN), ..self }
    }

    /// The provider answers with a cross-site POST, on which browsers send only such cookies.
    pub(crate) fn cross_site(self) -> Self {
        let attributes = Attributes { same_site: SameSite::None, secure: true, ..(*self.attributes).clone() };
        Self { attributes: Arc::new(attributes), ..self }
    }

    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let value: Cow<'_, str> = utf8_percent_encode(&self.value, COMPONENT).into();
        let mut cookie = Cookie::build((self.name.as_str(), value))
            .path(self.attributes.path.as_str())
            .http_only(self.attributes.http_only)
            .secure(self.attributes.secure)
            .same_site(self.attributes.same_site)
            .build();
        if let Some(domain) = &self.attributes.domain {
            cookie.set_domain(domain.as_str());
        }
        if let Some(max_age) = self.max_age {
            cookie.set_max_age(time::Duration::seconds(i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX)));
        }
        if let Some(expires) = self.expires {
            cookie.set_expires(expires.date_time());
        }
        let mut header = HeaderValue::try_from(cookie.to_string()).ok()?;
        // It does not show in `Debug`.
        header.set_sensitive(true);
        Some(header)
    }
}

impl fmt::Debug for CookieChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieChange").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The cookies of a request. Printing them shows their names, not their values.
#[derive(Clone, Default)]
pub(crate) struct Cookies(Vec<(String, String)>);

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// The pieces of the session cookie in a request.
#[derive(Default)]
pub(crate) struct Pieces {
    /// Names of all pieces seen, usable or not.
    pub(crate) names: Vec<String>,
    /// The whole value, where the pieces make one.
    pub(crate) value: Option<String>,
}

impl Cookies {
    pub(crate) fn parse(headers: &HeaderMap) -> Self {
        let mut cookies = Vec::new();
        for header in headers.get_all(COOKIE) {
            for pair in header.as_bytes().split(|byte| *byte == b';') {
                let Ok(pair) = std::str::from_utf8(pair) else { continue };
                let Some((name, value)) = pair.split_once('=') else { continue };
                let name = name.trim();
                if !name.is_empty() && cookies.len() < MAX_COOKIES {
                    cookies.push((name.to_owned(), decode(value.trim())));
                }
            }
        }
        Self(cookies)
    }

    /// The value of a cookie. Several of one name with different values are none: a sibling domain or a longer
    /// path may have planted one, and nobody can say which.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str());
        let first = values.next()?;
        values.all(|other| other == first).then_some(first)
    }

    /// The session cookie, put together: either the one cookie, or the pieces `.0`, `.1`, … without a gap.
    pub(crate) fn pieces(&self, name: &str) -> Pieces {
        let mut names = Vec::new();
        let mut numbered = 0;
        let mut whole = false;
        for (other, value) in &self.0 {
            let Some(rest) = other.strip_prefix(name) else { continue };
            let is_whole = rest.is_empty();
            let is_piece = rest.strip_prefix('.').is_some_and(is_piece_number);
            if (!is_whole && !is_piece) || value.is_empty() || names.contains(other) {
                continue;
            }
            whole |= is_whole;
            numbered += usize::from(is_piece);
            names.push(other.clone());
        }
        let value = match (whole, numbered) {
            (true, 0) => self.get(name).map(str::to_owned),
            (false, 1..) => (0..numbered).map(|index| self.get(&format!("{name}.{index}"))).collect(),
            _ => None,
        };
        Pieces { names, value }
    }
}

/// `0`, `1`, …, as they are written: no sign, no leading zero, and not too many.
fn is_piece_number(text: &str) -> bool {
    text.parse::<u8>().is_ok_and(|number| usize::from(number) < MAX_PIECES && number.to_string() == text)
}

/// Percent-decodes where that gives a text; else the value is taken as it is.
fn decode(value: &str) -> String {
    if !value.contains('%') {
        return value.to_owned();
    }
    percent_decode_str(value).decode_utf8().map_or_else(|_| value.to_owned(), Cow::into_owned)
}

/// What JavaScript's `encodeURIComponent` leaves alone.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Longest value of one cookie, in bytes: 4096 less what the name and attributes need.
const PIECE: usize = 3936;

/// More pieces than a browser keeps.
const MAX_PIECES: usize = 50;

/// More cookies than a browser sends.
const MAX_COOKIES: usize = 300;

/// How long a sign-in may take.
pub(crate) const SIGN_IN: Duration = Duration::from_secs(900);
