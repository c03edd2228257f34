//! One arm and one file for each address.

use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::core::Ready;
use crate::error::{Error, ErrorKind};
use crate::request::Action;
use crate::respond::Outcome;
use crate::verify::{Site, Verified};

mod callback;
pub(crate) mod client_log;
mod csrf;
mod error;
mod session;
mod sign_in_decision;
mod signin;
mod signout;
mod verify_request;

/// What is asked rarely and needs much room is in a box of its own: else each request would carry that room with it.
pub(crate) async fn run(ready: &Ready, request: &Verified<'_>) -> Result<Outcome, Error> {
    match (request.inbound.action, request.inbound.is_post()) {
        (Action::Session, _) => session::run(ready, request).await,
        (Action::Csrf, false) => Ok(csrf::run(ready, request)),
        (Action::SignIn, false) => signin::page(ready, request),
        (Action::SignIn, true) => Box::pin(signin::start(ready, request)).await,
        (Action::SignOut, false) => signout::page(ready, request),
        (Action::SignOut, true) => Box::pin(signout::run(ready, request)).await,
        (Action::Callback, _) => Box::pin(callback::run(ready, request)).await,
        (Action::Error, false) => Ok(error::page(ready, request)),
        (Action::VerifyRequest, false) => verify_request::page(ready, request),
        (Action::Providers | Action::WebAuthnOptions | Action::Log, _)
        | (Action::Csrf | Action::Error | Action::VerifyRequest, true) => {
            Err(Error::new(ErrorKind::UnknownAction, "this address does not take this method"))
        }
    }
}

/// `GET /providers`: what the sign-in page of a front end needs.
pub(crate) fn providers(config: &Config, site: &Site) -> Outcome {
    let entries = config.providers.iter().map(|entry| {
        let id = entry.id();
        let value = json!({
            "id": id,
            "name": entry.name(),
            "type": config.dialects.written().word_for(entry.kind()).as_str(),
            "signinUrl": site.url(config, &format!("signin/{id}")),
            "callbackUrl": site.url(config, &format!("callback/{id}")),
        });
        (id.to_owned(), value)
    });
    Outcome::json(&Value::Object(entries.collect::<Map<_, _>>()))
}
