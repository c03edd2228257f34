//! The session in a handler's arguments.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts, OriginalUri};
use axum::response::{IntoResponse, Redirect, Response};
use hallpass::{Auth, Core, Error, ErrorKind, NoClaims, SessionHandle, SessionRead};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use http::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::layer::Renewals;

/// The session of whoever sent the request; [`hallpass::Session`] behind a pointer.
///
/// As an argument of a handler it demands that somebody is signed in; `Option<Session<C>>` does not.
#[derive(Debug)]
pub struct Session<C = NoClaims> {
    session: Arc<hallpass::Session<C>>,
    handle: SessionHandle<C>,
    renewals: Renewals,
}

impl<C: Serialize + DeserializeOwned> Session<C> {
    /// Changes what the session keeps. The new cookie is on this answer, if a [layer](crate::AuthExt::layer) or a
    /// [guard](crate::AuthExt::require_session) is around the handler.
    ///
    /// # Errors
    /// See [`SessionHandle::update`].
    pub async fn update(&mut self, change: impl FnMut(&mut C) + Send) -> Result<(), Error> {
        let read = self.handle.update(change).await?;
        self.take(read)
    }

    /// Ends all other sessions of this user.
    ///
    /// # Errors
    /// See [`SessionHandle::sign_out_elsewhere`].
    pub async fn sign_out_elsewhere(&mut self) -> Result<(), Error> {
        let read = self.handle.sign_out_elsewhere().await?;
        self.take(read)
    }

    /// Ends this session.
    ///
    /// # Errors
    /// See [`SessionHandle::sign_out`].
    pub async fn sign_out(self) -> Result<(), Error> {
        self.renewals.replace(self.handle.sign_out().await?.set_cookies());
        Ok(())
    }

    fn take(&mut self, read: SessionRead<C>) -> Result<(), Error> {
        self.renewals.replace(read.set_cookies());
        if let Some(handle) = read.handle() {
            self.handle = handle.clone();
        }
        let session =
            read.session.ok_or_else(|| Error::new(ErrorKind::JwtSession, "the session has ended"))?;
        self.session = Arc::new(session);
        Ok(())
    }
}

impl<C> Deref for Session<C> {
    type Target = hallpass::Session<C>;

    fn deref(&self) -> &Self::Target {
        &self.session
    }
}

impl<C> Clone for Session<C> {
    fn clone(&self) -> Self {
        Self {
            session: Arc::clone(&self.session),
            handle: self.handle.clone(),
            renewals: self.renewals.clone(),
        }
    }
}

/// What was read for this request already, and by whom: an application may have two [`Auth`]s whose claims are of
/// one type, and a session of one is none of the other.
struct Known<C> {
    core: Arc<Core>,
    session: Option<Session<C>>,
}

impl<C> Clone for Known<C> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), session: self.session.clone() }
    }
}

/// The session of a request: read once, and its cookies left for the layer.
///
/// # Errors
/// [`SessionRejection::Unavailable`] when that cannot be decided now.
pub(crate) async fn read<C>(auth: &Auth<C>, parts: &mut Parts) -> Result<Option<Session<C>>, SessionRejection>
where
    C: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    if let Some(known) =
        parts.extensions.get::<Known<C>>().filter(|known| Arc::ptr_eq(&known.core, auth.core()))
    {
        return Ok(known.session.clone());
    }
    let read = auth.read(parts).await.map_err(SessionRejection::Unavailable)?;
    let renewals = parts.extensions.get::<Renewals>().cloned().unwrap_or_default();
    renewals.add(read.set_cookies());
    let handle = read.handle().cloned();
    let session = read.session.zip(handle).map(|(session, handle)| Session {
        session: Arc::new(session),
        handle,
        renewals,
    });
    parts.extensions.insert(Known { core: Arc::clone(auth.core()), session: session.clone() });
    Ok(session)
}

impl<S, C> FromRequestParts<S> for Session<C>
where
    S: Send + Sync,
    Auth<C>: FromRef<S>,
    C: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let auth = Auth::from_ref(state);
        read(&auth, parts).await?.ok_or_else(|| SessionRejection::signed_out(&auth, parts))
    }
}

impl<S, C> OptionalFromRequestParts<S> for Session<C>
where
    S: Send + Sync,
    Auth<C>: FromRef<S>,
    C: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Self::Rejection> {
        read(&Auth::from_ref(state), parts).await
    }
}

/// Why a handler was not called.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionRejection {
    /// Nobody is signed in: 401.
    SignedOut,
    /// Nobody is signed in, and a browser is opening a page: to this sign-in page.
    SignInFirst(String),
    /// Somebody is signed in who may not do this: 403.
    Forbidden,
    /// It cannot be decided now: 503. Nobody is treated as signed in, nor as signed out.
    Unavailable(Error),
}

impl SessionRejection {
    pub(crate) fn signed_out<C>(auth: &Auth<C>, parts: &Parts) -> Self {
        if !opens_page(parts) {
            return Self::SignedOut;
        }
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        Self::SignInFirst(auth.sign_in_url(uri.path_and_query().map_or("/", |path| path.as_str())))
    }
}

/// A person opens a page, as opposed to a program that asks for data.
fn opens_page(parts: &Parts) -> bool {
    let accepts = parts.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    parts.method == Method::GET && accepts.contains("text/html")
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        let (status, body) = match self {
            Self::SignInFirst(page) => {
                return ([(CACHE_CONTROL, "no-store")], Redirect::to(&page)).into_response();
            }
            Self::SignedOut => (StatusCode::UNAUTHORIZED, r#"{"message":"sign in first"}"#),
            Self::Forbidden => (StatusCode::FORBIDDEN, r#"{"message":"you may not do this"}"#),
            Self::Unavailable(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, r#"{"message":"try again in a moment"}"#)
            }
        };
        let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
        let mut response = (status, headers, body).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, http::HeaderValue::from_static("5"));
        }
        response
    }
}
