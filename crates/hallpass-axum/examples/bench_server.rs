//! One of the servers that `cargo xtask bench` compares, on one thread. Prints its port.
//!
//! `hallpass` renews the session at each read, `hallpass-hour` each hour. `bare ANSWER.json` is axum without
//! Hallpass: it gives the same answer every time.

use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::routing::get;
use hallpass::{Auth, Credentials, Environment, Field, Jwt, User, ViewUser};
use hallpass_axum::AuthExt;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let app = match words.as_slice() {
        ["hallpass"] => hallpass(Duration::ZERO)?,
        ["hallpass-hour"] => hallpass(Duration::from_secs(3600))?,
        ["bare" | "bare-hour", answer] => bare(answer)?,
        _ => return Err("usage: bench_server hallpass|hallpass-hour|bare ANSWER|bare-hour ANSWER".into()),
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve(app))
}

async fn serve(app: Router) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    Ok(axum::serve(listener, app).await?)
}

fn hallpass(update_age: Duration) -> Result<Router> {
    let form = Credentials::new().field(Field::text("username"));
    let auth = Auth::builder()
        .environment(Environment::empty())
        .secret("a secret of at least thirty-two characters")
        .base_path("/auth")
        .jwt_update_age(update_age)
        .credentials(form, async |_, _| Ok(Some(person())))
        .jwt(async |event: Jwt<Claims>, _| {
            Ok(match event {
                Jwt::SignIn(_) => {
                    Some(Claims { role: "editor".to_owned(), company_id: "company-42".to_owned() })
                }
                Jwt::Read(it) => Some(it.claims),
            })
        })
        .session(async |it, _| {
            Ok(View { user: Person { public: it.user.public(), id: it.user.id, claims: it.claims } })
        })
        .build()?;
    Ok(Router::new().merge(auth.routes()))
}

fn person() -> User {
    User::new("3f0c2e6b-7c1d-4b54-9f0e-1f6a5d0e9a77")
        .with_name("Lena Example")
        .with_email("lena@example.com")
        .with_image("https://example.com/lena.png")
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    role: String,
    company_id: String,
}

/// What the browser sees.
#[derive(Serialize)]
struct View {
    user: Person,
}

#[derive(Serialize)]
struct Person {
    #[serde(flatten)]
    public: ViewUser,
    id: String,
    #[serde(flatten)]
    claims: Claims,
}

fn bare(answer: &str) -> Result<Router> {
    let Answer { headers, body } = serde_json::from_slice(&std::fs::read(answer)?)?;
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(name.parse::<HeaderName>()?, value.parse::<HeaderValue>()?);
    }
    let body = Bytes::from(body);
    Ok(Router::new().route("/auth/session", get(async move || (map, body))))
}

/// An answer that was recorded.
#[derive(Deserialize)]
struct Answer {
    headers: Vec<(String, String)>,
    body: String,
}
