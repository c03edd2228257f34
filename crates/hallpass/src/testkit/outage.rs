//! A store that is away.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;

use crate::store::{
    Epoch, OneTimeToken, Revoke, SessionChange, SessionToken, Store, StoreError, StoredSession, UserChange,
    UserPage,
};
use crate::{Account, Timestamp, User};

/// A store with a switch: while it is [away](Self::set_away), every call fails as if nobody answered. It writes down
/// what it is asked, and lets others [come in between](Self::interrupt).
///
/// Clones share the switch.
#[derive(Clone, Debug, Default)]
pub struct Outage<S> {
    store: S,
    away: Arc<AtomicBool>,
    broken: Arc<Mutex<Option<&'static str>>>,
    calls: Arc<Mutex<Vec<&'static str>>>,
    interruption: Interruption,
}

/// What happens before a call, after so many others.
#[derive(Clone, Default)]
struct Interruption(Arc<Mutex<Option<Planned>>>);

struct Planned {
    /// How many calls come before it.
    calls: usize,
    event: BoxFuture<'static, ()>,
}

impl Interruption {
    /// What happens now, before the call that is to be counted.
    fn due(&self) -> Option<BoxFuture<'static, ()>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let planned = waiting.take()?;
        if planned.calls == 0 {
            return Some(planned.event);
        }
        *waiting = Some(Planned { calls: planned.calls - 1, ..planned });
        None
    }
}

impl fmt::Debug for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interruption")
    }
}

impl<S: Store> Outage<S> {
    /// The store, reachable.
    pub fn new(store: S) -> Self {
        Self {
            store,
            away: Arc::default(),
            broken: Arc::default(),
            calls: Arc::default(),
            interruption: Interruption::default(),
        }
    }

    /// Takes the store away, or brings it back.
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// Lets the method of this name fail (`begin_epoch`), or none any more.
    pub fn set_broken(&self, method: Option<&'static str>) {
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = method;
    }

    /// The names of the methods that were called since somebody asked, in order.
    pub fn take_calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets something happen once, right before a call: the next one, or that after so many others. So a test puts what
    /// somebody else does between any two steps of what it looks at.
    pub fn interrupt(&self, calls: usize, event: impl Future<Output = ()> + Send + 'static) {
        let mut waiting = self.interruption.0.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting = Some(Planned { calls, event: Box::pin(event) });
    }

    /// What was to happen and has not: there were fewer calls.
    pub fn take_interruption(&self) -> Option<BoxFuture<'static, ()>> {
        let mut waiting = self.interruption.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.take().map(|planned| planned.event)
    }

    async fn reach(&self, method: &'static str) -> Result<&S, StoreError> {
        if let Some(event) = self.interruption.due() {
            event.await;
        }
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(method);
        let is_broken = *self.broken.lock().unwrap_or_else(PoisonError::into_inner) == Some(method);
        match is_broken || self.away.load(Ordering::SeqCst) {
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
                self.reach(stringify!($name)).await?.$name($($arg),*).await
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
    verify_email(owner: &User, at: Timestamp) -> User;
    delete_user(id: &str) -> bool;
    link_account(owner: &User, account: Account) -> ();
    accounts(user_id: &str) -> Vec<Account>;
    unlink_account(user_id: &str, provider: &str, provider_account_id: &str, keep_last: bool) -> bool;
    create_session(token: &SessionToken, session: StoredSession) -> ();
    adopt_session(token: &SessionToken, session: StoredSession, once: OneTimeToken) -> ();
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
