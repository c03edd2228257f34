//! Cookies that renew a session reach the answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::Response;
use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use tower_layer::Layer;
use tower_service::Service;

/// Made by [`AuthExt::layer`](crate::AuthExt::layer).
#[derive(Clone, Copy, Debug)]
pub struct SessionLayer(());

impl SessionLayer {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService(inner)
    }
}

/// The service that [`SessionLayer`] makes.
#[derive(Clone, Debug)]
pub struct SessionService<S>(S);

impl<S> Service<Request> for SessionService<S>
where
    S: Service<Request, Response = Response>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let renewals = Renewals::default();
        request.extensions_mut().insert(renewals.clone());
        let answer = self.0.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            renewals.deliver(&mut response);
            Ok(response)
        })
    }
}

/// An answer with somebody's session cookie in it must not be given to anybody else, whatever the handler says.
fn keep_out_of_caches(headers: &mut HeaderMap) {
    let directives = headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut directives = directives.split(',').map(str::trim);
    if !directives.any(|it| it.eq_ignore_ascii_case("private") || it.eq_ignore_ascii_case("no-store")) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
}

/// The cookies that one request has renewed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Renewals(Arc<Mutex<Vec<HeaderValue>>>);

impl Renewals {
    pub(crate) fn add<'a>(&self, cookies: impl Iterator<Item = &'a HeaderValue>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(cookies.cloned());
    }

    /// Puts others in their place, unless there are none.
    pub(crate) fn replace<'a>(&self, cookies: impl Iterator<Item = &'a HeaderValue>) {
        let cookies: Vec<_> = cookies.cloned().collect();
        if !cookies.is_empty() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cookies;
        }
    }

    /// Forgets them: Hallpass' own answer says what becomes of the session.
    pub(crate) fn forget(&self) {
        self.take();
    }

    /// Puts them into the answer.
    pub(crate) fn deliver(&self, response: &mut Response) {
        let cookies = self.take();
        if !cookies.is_empty() {
            keep_out_of_caches(response.headers_mut());
        }
        for cookie in cookies {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }

    fn take(&self) -> Vec<HeaderValue> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
