//! What a configuration says before the first request: providers and settings.

use std::time::Duration;

use hallpass::pages::ColorScheme;
use hallpass::{CookieKind, CookieOptions, PagePaths, SameSite, Secret, Strategy, Theme};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::fault::{Fault, Kind};
use crate::config::nearest;

mod mail;

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Description {
    pub(super) callbacks: Vec<String>,
    pub(super) events: Vec<String>,
    /// OAuth 2 and OpenID Connect.
    pub(super) providers: Vec<Map<String, Value>>,
    pub(super) forms: Vec<Form>,
    pub(crate) mail: Option<MailProvider>,
    pub(crate) pages: Option<PagePaths>,
    pub(crate) theme: Option<Theme>,
    pub(crate) secrets: Vec<String>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) update_age: Option<Duration>,
    pub(crate) strategy: Option<Strategy>,
    pub(crate) trust_host: Option<bool>,
    pub(crate) secure_cookies: Option<bool>,
    pub(crate) base_path: Option<String>,
    pub(crate) redirect_proxy_url: Option<String>,
    pub(crate) cookies: Vec<(CookieKind, CookieOptions)>,
}

/// A form of the application.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) fields: Map<String, Value>,
}

/// A provider that mails links.
#[derive(Debug, Default)]
pub(crate) struct MailProvider {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) from: Option<String>,
    /// Address of a mail server.
    pub(crate) server: Option<Secret>,
    /// Key of a service.
    pub(crate) key: Option<Secret>,
    pub(crate) max_age: Option<Duration>,
}

#[derive(Deserialize)]
struct Told {
    keys: Vec<String>,
    callbacks: Vec<String>,
    events: Vec<String>,
    settings: Settings,
    providers: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    pages: Option<Map<String, Value>>,
    session: Option<Map<String, Value>>,
    theme: Option<Map<String, Value>>,
    secret: Option<Value>,
    jwt: Option<Map<String, Value>>,
    trust_host: Option<bool>,
    use_secure_cookies: Option<bool>,
    cookies: Option<Map<String, Value>>,
    base_path: Option<String>,
    redirect_proxy_url: Option<String>,
}

impl Description {
    /// # Errors
    /// The first thing in it that Hallpass does not have.
    pub(super) fn read(json: &str) -> Result<Self, Fault> {
        let told: Told = serde_json::from_str(json)
            .map_err(|error| wrong(format!("an option is not as it should be: {error}")))?;
        known("the option", &told.keys, OPTIONS)?;
        known("the callback", &told.callbacks, &["signIn", "redirect", "jwt", "session"])?;
        known("the event", &told.events, EVENTS)?;
        let mut description = Self { callbacks: told.callbacks, events: told.events, ..Self::default() };
        description.read_settings(told.settings)?;
        for provider in told.providers {
            description.read_provider(provider)?;
        }
        Ok(description)
    }

    fn read_settings(&mut self, settings: Settings) -> Result<(), Fault> {
        if let Some(pages) = settings.pages {
            self.pages = Some(read_pages(&pages)?);
        }
        if let Some(theme) = settings.theme {
            self.theme = Some(read_theme(&theme)?);
        }
        if let Some(session) = settings.session {
            let keys: Vec<_> = session.keys().cloned().collect();
            known("`session.", &keys, &["strategy", "maxAge", "updateAge", "generateSessionToken"])?;
            self.max_age = seconds(&session, "maxAge")?;
            self.update_age = seconds(&session, "updateAge")?;
            self.strategy = match session.get("strategy").and_then(Value::as_str) {
                Some("jwt") => Some(Strategy::Jwt),
                Some("database") => Some(Strategy::Database),
                Some(other) => {
                    return Err(
                        wrong(format!("`session.strategy` is {other:?}")).cure("\"jwt\" or \"database\"")
                    );
                }
                None => None,
            };
        }
        if let Some(jwt) = settings.jwt {
            let keys: Vec<_> = jwt.keys().cloned().collect();
            known("`jwt.", &keys, &["maxAge", "secret"])?;
            self.max_age = self.max_age.or(seconds(&jwt, "maxAge")?);
            if let Some(secret) = jwt.get("secret").and_then(Value::as_str) {
                self.secrets = vec![secret.to_owned()];
            }
        }
        self.secrets = match settings.secret {
            Some(Value::String(secret)) if !secret.is_empty() => vec![secret],
            Some(Value::Array(all)) => all.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect(),
            _ => std::mem::take(&mut self.secrets),
        };
        self.trust_host = settings.trust_host;
        self.secure_cookies = settings.use_secure_cookies;
        self.base_path = settings.base_path;
        self.redirect_proxy_url = settings.redirect_proxy_url;
        for (name, value) in settings.cookies.into_iter().flatten() {
            self.cookies.push(read_cookie(&name, &value)?);
        }
        Ok(())
    }

