//! The session in a handler's arguments.

use std::ops::Deref;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts, OriginalUri};
use axum::response::{IntoResponse, Response};
use hallpass::shell::{self, Refusal};
use hallpass::{Auth, NoClaims};
use http::Uri;
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The session of whoever sent the request; [`hallpass::Session`] behind a pointer.
///
/// As an argument of a handler it demands that somebody is signed in; `Option<Session<C>>` does not.
#[derive(Debug)]
pub struct Session<C = NoClaims>(Arc<hallpass::Session<C>>);

impl<C> Deref for Session<C> {
    type Target = hallpass::Session<C>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<C> Clone for Session<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
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
    let session = shell::session(auth, parts).await.map_err(SessionRejection)?;
    Ok(session.map(Session))
}

/// The address that the browser asked for; inside `nest`, axum has shortened the other one.
pub(crate) fn original_uri(parts: &Parts) -> &Uri {
    parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0)
}
