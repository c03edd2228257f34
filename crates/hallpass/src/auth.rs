//! What an application holds: the whole of Hallpass, with the types of its session.

use std::fmt;
use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::builder::Builder;
use crate::config::{Config, ProviderEntry};
use crate::core::{self, Core};
use crate::error::{Error, ErrorKind};
use crate::hooks::{NoClaims, SessionUser};
use crate::redirect;
use crate::request::RequestInfo;
use crate::session::{Opened, Session, Source, Trigger};
use crate::user::Account;
use crate::verify::Site;
use crate::{cookie::Cookies, respond};

mod for_request;
mod handle;
mod providers;
mod users;

pub use for_request::ForRequest;
pub use handle::SessionHandle;
pub use providers::ConfiguredProvider;
pub use users::{Sessions, Swept, Users};

/// Hallpass, configured. Cheap to clone.
///
/// `C` is what the application keeps with a session. Handing an `Auth<C>` to code that wants sessions with
/// other claims does not compile.
///
/// ```
/// use hallpass::{Auth, Credentials, Field, User};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let form = Credentials::new().field(Field::text("username")).field(Field::password("password"));
/// let auth = Auth::builder()
///     .secret("a text of at least 32 characters, at random")
///     .credentials(form, async |input, _| {
///         Ok((input.text("password") == Some("open sesame")).then(|| User::new("1").with_name("Ali Baba")))
///     })
///     .build()?;
/// let request = http::Request::get("/api/auth/session").header("host", "localhost").body(Default::default())?;
/// assert_eq!(auth.handle(request).await.body().as_ref(), b"null");
/// # Ok(()) }
/// ```
pub struct Auth<C = NoClaims> {
    core: Arc<Core>,
    claims: PhantomData<fn() -> C>,
}

impl Auth {
    /// Starts a configuration.
    pub fn builder() -> Builder {
        Builder::new(())
    }

    /// Starts a configuration whose callbacks get `state` as their second argument.
    pub fn builder_with<S: Clone + Send + Sync + 'static>(state: S) -> Builder<S> {
        Builder::new(state)
    }
}

impl<C> Auth<C> {
    pub(crate) fn new(core: Core) -> Self {
        Self { core: Arc::new(core), claims: PhantomData }
    }

    /// The engine, for shells.
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Path below which all addresses are: `/api/auth`.
    pub fn base_path(&self) -> &str {
        self.core.base_path()
    }

    /// Ids of the ways to sign in, in the order of the sign-in page.
    pub fn provider_ids(&self) -> impl Iterator<Item = &str> {
        let providers = self.core.config().map(|config| config.providers.iter());
        providers.into_iter().flatten().map(ProviderEntry::id)
    }

    /// Answers a request to one of Hallpass' own addresses.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.core.handle(request).await
    }

    /// Asks a provider for new tokens (RFC 6749 §6), with the refresh token of an account.
    ///
    /// The account that comes back holds the new tokens: the old refresh token where the provider sent none, and
    /// `expires_at`. If there is an ID token in the answer, it is about the same person.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the provider did not answer: try again. Otherwise the refresh token no
    /// longer works, or the account has none: the person must sign in again.
    pub async fn refresh(&self, account: &Account) -> Result<Account, Error> {
        let refused = |message| Error::new(ErrorKind::CallbackRoute, message);
        let config = self.core.config().ok_or_else(|| refused("the configuration is wrong"))?;
        let Some(ProviderEntry::OAuth(provider)) = config.provider(&account.provider) else {
            return Err(refused("the account's provider is not configured"));
        };
        let refresh_token =
            account.refresh_token().ok_or_else(|| refused("the account has no refresh token"))?;
        let tokens = config.relying_party.refresh(provider, &refresh_token.into(), account.id_token()).await;
        let tokens = tokens.map_err(|error| {
            let kind = if error.is_temporary() { ErrorKind::Unavailable } else { ErrorKind::CallbackRoute };
            Error::caused_by(kind, "the provider gave no new tokens", error)
        })?;
        let tokens = config.dialects.written().account_tokens(tokens);
        let tokens = account.tokens.clone().into_iter().chain(tokens).collect();
        Ok(Account { tokens, ..account.clone() })
    }

    /// The users in the store.
    pub fn users(&self) -> Users<'_> {
        Users(self.core.config())
    }

    /// The sessions in the store.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions(self.core.config())
    }

    /// Where to send a browser that must sign in first: the sign-in page, with the way back.
    pub fn sign_in_url(&self, callback_url: &str) -> String {
        let own = self.core.config().and_then(|config| config.paths.sign_in.as_deref());
        let built_in = format!("{}/signin", self.core.base_path());
        redirect::with_query(own.unwrap_or(&built_in), &[("callbackUrl", callback_url)])
    }
}

