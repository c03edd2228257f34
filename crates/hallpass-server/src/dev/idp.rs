//! Stands in for every provider of the catalogue: an OAuth 2 and OpenID Connect server over loopback http, at which
//! anybody may be anybody.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::Router;
use axum::routing::{get, post};
use hallpass::Secret;
use hallpass::providers::{Endpoints, Provider, Spec};
use hallpass::random::NoRandomness;
use serde_json::{Map, Value};

use crate::secret;

mod answer;
mod authorize;
mod document;
mod fault;
mod grants;
mod keys;
mod page;
mod people;
mod request;
mod token;

use grants::Grants;
use keys::Keys;

/// The stand-in, with what it remembers until the server stops. Clones are the same.
#[derive(Clone)]
pub(crate) struct StandIn(Arc<Inner>);

struct Inner {
    covered: Vec<&'static Spec>,
    /// The address of this server, once it listens.
    origin: OnceLock<String>,
    client_secret: Secret,
    keys: Mutex<Keys>,
    grants: Mutex<Grants>,
}

impl StandIn {
    /// Stands in for these, with keys and a client secret of its own.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn new(covered: Vec<&'static Spec>) -> Result<Self, NoRandomness> {
        Ok(Self(Arc::new(Inner {
            covered,
            origin: OnceLock::new(),
            client_secret: secret::new()?,
            keys: Mutex::new(Keys::new()?),
            grants: Mutex::default(),
        })))
    }

    /// Says where this server listens.
    pub(crate) fn listens_at(&self, origin: &str) {
        // It never moves.
        let _ = self.0.origin.set(origin.to_owned());
    }

    /// The provider, moved here if this stands in for it.
    pub(crate) fn in_place_of(&self, provider: &Provider) -> Provider {
        let provider = provider.clone();
        let Some(spec) = self.spec(provider.id()) else { return provider };
        provider
            .client(CLIENT, self.0.client_secret.expose())
            .stand_in(&self.base(spec), self.issuer(spec, Tenant::Configured))
    }

    /// Everybody whom it stands in for.
    pub(crate) fn providers(&self) -> impl Iterator<Item = Provider> {
        self.0.covered.iter().map(|spec| self.in_place_of(&Provider::from(*spec)))
    }

    /// Their names, for people.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.covered.iter().map(|spec| spec.name)
    }

    /// Whether it stands in for this one.
    pub(crate) fn covers(&self, id: &str) -> bool {
        self.spec(id).is_some()
    }

    fn spec(&self, id: &str) -> Option<&'static Spec> {
        self.0.covered.iter().copied().find(|spec| spec.id == id)
    }

    /// Where it answers for a provider.
    fn base(&self, spec: &Spec) -> String {
        // Before it listens nobody asks; settings are checked with an address that could be.
        let origin = self.0.origin.get().map_or("http://127.0.0.1:3000", String::as_str);
        format!("{origin}/dev/idp/{}", spec.id)
    }

    /// The issuer, with the path that the provider's own has.
    fn issuer(&self, spec: &Spec, tenant: Tenant<'_>) -> String {
        let path = match spec.endpoints {
            Endpoints::Discovery { issuer } => path_of(issuer),
            _ => String::new(),
        };
        let own = match (tenant, spec.issuer_placeholder) {
            (Tenant::Any, Some((placeholder, _))) => Some(placeholder),
            (Tenant::Of(profile), Some((_, claim))) => profile.get(claim).and_then(Value::as_str),
            _ => None,
        };
        self.base(spec) + &filled(&path, own)
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.0.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn grants(&self) -> MutexGuard<'_, Grants> {
        self.0.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.0.covered.iter().map(|spec| spec.id).collect();
        f.debug_tuple("StandIn").field(&ids).finish()
    }
}

/// Whose issuer is meant, where every tenant has its own.
#[derive(Clone, Copy)]
enum Tenant<'a> {
    /// The one in the settings.
    Configured,
    /// All of them: what the discovery document says.
    Any,
    /// That of the person whom these claims describe.
    Of(&'a Map<String, Value>),
}

pub(super) fn routes(stand_in: StandIn) -> Router {
    Router::new()
        .route("/dev/idp/{provider}/authorize", get(page::page).post(authorize::authorize))
        .route("/dev/idp/{provider}/token", post(token::token))
        .route("/dev/idp/{provider}/userinfo", get(token::userinfo))
        .route("/dev/idp/{provider}/follow-up", get(token::follow_up))
        .route("/dev/idp/{provider}/jwks", get(document::jwks))
        .route("/dev/idp/{provider}/{*path}", get(document::discovery))
        .with_state(stand_in)
}

/// `/{tenant=common}/v2.0` of `https://login.microsoftonline.com/{tenant=common}/v2.0`.
fn path_of(issuer: &str) -> String {
    let rest = issuer.split_once("://").map_or("", |(_, rest)| rest);
    rest.split_once('/').map(|(_, path)| format!("/{path}")).unwrap_or_default()
}

/// Replaces what stands between braces: by `value`, its default or its name.
fn filled(path: &str, value: Option<&str>) -> String {
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, (placeholder, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        let default = placeholder.split_once('=').map_or(placeholder, |(_, default)| default);
        filled.push_str(before);
        filled.push_str(value.unwrap_or(default));
        rest = after;
    }
    filled + rest
}

/// Id of the client that Hallpass is here.
const CLIENT: &str = "hallpass";

#[cfg(test)]
mod tests;
