//! Mounting: axum's request becomes Hallpass', and the other way round.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{OriginalUri, Request};
use axum::response::Response;
use axum::routing::any;
use hallpass::shell::{self, Renewals};
use hallpass::{Auth, ConfigError, Core, MAX_BODY};

use crate::{RequireSession, SessionLayer, peer};

/// What [`Auth`] can do in an axum application.
pub trait AuthExt {
    /// What the application keeps with a session.
    type Claims;

    /// Hallpass' own addresses, to merge into a router.
    fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S>;

    /// Lets the cookies that renew a session reach the answer when a handler reads it. Put it around the routes
    /// whose handlers take a [`Session`](crate::Session).
    fn layer(&self) -> SessionLayer;

    /// A guard for a router: nobody gets past it who is not signed in. A browser that opens a page is sent to
    /// the sign-in page, anything else gets 401.
    fn require_session(&self) -> RequireSession<Self::Claims>;
}

impl<C> AuthExt for Auth<C> {
    type Claims = C;

    fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        mount(Arc::clone(self.core()))
    }

    fn layer(&self) -> SessionLayer {
        SessionLayer::new()
    }

    fn require_session(&self) -> RequireSession<C> {
        RequireSession::new(self.clone())
    }
}

/// Mounts the answers of a wrong configuration, for an application that starts all the same: see
/// [`ConfigError::into_core`].
pub trait ConfigErrorExt {
    /// Error pages and `{"message": …}` at Hallpass' own addresses.
    fn routes<S: Clone + Send + Sync + 'static>(self) -> Router<S>;
}

impl ConfigErrorExt for ConfigError {
    fn routes<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        mount(Arc::new(self.into_core()))
    }
}

fn mount<S: Clone + Send + Sync + 'static>(core: Arc<Core>) -> Router<S> {
    let base = core.base_path().to_owned();
    let handler = any(move |request: Request| answer(Arc::clone(&core), request));
    Router::new()
        .route(&base, handler.clone())
        .route(&format!("{base}/"), handler.clone())
        // What every page asks for is found without taking its path apart.
        .route(&format!("{base}/session"), handler.clone())
        .route(&format!("{base}/{{*path}}"), handler)
}

async fn answer(core: Arc<Core>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    if let Some(OriginalUri(uri)) = parts.extensions.remove() {
        parts.uri = uri;
    }
    peer::note(&mut parts.extensions);
    let body = if body.is_end_stream() { Ok(Bytes::new()) } else { to_bytes(body, MAX_BODY).await };
    let Ok(body) = body else {
        return shell::body_too_large().map(Body::from);
    };
    let renewals = parts.extensions.get::<Renewals>().cloned();
    let answer = core.handle(http::Request::from_parts(parts, body)).await;
    // What a guard around these routes has renewed on the way must not undo a sign-out, a sign-in or an update.
    if let Some(renewals) = renewals {
        renewals.forget();
    }
    answer.map(Body::from)
}
