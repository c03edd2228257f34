//! What `e2e/clients` signs in to: a session that is extended and updated, in the dialects that the arguments name.
//!
//! `cargo run --example clients -- v5 v4` prints where it listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use hallpass::{
    Auth, BoxError, Credentials, Dialect, Field, Jwt, MemoryStore, SessionEvent, Strategy, User, UserChange,
};
use hallpass_axum::{AuthExt, Session};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    role: String,
    company_id: String,
    /// Never shown to a page.
    session_token: String,
}

/// How often the `session` callback ran.
#[derive(Clone, Default)]
struct Looks(Arc<AtomicU64>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Update {
    company_id: Option<String>,
    company: Option<Company>,
}

#[derive(Deserialize)]
struct Company {
    id: String,
    role: Vec<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let dialects: Vec<_> =
        std::env::args().skip(1).map(|word| if word == "v4" { Dialect::V4 } else { Dialect::V5 }).collect();
    let form = Credentials::new().field(Field::text("username")).field(Field::password("password"));
    let looks = Looks::default();
    let auth = Auth::builder_with(looks.clone())
        .secret("a secret for tests in a browser, and for nothing else")
        .dialects(dialects)
        .trust_host(true)
        .credentials(form, async |input, _| Ok(authorize(input.text("username"), input.text("password"))))
        .jwt(async |event: Jwt<Claims, Update>, _| {
            Ok(match event {
                Jwt::SignIn(it) => it.user.parse().map(Some)?,
                Jwt::Update(it) => Some(changed(it.claims, it.update)),
                Jwt::Read(it) => Some(it.claims),
            })
        })
        .session(async |it: SessionEvent<Claims>, looks: Looks| {
            looks.0.fetch_add(1, Ordering::Relaxed);
            if it.claims.company_id == "broken" {
                return Err("the company's API says no".into());
            }
            let user = json!({ "id": it.user.id, "name": it.user.name, "role": it.claims.role });
            Ok(json!({ "user": user, "selectedCompanyId": it.claims.company_id }))
        })
        .update_from_query(["companyId"])
        .store(MemoryStore::new())
        .session_strategy(Strategy::Jwt)
        .build()?;
    auth.users().create(User::new("1").with_name("Ada")).await?;
    let app = Router::new()
        .route("/company", get(company))
        .route("/rename", post(rename))
        .route("/looks", get(async move || looks.0.load(Ordering::Relaxed).to_string()))
        .merge(auth.routes())
        .layer(auth.layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app.with_state(auth)).await?)
}

/// What a handler of the application sees.
async fn company(session: Session<Claims>) -> String {
    session.claims.company_id.clone()
}

/// A person changes their first name.
async fn rename(State(auth): State<Auth<Claims>>, session: Session<Claims>) -> Result<(), StatusCode> {
    let change = UserChange::new().name("Augusta".to_owned());
    auth.users().update(&session.user.id, change).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(())
}

fn changed(mut claims: Claims, update: Update) -> Claims {
    if let Some(id) = update.company_id {
        claims.company_id = id;
    }
    if let Some(company) = update.company {
        claims.company_id = format!("{} as {}", company.id, company.role.join(" and "));
    }
    claims
}

fn authorize(name: Option<&str>, password: Option<&str>) -> Option<User> {
    let user = User::new("1").with_name("Ada").with("role", "admin").with("companyId", "acme");
    let user = user.with("sessionToken", "the-token-of-ada");
    (name? == "ada" && password? == "right").then_some(user)
}
