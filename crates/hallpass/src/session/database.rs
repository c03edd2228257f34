//! Sessions in the store: the cookie holds a random token, the row everything else.

use std::sync::Arc;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use super::{Live, MOST_ATTEMPTS, Opened, Row, Source, Trigger, extended, first_claims};
use crate::config::Strategy;
use crate::cookie::{CookieChange, Pieces};
use crate::error::{Error, ErrorKind};
use crate::hex::hex;
use crate::hooks::{Payload, RawTrigger};
use crate::jose::Dialect;
use crate::secret::Secret;
use crate::store::{DynStore, OneTimeToken, SessionChange, SessionToken, StoreErrorKind, StoredSession};
use crate::{Timestamp, User};

/// What the cookie of a session stands for.
pub(crate) enum Found {
    /// A row that has not expired.
    Row(Box<Row>),
    /// The payload of a token.
    Token(Payload),
    /// Nothing, or nothing any more.
    Nothing(Option<Error>),
}

/// What names a token, as it came: not what it has learnt since.
struct Token {
    name: Sha256,
    expires: Timestamp,
}

/// What became of a token when sessions are in the store.
enum Adopted {
    /// It goes on as this row.
    Row(Box<Row>),
    /// It went on as a row, which has ended since.
    Ended,
    /// The store does not know its user.
    Foreign,
}

