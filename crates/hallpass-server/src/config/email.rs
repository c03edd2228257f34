//! Sign-in by magic link: `[email]`, and what the environment adds.

use std::time::Duration;

use hallpass::mail::{HttpService, Smtp};
use hallpass::{Builder, Email, Environment, Secret};

use super::document::Section;
use super::sections::{read_secret_file, read_text_or_file};
use super::{Config, Problem};
use crate::dev::Inbox;
use crate::js::MailProvider;

/// Who the mails are from, how long their links work, and where they go.
#[derive(Debug)]
pub(crate) struct MailSettings {
    email: Email,
    pub(crate) sending: Sending,
}

/// Where the mails go.
#[derive(Debug)]
pub(crate) enum Sending {
    Smtp(Smtp),
    Service(HttpService),
    /// Nowhere: development mode shows them.
    Inbox(Inbox),
}

impl MailSettings {
    /// Adds the provider.
    pub(crate) fn add_to<S: Clone + Send + Sync + 'static>(&self, builder: Builder<S>) -> Builder<S> {
        let email = self.email.clone();
        match &self.sending {
            Sending::Smtp(smtp) => builder.mailer(email, smtp.clone()),
            Sending::Service(service) => builder.mailer(email, service.clone()),
            Sending::Inbox(inbox) => builder.mailer(email, inbox.clone()),
        }
    }
}

/// The section, filled up from the environment. In development mode there is always a way; elsewhere only with the
/// section.
pub(super) fn read(
    section: Option<Section<'_>>,
    environment: &Environment,
    dev: bool,
) -> Option<MailSettings> {
    let Some(mut section) = section else {
        // A key alone may be there for another program.
        let is_meant = environment.get("EMAIL_FROM").is_some();
        let sending = is_meant.then(|| from_environment(environment)).flatten();
        let sending = dev.then(|| sending.unwrap_or_else(inbox))?;
        return Some(MailSettings { email: finished(Email::new(), &sending, environment), sending });
    };
    let id = section.text("id").map(|id| id.value);
    let name = section.text("name").map(|name| name.value);
    let from = section.text("from").map(|from| from.value);
    let max_age = section.duration("max_age");
    let smtp = read_text_or_file(&mut section, "smtp_url", "smtp_url_file");
    let smtp = smtp.map(|url| Secret::from(url.value));
    let service = section.choice("service", SERVICES);
    let key = section.text("key").map(|key| Secret::from(key.value));
    let key_file = section.text("key_file");
    let template = section.text("template").map(|template| template.value);
    if smtp.is_some() && service.is_some() {
        section.note("[email] has `smtp_url` and `service`: keep one of them");
    }
    if key.is_some() && key_file.is_some() {
        section.note("[email] has `key` and `key_file`: keep one of them");
    }
    if service.is_none() && (key.is_some() || key_file.is_some() || template.is_some()) {
        section.note("[email] has a key or a template for a `service`, and names none");
    }
    let key = key.or_else(|| key_file.and_then(|file| read_secret_file(section.document(), &file)));
    let mut email = described(id.as_deref(), name.as_deref(), max_age);
    // The environment wins.
    if let (Some(from), None) = (from, environment.get("EMAIL_FROM")) {
        email = email.from(from);
    }
    let sending = match (service, smtp) {
        (Some((service, variable)), _) => {
            let service = service();
            let service = match key.filter(|_| environment.get(variable).is_none()) {
                Some(key) => service.key(key),
                None => service,
            };
            Some(Sending::Service(match template {
                Some(template) => service.template(template),
                None => service,
            }))
        }
        (None, Some(url)) if environment.get("EMAIL_SERVER").is_none() => {
            Some(Sending::Smtp(Smtp::new().url(url)))
        }
        (None, _) => from_environment(environment).or_else(|| dev.then(inbox)),
    };
    if sending.is_none() {
        section.note(
            "[email] does not say how mails are sent: set `smtp_url` (EMAIL_SERVER), or `service` with its `key`",
        );
    }
    section.end();
    let sending = sending?;
    Some(MailSettings { email: finished(email, &sending, environment), sending })
}

impl Config {
    /// The provider of the configuration in JavaScript that mails links, if there is one.
    pub(super) fn take_mail_provider(&mut self, problems: &mut Vec<Problem>) {
        let Some(said) = self.described().and_then(|described| described.mail.as_ref()) else { return };
        let environment = &self.environment;
        let Some(sending) = sending_of(said, environment).or_else(|| self.dev.then(inbox)) else {
            let (id, file) = (&said.id, self.script.as_ref().map_or("", |script| script.file()));
            return problems.push(Problem::new(format!(
                "{file}: the provider {id:?} does not say how mails are sent: give it a `server` or an `apiKey`, or set \
                 EMAIL_SERVER or the key of a service"
            )));
        };
        let email = described(Some(&said.id), said.name.as_deref(), said.max_age);
        let email = match said.from.as_ref().filter(|_| environment.get("EMAIL_FROM").is_none()) {
            Some(from) => email.from(from),
            None => finished(email, &sending, environment),
        };
        self.email = Some(MailSettings { email, sending });
    }
}

/// With what was said of it.
fn described(id: Option<&str>, name: Option<&str>, max_age: Option<Duration>) -> Email {
    let email = id.into_iter().fold(Email::new(), Email::id);
    let email = name.into_iter().fold(email, Email::name);
    max_age.into_iter().fold(email, Email::max_age)
}

fn sending_of(said: &MailProvider, environment: &Environment) -> Option<Sending> {
    let Some((_, (service, variable))) = SERVICES.iter().find(|(id, _)| *id == said.id) else {
        return match &said.server {
            Some(server) => Some(Sending::Smtp(Smtp::new().url(server.clone()))),
            None => from_environment(environment),
        };
    };
    match &said.key {
        Some(key) => Some(Sending::Service(service().key(key.clone()))),
        None => environment.get(variable).is_some().then(|| Sending::Service(service())),
    }
}

/// Mails that go nowhere need no sender of one's own.
fn finished(email: Email, sending: &Sending, environment: &Environment) -> Email {
    let has_sender = environment.get("EMAIL_FROM").is_some();
    match sending {
        Sending::Inbox(_) if !has_sender => email.from("Hallpass <hallpass@localhost>"),
        _ => email,
    }
}

fn from_environment(environment: &Environment) -> Option<Sending> {
    if environment.get("EMAIL_SERVER").is_some() {
        return Some(Sending::Smtp(Smtp::new()));
    }
    let (_, (service, _)) = SERVICES.iter().find(|(_, (_, variable))| environment.get(variable).is_some())?;
    Some(Sending::Service(service()))
}

fn inbox() -> Sending {
    Sending::Inbox(Inbox::default())
}

/// A service, and the variable with its key.
type Service = (fn() -> HttpService, &'static str);

const SERVICES: &[(&str, Service)] = &[
    ("resend", (HttpService::resend, "AUTH_RESEND_KEY")),
    ("sendgrid", (HttpService::sendgrid, "AUTH_SENDGRID_KEY")),
    ("postmark", (HttpService::postmark, "AUTH_POSTMARK_KEY")),
    ("mailgun", (HttpService::mailgun, "AUTH_MAILGUN_KEY")),
    ("mailgun-eu", (HttpService::mailgun_eu, "AUTH_MAILGUN_KEY")),
    ("loops", (HttpService::loops, "AUTH_LOOPS_KEY")),
    ("forwardemail", (HttpService::forward_email, "AUTH_FORWARDEMAIL_KEY")),
];
