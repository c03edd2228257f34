//! The reference store: everything in memory, gone when the process ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Account, Timestamp, User};

use super::{OneTimeToken, Store, StoreError};

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
    /// One-time tokens not yet used.
    pub tokens: Vec<OneTimeToken>,
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

    /// Removes a user with their accounts. Returns whether there was one.
    pub fn delete_user(&self, id: &str) -> bool {
        let mut rows = self.lock();
        let before = rows.users.len();
        rows.users.retain(|user| user.id != id);
        rows.accounts.retain(|account| account.user_id.as_deref() != Some(id));
        rows.users.len() < before
    }

    // A panic elsewhere cannot leave half a row: each method changes the rows with one push, remove or assignment.
    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    async fn create_user(&self, user: User) -> Result<User, StoreError> {
        let mut rows = self.lock();
        if user.email.is_some() && rows.users.iter().any(|other| other.email == user.email) {
            return Err(StoreError::conflict("there is a user with this address"));
        }
        if rows.users.iter().any(|other| other.id == user.id) {
            return Err(StoreError::conflict("there is a user with this id"));
        }
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
        let account = rows
            .accounts
            .iter()
            .find(|account| account.provider == provider && account.provider_account_id == account_id);
        let owner = account.and_then(|account| account.user_id.as_ref());
        Ok(owner.and_then(|id| rows.users.iter().find(|user| user.id == *id)).cloned())
    }

    async fn verify_email(&self, id: &str, at: Timestamp) -> Result<User, StoreError> {
        let mut rows = self.lock();
        let Some(user) = rows.users.iter_mut().find(|user| user.id == id) else {
            return Err(StoreError::not_found("there is no such user"));
        };
        user.email_verified = Some(at);
        Ok(user.clone())
    }

    async fn link_account(&self, account: Account) -> Result<(), StoreError> {
        let mut rows = self.lock();
        let same = |other: &Account| {
            other.provider == account.provider && other.provider_account_id == account.provider_account_id
        };
        if rows.accounts.iter().any(same) {
            return Err(StoreError::conflict("the account is linked already"));
        }
        if !rows.users.iter().any(|user| Some(&user.id) == account.user_id.as_ref()) {
            return Err(StoreError::not_found("there is no such user"));
        }
        rows.accounts.push(account);
        Ok(())
    }

    async fn create_token(&self, token: OneTimeToken) -> Result<(), StoreError> {
        self.lock().tokens.push(token);
        Ok(())
    }

    async fn take_token(&self, identifier: &str, hash: &str) -> Result<Option<OneTimeToken>, StoreError> {
        let mut rows = self.lock();
        let found = rows.tokens.iter().position(|token| token.identifier == identifier && token.hash == hash);
        Ok(found.map(|index| rows.tokens.swap_remove(index)))
    }
}
