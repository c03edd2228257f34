//! Settings become a configuration, or a list of everything that is wrong with them.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use url::Url;

use super::{
    Config, ConfigError, Environment, Forwarded, Misconfigured, Problem, ProviderEntry, Settings, Strategy,
    TrustHost, origin_of,
};
use crate::clock::SystemClock;
use crate::cookie::CookieSet;
use crate::dialect::Dialects;
use crate::error::ErrorKind;
use crate::http::HttpClient;
use crate::jose::{Dialect, TokenKeys};
use crate::mail::{Letters, Postbox, Sender, Setup};
use crate::pages::Pages;
use crate::providers::ProviderProblemKind;
use crate::random::SystemRandom;
use crate::relying_party::RelyingParty;

impl Settings {
    /// Checks everything once.
    ///
    /// # Errors
    /// All problems at once, each with the setting that mends it.
    pub(crate) fn check(mut self) -> Result<Config, ConfigError> {
        let environment = self.environment.take().unwrap_or_else(Environment::of_process);
        self.read(&environment);
        let mut problems = Problems::default();
        let dialects = problems.dialects(&self);
        problems.secrets(&self);
        let url = problems.url(&self);
        let base_path = problems.base_path(&self, url.as_ref());
        problems.providers(&self);
        for problem in self.problems.drain(..) {
            problems.add(ErrorKind::Configuration, problem);
        }
        problems.addresses(&self);
        problems.durations(&self);
        problems.cookies(&self, &dialects);
        let pages = problems.pages(&self);
        let http = problems.http(self.http.take());
        problems.mailers(&mut self, &environment, http.as_ref());
        let (Some(pages), Some(http), true) = (pages, http, problems.0.is_empty()) else {
            return Err(ConfigError(Box::new(Misconfigured {
                problems: problems.0,
                base_path,
                dialects,
                error_page: self.pages.error,
                theme: self.theme,
                hooks: self.hooks,
            })));
        };
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let random = self.random.unwrap_or_else(|| Arc::new(SystemRandom));
        let trust_host = match self.trust_host {
            Some(true) => TrustHost::Any,
            Some(false) => TrustHost::Nobody,
            None if url.is_some() => TrustHost::Any,
            None => TrustHost::Loopback,
        };
        Ok(Config {
            base_path,
            origin: url.as_ref().and_then(origin_of),
            trust_host,
            forwarded: self.forwarded.unwrap_or(Forwarded::ProtoAndHost),
            redirect_origins: self.redirect_origins.iter().chain(&self.trusted_origins).cloned().collect(),
            trusted_origins: self.trusted_origins.into(),
            secure_cookies: self.secure_cookies,
            state_keys: Arc::new(TokenKeys::derive(Dialect::V5, &self.secrets, "encodedState")),
            plain: Arc::new(CookieSet::new(&self.cookies, false, &self.secrets, &dialects)),
            secure: Arc::new(CookieSet::new(&self.cookies, true, &self.secrets, &dialects)),
            dialects,
            secrets: self.secrets.into(),
            cookie_budget: self.cookie_budget.unwrap_or(DEFAULT_COOKIE_BUDGET),
            session_max_age: self.session_max_age.unwrap_or(DEFAULT_MAX_AGE),
            jwt_update_age: self.jwt_update_age.unwrap_or(Duration::ZERO),
            session_absolute_max_age: self.session_absolute_max_age,
            session_client_retention: self.session_client_retention,
            callback_timeout: self.callback_timeout.unwrap_or(DEFAULT_CALLBACK_TIMEOUT),
            query_keys: self.query_keys.into(),
            development: self.development.unwrap_or(cfg!(debug_assertions)),
            views: self
                .cache_for
                .map(|most| Cache::builder().max_capacity(100_000).time_to_live(most).build()),
            epochs: (self.revocation_delay.unwrap_or(Some(DEFAULT_REVOCATION_DELAY)))
                .map(|delay| Cache::builder().max_capacity(100_000).time_to_live(delay).build()),
            // A session shorter than that is written at every read.
            session_update_age: self.session_update_age.unwrap_or(DEFAULT_UPDATE_AGE),
            strategy: self.strategy.unwrap_or(match self.store {
                Some(_) => Strategy::Database,
                None => Strategy::Jwt,
            }),
            providers: self.providers.into(),
            paths: self.pages,
            theme: self.theme,
            pages: Arc::new(pages),
            redirect_proxy_url: self.redirect_proxy_url,
            skip_csrf_check: self.skip_csrf_check,
            compat: self.compat,
            hooks: self.hooks,
            store: self.store,
            relying_party: RelyingParty::new(http, Arc::clone(&clock), Arc::clone(&random)),
            clock,
            random,
        })
    }

