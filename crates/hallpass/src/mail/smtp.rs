//! Sends mails to a mail server (RFC 5321, submission as in RFC 6409).

use std::fmt;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use tokio::time::timeout;

use super::{MailError, Mailer, Message, Setup};
use crate::random::{Random, SystemRandom};
use crate::{Environment, Secret};

mod address;

use address::{Encryption, ServerAddress};

/// Sends mails to a mail server.
///
/// The address of the server comes from [`url`](Self::url), or from `EMAIL_SERVER`:
/// `smtp://user:password@mail.example:587`, or `smtps://…` where TLS begins with the first byte (port 465).
/// Special characters in user and password are percent-encoded.
///
/// With `smtp` the connection is encrypted before anything is said (STARTTLS); a server that does not offer it, or
/// has a certificate that is not right, is not used. Only on this machine (`localhost`) there is no encryption
/// unless the address asks for it: `?tls=required`. `?tls=none` does without it elsewhere too.
///
/// It needs a Tokio runtime.
///
/// ```
/// use hallpass::mail::Smtp;
/// use hallpass::{Auth, Email, MemoryStore};
///
/// let smtp = Smtp::new().url("smtp://login:secret@mail.acme.example");
/// let builder = Auth::builder()
///     .store(MemoryStore::new())
///     .mailer(Email::new().from("Acme <login@acme.example>"), smtp);
/// ```
#[derive(Clone)]
#[must_use]
pub struct Smtp {
    url: Option<Secret>,
    timeout: Duration,
    roots: Vec<Vec<u8>>,
    without_tls: bool,
    transport: Option<AsyncSmtpTransport<Tokio1Executor>>,
}

impl Smtp {
    /// The server that `EMAIL_SERVER` names.
    pub fn new() -> Self {
        Self { url: None, timeout: TIMEOUT, roots: Vec::new(), without_tls: false, transport: None }
    }

    /// Address of the server, with user and password.
    pub fn url(self, url: impl Into<Secret>) -> Self {
        Self { url: Some(url.into()), ..self }
    }

    /// Until the server has taken a mail, connecting included. Default: 8 seconds. Callbacks as a whole have
    /// [`callback_timeout`](crate::Builder::callback_timeout).
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Trusts this certificate authority too, in PEM.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Switches that take protection away. A reviewer greps for this word.
    pub fn dangerous(self) -> Dangerous {
        Dangerous(self)
    }

    /// Connects to the server and signs in as for a mail, and sends none. `environment` is asked for `EMAIL_SERVER`,
    /// where no [`url`](Self::url) was given.
    ///
    /// # Errors
    /// What keeps mails from being sent: the settings, the connection, TLS, or the sign-in.
    pub async fn check(&self, environment: &Environment) -> Result<(), MailError> {
        let transport = self.transport(environment).map_err(MailError::other)?;
        match timeout(self.timeout, transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(MailError::TimedOut { service: SERVICE }),
            Ok(Err(error)) => Err(failure(error)),
            Err(_) => Err(MailError::TimedOut { service: SERVICE }),
        }
    }

    fn transport(&self, environment: &Environment) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
        let url = self.url.clone().or_else(|| environment.get("EMAIL_SERVER").map(Secret::from));
        let url = url.ok_or("there is no mail server: call `url`, or set EMAIL_SERVER")?;
        let server = ServerAddress::parse(url.expose())?;
        let encryption = if self.without_tls { Encryption::None } else { server.encryption };
        let tls = match encryption {
            Encryption::None => Tls::None,
            Encryption::StartTls => Tls::Required(self.tls(&server.host)?),
            Encryption::FromTheStart => Tls::Wrapper(self.tls(&server.host)?),
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
            .port(server.port)
            .tls(tls)
            .timeout(Some(self.timeout));
        let builder = match server.credentials {
            Some(credentials) => builder.credentials(credentials),
            None => builder,
        };
        Ok(builder.build())
    }

