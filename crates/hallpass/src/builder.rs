//! Everything that an application configures, in one place; checked once, in [`Builder::build`].

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::auth::Auth;
use crate::clock::Clock;
use crate::config::{
    Compat, ConfigError, Environment, Forwarded, PagePaths, ProviderEntry, Settings, Strategy,
};
use crate::cookie::{CookieKind, CookieOptions};
use crate::core::Core;
use crate::credentials::Credentials;
use crate::email::Email;
use crate::error::{BoxError, Error};
use crate::hooks::{
    self, ClientLog, CredentialsInput, Decision, Event, Jwt, JwtDecision, Mail, Migrate, NoClaims, Redirect,
    SessionEvent, SignIn,
};
use crate::http::HttpClient;
use crate::jose::Dialect;
use crate::mail::{MailTemplate, Mailer};
use crate::pages::{TemplateName, Theme};
use crate::providers::Provider;
use crate::random::Random;
use crate::request::RequestInfo;
use crate::store::{DynStore, Store};
use crate::{Secret, User};

/// Configures Hallpass.
///
/// `S` is the application's state, which callbacks get as their second argument: anything that is cheap to
/// clone. `C` is what the application keeps with a session: the type that its `jwt` callback returns.
#[must_use]
pub struct Builder<S = (), C = NoClaims> {
    state: S,
    settings: Settings,
    claims: PhantomData<fn() -> C>,
}

impl<S: Clone + Send + Sync + 'static> Builder<S, NoClaims> {
    pub(crate) fn new(state: S) -> Self {
        Self { state, settings: Settings::default(), claims: PhantomData }
    }

    /// The `jwt` callback: what a session keeps. It runs at sign-in, at updates and whenever a session is read,
    /// and returns the claims, or `None` to end the session. Its types become those of the whole [`Auth`].
    ///
    /// Register it before [`session`](Builder::session), which uses its claims.
    ///
    /// ```
    /// use hallpass::{Auth, Jwt};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Claims { role: String }
    ///
    /// let builder = Auth::builder().jwt(async |event: Jwt<Claims>, _| {
    ///     Ok(match event {
    ///         Jwt::SignIn(_) => Some(Claims { role: "reader".to_owned() }),
    ///         Jwt::Read(it) => Some(it.claims),
    ///     })
    /// });
    /// ```
    pub fn jwt<C, U, R, F, Fut>(mut self, callback: F) -> Builder<S, C>
    where
        C: Serialize + DeserializeOwned + Send + 'static,
        U: DeserializeOwned + Send + 'static,
        R: Into<JwtDecision<C>> + Send + 'static,
        F: Fn(Jwt<C, U>, S) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, BoxError>> + Send + 'static,
    {
        if let Some(field) = hooks::reserved_field::<C>() {
            self.settings.problems.push(format!(
                "`jwt`: the claims have a field {field:?}, which is Hallpass' own: give it another name, or read it \
                 from the session's user"
            ));
        }
        if self.settings.hooks.migrate.is_some() {
            self.settings
                .problems
                .push("`migrate_claims`: register it after `jwt`, whose claims it makes".to_owned());
        }
        let state = self.state.clone();
        self.settings.hooks.jwt = Some(hooks::jwt_hook(move |event| callback(event, state.clone())));
        Builder { state: self.state, settings: self.settings, claims: PhantomData }
    }
}

impl<S: Clone + Send + Sync + 'static, C: Serialize + DeserializeOwned + Send + 'static> Builder<S, C> {
    /// Makes claims of what an earlier version of the application kept with a session. Register it after
    /// [`jwt`](Builder::jwt), which gets what it makes; the next write keeps that, in the cookie or in the store.
    ///
    /// It is called when the claims of a session no longer fit their type. A field that is only new needs no
    /// migration but `#[serde(default)]`. `None` signs out, as does having no migration; the log says so once for each
    /// kind of mismatch.
    ///
    /// ```
    /// use hallpass::{Auth, Jwt};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Claims { roles: Vec<String> }
    ///
    /// let builder = Auth::builder()
    ///     .jwt(async |event: Jwt<Claims>, _| {
    ///         Ok(match event {
    ///             Jwt::SignIn(_) => Some(Claims { roles: Vec::new() }),
    ///             Jwt::Read(it) => Some(it.claims),
    ///         })
    ///     })
    ///     // There was one role, until people could have more of them.
    ///     .migrate_claims(|old| Some(Claims { roles: vec![old.get("role")?.as_str()?.to_owned()] }));
    /// ```
    pub fn migrate_claims(
        mut self,
        migrate: impl Fn(Map<String, Value>) -> Option<C> + Send + Sync + 'static,
    ) -> Self {
        self.settings.hooks.migrate = Some(Migrate::new(migrate));
        self
    }

