//! What the application has configured, checked: everything downstream trusts it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use url::Url;

use crate::clock::Clock;
use crate::cookie::{CookieKind, CookieOptions, CookieSet, CookieSpec, Cookies};
use crate::credentials::Credentials;
use crate::dialect::Dialects;
use crate::email::Email;
use crate::error::ErrorKind;
use crate::hooks::{CredentialsInput, Hook, Hooks, Mail};
use crate::jose::{Dialect, TokenKeys};
use crate::mail::{DynMailer, MailTemplate};
use crate::pages::{Pages, TemplateName, Theme};
use crate::providers::{Provider, ProviderKind};
use crate::random::Random;
use crate::relying_party::RelyingParty;
use crate::store::{DynStore, Epoch, StoredSession};
use crate::{AccountKind, Secret, Timestamp, User};

mod check;
mod environment;

pub use environment::Environment;

/// One way to sign in.
#[derive(Clone)]
pub(crate) enum ProviderEntry {
    OAuth(Arc<Provider>),
    Credentials(Credentials, Hook<CredentialsInput, Option<User>>),
    Email(Email, Hook<Mail, ()>),
}

impl fmt::Debug for ProviderEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProviderEntry").field(&self.id()).finish()
    }
}

impl ProviderEntry {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::OAuth(provider) => provider.id(),
            Self::Credentials(credentials, _) => &credentials.id,
            Self::Email(email, _) => &email.id,
        }
    }

    /// Auth.js' word for its kind.
    pub(crate) fn kind(&self) -> AccountKind {
        match self {
            Self::OAuth(provider) => account_kind(provider),
            Self::Credentials(..) => AccountKind::Credentials,
            Self::Email(..) => AccountKind::Email,
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::OAuth(provider) => provider.name(),
            Self::Credentials(credentials, _) => &credentials.name,
            Self::Email(email, _) => &email.name,
        }
    }
}

/// Pages of the application, instead of the built-in ones. Paths on the site (`/login`) or addresses.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct PagePaths {
    pub(crate) sign_in: Option<String>,
    pub(crate) sign_out: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) verify_request: Option<String>,
    pub(crate) new_user: Option<String>,
}

impl PagePaths {
    /// Only built-in pages.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sign-in page. It gets `callbackUrl`, and `error` where there is one.
    pub fn sign_in(self, path: impl Into<String>) -> Self {
        Self { sign_in: Some(path.into()), ..self }
    }

    /// Page that asks whether to sign out.
    pub fn sign_out(self, path: impl Into<String>) -> Self {
        Self { sign_out: Some(path.into()), ..self }
    }

    /// Error page. It gets `error`.
    pub fn error(self, path: impl Into<String>) -> Self {
        Self { error: Some(path.into()), ..self }
    }

    /// "Look into your mail" page. It gets `provider` and `type`.
    pub fn verify_request(self, path: impl Into<String>) -> Self {
        Self { verify_request: Some(path.into()), ..self }
    }

    /// Where somebody goes after their first sign-in. It gets `callbackUrl`. Needs a store.
    pub fn new_user(self, path: impl Into<String>) -> Self {
        Self { new_user: Some(path.into()), ..self }
    }
}

/// Where sessions are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// In an encrypted cookie: nothing has to be read, and nothing can be revoked before it expires.
    Jwt,
    /// In the store: one read for each request; a session can be listed, changed and ended from anywhere.
    Database,
}

/// Which host a request may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrustHost {
    /// This machine only: the default.
    Loopback,
    Any,
    Nobody,
}

/// Which forwarded headers count, when the host is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Forwarded {
    /// `X-Forwarded-Proto` and `X-Forwarded-Host`: the default with a trusted host, as in Auth.js.
    ProtoAndHost,
    /// `X-Forwarded-Proto` only.
    Proto,
    /// None.
    Ignored,
}

/// Where Hallpass does as Auth.js does although it could do better. All off by default; each is a row in the
/// compatibility page.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct Compat {
    pub(crate) cache_headers: bool,
    pub(crate) magic_link: bool,
}

impl Compat {
    /// Everything off.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends cache headers only where Auth.js sends them: on GET `session` and GET `csrf`. By default every
    /// answer says `no-store`.
    pub fn cache_headers(self, as_auth_js: bool) -> Self {
        Self { cache_headers: as_auth_js, ..self }
    }

