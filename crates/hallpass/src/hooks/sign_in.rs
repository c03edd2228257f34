//! The `sign_in` and `redirect` callbacks, and what `authorize` and the mail function are given.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use crate::pages::Theme;
use crate::request::RequestInfo;
use crate::{Account, Timestamp, User};

/// May this person sign in? The argument of the `sign_in` callback.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignIn {
    /// Who it is: the stored user where the account is known, else what the provider or `authorize` said.
    pub user: User,
    /// The account they use.
    pub account: Account,
    /// The provider's profile as it came: OAuth and OpenID Connect only.
    pub profile: Option<Map<String, Value>>,
    /// What was typed: credentials only.
    pub credentials: Option<CredentialsInput>,
    /// A magic link is only being asked for; nobody is signed in yet.
    pub verification_request: bool,
    /// The request.
    pub request: Arc<RequestInfo>,
}

impl Serialize for SignIn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("user", &self.user)?;
        map.serialize_entry("account", &self.account)?;
        if let Some(profile) = &self.profile {
            map.serialize_entry("profile", profile)?;
        }
        if let Some(credentials) = &self.credentials {
            map.serialize_entry("credentials", credentials.fields())?;
        }
        if self.verification_request {
            map.serialize_entry("email", &json!({ "verificationRequest": true }))?;
        }
        map.end()
    }
}

/// What the `sign_in` callback decides.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Go on.
    Allow,
    /// Refuse: the error page says `AccessDenied`.
    Deny,
    /// Refuse, and send the browser here. The address goes through the redirect rules.
    Redirect(String),
}

impl From<bool> for Decision {
    fn from(allowed: bool) -> Self {
        if allowed { Self::Allow } else { Self::Deny }
    }
}

/// Where may the browser be sent? The argument of the `redirect` callback.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Redirect {
    /// The address asked for.
    pub url: String,
    /// Origin of the site.
    pub base_url: String,
}

/// The fields of a credentials form, as they were sent. Printing it shows their names only.
#[derive(Clone)]
pub struct CredentialsInput {
    pub(crate) fields: Map<String, Value>,
    pub(crate) request: Arc<RequestInfo>,
}

impl CredentialsInput {
    /// A field that is a text.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str)
    }

    /// All fields, `csrfToken` and `callbackUrl` among them.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// The request.
    pub fn request(&self) -> &RequestInfo {
        &self.request
    }
}

impl fmt::Debug for CredentialsInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.fields.keys()).finish()
    }
}

/// A magic link to send: the argument of an e-mail provider's function. Printing it does not show the link.
#[derive(Clone)]
#[non_exhaustive]
pub struct Mail {
    /// The address: as it is stored, or normalized where nobody has it yet.
    pub identifier: String,
    /// The link.
    pub url: String,
    /// The token in the link, for mails that show a code to type.
    pub token: String,
    /// When the link stops working.
    pub expires: Timestamp,
    /// Id of the provider.
    pub provider: String,
    /// Looks of the site.
    pub theme: Theme,
    /// The request.
    pub request: Arc<RequestInfo>,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("provider", &self.provider)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
