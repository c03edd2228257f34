//! The e-mail provider, and what an address may look like.

use std::time::Duration;

use unicode_normalization::UnicodeNormalization;

/// Sign-in by a link that the application mails. The sending function is the second argument of
/// [`Builder::email`](crate::Builder::email). Needs a store.
#[derive(Clone, Debug)]
#[must_use]
pub struct Email {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) max_age: Duration,
}

impl Email {
    /// Links that work for 24 hours.
    pub fn new() -> Self {
        Self { id: "email".to_owned(), name: "Email".to_owned(), max_age: Duration::from_secs(24 * 60 * 60) }
    }

    /// Id in addresses. Default `email`.
    pub fn id(self, id: impl Into<String>) -> Self {
        Self { id: id.into(), ..self }
    }

    /// Name on the button. Default `Email`.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// How long a link works. Default 24 hours, as in Auth.js.
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
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
/// domains only the first is kept, as in Auth.js.
pub(crate) fn normalize(typed: &str) -> Option<String> {
    if typed.len() > LONGEST {
        return None;
    }
    let text = typed.nfkc().collect::<String>().to_lowercase();
    let (local, domain) = text.trim().split_once('@')?;
    let domain = domain.split(',').next().unwrap_or_default();
    let address = format!("{local}@{domain}");
    is_single(&address).then_some(address)
}

/// The address that a provider gives, in lower case; nothing where it is not one plain address.
///
/// Only ASCII letters are folded: `K` (KELVIN SIGN) must not become the `k` of somebody else's address.
pub(crate) fn of_provider(given: &str) -> Option<String> {
    let address = given.trim().to_ascii_lowercase();
    is_single(&address).then_some(address)
}

fn is_single(address: &str) -> bool {
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

/// RFC 5321 §4.5.3.1: 64 for the local part, 255 for the domain.
const LONGEST: usize = 320;
