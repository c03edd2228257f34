//! What is asked and told, and what the answers mean.

use std::sync::Arc;

use hallpass::{BoxError, Decision, Event, Jwt, JwtDecision, SessionEvent, SignIn, strip_secrets};
use serde_json::{Map, Value};

use super::{Callback, Failed, Webhooks};
use crate::doors::{Json, Returned};
use crate::session::Claims;

impl Webhooks {
    /// `true`, `false`, or an address to send the browser to.
    ///
    /// # Errors
    /// When there is no such answer: nobody is let in.
    pub(crate) async fn sign_in(&self, event: SignIn) -> Result<Decision, BoxError> {
        let answer = self.answer(Callback::SignIn, serde_json::to_value(&event)?).await?;
        match answer {
            Value::Bool(allowed) => Ok(Decision::from(allowed)),
            Value::String(url) if !url.is_empty() => Ok(Decision::Redirect(url)),
            _ => Err(self.refused(Callback::SignIn, "the answer is not true, false or an address")),
        }
    }

    /// The token, or `null`, which ends the session.
    ///
    /// # Errors
    /// When there is no such answer.
    pub(crate) async fn jwt(&self, event: Jwt<Claims, Value>) -> Result<JwtDecision<Claims>, BoxError> {
        let data = serde_json::to_value(&event)?;
        let token = match event {
            Jwt::SignIn(it) => it.token,
            Jwt::Update(it) => it.token,
            Jwt::Read(it) => it.token,
        };
        match self.answer(Callback::Jwt, data).await? {
            Value::Null => Ok(JwtDecision::End),
            answer @ Value::Object(_) => Returned::read(&answer.to_string())?.decide(token),
            _ => Err(self.refused(Callback::Jwt, "the answer is not a token: an object, or null")),
        }
    }

    /// What the browser sees, or `null`.
    ///
    /// # Errors
    /// When there is no such answer.
    pub(crate) async fn session(&self, event: SessionEvent<Claims>) -> Result<Json, BoxError> {
        let mut data = serde_json::to_value(&event)?;
        if let Some(data) = data.as_object_mut() {
            data.insert("token".to_owned(), serde_json::to_value(&event.token)?);
        }
        let mut answer = self.answer(Callback::Session, data).await?;
        match &mut answer {
            Value::Null => {}
            Value::Object(fields) => {
                // Hallpass says it.
                fields.remove("expires");
            }
            _ => return Err(self.refused(Callback::Session, "the answer is not an object, or null")),
        }
        Json::of(&answer)
    }

    /// Tells what happened, without waiting.
    pub(crate) fn tell(self: &Arc<Self>, event: &Event) {
        let Some((_, name)) = EVENTS.iter().find(|(name, _)| *name == event.name()) else { return };
        if !self.settings.events.contains(name) {
            return;
        }
        let Ok(data) = serde_json::to_value(event) else { return };
        let data = self.without_secrets(data);
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            tracing::error!("webhook `{name}` was not told: too many are waiting");
            return;
        };
        let webhooks = Arc::clone(self);
        tokio::spawn(async move {
            let _place = place;
            if let Err(failed) = webhooks.send(&format!("event.{name}"), data).await {
                tracing::error!("webhook `{name}` was not told: {}", failed.message);
            }
        });
    }

    async fn answer(&self, callback: Callback, data: Value) -> Result<Value, BoxError> {
        // What `jwt` is not given it cannot give back, and what it does not give back is gone.
        let token = match callback {
            Callback::Jwt => data.get("token").cloned(),
            _ => None,
        };
        let mut data = self.without_secrets(data);
        if let (Some(token), Some(fields)) = (token, data.as_object_mut()) {
            fields.insert("token".to_owned(), token);
        }
        self.ask(callback, data).await.map_err(|failed| self.report(callback, &failed))
    }

    fn refused(&self, callback: Callback, message: &str) -> BoxError {
        self.report(callback, &Failed::wrong(message))
    }

    /// What was typed into a form never goes, nor does a session's token; tokens of providers only where they are
    /// asked for.
    fn without_secrets(&self, mut data: Value) -> Value {
        let Some(fields) = data.as_object_mut() else { return data };
        fields.remove("credentials");
        if let Some(session) = fields.get_mut("session").and_then(Value::as_object_mut) {
            session.remove("sessionToken");
        }
        if self.settings.provider_tokens {
            return data;
        }
        if let Some(account) = fields.get_mut("account").and_then(Value::as_object_mut) {
            retain(account, ACCOUNT);
        }
        strip_secrets(&mut data);
        data
    }
}

fn retain(fields: &mut Map<String, Value>, names: &[&str]) {
    fields.retain(|name, _| names.contains(&name.as_str()));
}

/// Events as Auth.js calls them, and as the settings do.
pub(crate) const EVENTS: [(&str, &str); 5] = [
    ("signIn", "sign_in"),
    ("signOut", "sign_out"),
    ("createUser", "create_user"),
    ("updateUser", "update_user"),
    ("linkAccount", "link_account"),
];

/// What of an account is no secret.
const ACCOUNT: &[&str] =
    &["provider", "type", "providerAccountId", "userId", "scope", "token_type", "expires_at"];