impl Source<'_> {
    /// Whether there may be a row for this cookie: there is a store, and it does not look like a token.
    pub(super) fn may_be_a_row(&self, pieces: &Pieces<'_>) -> bool {
        self.config.store.is_some() && pieces.value.as_deref().is_some_and(|value| !is_token(value))
    }

    /// What the cookie stands for, neither extended nor renewed. `None` without a cookie.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the store does not answer.
    pub(crate) async fn find(&self) -> Result<Option<Found>, Error> {
        let pieces = self.chosen().await?;
        if pieces.names.is_empty() {
            return Ok(None);
        }
        self.find_in(&pieces).await.map(Some)
    }

    async fn find_in(&self, pieces: &Pieces<'_>) -> Result<Found, Error> {
        let row = match (self.store(), pieces.value.as_deref()) {
            (Some(store), Some(value)) if !is_token(value) => self.row(store, value).await?,
            _ => {
                return Ok(match self.payload(pieces) {
                    Ok(payload) => Found::Token(payload),
                    Err(error) => Found::Nothing(Some(error)),
                });
            }
        };
        Ok(match row {
            Some(row) => Found::Row(Box::new(row)),
            // Nobody is told of a session that has ended, unless it should have been a token.
            None if self.config.strategy == Strategy::Database => Found::Nothing(None),
            None => Found::Nothing(self.payload(pieces).err()),
        })
    }

    fn store(&self) -> Option<&dyn DynStore> {
        self.config.store.as_deref()
    }

    async fn row(&self, store: &dyn DynStore, value: &str) -> Result<Option<Row>, Error> {
        let token = SessionToken::new(value);
        let Some((session, user)) = store.session(&token).await? else { return Ok(None) };
        if session.expires <= self.now {
            store.delete_session(&token).await?;
            return Ok(None);
        }
        Ok(Some(Row { token, session, user }))
    }

    /// As [`Source::open`], where a store has to be asked.
    /// `None` when the cookie is a token whose session has ended or was revoked.
    pub(super) async fn open_stored(
        &self,
        trigger: Trigger,
        pieces: &Pieces<'_>,
    ) -> Result<Option<Opened>, Error> {
        for _ in 0..MOST_ATTEMPTS {
            let (row, is_new) = match self.find_in(pieces).await? {
                Found::Row(row) => (*row, false),
                Found::Nothing(Some(error)) => return Ok(Some(self.unreadable(&error, pieces))),
                Found::Nothing(None) => return Ok(Some(self.nobody(pieces))),
                Found::Token(payload) => match self.adopt(payload).await? {
                    Adopted::Row(row) => (*row, true),
                    Adopted::Ended => return Ok(None),
                    Adopted::Foreign => return self.open_foreign_token(trigger, pieces).await,
                },
            };
            if let Some(opened) = self.open_row(row, is_new, trigger.clone(), pieces).await? {
                return Ok(Some(opened));
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "too many others change this session at the same time"))
    }

    /// `None` when somebody else has changed the row since it was read.
    async fn open_row(
        &self,
        row: Row,
        is_new: bool,
        trigger: Trigger,
        pieces: &Pieces<'_>,
    ) -> Result<Option<Opened>, Error> {
        let Some(store) = self.store() else { return Ok(Some(self.nobody(pieces))) };
        let began = row.session.created.unwrap_or(self.now);
        if self.is_over(began) {
            store.delete_session(&row.token).await?;
            return Ok(Some(self.nobody(pieces)));
        }
        let before =
            Arc::new(Payload::of(first_claims(&row.user, self.config.strategy), &row.session.claims));
        let after = match extended(self, &before, RawTrigger::from(trigger)).await? {
            Ok(Some(after)) => after,
            Ok(None) => {
                store.delete_session(&row.token).await?;
                return Ok(Some(self.nobody(pieces)));
            }
            // The row stays, and the cookie: whatever failed may work again.
            Err(error) => {
                let error =
                    Error::caused_by(ErrorKind::SessionToken, "the session could not be extended", error);
                crate::core::report(&self.config.hooks, &error, Some(self.info));
                return Ok(Some(Opened::default()));
            }
        };
        if self.config.strategy == Strategy::Jwt {
            return self.turn_into_token(store, &row, after, pieces).await;
        }
        let end = self.lasts_until(&after, began);
        // Both run out together: what was not renewed for the update age is renewed now.
        let is_last = Some(end) == self.config.session_absolute_max_age.map(|most| began + most);
        let is_due = row.session.expires + self.config.session_update_age <= end
            || (is_last && row.session.expires < end);
        let mut change = SessionChange::new();
        if is_due {
            change = change.expires(end).last_seen(self.now);
        }
        if !Arc::ptr_eq(&after, &before) && !after.has_claims_of(&before) {
            change = change.claims(after.claims()?, row.session.version);
        }
        if change != SessionChange::new() && !store.update_session(&row.token, change).await? {
            return Ok(None);
        }
        let cookies = match is_due || is_new || self.is_foreign(pieces) {
            true => self.spec().set_row_token(&row.token, end, pieces),
            false => Vec::new(),
        };
        let expires = if is_due { end } else { row.session.expires };
        Ok(Some(Opened { live: Some(Live { token: after, expires, row: Some(Arc::new(row)) }), cookies }))
    }

    /// Writes new claims over those that they were made from. False when others were quicker.
    pub(super) async fn rewrite_row(
        &self,
        row: &Row,
        before: &Payload,
        after: &Payload,
    ) -> Result<bool, Error> {
        let Some(store) = self.store() else { return Ok(false) };
        // What the `jwt` callback has changed on the way is a version further.
        let made_from = row.session.version + i64::from(before.claims()? != row.session.claims);
        let change = SessionChange::new().claims(after.claims()?, made_from);
        Ok(store.update_session(&row.token, change).await?)
    }

    /// Makes the row of somebody who has just signed in, and the cookies with its token.
    pub(super) async fn create(
        &self,
        payload: &Payload,
        user_id: &str,
        pieces: &Pieces<'_>,
    ) -> Result<(SessionToken, Vec<CookieChange>), Error> {
        let store = self.store().ok_or_else(|| Error::new(ErrorKind::MissingStore, "there is no store"))?;
        let mut random = [0; 32];
        self.config.random.fill(&mut random)?;
        let token = SessionToken::new(Base64UrlUnpadded::encode_string(&random));
        let session = self.new_session(&token, user_id, payload, self.now)?;
        let expires = session.expires;
        store.create_session(&token, session).await?;
        let cookies = self.spec().set_row_token(&token, expires, pieces);
        Ok((token, cookies))
    }

    fn new_session(
        &self,
        token: &SessionToken,
        user_id: &str,
        payload: &Payload,
        began: Timestamp,
    ) -> Result<StoredSession, Error> {
        let user_agent = self.info.header("user-agent").map(|text| cut(text, LONGEST_USER_AGENT).to_owned());
        let session = StoredSession {
            created: Some(began),
            last_seen: Some(self.now),
            user_agent,
            address: self.info.peer().map(|peer| peer.to_string()),
            claims: payload.claims()?,
            ..StoredSession::new(token, user_id, self.lasts_until(payload, began))
        };
        Ok(self.config.retained(session, self.now))
    }

    /// Ends the sessions that these cookies stand for, and returns the first one.
    pub(super) async fn delete(&self, pieces: &Pieces<'_>) -> Result<Option<StoredSession>, Error> {
        let Some(store) = self.store() else { return Ok(None) };
        let mut first = None;
        for (dialect, value) in pieces.values() {
            let deleted = match is_token(value) {
                false => store.delete_session(&SessionToken::new(value)).await?,
                true => self.delete_token(store, dialect, value).await?,
            };
            first = first.or(deleted);
        }
        Ok(first.map(|session| self.config.retained(session, self.now)))
    }

    /// Ends a session whose cookie is still a token, so that no copy of it goes on as a row. Returns the row that it
    /// went on as already.
    async fn delete_token(
        &self,
        store: &dyn DynStore,
        dialect: Option<Dialect>,
        value: &str,
    ) -> Result<Option<StoredSession>, Error> {
        if self.config.strategy != Strategy::Database {
            return Ok(None);
        }
        let Ok(payload) = self.unseal(dialect, value) else { return Ok(None) };
        let token = Token::new(&payload);
        match store.create_token(token.once()).await {
            Ok(()) => return Ok(None),
            Err(error) if error.kind() == StoreErrorKind::Conflict => {}
            Err(error) => return Err(error.into()),
        }
        let mut first = None;
        for secret in self.config.secrets.iter() {
            let deleted = store.delete_session(&token.successor(secret)).await?;
            first = first.or(deleted);
        }
        Ok(first)
    }

    /// Whether this is a session.
    pub(super) async fn opens(&self, dialect: Option<Dialect>, value: Option<&str>) -> Result<bool, Error> {
        Ok(match (self.store(), value) {
            (_, None) => false,
            (Some(store), Some(value)) if !is_token(value) => self.row(store, value).await?.is_some(),
            (_, Some(value)) => self.unseal(dialect, value).is_ok(),
        })
    }

    /// The row for a session that was in a token, from before the strategy was changed.
    async fn adopt(&self, payload: Payload) -> Result<Adopted, Error> {
        let (Some(store), Some(id)) = (self.store(), payload.text("sub")) else {
            return Ok(Adopted::Foreign);
        };
        let Some(current) = self.catch_up_now(payload.clone()).await? else { return Ok(Adopted::Ended) };
        let Some(user) = store.user(id).await? else { return Ok(Adopted::Foreign) };
        let token = Token::new(&payload);
        let secret = self.config.secrets.first();
        let secret = secret.ok_or_else(|| Error::new(ErrorKind::MissingSecret, "there is no secret"))?;
        let name = token.successor(secret);
        let session = self.new_session(&name, &user.id, &current.payload, payload.marker().began)?;
        // One step for the row and for the mark that there was one. In two, whatever happened between them would look
        // like a session that has ended, or let a copy of the token begin again one that has.
        let (adopted, is_ours) = match store.adopt_session(&name, session.clone(), token.once()).await {
            Ok(()) => (Adopted::Row(Box::new(Row { token: name, session, user })), true),
            Err(error) if error.kind() == StoreErrorKind::Conflict => {
                (self.adopted(store, &token).await?, false)
            }
            Err(error) if error.kind() == StoreErrorKind::NotFound => (Adopted::Foreign, false),
            Err(error) => return Err(error.into()),
        };
        let Adopted::Row(row) = adopted else { return Ok(adopted) };
        // Whatever has happened to all sessions of the user since the token was read has not met the row.
        let Some(latest) = self.catch_up_now(payload).await? else {
            // A row from before may be the one session that was to stay.
            if is_ours {
                store.delete_session(&row.token).await?;
            }
            return Ok(Adopted::Ended);
        };
        self.settle(store, *row, &token, &latest.payload).await
    }

    /// The row of a token, with the claims that the token has now.
    async fn settle(
        &self,
        store: &dyn DynStore,
        mut row: Row,
        token: &Token,
        latest: &Payload,
    ) -> Result<Adopted, Error> {
        let claims = latest.claims()?;
        // The first version is what the token held. Later ones have met what came since.
        if row.session.version == 0 && row.session.claims != claims {
            let change = SessionChange::new().claims(claims.clone(), row.session.version);
            if !store.update_session(&row.token, change).await? {
                return self.adopted(store, token).await;
            }
            row.session.claims = claims;
            row.session.version += 1;
        }
        Ok(Adopted::Row(Box::new(row)))
    }

    /// The row of a token that was adopted before: another request of the same browser was quicker, or long ago.
    async fn adopted(&self, store: &dyn DynStore, token: &Token) -> Result<Adopted, Error> {
        for secret in self.config.secrets.iter() {
            if let Some(row) = self.row(store, token.successor(secret).expose()).await? {
                return Ok(Adopted::Row(Box::new(row)));
            }
        }
        Ok(Adopted::Ended)
    }

    /// A token whose user the store does not know works until it expires, and is not renewed.
    async fn open_foreign_token(
        &self,
        trigger: Trigger,
        pieces: &Pieces<'_>,
    ) -> Result<Option<Opened>, Error> {
        let opened = self.open_token(trigger, pieces).await?;
        Ok(opened.map(|opened| match opened.live {
            Some(live) => Opened { live: Some(live), cookies: Vec::new() },
            None => opened,
        }))
    }

    /// Puts a session that was in the store into a token, after the strategy was changed. `None` when the row is not as
    /// it was read any more.
    async fn turn_into_token(
        &self,
        store: &dyn DynStore,
        row: &Row,
        payload: Arc<Payload>,
        pieces: &Pieces<'_>,
    ) -> Result<Option<Opened>, Error> {
        let mut payload = Arc::unwrap_or_clone(payload);
        self.mark(&mut payload, row.session.created.unwrap_or(self.now)).await?;
        let payload = Arc::new(payload);
        let (cookies, expires) = self.seal(&payload, pieces)?;
        // Whoever has changed the user, the claims or the session until here is seen now. Whoever does from here on
        // begins an epoch after the one that the token knows.
        let is_as_read = |(session, user): (StoredSession, User)| {
            session.version == row.session.version
                && first_claims(&user, Strategy::Jwt) == first_claims(&row.user, Strategy::Jwt)
        };
        if !store.session(&row.token).await?.is_some_and(is_as_read) {
            return Ok(None);
        }
        // Requests under way still have the old cookie.
        let end = row.session.expires.min(self.now + GRACE);
        if !store.update_session(&row.token, SessionChange::new().expires(end)).await? {
            return Ok(None);
        }
        Ok(Some(Opened { live: Some(Live { token: payload, expires, row: None }), cookies }))
    }
}

