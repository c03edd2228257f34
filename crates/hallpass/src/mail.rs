//! Sends the mails with magic links: over SMTP, through a service, or as the application does it.
//!
//! ```
//! use hallpass::mail::HttpService;
//! use hallpass::{Auth, Email, MemoryStore};
//!
//! // The key from AUTH_RESEND_KEY.
//! let builder = Auth::builder()
//!     .store(MemoryStore::new())
//!     .mailer(Email::new().from("Acme <login@acme.example>"), HttpService::resend());
//! ```
//!
//! | to send with | use |
//! |---|---|
//! | a mail server | `Smtp`, with the feature `smtp` |
//! | Resend, `SendGrid`, Postmark, Mailgun, Loops, Forward Email | [`HttpService`] |
//! | anything else | your own [`Mailer`], or a closure with [`Builder::email`](crate::Builder::email) |
//!
//! The mail itself comes from three templates, which [`Builder::mail_template`](crate::Builder::mail_template)
//! replaces.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::BoxError;
use crate::http::{HttpClient, HttpError};
use crate::{Environment, email};

mod letter;
mod postbox;
mod sender;
mod service;
#[cfg(feature = "smtp")]
mod smtp;

pub use letter::{MailTemplate, MailTemplateError};
pub use sender::Sender;
pub use service::HttpService;
#[cfg(feature = "smtp")]
pub use smtp::{Dangerous, Smtp};

pub(crate) use letter::Letters;
pub(crate) use postbox::Postbox;

/// Sends mails. An implementation writes plain `async fn`s.
///
/// ```
/// use hallpass::mail::{MailError, Mailer, Message};
///
/// /// Prints what it would send.
/// struct Terminal;
///
/// impl Mailer for Terminal {
///     async fn send(&self, message: Message) -> Result<(), MailError> {
///         println!("{}: {}", message.to, message.link);
///         Ok(())
///     }
/// }
/// ```
pub trait Mailer: Send + Sync + 'static {
    /// Id of the provider, unless [`Email::id`](crate::Email::id) chose another.
    fn id(&self) -> &str {
        "email"
    }

    /// Name of the provider, unless [`Email::name`](crate::Email::name) chose another.
    fn name(&self) -> &str {
        "Email"
    }

    /// Takes what it needs of the configuration; called once, before anything is sent.
    ///
    /// # Errors
    /// What is missing, in words, with what mends it.
    fn prepare(&mut self, setup: &Setup<'_>) -> Result<(), String> {
        let _ = setup;
        Ok(())
    }

    /// Sends one mail to one address. It must end in time: somebody waits for the page.
    ///
    /// # Errors
    /// When the mail was not handed over. The visitor is told no more than that.
    fn send(&self, message: Message) -> impl Future<Output = Result<(), MailError>> + Send;
}

/// One mail to one address. Printing it shows neither address nor text: the link is in it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Message {
    /// The one recipient.
    pub to: String,
    /// The sender.
    pub from: Sender,
    /// The subject: one line.
    pub subject: String,
    /// The text, for programs that show no HTML.
    pub text: String,
    /// The same in HTML.
    pub html: String,
    /// The link in it, for services with templates of their own.
    pub link: String,
}

impl Message {
    /// A mail with a text and without HTML.
    pub fn new(
        to: impl Into<String>,
        from: Sender,
        subject: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            to: to.into(),
            from,
            subject: subject.into(),
            text: text.into(),
            html: String::new(),
            link: String::new(),
        }
    }

    /// Refuses what the next program in line could read as something else.
    ///
    /// # Errors
    /// [`MailError::Message`] when the recipient is not one plain address, or the subject not one line.
    pub fn check(&self) -> Result<(), MailError> {
        if !email::is_single(&self.to) {
            return Err(MailError::Message("the recipient is not one plain address"));
        }
        if self.subject.is_empty() || self.subject.chars().any(char::is_control) {
            return Err(MailError::Message("the subject is not one line"));
        }
        Ok(())
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// What a [`Mailer`] may take from the configuration.
#[derive(Debug)]
pub struct Setup<'a> {
    pub(crate) id: &'a str,
    pub(crate) http: Arc<dyn HttpClient>,
    pub(crate) environment: &'a Environment,
}

impl Setup<'_> {
    /// How other servers are asked.
    pub fn http_client(&self) -> Arc<dyn HttpClient> {
        Arc::clone(&self.http)
    }

    /// A variable of the environment that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name)
    }

    /// The name of a variable of this provider: `AUTH_RESEND_KEY`.
    pub fn own_variable(&self, what: &str) -> String {
        format!("AUTH_{}_{what}", self.id.to_ascii_uppercase().replace('-', "_"))
    }
}

/// Why a mail was not sent. Neither address, text nor key is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    /// The mail itself cannot be sent: nobody was asked.
    #[error("the mail cannot be sent: {0}")]
    Message(&'static str),
    /// It was not taken.
    #[error("{service} answered with status {status}")]
    Refused {
        /// Who was asked.
        service: &'static str,
        /// Status of HTTP, or code of SMTP (RFC 5321 §4.2).
        status: u16,
    },
    /// No answer in time.
    #[error("{service} did not answer in time")]
    TimedOut {
        /// Who was asked.
        service: &'static str,
    },
    /// There was no connection, or none that is safe enough.
    #[error("{service} cannot be reached")]
    Connection {
        /// Who was asked.
        service: &'static str,
        /// What went wrong.
        source: BoxError,
    },
    /// Anything else that a mailer of the application says.
    #[error(transparent)]
    Other(BoxError),
}

impl MailError {
    /// A failure of a mailer of the application.
    pub fn other(error: impl Into<BoxError>) -> Self {
        Self::Other(error.into())
    }

    fn of_http(service: &'static str, error: HttpError) -> Self {
        match error {
            HttpError::TimedOut => Self::TimedOut { service },
            error => Self::Connection { service, source: Box::new(error) },
        }
    }
}

/// A [`Mailer`] whose futures are boxed.
pub(crate) trait DynMailer: Send + Sync {
    fn prepare(&mut self, setup: &Setup<'_>) -> Result<(), String>;

    fn send(&self, message: Message) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + '_>>;
}

impl<M: Mailer> DynMailer for M {
    fn prepare(&mut self, setup: &Setup<'_>) -> Result<(), String> {
        Mailer::prepare(self, setup)
    }

    fn send(&self, message: Message) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + '_>> {
        Box::pin(Mailer::send(self, message))
    }
}

#[cfg(test)]
mod tests;
