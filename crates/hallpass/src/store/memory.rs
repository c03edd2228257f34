//! The reference store: everything in memory, gone when the process ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Account, Timestamp, User};

use super::{
    Epoch, OneTimeToken, Revoke, SessionChange, SessionToken, Store, StoreError, StoredSession, UserChange,
    UserPage,
};

/// Keeps everything in memory. For tests, examples and development.
///
/// Clones share their content.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<Rows>>);

/// What a [`MemoryStore`] holds.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Rows {
    /// The users.
    pub users: Vec<User>,
    /// Their accounts.
    pub accounts: Vec<Account>,
    /// Their sessions, each with its token.
    pub sessions: Vec<(SessionToken, StoredSession)>,
    /// One-time tokens not yet used.
    pub tokens: Vec<OneTimeToken>,
    /// What tokens must catch up with, by user.
    pub epochs: Vec<(String, Epoch)>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy of everything in the store.
    pub fn rows(&self) -> Rows {
        self.lock().clone()
    }

    /// Empties the store.
    pub fn clear(&self) {
        *self.lock() = Rows::default();
    }

    // A panic elsewhere cannot leave half a row: each method checks first and then changes the rows with
    // calls that do not panic.
    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn has_user(&self, id: &str) -> bool {
        self.users.iter().any(|user| user.id == id)
    }

    fn end_tokens(&mut self, user_id: &str, at: Timestamp) {
        match self.epochs.iter_mut().find(|(id, _)| id == user_id) {
            Some((_, epoch)) => *epoch = std::mem::take(epoch).next().revoke(at),
            None => self.epochs.push((user_id.to_owned(), Epoch::default().next().revoke(at))),
        }
    }

    fn is_taken(&self, email: Option<&str>, except: &str) -> bool {
        email.is_some() && self.users.iter().any(|user| user.email.as_deref() == email && user.id != except)
    }

    fn is_linked(&self, account: &Account) -> bool {
        self.accounts.iter().any(|other| other.is(&account.provider, &account.provider_account_id))
    }

    /// Whether a session may be kept.
    fn admits(&self, token: &SessionToken, session: &StoredSession) -> Result<(), StoreError> {
        if self.sessions.iter().any(|(other, _)| other == token) {
            return Err(StoreError::conflict("there is a session with this token"));
        }
        if !self.has_user(&session.user_id) {
            return Err(no_user());
        }
        Ok(())
    }

    fn has_token(&self, token: &OneTimeToken) -> bool {
        self.tokens.iter().any(|other| other.identifier == token.identifier && other.hash == token.hash)
    }
}

impl Store for MemoryStore {
    async fn create_user(&self, user: User, account: Option<Account>) -> Result<User, StoreError> {
        let mut rows = self.lock();
        if rows.is_taken(user.email.as_deref(), "") {
            return Err(StoreError::conflict("there is a user with this address"));
        }
        if rows.has_user(&user.id) {
            return Err(StoreError::conflict("there is a user with this id"));
        }
        if account.as_ref().is_some_and(|account| rows.is_linked(account)) {
            return Err(StoreError::conflict("the account is linked already"));
        }
        rows.accounts.extend(account.map(|account| Account { user_id: Some(user.id.clone()), ..account }));
        rows.users.push(user.clone());
        Ok(user)
    }

    async fn user(&self, id: &str) -> Result<Option<User>, StoreError> {
        Ok(self.lock().users.iter().find(|user| user.id == id).cloned())
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        Ok(self.lock().users.iter().find(|user| user.email.as_deref() == Some(email)).cloned())
    }

    async fn user_by_account(&self, provider: &str, account_id: &str) -> Result<Option<User>, StoreError> {
        let rows = self.lock();
        let account = rows.accounts.iter().find(|account| account.is(provider, account_id));
        let owner = account.and_then(|account| account.user_id.as_ref());
        Ok(owner.and_then(|id| rows.users.iter().find(|user| user.id == *id)).cloned())
    }

    async fn users(&self, page: UserPage) -> Result<Vec<User>, StoreError> {
        let mut users = self.lock().users.clone();
        users.retain(|user| page.after.as_ref().is_none_or(|after| user.id > *after));
        users.sort_by(|a, b| a.id.cmp(&b.id));
        users.truncate(usize::try_from(page.limit).unwrap_or(usize::MAX));
        Ok(users)
    }

