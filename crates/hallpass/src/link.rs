//! Who is this? Create, link or refuse: the account-linking rules.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::User;
use crate::config::{Config, Strategy};
use crate::core::{self, Ready};
use crate::email;
use crate::error::{Error, ErrorKind};
use crate::hooks::Event;
use crate::request::RequestInfo;
use crate::session;
use crate::store::{DynStore, StoreErrorKind};
use crate::user::{Account, AccountKind};

/// Whose session it becomes.
pub(crate) struct Linked {
    pub(crate) user: User,
    pub(crate) is_new_user: bool,
}

/// Somebody whom a provider vouches for.
pub(crate) struct Newcomer<'a> {
    /// The user whom the profile describes.
    pub(crate) user: User,
    pub(crate) account: &'a Account,
    /// The stored user whom the account belongs to already.
    pub(crate) known: Option<User>,
    pub(crate) email_verified: bool,
    pub(crate) may_link_by_email: bool,
}

/// The stored user whom an account belongs to.
pub(crate) async fn known_user(ready: &Ready, account: &Account) -> Result<Option<User>, Error> {
    match ready.config.store.as_deref() {
        Some(store) => owner_of(store, account).await,
        None => Ok(None),
    }
}

async fn owner_of(store: &dyn DynStore, account: &Account) -> Result<Option<User>, Error> {
    Ok(store.user_by_account(&account.provider, &account.provider_account_id).await?)
}

/// Somebody with an account at a provider, while perhaps `current` is signed in.
///
/// # Errors
/// [`ErrorKind::OAuthAccountNotLinked`] when the account or the address is somebody else's.
pub(crate) async fn by_account(
    ready: &Ready,
    newcomer: Newcomer<'_>,
    current: Option<User>,
    info: &Arc<RequestInfo>,
) -> Result<Linked, Error> {
    let Some(store) = ready.config.store.as_deref() else {
        return Ok(Linked { user: newcomer.user, is_new_user: false });
    };
    if let Some(owner) = newcomer.known {
        return match current {
            Some(current) if current.id != owner.id => Err(not_linked("the account belongs to another user")),
            _ => Ok(Linked { user: owner, is_new_user: false }),
        };
    }
    if let Some(current) = current {
        return link(ready, store, current, newcomer, info).await;
    }
    let owner = match &newcomer.user.email {
        Some(address) => email::find_user(store, address).await?,
        None => None,
    };
    if let Some(owner) = owner {
        // Whoever controls a provider's profile must not get the account behind an address by writing it there.
        // And whoever has signed up with an address that is not theirs must not get its owner's account linked in.
        if newcomer.may_link_by_email && newcomer.email_verified && has_proven(store, &owner).await? {
            return link(ready, store, owner, newcomer, info).await;
        }
        return Err(not_linked("a user with this address signs in another way"));
    }
    let vouched = newcomer.email_verified && newcomer.user.email.is_some();
    let account = kept(newcomer.account, vouched);
    let row = User { id: ready.row_id(&newcomer.user, &account)?, ..newcomer.user.clone() };
    create(ready, store, row, account, newcomer.user, info).await
}

/// Somebody whom the application's `authorize` vouches for, where their session needs a row: the stored user with
/// this id or account, or a new one.
///
/// # Errors
/// [`ErrorKind::OAuthAccountNotLinked`] when the address is somebody else's.
pub(crate) async fn by_credentials(
    ready: &Ready,
    store: &dyn DynStore,
    user: User,
    account: &Account,
    info: &Arc<RequestInfo>,
) -> Result<Linked, Error> {
    if let Some(known) = known_to_form(store, account).await? {
        return Ok(Linked { user: User { id: known.id, ..user }, is_new_user: false });
    }
    let email = user.email.as_deref().and_then(email::of_provider);
    if let Some(email) = &email
        && email::find_user(store, email).await?.is_some()
    {
        return Err(not_linked("a user with this address signs in another way"));
    }
    let account = kept(account, false);
    let row = User { email, email_verified: None, ..user.clone() };
    let linked = create(ready, store, row, account, user.clone(), info).await?;
    Ok(Linked { user: User { id: linked.user.id, ..user }, ..linked })
}

/// The stored user whom a form's account belongs to, or whose id it is.
async fn known_to_form(store: &dyn DynStore, account: &Account) -> Result<Option<User>, Error> {
    match owner_of(store, account).await? {
        Some(known) => Ok(Some(known)),
        None => Ok(store.user(&account.provider_account_id).await?),
    }
}

/// Whether a way in is still this user's, as far as a store could say otherwise. `was_kept` says of a form's user
/// whether the store knew them when the form was right.
///
/// # Errors
/// [`ErrorKind::OAuthAccountNotLinked`] when the account is not, [`ErrorKind::Verification`] when the address is not.
pub(crate) async fn still_theirs(
    config: &Config,
    account: &Account,
    user_id: &str,
    was_kept: bool,
) -> Result<(), Error> {
    let Some(store) = config.store.as_deref() else { return Ok(()) };
    let (owner, error) = match account.kind {
        // Whom the application's own code vouches for: with sessions in tokens, the store need not know them.
        AccountKind::Credentials if config.strategy == Strategy::Jwt => {
            let is_there = !was_kept || is_kept(config, user_id).await?;
            return if is_there { Ok(()) } else { Err(Error::credentials("credentials")) };
        }
        AccountKind::Credentials => (known_to_form(store, account).await?, ErrorKind::OAuthAccountNotLinked),
        AccountKind::Email => {
            (email::find_user(store, &account.provider_account_id).await?, ErrorKind::Verification)
        }
        _ => (owner_of(store, account).await?, ErrorKind::OAuthAccountNotLinked),
    };
    match owner {
        Some(owner) if owner.id == user_id => Ok(()),
        _ => Err(Error::new(error, "this user has changed during the sign-in")),
    }
}

