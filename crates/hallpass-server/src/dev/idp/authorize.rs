//! Somebody has decided who they are, or what goes wrong.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use hallpass::providers::Spec;
use http::StatusCode;
use serde_json::{Map, Value};

use super::fault::{self, Fault};
use super::grants::Grant;
use super::page::{self, Editor};
use super::people::Answers;
use super::request::{Asked, Parameter};
use super::token::random;
use super::{StandIn, Tenant, answer};

/// The form of the page (RFC 6749 §4.1.2).
pub(super) async fn authorize(
    State(stand_in): State<StandIn>,
    Path(provider): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let Some(spec) = stand_in.spec(&provider) else { return answer::nobody() };
    let asked = match Asked::read(spec, &query) {
        Ok(asked) => asked,
        Err(why) => return page::refused(spec, why),
    };
    let person = page::person(form.get("person"));
    let typed = Editor::typed(&form);
    let answers = match &typed {
        Some(typed) => typed.answers(),
        None => Ok(stand_in.answers(spec, person)),
    };
    let fault = match form.get("outcome").map(String::as_str) {
        None | Some("sign-in") => None,
        Some(value) => match fault::buttons(spec).find(|button| button.value == value) {
            Some(button) => Some(button.fault),
            None => return page::refused(spec, "the form names an outcome that is none"),
        },
    };
    if fault == Some(Fault::Denied) {
        let iss = stand_in.issuer(spec, Tenant::Configured);
        let description = "the person has denied the request";
        return asked.answer(
            spec,
            vec![
                Parameter::new("error", "access_denied"),
                Parameter::new("error_description", description),
                Parameter::new("iss", iss),
            ],
        );
    }
    let answers = match (answers, typed) {
        (Ok(answers), _) => answers,
        (Err(problem), typed) => {
            let editor = typed.unwrap_or_else(Editor::empty);
            return page::show(spec, &asked, &query, person, editor, Some(problem));
        }
    };
    stand_in.grant(spec, &asked, person.slug, answers, fault)
}

impl StandIn {
    /// Sends the browser back with a code.
    fn grant(
        &self,
        spec: &'static Spec,
        asked: &Asked,
        person: &str,
        mut answers: Answers,
        fault: Option<Fault>,
    ) -> Response {
        if fault == Some(Fault::Unverified) {
            answers.set_verified(false);
        }
        let Ok(code) = random() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
        let iss = self.issuer(spec, Tenant::Of(&answers.profile));
        let mut parameters = vec![Parameter::new("code", &code), Parameter::new("iss", iss)];
        if asked.takes_posted(spec) {
            let posted = std::mem::take(&mut answers.posted);
            parameters.extend(posted.into_iter().map(|(name, value)| Parameter::new(&name, plain(&value))));
        }
        let grant = Grant {
            spec,
            answers,
            redirect_uri: asked.redirect_uri.to_string(),
            challenge: asked.challenge.clone(),
            nonce: asked.nonce.clone(),
            scope: asked.scope.clone(),
            fault,
        };
        let mut grants = self.grants();
        grants.codes.insert(code, Arc::new(grant));
        grants.met.insert((spec.id, person.to_owned()));
        drop(grants);
        asked.answer(spec, parameters)
    }
}

impl Editor {
    /// What was typed, unless a button did without.
    fn typed(form: &HashMap<String, String>) -> Option<Self> {
        let profile = form.get("profile")?.clone();
        Some(Self { profile, follow_up: form.get("follow_up").cloned(), posted: form.get("posted").cloned() })
    }

    fn empty() -> Self {
        Self { profile: String::new(), follow_up: None, posted: None }
    }

    /// # Errors
    /// Which text is no JSON, or not of the kind that is needed.
    fn answers(&self) -> Result<Answers, String> {
        let follow_up = self.follow_up.as_deref().filter(|text| !text.trim().is_empty());
        let follow_up = follow_up.map(serde_json::from_str).transpose();
        let posted = self.posted.as_deref().filter(|text| !text.trim().is_empty());
        Ok(Answers {
            profile: object("The profile", &self.profile)?,
            follow_up: follow_up.map_err(|error| format!("The follow-up answer is not JSON: {error}."))?,
            posted: posted.map(|text| object("What is posted", text)).transpose()?.unwrap_or_default(),
        })
    }
}

fn object(what: &str, text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(format!("{what} is no JSON object: it begins with {{.")),
        Err(error) => Err(format!("{what} is not JSON: {error}.")),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
