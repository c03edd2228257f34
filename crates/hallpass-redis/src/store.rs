//! The store.

use std::time::Duration;

use hallpass::{
    Account, Epoch, OneTimeToken, Revoke, SessionChange, SessionToken, Store, StoreError, StoredSession,
    Timestamp, User, UserChange, UserPage,
};
use redis::{Script, cmd, pipe};

use crate::connection::{Connection, read};
use crate::keys::Keys;
use crate::row::{self, Fields, Row};
use crate::scripts;

/// Sessions and one-time tokens in Redis or Valkey; users and accounts in another store.
///
/// Clones share their connection, which is made when it is first needed and again when it is lost: while the server
/// is away, what needs it fails with [`StoreErrorKind::Unavailable`](hallpass::StoreErrorKind::Unavailable).
#[derive(Clone, Debug)]
pub struct RedisStore<S> {
    users: S,
    connection: Connection,
    keys: Keys,
}

impl<S: Store> RedisStore<S> {
    /// Sessions at `url` (`redis://`, `rediss://`, `redis+unix://`), users in `users`.
    ///
    /// # Errors
    /// When `url` cannot be read. Whether the server is there shows [`ping`](Self::ping).
    pub fn new(url: &str, users: S) -> Result<Self, StoreError> {
        let keys = Keys { prefix: "hallpass:".to_owned() };
        Ok(Self { users, connection: Connection::new(url)?, keys })
    }

