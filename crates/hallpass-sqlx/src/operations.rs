//! The steps that the contract is kept with: calls within their time, transactions, rows that are written as a whole.

use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use hallpass::{
    Account, Epoch, SessionChange, SessionToken, StoreError, StoredSession, Timestamp, User, UserChange,
};
use serde_json::{Map, Value as Json};

use crate::SqlStore;
use crate::columns::user_id;
use crate::database::{Row, Statement, Value};
use crate::failure::Failure;
use crate::pool::Lease;
use crate::rows::Keyed;
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
            let done: Result<_, $crate::failure::Failure> = async {
                $lease.begin().await?;
                $body
            }
            .await;
            let failure = match done {
                // Whether a failed commit took place nobody knows: it is not tried again.
                Ok(value) => {
                    break leased.commit().await.map(|()| value).map_err($crate::failure::Failure::from);
                }
                Err(failure) => failure,
            };
            leased.undo().await;
            drop(leased);
            attempt += 1;
            if attempt >= $crate::operations::ATTEMPTS || !failure.is_passing() {
                break Err(failure);
            }
            $crate::operations::make_way(attempt).await;
        }
    }};
}
pub(crate) use in_transaction;

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
    pub(crate) async fn read<T>(
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
                make_way(attempt).await;
            };
            rows.iter().map(&decode).collect()
        };
        self.within("", operation).await
    }

    pub(crate) async fn read_user(
        &self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<Option<User>, StoreError> {
        Ok(self.read(statement, values, |row| rows::user(&self.0.map, row, 0)).await?.pop())
    }

    /// One statement that changes something. When its connection dies it is not tried again: it may have been carried
    /// out.
    pub(crate) async fn write(
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
                make_way(attempt).await;
            }
        };
        self.within(taken, operation).await
    }

    pub(crate) fn key<'a>(&self, id: &'a str) -> Option<Value<'a>> {
        user_id(self.0.map.ids, id)
    }

    /// What the column of the session's key holds.
    pub(crate) fn session_key<'a>(&self, token: &'a SessionToken) -> &'a str {
        if self.0.map.is_own { token.hash() } else { token.expose() }
    }

    /// What the row of a session holds as JSON.
    pub(crate) fn session_json(&self, session: &StoredSession) -> Result<String, StoreError> {
        limits::session(session)?;
        let json = if self.0.map.is_own { to_json(&session.claims) } else { rows::more(session) };
        limits::json("the claims", &json)?;
        Ok(json)
    }

    /// A new row of a session.
    pub(crate) fn session_values<'a>(
        &self,
        token: &'a SessionToken,
        user: Value<'a>,
        session: &'a StoredSession,
        json: &'a str,
    ) -> Vec<Value<'a>> {
        let mut values = vec![self.session_key(token).into(), user, session.expires.into()];
        if self.0.map.is_own {
            values.extend([
                session.created.into(),
                session.last_seen.into(),
                Value::from(&session.user_agent),
                Value::from(&session.address),
                json.into(),
                session.version.into(),
            ]);
        } else {
            let has_client = session.user_agent.is_some() || session.address.is_some();
            values.push(json.into());
            values.push(session.created.filter(|_| has_client).into());
        }
        values
    }

    /// The user, who stays as they are until the transaction ends.
    pub(crate) async fn locked(&self, lease: &mut Lease, id: Value<'_>) -> Result<User, Failure> {
        let row = lease.row(&self.0.statements.user_to_change, &[id]).await?.ok_or_else(no_user)?;
        rows::user(&self.0.map, &row, 0)
    }

    /// Ends the user's sessions in tokens.
    pub(crate) async fn end_tokens(
        &self,
        lease: &mut Lease,
        user_id: &str,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let statements = &self.0.statements;
        let row = lease.row(&statements.epoch, &[user_id.into()]).await?;
        let current = row.map(|row| rows::epoch(&row)).transpose()?.unwrap_or_default();
        let made_from = current.number;
        let epoch = current.next().revoke(at);
        let patch = to_json(&epoch.patch);
        let first = epoch_values(&epoch, &patch, user_id);
        let begun = match made_from {
            0 => lease.run(&statements.first_epoch, &first).await,
            _ => lease.run(&statements.next_epoch, &[&first[..], &[made_from.into()]].concat()).await,
        };
        match begun.map_err(|error| Failure::from(error).or_conflict("somebody else was quicker")) {
            Ok(1..) => Ok(()),
            Ok(0) | Err(Failure::Store(_)) => Err(Failure::Overtaken),
            Err(failure) => Err(failure),
        }
    }

    pub(crate) async fn insert_account(
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
    pub(crate) fn sealed(&self, user_id: &str, account: &Account) -> Result<Option<String>, StoreError> {
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

    pub(crate) async fn rewrite_user(
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

    pub(crate) async fn changed(&self, id: Value<'_>, change: &UserChange) -> Result<User, Failure> {
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

    pub(crate) async fn created(&self, mut user: User, account: Option<&Account>) -> Result<User, Failure> {
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
    pub(crate) async fn completed(
        &self,
        lease: &mut Lease,
        id: Value<'_>,
        user: &User,
    ) -> Result<User, Failure> {
        let mut extra = self.locked(lease, id).await?.extra;
        if !user.extra.is_empty() {
            extra.extend(user.extra.clone());
            self.rewrite_user(lease, id, user, &to_json(&extra)).await?;
        }
        self.locked(lease, id).await
    }

    /// Changes the session whose key this is.
    pub(crate) async fn change_session(&self, key: &str, change: &SessionChange) -> Result<bool, StoreError> {
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
    pub(crate) async fn rewrite_session(&self, key: &str, change: &SessionChange) -> Result<bool, Failure> {
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

    /// Takes user agent and address out of the JSON of at most so many sessions of another program's table. Returns how
    /// many those were.
    pub(crate) async fn rewritten_without_client(
        &self,
        began_before: Timestamp,
        most: u32,
    ) -> Result<u32, Failure> {
        let (statements, values) = (&self.0.statements, [began_before.into(), i64::from(most).into()]);
        in_transaction!(self, |lease| {
            let mut count = 0;
            for row in lease.rows(&statements.old_clients, &values).await? {
                let Keyed { key, mut session } = rows::session(&self.0.map, &row)?;
                (session.user_agent, session.address) = (None, None);
                let more = rows::more(&session);
                lease.run(&statements.forget_client, &[more.as_str().into(), key.as_str().into()]).await?;
                count += 1;
            }
            Ok(count)
        })
    }
}

/// What stands in the row of an epoch.
pub(crate) fn epoch_values<'a>(epoch: &Epoch, patch: &'a str, user_id: &'a str) -> [Value<'a>; 5] {
    [epoch.number.into(), epoch.revoked.into(), epoch.not_before.into(), patch.into(), user_id.into()]
}

pub(crate) fn to_json(fields: &Map<String, Json>) -> String {
    // Keys are texts: this cannot fail.
    serde_json::to_string(fields).unwrap_or_default()
}

pub(crate) fn no_user() -> StoreError {
    StoreError::not_found("there is no such user")
}

/// Waits a little, and each time for a different while: those who have met would only meet again.
pub(crate) async fn make_way(attempt: u32) {
    let longest = u64::from(attempt.saturating_mul(attempt)) + 1;
    let chance = RandomState::new().build_hasher().finish();
    tokio::time::sleep(Duration::from_millis(chance % longest)).await;
}

/// How often a transaction is tried that meets another one.
pub(crate) const ATTEMPTS: u32 = 20;
