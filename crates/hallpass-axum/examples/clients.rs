//! What `e2e/clients` signs in to: a session that is extended and updated, with the strategy, the database and the
//! dialects that the arguments name.
//!
//! `cargo run --example clients -- database sqlite:clients.db v5 v4` prints where it listens, then the links that it
//! would mail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use hallpass::{
    Auth, BoxError, Credentials, Dialect, Email, Field, Jwt, Mail, SessionEvent, Store, Strategy, User,
    UserChange,
};
use hallpass_axum::{AuthExt, Session};
use hallpass_sqlx::SqlStore;
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

#[derive(Clone)]
struct App {
    store: SqlStore,
    /// How often the `session` callback ran.
    looks: Arc<AtomicU64>,
}

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
    tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::stderr).init();
    let mut words = std::env::args().skip(1);
    let (Some(strategy), Some(database)) = (words.next(), words.next()) else {
        return Err("usage: clients jwt|database URL v4|v5…".into());
    };
    let strategy = if strategy == "database" { Strategy::Database } else { Strategy::Jwt };
    let dialects: Vec<_> = words.map(|word| if word == "v4" { Dialect::V4 } else { Dialect::V5 }).collect();
    let store = SqlStore::builder(database).secrets([SECRET]).connect().await?;
    store.migrate().await?;
    let app = App { store: store.clone(), looks: Arc::default() };
    if store.user("1").await?.is_none() {
        for user in [ada(), grace()] {
            store.create_user(user, None).await?;
        }
    }
    let form = Credentials::new().field(Field::text("username")).field(Field::password("password"));
    let auth = Auth::builder_with(app.clone())
        .secret(SECRET)
        .dialects(dialects)
        .trust_host(true)
        .credentials(form, async |input, _| Ok(authorize(input.text("username"), input.text("password"))))
        .email(Email::new(), async |mail: Mail, _| {
            println!("{}", mail.url);
            Ok(())
        })
        .jwt(async |event: Jwt<Claims, Update>, app: App| {
            Ok(match event {
                Jwt::SignIn(it) => Some(app.claims(&it.user.id).await?),
                Jwt::Update(it) => {
                    let claims = changed(it.claims, it.update);
                    app.keep(&it.user.id, &claims).await?;
                    Some(claims)
                }
                Jwt::Read(it) => Some(it.claims),
            })
        })
        .session(async |it: SessionEvent<Claims>, app: App| {
            app.looks.fetch_add(1, Ordering::Relaxed);
            if it.claims.company_id == "broken" {
                return Err("the company's API says no".into());
            }
            let user = json!({ "id": it.user.id, "name": it.user.name, "role": it.claims.role });
            Ok(json!({ "user": user, "selectedCompanyId": it.claims.company_id }))
        })
        .update_from_query(["companyId"])
        .store(store)
        .session_strategy(strategy)
        .build()?;
    let looks = Arc::clone(&app.looks);
    let routes = Router::new()
        .route("/company", get(company))
        .route("/rename", post(rename))
        .route("/looks", get(async move || looks.load(Ordering::Relaxed).to_string()))
        .route("/forget", post(async move || app.forget().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)))
        .merge(auth.routes())
        .layer(auth.layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, routes.with_state(auth)).await?)
}

impl App {
    /// What a session begins with, however the person signed in.
    async fn claims(&self, id: &str) -> Result<Claims, BoxError> {
        let user = self.store.user(id).await?.ok_or("nobody has this id")?;
        let text = |field| user.get(field).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        Ok(Claims { role: text("role"), company_id: text("companyId"), session_token: text("sessionToken") })
    }

    /// The company is chosen for good, not for this session alone.
    async fn keep(&self, id: &str, claims: &Claims) -> Result<(), BoxError> {
        let change = UserChange::new().set("companyId", claims.company_id.as_str());
        self.store.update_user(id, change).await?;
        Ok(())
    }

    /// Everybody is as they were at the start.
    async fn forget(&self) -> Result<(), BoxError> {
        for user in [ada(), grace()] {
            let change = UserChange::new().name(user.name.clone()).set("companyId", "acme");
            self.store.update_user(&user.id, change).await?;
        }
        Ok(())
    }
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
    let user = match name? {
        "ada" => ada(),
        "grace" => grace(),
        _ => return None,
    };
    (password? == "right").then_some(user)
}

fn ada() -> User {
    person("1", "Ada", "ada@example.com").with("sessionToken", "the-token-of-ada")
}

fn grace() -> User {
    person("2", "Grace", "grace@example.com").with("sessionToken", "the-token-of-grace")
}

fn person(id: &str, name: &str, email: &str) -> User {
    User::new(id).with_name(name).with_email(email).with("role", "admin").with("companyId", "acme")
}

const SECRET: &str = "a secret for tests in a browser, and for nothing else";
