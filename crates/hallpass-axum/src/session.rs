//! The session in a handler's arguments.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts, OriginalUri};
use axum::response::{IntoResponse, Redirect, Response};
use hallpass::{Auth, Core, Error, NoClaims};
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
    if let Some(renewals) = parts.extensions.get::<Renewals>() {
        renewals.add(read.set_cookies());
    }
    let session = read.session.map(|session| Session(Arc::new(session)));
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