    /// Magic links work for 24 hours and sign in whoever opens them. By default they work for 10 minutes, and
    /// opening one shows a page that asks first: programs that look at mail open the links in it, and must not
    /// use them up.
    pub fn magic_link(self, as_auth_js: bool) -> Self {
        Self { magic_link: as_auth_js, ..self }
    }
}

/// What the builder has collected.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) environment: Option<Environment>,
    pub(crate) base_path: Option<String>,
    pub(crate) dialects: Option<Vec<Dialect>>,
    pub(crate) url: Option<String>,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) trust_host: Option<bool>,
    pub(crate) forwarded: Option<Forwarded>,
    pub(crate) trusted_origins: Vec<String>,
    pub(crate) redirect_origins: Vec<String>,
    pub(crate) secure_cookies: Option<bool>,
    pub(crate) cookies: Vec<(CookieKind, CookieOptions)>,
    pub(crate) cookie_budget: Option<usize>,
    pub(crate) session_max_age: Option<Duration>,
    pub(crate) jwt_update_age: Option<Duration>,
    pub(crate) session_update_age: Option<Duration>,
    pub(crate) strategy: Option<Strategy>,
    pub(crate) session_absolute_max_age: Option<Duration>,
    pub(crate) session_client_retention: Option<Duration>,
    pub(crate) callback_timeout: Option<Duration>,
    pub(crate) revocation_delay: Option<Option<Duration>>,
    pub(crate) query_keys: Vec<String>,
    pub(crate) development: Option<bool>,
    pub(crate) cache_for: Option<Duration>,
    pub(crate) providers: Vec<ProviderEntry>,
    pub(crate) pages: PagePaths,
    pub(crate) theme: Theme,
    pub(crate) templates: Vec<(TemplateName, String)>,
    pub(crate) styles: Vec<String>,
    pub(crate) mail_templates: Vec<(MailTemplate, String)>,
    /// Mailers, with the place of their provider among `providers`.
    pub(crate) mailers: Vec<(usize, Box<dyn DynMailer>)>,
    pub(crate) redirect_proxy_url: Option<String>,
    pub(crate) skip_csrf_check: bool,
    pub(crate) compat: Compat,
    pub(crate) hooks: Hooks,
    /// What was wrong with a call of the builder.
    pub(crate) problems: Vec<String>,
    pub(crate) store: Option<Arc<dyn DynStore>>,
    pub(crate) http: Option<Arc<dyn crate::http::HttpClient>>,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) random: Option<Arc<dyn Random>>,
}

/// Epochs of users, kept for as long as `revocation_delay` allows.
pub(crate) type Epochs = Cache<String, Option<Arc<Epoch>>>;

/// The checked configuration. A copy shares what is dear to make: keys, pages, what is known of providers.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) base_path: String,
    pub(crate) dialects: Dialects,
    /// Origin of the site where that is configured: `https://app.example.com`.
    pub(crate) origin: Option<String>,
    pub(crate) secrets: Arc<[Secret]>,
    pub(crate) trust_host: TrustHost,
    pub(crate) forwarded: Forwarded,
    /// Front ends elsewhere, whose POSTs count.
    pub(crate) trusted_origins: Arc<[String]>,
    /// Where the browser may be sent beside the site itself: those, and others.
    pub(crate) redirect_origins: Arc<[String]>,
    pub(crate) secure_cookies: Option<bool>,
    /// Keys of the state that goes through a redirect proxy.
    pub(crate) state_keys: Arc<TokenKeys>,
    plain: Arc<CookieSet>,
    secure: Arc<CookieSet>,
    /// Most bytes of all session cookies' values together.
    pub(crate) cookie_budget: usize,
    pub(crate) session_max_age: Duration,
    pub(crate) jwt_update_age: Duration,
    pub(crate) session_update_age: Duration,
    pub(crate) strategy: Strategy,
    pub(crate) session_absolute_max_age: Option<Duration>,
    /// How long user agent and address of a session are kept; `None`: as long as the session.
    pub(crate) session_client_retention: Option<Duration>,
    pub(crate) callback_timeout: Duration,
    /// What happened to users whose sessions are in tokens, as far as this process has asked lately; `None` where
    /// tokens never ask.
    pub(crate) epochs: Option<Epochs>,
    /// Parameters of `GET /session` that are an update.
    pub(crate) query_keys: Arc<[String]>,
    pub(crate) development: bool,
    /// Views that the `session` callback has made lately, by what they were made of.
    pub(crate) views: Option<Cache<[u8; 32], Arc<str>>>,
    pub(crate) providers: Arc<[ProviderEntry]>,
    pub(crate) paths: PagePaths,
    pub(crate) theme: Theme,
    pub(crate) pages: Arc<Pages>,
    pub(crate) redirect_proxy_url: Option<String>,
    pub(crate) skip_csrf_check: bool,
    pub(crate) compat: Compat,
    pub(crate) hooks: Hooks,
    pub(crate) store: Option<Arc<dyn DynStore>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) relying_party: RelyingParty,
}

