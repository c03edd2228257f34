//! Services that send mails for an HTTP request.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request};
use url::Url;

use super::{MailError, Mailer, Message, Setup};
use crate::Secret;
use crate::http::{HttpClient, Reach};

mod body;

use body::{basic, bearer};

/// A service that sends mails for an HTTP request. Its key comes from [`key`](Self::key), or from the environment:
/// `AUTH_RESEND_KEY`, `AUTH_SENDGRID_KEY`, `AUTH_POSTMARK_KEY`, `AUTH_MAILGUN_KEY`, `AUTH_LOOPS_KEY`,
/// `AUTH_FORWARDEMAIL_KEY`.
///
/// Where a service would lead links over a server of its own to count clicks, it is told not to: the link is a
/// key to somebody's account. Resend has that setting with the domain; leave it off there.
///
/// ```
/// use hallpass::mail::HttpService;
///
/// let service = HttpService::postmark().key("the server's token");
/// ```
#[derive(Clone)]
#[must_use]
pub struct HttpService {
    kind: Kind,
    base: String,
    key: Option<Secret>,
    template: Option<String>,
    http: Option<Arc<dyn HttpClient>>,
    reach: Reach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Resend,
    SendGrid,
    Postmark,
    Mailgun,
    Loops,
    ForwardEmail,
}

impl HttpService {
    /// Resend.
    pub fn resend() -> Self {
        Self::new(Kind::Resend, "https://api.resend.com")
    }

    /// `SendGrid`.
    pub fn sendgrid() -> Self {
        Self::new(Kind::SendGrid, "https://api.sendgrid.com")
    }

    /// Postmark. The key is the token of one of its servers.
    pub fn postmark() -> Self {
        Self::new(Kind::Postmark, "https://api.postmarkapp.com")
    }

    /// Mailgun in the United States. The domain is that of the sender.
    pub fn mailgun() -> Self {
        Self::new(Kind::Mailgun, "https://api.mailgun.net")
    }

    /// Mailgun in Europe.
    pub fn mailgun_eu() -> Self {
        Self::new(Kind::Mailgun, "https://api.eu.mailgun.net")
    }

    /// Loops, which keeps the mail as a template of its own, with a variable `url`; the templates here do not
    /// count. The id of that template comes from [`template`](Self::template) or `AUTH_LOOPS_TRANSACTIONAL_ID`.
    pub fn loops() -> Self {
        Self::new(Kind::Loops, "https://app.loops.so/api")
    }

    /// Forward Email.
    pub fn forward_email() -> Self {
        Self::new(Kind::ForwardEmail, "https://api.forwardemail.net")
    }

    fn new(kind: Kind, base: &str) -> Self {
        Self { kind, base: base.to_owned(), key: None, template: None, http: None, reach: Reach::Public }
    }

    /// The key. Default: from the environment.
    pub fn key(self, key: impl Into<Secret>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// Id of the template: Loops only.
    pub fn template(self, id: impl Into<String>) -> Self {
        Self { template: Some(id.into()), ..self }
    }

    /// Where the service is, without the path: another region, or a test server on this machine. https, or http
    /// to this machine.
    pub fn endpoint(self, base: impl Into<String>) -> Self {
        Self { base: base.into(), ..self }
    }

    fn read_endpoint(&mut self) -> Result<(), String> {
        let wrong = || format!("`endpoint` of {} is not https: {:?}", self.title(), self.base);
        let url = Url::parse(&self.base).map_err(|_| wrong())?;
        let is_local = url.host().is_some_and(|host| Reach::is_loopback(&host));
        if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
            return Err(wrong());
        }
        self.reach = if is_local { Reach::Loopback } else { Reach::Public };
        self.base = self.base.trim_end_matches('/').to_owned();
        Ok(())
    }

