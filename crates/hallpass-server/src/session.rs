//! What a session keeps, and what of it the browser sees.

use std::sync::Arc;

use hallpass::clock::{Clock, SystemClock};
use hallpass::{
    Auth, BoxError, Builder, Credentials, CredentialsInput, Error, Field, Jwt, JwtSignIn, SessionEvent,
    Timestamp, User, ViewUser,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::Failure;
use crate::config::Config;
use crate::dev;
use crate::doors::Doors;
use crate::js::Script;
use crate::ops::Metrics;
use crate::storage::Storage;
use crate::users::{Users, Verifier};

/// What a session keeps, as JSON: private. The server's own callbacks keep [`Kept`],
/// those of a configuration in JavaScript what they like.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Claims(Box<RawValue>);

impl Claims {
    /// # Errors
    /// When it is no JSON.
    pub(crate) fn parse(json: String) -> Result<Self, serde_json::Error> {
        RawValue::from_string(json).map(Self)
    }

    /// As JSON.
    pub(crate) fn json(&self) -> &str {
        self.0.get()
    }
}

/// What a new session keeps where nobody has other wishes. Private, but for the role.
#[derive(Debug, Serialize)]
struct Kept {
    /// What the person may do, in the words of the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// How they signed in.
    provider: String,
    /// When.
    signed_in_at: Timestamp,
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
    pub(crate) storage: Storage,
    /// What counts, where somebody wants that.
    pub(crate) metrics: Option<Arc<Metrics>>,
}

impl App {
    pub(crate) fn new(config: &Config, storage: Storage) -> Self {
        let users = Arc::new(config.users.clone());
        Self { users, verifier: Verifier::new(), storage, metrics: None }
    }

    /// Has things counted.
    pub(crate) fn measured(self, metrics: Option<Arc<Metrics>>) -> Self {
        Self { metrics, ..self }
    }
}

/// Hallpass, as the settings want it.
///
/// # Errors
/// When the library finds something wrong.
pub(crate) fn auth(config: &Config, app: App) -> Result<Auth<Claims>, Failure> {
    let (storage, metrics) = (app.storage.clone(), app.metrics.clone());
    let mut builder = storage.add_to(config.builder(app));
    if let Some(metrics) = &metrics {
        builder = metrics.watch(builder);
        config.script.iter().for_each(|script| script.measure(metrics));
    }
    let auth = with_callbacks(config, builder)?;
    metrics.iter().for_each(|metrics| metrics.know(&auth));
    Ok(auth)
}

fn with_callbacks(config: &Config, mut builder: Builder<App>) -> Result<Auth<Claims>, Failure> {
    let script = config.script.as_ref();
    // A form of the configuration with the same id takes its place.
    if config.has_form() && !script.is_some_and(|script| script.has_form("credentials")) {
        builder = match config.dev {
            true => builder.credentials(dev::form(), dev::authorize),
            false => builder.credentials(form("", ""), authorize),
        };
    }
    // The sign-in page shows forms first.
    let builder = config.add_stand_ins(config.add_email(builder));
    if let Some(doors) = Doors::of(config) {
        return build(doors.add_to(builder), script);
    }
    if config.dev {
        return dev::callbacks(builder).build().map_err(Failure::other);
    }
    builder
        .jwt(async |event: Jwt<Claims>, _| {
            Ok(Some(match event {
                Jwt::SignIn(it) => first_claims(&it)?,
                Jwt::Read(it) => it.claims,
            }))
        })
        .session(async |it, _| Ok(view(&it)))
        .build()
        .map_err(Failure::other)
}

fn build(builder: Builder<App, Claims>, script: Option<&Script>) -> Result<Auth<Claims>, Failure> {
    builder.build().map_err(|error| match script {
        Some(script) => Failure::Other(format!("{}: {error}", script.file())),
        None => Failure::other(error),
    })
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
    let user = app.users.authorize(&app.verifier, username, password).await?;
    if let Some(user) = &user {
        app.storage.follow(user).await.map_err(Error::from)?;
    }
    Ok(user)
}

/// What a new session keeps.
pub(crate) fn first_claims(event: &JwtSignIn) -> Result<Claims, BoxError> {
    let kept = Kept {
        role: event.user.get("role").and_then(|role| role.as_str()).map(str::to_owned),
        provider: event.account.provider.clone(),
        signed_in_at: SystemClock.now(),
    };
    Ok(Claims(to_raw_value(&kept)?))
}

/// What the browser sees of a session, also of one that Auth.js or other callbacks have made.
pub(crate) fn view(event: &SessionEvent<Claims>) -> View {
    let claims: Option<Value> = serde_json::from_str(event.claims.json()).ok();
    let role = claims.as_ref().and_then(|claims| claims.get("role")?.as_str()).map(str::to_owned);
    View { user: Person { public: event.user.public(), role } }
}

/// Name, address and picture, whatever the session keeps.
pub(crate) fn plain_view(event: &SessionEvent<Claims>) -> View {
    View { user: Person { public: event.user.public(), role: None } }
}
