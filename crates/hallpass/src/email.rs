//! The e-mail provider, and what an address may look like.

use std::borrow::Cow;
use std::time::Duration;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;

use crate::store::{DynStore, StoreError};
use crate::{Compat, User};

/// Sign-in by a link in a mail. Who sends it is the second argument of
/// [`Builder::mailer`](crate::Builder::mailer) or [`Builder::email`](crate::Builder::email). Needs a store.
#[derive(Clone, Debug)]
#[must_use]
pub struct Email {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) max_age: Option<Duration>,
    pub(crate) from: Option<String>,
    id_chosen: bool,
    name_chosen: bool,
}

impl Email {
    /// Links that work for 10 minutes.
    pub fn new() -> Self {
        Self {
            id: "email".to_owned(),
            name: "Email".to_owned(),
            max_age: None,
            from: None,
            id_chosen: false,
            name_chosen: false,
        }
    }

    /// Id in addresses. Default: that of the mailer, else `email`.
    pub fn id(self, id: impl Into<String>) -> Self {
        Self { id: id.into(), id_chosen: true, ..self }
    }

    /// Name on the button. Default: that of the mailer, else `Email`.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), name_chosen: true, ..self }
    }

    /// Who the mails are from: `login@acme.example` or `Acme <login@acme.example>`. Default: `EMAIL_FROM`. For
    /// [`Builder::mailer`](crate::Builder::mailer) only: a closure sends as it likes.
    pub fn from(self, sender: impl Into<String>) -> Self {
        Self { from: Some(sender.into()), ..self }
    }

    /// Takes id and name of a mailer, unless they were chosen.
    pub(crate) fn called(self, id: &str, name: &str) -> Self {
        let id = if self.id_chosen { self.id } else { id.to_owned() };
        let name = if self.name_chosen { self.name } else { name.to_owned() };
        Self { id, name, ..self }
    }

    /// How long a link works; a newer one does not end it. Default 10 minutes; 24 hours with
    /// [`Compat::magic_link`](crate::Compat::magic_link).
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age: Some(max_age), ..self }
    }

    /// How long a link works here.
    pub(crate) fn lifetime(&self, compat: Compat) -> Duration {
        self.max_age.unwrap_or(if compat.magic_link { AS_AUTH_JS } else { LIFETIME })
    }
}

impl Default for Email {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes one spelling of an address that somebody typed, or refuses it.
///
/// Normalized first and judged afterwards: a character that only becomes `@` by normalization must not pass
/// (the fault behind GHSA-7rqj-j65f-68wh). Quotes are refused since mailers disagree on them, and of a list of
/// domains only the first is kept, as in Auth.js. A domain has one spelling (UTS 46), the one that people read:
/// `xn--bcher-kva.example` is `bücher.example`.
pub(crate) fn normalize(typed: &str) -> Option<String> {
    if typed.len() > LONGEST {
        return None;
    }
    let text = typed.nfkc().collect::<String>().to_lowercase();
    let (local, domain) = text.trim().split_once('@')?;
    let domain = domain.split(',').next().unwrap_or_default();
    if domain.chars().any(is_refused) {
        return None;
    }
    let address = format!("{local}@{}", to_unicode(&to_ascii(domain)?)?);
    is_single(&address).then_some(address)
}

/// The address as a mail server is told it: the domain as DNS knows it. Where it can be none, as it is.
pub(crate) fn deliverable(address: &str) -> String {
    let ascii =
        address.split_once('@').and_then(|(local, domain)| Some(format!("{local}@{}", to_ascii(domain)?)));
    ascii.unwrap_or_else(|| address.to_owned())
}

/// The user with this address, in whichever spelling of its domain another program has stored it.
pub(crate) async fn find_user(store: &dyn DynStore, address: &str) -> Result<Option<User>, StoreError> {
    let user = store.user_by_email(address).await?;
    let Some(other) = other_spelling(address) else { return Ok(user) };
    // Asked in any case: how long it takes says nothing of whether there is one.
    let other = store.user_by_email(&other).await?;
    Ok(user.or(other))
}

/// The address with its domain as DNS knows it, or as people read it: the one that it is not.
fn other_spelling(address: &str) -> Option<String> {
    let (local, domain) = address.split_once('@')?;
    let ascii = to_ascii(domain)?;
    let other = if domain == ascii { to_unicode(&ascii)? } else { ascii };
    (other != domain).then(|| format!("{local}@{other}"))
}

/// Whether two addresses are one mailbox, however the domain is spelled.
pub(crate) fn is_same(one: Option<&str>, other: Option<&str>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if deliverable(one) == deliverable(other))
}

/// The address that a provider gives, in lower case; nothing where it is not one plain address.
///
/// Only ASCII letters are folded: `K` (KELVIN SIGN) must not become the `k` of somebody else's address. Nor a domain of
/// characters that IDNA makes others of.
pub(crate) fn of_provider(given: &str) -> Option<String> {
    let address = given.trim().to_ascii_lowercase();
    let (local, domain) = address.split_once('@')?;
    if domain.chars().any(is_refused) {
        return None;
    }
    let unicode = to_unicode(&to_ascii(domain)?)?;
    if !domain.is_ascii() && unicode != domain {
        return None;
    }
    let address = format!("{local}@{unicode}");
    is_single(&address).then_some(address)
}

/// The domain as DNS knows it (UTS 46, non-transitional); nothing where it can be none.
fn to_ascii(domain: &str) -> Option<String> {
    let domain = domain.as_bytes();
    let ascii = Uts46::new().to_ascii(domain, AsciiDenyList::URL, Hyphens::Allow, DnsLength::Verify);
    ascii.ok().map(Cow::into_owned)
}

fn to_unicode(ascii: &str) -> Option<String> {
    let (text, done) = Uts46::new().to_unicode(ascii.as_bytes(), AsciiDenyList::URL, Hyphens::Allow);
    done.ok().map(|()| text.into_owned())
}

/// Whether it is one plain address, whoever reads it.
pub(crate) fn is_single(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else { return false };
    let plain = |text: &str| !text.is_empty() && !text.chars().any(is_refused);
    // What normalization would turn into an `@` or a separator is one for the next program in line.
    address.len() <= LONGEST
        && plain(local)
        && plain(domain)
        && address.nfkc().filter(|c| *c == '@').count() == 1
}

fn is_refused(c: char) -> bool {
    c.is_control() || c.is_whitespace() || matches!(c, '@' | '"' | ',' | ';' | '<' | '>' | '\\')
}

/// NIST SP 800-63B §3.1.3.2: out-of-band secrets are valid for 10 minutes at most.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

const AS_AUTH_JS: Duration = Duration::from_secs(24 * 60 * 60);

/// RFC 5321 §4.5.3.1: 64 for the local part, 255 for the domain.
const LONGEST: usize = 320;
