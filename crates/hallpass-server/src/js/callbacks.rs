//! The callbacks of a configuration, as the library calls them.

use std::borrow::Cow;
use std::sync::Arc;

use hallpass::{
    BoxError, Builder, CredentialsInput, Decision, Event, Jwt, JwtDecision, JwtRead, Redirect, RequestInfo,
    SessionEvent, SignIn, Token, User,
};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::engine::Input;
use super::script::Script;
use super::{arguments, providers};
use crate::dev;
use crate::doors::{Json, Returned, without_expires};
use crate::session::{App, Claims};

/// Adds the forms of the configuration.
pub(crate) fn add_forms(mut builder: Builder<App>, script: &Arc<Script>) -> Builder<App> {
    for form in &script.description.forms {
        let (script, id) = (Arc::clone(script), form.id.clone());
        builder = builder.credentials(providers::form(form), move |input, _| {
            let (script, id) = (Arc::clone(&script), id.clone());
            async move { script.authorize(&id, input).await }
        });
    }
    builder
}

impl Script {
    /// The `jwt` callback; nothing is kept without one.
    pub(crate) async fn jwt(&self, event: Jwt<Claims, Value>) -> Result<JwtDecision<Claims>, BoxError> {
        if !self.has_callback("jwt") {
            return Ok(Some(match event {
                Jwt::SignIn(_) => Claims::parse("{}".to_owned())?,
                Jwt::Update(it) => it.claims,
                Jwt::Read(it) => it.claims,
            })
            .into());
        }
        let event = match event {
            // In development people see the whole argument.
            Jwt::Read(it) if !self.dev => return self.jwt_at_read(it).await,
            event => event,
        };
        let argument = serde_json::to_string(&event)?;
        let (token, request, trigger) = match event {
            Jwt::SignIn(it) => {
                let trigger = if it.is_sign_up() { "signUp" } else { "signIn" };
                (it.token, it.request, trigger)
            }
            Jwt::Update(it) => (it.token, it.request, "update"),
            Jwt::Read(it) => (it.token, it.request, "read"),
        };
        let answer = self
            .ask("jwt", Some(trigger), Input::Argument(&argument), Some(&request), Some(token.sub()))
            .await?;
        self.decide(&answer, token, None)
    }

    async fn jwt_at_read(&self, it: JwtRead<Claims>) -> Result<JwtDecision<Claims>, BoxError> {
        let token = arguments::token(&it.token, &it.claims)?;
        // What is inside of an object may change without a trace.
        if !arguments::is_flat(&token) {
            let argument = format!("{{\"token\":{token}}}");
            let answer = self
                .ask("jwt", None, Input::Argument(&argument), Some(&it.request), Some(it.token.sub()))
                .await?;
            return self.decide(&answer, it.token, None);
        }
        let answer = self
            .ask("jwt", None, Input::Read { token: &token }, Some(&it.request), Some(it.token.sub()))
            .await?;
        self.decide(&answer, it.token, Some(it.claims))
    }

    fn decide(
        &self,
        answer: &str,
        token: Token,
        unchanged: Option<Claims>,
    ) -> Result<JwtDecision<Claims>, BoxError> {
        match (answer, unchanged) {
            ("", Some(claims)) => Ok(Some(claims).into()),
            ("null", _) => Ok(JwtDecision::End),
            ("undefined", _) => Err(self.said("`jwt` returned nothing: end it with `return token`")),
            (json, _) => Returned::read(json)?.decide(token),
        }
    }