    /// The `session` callback: what the browser may see. It runs whenever a session is shown and returns the
    /// whole body of `GET /session` except `expires`; nothing else leaves the server. `None` shows nobody.
    ///
    /// Without it the browser sees name, e-mail and image.
    pub fn session<V, F, Fut>(mut self, callback: F) -> Self
    where
        V: Serialize + Send + 'static,
        F: Fn(SessionEvent<C>, S) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, BoxError>> + Send + 'static,
    {
        let state = self.state.clone();
        self.settings.hooks.session = Some(hooks::session_hook(move |event| callback(event, state.clone())));
        self
    }

    /// The `sign_in` callback: who may sign in. Default: everybody whom a provider vouches for.
    pub fn sign_in<D, F, Fut>(mut self, callback: F) -> Self
    where
        D: Into<Decision> + Send + 'static,
        F: Fn(SignIn, S) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<D, BoxError>> + Send + 'static,
    {
        let state = self.state.clone();
        self.settings.hooks.sign_in = Some(Arc::new(move |event| {
            let answer = callback(event, state.clone());
            Box::pin(async move { Ok(answer.await?.into()) })
        }));
        self
    }

    /// The `redirect` callback: where the browser may be sent after sign-in and sign-out. Default: paths of
    /// the site, and addresses on it.
    pub fn redirect<F, Fut>(mut self, callback: F) -> Self
    where
        F: Fn(Redirect, S) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, BoxError>> + Send + 'static,
    {
        let state = self.state.clone();
        self.settings.hooks.redirect = Some(Arc::new(move |event| Box::pin(callback(event, state.clone()))));
        self
    }

    /// Called after something happened. A failure is reported and changes nothing.
    pub fn on_event<F, Fut>(mut self, callback: F) -> Self
    where
        F: Fn(Event, S) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let state = self.state.clone();
        self.settings.hooks.event = Some(Arc::new(move |event| Box::pin(callback(event, state.clone()))));
        self
    }

    /// Sees every event but [`Event::Session`], with its request, before [`on_event`](Self::on_event) gets it: for
    /// counters and audit logs, which looks at sessions should not pay for.
    pub fn audit(mut self, callback: impl Fn(&Event, &RequestInfo) + Send + Sync + 'static) -> Self {
        self.settings.hooks.audit = Some(Arc::new(callback));
        self
    }

    /// Sees what browsers report: clients of next-auth 4 send their errors to `_log`. Anybody can write there, so
    /// believe nothing of it. It goes to `tracing` in any case, below the level of warnings.
    pub fn on_client_log<F>(mut self, callback: F) -> Self
    where
        F: Fn(&ClientLog, &RequestInfo) + Send + Sync + 'static,
    {
        self.settings.hooks.client_log = Some(Arc::new(callback));
        self
    }

    /// Sees every error, with the request where it was understood. Errors go to `tracing` in any case.
    pub fn on_error(
        mut self,
        callback: impl Fn(&Error, Option<&RequestInfo>) + Send + Sync + 'static,
    ) -> Self {
        self.settings.hooks.error = Some(Arc::new(callback));
        self
    }

    /// Adds an OAuth 2 or OpenID Connect provider: one of the catalogue, or your own.
    ///
    /// ```
    /// use hallpass::{Auth, providers::GITHUB};
    ///
    /// let builder = Auth::builder().provider(GITHUB.client("client id", "client secret"));
    /// // Or from AUTH_GITHUB_ID and AUTH_GITHUB_SECRET:
    /// let builder = Auth::builder().provider(GITHUB);
    /// ```
    pub fn provider(mut self, provider: impl Into<Provider>) -> Self {
        self.settings.providers.push(ProviderEntry::OAuth(Arc::new(provider.into())));
        self
    }

    /// Adds a form of the application. `authorize` returns the user, or `None` when the credentials are wrong;
    /// [`Error::credentials`] refuses with a code that the sign-in page may tell.
    pub fn credentials<F, Fut>(mut self, form: Credentials, authorize: F) -> Self
    where
        F: Fn(CredentialsInput, S) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<User>, BoxError>> + Send + 'static,
    {
        let state = self.state.clone();
        let authorize =
            Arc::new(move |input| -> hooks::HookFuture<_> { Box::pin(authorize(input, state.clone())) });
        self.settings.providers.push(ProviderEntry::Credentials(form, authorize));
        self
    }

    /// Adds sign-in by magic link, mailed by one of the senders in [`mail`](crate::mail). Needs a
    /// [`store`](Self::store).
    ///
    /// ```
    /// use hallpass::mail::HttpService;
    /// use hallpass::{Auth, Email, MemoryStore};
    ///
    /// let email = Email::new().from("Acme <login@acme.example>");
    /// let builder = Auth::builder()
    ///     .store(MemoryStore::new())
    ///     .mailer(email, HttpService::resend().key("re_…"));
    /// ```
    pub fn mailer(mut self, email: Email, mailer: impl Mailer) -> Self {
        let email = email.called(mailer.id(), mailer.name());
        let unprepared = Arc::new(|_| -> hooks::HookFuture<_> {
            Box::pin(async { Err("the mailer is not prepared".into()) })
        });
        self.settings.mailers.push((self.settings.providers.len(), Box::new(mailer)));
        self.settings.providers.push(ProviderEntry::Email(email, unprepared));
        self
    }

    /// Adds sign-in by magic link; `send` mails the link. [`mailer`](Self::mailer) does that for the usual ways to
    /// send mails. Needs a [`store`](Self::store).
    pub fn email<F, Fut>(mut self, email: Email, send: F) -> Self
    where
        F: Fn(Mail, S) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let state = self.state.clone();
        let send = Arc::new(move |mail| -> hooks::HookFuture<_> { Box::pin(send(mail, state.clone())) });
        self.settings.providers.push(ProviderEntry::Email(email, send));
        self
    }

    /// Builds it.
    ///
    /// # Errors
    /// Everything that is wrong with the configuration, at once, each with the setting that mends it.
    pub fn build(self) -> Result<Auth<C>, ConfigError> {
        self.settings.check().map(|config| Auth::new(Core::new(config)))
    }
}

