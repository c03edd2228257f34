//! What fits into the tables, looked at before anything is written.

use hallpass::{Account, OneTimeToken, StoreError, StoredSession, User};

/// A text that is not kept.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("{what} has {bytes} bytes, at most {max} are kept")]
    TooLong { what: &'static str, bytes: usize, max: usize },
    #[error("{what} contains a NUL character")]
    Nul { what: &'static str },
}

pub(crate) fn user(user: &User) -> Result<(), StoreError> {
    text("the id", &user.id, KEY)?;
    optional("the name", user.name.as_deref(), LONG)?;
    optional("the address", user.email.as_deref(), ADDRESS)?;
    optional("the image", user.image.as_deref(), LONG)
}

pub(crate) fn account(account: &Account) -> Result<(), StoreError> {
    text("the provider", &account.provider, KEY)?;
    text("the account's id", &account.provider_account_id, ADDRESS)
}

pub(crate) fn session(session: &StoredSession) -> Result<(), StoreError> {
    optional("the user agent", session.user_agent.as_deref(), LONG)?;
    optional("the visitor's address", session.address.as_deref(), LONG)
}

pub(crate) fn token(token: &OneTimeToken) -> Result<(), StoreError> {
    text("the identifier", &token.identifier, ADDRESS)?;
    text("the hash", &token.hash, KEY)
}

/// The id of a user of whom there is an epoch, but perhaps no row.
pub(crate) fn id(id: &str) -> Result<(), StoreError> {
    text("the id", id, KEY)
}

/// A text made of JSON has no NUL, but a length.
pub(crate) fn json(what: &'static str, value: &str) -> Result<(), StoreError> {
    text(what, value, LONG)
}

fn optional(what: &'static str, value: Option<&str>, max: usize) -> Result<(), StoreError> {
    value.map_or(Ok(()), |value| text(what, value, max))
}

fn text(what: &'static str, value: &str, max: usize) -> Result<(), StoreError> {
    let bytes = value.len();
    if bytes > max {
        return Err(StoreError::refused(Unfit::TooLong { what, bytes, max }));
    }
    if value.contains('\0') {
        return Err(StoreError::refused(Unfit::Nul { what }));
    }
    Ok(())
}

/// Bytes of an id, a provider's id or a hash.
const KEY: usize = 255;

/// Bytes of an e-mail address, or of an id that a provider gives.
const ADDRESS: usize = 1024;

/// Bytes of everything else; pictures are sometimes kept as `data:` addresses.
const LONG: usize = 1024 * 1024;
