//! The `jwt` callback: what the application keeps with a session.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::BoxError;
use crate::hooks::{Migrate, Payload, SessionUser, SignedIn};
use crate::request::RequestInfo;
use crate::session::Trigger;
use crate::{Account, User};

/// Why the token is made or looked at. The argument of the `jwt` callback, which says for each case what the
/// session keeps: Auth.js passes the case as `trigger`.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a callback that forgets a case must not compile")]
#[expect(
    clippy::large_enum_variant,
    reason = "made once and taken apart at once: a box would only be in the way"
)]
pub enum Jwt<C = NoClaims, U = NoUpdate> {
    /// Somebody signs in, or up.
    SignIn(JwtSignIn),
    /// A client asks for a change. Cannot happen, and needs no arm, with [`NoUpdate`].
    Update(JwtUpdate<C, U>),
    /// The session is read.
    Read(JwtRead<C>),
}

/// Somebody signs in, or up. User, account and profile are there only now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JwtSignIn {
    /// The token so far: name, e-mail and picture may be changed.
    pub token: Token,
    /// Who signs in.
    pub user: User,
    /// With which account.
    pub account: Account,
    /// The provider's profile as it came: OAuth and OpenID Connect only.
    pub profile: Option<Map<String, Value>>,
    /// Whether the store made a new user. `None` without a store, where nobody can know.
    pub is_new_user: Option<bool>,
    /// The request.
    pub request: Arc<RequestInfo>,
}

impl JwtSignIn {
    /// Whether this is the first time (Auth.js: `trigger` is `signUp`).
    pub fn is_sign_up(&self) -> bool {
        self.is_new_user == Some(true)
    }
}

/// A client asks for a change, with data that parsed as the application's `Update`.
#[derive(Clone, Debug)]
pub struct JwtUpdate<C, U> {
    /// The token: name, e-mail and picture may be changed.
    pub token: Token,
    /// Whose session it is.
    pub user: SessionUser,
    /// What the session keeps so far.
    pub claims: C,
    /// What the client sent.
    pub update: U,
    /// The request.
    pub request: Arc<RequestInfo>,
    /// What the client sent, before it was parsed.
    data: Option<Value>,
}

/// The session is read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JwtRead<C> {
    /// The token: name, e-mail and picture may be changed.
    pub token: Token,
    /// Whose session it is.
    pub user: SessionUser,
    /// What the session keeps.
    pub claims: C,
    /// The request.
    pub request: Arc<RequestInfo>,
}

/// Applications without a `jwt` callback keep nothing of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NoClaims {}

/// Applications without an `Update` type take no changes from clients: whatever they send is refused. There is no such
/// value, so a callback needs no arm for [`Jwt::Update`].
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "that it is empty is the point")]
pub enum NoUpdate {}

impl<'de> Deserialize<'de> for NoUpdate {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom(NO_UPDATES))
    }
}

/// The session's token as the callback sees it.
///
/// `name`, `email` and `picture` may be changed; return the token together with the claims then:
/// `Ok(it.token.with(claims))`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Token {
    /// Display name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Address of a picture.
    pub picture: Option<String>,
    max_age: Option<Duration>,
    payload: Arc<Payload>,
}

impl Token {
    pub(crate) fn new(payload: Arc<Payload>) -> Self {
        let text = |name| payload.text(name).map(str::to_owned);
        Self { name: text("name"), email: text("email"), picture: text("picture"), max_age: None, payload }
    }

    /// The user's id, as text (`sub`).
    pub fn sub(&self) -> &str {
        self.payload.text("sub").unwrap_or_default()
    }

    /// Any claim of the token.
    pub fn get(&self, claim: &str) -> Option<&Value> {
        self.payload.own(claim).or_else(|| self.payload.all().get(claim))
    }

    /// Sets how long the session lives that nobody uses, instead of
    /// [`session_max_age`](crate::Builder::session_max_age): `Ok(it.token.max_age(year).with(claims))`. Say it at
    /// every read; most applications keep "remember me" in their claims.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age: Some(max_age), ..self }
    }

    /// This token with these claims: what a callback returns that changed the token.
    pub fn with<C>(self, claims: C) -> JwtDecision<C> {
        JwtDecision::Keep { token: Some(Box::new(self)), claims }
    }

    /// The payload, with the three fields as they are now.
    pub(super) fn into_payload(self) -> Payload {
        let mut payload = Arc::unwrap_or_clone(self.payload);
        payload.max_age = self.max_age;
        for (name, value) in [("name", self.name), ("email", self.email), ("picture", self.picture)] {
            // What is no text the callback has not seen.
            if value.is_some() || payload.text(name).is_some() {
                payload.set(name, value.map(Value::String));
            }
        }
        payload
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.clone().into_payload().all().serialize(serializer)
    }
}

