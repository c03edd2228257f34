//! What can go wrong, and what a browser is told about it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::{fmt, io};

use crate::dialect;
use crate::jose::Dialect;
use crate::oauth::ProtocolError;
use crate::store::StoreError;

/// Any error of the application: what callbacks return.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// An error of Hallpass. Branch on [`Error::kind`].
///
/// A callback may return one, boxed, to choose what happens: from `sign_in` or `authorize`,
/// `Error::new(ErrorKind::AccountNotLinked, "…")` sends the browser to the page that Auth.js uses for it.
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
    code: Option<Cow<'static, str>>,
    source: Option<BoxError>,
}

/// What went wrong. [`name`](Self::name) is Auth.js' word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The `sign_in` callback refused, or failed.
    AccessDenied,
    /// The account belongs to somebody else.
    AccountNotLinked,
    /// The store failed.
    Store,
    /// Something failed while a provider's answer or credentials were handled.
    CallbackRoute,
    /// Wrong credentials.
    CredentialsSignin,
    /// An event callback failed; nothing else does because of it.
    Event,
    /// `callbackUrl` is not an address.
    InvalidCallbackUrl,
    /// A cookie that binds the answer to this browser is missing, foreign, used or too old.
    InvalidCheck,
    /// A provider has no endpoints.
    InvalidEndpoints,
    /// No such provider.
    InvalidProvider,
    /// The session's token could not be read or extended.
    JwtSession,
    /// The session in the store could not be extended or shown. It lives on.
    SessionToken,
    /// A provider or setting needs a store, and there is none.
    MissingStore,
    /// The `session` callback shows what must not reach a page.
    ForbiddenView,
    /// The CSRF token is missing or wrong.
    MissingCsrf,
    /// There is no secret.
    MissingSecret,
    /// The address belongs to a user who signs in another way.
    OAuthAccountNotLinked,
    /// The provider answered with an error.
    OAuthCallback,
    /// The provider's profile could not be read.
    OAuthProfileParse,
    /// The session would not fit into the cookies.
    SessionTooLarge,
    /// The session could not be ended as asked.
    SignOut,
    /// The data of an update is not what the application takes. A `jwt` callback returns it, boxed, for data that can
    /// be read and are wrong all the same, an unknown company: the answer is 400 with its message, and nothing changes.
    InvalidUpdate,
    /// Too many requests of this kind in a short time.
    TooManyRequests,
    /// No such address, method or body.
    UnknownAction,
    /// The host of the request is not trusted.
    UntrustedHost,
    /// The link was wrong, used or too old.
    Verification,
    /// A setting is wrong.
    Configuration,
    /// Something that is needed did not answer: a callback panicked, the store is away. The answer is 503, and nobody
    /// is signed out.
    ///
    /// What a callback returns counts as this by itself where a connection that did not come about, broke or was too
    /// slow is among its causes: an [`std::io::Error`] that says so, and with the feature `client` an error of the
    /// `reqwest` that comes with it.
    Unavailable,
    /// A callback returned an error of its own.
    Callback,
}

impl ErrorKind {
    /// The name that Auth.js (v5) gives its logger.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDenied",
            Self::AccountNotLinked => "AccountNotLinked",
            Self::Store => "AdapterError",
            Self::CallbackRoute => "CallbackRouteError",
            Self::CredentialsSignin => "CredentialsSignin",
            Self::Event => "EventError",
            Self::InvalidCallbackUrl => "InvalidCallbackUrl",
            Self::InvalidCheck => "InvalidCheck",
            Self::InvalidEndpoints => "InvalidEndpoints",
            Self::InvalidProvider => "InvalidProvider",
            Self::JwtSession => "JWTSessionError",
            Self::SessionToken => "SessionTokenError",
            Self::MissingStore => "MissingAdapter",
            Self::ForbiddenView => "ForbiddenView",
            Self::MissingCsrf => "MissingCSRF",
            Self::MissingSecret => "MissingSecret",
            Self::OAuthAccountNotLinked => "OAuthAccountNotLinked",
            Self::OAuthCallback => "OAuthCallbackError",
            Self::OAuthProfileParse => "OAuthProfileParseError",
            Self::SessionTooLarge => "SessionTooLarge",
            Self::SignOut => "SignOutError",
            Self::InvalidUpdate => "InvalidUpdate",
            Self::TooManyRequests => "TooManyRequests",
            Self::UnknownAction => "UnknownAction",
            Self::UntrustedHost => "UntrustedHost",
            Self::Verification => "Verification",
            Self::Configuration => "Configuration",
            Self::Unavailable => "Unavailable",
            Self::Callback => "Error",
        }
    }

    /// The code in the browser's address bar. All that concerns only the operator is `Configuration`.
    pub const fn public_code(self) -> &'static str {
        match self {
            Self::AccessDenied
            | Self::AccountNotLinked
            | Self::CredentialsSignin
            | Self::MissingCsrf
            | Self::OAuthAccountNotLinked
            | Self::OAuthCallback
            | Self::TooManyRequests
            | Self::Verification => self.name(),
            Self::Store
            | Self::CallbackRoute
            | Self::Event
            | Self::InvalidCallbackUrl
            | Self::InvalidCheck
            | Self::InvalidEndpoints
            | Self::InvalidProvider
            | Self::JwtSession
            | Self::SessionToken
            | Self::ForbiddenView
            | Self::MissingStore
            | Self::MissingSecret
            | Self::OAuthProfileParse
            | Self::SessionTooLarge
            | Self::SignOut
            | Self::InvalidUpdate
            | Self::UnknownAction
            | Self::UntrustedHost
            | Self::Configuration
            | Self::Unavailable
            | Self::Callback => "Configuration",
        }
    }

    /// Whether the person can do something about it on the sign-in page; else it is the error page.
    pub(crate) const fn is_for_sign_in_page(self) -> bool {
        matches!(
            self,
            Self::CredentialsSignin
                | Self::OAuthAccountNotLinked
                | Self::OAuthCallback
                | Self::MissingCsrf
                | Self::AccountNotLinked
                | Self::TooManyRequests
        )
    }
}

