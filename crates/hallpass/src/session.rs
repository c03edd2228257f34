//! The session: opened, extended by the application, renewed, shown.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::config::{Config, Strategy};
use crate::cookie::{CookieChange, CookieKind, CookieSpec, Cookies, Pieces};
use crate::error::{BoxError, Error, ErrorKind};
use crate::hooks::{self, Payload, RawJwt, RawTrigger, RefusedUpdate, SessionUser, SignedIn, StaleClaims};
use crate::request::RequestInfo;
use crate::store::{Revoke, SessionToken, StoredSession};
use crate::{Timestamp, User, core, link};

mod database;
mod epoch;
mod guard;
mod token;
mod view;

pub(crate) use database::Found;
pub(crate) use epoch::{begin_epoch, forget_epoch, reach_all};
pub use guard::{is_secret_name, strip as strip_secrets};

/// A session, as a handler sees it: who it is, until when, and what the application keeps with it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Session<C = crate::hooks::NoClaims> {
    /// Who is signed in.
    pub user: SessionUser,
    /// When the session ends if nobody uses it.
    pub expires: Timestamp,
    /// What the application keeps with the session: what its `jwt` callback returned last.
    pub claims: C,
    /// Names the session in [`Sessions`](crate::Sessions); `None` where it is only in a token.
    pub id: Option<String>,
}

/// Why the session is looked at.
#[derive(Clone)]
pub(crate) enum Trigger {
    Read,
    Update(Option<Value>),
}

/// A session that was opened and has gone through the `jwt` callback.
pub(crate) struct Live {
    pub(crate) token: Arc<Payload>,
    pub(crate) expires: Timestamp,
    /// The row as it was read, where the session is in the store.
    pub(crate) row: Option<Arc<Row>>,
}

/// A session in the store.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) token: SessionToken,
    pub(crate) session: StoredSession,
    pub(crate) user: User,
}

/// What a look at the session gave, and the cookies that follow from it.
#[derive(Default)]
pub(crate) struct Opened {
    pub(crate) live: Option<Live>,
    pub(crate) cookies: Vec<CookieChange>,
}

/// The session that somebody has ended.
pub(crate) enum Ended {
    Nobody,
    /// It was in a token.
    Token(Map<String, Value>),
    /// It was in the store, if it was still there.
    Row(Option<StoredSession>),
    Unreadable(Error),
}

/// What code of the application makes of what a session keeps.
type Change<'a> = &'a mut (dyn FnMut(&Arc<Payload>) -> Result<Arc<Payload>, BoxError> + Send);

/// What a session is read from.
pub(crate) struct Source<'a> {
    pub(crate) config: &'a Config,
    pub(crate) info: &'a Arc<RequestInfo>,
    pub(crate) cookies: &'a Cookies,
    pub(crate) secure: bool,
    pub(crate) now: Timestamp,
}