    async fn update_user(&self, id: &str, change: UserChange) -> Result<User, StoreError> {
        let mut rows = self.lock();
        if rows.is_taken(change.email.as_ref().and_then(|email| email.as_deref()), id) {
            return Err(StoreError::conflict("there is a user with this address"));
        }
        let Some(user) = rows.users.iter_mut().find(|user| user.id == id) else { return Err(no_user()) };
        let before = std::mem::take(user);
        let (email, after) = (before.email.clone(), change.apply(before));
        *user = after.clone();
        if after.email != email {
            let own = rows.accounts.iter_mut().filter(|account| account.user_id.as_deref() == Some(id));
            own.for_each(|account| account.email_verified = false);
        }
        Ok(after)
    }

    async fn verify_email(&self, owner: &User, at: Timestamp) -> Result<User, StoreError> {
        let (mut rows, id) = (self.lock(), owner.id.as_str());
        let found = rows.users.iter_mut().find(|user| user.id == id && user.email == owner.email);
        let Some(user) = found else { return Err(no_user()) };
        let is_first = user.email_verified.replace(at).is_none();
        let user = user.clone();
        if is_first {
            rows.accounts.retain(|account| account.email_verified || account.user_id.as_deref() != Some(id));
            rows.sessions.retain(|(_, session)| session.user_id != id);
            rows.end_tokens(id, at);
        }
        Ok(user)
    }

    async fn delete_user(&self, id: &str) -> Result<bool, StoreError> {
        let mut rows = self.lock();
        let Some(index) = rows.users.iter().position(|user| user.id == id) else { return Ok(false) };
        let user = rows.users.remove(index);
        rows.accounts.retain(|account| account.user_id.as_deref() != Some(id));
        rows.sessions.retain(|(_, session)| session.user_id != id);
        rows.tokens.retain(|token| Some(&token.identifier) != user.email.as_ref());
        Ok(true)
    }

    async fn link_account(&self, owner: &User, account: Account) -> Result<(), StoreError> {
        let mut rows = self.lock();
        if rows.is_linked(&account) {
            return Err(StoreError::conflict("the account is linked already"));
        }
        if !rows.users.iter().any(|user| user.id == owner.id && user.has_address_of(owner)) {
            return Err(no_user());
        }
        rows.accounts.push(Account { user_id: Some(owner.id.clone()), ..account });
        Ok(())
    }

    async fn accounts(&self, user_id: &str) -> Result<Vec<Account>, StoreError> {
        let rows = self.lock();
        let own = rows.accounts.iter().filter(|account| account.user_id.as_deref() == Some(user_id));
        Ok(own.cloned().collect())
    }

    async fn unlink_account(
        &self,
        user_id: &str,
        provider: &str,
        provider_account_id: &str,
        keep_last: bool,
    ) -> Result<bool, StoreError> {
        let mut rows = self.lock();
        let is_own = |account: &Account| account.user_id.as_deref() == Some(user_id);
        let found = rows
            .accounts
            .iter()
            .position(|account| is_own(account) && account.is(provider, provider_account_id));
        let Some(index) = found else { return Ok(false) };
        if keep_last && rows.accounts.iter().filter(|account| is_own(account)).count() == 1 {
            return Err(StoreError::conflict("it is the last account of this user"));
        }
        rows.accounts.remove(index);
        Ok(true)
    }

    async fn create_session(&self, token: &SessionToken, session: StoredSession) -> Result<(), StoreError> {
        let mut rows = self.lock();
        rows.admits(token, &session)?;
        rows.sessions.push((token.clone(), session));
        Ok(())
    }

    async fn adopt_session(
        &self,
        token: &SessionToken,
        session: StoredSession,
        once: OneTimeToken,
    ) -> Result<(), StoreError> {
        let mut rows = self.lock();
        rows.admits(token, &session)?;
        if rows.has_token(&once) {
            return Err(taken());
        }
        rows.tokens.push(once);
        rows.sessions.push((token.clone(), session));
        Ok(())
    }

    async fn session(&self, token: &SessionToken) -> Result<Option<(StoredSession, User)>, StoreError> {
        let rows = self.lock();
        let found = rows.sessions.iter().find(|(other, _)| other == token);
        Ok(found.and_then(|(_, session)| {
            let user = rows.users.iter().find(|user| user.id == session.user_id)?;
            Some((session.clone(), user.clone()))
        }))
    }

    async fn update_session(&self, token: &SessionToken, change: SessionChange) -> Result<bool, StoreError> {
        let mut rows = self.lock();
        let found = rows.sessions.iter_mut().find(|(other, _)| other == token);
        Ok(found.is_some_and(|(_, session)| apply(session, change)))
    }

