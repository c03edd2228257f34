//! What somebody wants: from the command line, or else by asking.

use hallpass::Secret;
use hallpass::providers::{ALL, ClientAuth, Spec};
use url::Url;

use super::ask::Terminal;
use crate::cli::{Framework, Init};
use crate::config::{nearest, open_places};
use crate::users::LONGEST_PASSWORD;
use crate::{Failure, secret};

/// All answers.
pub(super) struct Answers {
    pub(super) url: Url,
    pub(super) framework: Framework,
    pub(super) providers: Vec<Chosen>,
    pub(super) user: Option<Person>,
    pub(super) mail: Option<Mail>,
    /// Nothing for the server's own file.
    pub(super) database: Option<String>,
}

/// A provider of the catalogue, and its client as far as it is there already.
pub(super) struct Chosen {
    pub(super) spec: &'static Spec,
    pub(super) id: Option<String>,
    pub(super) secret: Option<Secret>,
    /// What the provider's address leaves open, by the name of its key.
    pub(super) places: Vec<(&'static str, Option<String>)>,
}

/// Somebody with a password.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) password: Secret,
    /// Nobody has chosen it, so it must be told.
    pub(super) is_made: bool,
}

/// Who mails come from, and what sends them.
pub(super) struct Mail {
    pub(super) from: String,
    pub(super) by: MailBy,
    /// The key of a service, if it is there already.
    pub(super) key: Option<Secret>,
}

/// What sends mails.
pub(super) enum MailBy {
    Smtp(Secret),
    Service(&'static str),
}

impl Answers {
    /// # Errors
    /// When an answer on the command line is wrong, or there are no more of them.
    pub(super) fn collect(arguments: &Init) -> Result<Self, Failure> {
        let mut terminal = Terminal::new(arguments.yes);
        let given = arguments.url.as_deref();
        let url = terminal.question("Public address of the site", LOCAL, given, url)?;
        let framework = match arguments.framework {
            Some(framework) => framework,
            None => terminal.question(
                "Front end: next, nuxt, sveltekit, vite or other",
                "other",
                None,
                framework,
            )?,
        };
        let given = Some(arguments.provider.join(",")).filter(|given| !given.is_empty());
        let ids: Vec<_> = ALL.iter().map(|spec| spec.id).collect();
        let question = format!("Providers, with commas between them ({})", ids.join(", "));
        let specs = terminal.question(&question, "none", given.as_deref(), providers)?;
        let chosen = specs.into_iter().map(|spec| Chosen::ask(spec, &mut terminal));
        let providers = chosen.collect::<Result<Vec<_>, _>>()?;
        let mail = Mail::ask(arguments, &mut terminal)?;
        let has_way = mail.is_some() || providers.iter().any(|chosen| !chosen.is_for_later());
        let user = Person::ask(arguments, has_way, &mut terminal)?;
        let question = "Database (sqlite, or postgres://user:password@host/name, or mysql://…)";
        let database = terminal.question(question, "sqlite", arguments.database.as_deref(), database)?;
        Ok(Self { url, framework, providers, user, mail, database })
    }
}

impl Chosen {
    /// It needs a private key, which nobody can make up: its section stays commented out.
    pub(super) fn is_for_later(&self) -> bool {
        self.spec.client_auth == ClientAuth::SignedSecret
    }

