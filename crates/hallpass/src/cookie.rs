//! Cookies: their names, prefixes, attributes and life times, and the session in pieces.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::dialect::Dialects;
use crate::jose::{Dialect, TokenKeys};
use crate::store::SessionToken;
use crate::{Secret, Timestamp};

mod sessions;

pub(crate) use crate::received::{Cookies, Pieces};

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

    /// The last word of its name.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::SessionToken => "session-token",
            Self::CallbackUrl => "callback-url",
            Self::CsrfToken => "csrf-token",
            Self::PkceCodeVerifier => "pkce.code_verifier",
            Self::State => "state",
            Self::Nonce => "nonce",
        }
    }

    fn default_name(self, dialect: Dialect, secure: bool) -> String {
        let name = dialect.cookie_name(self);
        let prefix = match (secure, self) {
            (false, _) => "",
            // Bound to this host: a sibling domain cannot plant it.
            (true, Self::CsrfToken) => "__Host-",
            (true, _) => "__Secure-",
        };
        format!("{prefix}{name}")
    }

    fn keys(self, dialect: Dialect, secrets: &[Secret], name: &str) -> TokenKeys {
        match self {
            Self::SessionToken => TokenKeys::derive(dialect, secrets, dialect.session_salt(name)),
            // Only Hallpass reads the cookies of a sign-in under way: one format serves both dialects.
            _ => TokenKeys::derive(Dialect::V5, secrets, name),
        }
    }

    fn is_sealed(self) -> bool {
        !matches!(self, Self::CallbackUrl | Self::CsrfToken)
    }
}

/// On which requests from other sites a cookie is sent (`SameSite`, RFC 6265bis §4.1.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SameSite {
    /// On none.
    Strict,
    /// Only when a link is followed or an address opened: the default.
    Lax,
    /// On all; browsers then want https.
    None,
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
    pub(crate) dialect: Dialect,
}

#[derive(Clone, Debug)]
pub(crate) struct Attributes {
    domain: Option<String>,
    path: String,
    http_only: bool,
    secure: bool,
    same_site: SameSite,
}

impl Attributes {
    /// As they stand in the header (RFC 6265 §4.1.1).
    fn write_onto(&self, header: &mut String) {
        if self.http_only {
            header.push_str("; HttpOnly");
        }
        header.push_str(match self.same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
        });
        if self.secure {
            header.push_str("; Secure");
        }
        header.push_str("; Path=");
        header.push_str(&self.path);
        if let Some(domain) = &self.domain {
            header.push_str("; Domain=");
            header.push_str(domain);
        }
    }
}

/// All cookies for one scheme, in each dialect; the first one is written.
#[derive(Clone, Debug)]
pub(crate) struct CookieSet(Vec<[CookieSpec; 6]>);

impl CookieSet {
    pub(crate) fn new(
        options: &[(CookieKind, CookieOptions)],
        secure: bool,
        secrets: &[Secret],
        dialects: &Dialects,
    ) -> Self {
        let spec = |dialect: Dialect, kind: CookieKind| {
            let own =
                options.iter().rev().find(|(other, _)| *other == kind).map(|(_, options)| options.clone());
            let own = own.unwrap_or_default();
            let name = own.name.unwrap_or_else(|| kind.default_name(dialect, secure));
            let attributes = Attributes {
                domain: own.domain,
                path: own.path.unwrap_or_else(|| "/".to_owned()),
                http_only: own.http_only.unwrap_or(true),
                secure,
                same_site: own.same_site.unwrap_or(SameSite::Lax),
            };
            let keys = kind.is_sealed().then(|| Arc::new(kind.keys(dialect, secrets, &name)));
            CookieSpec { name, attributes: Arc::new(attributes), keys, dialect }
        };
        let set = |dialect: &Dialect| CookieKind::ALL.map(|kind| spec(*dialect, kind));
        Self(dialects.all().iter().map(set).collect())
    }

    /// Names, and which cookie has them.
    pub(crate) fn names(
        options: &[(CookieKind, CookieOptions)],
        secure: bool,
        dialects: &Dialects,
    ) -> Vec<(String, usize)> {
        let set = Self::new(options, secure, &[], dialects);
        let named = set.0.into_iter().flat_map(|specs| specs.into_iter().enumerate());
        named.map(|(kind, spec)| (spec.name, kind)).collect()
    }

    /// The cookie that breaks the rules of `__Host-`, which browsers would drop.
    pub(crate) fn unkeepable(options: &[(CookieKind, CookieOptions)], dialects: &Dialects) -> Option<String> {
        let breaks = |spec: &CookieSpec| {
            spec.name.starts_with("__Host-")
                && (spec.attributes.domain.is_some() || spec.attributes.path != "/")
        };
        Self::new(options, true, &[], dialects).0.into_iter().flatten().find(breaks).map(|spec| spec.name)
    }

