//! Cookies that renew a session reach the answer.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::{Error, HttpMessage, HttpRequest};
use hallpass::shell::Renewals;

use crate::convert;

/// Made by [`AuthExt::layer`](crate::AuthExt::layer).
#[derive(Clone, Copy, Debug)]
pub struct SessionLayer(());

impl SessionLayer {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl<S, B> Transform<S, ServiceRequest> for SessionLayer
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::Future: 'static,
    B: 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = SessionService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(SessionService(Rc::new(service))))
    }
}

/// The service that [`SessionLayer`] makes.
#[derive(Debug)]
pub struct SessionService<S>(Rc<S>);

impl<S, B> Service<ServiceRequest> for SessionService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::Future: 'static,
    B: 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<ServiceResponse<B>, Error>>>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let own = own_renewals(request.request());
        let answer = self.0.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            if let Some(own) = own {
                convert::deliver(&own, response.headers_mut());
            }
            Ok(response)
        })
    }
}

/// Lets cookies be renewed from here on, and delivered by whoever asks: unless somebody further out does so already.
pub(crate) fn own_renewals(request: &HttpRequest) -> Option<Renewals> {
    let mut extensions = request.extensions_mut();
    if extensions.contains::<Renewals>() {
        return None;
    }
    let own = Renewals::default();
    extensions.insert(own.clone());
    Some(own)
}