impl Source<'_> {
    fn spec(&self) -> &CookieSpec {
        self.config.cookie(CookieKind::SessionToken, self.secure)
    }

    /// The cookies of the session, without a look into them: those of every dialect that is spoken.
    fn pieces(&self) -> Pieces<'_> {
        let specs = self.config.each_cookie(CookieKind::SessionToken, self.secure);
        self.cookies.session(specs.map(|spec| (spec.dialect, spec.name.as_str())))
    }

    /// The session that counts. Where there are cookies of two dialects it is one of them, never a mixture: the one
    /// that would be written, unless only the other opens.
    pub(super) async fn chosen(&self) -> Result<Pieces<'_>, Error> {
        let pieces = self.pieces();
        let Some((dialect, value)) = &pieces.other else { return Ok(pieces) };
        if self.opens(pieces.dialect, pieces.value.as_deref()).await? {
            // Where both have one name, both have one value.
            let other = pieces.other.clone().filter(|(_, other)| Some(other) != pieces.value.as_ref());
            return Ok(Pieces { other, ..pieces });
        }
        let swaps = self.opens(Some(*dialect), Some(value)).await?;
        // This one does not open: no need to look at it again.
        Ok(if swaps { Pieces { other: None, ..pieces.swapped() } } else { pieces })
    }

    fn is_foreign(&self, pieces: &Pieces<'_>) -> bool {
        pieces.is_foreign(self.config.dialects.written())
    }

    /// Opens the session, lets the `jwt` callback extend or end it, and renews it where that is due.
    ///
    /// A session that cannot be read is no session: it is reported, and its cookies go.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when that cannot be decided now; no cookie may be touched then.
    /// [`ErrorKind::InvalidUpdate`] and [`ErrorKind::SessionTooLarge`] change nothing either.
    pub(crate) async fn open(&self, trigger: Trigger) -> Result<Opened, Error> {
        let pieces = self.chosen().await?;
        if pieces.names.is_empty() {
            return Ok(Opened::default());
        }
        if pieces.other.is_none() {
            let opened = self.open_chosen(trigger, &pieces).await?;
            return Ok(opened.unwrap_or_else(|| self.nobody(&pieces)));
        }
        if let Some(opened) = self.open_chosen(trigger.clone(), &pieces).await? {
            return Ok(opened);
        }
        // A token opens though its session has ended: the cookie of the other dialect may be a session that lives.
        let pieces = pieces.swapped();
        let opened = self.open_chosen(trigger, &pieces).await?;
        Ok(opened.unwrap_or_else(|| self.nobody(&pieces)))
    }

    /// `None` when the cookie is a token whose session has been ended or revoked, or is too old.
    async fn open_chosen(&self, trigger: Trigger, pieces: &Pieces<'_>) -> Result<Option<Opened>, Error> {
        if self.config.strategy == Strategy::Jwt && !self.may_be_a_row(pieces) {
            return self.open_token(trigger, pieces).await;
        }
        Box::pin(self.open_stored(trigger, pieces)).await
    }

    /// Makes the session of somebody who has just signed in. `was_kept`: whether the store knew them then.
    ///
    /// # Errors
    /// What the `jwt` callback returns, [`ErrorKind::SessionTooLarge`], and what the store says.
    pub(crate) async fn sign_in(
        &self,
        signed_in: SignedIn,
        was_kept: bool,
    ) -> Result<Vec<CookieChange>, Error> {
        let pieces = self.pieces();
        let mut token = Payload::new(first_claims(&signed_in.user, self.config.strategy));
        if self.config.strategy == Strategy::Jwt {
            self.mark(&mut token, self.now).await?;
        }
        let token = Arc::new(token);
        let (user_id, account) = (signed_in.user.id.clone(), signed_in.account.clone());
        let extended = extend(self.config, token, RawTrigger::SignIn(Box::new(signed_in)), self.info).await?;
        let extended = extended.map_err(|error| {
            Error::from_callback(error, ErrorKind::CallbackRoute, "the jwt callback failed")
        })?;
        let (row, cookies) = match extended {
            None => (None, self.spec().clear_pieces(&pieces)),
            Some(token) => match self.config.strategy {
                Strategy::Jwt => (None, self.seal(&token, &pieces)?.0),
                Strategy::Database => {
                    let (row, cookies) = self.create(&token, &user_id, &pieces).await?;
                    (Some(row), cookies)
                }
            },
        };
        // What has taken the way in from the user meanwhile (a first proof of the address, an unlinking, a deletion)
        // has not met this session.
        if let Err(error) = link::still_theirs(self.config, &account, &user_id, was_kept).await {
            if let (Some(store), Some(row)) = (self.config.store.as_deref(), row) {
                store.delete_session(&row).await?;
            }
            return Err(error);
        }
        // Whoever signs in again leaves their earlier session here, theirs or not.
        self.delete(&pieces).await?;
        Ok(cookies)
    }

    /// Opens the session, as at a read, and changes what it keeps.
    ///
    /// # Errors
    /// As [`Self::open`], and what `change` says.
    pub(crate) async fn rewrite(&self, change: Change<'_>) -> Result<Opened, Error> {
        let pieces = self.pieces();
        for _ in 0..MOST_ATTEMPTS {
            let opened = self.open(Trigger::Read).await?;
            let Some(live) = opened.live else { return Ok(opened) };
            let token = change(&live.token).map_err(|error| {
                Error::caused_by(ErrorKind::InvalidUpdate, "the session could not be changed", error)
            })?;
            match live.row {
                None => {
                    let (cookies, expires) = self.seal(&token, &pieces)?;
                    return Ok(Opened { live: Some(Live { token, expires, row: None }), cookies });
                }
                Some(row) => {
                    if self.rewrite_row(&row, &live.token, &token).await? {
                        let live = Live { token, expires: live.expires, row: Some(row) };
                        return Ok(Opened { live: Some(live), cookies: opened.cookies });
                    }
                }
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "too many others change this session at the same time"))
    }

    /// Ends all other sessions of this user.
    ///
    /// # Errors
    /// [`ErrorKind::MissingStore`] without a store, and those of [`Self::open`].
    pub(crate) async fn end_others(&self) -> Result<Opened, Error> {
        let store = self.config.store.as_deref();
        let store =
            store.ok_or_else(|| Error::new(ErrorKind::MissingStore, "there is no store: call `store`"))?;
        let opened = self.open(Trigger::Read).await?;
        let Some(live) = opened.live else { return Ok(opened) };
        if let Some(row) = &live.row {
            let (user, which) = (&row.user.id, Revoke::Others(&row.session.id));
            let rows = async { Ok(store.revoke_sessions(user, which).await?) };
            reach_all(self.config, store, user, |epoch| epoch.revoke(self.now), rows).await?;
            return Ok(Opened { live: Some(live), cookies: opened.cookies });
        }
        let mut token = Arc::unwrap_or_clone(live.token);
        let pieces = self.pieces();
        // What does not fit the cookies must not end the others, and this one with them.
        self.seal(&token, &pieces)?;
        if !self.end_others_of(store, &mut token).await? {
            return self.open(Trigger::Read).await;
        }
        let (cookies, expires) = self.seal(&token, &pieces)?;
        Ok(Opened { live: Some(Live { token: Arc::new(token), expires, row: None }), cookies })
    }

    /// Whether a session that was opened has not been revoked until now: past what this process remembers of its user.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the store does not answer.
    pub(crate) async fn holds(&self, live: &Live) -> Result<bool, Error> {
        match (&live.row, self.config.store.as_deref()) {
            (Some(row), Some(store)) => Ok(store.session(&row.token).await?.is_some()),
            _ => Ok(self.catch_up_now((*live.token).clone()).await?.is_some()),
        }
    }

    /// Ends the session on the server, as far as it is there.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the store does not answer.
    pub(crate) async fn end(&self) -> Result<Ended, Error> {
        let pieces = self.chosen().await?;
        if pieces.names.is_empty() {
            return Ok(Ended::Nobody);
        }
        let deleted = self.delete(&pieces).await?;
        if self.may_be_a_row(&pieces) {
            return Ok(Ended::Row(deleted));
        }
        Ok(match self.payload(&pieces) {
            Ok(payload) => Ended::Token(payload.all().clone()),
            Err(error) => Ended::Unreadable(error),
        })
    }

    /// The cookies that take the session away from this browser.
    pub(crate) fn clear(&self) -> Vec<CookieChange> {
        self.spec().clear_pieces(&self.pieces())
    }

    fn unreadable(&self, error: &Error, pieces: &Pieces<'_>) -> Opened {
        core::report(&self.config.hooks, error, Some(self.info));
        self.nobody(pieces)
    }

    fn nobody(&self, pieces: &Pieces<'_>) -> Opened {
        Opened { live: None, cookies: self.spec().clear_pieces(pieces) }
    }
}

