//! Request in, response out: parse, verify, act, respond.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, StatusCode};
use moka::sync::Cache;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::actions::{self, client_log};
use crate::causes::with_causes;
use crate::config::{Compat, Config, ConfigError};
use crate::cookie::{CookieKind, REMEMBERED};
use crate::dialect::{Asked, Dialects, FailurePage};
use crate::error::{Error, ErrorKind};
use crate::hooks::{self, Event, Hooks};
use crate::jose::Dialect;
use crate::pages::{ErrorPage, Pages, Theme};
use crate::redirect;
use crate::request::{Action, Inbound, RequestInfo};
use crate::respond::{AsJson, Body, Outcome, respond};
use crate::session;
use crate::user::{Account, User};
use crate::verify::{Site, Verified};

/// The whole server behind the traits: one function.
#[derive(Debug)]
pub struct Core(State);

#[derive(Debug)]
enum State {
    Ready(Box<Ready>),
    Broken(Box<Broken>),
}

/// A configuration that works, and what the process remembers.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    pub(crate) config: Config,
    /// Sign-ins that came back already, where no store remembers them: state, PKCE and nonce are good for one answer.
    pub(crate) used_checks: Cache<[u8; 32], ()>,
}

/// A configuration that is wrong: only the answers that Auth.js gives then.
#[derive(Debug)]
struct Broken {
    base_path: String,
    dialects: Dialects,
    kind: ErrorKind,
    error_page: Option<String>,
    pages: Option<Pages>,
    hooks: Hooks,
}

impl Core {
    pub(crate) fn new(config: Config) -> Self {
        let used_checks = Cache::builder().max_capacity(100_000).time_to_live(REMEMBERED).build();
        Self(State::Ready(Box::new(Ready { config, used_checks })))
    }

    /// The same with another configuration, which shares what the process remembers. One that is wrong stays so.
    pub(crate) fn with(&self, change: impl FnOnce(&mut Config)) -> Option<Self> {
        let State::Ready(ready) = &self.0 else { return None };
        let mut ready = ready.clone();
        change(&mut ready.config);
        Some(Self(State::Ready(ready)))
    }

    /// Path below which all addresses are: `/api/auth`.
    pub fn base_path(&self) -> &str {
        match &self.0 {
            State::Ready(ready) => &ready.config.base_path,
            State::Broken(broken) => &broken.base_path,
        }
    }

    pub(crate) fn config(&self) -> Option<&Config> {
        match &self.0 {
            State::Ready(ready) => Some(&ready.config),
            State::Broken(_) => None,
        }
    }

    /// Answers one request. Never fails: an error becomes a page, a redirect or JSON.
    ///
    /// Bodies over [`MAX_BODY`] bytes are refused with 413; a shell should not collect more. Where something went
    /// wrong, the extensions of the answer have its [`ErrorKind`].
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        match &self.0 {
            State::Ready(ready) => {
                // A callback that panics is caught where it is called; this is for whatever else may, a store or a
                // profile function.
                let outcome = AssertUnwindSafe(ready.decide(request)).catch_unwind().await;
                let outcome = outcome.unwrap_or_else(|_| {
                    let error = Error::new(ErrorKind::Unavailable, "a request panicked");
                    report(&ready.config.hooks, &error, None);
                    message(StatusCode::SERVICE_UNAVAILABLE, "try again in a moment").of(&error)
                });
                respond(outcome, ready.config.compat, Some(&ready.config.pages))
            }
            State::Broken(broken) => {
                respond(broken.decide(request), Compat::new().cache_headers(true), broken.pages.as_ref())
            }
        }
    }

    /// Answers without asking what the request wants.
    pub(crate) fn respond_with(&self, answer: impl FnOnce(&Ready) -> Outcome) -> Response<Bytes> {
        match &self.0 {
            State::Ready(ready) => respond(answer(ready), ready.config.compat, Some(&ready.config.pages)),
            State::Broken(broken) => {
                respond(misconfigured_message(), Compat::new().cache_headers(true), broken.pages.as_ref())
            }
        }
    }
}