    fn read_provider(&mut self, provider: Map<String, Value>) -> Result<(), Fault> {
        let text = |name: &str| provider.get(name).and_then(Value::as_str).map(str::to_owned);
        let Some(id) = text("id") else { return Err(wrong("a provider has no `id`")) };
        match text("type").as_deref() {
            Some("credentials") => {
                if !has_function(&provider, "authorize") {
                    return Err(wrong(format!("the provider {id:?} has no `authorize`"))
                        .cure("a function that returns the user, or null"));
                }
                let fields =
                    provider.get("credentials").and_then(Value::as_object).cloned().unwrap_or_default();
                self.forms.push(Form { id, name: text("name"), fields });
            }
            Some("email") => {
                if let Some(other) = &self.mail {
                    let other = &other.id;
                    return Err(wrong(format!("the providers {other:?} and {id:?} both send mails"))
                        .cure("keep one of them"));
                }
                self.mail = Some(mail::read(id, &provider)?);
            }
            Some("webauthn") => {
                return Err(wrong(format!("the provider {id:?} is not supported")).cure("leave it out"));
            }
            _ => self.providers.push(provider),
        }
        Ok(())
    }
}

/// Whether a field of a provider is a function.
pub(super) fn has_function(provider: &Map<String, Value>, name: &str) -> bool {
    let functions = provider.get("functions").and_then(Value::as_array);
    functions.is_some_and(|all| all.iter().any(|it| it.as_str() == Some(name)))
}

/// A mistake in the options.
pub(super) fn wrong(message: impl Into<String>) -> Fault {
    Fault::new(Kind::Broken, message)
}

fn known(what: &str, names: &[String], all: &[&str]) -> Result<(), Fault> {
    let Some(unknown) = names.iter().find(|name| !all.contains(&name.as_str())) else { return Ok(()) };
    let named =
        if what.starts_with('`') { format!("{what}{unknown}`") } else { format!("{what} `{unknown}`") };
    let fault = wrong(format!("{named} is not supported"));
    if let Some((_, why)) = REASONS.iter().find(|(name, _)| name == unknown) {
        return Err(fault.cure(*why));
    }
    let lower: Vec<_> = all.iter().map(|name| name.to_lowercase()).collect();
    let near = nearest(unknown, lower.iter().map(String::as_str))
        .and_then(|near| all.iter().find(|name| name.to_lowercase() == near));
    Err(match near {
        Some(near) => fault.cure(format!("did you mean `{near}`?")),
        None => fault.cure("leave it out"),
    })
}

fn seconds(table: &Map<String, Value>, key: &str) -> Result<Option<Duration>, Fault> {
    let Some(value) = table.get(key).filter(|value| !value.is_null()) else { return Ok(None) };
    let seconds = value.as_f64().filter(|it| it.is_finite() && (0.0..1e11).contains(it));
    match seconds {
        Some(seconds) => Ok(Some(Duration::from_secs_f64(seconds.trunc()))),
        None => Err(wrong(format!("`{key}` is no number of seconds"))),
    }
}

fn read_pages(pages: &Map<String, Value>) -> Result<PagePaths, Fault> {
    let keys: Vec<_> = pages.keys().cloned().collect();
    known("`pages.", &keys, &["signIn", "signOut", "error", "verifyRequest", "newUser"])?;
    let text = |name: &str| pages.get(name).and_then(Value::as_str);
    let mut paths = PagePaths::new();
    if let Some(path) = text("signIn") {
        paths = paths.sign_in(path);
    }
    if let Some(path) = text("signOut") {
        paths = paths.sign_out(path);
    }
    if let Some(path) = text("error") {
        paths = paths.error(path);
    }
    if let Some(path) = text("verifyRequest") {
        paths = paths.verify_request(path);
    }
    if let Some(path) = text("newUser") {
        paths = paths.new_user(path);
    }
    Ok(paths)
}

