//! A magic link is followed.

use std::sync::Arc;

use crate::actions::sign_in_decision;
use crate::actions::signin::email::{Recipient, store, who};
use crate::core::{self, Ready};
use crate::email::{self, Email};
use crate::error::{Error, ErrorKind};
use crate::hooks::{Event, SignIn, SignedIn};
use crate::link;
use crate::pages::ConfirmPage;
use crate::respond::{Body, Outcome};
use crate::store::OneTimeToken;
use crate::user::Account;
use crate::verify::{Verified, proof};

pub(super) async fn run(ready: &Ready, request: &Verified<'_>, provider: &Email) -> Result<Outcome, Error> {
    let consumes_at_once = ready.config.compat.magic_link;
    if consumes_at_once {
        return follow(ready, request, provider, &Link::anywhere(request)?).await;
    }
    if request.inbound.is_post() {
        request.csrf.require()?;
        return follow(ready, request, provider, &Link::of_form(request)?).await;
    }
    confirm(ready, request, provider, &Link::of_query(request)?)
}

/// What a link names.
struct Link<'a> {
    token: &'a str,
    address: &'a str,
}

impl<'a> Link<'a> {
    fn of_query(request: &'a Verified<'_>) -> Result<Self, Error> {
        Self::new(request, |name| request.inbound.info.query(name))
    }

    fn of_form(request: &'a Verified<'_>) -> Result<Self, Error> {
        Self::new(request, |name| request.inbound.field(name))
    }

    fn anywhere(request: &'a Verified<'_>) -> Result<Self, Error> {
        Self::new(request, |name| request.inbound.info.query(name).or_else(|| request.inbound.field(name)))
    }

    fn new(request: &Verified<'_>, parameter: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Error> {
        let filled = |name| parameter(name).filter(|text| !text.is_empty());
        let (Some(token), Some(address)) = (filled("token"), filled("email")) else {
            return Err(request.inbound.dialect.incomplete_link(filled("token").is_some()));
        };
        Ok(Self { token, address })
    }
}

/// Asks before anything is used up: programs that look at mail open the links in it (GET), but press no button.
fn confirm(
    ready: &Ready,
    request: &Verified<'_>,
    provider: &Email,
    link: &Link<'_>,
) -> Result<Outcome, Error> {
    // Whoever made the link chose the text that the page shows.
    if !email::is_single(link.address) {
        return Err(useless());
    }
    let action = request.site.url(&ready.config, &format!("callback/{}", provider.id));
    let page = ConfirmPage {
        csrf_token: request.csrf.token.as_deref(),
        action: &action,
        email: link.address,
        token: link.token,
        callback_url: &request.callback_url,
    };
    let html = ready.config.pages.confirm(&page);
    let html = html.map_err(|error| Error::caused_by(ErrorKind::Configuration, "the page failed", error))?;
    Ok(Outcome { address_is_secret: true, ..Outcome::page(html) })
}

fn useless() -> Error {
    Error::new(ErrorKind::Verification, "the link is wrong, used or too old")
}

async fn follow(
    ready: &Ready,
    request: &Verified<'_>,
    provider: &Email,
    link: &Link<'_>,
) -> Result<Outcome, Error> {
    let config = &ready.config;
    let store = store(config)?;
    let dialect = config.dialects.written();
    let info = &request.inbound.info;
    let taken = take(ready, link.address, link.token).await?;
    let valid = taken.filter(|token| token.expires > config.clock.now());
    let address = valid.ok_or_else(useless)?.identifier;
    let Recipient { user, account, is_new } = who(ready, store, provider, &address).await?;
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
    let linked = match is_new {
        false => link::by_email(ready, store, user, info).await?,
        true => link::by_new_email(ready, store, user, info).await?,
    };
    let is_new_user = Some(linked.is_new_user);
    let user = linked.user;
    let signed_in = SignedIn { user: user.clone(), account: account.clone(), profile: None, is_new_user };
    let cookies = request.source(ready).sign_in(signed_in, true).await?;
    core::notify(config, Event::SignIn { user, account, profile: None, is_new_user }, info).await;
    Ok(Outcome::new(super::onward(ready, request, &request.callback_url, linked.is_new_user))
        .with_cookies(cookies))
}

/// The stored token, taken: it was made with one of the secrets.
async fn take(ready: &Ready, address: &str, token: &str) -> Result<Option<OneTimeToken>, Error> {
    let store = store(&ready.config)?;
    for secret in ready.config.secrets.iter() {
        if let Some(taken) = store.take_token(address, &proof(token, secret)).await? {
            return Ok(Some(taken));
        }
    }
    Ok(None)
}
