//! A server to measure: `bench_session hallpass|bare UPDATE_AGE PORT`, with the age in seconds.
//!
//! `hallpass` answers `GET /api/auth/session` with typed callbacks. `bare` is what axum does alone: the same answer,
//! byte for byte, but made once. Both let people sign in, on one thread.

use std::env;
use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use axum::http::{HeaderMap, Request, Response};
use axum::routing::get;
use axum::serve::ListenerExt;
use hallpass::{Auth, Credentials, Environment, Field, Jwt, User, ViewUser};
use hallpass_axum::AuthExt;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [kind, update_age, port] = arguments.as_slice() else {
        return Err("bench_session hallpass|bare UPDATE_AGE PORT".into());
    };
    let auth = auth(Duration::from_secs(update_age.parse()?))?;
    let mut app: Router = auth.routes();
    if kind == "bare" {
        let (head, body) = answer(&auth).await?.into_parts();
        let handler = get(move || async move { (head.headers.clone(), body.clone()) });
        app = app.route("/api/auth/session", handler);
    }
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let listener = listener.tap_io(|stream| _ = stream.set_nodelay(true));
    axum::serve(listener, app).await?;
    Ok(())
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    role: String,
    company_id: String,
}

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

fn auth(update_age: Duration) -> Result<Auth<Claims>, Box<dyn Error>> {
    let auth = Auth::builder()
        .environment(Environment::empty())
        .secret("a secret of at least thirty-two characters")
        .jwt_update_age(update_age)
        .credentials(Credentials::new().field(Field::text("username")), async |_, _| {
            let user = User::new("3f0c2e6b-7c1d-4b54-9f0e-1f6a5d0e9a77")
                .with_name("Alice Example")
                .with_email("alice@example.com")
                .with_image("https://example.com/alice.png");
            Ok(Some(user))
        })
        .jwt(async |event: Jwt<Claims>, _| {
            Ok(match event {
                Jwt::SignIn(_) => Some(Claims { role: "editor".to_owned(), company_id: COMPANY.to_owned() }),
                Jwt::Read(it) => Some(it.claims),
            })
        })
        .session(async |it, _| {
            Ok(View { user: Person { public: it.user.public(), id: it.user.id, claims: it.claims } })
        })
        .build()?;
    Ok(auth)
}

/// What Hallpass answers to somebody who is signed in.
async fn answer(auth: &Auth<Claims>) -> Result<Response<Bytes>, Box<dyn Error>> {
    let csrf = auth.handle(request("GET", "csrf", &[])?.body(Bytes::new())?).await;
    let token: serde_json::Value = serde_json::from_slice(csrf.body())?;
    let token = token.get("csrfToken").and_then(|token| token.as_str()).unwrap_or_default();
    let sign_in = request("POST", "callback/credentials", &[csrf.headers()])?;
    let signed_in = auth.handle(sign_in.body(format!("csrfToken={token}&username=alice").into())?).await;
    let session = request("GET", "session", &[csrf.headers(), signed_in.headers()])?;
    Ok(auth.handle(session.body(Bytes::new())?).await)
}

fn request(
    method: &str,
    action: &str,
    before: &[&HeaderMap],
) -> Result<axum::http::request::Builder, Box<dyn Error>> {
    let cookies = before.iter().flat_map(|headers| headers.get_all(SET_COOKIE));
    let pairs: Result<Vec<_>, _> =
        cookies.map(|it| Ok(it.to_str()?.split(';').next().unwrap_or_default())).collect();
    let pairs: Vec<&str> = pairs.map_err(|error: axum::http::header::ToStrError| error)?;
    Ok(Request::builder()
        .method(method)
        .uri(format!("/api/auth/{action}"))
        .header(HOST, "localhost")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(COOKIE, pairs.join("; ")))
}

const COMPANY: &str = "company-0000000000000000000000000000000000000000042";
