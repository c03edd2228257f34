//! Where a mail server is: `smtp://user:password@mail.example:587`.

use std::borrow::Cow;

use lettre::transport::smtp::authentication::Credentials;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::http::Reach;

/// The address of a server, taken apart.
pub(super) struct ServerAddress {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) encryption: Encryption,
    pub(super) credentials: Option<Credentials>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    None,
    StartTls,
    /// RFC 8314 §3.
    FromTheStart,
}

impl ServerAddress {
    /// # Errors
    /// What is wrong with it, without repeating it: a password is in it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("the address of the mail server (EMAIL_SERVER) {what}"));
        let Ok(url) = Url::parse(text) else {
            return wrong("is not one: smtp://user:password@mail.example:587");
        };
        let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
            return wrong("names no host");
        };
        let asked = url.query_pairs().try_fold(None, |_, (name, value)| match (&*name, &*value) {
            ("tls", "none") => Ok(Some(false)),
            ("tls", "required") => Ok(Some(true)),
            _ => Err(()),
        });
        let Ok(asked) = asked else {
            return wrong("may end in `?tls=required` or `?tls=none` and nothing else");
        };
        if !matches!(url.path(), "" | "/") {
            return wrong("has a path");
        }
        let is_local = is_loopback(host);
        let (port, encryption) = match (url.scheme(), asked) {
            ("smtp", Some(false)) => (587, Encryption::None),
            ("smtp", None) if is_local => (587, Encryption::None),
            ("smtp", _) => (587, Encryption::StartTls),
            ("smtps", Some(false)) => return wrong("says both smtps and `tls=none`"),
            ("smtps", _) => (465, Encryption::FromTheStart),
            _ => return wrong("begins neither with smtp:// nor with smtps://"),
        };
        let decode = |text| percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned);
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) | (_, None) => return wrong("has a user or a password, and needs both"),
            (user, Some(password)) => match (decode(user), decode(password)) {
                (Some(user), Some(password)) => Some(Credentials::new(user, password)),
                _ => return wrong("has a user or a password that is not UTF-8"),
            },
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port: url.port().unwrap_or(port), encryption, credentials })
    }
}

fn is_loopback(host: &str) -> bool {
    Host::parse(host).is_ok_and(|host| match host {
        Host::Domain(name) => Reach::is_loopback(&Host::Domain(name.as_str())),
        Host::Ipv4(ip) => Reach::is_loopback(&Host::Ipv4(ip)),
        Host::Ipv6(ip) => Reach::is_loopback(&Host::Ipv6(ip)),
    })
}

#[cfg(test)]
mod tests;
