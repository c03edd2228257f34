//! Cookies that renew a session reach the answer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::Response;
use hallpass::shell::Renewals;
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
            renewals.deliver(response.headers_mut());
            Ok(response)
        })
    }
}
