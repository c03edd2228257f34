//! What a session keeps, and what of it the browser sees.

use std::sync::Arc;

use hallpass::clock::{Clock, SystemClock};
use hallpass::{
    Auth, BoxError, Credentials, CredentialsInput, Field, Jwt, JwtSignIn, SessionEvent, Timestamp, User,
    ViewUser,
};
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::config::Config;
use crate::dev;
use crate::storage::Storage;
use crate::users::{Users, Verifier};

/// What a session keeps. It is sealed in the cookie and private, but for the role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// What the person may do, in the words of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
    /// How they signed in.
    pub(crate) provider: String,
    /// When.
    pub(crate) signed_in_at: Timestamp,
}

/// What the browser sees: the body of `GET /session`.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    user: Person,
}

#[derive(Debug, Serialize)]
struct Person {
    #[serde(flatten)]
    public: ViewUser,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
}

/// What the callbacks need.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) users: Arc<Users>,
    pub(crate) verifier: Verifier,
}

/// Hallpass, as the settings want it.
///
/// # Errors
/// When the library finds something wrong.
pub(crate) fn auth(config: &Config, storage: &Storage, app: App) -> Result<Auth<Claims>, Failure> {
    let mut builder = storage.add_to(config.builder(app));
    if config.dev {
        let builder = config.add_email(builder.credentials(dev::form(), dev::authorize));
        return dev::callbacks(builder).build().map_err(Failure::other);
    }
    if config.has_form() {
        builder = builder.credentials(form("", ""), authorize);
    }
    config
        .add_email(builder)
        .jwt(async |event: Jwt<Claims>, _| {
            Ok(Some(match event {
                Jwt::SignIn(it) => first_claims(&it),
                Jwt::Read(it) => it.claims,
            }))
        })
        .session(async |it, _| Ok(view(it)))
        .build()
        .map_err(Failure::other)
}

/// The form for name and password, with what stands in its fields while they are empty.
pub(crate) fn form(username_hint: &str, password_hint: &str) -> Credentials {
    let mut username = Field::text("username").label("Username").placeholder(username_hint);
    let mut password = Field::password("password").label("Password").placeholder(password_hint);
    username.required = true;
    password.required = true;
    Credentials::new().field(username).field(password)
}

/// The person of the users file, if the password is theirs.
pub(crate) async fn authorize(input: CredentialsInput, app: App) -> Result<Option<User>, BoxError> {
    let (Some(username), Some(password)) = (input.text("username"), input.text("password")) else {
        return Ok(None);
    };
    app.users.authorize(&app.verifier, username, password).await
}

/// What a new session keeps.
pub(crate) fn first_claims(event: &JwtSignIn) -> Claims {
    Claims {
        role: event.user.get("role").and_then(|role| role.as_str()).map(str::to_owned),
        provider: event.account.provider.clone(),
        signed_in_at: SystemClock.now(),
    }
}

/// What the browser sees of a session.
pub(crate) fn view(event: SessionEvent<Claims>) -> View {
    View { user: Person { public: event.user.public(), role: event.claims.role } }
}
