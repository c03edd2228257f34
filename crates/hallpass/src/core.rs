//! Request in, response out: parse, verify, act, respond.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, StatusCode};
use moka::sync::Cache;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::actions;
use crate::config::{Compat, Config, ConfigError};
use crate::cookie::SIGN_IN;
use crate::error::{Error, ErrorKind};
use crate::hooks::{self, Event, Hooks};
use crate::pages::{ErrorPage, Pages, Theme};
use crate::redirect;
use crate::request::{Action, Inbound, RequestInfo};
use crate::respond::{Body, Outcome, respond};
use crate::session;
use crate::user::Account;
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
    /// Sign-ins that came back already: state, PKCE and nonce are good for one answer.
    pub(crate) used_checks: Cache<[u8; 32], ()>,
}

/// A configuration that is wrong: only the answers that Auth.js gives then.
#[derive(Debug)]
struct Broken {
    base_path: String,
    kind: ErrorKind,
    error_page: Option<String>,
    pages: Option<Pages>,
    hooks: Hooks,
}

impl Core {
    pub(crate) fn new(config: Config) -> Self {
        // An entry must outlive the cookies it stands for.
        let used_checks =
            Cache::builder().max_capacity(100_000).time_to_live(SIGN_IN + Duration::from_secs(60)).build();
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
    /// Bodies over [`MAX_BODY`] bytes are refused with 413; a shell should not collect more.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        match &self.0 {
            State::Ready(ready) => {
                // A callback that panics is caught where it is called; this is for whatever else may, a store or a
                // profile function.
                let outcome = AssertUnwindSafe(ready.decide(request)).catch_unwind().await;
                let outcome = outcome.unwrap_or_else(|_| {
                    let error = Error::new(ErrorKind::Unavailable, "a request panicked");
                    report(&ready.config.hooks, &error, None);
                    message(StatusCode::SERVICE_UNAVAILABLE, "try again in a moment")
                });
                respond(outcome, ready.config.compat, Some(&ready.config.pages))
            }
            State::Broken(broken) => {
                respond(broken.decide(request), Compat::new().cache_headers(true), broken.pages.as_ref())
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

    /// An id for somebody who comes from a provider. Where a store keeps users it is random; without one it follows
    /// from the account, so that the same person has the same id at every sign-in.
    pub(crate) fn id_of(&self, account: &Account) -> Result<String, Error> {
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

    async fn decide(&self, request: Request<Bytes>) -> Outcome {
        let config = &self.config;
        if request.body().len() > MAX_BODY {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 64 KiB");
        }
        let inbound = match Inbound::parse(request, &config.base_path, &config.query_keys) {
            Ok(inbound) => inbound,
            Err(error) => return bad_request(&config.hooks, &error),
        };
        let info = Arc::clone(&inbound.info);
        let site = match Site::of(&info, config) {
            Ok(site) => site,
            Err(error) if error.kind() == ErrorKind::UntrustedHost => {
                return self.misconfigured(&inbound, &error);
            }
            Err(error) => return bad_request(&config.hooks, &error),
        };
        if let Some(asked) = info.any_query("callbackUrl")
            && !asked.is_empty()
            && !redirect::is_address_or_path(asked)
        {
            return self.refused(&inbound, &site, &redirect::not_an_address());
        }
        let asked =
            Asked { action: inbound.action, is_post: inbound.is_post(), as_json: inbound.return_redirect };
        match self.answer(inbound, site.clone()).await {
            Ok(outcome) => outcome,
            Err(error) => {
                report(&config.hooks, &error, Some(&info));
                self.failed(asked, &site, &error)
            }
        }
    }

    async fn answer(&self, inbound: Inbound, site: Site) -> Result<Outcome, Error> {
        let action = inbound.action;
        if action == Action::Providers && !inbound.is_post() {
            return Ok(actions::providers(&self.config, &site));
        }
        let mut request = Verified::new(inbound, site, &self.config).await?;
        let cookies = std::mem::take(&mut request.cookies);
        let outcome = actions::run(self, &request).await?;
        Ok(Outcome { cookies: cookies.into_iter().chain(outcome.cookies).collect(), ..outcome })
    }

    /// An error sends the browser to a page that says so, without any cookie.
    fn failed(&self, asked: Asked, site: &Site, error: &Error) -> Outcome {
        let config = &self.config;
        let kind = error.kind();
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
            return message(StatusCode::BAD_REQUEST, &reason.unwrap_or_else(|| error.to_string()));
        }
        if asked.action == Action::Session && asked.is_post {
            return Outcome::new(Body::Json(StatusCode::BAD_REQUEST, "null".to_owned()));
        }
        let (own, built_in) = if kind.is_for_sign_in_page() {
            (&config.paths.sign_in, "signin")
        } else {
            (&config.paths.error, "error")
        };
        let page = own.as_ref().map_or_else(|| site.url(config, built_in), |own| absolute(site, own));
        let mut parameters = vec![("error", kind.public_code())];
        if kind == ErrorKind::CredentialsSignin {
            parameters.push(("code", error.code()));
        }
        Outcome::new(Body::ErrorRedirect {
            to: redirect::with_query(&page, &parameters),
            as_json: asked.as_json,
        })
    }

    /// A request that no configuration could answer.
    fn refused(&self, inbound: &Inbound, site: &Site, error: &Error) -> Outcome {
        report(&self.config.hooks, error, Some(&inbound.info));
        if !inbound.is_post() && inbound.action.is_page() {
            return self.error_page(StatusCode::BAD_REQUEST, Some(error.kind().public_code()), site);
        }
        message(StatusCode::BAD_REQUEST, "callbackUrl is not an address")
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
        misconfigured(inbound, config.paths.error.as_deref(), Some(&config.pages))
    }
}

impl Broken {
    fn decide(&self, request: Request<Bytes>) -> Outcome {
        let inbound = match Inbound::parse(request, &self.base_path, &[]) {
            Ok(inbound) => inbound,
            Err(error) => return bad_request(&self.hooks, &error),
        };
        let error = Error::new(self.kind, "the configuration is wrong");
        report(&self.hooks, &error, Some(&inbound.info));
        misconfigured(&inbound, self.error_page.as_deref(), self.pages.as_ref())
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
            error_page: wrong.error_page,
            pages,
            hooks: wrong.hooks,
        })))
    }
}