fn read_theme(theme: &Map<String, Value>) -> Result<Theme, Fault> {
    let keys: Vec<_> = theme.keys().cloned().collect();
    known("`theme.", &keys, &["colorScheme", "brandColor", "logo", "buttonText"])?;
    let text = |name: &str| theme.get(name).and_then(Value::as_str);
    let mut looks = Theme::new();
    if let Some(color) = text("brandColor") {
        looks = looks.brand_color(color);
    }
    if let Some(logo) = text("logo") {
        looks = looks.logo(logo);
    }
    if let Some(color) = text("buttonText") {
        looks = looks.button_text(color);
    }
    match text("colorScheme") {
        None => Ok(looks),
        Some("auto") => Ok(looks.color_scheme(ColorScheme::Auto)),
        Some("light") => Ok(looks.color_scheme(ColorScheme::Light)),
        Some("dark") => Ok(looks.color_scheme(ColorScheme::Dark)),
        Some(_) => Err(wrong("`theme.colorScheme` is unknown").cure("\"auto\", \"light\" or \"dark\"")),
    }
}

fn read_cookie(name: &str, value: &Value) -> Result<(CookieKind, CookieOptions), Fault> {
    let kind = match name {
        "sessionToken" => CookieKind::SessionToken,
        "callbackUrl" => CookieKind::CallbackUrl,
        "csrfToken" => CookieKind::CsrfToken,
        "pkceCodeVerifier" => CookieKind::PkceCodeVerifier,
        "state" => CookieKind::State,
        "nonce" => CookieKind::Nonce,
        _ => return Err(wrong(format!("`cookies.{name}` is not supported")).cure("leave it out")),
    };
    let mut cookie = CookieOptions::new();
    if let Some(name) = value.get("name").and_then(Value::as_str) {
        cookie = cookie.name(name);
    }
    for (key, value) in value.get("options").and_then(Value::as_object).into_iter().flatten() {
        cookie = match (key.as_str(), value) {
            ("httpOnly", Value::Bool(it)) => cookie.http_only(*it),
            ("domain", Value::String(it)) => cookie.domain(it),
            ("path", Value::String(it)) => cookie.path(it),
            ("sameSite", Value::String(it)) => cookie.same_site(match it.to_ascii_lowercase().as_str() {
                "strict" => SameSite::Strict,
                "none" => SameSite::None,
                _ => SameSite::Lax,
            }),
            // `Secure` follows from `useSecureCookies`.
            ("secure", Value::Bool(_)) => cookie,
            _ => {
                return Err(wrong(format!("`cookies.{name}.options.{key}` is not supported"))
                    .cure("name, httpOnly, sameSite, path and domain are"));
            }
        };
    }
    Ok((kind, cookie))
}

const OPTIONS: &[&str] = &[
    "providers",
    "callbacks",
    "events",
    "pages",
    "session",
    "theme",
    "secret",
    "jwt",
    "trustHost",
    "useSecureCookies",
    "cookies",
    "basePath",
    "debug",
    "redirectProxyUrl",
];

const EVENTS: &[&str] = &["signIn", "signOut", "createUser", "updateUser", "linkAccount", "session"];

/// Why Auth.js has something that Hallpass has not.
const REASONS: &[(&str, &str)] = &[
    ("adapter", "Hallpass keeps people and sessions itself: leave it out"),
    ("logger", "what callbacks write with `console` goes to the log: leave it out, and set HALLPASS_LOG"),
    ("experimental", "leave it out"),
    ("skipCSRFCheck", "Hallpass always checks: leave it out"),
    ("encode", "the format of tokens is fixed, so that Auth.js reads them: leave it out"),
    ("decode", "the format of tokens is fixed, so that Auth.js reads them: leave it out"),
];