    /// Fills in from the environment what the application has not said.
    fn read(&mut self, environment: &Environment) {
        if self.secrets.is_empty() {
            self.secrets = environment.secrets();
        }
        let variable = |name| environment.get(name).map(str::to_owned);
        self.url = self.url.take().or_else(|| variable("AUTH_URL")).or_else(|| variable("NEXTAUTH_URL"));
        // With a `url` no header is believed anyhow.
        let from_environment = environment.trust_host().filter(|trust| *trust || self.url.is_none());
        self.trust_host = self.trust_host.or(from_environment);
        let proxy = self.redirect_proxy_url.take();
        self.redirect_proxy_url = proxy.or_else(|| variable("AUTH_REDIRECT_PROXY_URL"));
        for entry in &mut self.providers {
            if let ProviderEntry::OAuth(provider) = entry {
                Arc::make_mut(provider)
                    .fill_from_environment(&|name| environment.get(name).map(str::to_owned));
            }
        }
    }
}

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, kind: ErrorKind, message: impl Into<String>) {
        self.0.push(Problem { kind, message: message.into() });
    }

    fn dialects(&mut self, settings: &Settings) -> Dialects {
        if settings.dialects.as_ref().is_some_and(Vec::is_empty) {
            self.add(
                ErrorKind::Configuration,
                "`dialects` is empty: name `Dialect::V5`, `Dialect::V4` or both",
            );
        }
        Dialects::new(settings.dialects.as_deref().unwrap_or_default())
    }

    fn secrets(&mut self, settings: &Settings) {
        match settings.secrets.first().map(|secret| secret.expose().len()) {
            None => self.add(
                ErrorKind::MissingSecret,
                "there is no secret: set AUTH_SECRET, or call `secret` (`hallpass secret` makes one)",
            ),
            Some(length) if length < SHORTEST_SECRET => self.add(
                ErrorKind::MissingSecret,
                format!(
                    "the secret has {length} characters, {SHORTEST_SECRET} are needed: put a new one in front \
                     with `secrets` or AUTH_SECRET_1 (`hallpass secret` makes one); old sessions stay readable"
                ),
            ),
            Some(_) => {}
        }
        // Whoever knows that an old secret is empty could seal sessions with it.
        if settings.secrets.iter().skip(1).any(|secret| secret.expose().is_empty()) {
            self.add(ErrorKind::MissingSecret, "one of the older secrets is empty: take it out of `secrets`");
        }
    }

    fn url(&mut self, settings: &Settings) -> Option<Url> {
        let text = settings.url.as_deref()?;
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => Some(url),
            _ => {
                self.add(
                    ErrorKind::Configuration,
                    format!("`url` (AUTH_URL) is not an http address: {text:?}"),
                );
                None
            }
        }
    }

    fn base_path(&mut self, settings: &Settings, url: Option<&Url>) -> String {
        let from_url = url.map(|url| url.path().trim_end_matches('/')).filter(|path| !path.is_empty());
        let path =
            settings.base_path.as_deref().or(from_url).unwrap_or(DEFAULT_BASE_PATH).trim_end_matches('/');
        let clean = path.starts_with('/') && !path.contains("//") && path.bytes().all(is_path_byte);
        if !clean {
            self.add(
                ErrorKind::Configuration,
                format!("`base_path` must be a path such as \"/api/auth\", not {path:?}"),
            );
        }
        path.to_owned()
    }

    fn providers(&mut self, settings: &Settings) {
        if settings.providers.is_empty() {
            self.add(
                ErrorKind::Configuration,
                "there is no way to sign in: call `provider`, `credentials`, `email` or `mailer`",
            );
        }
        for (index, entry) in settings.providers.iter().enumerate() {
            let id = entry.id();
            if settings.providers.iter().take(index).any(|other| other.id() == id) {
                self.add(
                    ErrorKind::Configuration,
                    format!("two providers have the id {id:?}: give one another id"),
                );
            }
            if let ProviderEntry::Email(email, _) = entry
                && email.max_age.is_some_and(|age| !LINK_AGES.contains(&age))
            {
                self.add(
                    ErrorKind::Configuration,
                    format!("the e-mail provider {id:?}: `max_age` must be between one second and 30 days"),
                );
            }
            match entry {
                ProviderEntry::OAuth(provider) => {
                    for problem in provider.problems() {
                        let kind = match problem.kind {
                            ProviderProblemKind::Endpoints => ErrorKind::InvalidEndpoints,
                            _ => ErrorKind::Configuration,
                        };
                        self.add(kind, problem.to_string());
                    }
                }
                ProviderEntry::Email(..) if settings.store.is_none() => self.add(
                    ErrorKind::MissingStore,
                    format!("the e-mail provider {id:?} keeps tokens, and there is no store: call `store`"),
                ),
                ProviderEntry::Email(..) | ProviderEntry::Credentials(..) => {
                    if !is_id(id) {
                        self.add(
                            ErrorKind::Configuration,
                            format!("the provider id {id:?} may hold letters, digits, `-` and `_` only"),
                        );
                    }
                }
            }
        }
    }

    fn addresses(&mut self, settings: &Settings) {
        if let Some(text) = &settings.redirect_proxy_url
            && Url::parse(text).ok().as_ref().and_then(origin_of).is_none()
        {
            self.add(
                ErrorKind::Configuration,
                format!("`redirect_proxy_url` (AUTH_REDIRECT_PROXY_URL) is not an http address: {text:?}"),
            );
        }
        let origins = [
            ("trusted_origins", &settings.trusted_origins),
            ("redirect_origins", &settings.redirect_origins),
        ];
        for (name, origins) in origins {
            let is_origin = |text: &String| {
                Url::parse(text).ok().as_ref().and_then(origin_of).is_some_and(|origin| origin == *text)
                    // It would be no pattern.
                    && !text.contains('*')
            };
            if let Some(text) = origins.iter().find(|text| !is_origin(text)) {
                let message =
                    format!("`{name}` must hold origins such as \"https://app.example.com\", not {text:?}");
                self.add(ErrorKind::Configuration, message);
            }
        }
        let pages = &settings.pages;
        let named = [
            ("sign_in", &pages.sign_in),
            ("sign_out", &pages.sign_out),
            ("error", &pages.error),
            ("verify_request", &pages.verify_request),
            ("new_user", &pages.new_user),
        ];
        for (name, page) in named {
            let Some(page) = page else { continue };
            let is_path = page.starts_with('/') && !page.starts_with("//") && !page.contains('\\');
            let is_address = Url::parse(page).ok().as_ref().and_then(origin_of).is_some();
            if (!is_path && !is_address) || !page.bytes().all(|byte| byte.is_ascii_graphic()) {
                self.add(
                    ErrorKind::Configuration,
                    format!("`pages().{name}` must be a path on the site or an http address, not {page:?}"),
                );
            }
        }
    }

    fn durations(&mut self, settings: &Settings) {
        let max_age = settings.session_max_age.unwrap_or(DEFAULT_MAX_AGE);
        if max_age < Duration::from_secs(1) || max_age > LONGEST_MAX_AGE {
            self.add(ErrorKind::Configuration, "`session_max_age` must be between one second and 400 days");
        }
        if settings.strategy == Some(Strategy::Database) && settings.store.is_none() {
            self.add(
                ErrorKind::MissingStore,
                "`session_strategy` keeps sessions in the store, and there is none: call `store`",
            );
        }
        if settings.session_absolute_max_age.is_some_and(|age| age < Duration::from_secs(1)) {
            self.add(ErrorKind::Configuration, "`session_absolute_max_age` must be at least one second");
        }
        if settings.callback_timeout.is_some_and(|limit| limit.is_zero()) {
            self.add(ErrorKind::Configuration, "`callback_timeout` must be longer than nothing");
        }
        if !settings.query_keys.is_empty() && settings.hooks.jwt.is_none() {
            self.add(
                ErrorKind::Configuration,
                "`update_from_query` gives updates to the `jwt` callback, and there is none: call `jwt`",
            );
        }
        if let Some(own) =
            settings.query_keys.iter().find(|key| matches!(key.as_str(), "callbackUrl" | "csrfToken"))
        {
            self.add(ErrorKind::Configuration, format!("`update_from_query`: {own:?} is Hallpass' own"));
        }
        if settings.session_update_age.is_some_and(|age| age >= max_age) {
            self.add(ErrorKind::Configuration, "`session_update_age` must be shorter than `session_max_age`");
        }
        if settings.jwt_update_age.is_some_and(|age| age >= max_age) {
            self.add(ErrorKind::Configuration, "`jwt_update_age` must be shorter than `session_max_age`");
        }
    }

    fn http(&mut self, own: Option<Arc<dyn HttpClient>>) -> Option<Arc<dyn HttpClient>> {
        let client = own.or_else(default_client);
        if client.is_none() {
            self.add(
                ErrorKind::Configuration,
                "there is no HTTP client: call `http_client`, or use the feature `client`",
            );
        }
        client
    }

    /// Lets each mailer take what it needs, and puts it in its place.
    fn mailers(
        &mut self,
        settings: &mut Settings,
        environment: &Environment,
        http: Option<&Arc<dyn HttpClient>>,
    ) {
        let mailers = std::mem::take(&mut settings.mailers);
        let Some(http) = http.filter(|_| !mailers.is_empty()) else { return };
        let letters = match Letters::new(&settings.theme, &settings.mail_templates) {
            Ok(letters) => letters,
            Err(error) => return self.add(ErrorKind::Configuration, format!("`mail_template`: {error}")),
        };
        for (place, mut mailer) in mailers {
            let Some(ProviderEntry::Email(email, send)) = settings.providers.get_mut(place) else { continue };
            let mut wrong = |what: String| {
                self.add(ErrorKind::Configuration, format!("the e-mail provider {:?}: {what}", email.id));
            };
            let setup = Setup { id: &email.id, http: Arc::clone(http), environment };
            if let Err(problem) = mailer.prepare(&setup) {
                wrong(problem);
            }
            let from = match email.from.as_deref().or_else(|| environment.get("EMAIL_FROM")) {
                Some(from) => from.parse::<Sender>().map_err(|error| format!("`from` (EMAIL_FROM): {error}")),
                None => Err("nobody sends the mails: call `from`, or set EMAIL_FROM".to_owned()),
            };
            let from = match from {
                Ok(from) => from,
                Err(problem) => {
                    wrong(problem);
                    continue;
                }
            };
            let lifetime = email.lifetime(settings.compat);
            let postbox = Arc::new(Postbox { mailer, from, letters: letters.clone(), lifetime });
            *send = Arc::new(move |mail| {
                let postbox = Arc::clone(&postbox);
                Box::pin(async move { postbox.send(mail).await })
            });
        }
    }

    fn cookies(&mut self, settings: &Settings, dialects: &Dialects) {
        for (kind, options) in &settings.cookies {
            if let Some(what) = options.mistake() {
                self.add(ErrorKind::Configuration, format!("`cookie` ({kind:?}): {what}"));
            }
        }
        if let Some(name) = CookieSet::unkeepable(&settings.cookies, dialects) {
            let message = format!(
                "`cookie`: browsers drop {name:?}, whose `__Host-` wants no domain and the path `/`: give it another name"
            );
            self.add(ErrorKind::Configuration, message);
        }
        // Sealed cookies of one name would open in each other's place.
        for secure in [false, true] {
            let mut names = CookieSet::names(&settings.cookies, secure, dialects);
            names.sort_unstable();
            names.dedup();
            if let Some([(name, _), _]) = names.array_windows().find(|[(name, _), (next, _)]| name == next) {
                let message = format!("two cookies have the name {name:?}: give one another with `cookie`");
                return self.add(ErrorKind::Configuration, message);
            }
        }
    }

    fn pages(&mut self, settings: &Settings) -> Option<Pages> {
        let mut brands: Vec<(&str, &str)> = Vec::new();
        for entry in &settings.providers {
            if let ProviderEntry::OAuth(provider) = entry
                && let Some(brand) = provider.brand.as_deref()
            {
                brands.push((provider.id(), brand));
            }
        }
        let pages = settings
            .templates
            .iter()
            .try_fold(Pages::new(&settings.theme, &brands), |pages, (name, source)| {
                Ok(pages.and_then(|pages| pages.with_template(*name, source.clone())))
            });
        match pages.and_then(|pages| pages) {
            Ok(pages) => Some(pages),
            Err(error) => {
                self.add(ErrorKind::Configuration, format!("`theme` or `template`: {error}"));
                None
            }
        }
    }
}

/// The built-in client, where it is compiled in.
fn default_client() -> Option<Arc<dyn HttpClient>> {
    #[cfg(feature = "client")]
    return Some(Arc::new(crate::http::Client::new()));
    #[cfg(not(feature = "client"))]
    return None;
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~' | b'@' | b',' | b'%')
}

/// next-auth and nuxt-auth look here.
const DEFAULT_BASE_PATH: &str = "/api/auth";

const DEFAULT_MAX_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

const DEFAULT_REVOCATION_DELAY: Duration = Duration::from_secs(5);

const DEFAULT_CALLBACK_TIMEOUT: Duration = Duration::from_secs(10);

const DEFAULT_UPDATE_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a magic link may work.
const LINK_AGES: RangeInclusive<Duration> = Duration::from_secs(1)..=DEFAULT_MAX_AGE;

/// What browsers keep a cookie for at most.
const LONGEST_MAX_AGE: Duration = Duration::from_secs(400 * 24 * 60 * 60);

const DEFAULT_COOKIE_BUDGET: usize = 16 * 1024;

const SHORTEST_SECRET: usize = 32;
