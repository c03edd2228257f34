//! Options that depend on the request: Auth.js' `createOptions(req)`.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Auth;
use crate::config::{Config, PagePaths};
use crate::error::BoxError;
use crate::hooks::{self, Decision, Jwt, JwtDecision, Redirect, SessionEvent, SignIn};

/// What is different for one request: [`Auth::for_request`].
#[must_use]
pub struct ForRequest<C> {
    auth: Auth<C>,
    changes: Vec<Change>,
}

type Change = Box<dyn FnOnce(&mut Config) + Send>;

impl<C> Auth<C> {
    /// This configuration with other options, for one request: callbacks that have what they need of it at hand, a life
    /// time for a device, pages for a tenant. Nothing is built again: keys, pages, caches and what is known of
    /// providers are shared, so it costs about as much as a few copies.
    ///
    /// Most applications need no such thing, since every callback sees the request.
    ///
    /// ```
    /// use hallpass::{Auth, Jwt};
    /// # use hallpass::{Credentials, Environment, Field};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Claims { company: Option<String> }
    ///
    /// async fn answer(auth: &Auth<Claims>, request: http::Request<bytes::Bytes>) -> http::Response<bytes::Bytes> {
    ///     let company = request.headers().get("x-company").and_then(|it| it.to_str().ok()).map(str::to_owned);
    ///     let auth = auth.for_request().jwt(async move |event: Jwt<Claims>| {
    ///         Ok(match event {
    ///             Jwt::SignIn(_) => Some(Claims { company }),
    ///             Jwt::Read(it) => Some(it.claims),
    ///         })
    ///     });
    ///     auth.build().handle(request).await
    /// }
    /// ```
    pub fn for_request(&self) -> ForRequest<C> {
        ForRequest { auth: self.clone(), changes: Vec::new() }
    }
}

impl<C: Serialize + DeserializeOwned + Send + 'static> ForRequest<C> {
    fn with(mut self, change: impl FnOnce(&mut Config) + Send + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// The `jwt` callback of this request, with the claims that the application keeps.
    pub fn jwt<U, R, F, Fut>(self, callback: F) -> Self
    where
        U: DeserializeOwned + Send + 'static,
        R: Into<JwtDecision<C>> + Send + 'static,
        F: FnOnce(Jwt<C, U>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<R, BoxError>> + Send + 'static,
    {
        self.with(move |config| {
            config.hooks.jwt = Some(hooks::jwt_hook(move |event| callback.clone()(event)))
        })
    }

    /// The `session` callback of this request. What [`cache_for`](crate::Builder::cache_for) keeps is neither asked nor
    /// filled by it.
    pub fn session<V, F, Fut>(self, callback: F) -> Self
    where
        V: Serialize + Send + 'static,
        F: FnOnce(SessionEvent<C>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<V, BoxError>> + Send + 'static,
    {
        self.with(move |config| {
            config.hooks.session = Some(hooks::session_hook(move |event| callback.clone()(event)));
            // What another callback has shown is not what this one would show.
            config.views = None;
        })
    }

    /// The `sign_in` callback of this request.
    pub fn sign_in<D, F, Fut>(self, callback: F) -> Self
    where
        D: Into<Decision> + Send + 'static,
        F: FnOnce(SignIn) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<D, BoxError>> + Send + 'static,
    {
        self.with(move |config| {
            config.hooks.sign_in = Some(Arc::new(move |event| {
                let answer = callback.clone()(event);
                Box::pin(async move { Ok(answer.await?.into()) })
            }));
        })
    }

    /// The `redirect` callback of this request.
    pub fn redirect<F, Fut>(self, callback: F) -> Self
    where
        F: FnOnce(Redirect) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<String, BoxError>> + Send + 'static,
    {
        self.with(move |config| {
            config.hooks.redirect = Some(Arc::new(move |event| Box::pin(callback.clone()(event))));
        })
    }

    /// How long the session lives that nobody uses. One second at least.
    pub fn session_max_age(self, max_age: Duration) -> Self {
        self.with(move |config| config.session_max_age = max_age.max(Duration::from_secs(1)))
    }

    /// Pages of the application.
    pub fn pages(self, pages: PagePaths) -> Self {
        self.with(move |config| config.paths = pages)
    }

    /// The configuration for this request.
    pub fn build(self) -> Auth<C> {
        let core = self.auth.core.with(|config| self.changes.into_iter().for_each(|change| change(config)));
        core.map_or(self.auth, Auth::new)
    }
}

impl<C> fmt::Debug for ForRequest<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForRequest").field("changes", &self.changes.len()).finish_non_exhaustive()
    }
}