impl Error {
    /// An error with a message for the log: lower case, and without anything secret.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), code: None, source: None }
    }

    /// Credentials that were refused for a reason that the sign-in page may tell: `code` stands in its address.
    ///
    /// ```
    /// let error = hallpass::Error::credentials("locked");
    /// assert_eq!(error.kind(), hallpass::ErrorKind::CredentialsSignin);
    /// ```
    pub fn credentials(code: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: Some(code.into()),
            ..Self::new(ErrorKind::CredentialsSignin, "the credentials were refused")
        }
    }

    /// The message, without the kind.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// `code` in the sign-in page's address, for [`ErrorKind::CredentialsSignin`]. Default: `credentials`.
    pub fn code(&self) -> &str {
        self.code.as_deref().unwrap_or("credentials")
    }

    /// The name that the logger of a dialect gets: `JWTSessionError` in v5, `JWT_SESSION_ERROR` in v4. `None` for what
    /// v4 does not log, such as wrong credentials.
    pub fn name_in(&self, dialect: Dialect) -> Option<Cow<'static, str>> {
        match dialect {
            Dialect::V5 => Some(self.kind.name().into()),
            Dialect::V4 => dialect::name_in_v4(self),
        }
    }

    /// Whether a provider is the cause: what it answered, or that it did not.
    pub(crate) fn is_of_provider(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.is::<ProtocolError>())
    }

    /// Names the event whose callback failed.
    pub(crate) fn of_event(self, name: &str) -> Self {
        Self { code: Some(name.to_owned().into()), ..self }
    }

    pub(crate) fn caused_by(kind: ErrorKind, message: &'static str, source: impl Into<BoxError>) -> Self {
        Self { source: Some(source.into()), ..Self::new(kind, message) }
    }

    /// What a callback that decides something returned: as [`returned`](Self::returned), but what says that another
    /// server is out of reach is [`ErrorKind::Unavailable`].
    pub(crate) fn from_callback(error: BoxError, kind: ErrorKind, message: &'static str) -> Self {
        let kind = if is_out_of_reach(&*error) { ErrorKind::Unavailable } else { kind };
        Self::returned(error, kind, message)
    }

    /// What code of the application returned: one of ours is taken as it is, anything else becomes `kind`.
    pub(crate) fn returned(error: BoxError, kind: ErrorKind, message: &'static str) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(ours) => return *ours,
            Err(theirs) => theirs,
        };
        match error.downcast::<StoreError>() {
            Ok(store) => Self::from(*store),
            Err(theirs) => Self::caused_by(kind, message, theirs),
        }
    }
}

/// Whether somewhere below an error there is a connection that did not come about, broke or was too slow: it says
/// nothing about whoever waits for the answer.
fn is_out_of_reach(error: &(dyn StdError + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |&error| error.source());
    causes.any(|error| {
        #[cfg(feature = "client")]
        if let Some(error) = error.downcast_ref::<reqwest::Error>() {
            return error.is_connect() || error.is_timeout();
        }
        error.downcast_ref::<io::Error>().is_some_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::NotConnected
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
                    | io::ErrorKind::NetworkDown
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::TimedOut
            )
        })
    })
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("source", &self.source)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<crate::random::NoRandomness> for Error {
    fn from(error: crate::random::NoRandomness) -> Self {
        Self::caused_by(ErrorKind::Unavailable, "no randomness", error)
    }
}