/// Whether the store keeps a user with this id.
pub(crate) async fn is_kept(config: &Config, user_id: &str) -> Result<bool, Error> {
    match config.store.as_deref() {
        Some(store) => Ok(store.user(user_id).await?.is_some()),
        None => Ok(false),
    }
}

/// Somebody who has proven to own the address of a stored user.
///
/// # Errors
/// [`ErrorKind::Verification`] when the user has gone meanwhile, or has another address.
pub(crate) async fn by_email(
    ready: &Ready,
    store: &dyn DynStore,
    user: User,
    info: &Arc<RequestInfo>,
) -> Result<Linked, Error> {
    let user = match store.verify_email(&user, ready.config.clock.now()).await {
        Ok(user) => user,
        Err(error) if error.kind() == StoreErrorKind::NotFound => {
            return Err(Error::new(ErrorKind::Verification, "this user has changed during the sign-in"));
        }
        Err(error) => return Err(error.into()),
    };
    session::forget_epoch(&ready.config, &user.id);
    core::notify(&ready.config, Event::UpdateUser { user: user.clone() }, info).await;
    Ok(Linked { user, is_new_user: false })
}

/// Somebody who has proven to own an address that no user has.
///
/// # Errors
/// What the store says.
pub(crate) async fn by_new_email(
    ready: &Ready,
    store: &dyn DynStore,
    user: User,
    info: &Arc<RequestInfo>,
) -> Result<Linked, Error> {
    let address = user.email.clone().unwrap_or_default();
    // Where the address stood in for the id, nobody has one yet.
    let id = if user.id == address { ready.new_id()? } else { user.id };
    let email_verified = Some(ready.config.clock.now());
    match store.create_user(User { id, email_verified, ..user }, None).await {
        Ok(user) => {
            core::notify(&ready.config, Event::CreateUser { user: user.clone() }, info).await;
            Ok(Linked { user, is_new_user: true })
        }
        Err(error) if error.kind() == StoreErrorKind::Conflict => {
            // Two links at the same time: whoever comes second finds the user.
            let known = email::find_user(store, &address).await?.ok_or(error)?;
            by_email(ready, store, known, info).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the user's address is theirs: they have followed a link to it, or a provider vouches for it.
async fn has_proven(store: &dyn DynStore, user: &User) -> Result<bool, Error> {
    if user.email_verified.is_some() {
        return Ok(true);
    }
    Ok(store.accounts(&user.id).await?.iter().any(|account| account.email_verified))
}

/// Adds a user with their account.
async fn create(
    ready: &Ready,
    store: &dyn DynStore,
    user: User,
    account: Account,
    profile: User,
    info: &Arc<RequestInfo>,
) -> Result<Linked, Error> {
    let user = match store.create_user(user, Some(account.clone())).await {
        Ok(user) => user,
        Err(error) if error.kind() == StoreErrorKind::Conflict => {
            // The same person at the same time, a double click: whoever comes second finds themselves.
            let known = owner_of(store, &account).await?;
            let user = known.ok_or_else(|| not_linked("a user with this address signs in another way"))?;
            return Ok(Linked { user, is_new_user: false });
        }
        Err(error) => return Err(error.into()),
    };
    core::notify(&ready.config, Event::CreateUser { user: user.clone() }, info).await;
    let event = Event::LinkAccount { user: user.clone(), account, profile };
    core::notify(&ready.config, event, info).await;
    Ok(Linked { user, is_new_user: true })
}

async fn link(
    ready: &Ready,
    store: &dyn DynStore,
    user: User,
    newcomer: Newcomer<'_>,
    info: &Arc<RequestInfo>,
) -> Result<Linked, Error> {
    let vouched =
        newcomer.email_verified && email::is_same(newcomer.user.email.as_deref(), user.email.as_deref());
    let account = kept(newcomer.account, vouched);
    match store.link_account(&user, account.clone()).await {
        Ok(()) => {}
        Err(error) if error.kind() == StoreErrorKind::Conflict => {
            // A double click.
            let owner = owner_of(store, &account).await?;
            return match owner {
                Some(owner) if owner.id == user.id => Ok(Linked { user, is_new_user: false }),
                _ => Err(not_linked("the account belongs to another user")),
            };
        }
        Err(error) if error.kind() == StoreErrorKind::NotFound => {
            return Err(not_linked("this user has changed meanwhile"));
        }
        Err(error) => return Err(error.into()),
    }
    let event = Event::LinkAccount { user: user.clone(), account, profile: newcomer.user };
    core::notify(&ready.config, event, info).await;
    Ok(Linked { user, is_new_user: false })
}

/// The account as a store keeps it.
fn kept(account: &Account, email_verified: bool) -> Account {
    Account { tokens: kept_tokens(&account.tokens), email_verified, ..account.clone() }
}

/// What of a token answer is kept: Auth.js' columns.
fn kept_tokens(tokens: &Map<String, Value>) -> Map<String, Value> {
    const KEPT: [&str; 7] =
        ["access_token", "id_token", "refresh_token", "expires_at", "scope", "token_type", "session_state"];
    tokens
        .iter()
        .filter(|(name, _)| KEPT.contains(&name.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

fn not_linked(message: &'static str) -> Error {
    Error::new(ErrorKind::OAuthAccountNotLinked, message)
}
