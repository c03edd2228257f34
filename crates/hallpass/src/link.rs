//! Who is this? Create, link or refuse: the account-linking rules.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::User;
use crate::core::{self, Ready};
use crate::email;
use crate::error::{Error, ErrorKind};
use crate::hooks::Event;
use crate::request::RequestInfo;
use crate::session;
use crate::store::{DynStore, StoreErrorKind};
use crate::user::Account;

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
    let Some(store) = &ready.config.store else { return Ok(None) };
    Ok(store.user_by_account(&account.provider, &account.provider_account_id).await?)
}

/// Somebody with an account at a provider, while perhaps `current` is signed in.
///
/// # Errors
/// [`ErrorKind::OAuthAccountNotLinked`] when the account or the address is somebody else's.
pub(crate) async fn by_account(
    ready: &Ready,
    newcomer: Newcomer<'_>,
    current: Option<&str>,
    info: &Arc<RequestInfo>,
) -> Result<Linked, Error> {
    let Some(store) = ready.config.store.as_deref() else {
        return Ok(Linked { user: newcomer.user, is_new_user: false });
    };
    let current = match current {
        Some(id) => store.user(id).await?,
        None => None,
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
        Some(address) => store.user_by_email(address).await?,
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
    let known = match store.user_by_account(&account.provider, &account.provider_account_id).await? {
        Some(known) => Some(known),
        None => store.user(&user.id).await?,
    };
    if let Some(known) = known {
        return Ok(Linked { user: User { id: known.id, ..user }, is_new_user: false });
    }
    let email = user.email.as_deref().and_then(email::of_provider);
    if let Some(email) = &email
        && store.user_by_email(email).await?.is_some()
    {
        return Err(not_linked("a user with this address signs in another way"));
    }
    let account = kept(account, false);
    let row = User { email, email_verified: None, ..user.clone() };
    let linked = create(ready, store, row, account, user.clone(), info).await?;
    Ok(Linked { user: User { id: linked.user.id, ..user }, ..linked })
}

/// Somebody who has proven to own an address.
pub(crate) async fn by_email(
    ready: &Ready,
    store: &dyn DynStore,
    user: User,
    info: &Arc<RequestInfo>,
) -> Result<Linked, Error> {
    let now = ready.config.clock.now();
    if store.user(&user.id).await?.is_some() {
        let is_first = user.email_verified.is_none();
        let end_tokens = || session::begin_epoch(&ready.config, store, &user.id, |epoch| epoch.revoke(now));
        // Before the proof: if that fails, the next link is still the first one and ends them again. And after it, for
        // whoever has signed in meanwhile with an account that the proof takes away.
        if is_first {
            end_tokens().await?;
        }
        let proven = store.verify_email(&user.id, now).await?;
        if is_first {
            end_tokens().await?;
        }
        let user = proven;
        core::notify(&ready.config, Event::UpdateUser { user: user.clone() }, info).await;
        return Ok(Linked { user, is_new_user: false });
    }
    let user = store.create_user(User { email_verified: Some(now), ..user }, None).await?;
    core::notify(&ready.config, Event::CreateUser { user: user.clone() }, info).await;
    Ok(Linked { user, is_new_user: true })
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
            let known = store.user_by_account(&account.provider, &account.provider_account_id).await?;
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
    let vouched = newcomer.email_verified && newcomer.user.email == user.email;
    let account = kept(newcomer.account, vouched);
    store.link_account(Account { user_id: Some(user.id.clone()), ..account.clone() }).await?;
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
