//! `GET /signout` asks, `POST /signout` does.

use crate::core::{self, Ready};
use crate::error::{Error, ErrorKind};
use crate::hooks::Event;
use crate::pages::SignOutPage;
use crate::respond::{Body, Outcome};
use crate::verify::Verified;

pub(super) fn page(ready: &Ready, request: &Verified<'_>) -> Result<Outcome, Error> {
    let config = &ready.config;
    if let Some(own) = &config.paths.sign_out {
        return Ok(Outcome::new(Body::Redirect {
            to: own.clone(),
            as_json: request.inbound.return_redirect,
        }));
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
    match source.peek() {
        None => {}
        Some(Ok(token)) => {
            let event = Event::SignOut { token: token.all().clone() };
            core::notify(&ready.config, event, &request.inbound.info).await;
        }
        // It goes all the same: what does not open is no session.
        Some(Err(error)) => {
            let error =
                Error::caused_by(ErrorKind::SignOut, "the session that ends could not be read", error);
            core::report(&ready.config.hooks, &error, Some(&request.inbound.info));
        }
    }
    let to = request.callback_url.clone();
    Ok(Outcome::new(Body::Redirect { to, as_json: request.inbound.return_redirect })
        .with_cookies(source.clear()))
}
