//! Sessions that handlers change and end: their visitor's, and somebody else's.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use hallpass::{Auth, Error, UserChange};
use hallpass_axum::Session;
use serde_json::json;

use crate::company::Claims;

/// To merge into the application's router.
pub fn routes() -> Router<Auth<Claims>> {
    Router::new()
        .route("/pick/{company}", post(pick))
        .route("/assign/{user}", post(assign))
        .route("/rename/{user}", post(rename))
        .route("/devices", get(devices))
        .route("/sign-out", post(sign_out))
        .route("/sign-out-elsewhere", post(sign_out_elsewhere))
        .route("/sign-out-everywhere", post(sign_out_everywhere))
}

async fn pick(mut session: Session<Claims>, Path(company): Path<String>) -> Result<(), StatusCode> {
    // The session of this request; the new cookie is on this answer.
    session.update(|claims| claims.selected_company_id = Some(company.clone())).await.map_err(later)
}

async fn assign(
    State(auth): State<Auth<Claims>>,
    session: Session<Claims>,
    Path(user): Path<String>,
) -> Result<(), StatusCode> {
    only_staff(&session)?;
    // Somebody else's sessions, wherever they are.
    auth.sessions().update(&user, json!({ "selectedCompanyId": "acme" })).await.map_err(later)
}

async fn rename(
    State(auth): State<Auth<Claims>>,
    session: Session<Claims>,
    Path(user): Path<String>,
) -> Result<(), StatusCode> {
    only_staff(&session)?;
    // A new first name shows in all sessions of that person at the next read.
    auth.users().update(&user, UserChange::new().name("Augusta".to_owned())).await.map_err(later)?;
    Ok(())
}

async fn devices(
    State(auth): State<Auth<Claims>>,
    session: Session<Claims>,
) -> Result<Json<Vec<Option<String>>>, StatusCode> {
    // User agent, address, last seen; `auth.sessions().revoke` ends one of them.
    let sessions = auth.sessions().list(&session.user.id).await.map_err(later)?;
    Ok(Json(sessions.into_iter().map(|session| session.user_agent).collect()))
}

async fn sign_out(session: Session<Claims>) -> Result<(), StatusCode> {
    session.sign_out().await.map_err(later)
}

async fn sign_out_elsewhere(mut session: Session<Claims>) -> Result<(), StatusCode> {
    session.sign_out_elsewhere().await.map_err(later)
}

async fn sign_out_everywhere(
    State(auth): State<Auth<Claims>>,
    session: Session<Claims>,
) -> Result<(), StatusCode> {
    auth.sessions().revoke_all(&session.user.id).await.map_err(later)?;
    Ok(())
}

/// A real application asks its database.
fn only_staff(session: &Session<Claims>) -> Result<(), StatusCode> {
    let is_staff = session.user.email.as_deref() == Some("ada@example.com");
    if is_staff { Ok(()) } else { Err(StatusCode::FORBIDDEN) }
}

/// The store is away, or there is no such user: whatever it is, nobody is signed out by it.
fn later(_: Error) -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}
