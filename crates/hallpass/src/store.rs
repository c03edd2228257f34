//! What Hallpass keeps between requests.

use std::convert::identity;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::error::BoxError;
use crate::{Account, Timestamp, User};

mod memory;
mod rows;

pub use memory::{MemoryStore, Rows};
pub(crate) use rows::patched;
pub use rows::{
    Epoch, OneTimeToken, Revoke, SessionChange, SessionToken, StoredSession, UserChange, UserPage,
};

/// Users, the accounts they sign in with, their sessions, and one-time tokens.
///
/// An implementation writes plain `async fn`s. The rules that every store keeps, each of them a test of
/// `hallpass::testkit::store_contract!`:
///
/// 1. An e-mail address belongs to at most one user, and so does a pair of provider and account id: a second
///    [`create_user`](Self::create_user), [`update_user`](Self::update_user) or
///    [`link_account`](Self::link_account) fails with [`StoreErrorKind::Conflict`] and changes nothing.
/// 2. Texts are kept and compared byte for byte: no folding of case or accents, no truncation. A text that does
///    not fit is an error, and nothing is written. Addresses are brought to one spelling before they are stored; for
///    those that another program has stored, Hallpass asks for the other spelling of their domain by itself.
/// 3. [`create_token`](Self::create_token) and [`take_token`](Self::take_token) are atomic: of two callers who keep
///    the same one-time token one is told [`StoreErrorKind::Conflict`], of two who take it at most one gets it.
/// 4. "Not found" is `Ok(None)` or `Ok(false)`; only what must change something that is not there fails with
///    [`StoreErrorKind::NotFound`].
/// 5. What a method writes is written wholly or not at all, also when the process or the connection ends.
/// 6. With a user go their accounts, their sessions, and the one-time tokens of their address.
/// 7. A session is found by its token only. The user comes with it, as they are now.
/// 8. New claims are written only over the version that they were made from
///    ([`SessionChange::claims`]): of two writers who read the same version one is told to read again.
/// 9. [`verify_email`](Self::verify_email) makes worthless, in the same step, what somebody else may have prepared
///    before the first proof: accounts whose provider did not vouch for the address, and all sessions, those in tokens
///    too. It proves no address but the one that was read, and [`link_account`](Self::link_account) adds nothing to a
///    user whose address or its proof has changed meanwhile.
/// 10. An epoch follows only the one that it was made from, and is still there when its user is gone.
/// 11. Times are kept to the millisecond. Stores do not look at the clock: whoever asks compares.
/// 12. [`adopt_session`](Self::adopt_session) keeps the session and the one-time token, or neither.
/// 13. [`forget_clients`](Self::forget_clients) takes user agent and address from sessions, and nothing else. Nothing
///     brings them back.
pub trait Store: Send + Sync + 'static {
    /// Keeps a new user, and in the same step the account that they come with (its `user_id` is set here). The id is
    /// made by Hallpass (a random UUID); a store with ids of its own returns those.
    ///
    /// # Errors
    /// [`StoreErrorKind::Conflict`] when the id, the address or the account is taken; otherwise only when the store
    /// fails.
    fn create_user(
        &self,
        user: User,
        account: Option<Account>,
    ) -> impl Future<Output = Result<User, StoreError>> + Send;

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

    /// A page of all users, in the order of their ids.
    ///
    /// # Errors
    /// Only when the store fails.
    fn users(&self, page: UserPage) -> impl Future<Output = Result<Vec<User>, StoreError>> + Send;

    /// Changes a user. With a new address their accounts are no longer those of a provider that vouched for it:
    /// [`email_verified`](Account::email_verified) becomes false in the same step.
    ///
    /// # Errors
    /// [`StoreErrorKind::Conflict`] when the new address is somebody else's, [`StoreErrorKind::NotFound`] when there
    /// is no such user; otherwise only when the store fails.
    fn update_user(
        &self,
        id: &str,
        change: UserChange,
    ) -> impl Future<Output = Result<User, StoreError>> + Send;

    /// Notes that a user has proven to own the address that they had when they were read. If it is the first proof, in
    /// the same step accounts whose [`email_verified`](Account::email_verified) is false go, and all sessions of the
    /// user; and an epoch begins that ends those in tokens: `epoch.unwrap_or_default().next().revoke(at)`.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] when there is no such user or their address is not that of `owner`; otherwise only
    /// when the store fails.
    fn verify_email(
        &self,
        owner: &User,
        at: Timestamp,
    ) -> impl Future<Output = Result<User, StoreError>> + Send;

    /// Removes a user, their accounts, their sessions, and the one-time tokens of their address. Returns whether
    /// there was one.
    ///
    /// # Errors
    /// Only when the store fails.
    fn delete_user(&self, id: &str) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Adds an account to a user (its `user_id` is set here), as they were read: if somebody has proven their address
    /// meanwhile, or it is another one, the account may be that of whoever was there before.
    ///
    /// # Errors
    /// [`StoreErrorKind::Conflict`] when the account is linked already, [`StoreErrorKind::NotFound`] when there is no
    /// such user or [their address](User::has_address_of) is not as in `owner`; otherwise only when the store fails.
    fn link_account(
        &self,
        owner: &User,
        account: Account,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// All accounts of a user.
    ///
    /// # Errors
    /// Only when the store fails.
    fn accounts(&self, user_id: &str) -> impl Future<Output = Result<Vec<Account>, StoreError>> + Send;

    /// Takes an account from a user. Returns whether they had it. With `keep_last` the only account of a user stays:
    /// of two callers who take away the last two, one fails.
    ///
    /// # Errors
    /// [`StoreErrorKind::Conflict`] when it is the last one and `keep_last` is true; otherwise only when the store
    /// fails.
    fn unlink_account(
        &self,
        user_id: &str,
        provider: &str,
        provider_account_id: &str,
        keep_last: bool,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Keeps a new session. Its `id` is that of the token.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] when there is no such user, [`StoreErrorKind::Conflict`] when there is a session
    /// with this token; otherwise only when the store fails.
    fn create_session(
        &self,
        token: &SessionToken,
        session: StoredSession,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Keeps a session that lived elsewhere until now, and in the same step a one-time token that says so. Of all calls
    /// with this one-time token one succeeds, also when the session that it made has ended since.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] when there is no such user, [`StoreErrorKind::Conflict`] when the session or the
    /// one-time token is there; otherwise only when the store fails.
    fn adopt_session(
        &self,
        token: &SessionToken,
        session: StoredSession,
        once: OneTimeToken,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The session with this token, expired or not, and its user. One read by one index.
    ///
    /// # Errors
    /// Only when the store fails.
    fn session(
        &self,
        token: &SessionToken,
    ) -> impl Future<Output = Result<Option<(StoredSession, User)>, StoreError>> + Send;

    /// Changes a session. False, and nothing is changed, when it is gone or when new claims were made from another
    /// version than the one that is there.
    ///
    /// # Errors
    /// Only when the store fails.
    fn update_session(
        &self,
        token: &SessionToken,
        change: SessionChange,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Ends the session with this token. Returns it, if there was one.
    ///
    /// # Errors
    /// Only when the store fails.
    fn delete_session(
        &self,
        token: &SessionToken,
    ) -> impl Future<Output = Result<Option<StoredSession>, StoreError>> + Send;

    /// All sessions of a user, expired ones too, the newest first.
    ///
    /// # Errors
    /// Only when the store fails.
    fn sessions(&self, user_id: &str) -> impl Future<Output = Result<Vec<StoredSession>, StoreError>> + Send;

    /// Ends sessions of a user, and returns how many there were.
    ///
    /// # Errors
    /// Only when the store fails.
    fn revoke_sessions(
        &self,
        user_id: &str,
        which: Revoke<'_>,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// As [`update_session`](Self::update_session), for the session of this user with this id.
    ///
    /// # Errors
    /// Only when the store fails.
    fn update_session_by_id(
        &self,
        user_id: &str,
        id: &str,
        change: SessionChange,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// What tokens of this user that are out there must catch up with; `None` when there is nothing. It outlives the
    /// user.
    ///
    /// # Errors
    /// Only when the store fails.
    fn epoch(&self, user_id: &str) -> impl Future<Output = Result<Option<Epoch>, StoreError>> + Send;

    /// Begins a new epoch, if the one before it still has the number `made_from` (0: there was none). False, and
    /// nothing is changed, when it has not.
    ///
    /// # Errors
    /// Only when the store fails.
    fn begin_epoch(
        &self,
        user_id: &str,
        epoch: Epoch,
        made_from: i64,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Keeps a one-time token. Those that come by mail are kept under the address, those that Hallpass keeps for itself
    /// (a sign-in that came back) under texts that no address can be.
    ///
    /// # Errors
    /// [`StoreErrorKind::Conflict`] when there is one with this identifier and hash, expired or not; otherwise only
    /// when the store fails.
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

    /// Removes at most `limit` sessions and at most `limit` one-time tokens that expired before `now`. Returns how
    /// many rows went; fewer than `limit` means that none is left.
    ///
    /// # Errors
    /// Only when the store fails.
    fn sweep(&self, now: Timestamp, limit: u32) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Removes user agent and address from at most `limit` sessions that began before `began_before`. Returns how many
    /// sessions that were; fewer than `limit` means that none is left. A session that does not say when it began keeps
    /// them. With many rows it must not look through all: it is called again and again.
    ///
    /// # Errors
    /// Only when the store fails.
    fn forget_clients(
        &self,
        began_before: Timestamp,
        limit: u32,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
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
    /// What should be kept does not fit: too long, or with characters that the store cannot keep.
    Refused,
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

    /// What should be kept does not fit.
    pub fn refused(source: impl Into<BoxError>) -> Self {
        let message = "the store cannot keep this";
        Self { kind: StoreErrorKind::Refused, message, source: Some(source.into()) }
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
            StoreErrorKind::Conflict | StoreErrorKind::NotFound | StoreErrorKind::Refused => {
                crate::ErrorKind::Store
            }
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
    create_user(user: User, account: Option<Account>) -> User, stored;
    user(id: &'a str) -> Option<User>, |user| user.map(stored);
    user_by_email(email: &'a str) -> Option<User>, |user| user.map(stored);
    user_by_account(provider: &'a str, provider_account_id: &'a str) -> Option<User>, |user| user.map(stored);
    users(page: UserPage) -> Vec<User>, |users| users.into_iter().map(stored).collect();
    update_user(id: &'a str, change: UserChange) -> User, stored;
    verify_email(owner: &'a User, at: Timestamp) -> User, stored;
    delete_user(id: &'a str) -> bool, identity;
    link_account(owner: &'a User, account: Account) -> (), identity;
    accounts(user_id: &'a str) -> Vec<Account>, identity;
    unlink_account(
        user_id: &'a str,
        provider: &'a str,
        provider_account_id: &'a str,
        keep_last: bool
    ) -> bool, identity;
    create_session(token: &'a SessionToken, session: StoredSession) -> (), identity;
    adopt_session(token: &'a SessionToken, session: StoredSession, once: OneTimeToken) -> (), identity;
    session(token: &'a SessionToken) -> Option<(StoredSession, User)>,
        |found| found.map(|(session, user)| (session, stored(user)));
    update_session(token: &'a SessionToken, change: SessionChange) -> bool, identity;
    delete_session(token: &'a SessionToken) -> Option<StoredSession>, identity;
    sessions(user_id: &'a str) -> Vec<StoredSession>, identity;
    revoke_sessions(user_id: &'a str, which: Revoke<'a>) -> u64, identity;
    update_session_by_id(user_id: &'a str, id: &'a str, change: SessionChange) -> bool, identity;
    epoch(user_id: &'a str) -> Option<Epoch>, identity;
    begin_epoch(user_id: &'a str, epoch: Epoch, made_from: i64) -> bool, identity;
    create_token(token: OneTimeToken) -> (), identity;
    take_token(identifier: &'a str, hash: &'a str) -> Option<OneTimeToken>, identity;
    sweep(now: Timestamp, limit: u32) -> u64, identity;
    forget_clients(began_before: Timestamp, limit: u32) -> u64, identity;
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
