//! What target and harness must agree on: `profiles.json` of the harness, and its two providers' addresses.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Constants {
    pub(crate) secret: String,
    pub(crate) old_secret: String,
    pub(crate) env_secret: String,
    pub(crate) env_secret1: String,
    clients: HashMap<String, Client>,
    pub(crate) credentials: HashMap<String, Person>,
    profiles: HashMap<String, Profile>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Client {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Person {
    pub(crate) password: String,
    pub(crate) user: Value,
}

#[derive(Clone, Deserialize)]
struct Profile {
    base: String,
}

impl Constants {
    pub(crate) fn read() -> Result<Self, serde_json::Error> {
        serde_json::from_str(include_str!("../profiles.json"))
    }

    pub(crate) fn client(&self, id: &str) -> Result<&Client, String> {
        self.clients.get(id).ok_or_else(|| format!("profiles.json has no client {id:?}"))
    }

    pub(crate) fn base(&self, profile: &str) -> Result<&str, String> {
        let profile =
            self.profiles.get(profile).ok_or_else(|| format!("profiles.json has no profile {profile:?}"))?;
        Ok(&profile.base)
    }
}

/// The OpenID provider of the harness.
pub(crate) fn op() -> String {
    at("CONFORMANCE_OP_PORT", "18801")
}

/// Its small provider that can misbehave.
pub(crate) fn fake() -> String {
    at("CONFORMANCE_FAKE_PORT", "18802")
}

#[expect(clippy::disallowed_methods, reason = "the harness says by environment where its providers are")]
fn at(variable: &str, default: &str) -> String {
    format!("http://127.0.0.1:{}", std::env::var(variable).unwrap_or_else(|_| default.to_owned()))
}