impl Config {
    pub(crate) fn provider(&self, id: &str) -> Option<&ProviderEntry> {
        self.providers.iter().find(|provider| provider.id() == id)
    }

    /// A cookie as it is written.
    pub(crate) fn cookie(&self, kind: CookieKind, secure: bool) -> &CookieSpec {
        self.cookies(secure).get(kind)
    }

    /// A cookie as it is read: in each dialect, the written one first.
    pub(crate) fn each_cookie(&self, kind: CookieKind, secure: bool) -> impl Iterator<Item = &CookieSpec> {
        self.cookies(secure).each(kind)
    }

    /// Whether a sign-in that is under way has left a cookie here, for whichever scheme.
    pub(crate) fn has_check(&self, cookies: &Cookies) -> bool {
        let checks = [CookieKind::State, CookieKind::PkceCodeVerifier, CookieKind::Nonce];
        let specs = [&self.plain, &self.secure].map(|set| checks.into_iter().flat_map(|kind| set.each(kind)));
        specs.into_iter().flatten().any(|spec| cookies.get(&spec.name).is_some())
    }

    fn cookies(&self, secure: bool) -> &CookieSet {
        if self.secure_cookies.unwrap_or(secure) { &self.secure } else { &self.plain }
    }

    /// The proxy that this provider's answers go through.
    pub(crate) fn redirect_proxy<'a>(&'a self, provider: &'a Provider) -> Option<&'a str> {
        provider.redirect_proxy_url.as_deref().or(self.redirect_proxy_url.as_deref())
    }

    /// A session as it may be shown or written: without user agent and address once they are kept no longer.
    pub(crate) fn retained(&self, session: StoredSession, now: Timestamp) -> StoredSession {
        let is_over = |age| session.created.is_some_and(|began| began + age <= now);
        if !self.session_client_retention.is_some_and(is_over) {
            return session;
        }
        StoredSession { user_agent: None, address: None, ..session }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("base_path", &self.base_path).finish_non_exhaustive()
    }
}

/// What is wrong with a configuration: all of it at once.
///
/// For an application that must start all the same, a shell mounts the answers that Auth.js gives when it is
/// wrongly configured, through [`ConfigError::into_core`].
pub struct ConfigError(pub(crate) Box<Misconfigured>);

pub(crate) struct Misconfigured {
    pub(crate) problems: Vec<Problem>,
    pub(crate) base_path: String,
    pub(crate) dialects: Dialects,
    pub(crate) error_page: Option<String>,
    pub(crate) theme: Theme,
    pub(crate) hooks: Hooks,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Its kind.
    pub kind: ErrorKind,
    /// What is wrong, and the setting that mends it.
    pub message: String,
}

impl ConfigError {
    /// Everything that is wrong, in the order in which Auth.js would notice.
    pub fn problems(&self) -> &[Problem] {
        &self.0.problems
    }

    pub(crate) fn first_kind(&self) -> ErrorKind {
        self.0.problems.first().map_or(ErrorKind::Configuration, |problem| problem.kind)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration of Hallpass is wrong:")?;
        for problem in &self.0.problems {
            write!(f, "\n  - {}", problem.message)?;
        }
        Ok(())
    }
}

/// As [`Display`](fmt::Display): it is what a `main` that returns the error prints, and what `unwrap` says.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigError {}

/// Auth.js' word for the accounts of a provider.
pub(crate) fn account_kind(provider: &Provider) -> AccountKind {
    match provider.kind() {
        ProviderKind::OAuth2 => AccountKind::OAuth,
        ProviderKind::Oidc => AccountKind::Oidc,
    }
}

/// Scheme, host and port of an address: what a browser calls its origin.
pub(crate) fn origin_of(url: &Url) -> Option<String> {
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}
