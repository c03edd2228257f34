//! What stores are given and give back.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::hex::hex;
use crate::{Timestamp, User};

/// The value of a session's cookie: whoever has it is signed in. Printing it shows the session's id.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken {
    value: String,
    hash: String,
}

impl SessionToken {
    /// A token.
    pub fn new(value: impl Into<String>) -> Self {
        let value = value.into();
        let hash = hex(&Sha256::digest(&value));
        Self { value, hash }
    }

    /// The token itself. Only tables of Auth.js keep it.
    pub fn expose(&self) -> &str {
        &self.value
    }

    /// SHA-256 of the token in hex: what a store keeps.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Names the session in lists without being good for anything else: the first half of [`hash`](Self::hash).
    pub fn id(&self) -> &str {
        self.hash.get(..32).unwrap_or_default()
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionToken").field(&self.id()).finish()
    }
}

/// A session in a store.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StoredSession {
    /// Names the session: [`SessionToken::id`].
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// When it ends if nobody uses it.
    pub expires: Timestamp,
    /// When it began; unknown for a row that another program has written.
    pub created: Option<Timestamp>,
    /// When the row was last written: as often as the session is renewed.
    pub last_seen: Option<Timestamp>,
    /// `User-Agent` of the browser, cut to 512 bytes.
    pub user_agent: Option<String>,
    /// Address of the visitor, where the application knows it.
    pub address: Option<String>,
    /// What the application keeps with the session.
    #[serde(skip)]
    pub claims: Map<String, Value>,
    /// Counts the changes of `claims`.
    #[serde(skip)]
    pub version: i64,
}

impl StoredSession {
    /// A session of a user that nothing more is known of.
    pub fn new(token: &SessionToken, user_id: impl Into<String>, expires: Timestamp) -> Self {
        Self {
            id: token.id().to_owned(),
            user_id: user_id.into(),
            expires,
            created: None,
            last_seen: None,
            user_agent: None,
            address: None,
            claims: Map::new(),
            version: 0,
        }
    }
}

/// A change of a session. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SessionChange {
    /// The new end.
    pub expires: Option<Timestamp>,
    /// When it was seen.
    pub last_seen: Option<Timestamp>,
    /// New claims, and the version that they were made from. The version then grows by one.
    pub claims: Option<(Map<String, Value>, i64)>,
}

impl SessionChange {
    /// Nothing changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the end.
    #[must_use]
    pub fn expires(self, expires: Timestamp) -> Self {
        Self { expires: Some(expires), ..self }
    }

    /// Notes a visit.
    #[must_use]
    pub fn last_seen(self, at: Timestamp) -> Self {
        Self { last_seen: Some(at), ..self }
    }

    /// Replaces the claims, if the session still has the version that they were made from.
    #[must_use]
    pub fn claims(self, claims: Map<String, Value>, made_from: i64) -> Self {
        Self { claims: Some((claims, made_from)), ..self }
    }
}

/// What has happened to a user that sessions in tokens do not know of: it reaches them when they are read.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Epoch {
    /// Counts up from 1 with every change.
    pub number: i64,
    /// Sessions that began in an epoch before this one have ended.
    pub revoked: i64,
    /// When that was said: for tokens of other programs, which know of no epochs.
    pub not_before: Option<Timestamp>,
    /// What becomes of the claims of older tokens: for each claim the epoch that has changed it last, and its value
    /// since then, `null` where it went: `{ "role": [3, "admin"] }`.
    pub patch: Map<String, Value>,
}

impl Epoch {
    /// An epoch as a store has kept it.
    pub fn new(number: i64, revoked: i64, not_before: Option<Timestamp>, patch: Map<String, Value>) -> Self {
        Self { number, revoked, not_before, patch }
    }

    /// The next one, after nothing else than that the user has changed.
    #[must_use]
    pub fn next(self) -> Self {
        Self { number: self.number.saturating_add(1), ..self }
    }

    /// Ends all sessions that began before this epoch.
    #[must_use]
    pub fn revoke(self, at: Timestamp) -> Self {
        Self { revoked: self.number, not_before: self.not_before.max(Some(at)), ..self }
    }

