//! Nobody gets past who may not.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::{Error, HttpRequest};
use hallpass::Auth;
use hallpass::shell::{Guard, Refusal};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::convert;
use crate::layer::own_renewals;
use crate::session::head;

/// A guard for an `App`, a scope or a resource, made by [`AuthExt::require_session`](crate::AuthExt::require_session).
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

impl<S, B, C> Transform<S, ServiceRequest> for RequireSession<C>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::Future: 'static,
    B: 'static,
    C: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = RequireSessionService<S, C>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(RequireSessionService { inner: Rc::new(service), guard: self.0.clone() }))
    }
}

/// The service that [`RequireSession`] makes.
#[derive(Debug)]
pub struct RequireSessionService<S, C> {
    inner: Rc<S>,
    guard: Guard<C>,
}

impl<S, B, C> Service<ServiceRequest> for RequireSessionService<S, C>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::Future: 'static,
    B: 'static,
    C: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let inner = Rc::clone(&self.inner);
        let guard = self.guard.clone();
        Box::pin(async move {
            // Without a layer further out the guard itself lets renewed cookies reach the answer.
            let own = own_renewals(request.request());
            let mut response = match judge(&guard, request.request()).await {
                Ok(()) => inner.call(request).await?.map_into_left_body(),
                Err(refusal) => {
                    request.into_response(convert::response(refusal.response())).map_into_right_body()
                }
            };
            if let Some(own) = own {
                convert::deliver(&own, response.headers_mut());
            }
            Ok(response)
        })
    }
}

async fn judge<C>(guard: &Guard<C>, request: &HttpRequest) -> Result<(), Refusal>
where
    C: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let head = head(request).ok_or(Refusal::SignedOut)?;
    guard.judge(&mut *head.lock().await, |parts| &parts.uri).await
}
