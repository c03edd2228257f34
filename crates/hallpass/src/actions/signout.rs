//! `GET /signout` asks, `POST /signout` does.

use serde_json::{Map, Value};

use crate::core::{self, Ready};
use crate::error::{Error, ErrorKind};
use crate::hooks::Event;
use crate::pages::SignOutPage;
use crate::respond::{Body, Outcome};
use crate::session::Ended;
use crate::store::StoredSession;
use crate::verify::Verified;

pub(super) fn page(ready: &Ready, request: &Verified<'_>) -> Result<Outcome, Error> {
    let config = &ready.config;
    if let Some(own) = &config.paths.sign_out {
        return Ok(Outcome::new(Body::Redirect { to: own.clone(), as_json: request.inbound.as_json }));
    }
    let action = request.site.url(config, "signout");
    let page = SignOutPage { csrf_token: request.csrf.token.as_deref(), action: &action };
    let html = config.pages.sign_out(&page);
    Ok(Outcome::page(
        html.map_err(|error| Error::caused_by(ErrorKind::Configuration, "the page failed", error))?,
    ))
}

pub(super) async fn run(ready: &Ready, request: &Verified<'_>) -> Result<Outcome, Error> {
    request.csrf.require()?;
    let source = request.source(ready);
    match source.end().await? {
        Ended::Nobody => {}
        Ended::Token(token) => notify(ready, request, Some(token), None).await,
        Ended::Row(session) => notify(ready, request, None, Some(session)).await,
        // It goes all the same: what does not open is no session.
        Ended::Unreadable(error) => {
            let error =
                Error::caused_by(ErrorKind::SignOut, "the session that ends could not be read", error);
            core::report(&ready.config.hooks, &error, Some(&request.inbound.info));
        }
    }
    let to = request.callback_url.clone();
    Ok(Outcome::new(Body::Redirect { to, as_json: request.inbound.as_json }).with_cookies(source.clear()))
}

async fn notify(
    ready: &Ready,
    request: &Verified<'_>,
    token: Option<Map<String, Value>>,
    session: Option<Option<StoredSession>>,
) {
    core::notify(&ready.config, Event::SignOut { token, session }, &request.inbound.info).await;
}
