//! The callbacks of the server, each watched; and one change that a client may make.

use hallpass::{BoxError, Builder, CredentialsInput, Decision, Error, Event, Jwt, JwtDecision, SignIn, User};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::mask::{masked, masked_form};
use super::timeline::observe;
use crate::session::{self, App, Claims, View, first_claims, view};

/// What a client may change in development mode: the display name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rename {
    name: DisplayName,
}

/// One line that is not empty and not long.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct DisplayName(String);

impl TryFrom<String> for DisplayName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let name = text.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err("a display name is one line of 1 to 60 characters");
        }
        Ok(Self(name.to_owned()))
    }
}

/// Registers them.
pub(crate) fn callbacks(builder: Builder<App>) -> Builder<App, Claims> {
    builder
        .sign_in(async |event: SignIn, _| {
            observe("sign_in", None, given(&event), |_| json!(true), async { Ok(Decision::Allow) }).await
        })
        .jwt(async |event: Jwt<Claims, Rename>, app| {
            let (trigger, given) = (trigger(&event), given(&event));
            observe("jwt", Some(trigger), given, answered_claims, decide(event, app)).await
        })
        .session(async |event, _| {
            let given = given(&event);
            observe("session", None, given, |view: &View| json!(view), async { Ok(view(&event)) }).await
        })
        .on_event(async |event: Event, _| {
            // One for each look at a session would hide everything else.
            if matches!(event, Event::Session { .. }) {
                return Ok(());
            }
            observe("on_event", Some(event.name()), given(&event), |()| Value::Null, async { Ok(()) }).await
        })
}

/// Checks name and password.
pub(crate) async fn authorize(input: CredentialsInput, app: App) -> Result<Option<User>, BoxError> {
    let given = masked_form(input.fields().clone());
    observe("authorize", None, given, |user| json!(user), session::authorize(input, app)).await
}

async fn decide(event: Jwt<Claims, Rename>, app: App) -> Result<JwtDecision<Claims>, BoxError> {
    Ok(match event {
        Jwt::SignIn(it) => Some(first_claims(&it)?).into(),
        Jwt::Read(it) => Some(it.claims).into(),
        Jwt::Update(mut it) => {
            let name = it.update.name.0;
            // A session in the database shows its user as the database has them, one in a token what the token says.
            app.storage.rename(&it.user.id, &name).await.map_err(Error::from)?;
            it.token.name = Some(name);
            it.token.with(it.claims)
        }
    })
}

fn trigger(event: &Jwt<Claims, Rename>) -> &'static str {
    match event {
        Jwt::SignIn(it) if it.is_sign_up() => "signUp",
        Jwt::SignIn(_) => "signIn",
        Jwt::Update(_) => "update",
        Jwt::Read(_) => "read",
    }
}

fn answered_claims(decision: &JwtDecision<Claims>) -> Value {
    match decision {
        JwtDecision::Keep { token: Some(token), claims } => json!({ "name": token.name, "claims": claims }),
        JwtDecision::Keep { claims, .. } => json!(claims),
        _ => Value::Null,
    }
}

fn given(event: &impl Serialize) -> Value {
    masked(serde_json::to_value(event).unwrap_or_default())
}

const LONGEST_NAME: usize = 60;