    /// The beginning of all keys, for a server that others use too. Default: `hallpass:`.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { keys: Keys { prefix: prefix.into() }, ..self }
    }

    /// How long to wait for an answer, with the time to connect. Default: 5 seconds.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { connection: self.connection.with_timeout(timeout), ..self }
    }

    /// Asks the server whether it is there.
    ///
    /// # Errors
    /// When it is not, or the name or password is wrong.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.connection.ask(async |redis| cmd("PING").query_async(redis).await).await
    }

    /// Keeps a row and its places in lists, in those of clients only if it has one since then. Returns false when the
    /// row is there already.
    async fn keep(
        &self,
        key: &str,
        lists: &[String],
        member: &str,
        expires: Timestamp,
        client_since: Option<Timestamp>,
        fields: &[(&'static str, String)],
    ) -> Result<bool, StoreError> {
        let mut script = scripts::KEEP.prepare_invoke();
        script.key(key).key(lists).arg(member).arg(row::kept_until(expires));
        script.arg(since(client_since));
        for (name, value) in fields {
            script.arg(name).arg(value);
        }
        self.connection.ask(async |redis| script.invoke_async(redis).await).await
    }

    /// Keeps a session, and with it the one-time token that says that it was kept before.
    async fn begin(
        &self,
        token: &SessionToken,
        session: StoredSession,
        once: Option<OneTimeToken>,
    ) -> Result<(), StoreError> {
        let Some(user) = self.users.user(&session.user_id).await? else { return Err(no_user()) };
        let row = Row { session, is_unproven: user.email_verified.is_none() };
        let (key, lists, hash) = (self.keys.session(token), self.keys.lists_of(&user.id), token.hash());
        let is_kept = match once {
            Some(once) => self.keep_once(&key, &lists, hash, &row, &once).await?,
            None => {
                let (expires, fields) = (row.session.expires, row.to_fields()?);
                self.keep(&key, &lists, hash, expires, row.client_since(), &fields).await?
            }
        };
        if !is_kept {
            return Err(StoreError::conflict("there is a session with this token"));
        }
        // Whoever deletes the user from now on finds the session; whoever did before is seen here.
        if self.users.user(&user.id).await?.is_none() {
            self.take(&key, &lists, hash).await?;
            return Err(no_user());
        }
        Ok(())
    }

    /// As [`Self::keep`], together with a one-time token. Returns false, and keeps neither, when one of them is there.
    async fn keep_once(
        &self,
        key: &str,
        lists: &[String],
        member: &str,
        row: &Row,
        once: &OneTimeToken,
    ) -> Result<bool, StoreError> {
        let mut script = scripts::KEEP_ONCE.prepare_invoke();
        script.key(key).key(lists);
        script.key(self.keys.token(&once.identifier, &once.hash)).key(self.keys.tokens_of(&once.identifier));
        script.arg(member).arg(row::kept_until(row.session.expires)).arg(since(row.client_since()));
        script
            .arg(&once.hash)
            .arg(row::kept_until(once.expires))
            .arg(row::EXPIRES)
            .arg(once.expires.millis());
        for (name, value) in row.to_fields()? {
            script.arg(name).arg(value);
        }
        self.connection.ask(async |redis| script.invoke_async(redis).await).await
    }

    async fn take(&self, key: &str, lists: &[String], member: &str) -> Result<Fields, StoreError> {
        let mut script = scripts::TAKE.prepare_invoke();
        script.key(key).key(lists).arg(member);
        self.connection.ask(async |redis| script.invoke_async(redis).await).await
    }

    async fn members(&self, list: &str) -> Result<Vec<String>, StoreError> {
        let mut command = cmd("ZRANGE");
        command.arg(list).arg(0).arg(-1);
        read(|| self.connection.ask(async |redis| command.query_async(redis).await)).await
    }

    /// Has a script change rows, and adds up what it counts.
    async fn run(
        &self,
        script: &Script,
        members: &[String],
        key: impl Fn(&str) -> String,
        lists: &[String],
    ) -> Result<u64, StoreError> {
        let mut count = 0;
        for members in members.chunks(AT_ONCE) {
            let mut script = script.prepare_invoke();
            for member in members {
                script.key(key(member));
            }
            script.key(lists).arg(members);
            let rows: u64 = self.connection.ask(async |redis| script.invoke_async(redis).await).await?;
            count += rows;
        }
        Ok(count)
    }

    async fn drop_rows_of(&self, user_id: &str, hashes: &[String]) -> Result<u64, StoreError> {
        let lists = self.keys.lists_of(user_id);
        self.run(&scripts::DROP, hashes, |hash| self.keys.session_with(hash), &lists).await
    }

    async fn drop_sessions(&self, user_id: &str, which: impl Fn(&str) -> bool) -> Result<u64, StoreError> {
        let mut members = self.members(&self.keys.sessions_of(user_id)).await?;
        members.retain(|hash| which(id_of(hash)));
        self.drop_rows_of(user_id, &members).await
    }

    async fn drop_tokens(&self, identifier: Option<&str>) -> Result<(), StoreError> {
        let Some(identifier) = identifier else { return Ok(()) };
        let list = self.keys.tokens_of(identifier);
        let members = self.members(&list).await?;
        self.run(&scripts::DROP, &members, |hash| self.keys.token(identifier, hash), &[list]).await?;
        Ok(())
    }

    /// Whose session it is: Redis knows, and it never changes.
    async fn owner(&self, token: &SessionToken) -> Result<Option<String>, StoreError> {
        let mut command = cmd("HGET");
        command.arg(self.keys.session(token)).arg(row::USER);
        read(|| self.connection.ask(async |redis| command.query_async(redis).await)).await
    }

    async fn row(&self, token: &SessionToken) -> Result<Option<Row>, StoreError> {
        let mut command = cmd("HGETALL");
        command.arg(self.keys.session(token));
        let fields = read(|| self.connection.ask(async |redis| command.query_async(redis).await)).await?;
        Row::from_fields(token.id(), fields)
    }

    /// Sessions that began before that time and whose user agent or address is known, the oldest first.
    async fn old_clients(&self, began_before: Timestamp, most: u64) -> Result<Vec<String>, StoreError> {
        let [clients, _] = self.keys.clients();
        let mut command = cmd("ZRANGEBYSCORE");
        command.arg(clients).arg("-inf").arg(format!("({}", began_before.millis()));
        command.arg("LIMIT").arg(0).arg(most);
        read(|| self.connection.ask(async |redis| command.query_async(redis).await)).await
    }

    async fn change(&self, hash: &str, user_id: &str, change: SessionChange) -> Result<bool, StoreError> {
        let claims = change.claims.map(|(claims, made_from)| {
            let claims = serde_json::to_string(&claims).map_err(StoreError::unavailable)?;
            Ok((claims, made_from.to_string()))
        });
        let (claims, made_from) = claims.transpose()?.unwrap_or_default();
        let mut script = scripts::CHANGE.prepare_invoke();
        script.key(self.keys.session_with(hash)).key(&self.keys.lists_of(user_id));
        script.arg(hash).arg(user_id);
        script.arg(change.expires.map_or_else(String::new, |expires| row::kept_until(expires).to_string()));
        script.arg(made_from).arg(claims);
        for (name, time) in [(row::EXPIRES, change.expires), (row::LAST_SEEN, change.last_seen)] {
            if let Some(time) = time {
                script.arg(name).arg(time.millis());
            }
        }
        self.connection.ask(async |redis| script.invoke_async(redis).await).await
    }

    /// All sessions of a user, each with the hash of its token.
    async fn rows(&self, user_id: &str) -> Result<Vec<(String, Row)>, StoreError> {
        let hashes = self.members(&self.keys.sessions_of(user_id)).await?;
        let mut rows = Vec::new();
        for hashes in hashes.chunks(AT_ONCE) {
            let mut commands = pipe();
            for hash in hashes {
                commands.cmd("HGETALL").arg(self.keys.session_with(hash));
            }
            let found: Vec<Fields> =
                read(|| self.connection.ask(async |redis| commands.query_async(redis).await)).await?;
            for (hash, fields) in hashes.iter().zip(found) {
                let row = Row::from_fields(id_of(hash), fields)?;
                rows.extend(row.map(|row| (hash.clone(), row)));
            }
        }
        Ok(rows)
    }

    /// Removes what the first proof has made worthless: with a new address, which is not proven, it would be good
    /// again.
    async fn drop_worthless(&self, user_id: &str) -> Result<(), StoreError> {
        let Some(user) = self.users.user(user_id).await? else { return Ok(()) };
        let mut rows = self.rows(user_id).await?;
        rows.retain(|(_, row)| !is_valid(row, &user));
        let hashes: Vec<_> = rows.into_iter().map(|(hash, _)| hash).collect();
        self.drop_rows_of(user_id, &hashes).await?;
        Ok(())
    }

    /// Lets the sessions of a user outlive a proof that does not end them.
    async fn count_as_proven(&self, user_id: &str) -> Result<(), StoreError> {
        let members = self.members(&self.keys.sessions_of(user_id)).await?;
        if members.is_empty() {
            return Ok(());
        }
        let mut commands = pipe();
        for hash in &members {
            commands.cmd("HDEL").arg(self.keys.session_with(hash)).arg(row::UNPROVEN).ignore();
        }
        self.connection.ask(async |redis| commands.query_async(redis).await).await
    }
}

impl<S: Store> Store for RedisStore<S> {
    async fn create_user(&self, user: User, account: Option<Account>) -> Result<User, StoreError> {
        self.users.create_user(user, account).await
    }

    async fn user(&self, id: &str) -> Result<Option<User>, StoreError> {
        self.users.user(id).await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        self.users.user_by_email(email).await
    }

    async fn user_by_account(&self, provider: &str, account_id: &str) -> Result<Option<User>, StoreError> {
        self.users.user_by_account(provider, account_id).await
    }

    async fn users(&self, page: UserPage) -> Result<Vec<User>, StoreError> {
        self.users.users(page).await
    }

    async fn update_user(&self, id: &str, change: UserChange) -> Result<User, StoreError> {
        if change.email.is_some() {
            self.drop_worthless(id).await?;
        }
        if matches!(change.email_verified, Some(Some(_))) {
            self.count_as_proven(id).await?;
        }
        self.users.update_user(id, change).await
    }

    async fn verify_email(&self, owner: &User, at: Timestamp) -> Result<User, StoreError> {
        let before = self.users.user(&owner.id).await?.filter(|user| user.email == owner.email);
        let is_first = before.is_some_and(|user| user.email_verified.is_none());
        // Before the proof: if it fails in between, sessions are lost and nothing is gained by them. What begins
        // between the two steps is marked as unproven, and worthless once there is a proof.
        if is_first {
            self.drop_sessions(&owner.id, |_| true).await?;
        }
        self.users.verify_email(owner, at).await
    }

    async fn delete_user(&self, id: &str) -> Result<bool, StoreError> {
        let user = self.users.user(id).await?;
        let email = user.as_ref().and_then(|user| user.email.as_deref());
        self.drop_tokens(email).await?;
        // First the user, without whom no session is good for anything; then the sessions, also when the user was
        // gone already: an earlier call may have failed here.
        let was_there = self.users.delete_user(id).await?;
        self.drop_sessions(id, |_| true).await?;
        self.drop_tokens(email).await?;
        Ok(was_there)
    }

    async fn link_account(&self, owner: &User, account: Account) -> Result<(), StoreError> {
        self.users.link_account(owner, account).await
    }

    async fn accounts(&self, user_id: &str) -> Result<Vec<Account>, StoreError> {
        self.users.accounts(user_id).await
    }

    async fn unlink_account(
        &self,
        user_id: &str,
        provider: &str,
        provider_account_id: &str,
        keep_last: bool,
    ) -> Result<bool, StoreError> {
        self.users.unlink_account(user_id, provider, provider_account_id, keep_last).await
    }

    async fn create_session(&self, token: &SessionToken, session: StoredSession) -> Result<(), StoreError> {
        self.begin(token, session, None).await
    }

    async fn adopt_session(
        &self,
        token: &SessionToken,
        session: StoredSession,
        once: OneTimeToken,
    ) -> Result<(), StoreError> {
        self.begin(token, session, Some(once)).await
    }

    async fn session(&self, token: &SessionToken) -> Result<Option<(StoredSession, User)>, StoreError> {
        let Some(row) = self.row(token).await? else { return Ok(None) };
        let user = self.users.user(&row.session.user_id).await?;
        Ok(user.filter(|user| is_valid(&row, user)).map(|user| (row.session, user)))
    }

    async fn update_session(&self, token: &SessionToken, change: SessionChange) -> Result<bool, StoreError> {
        let Some(user_id) = self.owner(token).await? else { return Ok(false) };
        self.change(token.hash(), &user_id, change).await
    }

    async fn update_session_by_id(
        &self,
        user_id: &str,
        id: &str,
        change: SessionChange,
    ) -> Result<bool, StoreError> {
        let hashes = self.members(&self.keys.sessions_of(user_id)).await?;
        let Some(hash) = hashes.iter().find(|hash| id_of(hash) == id) else { return Ok(false) };
        self.change(hash, user_id, change).await
    }

    async fn epoch(&self, user_id: &str) -> Result<Option<Epoch>, StoreError> {
        self.users.epoch(user_id).await
    }

    async fn begin_epoch(&self, user_id: &str, epoch: Epoch, made_from: i64) -> Result<bool, StoreError> {
        self.users.begin_epoch(user_id, epoch, made_from).await
    }

    async fn delete_session(&self, token: &SessionToken) -> Result<Option<StoredSession>, StoreError> {
        let Some(user_id) = self.owner(token).await? else { return Ok(None) };
        let (key, lists) = (self.keys.session(token), self.keys.lists_of(&user_id));
        let fields = self.take(&key, &lists, token.hash()).await?;
        Ok(Row::from_fields(token.id(), fields)?.map(|row| row.session))
    }

    async fn sessions(&self, user_id: &str) -> Result<Vec<StoredSession>, StoreError> {
        let Some(user) = self.users.user(user_id).await? else { return Ok(Vec::new()) };
        let rows = self.rows(user_id).await?.into_iter().map(|(_, row)| row);
        let mut sessions: Vec<_> = rows.filter(|row| is_valid(row, &user)).map(|row| row.session).collect();
        sessions.sort_by_key(|session| std::cmp::Reverse(session.created));
        Ok(sessions)
    }

    async fn revoke_sessions(&self, user_id: &str, which: Revoke<'_>) -> Result<u64, StoreError> {
        let goes = |id: &str| match which {
            Revoke::All => true,
            Revoke::One(one) => id == one,
            Revoke::Others(kept) => id != kept,
        };
        self.drop_sessions(user_id, goes).await
    }

    async fn create_token(&self, token: OneTimeToken) -> Result<(), StoreError> {
        let key = self.keys.token(&token.identifier, &token.hash);
        let lists = [self.keys.tokens_of(&token.identifier)];
        let fields = [(row::EXPIRES, token.expires.millis().to_string())];
        match self.keep(&key, &lists, &token.hash, token.expires, None, &fields).await? {
            true => Ok(()),
            false => Err(StoreError::conflict("there is a one-time token with this hash")),
        }
    }

    async fn take_token(&self, identifier: &str, hash: &str) -> Result<Option<OneTimeToken>, StoreError> {
        let (key, lists) = (self.keys.token(identifier, hash), [self.keys.tokens_of(identifier)]);
        let expires = row::expiry(self.take(&key, &lists, hash).await?)?;
        Ok(expires.map(|expires| OneTimeToken::new(identifier, hash, expires)))
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.users.sweep(now, limit).await
    }

    async fn forget_clients(&self, began_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let clients = self.keys.clients();
        let mut forgotten = 0;
        while forgotten < u64::from(limit) {
            let hashes = self.old_clients(began_before, u64::from(limit) - forgotten).await?;
            if hashes.is_empty() {
                break;
            }
            let key = |hash: &str| self.keys.session_with(hash);
            // Those that are gone do not count, and leave the lists.
            forgotten += self.run(&scripts::FORGET, &hashes, key, &clients).await?;
        }
        // The other store may have sessions from before there was Redis.
        let left = limit.saturating_sub(u32::try_from(forgotten).unwrap_or(u32::MAX));
        Ok(forgotten + self.users.forget_clients(began_before, left).await?)
    }
}

/// Whether the session is more than what somebody prepared before the user's first proof.
fn is_valid(row: &Row, user: &User) -> bool {
    !row.is_unproven || user.email_verified.is_none()
}

/// The id of a session, from the hash of its token.
fn id_of(hash: &str) -> &str {
    hash.get(..32).unwrap_or_default()
}

fn since(began: Option<Timestamp>) -> String {
    began.map_or_else(String::new, |began| began.millis().to_string())
}

fn no_user() -> StoreError {
    StoreError::not_found("there is no such user")
}

/// How many rows one request to Redis touches at most: others wait for a script.
const AT_ONCE: usize = 500;
