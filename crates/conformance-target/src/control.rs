//! The control interface of the harness: `/__test/PROFILE/…`.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use hallpass::{Account, OneTimeToken, SessionToken, Store, StoredSession, Timestamp, User};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::probe::Probe;

pub(crate) fn routes(profile: &str, probe: Probe) -> Router {
    let router = Router::new()
        .route(
            "/reset",
            post(async |State(probe): State<Probe>| {
                probe.reset();
                Json(json!({}))
            }),
        )
        .route("/log", get(async |State(probe): State<Probe>| Json(probe.log())))
        .route("/last-email", get(async |State(probe): State<Probe>| Json(probe.last_email())))
        .route("/db", get(async |State(probe): State<Probe>| Json(database(&probe))))
        .route("/seed", post(seed))
        .route(
            "/forget-user",
            post(async |State(probe): State<Probe>, Json(body): Json<Value>| {
                let id = body.get("id").and_then(Value::as_str).unwrap_or_default();
                probe.store.delete_user(id).await.map_err(|error| error.to_string())?;
                Ok::<_, String>(Json(json!({})))
            }),
        )
        .with_state(probe);
    Router::new().nest(&format!("/__test/{profile}"), router)
}

/// Everything stored, as Auth.js' adapters get it.
pub(crate) fn database(probe: &Probe) -> Value {
    let rows = probe.store.rows();
    let users = rows.users.into_iter().map(|mut user| {
        user.extra.retain(|field, _| matches!(field.as_str(), "name" | "email" | "image"));
        let mut row = json!(user);
        let columns = row.as_object_mut();
        columns.map(|columns| columns.insert("emailVerified".to_owned(), json!(user.email_verified)));
        row
    });
    // What Hallpass keeps for itself, Auth.js has no rows of.
    let mailed = rows.tokens.iter().filter(|token| !token.identifier.starts_with("hallpass: "));
    let tokens = mailed.map(
        |token| json!({ "identifier": token.identifier, "token": token.hash, "expires": token.expires }),
    );
    let sessions = rows.sessions.iter().map(|(token, session)| {
        json!({ "sessionToken": token.expose(), "userId": session.user_id, "expires": session.expires })
    });
    json!({
        "users": users.collect::<Vec<_>>(),
        "accounts": rows.accounts,
        "sessions": sessions.collect::<Vec<_>>(),
        "verificationTokens": tokens.collect::<Vec<_>>(),
        "authenticators": [],
    })
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Seed {
    users: Vec<Value>,
    accounts: Vec<Account>,
    sessions: Vec<SeedSession>,
    verification_tokens: Vec<SeedToken>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SeedToken {
    identifier: String,
    token: String,
    expires_in: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SeedSession {
    session_token: String,
    user_id: String,
    expires_in: f64,
}

async fn seed(State(probe): State<Probe>, Json(seed): Json<Seed>) -> Result<Json<Value>, String> {
    plant(&probe, seed).await?;
    Ok(Json(json!({})))
}

pub(crate) async fn plant(probe: &Probe, seed: Seed) -> Result<(), String> {
    for row in seed.users {
        let nulls: Vec<_> =
            ["name", "email", "image"].into_iter().filter(|it| row.get(it) == Some(&Value::Null)).collect();
        let user = User::from_json(row).map_err(|error| error.to_string())?;
        // A column that is empty, as opposed to one that the adapter was never given.
        let user = nulls.into_iter().fold(user, |user, field| user.with(field, Value::Null));
        probe.store.create_user(user, None).await.map_err(|error| error.to_string())?;
    }
    for account in seed.accounts {
        let owner = probe.store.user(account.user_id.as_deref().unwrap_or_default()).await;
        let owner = owner.map_err(|error| error.to_string())?.ok_or("an account of nobody")?;
        probe.store.link_account(&owner, account).await.map_err(|error| error.to_string())?;
    }
    for session in seed.sessions {
        let token = SessionToken::new(session.session_token);
        let expires = Timestamp::from_millis(now().millis() + (session.expires_in * 1000.0) as i64);
        let session = StoredSession::new(&token, session.user_id, expires);
        probe.store.create_session(&token, session).await.map_err(|error| error.to_string())?;
    }
    for token in seed.verification_tokens {
        let expires = Timestamp::from_seconds(now().seconds() + token.expires_in);
        let token = OneTimeToken::new(token.identifier, token.token, expires);
        probe.store.create_token(token).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn now() -> Timestamp {
    use hallpass::clock::{Clock, SystemClock};
    SystemClock.now()
}