    /// Changes claims.
    pub(crate) fn patch(mut self, patch: Map<String, Value>) -> Self {
        let number = self.number;
        self.patch.extend(patch.into_iter().map(|(claim, value)| (claim, json!([number, value]))));
        self
    }

    /// What has changed since an earlier epoch.
    pub(crate) fn patch_since(&self, epoch: i64) -> Map<String, Value> {
        let since = self
            .patch
            .iter()
            .filter(|(_, change)| change.get(0).and_then(Value::as_i64).is_some_and(|number| number > epoch));
        since.map(|(claim, change)| (claim.clone(), change.get(1).cloned().unwrap_or_default())).collect()
    }
}

/// Puts a patch over claims: each member takes the place of the claim of its name, `null` removes it.
pub(crate) fn patched(mut claims: Map<String, Value>, patch: &Map<String, Value>) -> Map<String, Value> {
    for (name, value) in patch {
        match value {
            Value::Null => claims.shift_remove(name),
            value => claims.insert(name.clone(), value.clone()),
        };
    }
    claims
}

/// Which sessions of a user end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a store that forgets a case must not compile")]
pub enum Revoke<'a> {
    /// All of them.
    All,
    /// The one with this id.
    One(&'a str),
    /// All but the one with this id.
    Others(&'a str),
}

/// Which users to list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserPage {
    /// Only those whose id comes after this one.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

impl UserPage {
    /// The first users, at most `limit`.
    pub fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }

    /// The users after the one with this id.
    #[must_use]
    pub fn after(self, id: impl Into<String>) -> Self {
        Self { after: Some(id.into()), ..self }
    }
}

/// A change of a user. What is `None` stays.
///
/// ```
/// use hallpass::UserChange;
///
/// let change = UserChange::new().name("Ada".to_owned()).image(None).set("role", "admin");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct UserChange {
    /// Display name.
    pub name: Option<Option<String>>,
    /// E-mail address. A new one is not proven, unless `email_verified` says so in the same change.
    pub email: Option<Option<String>>,
    /// Address of a picture.
    pub image: Option<Option<String>>,
    /// When the address was proven to be theirs.
    pub email_verified: Option<Option<Timestamp>>,
    /// Further fields. `null` removes one.
    pub extra: Map<String, Value>,
}

impl UserChange {
    /// Nothing changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets or removes the display name.
    #[must_use]
    pub fn name(self, name: impl Into<Option<String>>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Sets or removes the address, which then is not proven.
    #[must_use]
    pub fn email(self, email: impl Into<Option<String>>) -> Self {
        Self { email: Some(email.into()), ..self }
    }

    /// Sets or removes the picture.
    #[must_use]
    pub fn image(self, image: impl Into<Option<String>>) -> Self {
        Self { image: Some(image.into()), ..self }
    }

    /// Says when the address was proven to be theirs; `None` that it is not.
    #[must_use]
    pub fn email_verified(self, at: Option<Timestamp>) -> Self {
        Self { email_verified: Some(at), ..self }
    }

    /// Sets a further field; `null` removes it.
    #[must_use]
    pub fn set(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(field.into(), value.into());
        self
    }

    /// The user after the change: for stores that write whole rows.
    #[must_use]
    pub fn apply(self, user: User) -> User {
        let proof = match &self.email {
            Some(email) if *email != user.email => None,
            _ => user.email_verified,
        };
        let mut extra = user.extra;
        for (field, value) in self.extra {
            match value {
                Value::Null => extra.shift_remove(&field),
                value => extra.insert(field, value),
            };
        }
        User {
            name: self.name.unwrap_or(user.name),
            email: self.email.unwrap_or(user.email),
            image: self.image.unwrap_or(user.image),
            email_verified: self.email_verified.unwrap_or(proof),
            extra,
            ..user
        }
    }
}

/// Proof that somebody reads the mail of an address, kept until it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OneTimeToken {
    /// What the token proves: an e-mail address.
    pub identifier: String,
    /// SHA-256 of the token and the secret, in hex. The token itself is only in the mail.
    pub hash: String,
    /// When it stops working.
    pub expires: Timestamp,
}

impl OneTimeToken {
    /// A token.
    pub fn new(identifier: impl Into<String>, hash: impl Into<String>, expires: Timestamp) -> Self {
        Self { identifier: identifier.into(), hash: hash.into(), expires }
    }
}
