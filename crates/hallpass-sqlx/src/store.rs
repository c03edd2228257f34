//! The contract, in SQL.

use std::cmp::Reverse;

use hallpass::{
    Account, Epoch, OneTimeToken, Revoke, SessionChange, SessionToken, Store, StoreError, StoreErrorKind,
    StoredSession, Timestamp, User, UserChange, UserPage,
};
use serde_json::Value as Json;

use crate::SqlStore;
use crate::database::{Row, Value};
use crate::operations::{epoch_values, in_transaction, no_user, to_json};
use crate::{limits, rows};

impl Store for SqlStore {
    async fn create_user(&self, user: User, account: Option<Account>) -> Result<User, StoreError> {
        self.within(TAKEN, self.created(user, account.as_ref())).await
    }

    async fn user(&self, id: &str) -> Result<Option<User>, StoreError> {
        let Some(id) = self.key(id) else { return Ok(None) };
        self.read_user(&self.0.statements.user, &[id]).await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        if email.contains('\0') {
            return Ok(None);
        }
        self.read_user(&self.0.statements.user_by_email, &[email.into()]).await
    }

    async fn user_by_account(&self, provider: &str, account_id: &str) -> Result<Option<User>, StoreError> {
        if provider.contains('\0') || account_id.contains('\0') {
            return Ok(None);
        }
        self.read_user(&self.0.statements.user_by_account, &[provider.into(), account_id.into()]).await
    }

    async fn users(&self, page: UserPage) -> Result<Vec<User>, StoreError> {
        let limit = Value::from(i64::from(page.limit));
        let statements = &self.0.statements;
        match &page.after {
            None => self.read(&statements.users, &[limit], |row| rows::user(&self.0.map, row, 0)).await,
            Some(after) => {
                let after = self
                    .key(after)
                    .ok_or_else(|| StoreError::refused("no user can have the id to list after"))?;
                self.read(&statements.users_after, &[after, limit], |row| rows::user(&self.0.map, row, 0))
                    .await
            }
        }
    }

    async fn update_user(&self, id: &str, change: UserChange) -> Result<User, StoreError> {
        let id = self.key(id).ok_or_else(no_user)?;
        let is_lost = |(field, value): (&String, &Json)| !value.is_null() && !self.0.columns.has(field);
        if !self.0.map.is_own && change.extra.iter().any(is_lost) {
            return Err(StoreError::refused("the table of users has no column for one of the fields"));
        }
        self.within("there is a user with this address", self.changed(id, &change)).await
    }

    async fn verify_email(&self, owner: &User, at: Timestamp) -> Result<User, StoreError> {
        let id = self.key(&owner.id).ok_or_else(no_user)?;
        let statements = &self.0.statements;
        let operation = async {
            in_transaction!(self, |lease| {
                let mut user = self.locked(lease, id).await?;
                if user.email != owner.email {
                    return Err(changed().into());
                }
                if user.email_verified.replace(at).is_none() {
                    lease.run(&statements.delete_doubtful_accounts, &[id]).await?;
                    lease.run(&statements.delete_sessions, &[id]).await?;
                    self.end_tokens(lease, &user.id, at).await?;
                }
                lease.run(&statements.verify_user, &[at.into(), id]).await?;
                Ok(user)
            })
        };
        self.within("", operation).await
    }

    async fn delete_user(&self, id: &str) -> Result<bool, StoreError> {
        let Some(id) = self.key(id) else { return Ok(false) };
        let statements = &self.0.statements;
        let operation = async {
            in_transaction!(self, |lease| {
                match lease.row(&statements.user_to_change, &[id]).await? {
                    None => Ok(false),
                    Some(row) => {
                        if let Some(email) = rows::user(&self.0.map, &row, 0)?.email {
                            lease.run(&statements.delete_tokens, &[email.as_str().into()]).await?;
                        }
                        lease.run(&statements.delete_sessions, &[id]).await?;
                        lease.run(&statements.delete_accounts, &[id]).await?;
                        Ok(lease.run(&statements.delete_user, &[id]).await? > 0)
                    }
                }
            })
        };
        self.within("", operation).await
    }

    async fn link_account(&self, owner: &User, account: Account) -> Result<(), StoreError> {
        let id = self.key(&owner.id).ok_or_else(no_user)?;
        let sealed = self.sealed(&owner.id, &account)?;
        let operation = async {
            in_transaction!(self, |lease| {
                let row = lease.row(&self.0.statements.user_to_change, &[id]).await?;
                // Whether the account is taken is said before whether there is such a user.
                self.insert_account(lease, id, &account, sealed.as_deref()).await?;
                let user = rows::user(&self.0.map, &row.ok_or_else(no_user)?, 0)?;
                match user.has_address_of(owner) {
                    true => Ok(()),
                    false => Err(changed().into()),
                }
            })
        };
        self.within("", operation).await
    }

