//! The session in a handler's arguments.

use std::ops::{Deref, DerefMut};

use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts, OriginalUri};
use axum::response::{IntoResponse, Response};
use hallpass::shell::{self, HeldSession, Refusal};
use hallpass::{Auth, Error, NoClaims};
use http::Uri;
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::peer;

/// The session of whoever sent the request. Its fields are those of [`hallpass::Session`], and
/// [`update`](HeldSession::update) and [`sign_out_elsewhere`](HeldSession::sign_out_elsewhere) change it.
///
/// As an argument of a handler it demands that somebody is signed in; `Option<Session<C>>` does not.
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

impl<S, C> FromRequestParts<S> for Session<C>
where
    S: Send + Sync,
    Auth<C>: FromRef<S>,
    C: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let auth = Auth::from_ref(state);
        read(&auth, parts)
            .await?
            .ok_or_else(|| SessionRejection(Refusal::signed_out(&auth, parts, original_uri(parts))))
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
pub struct SessionRejection(pub Refusal);

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        self.0.response().map(Body::from)
    }
}

/// The session of a request.
async fn read<C>(auth: &Auth<C>, parts: &mut Parts) -> Result<Option<Session<C>>, SessionRejection>
where
    C: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    peer::note(&mut parts.extensions);
    let session = shell::session(auth, parts).await.map_err(SessionRejection)?;
    Ok(session.map(Session))
}

/// The address that the browser asked for; inside `nest`, axum has shortened the other one.
pub(crate) fn original_uri(parts: &Parts) -> &Uri {
    parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0)
}