/// Lets the `jwt` callback extend the session.
///
/// # Errors
/// The outer one when nobody can tell now, or when the update was refused; the inner one is the callback's and ends the
/// session.
async fn extended(
    source: &Source<'_>,
    before: &Arc<Payload>,
    trigger: RawTrigger,
) -> Result<Result<Option<Arc<Payload>>, Error>, Error> {
    match extend(source.config, Arc::clone(before), trigger, source.info).await? {
        Ok(after) => Ok(Ok(after)),
        Err(error) if error.is::<RefusedUpdate>() => Err(Error::caused_by(
            ErrorKind::InvalidUpdate,
            "the update is not what the application takes",
            error,
        )),
        Err(error) => {
            let message = if error.is::<StaleClaims>() {
                "the claims of this session no longer fit: signed out (give new fields #[serde(default)], or register `migrate_claims`)"
            } else {
                "the jwt callback failed"
            };
            Ok(Err(decided(error, message)?))
        }
    }
}

/// A callback's error ends the session; unless it says that something is out of reach, which says nothing about
/// anybody, or refuses an update.
fn decided(error: BoxError, message: &'static str) -> Result<Error, Error> {
    let error = Error::from_callback(error, ErrorKind::JwtSession, message);
    match error.kind() {
        ErrorKind::Unavailable | ErrorKind::InvalidUpdate => Err(error),
        ErrorKind::JwtSession => Ok(error),
        _ => Ok(Error::caused_by(ErrorKind::JwtSession, message, error)),
    }
}

/// What the token of a new session holds before the application extends it.
fn first_claims(user: &User, strategy: Strategy) -> Vec<(&'static str, Value)> {
    // A picture can be a whole `data:` image; one that fills the cookie would lock the browser out.
    let fits = |image: &&String| strategy == Strategy::Database || image.len() <= LONGEST_PICTURE;
    let image = user.image.as_ref().filter(fits);
    let fields = [
        ("name", user.name.as_ref()),
        ("email", user.email.as_ref()),
        ("picture", image),
        ("sub", Some(&user.id)),
    ];
    fields.into_iter().filter_map(|(claim, text)| Some((claim, Value::String(text?.clone())))).collect()
}

async fn extend(
    config: &Config,
    token: Arc<Payload>,
    trigger: RawTrigger,
    info: &Arc<RequestInfo>,
) -> Result<Result<Option<Arc<Payload>>, BoxError>, Error> {
    match (&config.hooks.jwt, trigger) {
        (Some(hook), trigger) => {
            let raw =
                RawJwt { trigger, token, migrate: config.hooks.migrate.clone(), request: Arc::clone(info) };
            hooks::call(config.callback_timeout, hook, raw).await
        }
        // With the database strategy the `session` callback may take it, as in Auth.js.
        (None, RawTrigger::Update(Some(_)))
            if config.strategy == Strategy::Jwt || config.hooks.session.is_none() =>
        {
            Ok(Err(Box::new(RefusedUpdate::no_update_type())))
        }
        (None, _) => Ok(Ok(Some(token))),
    }
}

/// A random UUID (RFC 9562 §5.4).
pub(crate) fn uuid(bytes: [u8; 16]) -> String {
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// How often a session or an epoch is read again because somebody else has changed it meanwhile.
pub(crate) const MOST_ATTEMPTS: usize = 128;

/// In bytes.
const LONGEST_PICTURE: usize = 2048;