    async fn accounts(&self, user_id: &str) -> Result<Vec<Account>, StoreError> {
        let Some(id) = self.key(user_id) else { return Ok(Vec::new()) };
        let store = &self.0;
        let accounts = self
            .read(&store.statements.accounts, &[id], |row| rows::account(&store.map, &store.sealer, row))
            .await?;
        Ok(accounts.into_iter().flatten().collect())
    }

    async fn unlink_account(
        &self,
        user_id: &str,
        provider: &str,
        provider_account_id: &str,
        keep_last: bool,
    ) -> Result<bool, StoreError> {
        let Some(id) = self.key(user_id) else { return Ok(false) };
        if provider.contains('\0') || provider_account_id.contains('\0') {
            return Ok(false);
        }
        let values = [id, provider.into(), provider_account_id.into()];
        let statements = &self.0.statements;
        let operation = async {
            in_transaction!(self, |lease| {
                let has_user = lease.row(&statements.user_to_change, &[id]).await?.is_some();
                let is_theirs = has_user && lease.row(&statements.has_account, &values).await?.is_some();
                if is_theirs && keep_last {
                    let count = lease.row(&statements.count_accounts, &[id]).await?;
                    if count.map(|row| row.int(0)).transpose()?.flatten() == Some(1) {
                        return Err(StoreError::conflict("it is the last account of this user").into());
                    }
                }
                Ok(is_theirs && lease.run(&statements.delete_account, &values).await? > 0)
            })
        };
        self.within("", operation).await
    }

    async fn create_session(&self, token: &SessionToken, session: StoredSession) -> Result<(), StoreError> {
        let id = self.key(&session.user_id).ok_or_else(no_user)?;
        let json = self.session_json(&session)?;
        let values = self.session_values(token, id, &session, &json);
        let taken = "there is a session with this token";
        let statement = &self.0.statements.create_session;
        if self.0.map.has_foreign_keys {
            return self.write(taken, statement, &values).await.map(|_| ());
        }
        let operation = async {
            in_transaction!(self, |lease| {
                lease.run(statement, &values).await?;
                self.locked(lease, id).await.map(|_| ())
            })
        };
        self.within(taken, operation).await
    }

    async fn adopt_session(
        &self,
        token: &SessionToken,
        session: StoredSession,
        once: OneTimeToken,
    ) -> Result<(), StoreError> {
        let id = self.key(&session.user_id).ok_or_else(no_user)?;
        limits::token(&once)?;
        let json = self.session_json(&session)?;
        let values = self.session_values(token, id, &session, &json);
        let operation = async {
            in_transaction!(self, |lease| {
                lease.run(&self.0.statements.create_token, &token_values(&once)).await?;
                lease.run(&self.0.statements.create_session, &values).await?;
                if !self.0.map.has_foreign_keys {
                    self.locked(lease, id).await?;
                }
                Ok(())
            })
        };
        self.within("this session was adopted before", operation).await
    }

    async fn session(&self, token: &SessionToken) -> Result<Option<(StoredSession, User)>, StoreError> {
        let key = self.session_key(token);
        if key.contains('\0') {
            return Ok(None);
        }
        let map = &self.0.map;
        let width = rows::session_width(map);
        let decode = |row: &Row| Ok((rows::session(map, row)?.session, rows::user(map, row, width)?));
        Ok(self.read(&self.0.statements.session, &[key.into()], decode).await?.pop())
    }

    async fn update_session(&self, token: &SessionToken, change: SessionChange) -> Result<bool, StoreError> {
        self.change_session(self.session_key(token), &change).await
    }

    async fn update_session_by_id(
        &self,
        user_id: &str,
        id: &str,
        change: SessionChange,
    ) -> Result<bool, StoreError> {
        let Some(user) = self.key(user_id) else { return Ok(false) };
        let map = &self.0.map;
        let sessions = self.read(&self.0.statements.sessions, &[user], |row| rows::session(map, row)).await?;
        // A session never changes hands: by its key it is still this user's, or gone.
        match sessions.into_iter().find(|found| found.session.id == id) {
            Some(found) => self.change_session(&found.key, &change).await,
            None => Ok(false),
        }
    }

    async fn epoch(&self, user_id: &str) -> Result<Option<Epoch>, StoreError> {
        if user_id.contains('\0') {
            return Ok(None);
        }
        Ok(self.read(&self.0.statements.epoch, &[user_id.into()], rows::epoch).await?.pop())
    }