    fn tls(&self, host: &str) -> Result<TlsParameters, String> {
        let wrong = |error: lettre::transport::smtp::Error| format!("TLS cannot be set up: {error}");
        let mut builder = TlsParameters::builder(host.to_owned());
        for pem in &self.roots {
            let is_pem = pem.windows(PEM.len()).any(|text| text == PEM);
            let root = Certificate::from_pem(pem).ok().filter(|_| is_pem);
            let root = root.ok_or("`root_certificate` is not a certificate in PEM")?;
            builder = builder.add_root_certificate(root);
        }
        // Where the system has no certificates of its own, as in an empty container, those that Mozilla trusts.
        builder.clone().build_rustls().or_else(|_| {
            let mozilla = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
            let mut builder = builder.certificate_store(CertificateStore::None);
            for root in mozilla {
                builder = builder.add_root_certificate(Certificate::from_der(root.to_vec()).map_err(wrong)?);
            }
            builder.build_rustls().map_err(wrong)
        })
    }
}

impl Default for Smtp {
    fn default() -> Self {
        Self::new()
    }
}

/// Switches that take protection away.
#[derive(Debug)]
#[must_use]
pub struct Dangerous(Smtp);

impl Dangerous {
    /// Sends without encryption: whoever is on the way reads password and links, and can sign in with them.
    pub fn without_tls(self) -> Smtp {
        Smtp { without_tls: true, ..self.0 }
    }
}

impl Mailer for Smtp {
    /// That of the provider in Auth.js.
    fn id(&self) -> &str {
        "nodemailer"
    }

    fn name(&self) -> &str {
        "Nodemailer"
    }

    fn prepare(&mut self, setup: &Setup<'_>) -> Result<(), String> {
        self.transport = Some(self.transport(setup.environment)?);
        Ok(())
    }

    async fn send(&self, message: Message) -> Result<(), MailError> {
        message.check()?;
        let transport = self.transport.as_ref().ok_or(MailError::Message("the mailer is not prepared"))?;
        let to = one_recipient(&message.to)?;
        let from = one_recipient(message.from.address())?;
        let envelope = Envelope::new(Some(from.clone()), vec![to.clone()]).map_err(MailError::other)?;
        let mime = mime(&message, from, to)?;
        match timeout(self.timeout, transport.send_raw(&envelope, &mime)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failure(error)),
            Err(_) => Err(MailError::TimedOut { service: SERVICE }),
        }
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// The address as the mail library reads it, which must be as we read it.
fn one_recipient(text: &str) -> Result<Address, MailError> {
    let refused = MailError::Message("the mail library reads the address in another way");
    let Some((local, domain)) = text.split_once('@') else { return Err(refused) };
    match text.parse::<Address>() {
        Ok(address)
            if address.user() == local && address.domain() == domain && address.to_string() == text =>
        {
            Ok(address)
        }
        _ => Err(refused),
    }
}

fn mime(message: &Message, from: Address, to: Address) -> Result<Vec<u8>, MailError> {
    let mut random = [0; 16];
    SystemRandom.fill(&mut random).map_err(MailError::other)?;
    let id = format!("<{}@{}>", uuid::Uuid::from_bytes(random).simple(), message.from.domain());
    // Nobody's "I am on holiday" should come back (RFC 3834 §5).
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let builder = lettre::Message::builder()
        .from(Mailbox::new(message.from.name().map(str::to_owned), from))
        .to(Mailbox::new(None, to))
        .subject(&message.subject)
        .message_id(Some(id))
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
    let mime = match message.html.is_empty() {
        true => builder.singlepart(SinglePart::plain(message.text.clone())),
        false => {
            builder.multipart(MultiPart::alternative_plain_html(message.text.clone(), message.html.clone()))
        }
    };
    Ok(mime.map_err(MailError::other)?.formatted())
}

/// The answers of a server repeat addresses: only their code is told.
fn failure(error: lettre::transport::smtp::Error) -> MailError {
    if let Some(code) = error.status() {
        return MailError::Refused { service: SERVICE, status: code.into() };
    }
    if error.is_timeout() {
        return MailError::TimedOut { service: SERVICE };
    }
    MailError::Connection { service: SERVICE, source: Box::new(error) }
}

const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";

const SERVICE: &str = "the mail server";

/// Somebody waits for the page.
const TIMEOUT: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests;
