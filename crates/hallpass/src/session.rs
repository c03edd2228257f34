//! The session: opened, extended by the application, renewed, shown.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::cookie::{CookieChange, CookieKind, CookieSpec, Cookies, Pieces};
use crate::error::{BoxError, Error, ErrorKind};
use crate::hooks::{
    self, Event, Payload, RawJwt, RawSession, RawTrigger, RefusedUpdate, SessionUser, SignedIn, StaleClaims,
};
use crate::jose::{self, OpenError};
use crate::request::RequestInfo;
use crate::{Timestamp, core};

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
}

/// Why the session is looked at.
pub(crate) enum Trigger {
    Read,
    Update(Option<Value>),
}

/// A session that was opened and has gone through the `jwt` callback.
pub(crate) struct Live {
    pub(crate) token: Arc<Payload>,
    pub(crate) expires: Timestamp,
}

/// What a look at the session gave, and the cookies that follow from it.
#[derive(Default)]
pub(crate) struct Opened {
    pub(crate) live: Option<Live>,
    pub(crate) cookies: Vec<CookieChange>,
}

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

    pub(crate) fn pieces(&self) -> Pieces<'_> {
        self.cookies.pieces(&self.spec().name)
    }

    /// The payload of the session's token, unextended and not renewed: `None` for nobody.
    pub(crate) fn peek(&self) -> Option<Result<Payload, Error>> {
        self.open_pieces(&self.pieces())
    }

    fn open_pieces(&self, pieces: &Pieces<'_>) -> Option<Result<Payload, Error>> {
        if pieces.names.is_empty() {
            return None;
        }
        let Some(value) = &pieces.value else {
            return Some(Err(Error::new(ErrorKind::JwtSession, "the session cookie is incomplete")));
        };
        Some(self.open_token(value).map_err(|error| {
            Error::caused_by(ErrorKind::JwtSession, "the session cookie does not open", error)
        }))
    }

    fn open_token(&self, token: &str) -> Result<Payload, OpenError> {
        let json = self.spec().keys().open(token)?;
        let payload = Payload::parse(&json).map_err(|_| OpenError::Payload)?;
        jose::check_times(|claim| payload.own(claim), self.now)?;
        Ok(payload)
    }

    /// Opens the session, lets the `jwt` callback extend or end it, and renews the cookie where that is due.
    ///
    /// A session that cannot be read is no session: it is reported, and its cookies go.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when that cannot be decided now; no cookie may be touched then.
    /// [`ErrorKind::InvalidUpdate`] and [`ErrorKind::SessionTooLarge`] change nothing either.
    pub(crate) async fn open(&self, trigger: Trigger) -> Result<Opened, Error> {
        let pieces = self.pieces();
        let token = match self.open_pieces(&pieces) {
            None => return Ok(Opened::default()),
            Some(Ok(token)) => token,
            Some(Err(error)) => return Ok(self.unreadable(&error, &pieces)),
        };
        let is_update = matches!(trigger, Trigger::Update(_));
        let before = Arc::new(token);
        let trigger = match trigger {
            Trigger::Read => RawTrigger::Read,
            Trigger::Update(data) => RawTrigger::Update(data),
        };
        let token = match extend(self.config, Arc::clone(&before), trigger, self.info).await? {
            Ok(Some(token)) => token,
            Ok(None) => return Ok(Opened { live: None, cookies: self.spec().clear_pieces(&pieces) }),
            Err(error) if error.is::<RefusedUpdate>() => {
                return Err(Error::caused_by(
                    ErrorKind::InvalidUpdate,
                    "the update is not what the application takes",
                    error,
                ));
            }
            Err(error) => {
                let message = if error.is::<StaleClaims>() {
                    "the claims of this session no longer fit: signed out (give new fields #[serde(default)])"
                } else {
                    "the jwt callback failed"
                };
                let error = decided(error, message)?;
                return Ok(self.unreadable(&error, &pieces));
            }
        };
        let update_age = self.config.jwt_update_age;
        let due = is_update
            || update_age.is_zero()
            || before.time("iat").is_none_or(|issued| issued + update_age <= self.now)
            || (!Arc::ptr_eq(&token, &before) && token != before);
        if !due && let Some(expires) = before.time("exp") {
            return Ok(Opened { live: Some(Live { token, expires }), cookies: Vec::new() });
        }
        match self.start(&token, &pieces) {
            Ok((cookies, expires)) => Ok(Opened { live: Some(Live { token, expires }), cookies }),
            // Reading goes on with the cookie that there is: else nobody gets out of a session that has grown.
            Err(error) if error.kind() == ErrorKind::SessionTooLarge && !is_update => {
                core::report(&self.config.hooks, &error, Some(self.info));
                let expires = before.time("exp").unwrap_or(self.now + self.config.session_max_age);
                Ok(Opened { live: Some(Live { token, expires }), cookies: Vec::new() })
            }
            Err(error) => Err(error),
        }
    }

    /// Opens the session and asks the `session` callback what the browser may see: the body of `GET /session`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) async fn show(&self, trigger: Trigger) -> Result<(String, Vec<CookieChange>), Error> {
        let Opened { live: Some(live), cookies } = self.open(trigger).await? else {
            return Ok((NOBODY.to_owned(), self.spec().clear_pieces(&self.pieces())));
        };
        let shown = match &self.config.hooks.session {
            None => Ok(json!({ "user": public_user(&live.token) }).to_string()),
            Some(hook) => {
                let event = RawSession {
                    token: Arc::clone(&live.token),
                    expires: live.expires,
                    request: Arc::clone(self.info),
                };
                hooks::call(hook, event).await?
            }
        };
        let body = match shown.and_then(|shown| with_expires(shown, live.expires)) {
            Ok(body) => body,
            Err(error) => {
                let error = decided(error, "the session callback failed")?;
                let opened = self.unreadable(&error, &self.pieces());
                return Ok((NOBODY.to_owned(), opened.cookies));
            }
        };
        if self.config.hooks.event.is_some() {
            let session = serde_json::from_str(&body).unwrap_or_default();
            let event = Event::Session { session, token: live.token.all().clone() };
            Box::pin(core::notify(self.config, event, self.info)).await;
        }
        Ok((body, cookies))
    }

    fn unreadable(&self, error: &Error, pieces: &Pieces<'_>) -> Opened {
        core::report(&self.config.hooks, error, Some(self.info));
        Opened { live: None, cookies: self.spec().clear_pieces(pieces) }
    }

    /// Seals a payload into the session cookie, with a new life time and id.
    ///
    /// # Errors
    /// [`ErrorKind::SessionTooLarge`] over the cookie budget.
    pub(crate) fn start(
        &self,
        payload: &Payload,
        before: &Pieces<'_>,
    ) -> Result<(Vec<CookieChange>, Timestamp), Error> {
        let mut random = [0; 32];
        self.config.random.fill(&mut random)?;
        let [iv, id] =
            [random.first_chunk::<16>(), random.last_chunk::<16>()].map(|half| *half.unwrap_or(&[0; 16]));
        let expires = self.now + self.config.session_max_age;
        let json = payload.renewed(self.now, expires, &uuid(id)).map_err(|error| {
            Error::caused_by(ErrorKind::JwtSession, "the session cannot be written", error)
        })?;
        let value = self.spec().keys().seal(&json, &iv);
        if value.len() > self.config.cookie_budget {
            return Err(Error::new(
                ErrorKind::SessionTooLarge,
                format!(
                    "the session needs {} bytes of cookies, `cookie_budget` allows {}; the largest claim is {:?}",
                    value.len(),
                    self.config.cookie_budget,
                    largest(payload.all())
                ),
            ));
        }
        Ok((self.spec().set_in_pieces(value, expires, before), expires))
    }

    /// Makes the session of somebody who has just signed in.
    ///
    /// # Errors
    /// What the `jwt` callback returns, and [`ErrorKind::SessionTooLarge`].
    pub(crate) async fn sign_in(&self, signed_in: SignedIn) -> Result<Vec<CookieChange>, Error> {
        let pieces = self.pieces();
        let token = Arc::new(first_token(&signed_in));
        let trigger = RawTrigger::SignIn(Box::new(signed_in));
        let extended = extend(self.config, token, trigger, self.info).await?;
        let extended = extended.map_err(|error| {
            Error::from_callback(error, ErrorKind::CallbackRoute, "the jwt callback failed")
        })?;
        match extended {
            None => Ok(self.spec().clear_pieces(&pieces)),
            Some(token) => Ok(self.start(&token, &pieces)?.0),
        }
    }

    /// Ends the session in this browser.
    pub(crate) fn clear(&self) -> Vec<CookieChange> {
        self.spec().clear_pieces(&self.pieces())
    }
}