impl<C: Serialize + DeserializeOwned> Auth<C> {
    /// The session of a request, for any code that has one; `None` when nobody is signed in.
    ///
    /// The `jwt` callback runs. Cookies are not renewed: a shell does that, through [`Auth::read`].
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when that cannot be decided now. Treat it as neither signed in nor out: 503.
    pub async fn session(&self, parts: &Parts) -> Result<Option<Session<C>>, Error> {
        Ok(self.read(parts).await?.session)
    }

    /// The session of a request, and the cookies that must reach its answer.
    ///
    /// # Errors
    /// As [`Auth::session`].
    pub async fn read(&self, parts: &Parts) -> Result<SessionRead<C>, Error> {
        let Some(config) = self.core.config() else {
            return Err(Error::new(ErrorKind::Unavailable, "the configuration is wrong"));
        };
        if !parts.headers.contains_key(COOKIE) {
            return Ok(SessionRead::nobody(None));
        }
        let info = RequestInfo::new(parts).show_only(&[]);
        let site = Site::of(&info, config);
        let info = Arc::new(match &site {
            Ok(site) => info.at(site),
            Err(_) => info,
        });
        let read = AssertUnwindSafe(self.try_read(config, &info, site)).catch_unwind().await;
        let read =
            read.unwrap_or_else(|_| Err(Error::new(ErrorKind::Unavailable, "reading a session panicked")));
        read.inspect_err(|error| core::report(&config.hooks, error, Some(&info)))
    }

    async fn try_read(
        &self,
        config: &Config,
        info: &Arc<RequestInfo>,
        site: Result<Site, Error>,
    ) -> Result<SessionRead<C>, Error> {
        let site = match site {
            Ok(site) => site,
            // A host that nobody trusts gets no session, and so does a request without one.
            Err(error) => {
                core::report(&config.hooks, &error, Some(info));
                return Ok(SessionRead::nobody(None));
            }
        };
        let cookies = Cookies::parse(info.headers());
        let source = Source { config, info, cookies: &cookies, secure: site.secure, now: config.clock.now() };
        self.session_read(config, info, source.open(Trigger::Read).await?)
    }

    /// A session with the types of the application, and the cookies that go with it.
    fn session_read(
        &self,
        config: &Config,
        info: &Arc<RequestInfo>,
        opened: Opened,
    ) -> Result<SessionRead<C>, Error> {
        let mut read =
            SessionRead::nobody(Some(SessionHandle { auth: self.clone(), info: Arc::clone(info) }));
        let Some(live) = opened.live else {
            respond::set_cookies(&mut read.headers, &opened.cookies);
            return Ok(read);
        };
        match live.token.parse_claims() {
            Ok(claims) => {
                respond::set_cookies(&mut read.headers, &opened.cookies);
                let user = SessionUser::of(&live.token);
                let id = live.row.as_ref().map(|row| row.session.id.clone());
                read.session = Some(Session { user, expires: live.expires, claims, id });
            }
            Err(error) => {
                let message = "the claims of this session no longer fit";
                let error = Error::caused_by(ErrorKind::JwtSession, message, error);
                core::report(&config.hooks, &error, Some(info));
                let site = Site::of(info, config)?;
                let cookies = Cookies::parse(info.headers());
                let source =
                    Source { config, info, cookies: &cookies, secure: site.secure, now: config.clock.now() };
                respond::set_cookies(&mut read.headers, &source.clear());
            }
        }
        Ok(read)
    }
}

/// A session that was read, and the cookies that renew or remove it.
#[derive(Debug)]
#[non_exhaustive]
pub struct SessionRead<C> {
    /// The session, if somebody is signed in.
    pub session: Option<Session<C>>,
    headers: HeaderMap,
    handle: Option<SessionHandle<C>>,
}

impl<C> SessionRead<C> {
    fn nobody(handle: Option<SessionHandle<C>>) -> Self {
        Self { session: None, headers: HeaderMap::new(), handle }
    }

    /// To change or end the session; `None` when there is none.
    pub fn handle(&self) -> Option<&SessionHandle<C>> {
        self.handle.as_ref().filter(|_| self.session.is_some())
    }

    /// Values of `Set-Cookie` for the answer.
    pub fn set_cookies(&self) -> impl Iterator<Item = &HeaderValue> {
        self.headers.values()
    }
}

impl<C> Clone for Auth<C> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), claims: PhantomData }
    }
}

impl<C> fmt::Debug for Auth<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("base_path", &self.base_path()).finish_non_exhaustive()
    }
}
