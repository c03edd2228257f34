//! `/callback/:provider`: somebody comes back from a provider, follows a link, or sends a form.

use crate::config::ProviderEntry;
use crate::core::{Ready, absolute};
use crate::error::{Error, ErrorKind};
use crate::redirect;
use crate::respond::{Body, Outcome};
use crate::verify::Verified;

mod credentials;
mod email;
mod oauth;

pub(super) async fn run(ready: &Ready, request: &Verified<'_>) -> Result<Outcome, Error> {
    match request.provider {
        Some(ProviderEntry::OAuth(provider)) => oauth::run(ready, request, provider).await,
        Some(ProviderEntry::Email(provider, _)) => email::run(ready, request, provider).await,
        Some(ProviderEntry::Credentials(provider, authorize)) if request.inbound.is_post() => {
            credentials::run(ready, request, &provider.id, authorize).await
        }
        Some(ProviderEntry::Credentials(..)) => {
            Err(Error::new(ErrorKind::UnknownAction, "credentials are sent with POST"))
        }
        None => Err(Error::new(ErrorKind::InvalidProvider, "the address names no provider")),
    }
}

/// Where somebody goes who has just signed in.
fn onward(ready: &Ready, request: &Verified<'_>, callback_url: &str, is_new_user: bool) -> Body {
    let as_json = request.inbound.as_json;
    match &ready.config.paths.new_user {
        Some(page) if is_new_user => {
            let to = redirect::with_query(page, &[("callbackUrl", callback_url)]);
            Body::Redirect { to, as_json }
        }
        _ => Body::Redirect { to: absolute(&request.site, callback_url), as_json },
    }
}
