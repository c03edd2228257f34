//! One relying party for each mode of the misbehaving provider, made when it is first asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use hallpass::providers::{Check, ProfileSource, Provider};
use hallpass::{Auth, Dialect, Environment};
use hallpass_axum::AuthExt;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::constants::Constants;
use crate::control;
use crate::probe::Probe;

#[derive(Clone)]
struct Parties {
    origin: Arc<str>,
    constants: Arc<Constants>,
    mounts: Arc<Mutex<HashMap<String, Party>>>,
}

#[derive(Clone)]
struct Party {
    probe: Probe,
    router: Router,
}

/// `/rp/MODES/auth` takes the profile from the ID token, `/rp-userinfo/MODES/auth` from the userinfo endpoint.
pub(crate) fn routes(origin: String) -> Router {
    let constants = Constants::read().map(Arc::new);
    let Ok(constants) = constants else { return Router::new() };
    let parties = Parties { origin: origin.into(), constants, mounts: Arc::default() };
    Router::new()
        .route("/rp/{modes}/{*path}", any(answer))
        .route("/rp-userinfo/{modes}/{*path}", any(answer))
        .route("/__rp/{modes}/state", get(state))
        .route("/__rp/{modes}/seed", post(seed))
        .route("/__rp-userinfo/{modes}/state", get(state))
        .route("/__rp-userinfo/{modes}/seed", post(seed))
        .with_state(parties)
}

async fn answer(State(parties): State<Parties>, request: Request) -> Response {
    let mut segments = request.uri().path().splitn(4, '/').skip(1);
    let (Some(kind), Some(modes)) = (segments.next(), segments.next()) else {
        return "no such party".into_response();
    };
    match parties.party(kind, modes) {
        Ok(party) => party.router.oneshot(request).await.into_response(),
        Err(error) => (axum::http::StatusCode::NOT_FOUND, error).into_response(),
    }
}

async fn state(State(parties): State<Parties>, request: Request) -> Result<Json<Value>, String> {
    let probe = parties.of_control(request.uri().path())?.probe;
    let database = control::database(&probe);
    let errors = probe.log().into_iter().filter(|entry| entry.get("kind") == Some(&json!("error")));
    let errors: Vec<_> = errors.filter_map(|entry| entry.get("name").cloned()).collect();
    Ok(Json(
        json!({ "users": database.get("users"), "accounts": database.get("accounts"), "errors": errors }),
    ))
}

async fn seed(
    State(parties): State<Parties>,
    Path(_): Path<String>,
    uri: axum::http::Uri,
    Json(seed): Json<control::Seed>,
) -> Result<Json<Value>, String> {
    control::plant(&parties.of_control(uri.path())?.probe, seed).await?;
    Ok(Json(json!({})))
}

impl Parties {
    fn of_control(&self, path: &str) -> Result<Party, String> {
        let mut segments = path.splitn(4, '/').skip(1);
        let kind = segments.next().and_then(|kind| kind.strip_prefix("__"));
        self.party(kind.unwrap_or_default(), segments.next().unwrap_or_default())
    }

    fn party(&self, kind: &str, modes: &str) -> Result<Party, String> {
        let mut mounts = self.mounts.lock().unwrap_or_else(PoisonError::into_inner);
        let base_path = format!("/{kind}/{modes}/auth");
        if let Some(party) = mounts.get(&base_path) {
            return Ok(party.clone());
        }
        let source = if kind == "rp-userinfo" { ProfileSource::UserInfo } else { ProfileSource::IdToken };
        let modes = percent_decode_str(modes).decode_utf8_lossy();
        let issuer = format!("{}/m/{modes}", self.origin);
        let provider = Provider::oidc("evil", "Evil OP", issuer)
            .client("rp", "top-secret")
            .checks(&[Check::Pkce, Check::State, Check::Nonce])
            .profile_source(source);
        let probe = Probe::new(Arc::clone(&self.constants), Dialect::V5);
        let errors = probe.clone();
        let auth = Auth::builder()
            .environment(Environment::empty())
            .secret(self.constants.secret.as_str())
            .trust_host(true)
            .provider(provider)
            .store(probe.store.clone())
            .base_path(base_path.as_str())
            .on_error(move |error, _| errors.failed(error, Dialect::V5))
            .build()
            .map_err(|error| error.to_string())?;
        let party = Party { probe, router: auth.routes() };
        mounts.insert(base_path, party.clone());
        Ok(party)
    }
}
