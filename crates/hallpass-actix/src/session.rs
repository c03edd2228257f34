//! The session in a handler's arguments.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use hallpass::shell::{self, HeldSession, Refusal, Renewals};
use hallpass::{Auth, Error, NoClaims};
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::convert;

/// The session of whoever sent the request. Its fields are those of [`hallpass::Session`], and
/// [`update`](HeldSession::update) and [`sign_out_elsewhere`](HeldSession::sign_out_elsewhere) change it.
///
/// As an argument of a handler it demands that somebody is signed in; [`MaybeSession`] does not.
///
/// `Option<Session<C>>` works as well, but there actix-web takes *every* failure for `None`: while it cannot be decided
/// whether somebody is signed in, they look signed out, where `MaybeSession` answers 503.
#[derive(Debug)]
pub struct Session<C = NoClaims>(HeldSession<C>);

impl<C: Serialize + DeserializeOwned> Session<C> {
    /// Ends this session. The answer takes its cookie away, if a [layer](crate::AuthExt::layer) or a
    /// [guard](crate::AuthExt::require_session) is around the handler.
    ///
    /// # Errors
    /// See [`SessionHandle::sign_out`](hallpass::SessionHandle::sign_out).
    pub async fn sign_out(self) -> Result<(), Error> {
        self.0.sign_out().await
    }
}

impl<C> Deref for Session<C> {
    type Target = HeldSession<C>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<C> DerefMut for Session<C> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<C> Clone for Session<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// The session of whoever sent the request, or `None` when nobody is signed in.
///
/// ```
/// # use hallpass_actix::MaybeSession;
/// async fn home(MaybeSession(session): MaybeSession) -> String {
///     session.and_then(|session| session.user.name.clone()).unwrap_or_else(|| "stranger".to_owned())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct MaybeSession<C = NoClaims>(pub Option<Session<C>>);

impl<C: Serialize + DeserializeOwned + Send + Sync + 'static> FromRequest for Session<C> {
    type Error = SessionRejection;
    type Future = Pin<Box<dyn Future<Output = Result<Self, SessionRejection>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let auth = auth(&request)?;
            let head = head(&request).ok_or(SessionRejection(Refusal::SignedOut))?;
            let mut parts = head.lock().await;
            let session = shell::session(&auth, &mut parts).await.map_err(SessionRejection)?;
            session.map(Self).ok_or_else(|| SessionRejection(Refusal::signed_out(&auth, &parts, &parts.uri)))
        })
    }
}

impl<C: Serialize + DeserializeOwned + Send + Sync + 'static> FromRequest for MaybeSession<C> {
    type Error = SessionRejection;
    type Future = Pin<Box<dyn Future<Output = Result<Self, SessionRejection>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let auth = auth::<C>(&request)?;
            let Some(head) = head(&request) else { return Ok(Self(None)) };
            let session = shell::session(&auth, &mut *head.lock().await).await.map_err(SessionRejection)?;
            Ok(Self(session.map(Session)))
        })
    }
}

/// Why a handler was not called.
#[derive(Debug)]
pub struct SessionRejection(pub Refusal);

impl fmt::Display for SessionRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SessionRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl ResponseError for SessionRejection {
    fn status_code(&self) -> StatusCode {
        self.error_response().status()
    }

    fn error_response(&self) -> HttpResponse {
        convert::response(self.0.response())
    }
}

/// What the application has mounted: the `Auth` that [`routes`](crate::AuthExt::routes) left, or that of
/// `App::app_data`.
fn auth<C: 'static>(request: &HttpRequest) -> Result<Auth<C>, SessionRejection> {
    let given = request.app_data::<Auth<C>>();
    let auth = given.or_else(|| request.app_data::<Data<Auth<C>>>().map(|data| data.get_ref()));
    auth.cloned().ok_or(SessionRejection(Refusal::NotMounted))
}

/// The head of a request as Hallpass reads it, made once, with what was read for it already. Extractors of one handler
/// run at the same time: the second waits for what the first has found.
pub(crate) fn head(request: &HttpRequest) -> Option<Rc<Mutex<Parts>>> {
    if let Some(Head(head)) = request.extensions().get::<Head>() {
        return Some(Rc::clone(head));
    }
    let mut parts = convert::parts(request)?;
    let mut extensions = request.extensions_mut();
    if let Some(renewals) = extensions.get::<Renewals>() {
        parts.extensions.insert(renewals.clone());
    }
    let head = Rc::new(Mutex::new(parts));
    extensions.insert(Head(Rc::clone(&head)));
    Some(head)
}

struct Head(Rc<Mutex<Parts>>);