/// A callback's error ends the session; unless it says that something is out of reach, which says nothing about
/// anybody.
fn decided(error: BoxError, message: &'static str) -> Result<Error, Error> {
    let error = Error::from_callback(error, ErrorKind::JwtSession, message);
    match error.kind() {
        ErrorKind::Unavailable => Err(error),
        ErrorKind::JwtSession => Ok(error),
        _ => Ok(Error::caused_by(ErrorKind::JwtSession, message, error)),
    }
}

/// What the token of a new session holds before the application extends it.
fn first_token(signed_in: &SignedIn) -> Payload {
    let user = &signed_in.user;
    // A picture can be a whole `data:` image; one that fills the cookie would lock the browser out.
    let image = user.image.as_ref().filter(|image| image.len() <= LONGEST_PICTURE);
    let fields = [
        ("name", user.name.as_ref()),
        ("email", user.email.as_ref()),
        ("picture", image),
        ("sub", Some(&user.id)),
    ];
    let own = fields.into_iter().filter_map(|(claim, text)| Some((claim, Value::String(text?.clone()))));
    Payload::new(own.collect())
}

async fn extend(
    config: &Config,
    token: Arc<Payload>,
    trigger: RawTrigger,
    info: &Arc<RequestInfo>,
) -> Result<Result<Option<Arc<Payload>>, BoxError>, Error> {
    match (&config.hooks.jwt, trigger) {
        (Some(hook), trigger) => {
            hooks::call(hook, RawJwt { trigger, token, request: Arc::clone(info) }).await
        }
        (None, RawTrigger::Update(Some(_))) => Ok(Err(Box::new(RefusedUpdate::no_update_type()))),
        (None, _) => Ok(Ok(Some(token))),
    }
}

