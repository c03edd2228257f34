//! A site whose sessions are in a database, on one thread. Prints its port.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use hallpass::{Auth, Credentials, Environment, Field, SessionToken, Store, User};
use hallpass_axum::{AuthExt, Session};
use hallpass_sqlx::SqlStore;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::Result;

/// Serves until it is killed. `bare` is axum with one indexed read through the same pool, and nothing else.
pub(crate) async fn serve(kind: &str, url: &str, timeout: Duration) -> Result<()> {
    let store = SqlStore::builder(url).secrets([SECRET]).timeout(timeout).connect().await?;
    store.migrate().await?;
    let app = match kind {
        "hallpass" => hallpass(store)?,
        "bare" => Router::new().route("/auth/session", get(bare)).with_state(store),
        _ => return Err("hallpass or bare".into()),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    Ok(axum::serve(listener, app).await?)
}

/// Whoever gives a name is let in: nobody has an account before they first sign in.
fn hallpass(store: SqlStore) -> Result<Router> {
    let auth = Auth::builder()
        .environment(Environment::empty())
        .secret(SECRET)
        .base_path("/auth")
        .store(store)
        .credentials(Credentials::new().field(Field::text("username")), async |input, _| {
            Ok(input
                .text("username")
                .map(|name| User::new(name).with_name(name).with_email(format!("{name}@example.com"))))
        })
        .build()?;
    let private = Router::new().route("/private", get(private));
    Ok(private.merge(auth.routes()).layer(auth.layer()).with_state(auth))
}

async fn private(session: Session) -> String {
    session.user.name.clone().unwrap_or_default()
}

async fn bare(
    State(store): State<SqlStore>,
    headers: HeaderMap,
) -> std::result::Result<Json<Value>, StatusCode> {
    let cookies = headers.get("cookie").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token =
        cookies.split("; ").find_map(|cookie| cookie.split_once("session-token=")).unwrap_or_default().1;
    let found = store.session(&SessionToken::new(token)).await;
    let (session, user) =
        found.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?.ok_or(StatusCode::UNAUTHORIZED)?;
    let user = json!({ "name": user.name, "email": user.email, "image": user.image });
    Ok(Json(json!({ "user": user, "expires": session.expires.seconds() })))
}

pub(crate) const SECRET: &str = "a secret of the tests, with 32 characters";
