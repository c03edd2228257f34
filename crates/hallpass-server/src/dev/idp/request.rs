//! The authorization request (RFC 6749 §4.1.1), and how the browser goes back.

use std::collections::HashMap;

use axum::response::{IntoResponse, Redirect, Response};
use hallpass::providers::Spec;
use serde::Serialize;
use url::Url;

use super::CLIENT;
use super::page;
use crate::config::is_loopback_host;

/// What was asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) redirect_uri: Url,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) scope: String,
    /// The answer is to be posted by the browser (OAuth 2.0 Form Post Response Mode).
    form_post: bool,
}

/// A parameter of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) value: String,
}

impl Asked {
    /// # Errors
    /// What is wrong with the request. Nobody is sent back then: the address may be anybody's.
    pub(super) fn read(spec: &Spec, query: &HashMap<String, String>) -> Result<Self, &'static str> {
        let param = |name: &str| query.get(name).filter(|value| !value.is_empty()).cloned();
        if param("client_id").as_deref() != Some(CLIENT) {
            return Err("client_id is not that of this server: start at the sign-in page");
        }
        if param("response_type").as_deref() != Some("code") {
            return Err("response_type is not code");
        }
        let redirect_uri = param("redirect_uri").and_then(|uri| Url::parse(&uri).ok());
        let redirect_uri = redirect_uri.ok_or("redirect_uri is missing, or no address")?;
        if !redirect_uri.host_str().is_some_and(is_loopback_host)
            || !matches!(redirect_uri.scheme(), "http" | "https")
        {
            return Err("redirect_uri is not on this machine, and a stand-in sends nobody elsewhere");
        }
        if !redirect_uri.path().ends_with(&format!("/callback/{}", spec.id)) {
            return Err("redirect_uri is not the callback address of this provider");
        }
        let challenge = param("code_challenge");
        if challenge.is_some() && param("code_challenge_method").as_deref() != Some("S256") {
            return Err("code_challenge_method is not S256");
        }
        Ok(Self {
            redirect_uri,
            state: param("state"),
            nonce: param("nonce"),
            challenge,
            scope: param("scope").unwrap_or_default(),
            form_post: param("response_mode").as_deref() == Some("form_post"),
        })
    }

    /// Whether something may be posted beside the code.
    pub(super) fn takes_posted(&self, spec: &Spec) -> bool {
        self.form_post && spec.posted.is_some()
    }

    /// Sends the browser back, with these parameters and the state.
    pub(super) fn answer(&self, spec: &Spec, mut parameters: Vec<Parameter>) -> Response {
        parameters.extend(self.state.clone().map(|state| Parameter::new("state", state)));
        if self.form_post {
            return page::hand_over(spec, self, &parameters);
        }
        let mut to = self.redirect_uri.clone();
        to.query_pairs_mut().extend_pairs(parameters.iter().map(|it| (&it.name, &it.value)));
        Redirect::to(to.as_str()).into_response()
    }
}

impl Parameter {
    pub(super) fn new(name: &str, value: impl Into<String>) -> Self {
        Self { name: name.to_owned(), value: value.into() }
    }
}
