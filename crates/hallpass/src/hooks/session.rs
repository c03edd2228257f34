//! The `session` callback: what the browser may see.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::BoxError;
use crate::hooks::{Payload, RawSession, Token};
use crate::request::RequestInfo;
use crate::{Timestamp, User};

/// The session is shown. The argument of the `session` callback, which returns what the browser may see: the
/// whole body of `GET /session` except `expires`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionEvent<C> {
    /// Whose session it is.
    pub user: SessionUser,
    /// What the session keeps; private unless shown.
    pub claims: C,
    /// When the session ends if nobody uses it.
    pub expires: Timestamp,
    /// The token.
    pub token: Token,
    /// The user as the store has them now, further fields too: with sessions in the database. Auth.js: `user`.
    pub stored_user: Option<User>,
    /// Names the session in [`Sessions`](crate::Sessions): with sessions in the database.
    pub session_id: Option<String>,
    /// What a client sent with `update()`, unchecked: only with sessions in the database. Auth.js: `newSession`. A
    /// `jwt` callback gets it as a type; prefer that.
    pub update: Option<Value>,
    /// The request.
    pub request: Arc<RequestInfo>,
    is_update: bool,
}

impl<C: DeserializeOwned> SessionEvent<C> {
    pub(crate) fn new(raw: RawSession) -> Result<Self, BoxError> {
        let (stored_user, session_id) = raw.stored.map(|it| (it.user, it.session_id)).unzip();
        Ok(Self {
            user: SessionUser::of(&raw.token),
            claims: raw.token.parse_claims()?,
            expires: raw.expires,
            token: Token::new(raw.token),
            is_update: stored_user.is_some() && raw.update.is_some(),
            update: raw.update.flatten().filter(|_| stored_user.is_some()),
            stored_user,
            session_id,
            request: raw.request,
        })
    }
}

impl<C> Serialize for SessionEvent<C> {
    /// The object that Auth.js passes to its `session` callback, without the session's token.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let Some(user) = &self.stored_user else {
            map.serialize_entry("session", &json!({ "user": self.user.public(), "expires": self.expires }))?;
            map.serialize_entry("token", &self.token)?;
            return map.end();
        };
        let session = json!({ "user": user, "userId": user.id, "expires": self.expires });
        map.serialize_entry("session", &session)?;
        map.serialize_entry("user", user)?;
        if self.is_update {
            map.serialize_entry("trigger", "update")?;
        }
        if let Some(update) = &self.update {
            map.serialize_entry("newSession", update)?;
        }
        map.end()
    }
}

/// The user of a session: what the token says of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionUser {
    /// The user's id. For people who come from a provider it is made by Hallpass: random and kept where there is a
    /// store, following from provider and account id where there is none.
    pub id: String,
    /// Display name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Address of a picture.
    pub image: Option<String>,
}

impl SessionUser {
    pub(crate) fn of(token: &Payload) -> Self {
        let text = |claim| token.text(claim).map(str::to_owned);
        Self {
            id: text("sub").unwrap_or_default(),
            name: text("name"),
            email: text("email"),
            image: text("picture"),
        }
    }

    /// Name, e-mail and image: what Auth.js shows by default.
    pub fn public(&self) -> ViewUser {
        ViewUser { name: self.name.clone(), email: self.email.clone(), image: self.image.clone() }
    }
}

/// Name, e-mail and image: what the browser sees of a user by default, and what to start a `View` from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(description = ""))]
#[expect(
    clippy::exhaustive_structs,
    reason = "it is spread into the views of applications: `..it.user.public()`"
)]
pub struct ViewUser {
    /// Display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Address of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}