/// What was asked for, kept for the case that it fails.
#[derive(Clone, Copy)]
struct Asked {
    action: Action,
    is_post: bool,
    as_json: bool,
}

fn misconfigured(inbound: &Inbound, error_page_path: Option<&str>, pages: Option<&Pages>) -> Outcome {
    let code = ErrorKind::Configuration.public_code();
    let (false, true, Some(pages)) = (inbound.is_post(), inbound.action.is_page(), pages) else {
        return message(
            StatusCode::INTERNAL_SERVER_ERROR,
            "there is a problem with the server's configuration",
        );
    };
    // The application's own error page sends people back here with its address: show ours then, or they go in circles.
    let loops = |own: &&str| inbound.info.any_query("callbackUrl").is_some_and(|url| url.starts_with(*own));
    match error_page_path.filter(|own| !loops(own)) {
        Some(own) => {
            let own =
                Site::claimed(&inbound.info).map_or_else(|| own.to_owned(), |site| absolute(&site, own));
            let to = redirect::with_query(&own, &[("error", code)]);
            Outcome::new(Body::ErrorRedirect { to, as_json: false })
        }
        None => error_page(pages, StatusCode::INTERNAL_SERVER_ERROR, Some(code), ""),
    }
}

fn error_page(pages: &Pages, status: StatusCode, code: Option<&str>, sign_in_url: &str) -> Outcome {
    match pages.error(&ErrorPage { code, sign_in_url }) {
        Ok(html) => Outcome::new(Body::Page(status, html)),
        Err(_) => message(status, "something went wrong"),
    }
}

fn bad_request(hooks: &Hooks, error: &Error) -> Outcome {
    report(hooks, error, None);
    Outcome::new(Body::Json(StatusCode::BAD_REQUEST, Value::from("Bad request.").to_string()))
}

fn message(status: StatusCode, text: &str) -> Outcome {
    Outcome::new(Body::Json(status, json!({ "message": text }).to_string()))
}

/// A page of the application with the site's origin in front, unless it is an address already.
pub(crate) fn absolute(site: &Site, page: &str) -> String {
    if page.starts_with('/') { format!("{}{page}", site.origin) } else { page.to_owned() }
}

/// Tells the log and the application's `on_error`.
pub(crate) fn report(hooks: &Hooks, error: &Error, request: Option<&RequestInfo>) {
    let source = std::error::Error::source(error).map(ToString::to_string);
    let path = request.map(RequestInfo::path);
    match error.kind() {
        ErrorKind::UnknownAction
        | ErrorKind::MissingCsrf
        | ErrorKind::CredentialsSignin
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
    let Some(hook) = &config.hooks.event else { return };
    let failure = match hooks::call(config.callback_timeout, hook, event).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error,
        Err(panic) => Box::new(panic),
    };
    let error = Error::caused_by(ErrorKind::Event, "an event callback failed", failure);
    report(&config.hooks, &error, Some(info));
}

/// Largest body that is read, in bytes.
pub const MAX_BODY: usize = 64 * 1024;
