//! A magic link is asked for.

use crate::actions::sign_in_decision;
use crate::config::Config;
use crate::core::Ready;
use crate::email::{self, Email};
use crate::error::{Error, ErrorKind};
use crate::hex::hex;
use crate::hooks::{self, Hook, Mail, SignIn};
use crate::redirect;
use crate::respond::{Body, Outcome};
use crate::store::{DynStore, OneTimeToken};
use crate::user::{Account, AccountKind};
use crate::verify::{Verified, proof};
use crate::{Timestamp, User};

pub(super) async fn send_link(
    ready: &Ready,
    request: &Verified<'_>,
    provider: &Email,
    send: &Hook<Mail, ()>,
) -> Result<Outcome, Error> {
    let config = &ready.config;
    let typed = request.inbound.field("email").unwrap_or_default();
    if typed.is_empty() {
        return Err(config.dialects.written().missing_address());
    }
    let address = email::normalize(typed).filter(|address| config.dialects.written().mails_to(address));
    let address = address.ok_or_else(|| Error::new(ErrorKind::Callback, "not an e-mail address"))?;
    let store = store(config)?;
    let Recipient { user, account, .. } = who(ready, store, provider, &address).await?;
    let address = account.provider_account_id.clone();
    let event = SignIn {
        user,
        account,
        profile: None,
        credentials: None,
        verification_request: true,
        request: request.inbound.info.clone(),
    };
    let as_json = request.inbound.as_json;
    if let Some(to) = sign_in_decision::ask(config, event, &request.site.origin).await? {
        return Ok(Outcome::new(Body::Redirect { to, as_json }));
    }
    let mut random = [0; 32];
    config.random.fill(&mut random)?;
    let token = hex(&random);
    let expires = config.clock.now() + provider.lifetime(config.compat);
    let secret =
        config.secrets.first().ok_or_else(|| Error::new(ErrorKind::MissingSecret, "there is no secret"))?;
    // Stored before it is sent: a link must work however fast it is followed.
    store.create_token(OneTimeToken::new(address.as_str(), proof(&token, secret), expires)).await?;
    let mail = mail(config, request, provider, address, token, expires);
    let sent = hooks::call(config.callback_timeout, send, mail).await?;
    sent.map_err(|error| Error::returned(error, ErrorKind::Callback, "the mail could not be sent"))?;
    let to = redirect::with_query(
        &request.site.url(config, "verify-request"),
        &[("provider", provider.id.as_str()), ("type", AccountKind::Email.as_str())],
    );
    Ok(Outcome::new(Body::Redirect { to, as_json }))
}

fn mail(
    config: &Config,
    request: &Verified<'_>,
    provider: &Email,
    address: String,
    token: String,
    expires: Timestamp,
) -> Mail {
    let url = redirect::with_query(
        &request.site.url(config, &format!("callback/{}", provider.id)),
        &[
            ("callbackUrl", request.callback_url.as_str()),
            ("token", token.as_str()),
            ("email", address.as_str()),
        ],
    );
    Mail {
        identifier: address,
        url,
        token,
        expires,
        provider: provider.id.clone(),
        theme: config.theme.clone(),
        request: request.inbound.info.clone(),
    }
}

pub(in crate::actions) fn store(config: &Config) -> Result<&dyn DynStore, Error> {
    config
        .store
        .as_deref()
        .ok_or_else(|| Error::new(ErrorKind::MissingStore, "an e-mail provider needs a store"))
}

/// Whom an address belongs to.
pub(in crate::actions) struct Recipient {
    /// The user with this address, or the one that they would become.
    pub(in crate::actions) user: User,
    pub(in crate::actions) account: Account,
    pub(in crate::actions) is_new: bool,
}

pub(in crate::actions) async fn who(
    ready: &Ready,
    store: &dyn DynStore,
    provider: &Email,
    address: &str,
) -> Result<Recipient, Error> {
    let found = email::find_user(store, address).await?;
    let is_new = found.is_none();
    let user = match found {
        Some(user) => user,
        None => {
            let id = ready.config.dialects.written().id_of_address(address);
            let id = id.map_or_else(|| ready.new_id(), Ok)?;
            User { stored: true, ..User::new(id).with_email(address) }
        }
    };
    // As the store has it, so that links go with their user.
    let address = user.email.as_deref().unwrap_or(address);
    let account =
        Account { user_id: Some(user.id.clone()), ..Account::new(&provider.id, AccountKind::Email, address) };
    Ok(Recipient { user, account, is_new })
}