impl Token {
    fn new(payload: &Payload) -> Self {
        let mut name = Sha256::new_with_prefix("hallpass session of token");
        for claim in ["sub", "jti"] {
            let text = payload.text(claim).unwrap_or_default();
            name.update(text.len().to_be_bytes());
            name.update(text);
        }
        name.update(payload.time("iat").map_or(0, |issued| issued.seconds()).to_be_bytes());
        let expires = payload
            .time("exp")
            .map_or(Timestamp::END_OF_TIME, |end| (end + GRACE).min(Timestamp::END_OF_TIME));
        Self { name, expires }
    }

    /// Requests that a browser sends at the same time with one token must end in one row, so its name follows from the
    /// token. Nobody can compute it who does not know both the secret and the token.
    fn successor(&self, secret: &Secret) -> SessionToken {
        let hash = self.name.clone().chain_update(secret.expose()).finalize();
        SessionToken::new(Base64UrlUnpadded::encode_string(&hash))
    }

    /// Says that there was a row, for as long as the token can be sent again. It does not depend on the secret: a new
    /// one must not make a token new.
    fn once(&self) -> OneTimeToken {
        OneTimeToken::new(ADOPTED, hex(&self.name.clone().finalize()), self.expires)
    }
}

/// A JWE in compact serialization has four dots (RFC 7516 §7.1); the token of a row has none.
fn is_token(value: &str) -> bool {
    value.bytes().filter(|byte| *byte == b'.').count() == 4
}

/// The beginning of a text, at most so many bytes.
fn cut(text: &str, longest: usize) -> &str {
    text.get(..text.floor_char_boundary(longest)).unwrap_or_default()
}

/// In bytes.
const LONGEST_USER_AGENT: usize = 512;

/// Under what the store remembers tokens that went on as rows: no address has a space and no `@`.
const ADOPTED: &str = "hallpass: adopted token";

/// How long a row lives on whose session went into a token.
const GRACE: Duration = Duration::from_secs(60);