/// Name, e-mail and image: Auth.js' default.
fn public_user(token: &Payload) -> Map<String, Value> {
    let fields = [("name", "name"), ("email", "email"), ("image", "picture")];
    fields
        .into_iter()
        .filter_map(|(shown, claim)| Some((shown.to_owned(), token.own(claim)?.clone())))
        .collect()
}

/// What the browser may see, as JSON, with the time when the session ends.
fn with_expires(shown: String, expires: Timestamp) -> Result<String, BoxError> {
    if shown == NOBODY {
        return Ok(shown);
    }
    let Some(members) = shown.strip_prefix('{').and_then(|shown| shown.strip_suffix('}')) else {
        return Err("the session callback must return a struct or nothing".into());
    };
    let expires = expires.to_iso();
    if members.is_empty() || shown.contains(r#""expires":"#) {
        let mut body: Map<String, Value> = serde_json::from_str(&shown)?;
        body.insert("expires".to_owned(), Value::String(expires));
        return Ok(serde_json::to_string(&body)?);
    }
    Ok(format!(r#"{{{members},"expires":"{expires}"}}"#))
}

fn largest(claims: &Map<String, Value>) -> &str {
    let size = |value: &Value| value.to_string().len();
    claims.iter().max_by_key(|(_, value)| size(value)).map_or("", |(name, _)| name.as_str())
}

/// A random UUID (RFC 9562 §5.4).
pub(crate) fn uuid(bytes: [u8; 16]) -> String {
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// The body when nobody is signed in.
const NOBODY: &str = "null";

/// In bytes.
const LONGEST_PICTURE: usize = 2048;
