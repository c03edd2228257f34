//! Nobody gets past who may not.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use hallpass::Auth;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower_layer::Layer;
use tower_service::Service;

use crate::layer::Renewals;
use crate::session::{self, SessionRejection};

type Rule<C> = Arc<dyn Fn(&hallpass::Session<C>) -> bool + Send + Sync>;

/// A guard for a router, made by [`AuthExt::require_session`](crate::AuthExt::require_session).
///
/// Who is not signed in is sent to the sign-in page (a browser that opens a page) or gets 401 (anything else);
/// who is signed in and fails a [rule](Self::when) gets 403. When it cannot be decided now it stays shut: 503.
pub struct RequireSession<C> {
    auth: Auth<C>,
    rule: Option<Rule<C>>,
}

impl<C> RequireSession<C> {
    pub(crate) fn new(auth: Auth<C>) -> Self {
        Self { auth, rule: None }
    }

    /// Lets only those sessions pass for which `rule` says so.
    #[must_use]
    pub fn when(self, rule: impl Fn(&hallpass::Session<C>) -> bool + Send + Sync + 'static) -> Self {
        Self { rule: Some(Arc::new(rule)), ..self }
    }
}

impl<C> Clone for RequireSession<C> {
    fn clone(&self) -> Self {
        Self { auth: self.auth.clone(), rule: self.rule.clone() }
    }
}

impl<C> fmt::Debug for RequireSession<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireSession").field("auth", &self.auth).finish_non_exhaustive()
    }
}

impl<S, C> Layer<S> for RequireSession<C> {
    type Service = RequireSessionService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireSessionService { inner, guard: self.clone() }
    }
}

/// The service that [`RequireSession`] makes.
#[derive(Debug)]
pub struct RequireSessionService<S, C> {
    inner: S,
    guard: RequireSession<C>,
}

impl<S: Clone, C> Clone for RequireSessionService<S, C> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), guard: self.guard.clone() }
    }
}

impl<S, C> Service<Request> for RequireSessionService<S, C>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Future: Send + 'static,
    C: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The service that is ready is the one to call; the clone takes its place.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let guard = self.guard.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            // Without a layer further out the guard itself lets renewed cookies reach the answer.
            let own = parts.extensions.get::<Renewals>().is_none().then(Renewals::default);
            if let Some(own) = &own {
                parts.extensions.insert(own.clone());
            }
            let mut response = match guard.judge(&mut parts).await {
                Ok(()) => inner.call(Request::from_parts(parts, body)).await?,
                Err(rejection) => rejection.into_response(),
            };
            if let Some(own) = own {
                own.deliver(&mut response);
            }
            Ok(response)
        })
    }
}

impl<C: Serialize + DeserializeOwned + Send + Sync + 'static> RequireSession<C> {
    async fn judge(&self, parts: &mut http::request::Parts) -> Result<(), SessionRejection> {
        let session = session::read(&self.auth, parts).await?;
        let session = session.ok_or_else(|| SessionRejection::signed_out(&self.auth, parts))?;
        match &self.rule {
            Some(rule) if !rule(&session) => Err(SessionRejection::Forbidden),
            _ => Ok(()),
        }
    }
}
