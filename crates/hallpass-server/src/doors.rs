//! The doors through which an application takes part: JavaScript, webhooks, expressions. Each callback has one.

use std::sync::Arc;

use hallpass::{BoxError, Builder, Decision, Event, Jwt, JwtDecision, NoUpdate, SessionEvent, SignIn};
use serde_json::Value;

use crate::cel::Expressions;
use crate::config::Config;
use crate::js::{self, Script};
use crate::session::{App, Claims, first_claims, plain_view, view};
use crate::webhooks::{Callback, Webhooks};

mod answers;

pub(crate) use answers::{Json, Returned, without_expires};

/// Those that the settings open.
#[derive(Debug)]
pub(crate) struct Doors {
    script: Option<Arc<Script>>,
    webhooks: Option<Arc<Webhooks>>,
    expressions: Option<Arc<Expressions>>,
}

impl Doors {
    /// `None` where there are none.
    pub(crate) fn of(config: &Config) -> Option<Self> {
        let doors = Self {
            script: config.script.clone().map(Arc::new),
            webhooks: config.webhooks.clone(),
            expressions: config.expressions.clone(),
        };
        let is_any = doors.script.is_some() || doors.webhooks.is_some() || doors.expressions.is_some();
        is_any.then_some(doors)
    }

    /// Registers everything that comes through them.
    pub(crate) fn add_to(self, mut builder: Builder<App>) -> Builder<App, Claims> {
        if let Some(script) = &self.script {
            builder = js::add_forms(builder.update_from_query(script.query().to_vec()), script);
        }
        let doors = Arc::new(self);
        if doors.decides_sign_in() {
            let doors = Arc::clone(&doors);
            builder = builder.sign_in(move |event, _| {
                let doors = Arc::clone(&doors);
                async move { doors.sign_in(event).await }
            });
        }
        if let Some(script) = doors.script_with("redirect") {
            builder = builder.redirect(move |event, _| {
                let script = Arc::clone(&script);
                async move { script.redirect(event).await }
            });
        }
        if doors.hears_events() {
            let doors = Arc::clone(&doors);
            builder = builder.on_event(move |event, _| {
                let doors = Arc::clone(&doors);
                async move { doors.event(event).await }
            });
        }
        let jwt = Arc::clone(&doors);
        let builder = match doors.others_keep() {
            true => builder.jwt(move |event: Jwt<Claims, Value>, _| {
                let doors = Arc::clone(&jwt);
                async move { doors.jwt(event).await }
            }),
            false => builder.jwt(move |event: Jwt<Claims, NoUpdate>, _| {
                let doors = Arc::clone(&jwt);
                async move { doors.jwt(without_update(event)).await }
            }),
        };
        builder.session(move |event, _| {
            let doors = Arc::clone(&doors);
            async move { doors.session(event).await }
        })
    }

    fn script_with(&self, callback: &str) -> Option<Arc<Script>> {
        self.script.clone().filter(|script| script.has_callback(callback))
    }

    fn webhooks_for(&self, callback: Callback) -> Option<&Webhooks> {
        self.webhooks.as_deref().filter(|webhooks| webhooks.asks(callback))
    }

    fn decides_sign_in(&self) -> bool {
        self.script_with("signIn").is_some()
            || self.webhooks_for(Callback::SignIn).is_some()
            || self.expressions.as_ref().is_some_and(|expressions| expressions.has_condition())
    }

    fn hears_events(&self) -> bool {
        self.script.as_ref().is_some_and(|script| script.has_events())
            || self.webhooks.as_ref().is_some_and(|webhooks| webhooks.hears_events())
    }

    /// Whether JavaScript or webhooks say what a session keeps: they judge what a client sends, too.
    fn others_keep(&self) -> bool {
        self.webhooks_for(Callback::Jwt).is_some() || (self.script.is_some() && !self.has_claims())
    }

    fn has_claims(&self) -> bool {
        self.expressions.as_ref().is_some_and(|expressions| expressions.has_claims())
    }

    async fn sign_in(&self, event: SignIn) -> Result<Decision, BoxError> {
        if let Some(webhooks) = self.webhooks_for(Callback::SignIn) {
            return webhooks.sign_in(event).await;
        }
        if let Some(expressions) = self.expressions.as_ref().filter(|it| it.has_condition()) {
            return expressions.sign_in(&event);
        }
        match self.script_with("signIn") {
            Some(script) => script.sign_in(event).await,
            None => Ok(Decision::Allow),
        }
    }

    async fn jwt(&self, event: Jwt<Claims, Value>) -> Result<JwtDecision<Claims>, BoxError> {
        if let Some(webhooks) = self.webhooks_for(Callback::Jwt) {
            return webhooks.jwt(event).await;
        }
        if !self.has_claims()
            && let Some(script) = &self.script
        {
            return script.jwt(event).await;
        }
        Ok(Some(match event {
            Jwt::SignIn(it) => match self.expressions.as_ref().filter(|it| it.has_claims()) {
                Some(expressions) => expressions.claims(&it)?,
                None => first_claims(&it)?,
            },
            Jwt::Update(it) => it.claims,
            Jwt::Read(it) => it.claims,
        })
        .into())
    }

    async fn session(&self, event: SessionEvent<Claims>) -> Result<Json, BoxError> {
        if let Some(webhooks) = self.webhooks_for(Callback::Session) {
            return webhooks.session(event).await;
        }
        let expressions = self.expressions.as_ref().filter(|it| it.has_view());
        if expressions.is_none()
            && let Some(script) = &self.script
        {
            return script.session(event).await;
        }
        // What others keep is shown only where somebody says so.
        let view = if self.others_keep() { plain_view(&event) } else { view(&event) };
        match expressions {
            Some(expressions) => expressions.view(&event, view),
            None => Json::of(&view),
        }
    }

    async fn event(&self, event: Event) -> Result<(), BoxError> {
        if let Some(webhooks) = &self.webhooks {
            webhooks.tell(&event);
        }
        match &self.script {
            Some(script) if script.has_events() => script.event(event).await,
            _ => Ok(()),
        }
    }
}

/// Clients change nothing: there is no such event.
fn without_update(event: Jwt<Claims, NoUpdate>) -> Jwt<Claims, Value> {
    match event {
        Jwt::SignIn(it) => Jwt::SignIn(it),
        Jwt::Read(it) => Jwt::Read(it),
    }
}
