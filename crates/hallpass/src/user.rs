//! Users and the accounts they sign in with, as callbacks and events see them.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Number, Value};

use crate::Timestamp;

/// Somebody who signs in: what `authorize` returns, what a provider's profile becomes, what a store keeps.
///
/// ```
/// use hallpass::User;
///
/// let user = User::new("42").with_name("Ada").with_email("ada@example.com").with("role", "admin");
/// assert_eq!(user.get("role").and_then(|role| role.as_str()), Some("admin"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct User {
    /// The application's id of the user. Empty in what `authorize` returns: a random one is made.
    pub id: String,
    /// Display name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Address of a picture.
    pub image: Option<String>,
    /// When the address was proven to be theirs. Meaningful for users that a store keeps.
    pub email_verified: Option<Timestamp>,
    /// Further fields: those that `authorize` or a profile function returned.
    pub extra: Map<String, Value>,
    /// Whether a store keeps this user; only then `emailVerified` is part of the JSON.
    pub(crate) stored: bool,
    /// Whether the id is a number in JSON.
    pub(crate) has_number: bool,
}

impl User {
    /// A user with an id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// Sets the display name.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Sets the e-mail address.
    #[must_use]
    pub fn with_email(self, email: impl Into<String>) -> Self {
        Self { email: Some(email.into()), ..self }
    }

    /// Sets the address of a picture.
    #[must_use]
    pub fn with_image(self, image: impl Into<String>) -> Self {
        Self { image: Some(image.into()), ..self }
    }

    /// Whether somebody has the address that the other one has, proven or not as theirs.
    #[must_use]
    pub fn has_address_of(&self, other: &Self) -> bool {
        self.email == other.email && self.email_verified.is_some() == other.email_verified.is_some()
    }

    /// Sets a further field, which the `sign_in` and `jwt` callbacks see.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(field.into(), value.into());
        self
    }

    /// A further field.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.extra.get(field)
    }

    /// Reads the whole user as a type of the application.
    ///
    /// # Errors
    /// When the fields do not fit the type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(serde_json::to_value(self)?)
    }

    /// Reads a user from JSON as Auth.js has it: `id` may be a text, a number or missing.
    ///
    /// # Errors
    /// When `value` is not an object, or its `id` is neither a text nor a number.
    pub fn from_json(value: Value) -> Result<Self, UserError> {
        let Value::Object(mut fields) = value else { return Err(UserError("the user is not an object")) };
        let has_number = fields.get("id").is_some_and(Value::is_number);
        let id = match fields.remove("id") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(id)) => id,
            Some(Value::Number(id)) => id.to_string(),
            Some(_) => return Err(UserError("the user's id is neither a text nor a number")),
        };
        let mut text = |name: &str| match fields.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (name, email, image) = (text("name"), text("email"), text("image"));
        Ok(Self { id, name, email, image, extra: fields, has_number, ..Self::default() })
    }
}

/// An id, as the number that it was where it was one.
fn serialize_id<M: SerializeMap>(
    map: &mut M,
    name: &str,
    id: &str,
    has_number: bool,
) -> Result<(), M::Error> {
    match serde_json::from_str::<Number>(id) {
        Ok(number) if has_number => map.serialize_entry(name, &number),
        _ => map.serialize_entry(name, id),
    }
}

/// A user could not be read.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{0}")]
pub struct UserError(&'static str);

impl Serialize for User {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        serialize_id(&mut map, "id", &self.id, self.has_number)?;
        for (field, value) in [("name", &self.name), ("email", &self.email), ("image", &self.image)] {
            if let Some(value) = value {
                map.serialize_entry(field, value)?;
            }
        }
        if self.stored {
            map.serialize_entry("emailVerified", &self.email_verified)?;
        }
        for (field, value) in &self.extra {
            map.serialize_entry(field, value)?;
        }
        map.end()
    }
}

/// The account that somebody signed in with: which provider, the person's id there, and the tokens it gave.
///
/// Printing it shows the names of the tokens, never their values.
#[derive(Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// Id of the provider.
    pub provider: String,
    /// Kind of the provider.
    #[serde(rename = "type")]
    pub kind: AccountKind,
    /// The person's id at the provider.
    #[serde(rename = "providerAccountId")]
    pub provider_account_id: String,
    /// The user whom the account belongs to, once that is known.
    #[serde(rename = "userId", default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Whether the provider vouched for the user's address when the account was linked; false where that is unknown,
    /// and once the user has another address.
    #[serde(skip)]
    pub email_verified: bool,
    /// Whether the id at the provider is a number in JSON.
    #[serde(skip)]
    pub(crate) has_number: bool,
    /// All members of the provider's token answer, its own ones too: `access_token`, `expires_at` (seconds), …
    #[serde(flatten)]
    pub tokens: Map<String, Value>,
}

/// Kind of a provider, in Auth.js' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AccountKind {
    /// A form of the application, checked by its `authorize`.
    Credentials,
    /// A link sent by mail.
    Email,
    /// OAuth 2.
    OAuth,
    /// OpenID Connect.
    Oidc,
}

impl AccountKind {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Email => "email",
            Self::OAuth => "oauth",
            Self::Oidc => "oidc",
        }
    }
}

impl Account {
    /// An account without tokens, of nobody yet.
    pub fn new(provider: &str, kind: AccountKind, provider_account_id: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            kind,
            provider_account_id: provider_account_id.to_owned(),
            user_id: None,
            email_verified: false,
            has_number: false,
            tokens: Map::new(),
        }
    }

    /// The access token.
    pub fn access_token(&self) -> Option<&str> {
        self.text("access_token")
    }

    /// The refresh token.
    pub fn refresh_token(&self) -> Option<&str> {
        self.text("refresh_token")
    }

    /// The ID token.
    pub fn id_token(&self) -> Option<&str> {
        self.text("id_token")
    }

    /// When the access token expires.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.tokens.get("expires_at").and_then(Value::as_i64).map(Timestamp::from_seconds)
    }

    /// Any member of the token answer.
    pub fn get(&self, member: &str) -> Option<&Value> {
        self.tokens.get(member)
    }

    /// Whether it is the account with this id at this provider.
    pub fn is(&self, provider: &str, provider_account_id: &str) -> bool {
        self.provider == provider && self.provider_account_id == provider_account_id
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.tokens.get(member).and_then(Value::as_str)
    }
}

impl Serialize for Account {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (member, value) in &self.tokens {
            map.serialize_entry(member, value)?;
        }
        map.serialize_entry("provider", &self.provider)?;
        map.serialize_entry("type", &self.kind)?;
        serialize_id(&mut map, "providerAccountId", &self.provider_account_id, self.has_number)?;
        if let Some(user_id) = &self.user_id {
            map.serialize_entry("userId", user_id)?;
        }
        map.end()
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("provider", &self.provider)
            .field("kind", &self.kind)
            .field("provider_account_id", &self.provider_account_id)
            .field("user_id", &self.user_id)
            .field("email_verified", &self.email_verified)
            .field("tokens", &self.tokens.keys().collect::<Vec<_>>())
            .finish()
    }
}
