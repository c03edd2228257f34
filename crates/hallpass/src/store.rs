//! What Hallpass keeps between requests.

use std::convert::identity;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::error::BoxError;
use crate::{Account, Timestamp, User};

mod memory;

pub use memory::{MemoryStore, Rows};

/// Users, the accounts they sign in with, and one-time tokens.
///
/// An implementation writes plain `async fn`s. The rules that every store keeps:
///
/// 1. An e-mail address belongs to at most one user, and so does a pair of provider and account id:
///    a second [`create_user`](Self::create_user) or [`link_account`](Self::link_account) fails with
///    [`StoreErrorKind::Conflict`] and changes nothing.
/// 2. Texts are kept and compared byte for byte: no folding of case or accents, no truncation.
/// 3. [`take_token`](Self::take_token) is atomic: of two callers at most one gets the token.
/// 4. "Not found" is `Ok(None)`, never an error.
pub trait Store: Send + Sync + 'static {
    /// Keeps a new user. The id is made by Hallpass (a random UUID); a store with ids of its own returns those.
    ///
    /// # Errors
    /// [`StoreErrorKind::Conflict`] when the address is taken; otherwise only when the store fails.
    fn create_user(&self, user: User) -> impl Future<Output = Result<User, StoreError>> + Send;

    /// The user with this id.
    ///
    /// # Errors
    /// Only when the store fails.
    fn user(&self, id: &str) -> impl Future<Output = Result<Option<User>, StoreError>> + Send;

    /// The user with this address.
    ///
    /// # Errors
    /// Only when the store fails.
    fn user_by_email(&self, email: &str) -> impl Future<Output = Result<Option<User>, StoreError>> + Send;

    /// The user whom this account belongs to.
    ///
    /// # Errors
    /// Only when the store fails.
    fn user_by_account(
        &self,
        provider: &str,
        provider_account_id: &str,
    ) -> impl Future<Output = Result<Option<User>, StoreError>> + Send;

    /// Notes that the user has proven to own their address.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] when there is no such user; otherwise only when the store fails.
    fn verify_email(&self, id: &str, at: Timestamp) -> impl Future<Output = Result<User, StoreError>> + Send;

    /// Adds an account to the user that it names.
    ///
    /// # Errors
    /// [`StoreErrorKind::Conflict`] when the account is linked already, [`StoreErrorKind::NotFound`] when there
    /// is no such user; otherwise only when the store fails.
    fn link_account(&self, account: Account) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Keeps a one-time token.
    ///
    /// # Errors
    /// Only when the store fails.
    fn create_token(&self, token: OneTimeToken) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes and returns the token with this identifier and hash, atomically: of two callers at most one gets it.
    ///
    /// # Errors
    /// Only when the store fails. An unknown or already used token is `Ok(None)`.
    fn take_token(
        &self,
        identifier: &str,
        hash: &str,
    ) -> impl Future<Output = Result<Option<OneTimeToken>, StoreError>> + Send;
}

/// Proof that somebody reads the mail of an address, kept until it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OneTimeToken {
    /// What the token proves: an e-mail address.
    pub identifier: String,
    /// SHA-256 of the token and the secret, in hex. The token itself is only in the mail.
    pub hash: String,
    /// When it stops working.
    pub expires: Timestamp,
}

impl OneTimeToken {
    /// A token.
    pub fn new(identifier: impl Into<String>, hash: impl Into<String>, expires: Timestamp) -> Self {
        Self { identifier: identifier.into(), hash: hash.into(), expires }
    }
}

/// A store failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    kind: StoreErrorKind,
    message: &'static str,
    #[source]
    source: Option<BoxError>,
}

/// How a store failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// What should be unique is there already.
    Conflict,
    /// What should be changed is not there.
    NotFound,
    /// The store is out of reach or broken.
    Unavailable,
}

impl StoreError {
    /// What should be unique is there already.
    pub fn conflict(message: &'static str) -> Self {
        Self { kind: StoreErrorKind::Conflict, message, source: None }
    }

    /// What should be changed is not there.
    pub fn not_found(message: &'static str) -> Self {
        Self { kind: StoreErrorKind::NotFound, message, source: None }
    }

    /// The store is out of reach or broken.
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self { kind: StoreErrorKind::Unavailable, message: "the store failed", source: Some(source.into()) }
    }

    /// How the store failed.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl From<StoreError> for crate::Error {
    fn from(error: StoreError) -> Self {
        let kind = match error.kind {
            StoreErrorKind::Unavailable => crate::ErrorKind::Unavailable,
            StoreErrorKind::Conflict | StoreErrorKind::NotFound => crate::ErrorKind::Store,
        };
        Self::caused_by(kind, "the store failed", error)
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The boxed twin of [`Store`], which the engine holds. Each method says what becomes of its result.
macro_rules! boxed_twin {
    ($($name:ident($($arg:ident: $type:ty),*) -> $out:ty, $mark:expr;)*) => {
        pub(crate) trait DynStore: Send + Sync {
            $(fn $name<'a>(&'a self, $($arg: $type),*) -> Answer<'a, $out>;)*
        }

        impl<S: Store> DynStore for S {
            $(fn $name<'a>(&'a self, $($arg: $type),*) -> Answer<'a, $out> {
                Box::pin(async move { Store::$name(self, $($arg),*).await.map($mark) })
            })*
        }
    };
}

boxed_twin! {
    create_user(user: User) -> User, stored;
    user(id: &'a str) -> Option<User>, |user| user.map(stored);
    user_by_email(email: &'a str) -> Option<User>, |user| user.map(stored);
    user_by_account(provider: &'a str, provider_account_id: &'a str) -> Option<User>, |user| user.map(stored);
    verify_email(id: &'a str, at: Timestamp) -> User, stored;
    link_account(account: Account) -> (), identity;
    create_token(token: OneTimeToken) -> (), identity;
    take_token(identifier: &'a str, hash: &'a str) -> Option<OneTimeToken>, identity;
}

/// Whoever comes from a store is kept by it, which no store has to say.
fn stored(user: User) -> User {
    User { stored: true, ..user }
}

impl fmt::Debug for dyn DynStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

#[cfg(test)]
mod tests;