    async fn update_session_by_id(
        &self,
        user_id: &str,
        id: &str,
        change: SessionChange,
    ) -> Result<bool, StoreError> {
        let mut rows = self.lock();
        let mut sessions = rows.sessions.iter_mut().map(|(_, session)| session);
        let found = sessions.find(|session| session.user_id == user_id && session.id == id);
        Ok(found.is_some_and(|session| apply(session, change)))
    }

    async fn epoch(&self, user_id: &str) -> Result<Option<Epoch>, StoreError> {
        let rows = self.lock();
        Ok(rows.epochs.iter().find(|(id, _)| id == user_id).map(|(_, epoch)| epoch.clone()))
    }

    async fn begin_epoch(&self, user_id: &str, epoch: Epoch, made_from: i64) -> Result<bool, StoreError> {
        let mut rows = self.lock();
        match rows.epochs.iter_mut().find(|(id, _)| id == user_id) {
            Some((_, current)) if current.number == made_from => *current = epoch,
            None if made_from == 0 => rows.epochs.push((user_id.to_owned(), epoch)),
            _ => return Ok(false),
        }
        Ok(true)
    }

    async fn delete_session(&self, token: &SessionToken) -> Result<Option<StoredSession>, StoreError> {
        let mut rows = self.lock();
        let found = rows.sessions.iter().position(|(other, _)| other == token);
        Ok(found.map(|index| rows.sessions.remove(index).1))
    }

    async fn sessions(&self, user_id: &str) -> Result<Vec<StoredSession>, StoreError> {
        let rows = self.lock();
        let own = rows.sessions.iter().rev().filter(|(_, session)| session.user_id == user_id);
        let mut own: Vec<_> = own.map(|(_, session)| session.clone()).collect();
        own.sort_by_key(|session| std::cmp::Reverse(session.created));
        Ok(own)
    }

    async fn revoke_sessions(&self, user_id: &str, which: Revoke<'_>) -> Result<u64, StoreError> {
        let mut rows = self.lock();
        let before = rows.sessions.len();
        rows.sessions.retain(|(_, session)| {
            let ends = match which {
                Revoke::All => true,
                Revoke::One(id) => session.id == id,
                Revoke::Others(id) => session.id != id,
            };
            session.user_id != user_id || !ends
        });
        Ok(gone(before, rows.sessions.len()))
    }

    async fn create_token(&self, token: OneTimeToken) -> Result<(), StoreError> {
        let mut rows = self.lock();
        if rows.has_token(&token) {
            return Err(taken());
        }
        rows.tokens.push(token);
        Ok(())
    }

    async fn take_token(&self, identifier: &str, hash: &str) -> Result<Option<OneTimeToken>, StoreError> {
        let mut rows = self.lock();
        let found = rows.tokens.iter().position(|token| token.identifier == identifier && token.hash == hash);
        Ok(found.map(|index| rows.tokens.swap_remove(index)))
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut rows = self.lock();
        let before = rows.sessions.len() + rows.tokens.len();
        let mut left = limit;
        rows.sessions.retain(|(_, session)| !goes(&mut left, session.expires < now));
        let mut left = limit;
        rows.tokens.retain(|token| !goes(&mut left, token.expires < now));
        Ok(gone(before, rows.sessions.len() + rows.tokens.len()))
    }

    async fn forget_clients(&self, began_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut rows = self.lock();
        let mut left = limit;
        for (_, session) in &mut rows.sessions {
            let is_known = session.user_agent.is_some() || session.address.is_some();
            let is_old = session.created.is_some_and(|began| began < began_before);
            if goes(&mut left, is_known && is_old) {
                (session.user_agent, session.address) = (None, None);
            }
        }
        Ok(u64::from(limit - left))
    }
}

/// Changes a session, unless new claims were made from another version.
fn apply(session: &mut StoredSession, change: SessionChange) -> bool {
    if let Some((claims, made_from)) = change.claims {
        if session.version != made_from {
            return false;
        }
        session.claims = claims;
        session.version += 1;
    }
    session.expires = change.expires.unwrap_or(session.expires);
    session.last_seen = change.last_seen.or(session.last_seen);
    true
}

/// Whether a row, or a part of it, goes, while there is something left of the limit.
fn goes(left: &mut u32, is_over: bool) -> bool {
    let goes = is_over && *left > 0;
    *left -= u32::from(goes);
    goes
}

fn gone(before: usize, after: usize) -> u64 {
    u64::try_from(before - after).unwrap_or(u64::MAX)
}

fn taken() -> StoreError {
    StoreError::conflict("there is such a one-time token")
}

fn no_user() -> StoreError {
    StoreError::not_found("there is no such user")
}
