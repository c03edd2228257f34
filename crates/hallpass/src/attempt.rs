//! What a request tries, for whoever limits tries in front of Hallpass.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Map, Value};

use crate::config::{Config, ProviderEntry};
use crate::cookie::Cookies;
use crate::core::{Core, MAX_BODY, Ready, message, report};
use crate::credentials::Credentials;
use crate::dialect::Asked;
use crate::email;
use crate::error::{Error, ErrorKind};
use crate::pages::Field;
use crate::request::{Action, Inbound, parse_body, route};
use crate::respond::{AsJson, Body, Outcome};
use crate::verify::Site;

/// What a request tries to do: [`Core::attempt`]. Printing it shows neither names nor addresses.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attempt {
    /// A form of the application is sent: a guess at a password, until somebody has checked it.
    #[non_exhaustive]
    Credentials {
        /// Id of the provider.
        provider: String,
        /// Whose password it is said to be, as it was typed: the fields `username`, `user`, `login` and `email`, those
        /// of the form that password managers fill in with a name, or its first field that is no password where the
        /// form has none of these. Empty where there is nothing of the kind.
        accounts: Vec<String>,
    },
    /// A magic link is asked for.
    #[non_exhaustive]
    Email {
        /// Id of the provider.
        provider: String,
        /// The address that was typed, as Hallpass writes it. The mail goes to it in the spelling that is stored.
        address: String,
    },
    /// Somebody comes back from a provider, with a cookie of the sign-in that they began. The store, where there is
    /// one, remembers for a quarter of an hour that they have. Without such a cookie it is [`Other`](Self::Other): an
    /// image on any site can make a browser ask for the address, and nothing comes of it.
    #[non_exhaustive]
    OAuthCallback {
        /// Id of the provider.
        provider: String,
    },
    /// Anything else.
    Other,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credentials { provider, .. } => f.debug_tuple("Credentials").field(provider).finish(),
            Self::Email { provider, .. } => f.debug_tuple("Email").field(provider).finish(),
            Self::OAuthCallback { provider } => f.debug_tuple("OAuthCallback").field(provider).finish(),
            Self::Other => f.write_str("Other"),
        }
    }
}

impl Core {
    /// What a request tries to do, read as [`handle`](Self::handle) will read it. For limits in front of it: those that
    /// count tries by account must find the same account, however a request is spelled. Whether it would be let in,
    /// with a CSRF token and so on, is not looked at.
    ///
    /// What became of it is in the extensions of the answer: an [`ErrorKind`] where it was refused or failed.
    ///
    /// ```
    /// use hallpass::{Attempt, Auth, Credentials};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let auth = Auth::builder().secret("a text of at least 32 characters, at random")
    /// #     .credentials(Credentials::new(), async |_, ()| Ok(None)).build()?;
    /// let request = http::Request::post("/api/auth/callback/credentials")
    ///     .header("content-type", "application/x-www-form-urlencoded")
    ///     .body("username=ada&password=secret".into())?;
    /// let Attempt::Credentials { accounts, .. } = auth.core().attempt(&request) else { panic!() };
    /// assert_eq!(accounts, ["ada"]);
    /// # Ok(()) }
    /// ```
    pub fn attempt(&self, request: &Request<Bytes>) -> Attempt {
        self.config().and_then(|config| attempt(config, request)).unwrap_or(Attempt::Other)
    }

    /// The answer to a request that comes too soon after too many others: 429 with `Retry-After`, in the shape that
    /// `signIn()` and its like expect, a page for people, and no cookie. It is reported as
    /// [`ErrorKind::TooManyRequests`].
    pub fn too_many(&self, request: Request<Bytes>, retry_after: Duration) -> Response<Bytes> {
        self.respond_with(|ready| Outcome {
            retry_after: Some(retry_after),
            error: Some(ErrorKind::TooManyRequests),
            ..ready.too_many(request)
        })
    }
}

impl Ready {
    fn too_many(&self, request: Request<Bytes>) -> Outcome {
        let config = &self.config;
        let error = Error::new(ErrorKind::TooManyRequests, "too many requests of this kind");
        let inbound = Inbound::parse(request, &config.base_path, &config.dialects);
        let Ok(inbound) = inbound else {
            report(&config.hooks, &error, None);
            return too_many_words();
        };
        report(&config.hooks, &error, Some(&inbound.info));
        let Ok(site) = Site::of(&inbound.info, config) else { return too_many_words() };
        if inbound.action == Action::Session {
            return too_many_words();
        }
        if inbound.as_json == AsJson::No {
            return self.error_page(TOO_MANY, Some(error.kind().public_code()), &site);
        }
        let asked = Asked::of(&inbound, config);
        let (to, _) = self.failure(&error, &asked, &site);
        Outcome::new(Body::ErrorRedirect { to, as_json: asked.as_json, status: TOO_MANY })
    }
}

fn too_many_words() -> Outcome {
    message(TOO_MANY, "too many requests: try again later")
}

fn entry<'c>(config: &'c Config, request: &Request<Bytes>) -> Option<(Action, &'c ProviderEntry)> {
    if request.body().len() > MAX_BODY {
        return None;
    }
    let (action, provider) = route(request.uri().path(), &config.base_path)?;
    Some((action, config.provider(&provider?)?))
}

fn attempt(config: &Config, request: &Request<Bytes>) -> Option<Attempt> {
    let (action, entry) = entry(config, request)?;
    let fields = || Some(parse_body(request.headers(), request.body()).ok()?.0);
    let provider = entry.id().to_owned();
    let is_post = request.method() == Method::POST;
    match (action, entry) {
        (Action::Callback, ProviderEntry::OAuth(_)) if is_post || request.method() == Method::GET => {
            let has_begun = config.has_check(&Cookies::parse(request.headers()));
            has_begun.then_some(Attempt::OAuthCallback { provider })
        }
        (Action::Callback, ProviderEntry::Credentials(form, _)) if is_post => {
            Some(Attempt::Credentials { provider, accounts: accounts(form, &fields()?) })
        }
        (Action::SignIn, ProviderEntry::Email(..)) if is_post => {
            let address = email::normalize(fields()?.get("email")?.as_str()?)?;
            Some(Attempt::Email { provider, address })
        }
        _ => None,
    }
}

fn accounts(form: &Credentials, fields: &Map<String, Value>) -> Vec<String> {
    let is_name = |name: &str| NAMES.contains(&name.to_ascii_lowercase().as_str());
    let names_somebody = |field: &Field| {
        matches!(field.autocomplete_or_guess(), Some("username" | "email")) || is_name(&field.name)
    };
    let in_form = |name: &str| form.fields.iter().any(|field| field.name == name && names_somebody(field));
    let named = fields.iter().filter(|(name, _)| is_name(name) || in_form(name));
    let mut named: Vec<_> = named.map(|it| text(it.1)).collect();
    // What a form does not ask for hides nobody from it.
    if named.is_empty() || !form.fields.iter().any(names_somebody) {
        let mut others = form.fields.iter().filter(|field| field.kind.as_deref() != Some("password"));
        named.extend(others.next().and_then(|field| fields.get(&field.name)).map(text));
    }
    named
}

/// What an application may take for a text: JavaScript makes `ada` of `["ada"]`.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect(),
        Value::Object(members) => members.values().map(text).collect(),
        other => other.to_string(),
    }
}

/// Fields that name somebody in most forms.
const NAMES: [&str; 4] = ["username", "user", "login", "email"];

const TOO_MANY: StatusCode = StatusCode::TOO_MANY_REQUESTS;
