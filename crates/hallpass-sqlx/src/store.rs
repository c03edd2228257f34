//! The contract, in SQL.

use std::cmp::Reverse;
use std::future::Future;

use hallpass::{
    Account, Epoch, OneTimeToken, Revoke, SessionChange, SessionToken, Store, StoreError, StoreErrorKind,
    StoredSession, Timestamp, User, UserChange, UserPage,
};
use serde_json::{Map, Value as Json};

use crate::SqlStore;
use crate::columns::user_id;
use crate::database::{Row, Statement, Value};
use crate::failure::Failure;
use crate::pool::Lease;
use crate::seal::Owner;
use crate::statements::TOKENS;
use crate::{limits, rows};

/// Does `$body` in a transaction, and again when it met another one.
macro_rules! in_transaction {
    ($store:expr, |$lease:ident| $body:expr) => {{
        let mut attempt = 0;
        loop {
            let mut leased = $store.0.pool.writer().await?;
            let $lease = &mut leased;
            let done: Result<_, Failure> = async {
                $lease.begin().await?;
                $body
            }
            .await;
            let failure = match done {
                // Whether a failed commit took place nobody knows: it is not tried again.
                Ok(value) => break leased.commit().await.map(|()| value).map_err(Failure::from),
                Err(failure) => failure,
            };
            leased.undo().await;
            attempt += 1;
            if attempt >= ATTEMPTS || !failure.is_passing() {
                break Err(failure);
            }
        }
    }};
}

impl SqlStore {
    /// An operation within its time. `taken` is what a violated unique key means.
    pub(crate) async fn within<T>(
        &self,
        taken: &'static str,
        operation: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(self.0.timeout, operation).await {
            Ok(done) => done.map_err(|failure| failure.into_store_error(taken)),
            Err(_) => Err(StoreError::unavailable("the database did not answer in time")),
        }
    }