    /// The cookie as it is written.
    pub(crate) fn get(&self, kind: CookieKind) -> &CookieSpec {
        #[expect(
            clippy::indexing_slicing,
            reason = "there is a dialect, and one spec for each kind in the order of the enum"
        )]
        &self.0[0][kind as usize]
    }

    /// The cookie as it is read: in each dialect, the written one first.
    pub(crate) fn each(&self, kind: CookieKind) -> impl Iterator<Item = &CookieSpec> {
        self.0.iter().filter_map(move |specs| specs.get(kind as usize))
    }
}

impl CookieSpec {
    /// Keys of a sealed cookie.
    pub(crate) fn keys(&self) -> &TokenKeys {
        #[expect(clippy::expect_used, reason = "every kind that is sealed is made with keys")]
        self.keys.as_deref().expect("a sealed cookie has keys")
    }

    pub(crate) fn set(&self, value: &str) -> CookieChange {
        self.set_encoded(utf8_percent_encode(value, COMPONENT).to_string())
    }

    /// With a value that needs no encoding: a token is base64url and dots.
    fn set_encoded(&self, value: String) -> CookieChange {
        CookieChange {
            name: self.name.clone(),
            value,
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

    /// The token of a row, which may be one that another program has made.
    pub(crate) fn set_row_token(
        &self,
        token: &SessionToken,
        expires: Timestamp,
        before: &Pieces<'_>,
    ) -> Vec<CookieChange> {
        let token = utf8_percent_encode(token.expose(), COMPONENT).to_string();
        self.set_in_pieces(token, expires, before)
    }

    /// A session's token in as many cookies as it needs; what was there before and is not written again is removed.
    pub(crate) fn set_in_pieces(
        &self,
        token: String,
        expires: Timestamp,
        before: &Pieces<'_>,
    ) -> Vec<CookieChange> {
        let mut changes = Vec::new();
        let longest = self.dialect.piece();
        if token.len() <= longest {
            changes.push(CookieChange { expires: Some(expires), ..self.set_encoded(token) });
        } else {
            // The token is base64url and dots: any cut is between characters.
            for (index, piece) in token.as_bytes().chunks(longest).enumerate() {
                let piece = String::from_utf8_lossy(piece).into_owned();
                let name = format!("{}.{index}", self.name);
                changes.push(CookieChange { name, expires: Some(expires), ..self.set_encoded(piece) });
            }
        }
        let left_over =
            before.names.iter().filter(|name| !changes.iter().any(|change| change.name == ***name));
        let removals: Vec<_> = left_over.map(|name| self.clear_named(name)).collect();
        changes.extend(removals);
        changes
    }

    pub(crate) fn clear_pieces(&self, pieces: &Pieces<'_>) -> Vec<CookieChange> {
        pieces.names.iter().map(|name| self.clear_named(name)).collect()
    }
}

/// One `Set-Cookie` to write. Printing it shows its name, not its value.
#[derive(Clone)]
pub(crate) struct CookieChange {
    name: String,
    /// Percent-encoded.
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
        let mut header = String::with_capacity(self.name.len() + self.value.len() + ATTRIBUTES);
        header.push_str(&self.name);
        header.push('=');
        header.push_str(&self.value);
        self.attributes.write_onto(&mut header);
        if let Some(max_age) = self.max_age {
            header.push_str(&format!("; Max-Age={}", max_age.as_secs()));
        }
        if let Some(expires) = self.expires {
            header.push_str("; Expires=");
            header.push_str(&expires.to_http_date());
        }
        let mut header = HeaderValue::try_from(header).ok()?;
        // It does not show in `Debug`.
        header.set_sensitive(true);
        Some(header)
    }
}

/// The `Cookie` header that a browser sends which sent this one and then got these changes.
pub(crate) fn sent_next(header: &str, changes: &[CookieChange]) -> String {
    let name = |cookie: &str| cookie.split('=').next().unwrap_or_default().trim().to_owned();
    let is_old = |cookie: &&str| !changes.iter().any(|change| change.name == name(cookie));
    let kept = header.split(';').map(str::trim).filter(is_old).map(str::to_owned);
    let new = changes.iter().filter(|change| change.max_age != Some(Duration::ZERO));
    let new = new.map(|change| format!("{}={}", change.name, change.value));
    kept.chain(new).collect::<Vec<_>>().join("; ")
}

impl fmt::Debug for CookieChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieChange").field("name", &self.name).finish_non_exhaustive()
    }
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

/// Room for the usual attributes, in bytes.
const ATTRIBUTES: usize = 160;

/// How long a sign-in may take.
pub(crate) const SIGN_IN: Duration = Duration::from_secs(900);

/// How long a sign-in that came back is remembered: longer than its cookies open.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(SIGN_IN.as_secs() + 60);

#[cfg(test)]
mod tests;
