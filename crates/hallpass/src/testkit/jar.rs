//! Cookies, kept and sent by the rules of browsers (RFC 6265bis §5).

use cookie::Cookie;
use url::Url;

use crate::{SameSite, Timestamp};

/// A cookie that a browser keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredCookie {
    /// Name.
    pub name: String,
    /// Value, as it is sent.
    pub value: String,
    /// Host that it is sent to.
    pub domain: String,
    /// Only to that host, not to those below it.
    pub host_only: bool,
    /// Path below which it is sent.
    pub path: String,
    /// Only over https.
    pub secure: bool,
    /// Scripts do not see it.
    pub http_only: bool,
    /// `SameSite`; browsers take a missing one for `Lax`.
    pub same_site: SameSite,
    /// When it goes, or with the browser.
    pub expires: Option<Timestamp>,
}

/// The cookies of one browser.
#[derive(Clone, Debug, Default)]
pub(super) struct Jar(Vec<StoredCookie>);

impl Jar {
    pub(super) fn all(&self) -> &[StoredCookie] {
        &self.0
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&StoredCookie) -> bool) {
        self.0.retain(keep);
    }

    /// Takes a line of `Set-Cookie` that came from `url`, or ignores it as a browser would.
    pub(super) fn store(&mut self, line: &str, url: &Url, now: Timestamp) {
        let Some(cookie) = read(line, url, now) else { return };
        let same = |other: &StoredCookie| {
            other.name == cookie.name && other.domain == cookie.domain && other.path == cookie.path
        };
        let gone = cookie.expires.is_some_and(|expires| expires <= now);
        match (self.0.iter().position(same), gone) {
            (Some(index), true) => _ = self.0.remove(index),
            (Some(index), false) => self.0.splice(index..=index, [cookie]).for_each(drop),
            (None, true) => {}
            (None, false) => self.0.push(cookie),
        }
    }

    /// The `Cookie` header of a request.
    pub(super) fn header(&mut self, url: &Url, now: Timestamp, cross_site_post: bool) -> Option<String> {
        self.0.retain(|cookie| cookie.expires.is_none_or(|expires| expires > now));
        let mut sent: Vec<_> = self
            .0
            .iter()
            .filter(|cookie| cookie.goes_to(url))
            .filter(|cookie| !cross_site_post || cookie.same_site == SameSite::None)
            .collect();
        // Longer paths first; otherwise in the order in which they came.
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<_> = sent.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

impl StoredCookie {
    fn goes_to(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let domain = host == self.domain || !self.host_only && is_below(host, &self.domain);
        let rest = url.path().strip_prefix(self.path.as_str());
        let path =
            rest.is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'));
        domain && path && (!self.secure || is_trustworthy(url))
    }
}

fn read(line: &str, url: &Url, now: Timestamp) -> Option<StoredCookie> {
    let cookie = Cookie::parse(line.to_owned()).ok()?;
    let host = url.host_str()?;
    let domain = cookie.domain().map(str::to_owned);
    if domain.as_deref().is_some_and(|domain| host != domain && !is_below(host, domain)) {
        return None;
    }
    let path = cookie.path().filter(|path| path.starts_with('/'));
    let default_path = url.path().rsplit_once('/').map(|(path, _)| path).filter(|path| !path.is_empty());
    let max_age = cookie.max_age().map(|age| Timestamp::from_seconds(now.seconds() + age.whole_seconds()));
    let expires = cookie.expires_datetime().map(|at| Timestamp::from_seconds(at.unix_timestamp()));
    let stored = StoredCookie {
        name: cookie.name().to_owned(),
        value: cookie.value().to_owned(),
        host_only: domain.is_none(),
        domain: domain.unwrap_or_else(|| host.to_owned()),
        path: path.or(default_path).unwrap_or("/").to_owned(),
        secure: cookie.secure().unwrap_or(false),
        http_only: cookie.http_only().unwrap_or(false),
        same_site: match cookie.same_site() {
            Some(cookie::SameSite::Strict) => SameSite::Strict,
            Some(cookie::SameSite::None) => SameSite::None,
            Some(cookie::SameSite::Lax) | None => SameSite::Lax,
        },
        expires: max_age.or(expires),
    };
    is_acceptable(&stored, url).then_some(stored)
}

/// What browsers refuse to keep.
fn is_acceptable(cookie: &StoredCookie, url: &Url) -> bool {
    let host_prefix = cookie.name.starts_with("__Host-");
    let secure_prefix = host_prefix || cookie.name.starts_with("__Secure-");
    (!cookie.secure || is_trustworthy(url))
        && (cookie.secure || (!secure_prefix && cookie.same_site != SameSite::None))
        && (!host_prefix || (cookie.host_only && cookie.path == "/"))
        && cookie.name.len() + cookie.value.len() <= 4096
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// `Secure` cookies also go to this machine.
fn is_trustworthy(url: &Url) -> bool {
    url.scheme() == "https" || matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}