    /// A query that changes nothing, once more when its connection turns out to be dead.
    async fn read<T>(
        &self,
        statement: &Statement,
        values: &[Value<'_>],
        decode: impl Fn(&Row) -> Result<T, Failure>,
    ) -> Result<Vec<T>, StoreError> {
        let operation = async {
            let mut attempt = 0;
            let rows = loop {
                match self.0.pool.reader().await?.rows(statement, values).await.map_err(Failure::from) {
                    Err(failure) if failure.is_passing() && attempt < ATTEMPTS => attempt += 1,
                    done => break done?,
                }
            };
            rows.iter().map(&decode).collect()
        };
        self.within("", operation).await
    }

    async fn read_user(
        &self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<Option<User>, StoreError> {
        Ok(self.read(statement, values, |row| rows::user(&self.0.map, row, 0)).await?.pop())
    }

    /// One statement that changes something. When its connection dies it is not tried again: it may have been carried
    /// out.
    async fn write(
        &self,
        taken: &'static str,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let operation = async {
            let mut attempt = 0;
            loop {
                match self.0.pool.writer().await?.run(statement, values).await.map_err(Failure::from) {
                    Err(failure) if failure.is_collision() && attempt < ATTEMPTS => attempt += 1,
                    done => return done,
                }
            }
        };
        self.within(taken, operation).await
    }

    fn key<'a>(&self, id: &'a str) -> Option<Value<'a>> {
        user_id(self.0.map.ids, id)
    }

    /// What the column of the session's key holds.
    fn session_key<'a>(&self, token: &'a SessionToken) -> &'a str {
        if self.0.map.is_own { token.hash() } else { token.expose() }
    }

    /// The user, who stays as they are until the transaction ends.
    async fn locked(&self, lease: &mut Lease, id: Value<'_>) -> Result<User, Failure> {
        let row = lease.row(&self.0.statements.user_to_change, &[id]).await?.ok_or_else(no_user)?;
        rows::user(&self.0.map, &row, 0)
    }

    async fn insert_account(
        &self,
        lease: &mut Lease,
        user: Value<'_>,
        account: &Account,
        sealed: Option<&str>,
    ) -> Result<(), Failure> {
        let mut values = vec![
            Value::from(account.provider.as_str()),
            Value::from(account.provider_account_id.as_str()),
            user,
            Value::from(account.kind.as_str()),
        ];
        if self.0.map.is_own {
            values.extend([Value::Flag(account.email_verified), Value::Text(sealed)]);
        } else {
            values.extend(TOKENS.map(|name| match (name, account.tokens.get(name)) {
                ("expires_at", value) => Value::Int(value.and_then(Json::as_i64)),
                (_, value) => Value::Text(value.and_then(Json::as_str)),
            }));
        }
        match lease.run(&self.0.statements.create_account, &values).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::Database(error).or_conflict("the account is linked already")),
        }
    }

    /// The tokens of an account as our own table keeps them.
    fn sealed(&self, user_id: &str, account: &Account) -> Result<Option<String>, StoreError> {
        limits::account(account)?;
        if !self.0.map.is_own || account.tokens.is_empty() {
            return Ok(None);
        }
        let (provider, provider_account_id) = (&account.provider, &account.provider_account_id);
        let owner = Owner { user_id, provider, provider_account_id };
        let sealed = self.0.sealer.seal(owner, &to_json(&account.tokens)).map_err(StoreError::unavailable)?;
        limits::json("the account's tokens", &sealed)?;
        Ok(Some(sealed))
    }

    async fn rewrite_user(
        &self,
        lease: &mut Lease,
        id: Value<'_>,
        user: &User,
        extra: &str,
    ) -> Result<(), Failure> {
        let mut values = vec![
            Value::from(&user.name),
            Value::from(&user.email),
            Value::from(user.email_verified),
            Value::from(&user.image),
        ];
        let copies = if self.0.map.is_own { 1 } else { self.0.columns.count() };
        values.extend(std::iter::repeat_n(Value::from(extra), copies));
        values.push(id);
        lease.run(&self.0.statements.update_user, &values).await?;
        Ok(())
    }

    async fn changed(&self, id: Value<'_>, change: &UserChange) -> Result<User, Failure> {
        in_transaction!(self, |lease| {
            let user = self.locked(lease, id).await?;
            let email = user.email.clone();
            let user = change.clone().apply(user);
            limits::user(&user)?;
            let extra = to_json(&user.extra);
            limits::json("the further fields", &extra)?;
            self.rewrite_user(lease, id, &user, &extra).await?;
            if self.0.map.is_own && user.email != email {
                lease.run(&self.0.statements.doubt_accounts, &[Value::Flag(false), id]).await?;
            }
            Ok(user)
        })
    }

    async fn created(&self, mut user: User, account: Option<&Account>) -> Result<User, Failure> {
        let map = &self.0.map;
        if !map.is_own {
            user.extra.retain(|field, _| self.0.columns.has(field));
        }
        let extra = to_json(&user.extra);
        limits::user(&user)?;
        limits::json("the further fields", &extra)?;
        let sealed = account.map(|account| self.sealed(&user.id, account)).transpose()?.flatten();
        in_transaction!(self, |lease| {
            let mut user = user.clone();
            let fields = [
                Value::from(&user.name),
                Value::from(&user.email),
                Value::from(user.email_verified),
                Value::from(&user.image),
            ];
            let made = if map.ids == crate::Ids::Integer {
                lease.row(&self.0.statements.create_user, &fields).await?
            } else {
                let id = self.key(&user.id).ok_or_else(|| StoreError::refused("the id is not a UUID"))?;
                let mut values = vec![id];
                values.extend(fields);
                values.extend(map.is_own.then(|| Value::from(extra.as_str())));
                lease.run(&self.0.statements.create_user, &values).await?;
                None
            };
            if let Some(row) = made {
                user.id = row.required(0)?;
            }
            let id = self.key(&user.id).ok_or_else(no_user)?;
            if let Some(account) = account {
                self.insert_account(lease, id, account, sealed.as_deref()).await?;
            }
            if map.is_own { Ok(user) } else { self.completed(lease, id, &user).await }
        })
    }

    /// A new user in somebody else's table, whose further columns have values of their own.
    async fn completed(&self, lease: &mut Lease, id: Value<'_>, user: &User) -> Result<User, Failure> {
        let mut extra = self.locked(lease, id).await?.extra;
        if !user.extra.is_empty() {
            extra.extend(user.extra.clone());
            self.rewrite_user(lease, id, user, &to_json(&extra)).await?;
        }
        self.locked(lease, id).await
    }

    /// Changes the session whose key this is.
    async fn change_session(&self, key: &str, change: &SessionChange) -> Result<bool, StoreError> {
        if key.contains('\0') {
            return Ok(false);
        }
        if !self.0.map.is_own {
            return self.within("", self.rewrite_session(key, change)).await;
        }
        let claims = change.claims.as_ref().map(|(claims, _)| to_json(claims));
        if let Some(claims) = &claims {
            limits::json("the claims", claims)?;
        }
        let made_from = change.claims.as_ref().map(|(_, made_from)| *made_from);
        let values = [
            change.expires.into(),
            change.last_seen.into(),
            Value::from(&claims),
            i64::from(claims.is_some()).into(),
            key.into(),
            Value::Int(made_from),
        ];
        Ok(self.write("", &self.0.statements.update_session, &values).await? > 0)
    }

    /// Changes the row of a session of another program, whose JSON is read and written under a lock.
    async fn rewrite_session(&self, key: &str, change: &SessionChange) -> Result<bool, Failure> {
        in_transaction!(self, |lease| {
            match lease.row(&self.0.statements.session_to_change, &[Value::from(key)]).await? {
                None => Ok(false),
                Some(row) => {
                    let mut session = rows::session(&self.0.map, &row)?.session;
                    if let Some((claims, made_from)) = &change.claims {
                        if *made_from != session.version {
                            return Ok(false);
                        }
                        session.claims = claims.clone();
                        session.version = session.version.saturating_add(1);
                    }
                    session.expires = change.expires.unwrap_or(session.expires);
                    session.last_seen = change.last_seen.or(session.last_seen);
                    let more = rows::more(&session);
                    limits::json("the claims", &more)?;
                    let values = [session.expires.into(), more.as_str().into(), key.into()];
                    lease.run(&self.0.statements.update_session, &values).await?;
                    Ok(true)
                }
            }
        })
    }
}

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

    async fn verify_email(&self, id: &str, at: Timestamp) -> Result<User, StoreError> {
        let id = self.key(id).ok_or_else(no_user)?;
        let statements = &self.0.statements;
        let operation = async {
            in_transaction!(self, |lease| {
                let mut user = self.locked(lease, id).await?;
                if user.email_verified.replace(at).is_none() {
                    lease.run(&statements.delete_doubtful_accounts, &[id]).await?;
                    lease.run(&statements.delete_sessions, &[id]).await?;
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

    async fn link_account(&self, account: Account) -> Result<(), StoreError> {
        let user_id = account.user_id.as_deref().ok_or_else(no_user)?;
        let id = self.key(user_id).ok_or_else(no_user)?;
        let sealed = self.sealed(user_id, &account)?;
        let operation = async {
            in_transaction!(self, |lease| {
                // Whether the account is taken is said before whether there is such a user.
                let inserted = self.insert_account(lease, id, &account, sealed.as_deref()).await;
                if !self.0.map.has_foreign_keys && inserted.is_ok() {
                    self.locked(lease, id).await?;
                }
                inserted
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
        limits::session(&session)?;
        let map = &self.0.map;
        let json = if map.is_own { to_json(&session.claims) } else { rows::more(&session) };
        limits::json("the claims", &json)?;
        let mut values = vec![self.session_key(token).into(), id, session.expires.into()];
        if map.is_own {
            values.extend([
                session.created.into(),
                session.last_seen.into(),
                Value::from(&session.user_agent),
                Value::from(&session.address),
                json.as_str().into(),
                session.version.into(),
            ]);
        } else {
            values.push(json.as_str().into());
        }
        let taken = "there is a session with this token";
        let statement = &self.0.statements.create_session;
        if map.has_foreign_keys {
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
        let first = [
            epoch.number.into(),
            epoch.revoked.into(),
            epoch.not_before.into(),
            patch.as_str().into(),
            user_id.into(),
        ];
        let mut next = first.to_vec();
        next.push(made_from.into());
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
        let values = [token.identifier.as_str().into(), token.hash.as_str().into(), token.expires.into()];
        self.write("there is such a token", &self.0.statements.create_token, &values).await.map(|_| ())
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
}

fn to_json(fields: &Map<String, Json>) -> String {
    // Keys are texts: this cannot fail.
    serde_json::to_string(fields).unwrap_or_default()
}

fn no_user() -> StoreError {
    StoreError::not_found("there is no such user")
}

const TAKEN: &str = "there is a user with this address or id";

/// How often a transaction is tried that meets another one.
const ATTEMPTS: u32 = 10;
