//! Credentials are checked by the application's `authorize`.

use std::sync::Arc;

use crate::User;
use crate::actions::sign_in_decision;
use crate::config::Strategy;
use crate::core::{self, Ready};
use crate::error::{Error, ErrorKind};
use crate::hooks::{self, CredentialsInput, Event, Hook, SignIn, SignedIn};
use crate::link::{self, Linked};
use crate::respond::{Body, Outcome};
use crate::user::{Account, AccountKind};
use crate::verify::Verified;

pub(super) async fn run(
    ready: &Ready,
    request: &Verified<'_>,
    provider: &str,
    authorize: &Hook<CredentialsInput, Option<User>>,
) -> Result<Outcome, Error> {
    request.csrf.require()?;
    let config = &ready.config;
    let info = &request.inbound.info;
    let input = CredentialsInput { fields: request.inbound.body.clone(), request: Arc::clone(info) };
    let user = hooks::call(config.callback_timeout, authorize, input.clone()).await?;
    let user =
        user.map_err(|error| Error::from_callback(error, ErrorKind::CallbackRoute, "authorize failed"))?;
    let user = user.ok_or_else(|| Error::credentials("credentials"))?;
    if user.id.is_empty() && config.strategy == Strategy::Database {
        return Err(Error::new(
            ErrorKind::CallbackRoute,
            "authorize returned a user without id: sessions in the store need one that stays the same",
        ));
    }
    let has_number = user.has_number && config.dialects.written().keeps_numbers();
    let user = User { has_number, ..user };
    let user = if user.id.is_empty() { User { id: ready.new_id()?, ..user } } else { user };
    // With sessions in tokens they may be one of the store's users, or nobody whom it knows.
    let was_kept = config.strategy == Strategy::Jwt && link::is_kept(config, &user.id).await?;
    let account = Account { has_number, ..Account::new(provider, AccountKind::Credentials, &user.id) };
    let event = SignIn {
        user: user.clone(),
        account: account.clone(),
        profile: None,
        credentials: Some(input),
        verification_request: false,
        request: Arc::clone(info),
    };
    if let Some(to) = sign_in_decision::ask(config, event, &request.site.origin).await? {
        return Ok(Outcome::new(Body::Redirect { to, as_json: request.inbound.as_json }));
    }
    let linked = match (config.strategy, config.store.as_deref()) {
        (Strategy::Database, Some(store)) => link::by_credentials(ready, store, user, &account, info).await?,
        _ => Linked { user, is_new_user: false },
    };
    let (user, is_new_user) = (linked.user, linked.is_new_user);
    let signed_in = SignedIn {
        user: user.clone(),
        account: account.clone(),
        profile: None,
        is_new_user: Some(is_new_user),
    };
    let cookies = request.source(ready).sign_in(signed_in, was_kept).await?;
    let event = Event::SignIn { user, account, profile: None, is_new_user: is_new_user.then_some(true) };
    core::notify(config, event, info).await;
    Ok(Outcome::new(super::onward(ready, request, &request.callback_url, is_new_user)).with_cookies(cookies))
}
