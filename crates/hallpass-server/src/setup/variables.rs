//! Variables of the environment that are nearly ours: a slip of the fingers that nothing else would tell.

use hallpass::providers::ALL;
use hallpass::{Auth, Environment};

use crate::config::nearest;

/// What is set, is read by nobody, and could have been meant as another, which stands beside it.
pub(crate) fn slips(environment: &Environment, auth: Option<&Auth>) -> Vec<(String, String)> {
    let known = known(auth);
    let lower: Vec<_> = known.iter().map(|name| name.to_lowercase()).collect();
    let mut slips: Vec<_> = environment
        .iter()
        .filter(|(name, _)| PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
        .map(|(name, _)| name.strip_suffix("_FILE").unwrap_or(name))
        .filter(|name| !known.iter().any(|it| it == name))
        .filter_map(|name| {
            let meant = nearest(name, lower.iter().map(String::as_str))?;
            Some((name.to_owned(), meant.to_uppercase()))
        })
        .collect();
    slips.sort();
    slips
}

fn known(auth: Option<&Auth>) -> Vec<String> {
    let configured = auth.into_iter().flat_map(|auth| auth.providers("")).map(|provider| provider.id);
    let ids = ALL.iter().map(|spec| spec.id.to_owned()).chain(configured);
    let variable = |id: &str, what: &str| format!("AUTH_{}_{what}", id.to_uppercase().replace('-', "_"));
    let of_providers = ids.flat_map(|id| ["ID", "SECRET", "ISSUER", "KEY"].map(|what| variable(&id, what)));
    NAMES.iter().map(|name| (*name).to_owned()).chain(of_providers).collect()
}

const PREFIXES: [&str; 3] = ["AUTH_", "NEXTAUTH_", "EMAIL_"];

/// Those that belong to no provider.
const NAMES: [&str; 20] = [
    "AUTH_SECRET",
    "AUTH_SECRET_1",
    "AUTH_SECRET_2",
    "AUTH_SECRET_3",
    "AUTH_URL",
    "AUTH_TRUST_HOST",
    "AUTH_REDIRECT_PROXY_URL",
    "AUTH_DATABASE_URL",
    "AUTH_REDIS_URL",
    "NEXTAUTH_SECRET",
    "NEXTAUTH_URL",
    "EMAIL_FROM",
    "EMAIL_SERVER",
    "AUTH_RESEND_KEY",
    "AUTH_SENDGRID_KEY",
    "AUTH_POSTMARK_KEY",
    "AUTH_MAILGUN_KEY",
    "AUTH_LOOPS_KEY",
    "AUTH_LOOPS_TRANSACTIONAL_ID",
    "AUTH_FORWARDEMAIL_KEY",
];

#[cfg(test)]
mod tests;
