//! Where the application takes part: what callbacks are given, and how they are kept.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{BoxError, Error, ErrorKind};
use crate::request::RequestInfo;
use crate::{Account, Timestamp, User};

mod client_log;
mod event;
mod fields;
mod jwt;
mod payload;
mod session;
mod sign_in;
mod stale;

pub use client_log::ClientLog;
pub use event::Event;
pub use jwt::{Jwt, JwtDecision, JwtRead, JwtSignIn, JwtUpdate, NoClaims, NoUpdate, Token};
pub use session::{SessionEvent, SessionUser, ViewUser};
pub use sign_in::{CredentialsInput, Decision, Mail, Redirect, SignIn};

pub(crate) use fields::reserved_field;
pub(crate) use jwt::{RawJwt, RawTrigger, RefusedUpdate};
pub(crate) use payload::{Marker, Payload, follow, is_reserved};
pub(crate) use stale::{Migrate, SeenMismatches, StaleClaims};

/// A future of a callback, boxed once.
pub(crate) type HookFuture<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// A callback, boxed once when it is registered.
pub(crate) type Hook<E, T> = Arc<dyn Fn(E) -> HookFuture<T> + Send + Sync>;

pub(crate) type ErrorHook = Arc<dyn Fn(&Error, Option<&RequestInfo>) + Send + Sync>;

pub(crate) type AuditHook = Arc<dyn Fn(&Event, &RequestInfo) + Send + Sync>;

pub(crate) type ClientLogHook = Arc<dyn Fn(&ClientLog, &RequestInfo) + Send + Sync>;

/// All callbacks of one application.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) sign_in: Option<Hook<SignIn, Decision>>,
    pub(crate) redirect: Option<Hook<Redirect, String>>,
    pub(crate) jwt: Option<Hook<RawJwt, Option<Arc<Payload>>>>,
    pub(crate) migrate: Option<Migrate>,
    pub(crate) seen_mismatches: SeenMismatches,
    /// It returns JSON.
    pub(crate) session: Option<Hook<RawSession, String>>,
    pub(crate) event: Option<Hook<Event, ()>>,
    pub(crate) audit: Option<AuditHook>,
    pub(crate) error: Option<ErrorHook>,
    pub(crate) client_log: Option<ClientLogHook>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hooks")
    }
}

/// What the `session` callback is called with, before it has types.
pub(crate) struct RawSession {
    pub(crate) token: Arc<Payload>,
    pub(crate) expires: Timestamp,
    pub(crate) stored: Option<StoredUser>,
    /// What a client sent, if it asked for a change.
    pub(crate) update: Option<Option<Value>>,
    pub(crate) request: Arc<RequestInfo>,
}

/// Whose session it is, where the session is in the store.
#[derive(Clone, Debug)]
pub(crate) struct StoredUser {
    pub(crate) user: User,
    pub(crate) session_id: String,
}

/// A callback did not answer: it panicked.
#[derive(Debug, thiserror::Error)]
#[error("a callback panicked: {0}")]
struct Panicked(String);

/// Calls a callback. One that panics or takes too long ends the request, not the process, and says nothing about
/// anybody: [`ErrorKind::Unavailable`].
pub(crate) async fn call<E, T>(
    limit: Duration,
    hook: &Hook<E, T>,
    event: E,
) -> Result<Result<T, BoxError>, Error> {
    // The event is moved in and the hook is shared only by `Fn`, so no half-changed value of ours is seen again.
    let future = match std::panic::catch_unwind(AssertUnwindSafe(|| hook(event))) {
        Ok(future) => future,
        Err(panic) => return Err(panicked(&panic)),
    };
    let mut answer = std::pin::pin!(AssertUnwindSafe(future).catch_unwind());
    // Most callbacks answer at once, and need no timer.
    let first = std::future::poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
    let answer = match first {
        Poll::Ready(answer) => answer,
        // Without tokio there is nobody who could wake us in time.
        Poll::Pending if tokio::runtime::Handle::try_current().is_err() => answer.await,
        Poll::Pending => match tokio::time::timeout(limit, answer).await {
            Ok(answer) => answer,
            Err(_) => {
                let message = format!("a callback took longer than {limit:?} (`callback_timeout`)");
                return Err(Error::new(ErrorKind::Unavailable, message));
            }
        },
    };
    answer.map_err(|panic| panicked(&panic))
}

fn panicked(panic: &Box<dyn Any + Send>) -> Error {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Error::caused_by(ErrorKind::Unavailable, "a callback panicked", Panicked(text))
}

/// A `jwt` callback without its types.
pub(crate) fn jwt_hook<C, U, R, Fut>(
    callback: impl Fn(Jwt<C, U>) -> Fut + Send + Sync + 'static,
) -> Hook<RawJwt, Option<Arc<Payload>>>
where
    C: Serialize + DeserializeOwned + 'static,
    U: DeserializeOwned,
    R: Into<JwtDecision<C>>,
    Fut: Future<Output = Result<R, BoxError>> + Send + 'static,
{
    Arc::new(move |raw: RawJwt| {
        let before = Arc::clone(&raw.token);
        let answer = raw.typed().map(&callback);
        Box::pin(async move { follow(before, answer?.await?.into()) })
    })
}

/// A `session` callback without its types.
pub(crate) fn session_hook<C, V, Fut>(
    callback: impl Fn(SessionEvent<C>) -> Fut + Send + Sync + 'static,
) -> Hook<RawSession, String>
where
    C: DeserializeOwned + 'static,
    V: Serialize,
    Fut: Future<Output = Result<V, BoxError>> + Send + 'static,
{
    Arc::new(move |raw: RawSession| {
        let answer = SessionEvent::new(raw).map(&callback);
        Box::pin(async move { Ok(serde_json::to_string(&answer?.await?)?) })
    })
}

/// The arguments that `sign_in` and `jwt` share.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub(crate) user: User,
    pub(crate) account: Account,
    pub(crate) profile: Option<Map<String, Value>>,
    pub(crate) is_new_user: Option<bool>,
}