    async fn begin_epoch(&self, user_id: &str, epoch: Epoch, made_from: i64) -> Result<bool, StoreError> {
        limits::id(user_id)?;
        let patch = to_json(&epoch.patch);
        limits::json("the patch", &patch)?;
        let statements = &self.0.statements;
        let first = epoch_values(&epoch, &patch, user_id);
        let next = [&first[..], &[made_from.into()]].concat();
        if self.write("", &statements.next_epoch, &next).await? > 0 {
            return Ok(true);
        }
        if made_from != 0 {
            return Ok(false);
        }
        match self.write("", &statements.first_epoch, &first).await {
            Err(error) if error.kind() == StoreErrorKind::Conflict => Ok(false),
            done => done.map(|_| true),
        }
    }

    async fn delete_session(&self, token: &SessionToken) -> Result<Option<StoredSession>, StoreError> {
        let key = self.session_key(token);
        if key.contains('\0') {
            return Ok(None);
        }
        let map = &self.0.map;
        let statements = &self.0.statements;
        let found =
            self.read(&statements.session_alone, &[key.into()], |row| rows::session(map, row)).await?.pop();
        let Some(found) = found else { return Ok(None) };
        let is_ours = self.write("", &statements.delete_session, &[key.into()]).await? > 0;
        Ok(is_ours.then_some(found.session))
    }

    async fn sessions(&self, user_id: &str) -> Result<Vec<StoredSession>, StoreError> {
        let Some(id) = self.key(user_id) else { return Ok(Vec::new()) };
        let map = &self.0.map;
        let mut sessions =
            self.read(&self.0.statements.sessions, &[id], |row| Ok(rows::session(map, row)?.session)).await?;
        sessions.sort_by_key(|session| Reverse(session.created));
        Ok(sessions)
    }

    async fn revoke_sessions(&self, user_id: &str, which: Revoke<'_>) -> Result<u64, StoreError> {
        let Some(user) = self.key(user_id) else { return Ok(0) };
        let statements = &self.0.statements;
        if which == Revoke::All {
            return self.write("", &statements.delete_sessions, &[user]).await;
        }
        let operation = async {
            in_transaction!(self, |lease| {
                let mut count = 0;
                // No session of this user begins while the others end.
                lease.row(&statements.user_to_change, &[user]).await?;
                for row in lease.rows(&statements.sessions, &[user]).await? {
                    let found = rows::session(&self.0.map, &row)?;
                    let ends = match which {
                        Revoke::All => true,
                        Revoke::One(id) => found.session.id == id,
                        Revoke::Others(id) => found.session.id != id,
                    };
                    if ends {
                        count += lease.run(&statements.delete_session, &[found.key.as_str().into()]).await?;
                    }
                }
                Ok(count)
            })
        };
        self.within("", operation).await
    }

    async fn create_token(&self, token: OneTimeToken) -> Result<(), StoreError> {
        limits::token(&token)?;
        let statement = &self.0.statements.create_token;
        self.write("there is such a one-time token", statement, &token_values(&token)).await.map(|_| ())
    }

    async fn take_token(&self, identifier: &str, hash: &str) -> Result<Option<OneTimeToken>, StoreError> {
        if identifier.contains('\0') || hash.contains('\0') {
            return Ok(None);
        }
        let key = [identifier.into(), hash.into()];
        let statements = &self.0.statements;
        let found = self.read(&statements.token, &key, |row| Ok(row.int(0)?)).await?.pop();
        let Some(expires) = found else { return Ok(None) };
        // Whoever removes the row has the token.
        let is_ours = self.write("", &statements.delete_token, &key).await? > 0;
        let expires = Timestamp::from_millis(expires.unwrap_or_default());
        Ok(is_ours.then(|| OneTimeToken::new(identifier, hash, expires)))
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let values = [now.into(), i64::from(limit).into()];
        let sessions = self.write("", &self.0.statements.sweep_sessions, &values).await?;
        let tokens = self.write("", &self.0.statements.sweep_tokens, &values).await?;
        Ok(sessions + tokens)
    }

    async fn forget_clients(&self, began_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        if self.0.map.is_own {
            let values = [began_before.into(), i64::from(limit).into()];
            return self.write("", &self.0.statements.forget_clients, &values).await;
        }
        let mut left = limit;
        while left > 0 {
            let most = left.min(AT_ONCE);
            let count = self.within("", self.rewritten_without_client(began_before, most)).await?;
            left -= count;
            if count < most {
                break;
            }
        }
        Ok(u64::from(limit - left))
    }
}

fn changed() -> StoreError {
    StoreError::not_found("this user has changed meanwhile")
}

fn token_values(token: &OneTimeToken) -> [Value<'_>; 3] {
    [token.identifier.as_str().into(), token.hash.as_str().into(), token.expires.into()]
}

/// How many rows of another program's table one transaction rewrites, each by itself.
const AT_ONCE: u32 = 100;

const TAKEN: &str = "there is a user with this address or id";
