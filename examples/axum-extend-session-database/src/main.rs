//! The session, extended from the database: the browser sees the user's id and role as the row has them now.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Router, routing::get};
use hallpass::{Auth, Builder, Credentials, Field, User};
use hallpass_axum::{AuthExt, Session};
use hallpass_sqlx::SqlStore;

mod session;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = SqlStore::connect("sqlite:example.db").await?;
    store.migrate().await?;
    let auth = extend(Auth::builder(), store).build()?;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app(auth)).await?)
}

fn extend(builder: Builder, store: SqlStore) -> Builder {
    let form = Credentials::new().field(Field::text("username")).field(Field::password("password"));
    builder
        .store(store)
        .credentials(form, async |input, _| Ok(find_user(input.text("username"), input.text("password"))))
        .session(async |it, _| Ok(session::view(&it)))
}

fn app(auth: Auth) -> Router {
    Router::new().route("/", get(home)).merge(auth.routes()).layer(auth.layer()).with_state(auth)
}

async fn home(State(auth): State<Auth>, session: Session) -> Result<String, StatusCode> {
    let user = auth.users().find(&session.user.id).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let role = user.as_ref().and_then(session::role).unwrap_or_else(|| "nobody".to_owned());
    Ok(format!("You are user {}, and your role is {role}.", session.user.id))
}

fn find_user(name: Option<&str>, password: Option<&str>) -> Option<User> {
    match (name?, password?) {
        ("ada", "difference engine") => Some(User::new("1").with_name("Ada").with("role", "admin")),
        ("milo", "builder") => Some(User::new("2").with_name("Milo").with("role", "reader")),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
