//! Notices of what happened. They cannot change the outcome.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Account, StoredSession, User};

/// Something happened. It serializes as the argument that Auth.js gives to its event of the same name.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Event {
    /// Somebody signed in.
    #[non_exhaustive]
    SignIn {
        /// Who.
        user: User,
        /// With which account.
        account: Account,
        /// The provider's profile as it came: OAuth and OpenID Connect only.
        #[serde(skip_serializing_if = "Option::is_none")]
        profile: Option<Map<String, Value>>,
        /// Whether the store made a new user.
        #[serde(skip_serializing_if = "Option::is_none")]
        is_new_user: Option<bool>,
    },
    /// Somebody signed out.
    #[non_exhaustive]
    SignOut {
        /// The payload of the session's token, where it was in one.
        #[serde(skip_serializing_if = "Option::is_none")]
        token: Option<Map<String, Value>>,
        /// The session that was in the store; the inner `None` when there was none any more.
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<Option<StoredSession>>,
    },
    /// The store has a new user.
    #[non_exhaustive]
    CreateUser {
        /// The user.
        user: User,
    },
    /// A stored user has changed.
    #[non_exhaustive]
    UpdateUser {
        /// The user.
        user: User,
    },
    /// An account was added to a user.
    #[non_exhaustive]
    LinkAccount {
        /// Whose account it is now.
        user: User,
        /// The account.
        account: Account,
        /// What the provider says of the person.
        profile: User,
    },
    /// A session was shown.
    #[non_exhaustive]
    Session {
        /// What the browser saw.
        session: Value,
        /// The payload of the session's token, where it is in one.
        #[serde(skip_serializing_if = "Option::is_none")]
        token: Option<Map<String, Value>>,
    },
}

impl Event {
    /// Auth.js' name of the event.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SignIn { .. } => "signIn",
            Self::SignOut { .. } => "signOut",
            Self::CreateUser { .. } => "createUser",
            Self::UpdateUser { .. } => "updateUser",
            Self::LinkAccount { .. } => "linkAccount",
            Self::Session { .. } => "session",
        }
    }
}
