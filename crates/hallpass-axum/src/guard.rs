//! Nobody gets past who may not.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hallpass::Auth;
use hallpass::shell::{Guard, Renewals};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower_layer::Layer;
use tower_service::Service;

use crate::peer;
use crate::session::original_uri;

/// A guard for a router, made by [`AuthExt::require_session`](crate::AuthExt::require_session).
///
/// Who is not signed in is sent to the sign-in page (a browser that opens a page) or gets 401 (anything else);
/// who is signed in and fails a [rule](Self::when) gets 403. When it cannot be decided now it stays shut: 503.
#[derive(Debug)]
pub struct RequireSession<C>(Guard<C>);

impl<C> RequireSession<C> {
    pub(crate) fn new(auth: Auth<C>) -> Self {
        Self(Guard::new(auth))
    }

    /// Lets only those sessions pass for which `rule` says so.
    #[must_use]
    pub fn when(self, rule: impl Fn(&hallpass::Session<C>) -> bool + Send + Sync + 'static) -> Self {
        Self(self.0.when(rule))
    }
}

impl<C> Clone for RequireSession<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S, C> Layer<S> for RequireSession<C> {
    type Service = RequireSessionService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireSessionService { inner, guard: self.0.clone() }
    }
}

/// The service that [`RequireSession`] makes.
#[derive(Debug)]
pub struct RequireSessionService<S, C> {
    inner: S,
    guard: Guard<C>,
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
            peer::note(&mut parts.extensions);
            let mut response = match guard.judge(&mut parts, original_uri).await {
                Ok(()) => inner.call(Request::from_parts(parts, body)).await?,
                Err(refusal) => refusal.response().map(Body::from),
            };
            if let Some(own) = own {
                own.deliver(response.headers_mut());
            }
            Ok(response)
        })
    }
}
