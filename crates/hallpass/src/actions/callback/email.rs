//! A magic link is followed.

use std::sync::Arc;

use crate::User;
use crate::actions::sign_in_decision;
use crate::actions::signin::email::{store, who};
use crate::core::{self, Ready};
use crate::email::Email;
use crate::error::{Error, ErrorKind};
use crate::hooks::{Event, SignIn, SignedIn};
use crate::link;
use crate::respond::{Body, Outcome};
use crate::store::OneTimeToken;
use crate::user::Account;
use crate::verify::{Verified, proof};

pub(super) async fn run(ready: &Ready, request: &Verified<'_>, provider: &Email) -> Result<Outcome, Error> {
    let config = &ready.config;
    let store = store(config)?;
    let dialect = config.dialects.written();
    let info = &request.inbound.info;
    let parameter = |name| {
        info.query(name).or_else(|| request.inbound.field(name)).filter(|text: &&str| !text.is_empty())
    };
    let (Some(token), Some(address)) = (parameter("token"), parameter("email")) else {
        return Err(dialect.incomplete_link(parameter("token").is_some()));
    };
    let taken = take(ready, address, token).await?;
    let valid = taken.filter(|token| token.expires > config.clock.now());
    let address = valid
        .ok_or_else(|| Error::new(ErrorKind::Verification, "the link is wrong, used or too old"))?
        .identifier;
    let (user, account) = who(ready, store, provider, &address).await?;
    let user_id = account.user_id.clone().filter(|_| dialect.names_user_of_followed_link());
    let account = Account { user_id, ..account };
    let event = SignIn {
        user: user.clone(),
        account: account.clone(),
        profile: None,
        credentials: None,
        verification_request: false,
        request: Arc::clone(info),
    };
    if let Some(to) = sign_in_decision::ask(config, event, &request.site.origin).await? {
        return Ok(Outcome::new(Body::Redirect { to, as_json: request.inbound.as_json }));
    }
    let is_stand_in = dialect.id_of_address(&address).is_some_and(|id| id == user.id);
    let user = match is_stand_in && store.user_by_email(&address).await?.is_none() {
        true => User { id: ready.new_id()?, ..user },
        false => user,
    };
    let linked = link::by_email(ready, store, user, info).await?;
    let is_new_user = Some(linked.is_new_user);
    let user = linked.user;
    let signed_in = SignedIn { user: user.clone(), account: account.clone(), profile: None, is_new_user };
    let cookies = request.source(ready).sign_in(signed_in).await?;
    core::notify(config, Event::SignIn { user, account, profile: None, is_new_user }, info).await;
    Ok(Outcome::new(super::onward(ready, request, &request.callback_url, linked.is_new_user))
        .with_cookies(cookies))
}

/// The stored token, taken: it was made with one of the secrets.
async fn take(ready: &Ready, address: &str, token: &str) -> Result<Option<OneTimeToken>, Error> {
    let store = store(&ready.config)?;
    for secret in &ready.config.secrets {
        if let Some(taken) = store.take_token(address, &proof(token, secret)).await? {
            return Ok(Some(taken));
        }
    }
    Ok(None)
}