    /// The `session` callback; name, address and picture without one.
    pub(crate) async fn session(&self, event: SessionEvent<Claims>) -> Result<Json, BoxError> {
        if !self.has_callback("session") {
            let json = serde_json::to_string(&json!({ "user": event.user.public() }))?;
            return Ok(Json(RawValue::from_string(json)?));
        }
        let expires = event.expires.to_iso();
        let answer = if event.stored_user.is_none() && !self.dev {
            let token = arguments::token(&event.token, &event.claims)?;
            let input = Input::Show { token: &token, expires: &expires };
            self.ask("session", None, input, Some(&event.request), Some(event.token.sub())).await?
        } else {
            let mut argument = serde_json::to_string(&event)?;
            if event.stored_user.is_some() && argument.ends_with('}') {
                // With sessions in the database, too, the callback gets what the session keeps.
                argument.pop();
                argument.push_str(r#","token":"#);
                argument.push_str(&serde_json::to_string(&event.token)?);
                argument.push('}');
            }
            self.ask(
                "session",
                None,
                Input::Argument(&argument),
                Some(&event.request),
                Some(event.token.sub()),
            )
            .await?
        };
        let json = match answer.as_str() {
            "null" | "undefined" => "null".to_owned(),
            json if json.starts_with('{') => without_expires(answer, &expires),
            _ => return Err(self.said("`session` must return an object: end it with `return session`")),
        };
        Ok(Json(RawValue::from_string(json)?))
    }

    /// The `signIn` callback.
    pub(crate) async fn sign_in(&self, event: SignIn) -> Result<Decision, BoxError> {
        let argument = serde_json::to_string(&event)?;
        let answer = self
            .ask("signIn", None, Input::Argument(&argument), Some(&event.request), Some(&event.user.id))
            .await?;
        Ok(match serde_json::from_str(&answer) {
            Ok(Value::Bool(allowed)) => Decision::from(allowed),
            Ok(Value::String(url)) if !url.is_empty() => Decision::Redirect(url),
            Ok(Value::Object(_) | Value::Array(_)) => Decision::Allow,
            Ok(Value::Number(number)) => Decision::from(number.as_f64() != Some(0.0)),
            // Nothing, as anything that is not true, refuses.
            _ => Decision::Deny,
        })
    }

    /// The `redirect` callback.
    pub(crate) async fn redirect(&self, event: Redirect) -> Result<String, BoxError> {
        let argument = serde_json::to_string(&event)?;
        let answer = self.ask("redirect", None, Input::Argument(&argument), None, None).await?;
        serde_json::from_str(&answer).map_err(|_| self.said("`redirect` must return an address: a text"))
    }

    /// The event of that name, if the configuration has one.
    pub(crate) async fn event(&self, event: Event) -> Result<(), BoxError> {
        let name = event.name();
        if !self.has_event(name) {
            return Ok(());
        }
        let argument = serde_json::to_string(&json!({ "name": name, "message": event }))?;
        self.ask("event", Some(name), Input::Argument(&argument), None, None).await.map(drop)
    }

    async fn authorize(&self, id: &str, input: CredentialsInput) -> Result<Option<User>, BoxError> {
        let argument = serde_json::to_string(&json!({ "id": id, "credentials": input.fields() }))?;
        let request = self.seen.request(input.request());
        let call = async {
            self.pool
                .call("authorize", Input::Argument(&argument), &request, None)
                .await
                .map_err(super::Fault::report)
        };
        let given = || dev::masked_form(input.fields().clone());
        let answer = self.observed("authorize", None, given, call).await?;
        match serde_json::from_str(&answer) {
            Ok(user @ Value::Object(_)) => Ok(Some(User::from_json(user)?)),
            _ => Ok(None),
        }
    }

    async fn ask(
        &self,
        kind: &'static str,
        trigger: Option<&'static str>,
        input: Input<'_>,
        request: Option<&Arc<RequestInfo>>,
        person: Option<&str>,
    ) -> Result<String, BoxError> {
        let request: Cow<'_, str> = match request {
            Some(info) if self.is_per_request => self.seen.request(info).into(),
            None if self.is_per_request => super::request::stub().into(),
            _ => "".into(),
        };
        let call =
            async { self.pool.call(kind, input, &request, person).await.map_err(super::Fault::report) };
        if !self.dev {
            return call.await;
        }
        let given = || match input {
            Input::Argument(argument) => dev::masked(serde_json::from_str(argument).unwrap_or_default()),
            Input::Read { .. } | Input::Show { .. } => Value::Null,
        };
        self.observed(kind, trigger, given, call).await
    }

    /// In development mode people see what the callbacks did.
    async fn observed(
        &self,
        kind: &'static str,
        trigger: Option<&'static str>,
        given: impl FnOnce() -> Value,
        call: impl Future<Output = Result<String, BoxError>>,
    ) -> Result<String, BoxError> {
        if !self.dev || trigger == Some("session") {
            return call.await;
        }
        let shown = match kind {
            "signIn" => "sign_in",
            "event" => "on_event",
            other => other,
        };
        let answer = |json: &String| serde_json::from_str(json).unwrap_or_default();
        dev::observe(shown, trigger, given(), answer, call).await
    }

    fn said(&self, message: &str) -> BoxError {
        let message = format!("{}: {message}", self.file());
        tracing::error!("{message}");
        message.into()
    }
}

impl super::Fault {
    /// Writes it to the log, and makes it the library's error.
    fn report(self) -> BoxError {
        if self.code.is_none() {
            tracing::error!("{self}");
        }
        self.into_error()
    }
}
