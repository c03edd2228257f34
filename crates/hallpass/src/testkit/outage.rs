//! A store that is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::store::{
    Epoch, OneTimeToken, Revoke, SessionChange, SessionToken, Store, StoreError, StoredSession, UserChange,
    UserPage,
};
use crate::{Account, Timestamp, User};

/// A store with a switch: while it is [away](Self::set_away), every call fails as if nobody answered.
///
/// Clones share the switch.
#[derive(Clone, Debug, Default)]
pub struct Outage<S> {
    store: S,
    away: Arc<AtomicBool>,
}

impl<S: Store> Outage<S> {
    /// The store, reachable.
    pub fn new(store: S) -> Self {
        Self { store, away: Arc::default() }
    }

    /// Takes the store away, or brings it back.
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    fn reach(&self) -> Result<&S, StoreError> {
        match self.away.load(Ordering::SeqCst) {
            true => Err(StoreError::unavailable("connection refused")),
            false => Ok(&self.store),
        }
    }
}

/// Each method asks the store behind, if that can be reached.
macro_rules! behind {
    ($($name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        impl<S: Store> Store for Outage<S> {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$out, StoreError> {
                self.reach()?.$name($($arg),*).await
            })*
        }
    };
}

behind! {
    create_user(user: User, account: Option<Account>) -> User;
    user(id: &str) -> Option<User>;
    user_by_email(email: &str) -> Option<User>;
    user_by_account(provider: &str, provider_account_id: &str) -> Option<User>;
    users(page: UserPage) -> Vec<User>;
    update_user(id: &str, change: UserChange) -> User;
    verify_email(id: &str, at: Timestamp) -> User;
    delete_user(id: &str) -> bool;
    link_account(account: Account) -> ();
    accounts(user_id: &str) -> Vec<Account>;
    unlink_account(user_id: &str, provider: &str, provider_account_id: &str, keep_last: bool) -> bool;
    create_session(token: &SessionToken, session: StoredSession) -> ();
    session(token: &SessionToken) -> Option<(StoredSession, User)>;
    update_session(token: &SessionToken, change: SessionChange) -> bool;
    delete_session(token: &SessionToken) -> Option<StoredSession>;
    sessions(user_id: &str) -> Vec<StoredSession>;
    revoke_sessions(user_id: &str, which: Revoke<'_>) -> u64;
    update_session_by_id(user_id: &str, id: &str, change: SessionChange) -> bool;
    epoch(user_id: &str) -> Option<Epoch>;
    begin_epoch(user_id: &str, epoch: Epoch, made_from: i64) -> bool;
    create_token(token: OneTimeToken) -> ();
    take_token(identifier: &str, hash: &str) -> Option<OneTimeToken>;
    sweep(now: Timestamp, limit: u32) -> u64;
    forget_clients(began_before: Timestamp, limit: u32) -> u64;
}
