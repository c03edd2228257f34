//! Sign in with GitHub, see who you are, and open a page that nobody else may.

use axum::{Router, routing::get};
use hallpass::{Auth, providers::GITHUB};
use hallpass_axum::{AuthExt, Session};
use maud::{Markup, html};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // AUTH_SECRET, AUTH_GITHUB_ID and AUTH_GITHUB_SECRET come from the environment.
    let auth = Auth::builder().provider(GITHUB).build()?;

    let app = Router::new()
        .route("/members", get(members))
        .route_layer(auth.require_session())
        .route("/", get(home))
        .merge(auth.routes())
        .layer(auth.layer())
        .with_state(auth);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}

async fn home(session: Option<Session>) -> Markup {
    html! {
        @if let Some(session) = session {
            p { "Signed in as " (session.user.name.as_deref().unwrap_or("somebody without a name")) "." }
            p { a href="/members" { "For members" } " · " a href="/api/auth/signout" { "Sign out" } }
        } @else {
            p { a href="/api/auth/signin" { "Sign in" } }
        }
    }
}

async fn members() -> &'static str {
    "You are one of us."
}