/// Settings.
impl<S, C> Builder<S, C> {
    /// The secret from which the keys of tokens and cookies come: at least 32 characters. Default: `AUTH_SECRET`.
    pub fn secret(self, secret: impl Into<Secret>) -> Self {
        self.secrets([secret])
    }

    /// Secrets, newest first: the first one seals, all of them open. To rotate, put a new one in front.
    /// Default: `AUTH_SECRET_3`, `_2`, `_1`, `AUTH_SECRET`.
    pub fn secrets(mut self, secrets: impl IntoIterator<Item = impl Into<Secret>>) -> Self {
        self.settings.secrets = secrets.into_iter().map(Into::into).collect();
        self
    }

    /// The environment to read. Default: that of the process.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.settings.environment = Some(environment);
        self
    }

    /// Public address of the site: `https://app.example.com`, perhaps with the base path. With it, no header of
    /// a request can name another host. Default: `AUTH_URL`.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.settings.url = Some(url.into());
        self
    }

    /// Path below which all addresses are. Default: the path of [`url`](Self::url), else `/api/auth`.
    pub fn base_path(mut self, path: impl Into<String>) -> Self {
        self.settings.base_path = Some(path.into());
        self
    }

    /// Whose protocol is spoken: Auth.js' (v5), next-auth 4's, or both. Default: v5 alone.
    ///
    /// Sessions are written as the first one has them, and read as each of them has them: a session that another
    /// listed dialect has written is rewritten by the next answer that sets its cookie, and the old cookie goes in the
    /// same answer. Each client is answered in its own words where its request tells them apart; where nobody is
    /// signed in, `session` says `null`, and `{}` only if v4 is the only one.
    ///
    /// So `[V5, V4]` takes over the sessions of an application that used next-auth 4, and `[V4, V5]` keeps them
    /// readable for programs that still do. What callbacks are given follows the first dialect too: in v4, somebody
    /// without a row in a store has the id that the provider gave them.
    pub fn dialects(mut self, dialects: impl IntoIterator<Item = Dialect>) -> Self {
        self.settings.dialects = Some(dialects.into_iter().collect());
        self
    }

    /// Whether the `Host` header is believed, and `X-Forwarded-*` with it. True only behind a proxy that sets
    /// them. Default: `AUTH_TRUST_HOST`; else true with a [`url`](Self::url); else only for loopback hosts.
    pub fn trust_host(mut self, trust: bool) -> Self {
        self.settings.trust_host = Some(trust);
        self
    }

    /// Which forwarded headers count when the host is trusted. Default: scheme and host.
    pub fn forwarded(mut self, forwarded: Forwarded) -> Self {
        self.settings.forwarded = Some(forwarded);
        self
    }

    /// Front ends at other origins, such as `https://app.example.com`: the browser may be sent there, as with
    /// [`redirect_origins`](Self::redirect_origins), and their POSTs count, with the CSRF token of the browser. They
    /// need CORS headers too, which are for a layer in front. Default: none.
    ///
    /// Whoever runs one of them can act for everybody who is signed in.
    pub fn trusted_origins(mut self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.settings.trusted_origins = origins.into_iter().map(Into::into).collect();
        self
    }

    /// Origins beside the site itself where the browser may be sent after sign-in and sign-out:
    /// `https://app.example.com`. A [`redirect`](Self::redirect) callback decides alone. Default: none.
    pub fn redirect_origins(mut self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.settings.redirect_origins = origins.into_iter().map(Into::into).collect();
        self
    }

    /// Whether cookies are `Secure`, with the prefixes that go with it. Default: when the site is https.
    pub fn use_secure_cookies(mut self, secure: bool) -> Self {
        self.settings.secure_cookies = Some(secure);
        self
    }

    /// Changes name or attributes of a cookie.
    pub fn cookie(mut self, kind: CookieKind, options: CookieOptions) -> Self {
        self.settings.cookies.push((kind, options));
        self
    }

    /// Most bytes that the session may take in cookies. Default 16 KiB.
    pub fn cookie_budget(mut self, bytes: usize) -> Self {
        self.settings.cookie_budget = Some(bytes);
        self
    }

    /// How long a session lives that nobody uses. Default 30 days.
    pub fn session_max_age(mut self, max_age: Duration) -> Self {
        self.settings.session_max_age = Some(max_age);
        self
    }

    /// Where sessions are kept. Default: in the [`store`](Self::store) where there is one, else in the cookie, as in
    /// Auth.js. Changing it signs nobody out.
    pub fn session_strategy(mut self, strategy: Strategy) -> Self {
        self.settings.strategy = Some(strategy);
        self
    }

    /// How long a session lives at most, however much it is used. Default: no limit.
    pub fn session_absolute_max_age(mut self, max_age: Duration) -> Self {
        self.settings.session_absolute_max_age = Some(max_age);
        self
    }

    /// How long the user agent and the address of a session in the store are kept, counted from when it began. Default
    /// `None`: as long as the session. [`Duration::ZERO`]: they are never written.
    ///
    /// Older ones are no longer shown, and [`Sessions::sweep`](crate::Sessions::sweep) removes them from the store.
    pub fn session_client_retention(mut self, age: impl Into<Option<Duration>>) -> Self {
        self.settings.session_client_retention = age.into();
        self
    }

    /// How long it may take until sessions in tokens learn that they were revoked, or that their user was changed: as
    /// long a process believes what the store said of a user. Default 5 seconds; only with a [`store`](Self::store).
    /// Sessions in the store learn it at once. While the store does not answer, tokens are neither believed nor
    /// dropped: 503. [`Duration::ZERO`]: the store is asked at each read.
    ///
    /// `None`: tokens never ask the store. Then they cannot be revoked, and need no store to be read.
    pub fn revocation_delay(mut self, delay: impl Into<Option<Duration>>) -> Self {
        self.settings.revocation_delay = Some(delay.into());
        self
    }

    /// Whether mistakes are told to whoever looks, instead of only to the log: a view that shows a token is an error
    /// then; otherwise the field is left out, with a warning. Default: in builds with debug assertions.
    pub fn development(mut self, development: bool) -> Self {
        self.settings.development = Some(development);
        self
    }

    /// Keeps what the `session` callback returns for so long, for each session in the store; sessions in tokens that
    /// keep the same share it. For callbacks that ask a slow API. An update, and whatever else changes the session,
    /// drops it. In memory, for 100,000 sessions at most. Default: the callback runs whenever the session is shown.
    pub fn cache_for(mut self, duration: Duration) -> Self {
        self.settings.cache_for = Some(duration);
        self
    }

    /// How long a callback may take. After that nobody is signed in or out: 503. Default 10 seconds. Needs tokio's
    /// timer, which every shell has.
    pub fn callback_timeout(mut self, limit: Duration) -> Self {
        self.settings.callback_timeout = Some(limit);
        self
    }

    /// Parameters that make `GET /session?name=value` an update, as if the client had posted `{ name: value }`: the
    /// `jwt` callback gets [`Jwt::Update`]. Only for requests from the site itself
    /// ([`RequestInfo::is_from_site`](crate::RequestInfo::is_from_site)), and never by default: prefer `update()`,
    /// which posts. Values are texts.
    pub fn update_from_query(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.settings.query_keys = names.into_iter().map(Into::into).collect();
        self
    }

    /// How long a session in the store is not written again after it was. Default 1 day, as in Auth.js; for tokens
    /// see [`jwt_update_age`](Self::jwt_update_age).
    pub fn session_update_age(mut self, update_age: Duration) -> Self {
        self.settings.session_update_age = Some(update_age);
        self
    }

    /// How old a session's token may get before a read renews it. Default 0: every read renews, as in Auth.js.
    pub fn jwt_update_age(mut self, update_age: Duration) -> Self {
        self.settings.jwt_update_age = Some(update_age);
        self
    }

    /// Pages of the application, instead of the built-in ones.
    pub fn pages(mut self, pages: PagePaths) -> Self {
        self.settings.pages = pages;
        self
    }

    /// Looks of the built-in pages.
    pub fn theme(mut self, theme: Theme) -> Self {
        self.settings.theme = theme;
        self
    }

    /// Adds rules behind the stylesheet of the built-in pages, which is made of custom properties:
    /// `:root { --radius: 0 }`. A second call adds to the first. Which properties there are is written in
    /// `docs/pages.md`; the content security policy follows.
    pub fn style(mut self, css: impl Into<String>) -> Self {
        self.settings.styles.push(css.into());
        self
    }

    /// Replaces a template of the built-in pages, in the language of Jinja. What it is given is written in
    /// `docs/pages.md`. One that does not compile, or asks for something that pages do not have, is a mistake that
    /// [`build`](Self::build) tells; values are escaped.
    pub fn template(mut self, name: TemplateName, source: impl Into<String>) -> Self {
        self.settings.templates.push((name, source.into()));
        self
    }

    /// Replaces a template of the mails that a [`mailer`](Self::mailer) sends.
    pub fn mail_template(mut self, name: MailTemplate, source: impl Into<String>) -> Self {
        self.settings.mail_templates.push((name, source.into()));
        self
    }

    /// Where providers send the browser when this site has no stable address (previews of a branch): the base
    /// path of a site with the same secret, which passes it on. Default: `AUTH_REDIRECT_PROXY_URL`.
    ///
    /// The proxy passes codes on to whatever address stands in a state that was sealed with its secret. A site that
    /// believes the `Host` header seals the host that a visitor names, and codes would then go there. So each
    /// site that shares the secret needs its [`url`](Self::url), or a proxy in front of it that lets through
    /// only its own hosts.
    pub fn redirect_proxy_url(mut self, url: impl Into<String>) -> Self {
        self.settings.redirect_proxy_url = Some(url.into());
        self
    }

    /// Keeps users, accounts and magic links. Without a store there are only sessions.
    pub fn store(mut self, store: impl Store) -> Self {
        self.settings.store = Some(Arc::new(store) as Arc<dyn DynStore>);
        self
    }

    /// How other servers are asked. Default: the built-in client.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.settings.http = Some(Arc::new(client));
        self
    }

    /// Where the time comes from. Default: the machine's clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Some(Arc::new(clock));
        self
    }

    /// Where random bytes come from. Default: the operating system.
    pub fn random(mut self, random: impl Random) -> Self {
        self.settings.random = Some(Arc::new(random));
        self
    }

    /// Where to do as Auth.js does although Hallpass could do better.
    pub fn compat(mut self, compat: Compat) -> Self {
        self.settings.compat = compat;
        self
    }

    /// Switches that take protection away. A reviewer greps for this word.
    pub fn dangerous(self) -> Dangerous<S, C> {
        Dangerous(self)
    }
}

impl<S, C> fmt::Debug for Builder<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}

/// Switches that take protection away.
#[derive(Debug)]
#[must_use]
pub struct Dangerous<S, C>(Builder<S, C>);

impl<S, C> Dangerous<S, C> {
    /// Does not check CSRF tokens: any site can then sign visitors in and out. Only for a server that is behind
    /// another one which checks.
    pub fn skip_csrf_check(mut self) -> Builder<S, C> {
        self.0.settings.skip_csrf_check = true;
        self.0
    }
}