impl Ready {
    /// Sixteen random bytes.
    pub(crate) fn random(&self) -> Result<[u8; 16], Error> {
        let mut bytes = [0; 16];
        self.config.random.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// A text that nobody can guess: 32 random bytes, as state, nonce and PKCE verifier want them.
    pub(crate) fn random_text(&self) -> Result<String, Error> {
        let mut bytes = [0; 32];
        self.config.random.fill(&mut bytes)?;
        Ok(Base64UrlUnpadded::encode_string(&bytes))
    }

    /// A random id for a user.
    pub(crate) fn new_id(&self) -> Result<String, Error> {
        Ok(session::uuid(self.random()?))
    }

    /// An id for somebody who comes from a provider and has no row yet. Where a store keeps users it is random; without
    /// one it follows from the account, so that the same person has the same id at every sign-in.
    pub(crate) fn id_of(&self, account: &Account) -> Result<String, Error> {
        if let Some(id) = self.config.dialects.written().id_at_provider(account) {
            return Ok(id.to_owned());
        }
        if self.config.store.is_some() {
            return self.new_id();
        }
        let hash = Sha256::new()
            .chain_update(&account.provider)
            .chain_update([0])
            .chain_update(&account.provider_account_id)
            .finalize();
        Ok(session::uuid(*hash.first_chunk().unwrap_or(&[0; 16])))
    }

    /// The id of a new row for somebody who comes from a provider.
    pub(crate) fn row_id(&self, user: &User, account: &Account) -> Result<String, Error> {
        match self.config.dialects.written().id_at_provider(account) {
            Some(_) => self.new_id(),
            None => Ok(user.id.clone()),
        }
    }

    async fn decide(&self, request: Request<Bytes>) -> Outcome {
        let config = &self.config;
        if request.body().len() > MAX_BODY {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 64 KiB");
        }
        let written = config.dialects.written();
        let inbound = match Inbound::parse(request, &config.base_path, &config.dialects) {
            Ok(inbound) => inbound,
            Err(error) => return bad_request(&config.hooks, &error, written),
        };
        let site = match Site::of(&inbound.info, config) {
            Ok(site) => site,
            Err(error) if error.kind() == ErrorKind::UntrustedHost => {
                return self.misconfigured(&inbound, &error);
            }
            Err(error) => return bad_request(&config.hooks, &error, written),
        };
        let mut inbound = inbound.at(&site, &config.query_keys);
        let info = Arc::clone(&inbound.info);
        if let Some(dialect) = self.dialect_of_start(&inbound, &site) {
            inbound.dialect = dialect;
        }
        if let Some(asked) = info.any_query("callbackUrl")
            && !asked.is_empty()
            && !redirect::is_address_or_path(asked)
        {
            return self.refused(&inbound, &site, &redirect::not_an_address());
        }
        if inbound.action == Action::Log && inbound.is_post() {
            return client_log::run(config, &inbound);
        }
        if inbound.action == Action::Providers && !inbound.is_post() {
            return actions::providers(config, &site);
        }
        let asked = Asked::of(&inbound, config);
        let request = match Verified::new(inbound, site.clone(), config).await {
            Ok(request) => request,
            Err(error) => return self.failed(&asked, &site, &info, &error),
        };
        match actions::run(self, &request).await {
            Ok(outcome) => outcome.after(request.cookies),
            Err(error) => {
                let outcome = self.failed(&asked, &site, &info, &error);
                match asked.dialect.keeps_cookies_of(&error, &asked) {
                    true => outcome.after(request.cookies),
                    false => outcome,
                }
            }
        }
    }

    /// The dialect in which a sign-in was started that comes back now: the provider's answer does not tell.
    fn dialect_of_start(&self, inbound: &Inbound, site: &Site) -> Option<Dialect> {
        let config = &self.config;
        if inbound.action != Action::Callback
            || inbound.as_json != AsJson::No
            || config.dialects.all().len() < 2
        {
            return None;
        }
        let opened = [CookieKind::State, CookieKind::PkceCodeVerifier, CookieKind::Nonce]
            .into_iter()
            .find_map(|kind| {
                let spec = config.cookie(kind, site.secure);
                let sealed = inbound.cookies.get(&spec.name)?;
                spec.keys().open_claims(&sealed, config.clock.now()).ok()
            });
        Dialect::parse(opened?.get("dialect")?.as_str()?)
    }

    /// An error sends the browser to a page that says so.
    pub(crate) fn failed(&self, asked: &Asked, site: &Site, info: &RequestInfo, error: &Error) -> Outcome {
        report(&self.config.hooks, error, Some(info));
        self.answer_to(error, asked, site).of(error)
    }

    fn answer_to(&self, error: &Error, asked: &Asked, site: &Site) -> Outcome {
        let config = &self.config;
        let kind = error.kind();
        if asked.dialect.is_bad_request(kind, asked) {
            return bad_words(asked.dialect);
        }
        if kind == ErrorKind::Unavailable {
            return match asked.action.is_page() || asked.action == Action::Callback {
                true => self.error_page(StatusCode::SERVICE_UNAVAILABLE, Some(kind.public_code()), site),
                false => message(StatusCode::SERVICE_UNAVAILABLE, "try again in a moment"),
            };
        }
        if kind == ErrorKind::ForbiddenView {
            return message(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string());
        }
        if kind == ErrorKind::InvalidUpdate {
            let reason = std::error::Error::source(error).map(ToString::to_string);
            return message(StatusCode::BAD_REQUEST, reason.as_deref().unwrap_or_else(|| error.message()));
        }
        if asked.action == Action::Session && asked.is_post {
            let nobody = config.dialects.nobody().to_owned();
            return Outcome::new(Body::Json(StatusCode::BAD_REQUEST, nobody));
        }
        let (to, status) = self.failure(error, asked, site);
        Outcome::new(Body::ErrorRedirect { to, as_json: asked.as_json, status })
    }

    /// The address that tells of an error, and the status where that is told as JSON.
    pub(crate) fn failure(&self, error: &Error, asked: &Asked, site: &Site) -> (String, StatusCode) {
        let config = &self.config;
        let failure = asked.dialect.failure(error, asked);
        let (own, built_in) = match failure.page {
            FailurePage::SignIn => (config.paths.sign_in.as_ref(), "signin"),
            FailurePage::Error => (config.paths.error.as_ref(), "error"),
            FailurePage::BuiltIn(page) => (None, page),
        };
        let page = own.map_or_else(|| site.url(config, built_in), |own| absolute(site, own));
        let parameters: Vec<_> =
            failure.parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        (redirect::with_query(&page, &parameters), failure.status)
    }

    /// A request that no configuration could answer.
    fn refused(&self, inbound: &Inbound, site: &Site, error: &Error) -> Outcome {
        report(&self.config.hooks, error, Some(&inbound.info));
        let outcome = match !inbound.is_post() && inbound.action.is_page() {
            true => self.error_page(StatusCode::BAD_REQUEST, Some(error.kind().public_code()), site),
            false => message(StatusCode::BAD_REQUEST, "callbackUrl is not an address"),
        };
        outcome.of(error)
    }

    pub(crate) fn error_page(&self, status: StatusCode, code: Option<&str>, site: &Site) -> Outcome {
        let sign_in_url = match &self.config.paths.sign_in {
            Some(own) => absolute(site, own),
            None => site.url(&self.config, "signin"),
        };
        error_page(&self.config.pages, status, code, &sign_in_url)
    }

    fn misconfigured(&self, inbound: &Inbound, error: &Error) -> Outcome {
        let config = &self.config;
        report(&config.hooks, error, Some(&inbound.info));
        let page = config.paths.error.as_deref();
        misconfigured(inbound, page, Some(&config.pages), config.dialects.written()).of(error)
    }
}

impl Broken {
    fn decide(&self, request: Request<Bytes>) -> Outcome {
        let dialect = self.dialects.written();
        let wrong = Error::new(self.kind, "the configuration is wrong");
        let inbound = match Inbound::parse(request, &self.base_path, &self.dialects) {
            Ok(inbound) => inbound,
            Err(_) if dialect.is_misconfigured_everywhere() => {
                report(&self.hooks, &wrong, None);
                return misconfigured_message().of(&wrong);
            }
            Err(error) => return bad_request(&self.hooks, &error, dialect),
        };
        report(&self.hooks, &wrong, Some(&inbound.info));
        misconfigured(&inbound, self.error_page.as_deref(), self.pages.as_ref(), dialect).of(&wrong)
    }
}

impl ConfigError {
    /// The answers that Auth.js gives when it is wrongly configured: an error page for people, status 500 and
    /// `{"message": …}` for programs. Nobody can sign in.
    pub fn into_core(self) -> Core {
        let kind = self.first_kind();
        let wrong = *self.0;
        let pages = Pages::new(&wrong.theme, &[]).or_else(|_| Pages::new(&Theme::default(), &[])).ok();
        Core(State::Broken(Box::new(Broken {
            kind,
            base_path: wrong.base_path,
            dialects: wrong.dialects,
            error_page: wrong.error_page,
            pages,
            hooks: wrong.hooks,
        })))
    }
}

fn misconfigured(
    inbound: &Inbound,
    error_page_path: Option<&str>,
    pages: Option<&Pages>,
    dialect: Dialect,
) -> Outcome {
    let code = ErrorKind::Configuration.public_code();
    let (false, true, Some(pages)) = (inbound.is_post(), inbound.action.is_page(), pages) else {
        return misconfigured_message();
    };
    // The application's own error page sends people back here with its address: show ours then, or they go in circles.
    let loops = |own: &&str| inbound.info.any_query("callbackUrl").is_some_and(|url| url.starts_with(*own));
    match error_page_path.filter(|own| !loops(own)) {
        Some(own) => {
            let site = Site::claimed(&inbound.info).filter(|_| !dialect.leaves_error_page_relative());
            let own = site.map_or_else(|| own.to_owned(), |site| absolute(&site, own));
            let to = redirect::with_query(&own, &[("error", code)]);
            Outcome::new(Body::Redirect { to, as_json: AsJson::No })
        }
        None => error_page(pages, StatusCode::INTERNAL_SERVER_ERROR, Some(code), ""),
    }
}

fn misconfigured_message() -> Outcome {
    message(StatusCode::INTERNAL_SERVER_ERROR, "there is a problem with the server's configuration")
}

fn error_page(pages: &Pages, status: StatusCode, code: Option<&str>, sign_in_url: &str) -> Outcome {
    match pages.error(&ErrorPage { code, sign_in_url }) {
        Ok(html) => Outcome::new(Body::Page(status, html)),
        Err(_) => message(status, "something went wrong"),
    }
}

fn bad_request(hooks: &Hooks, error: &Error, dialect: Dialect) -> Outcome {
    report(hooks, error, None);
    bad_words(dialect).of(error)
}

fn bad_words(dialect: Dialect) -> Outcome {
    let text = "Bad request.";
    Outcome::new(match dialect.words_bad_request_as_json() {
        true => Body::Json(StatusCode::BAD_REQUEST, Value::from(text).to_string()),
        false => Body::Text(StatusCode::BAD_REQUEST, text),
    })
}

pub(crate) fn message(status: StatusCode, text: &str) -> Outcome {
    Outcome::new(Body::Json(status, json!({ "message": text }).to_string()))
}

/// A page of the application with the site's origin in front, unless it is an address already.
pub(crate) fn absolute(site: &Site, page: &str) -> String {
    if page.starts_with('/') { format!("{}{page}", site.origin) } else { page.to_owned() }
}

/// Tells the log and the application's `on_error`.
pub(crate) fn report(hooks: &Hooks, error: &Error, request: Option<&RequestInfo>) {
    let source = std::error::Error::source(error).map(with_causes);
    let path = request.map(RequestInfo::path);
    match error.kind() {
        ErrorKind::UnknownAction
        | ErrorKind::MissingCsrf
        | ErrorKind::CredentialsSignin
        | ErrorKind::TooManyRequests
        | ErrorKind::AccessDenied => {
            tracing::info!(kind = error.kind().name(), path, cause = source, "{error}");
        }
        _ if hooks.seen_mismatches.is_repeated(error) => {
            tracing::debug!(kind = error.kind().name(), path, cause = source, "{error}");
        }
        _ => tracing::warn!(kind = error.kind().name(), path, cause = source, "{error}"),
    }
    if let Some(on_error) = &hooks.error
        && std::panic::catch_unwind(AssertUnwindSafe(|| on_error(error, request))).is_err()
    {
        tracing::error!("on_error panicked");
    }
}

/// Tells the application what happened. Its answer changes nothing: a failure is only reported.
pub(crate) async fn notify(config: &Config, event: Event, info: &RequestInfo) {
    if let Some(audit) = &config.hooks.audit
        && !matches!(event, Event::Session { .. })
        && std::panic::catch_unwind(AssertUnwindSafe(|| audit(&event, info))).is_err()
    {
        tracing::error!("audit panicked");
    }
    let Some(hook) = &config.hooks.event else { return };
    let name = event.name();
    let failure = match hooks::call(config.callback_timeout, hook, event).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error,
        Err(panic) => Box::new(panic),
    };
    let error = Error::caused_by(ErrorKind::Event, "an event callback failed", failure).of_event(name);
    report(&config.hooks, &error, Some(info));
}

/// Largest body that is read, in bytes.
pub const MAX_BODY: usize = 64 * 1024;
