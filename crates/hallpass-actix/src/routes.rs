//! Mounting: actix-web's request becomes Hallpass', and the other way round.

use std::sync::Arc;

use actix_web::web::{Payload, ServiceConfig, resource};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use hallpass::shell::{self, Renewals};
use hallpass::{Auth, ConfigError, Core, MAX_BODY};

use crate::{RequireSession, SessionLayer, convert};

/// What [`Auth`] can do in an actix-web application.
pub trait AuthExt {
    /// What the application keeps with a session.
    type Claims;

    /// Hallpass' own addresses, for [`App::configure`](actix_web::App::configure), and the [`Auth`] for the handlers
    /// that take a [`Session`](crate::Session).
    fn routes(&self) -> impl Fn(&mut ServiceConfig) + Clone + Send + Sync + use<Self>;

    /// Lets the cookies that renew a session reach the answer when a handler reads it. Wrap the `App`, or the scopes
    /// whose handlers take a [`Session`](crate::Session), in it.
    fn layer(&self) -> SessionLayer;

    /// A guard to wrap a scope in: nobody gets past it who is not signed in. A browser that opens a page is sent to
    /// the sign-in page, anything else gets 401.
    fn require_session(&self) -> RequireSession<Self::Claims>;
}

impl<C: 'static> AuthExt for Auth<C> {
    type Claims = C;

    fn routes(&self) -> impl Fn(&mut ServiceConfig) + Clone + Send + Sync + use<C> {
        let auth = self.clone();
        move |app: &mut ServiceConfig| {
            app.app_data(auth.clone());
            mount(auth.core(), app);
        }
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
    /// Error pages and `{"message": …}` at Hallpass' own addresses, for
    /// [`App::configure`](actix_web::App::configure).
    fn routes(self) -> impl Fn(&mut ServiceConfig) + Clone + Send + Sync;
}

impl ConfigErrorExt for ConfigError {
    fn routes(self) -> impl Fn(&mut ServiceConfig) + Clone + Send + Sync {
        let core = Arc::new(self.into_core());
        move |app: &mut ServiceConfig| mount(&core, app)
    }
}

fn mount(core: &Arc<Core>, app: &mut ServiceConfig) {
    let base = core.base_path();
    let core = Arc::clone(core);
    let addresses = [base.to_owned(), format!("{base}/{{path:.*}}")];
    app.service(resource(addresses).to(move |request, payload| answer(Arc::clone(&core), request, payload)));
}

async fn answer(core: Arc<Core>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let Some(parts) = convert::parts(&request) else { return HttpResponse::BadRequest().finish() };
    let body = match payload.to_bytes_limited(MAX_BODY).await {
        Ok(Ok(body)) => body,
        // The client has gone, or sent what is no body.
        Ok(Err(_)) => return HttpResponse::BadRequest().finish(),
        Err(_) => return convert::response(shell::body_too_large()),
    };
    let answer = core.handle(http::Request::from_parts(parts, body)).await;
    // What a guard around these routes has renewed on the way must not undo a sign-out, a sign-in or an update.
    if let Some(renewals) = request.extensions().get::<Renewals>() {
        renewals.forget();
    }
    convert::response(answer)
}
