//! A link becomes a mail, and the mail is handed over.

use std::time::Duration;

use url::Url;

use super::letter::{Letter, Letters, MailTemplate};
use super::{DynMailer, MailError, Message, Sender};
use crate::email;
use crate::error::BoxError;
use crate::hooks::Mail;

/// A mailer that is ready, with what it sends.
pub(crate) struct Postbox {
    pub(crate) mailer: Box<dyn DynMailer>,
    pub(crate) from: Sender,
    pub(crate) letters: Letters,
    pub(crate) lifetime: Duration,
}

impl Postbox {
    /// # Errors
    /// When the mail was not handed over.
    pub(crate) async fn send(&self, mail: Mail) -> Result<(), BoxError> {
        let host = host_of(&mail.url).ok_or(MailError::Message("the link has no host"))?;
        let letter = Letter { host: &host, url: &mail.url, email: &mail.identifier, lifetime: self.lifetime };
        let fill = |name| self.letters.fill(name, letter);
        let message = Message {
            subject: fill(MailTemplate::Subject)?,
            text: fill(MailTemplate::Text)?,
            html: fill(MailTemplate::Html)?,
            from: self.from.clone(),
            to: email::deliverable(&mail.identifier),
            link: mail.url,
        };
        message.check()?;
        Ok(self.mailer.send(message).await?)
    }
}

/// The host of the site, with its port where that is not the usual one.
fn host_of(link: &str) -> Option<String> {
    let url = Url::parse(link).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}