    fn request(&self, message: &Message) -> Result<Request<Bytes>, MailError> {
        let key = self.key.as_ref().ok_or(MailError::Message("the service has no key"))?;
        let (path, body) = match self.kind {
            Kind::Resend => ("/emails".to_owned(), body::resend(message)),
            Kind::SendGrid => ("/v3/mail/send".to_owned(), body::sendgrid(message)),
            Kind::Postmark => ("/email".to_owned(), body::postmark(message)),
            Kind::Mailgun => (body::mailgun_path(message)?, body::mailgun(message)),
            Kind::Loops => ("/v1/transactional".to_owned(), body::loops(message, self.template.as_deref())),
            Kind::ForwardEmail => ("/v1/emails".to_owned(), body::forward_email(message)),
        };
        let (name, value) = match self.kind {
            Kind::Resend | Kind::SendGrid | Kind::Loops => (AUTHORIZATION, bearer(key)),
            Kind::Mailgun => (AUTHORIZATION, basic("api", key.expose())),
            Kind::ForwardEmail => (AUTHORIZATION, basic(key.expose(), "")),
            Kind::Postmark => (HeaderName::from_static("x-postmark-server-token"), key.expose().to_owned()),
        };
        let unusable = |_| MailError::Message("the key holds characters that no header can hold");
        let mut value = HeaderValue::try_from(value).map_err(unusable)?;
        value.set_sensitive(true);
        let kind = if self.kind == Kind::Mailgun { FORM } else { JSON };
        let mut request = Request::post(format!("{}{path}", self.base))
            .header(CONTENT_TYPE, kind)
            .header(ACCEPT, JSON)
            .header(name, value)
            .body(Bytes::from(body))
            .map_err(MailError::other)?;
        request.extensions_mut().insert(self.reach);
        Ok(request)
    }

    /// The name for people.
    fn title(&self) -> &'static str {
        match self.kind {
            Kind::Resend => "Resend",
            Kind::SendGrid => "SendGrid",
            Kind::Postmark => "Postmark",
            Kind::Mailgun => "Mailgun",
            Kind::Loops => "Loops",
            Kind::ForwardEmail => "Forward Email",
        }
    }
}

impl Mailer for HttpService {
    fn id(&self) -> &str {
        match self.kind {
            Kind::Resend => "resend",
            Kind::SendGrid => "sendgrid",
            Kind::Postmark => "postmark",
            Kind::Mailgun => "mailgun",
            Kind::Loops => "loops",
            Kind::ForwardEmail => "forwardemail",
        }
    }

    fn name(&self) -> &str {
        self.title()
    }

    fn prepare(&mut self, setup: &Setup<'_>) -> Result<(), String> {
        self.read_endpoint()?;
        self.http = Some(setup.http_client());
        let variable = setup.own_variable("KEY");
        let key = self.key.take().or_else(|| setup.variable(&variable).map(Secret::from));
        let key = key.filter(|key| !key.expose().is_empty());
        let key = key.ok_or_else(|| format!("{} has no key: call `key`, or set {variable}", self.title()))?;
        if !key.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!(
                "the key of {} ({variable}) holds spaces or other odd characters",
                self.title()
            ));
        }
        self.key = Some(key);
        if self.kind == Kind::Loops && self.template.is_none() {
            let variable = setup.own_variable("TRANSACTIONAL_ID");
            let template = setup.variable(&variable).map(str::to_owned);
            self.template = Some(
                template
                    .ok_or_else(|| format!("Loops has no template: call `template`, or set {variable}"))?,
            );
        }
        Ok(())
    }

    async fn send(&self, message: Message) -> Result<(), MailError> {
        message.check()?;
        let http = self.http.as_ref().ok_or(MailError::Message("the service has no HTTP client"))?;
        let answer = http.send(self.request(&message)?).await;
        let answer = answer.map_err(|error| MailError::of_http(self.title(), error))?;
        if answer.status().is_success() {
            return Ok(());
        }
        // The answer may repeat address and key: only its status is told.
        Err(MailError::Refused { service: self.title(), status: answer.status().as_u16() })
    }
}

impl fmt::Debug for HttpService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpService")
            .field("kind", &self.kind)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

const JSON: &str = "application/json";

const FORM: &str = "application/x-www-form-urlencoded";

#[cfg(test)]
mod tests;