    fn ask(spec: &'static Spec, terminal: &mut Terminal) -> Result<Self, Failure> {
        let name = spec.name;
        let ask = |place| Ok((place, terminal.optional(&format!("{name}: {place}"))?));
        let places = open_places(spec).into_iter().map(ask).collect::<Result<_, Failure>>()?;
        let mut chosen = Self { spec, id: None, secret: None, places };
        if !chosen.is_for_later() {
            chosen.id = terminal.optional(&format!("{name}: client id"))?;
            chosen.secret = terminal.secret(&format!("{name}: client secret"))?;
        }
        Ok(chosen)
    }
}

impl Mail {
    fn ask(arguments: &Init, terminal: &mut Terminal) -> Result<Option<Self>, Failure> {
        let given = arguments.mail_from.as_deref();
        if given.is_none() && !terminal.yes_or_no("Sign-in by links in mails?", false)? {
            return Ok(None);
        }
        let from = terminal.question("Address that the mails come from", "", given, sender)?;
        let services = SERVICES.join(", ");
        let question = format!("Sent by (smtp://user:password@host:587, or {services})");
        let by = terminal.question(&question, "", arguments.mail.as_deref(), sending)?;
        let key = match by {
            MailBy::Smtp(_) => None,
            MailBy::Service(name) => terminal.secret(&format!("Key of {name}"))?,
        };
        Ok(Some(Self { from, by, key }))
    }
}

impl Person {
    fn ask(arguments: &Init, has_way: bool, terminal: &mut Terminal) -> Result<Option<Self>, Failure> {
        let made = || {
            let password = secret::new().map_err(Failure::other)?;
            Ok::<_, Failure>(Secret::from(password.expose().get(..20).unwrap_or_default()))
        };
        if let Some(name) = &arguments.user {
            let name = username(name).map_err(|wrong| Failure::Other(format!("--user {wrong}")))?;
            return Ok(Some(Self { name, password: made()?, is_made: true }));
        }
        if !terminal.yes_or_no("People with a name and a password?", !has_way)? {
            return if has_way { Ok(None) } else { Err(Failure::other(NO_WAY)) };
        }
        let name = terminal.question("The first one's name, as they type it", "admin", None, username)?;
        match terminal.new_password()? {
            Some(password) if password.expose().len() > LONGEST_PASSWORD => {
                Err(Failure::Other(format!("the password is longer than {LONGEST_PASSWORD} bytes")))
            }
            Some(password) => Ok(Some(Self { name, password, is_made: false })),
            None => Ok(Some(Self { name, password: made()?, is_made: true })),
        }
    }
}

fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let is_bare = |url: &Url| url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    url.filter(is_bare).ok_or_else(|| "must be an address such as https://app.example.com".to_owned())
}

fn framework(text: &str) -> Result<Framework, String> {
    let known = FRAMEWORKS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    known.map(|(_, framework)| *framework).ok_or_else(|| "must be one of these words".to_owned())
}

fn providers(text: &str) -> Result<Vec<&'static Spec>, String> {
    let mut found: Vec<&'static Spec> = Vec::new();
    let ids = text.split([',', ' ']).map(str::trim).filter(|id| !id.is_empty() && *id != "none");
    for id in ids {
        let Some(spec) = ALL.iter().copied().find(|spec| spec.id == id) else {
            let hint = match nearest(id, ALL.iter().map(|spec| spec.id)) {
                Some(known) => format!("did you mean {known}?"),
                None => "one of your own is described in docs/server.md".to_owned(),
            };
            return Err(format!("{id:?} is not known: {hint}"));
        };
        if found.iter().all(|known| known.id != spec.id) {
            found.push(spec);
        }
    }
    Ok(found)
}

fn sender(text: &str) -> Result<String, String> {
    let address = text.rsplit_once('<').map_or(text, |(_, address)| address.trim_end_matches('>'));
    let is_one = address.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains(['@', ' '])
    });
    match is_one && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err("must be an address such as login@example.com".to_owned()),
    }
}

fn sending(text: &str) -> Result<MailBy, String> {
    if let Some(service) = SERVICES.iter().find(|name| **name == text) {
        return Ok(MailBy::Service(service));
    }
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "smtp" | "smtps") && url.has_host() => {
            Ok(MailBy::Smtp(text.into()))
        }
        _ => Err("must be smtp://user:password@host:587, or one of the services".to_owned()),
    }
}

fn username(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("must not be empty".to_owned()),
        name if name.chars().any(char::is_control) || name.len() > 200 => Err("is no name".to_owned()),
        name => Ok(name.to_owned()),
    }
}

fn database(text: &str) -> Result<Option<String>, String> {
    if text == "sqlite" {
        return Ok(None);
    }
    let is_server = || {
        let known = ["postgres", "postgresql", "mysql", "mariadb"];
        Url::parse(text).is_ok_and(|url| known.contains(&url.scheme()) && url.has_host())
    };
    let file = text.strip_prefix("sqlite:").filter(|file| !file.is_empty());
    match (file.is_some() || is_server()) && !text.chars().any(char::is_control) {
        true => Ok(Some(text.to_owned())),
        false => Err("must be sqlite, sqlite:<file>, postgres://… or mysql://…".to_owned()),
    }
}

const LOCAL: &str = "http://localhost:3000";

const NO_WAY: &str = "nobody could sign in: choose a provider, mails, or somebody with a password";

const FRAMEWORKS: [(&str, Framework); 5] = [
    ("next", Framework::Next),
    ("nuxt", Framework::Nuxt),
    ("sveltekit", Framework::Sveltekit),
    ("vite", Framework::Vite),
    ("other", Framework::Other),
];

/// Those that need nothing but a key.
const SERVICES: [&str; 6] = ["resend", "sendgrid", "postmark", "mailgun", "mailgun-eu", "forwardemail"];