/// What a `jwt` callback decides. `Some(claims)` and `None` convert into it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JwtDecision<C> {
    /// The session goes on with these claims.
    Keep {
        /// The token, where the callback changed it.
        token: Option<Box<Token>>,
        /// What the session keeps.
        claims: C,
    },
    /// The session ends: nobody is signed in, and the cookie goes.
    End,
}

impl<C> From<Option<C>> for JwtDecision<C> {
    fn from(claims: Option<C>) -> Self {
        claims.map_or(Self::End, |claims| Self::Keep { token: None, claims })
    }
}

impl<C: Serialize, U> Serialize for Jwt<C, U> {
    /// The object that Auth.js passes to its `jwt` callback.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::SignIn(it) => {
                map.serialize_entry("token", &it.token)?;
                map.serialize_entry("user", &it.user)?;
                map.serialize_entry("account", &it.account)?;
                if let Some(profile) = &it.profile {
                    map.serialize_entry("profile", profile)?;
                }
                if let Some(is_new_user) = it.is_new_user {
                    map.serialize_entry("isNewUser", &is_new_user)?;
                }
                map.serialize_entry("trigger", if it.is_sign_up() { "signUp" } else { "signIn" })?;
            }
            Self::Update(it) => {
                map.serialize_entry("token", &it.token)?;
                map.serialize_entry("trigger", "update")?;
                if let Some(data) = &it.data {
                    map.serialize_entry("session", data)?;
                }
            }
            Self::Read(it) => map.serialize_entry("token", &it.token)?,
        }
        map.end()
    }
}

/// What the `jwt` callback is called with, before it has types.
pub(crate) struct RawJwt {
    pub(crate) trigger: RawTrigger,
    pub(crate) token: Arc<Payload>,
    pub(crate) migrate: Option<Migrate>,
    pub(crate) request: Arc<RequestInfo>,
}

pub(crate) enum RawTrigger {
    SignIn(Box<SignedIn>),
    Update(Option<Value>),
    Read,
}

impl From<Trigger> for RawTrigger {
    fn from(trigger: Trigger) -> Self {
        match trigger {
            Trigger::Read => Self::Read,
            Trigger::Update(data) => Self::Update(data),
        }
    }
}

/// The data of an update is not what the application takes.
#[derive(Debug, thiserror::Error)]
#[error("the update was refused: {0}")]
pub(crate) struct RefusedUpdate(String);

impl RefusedUpdate {
    pub(crate) fn no_update_type() -> Self {
        Self(NO_UPDATES.to_owned())
    }
}

/// What is wrong with data, without the data: it may be anything that people keep with a session.
pub(super) fn mismatch(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // Nobody sees the text that has that line and column.
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    if text.starts_with("missing field") || text == NO_UPDATES {
        return text.to_owned();
    }
    text.rsplit_once("expected ")
        .map_or_else(|| "it does not fit".to_owned(), |(_, it)| format!("expected {it}"))
}

/// What is wrong with data, and in which field.
fn mismatch_at(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let what = mismatch(error.inner());
    match error.path().to_string().as_str() {
        "." => what,
        // A name that the client has made up is not shown.
        _ if error.inner().to_string().starts_with("unknown") => what,
        path => format!("{path}: {what}"),
    }
}

impl RawJwt {
    /// Gives the event its types.
    pub(crate) fn typed<C: DeserializeOwned + 'static, U: DeserializeOwned>(
        self,
    ) -> Result<Jwt<C, U>, BoxError> {
        let request = self.request;
        let data = match self.trigger {
            RawTrigger::SignIn(it) => {
                return Ok(Jwt::SignIn(JwtSignIn {
                    token: Token::new(self.token),
                    user: it.user,
                    account: it.account,
                    profile: it.profile,
                    is_new_user: it.is_new_user,
                    request,
                }));
            }
            RawTrigger::Update(data) => Some(data),
            RawTrigger::Read => None,
        };
        let claims = self.token.parse_or_migrate_claims(self.migrate.as_ref())?;
        let user = SessionUser::of(&self.token);
        let token = Token::new(self.token);
        let Some(data) = data else { return Ok(Jwt::Read(JwtRead { token, user, claims, request })) };
        match serde_path_to_error::deserialize(data.as_ref().unwrap_or(&Value::Null)) {
            Ok(update) => Ok(Jwt::Update(JwtUpdate { token, user, claims, update, request, data })),
            // `update()` without data asks for a fresh session: nothing to take, nothing to refuse.
            Err(_) if data.is_none() => Ok(Jwt::Read(JwtRead { token, user, claims, request })),
            Err(error) => Err(Box::new(RefusedUpdate(mismatch_at(&error)))),
        }
    }
}

const NO_UPDATES: &str = "this application takes no updates";
