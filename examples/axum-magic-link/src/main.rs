//! Sign in by a link in a mail.

use axum::{Router, routing::get};
use hallpass::mail::{MailError, Mailer, Message, Smtp};
use hallpass::{Auth, Email, MemoryStore};
use hallpass_axum::{AuthExt, Session};
use maud::{Markup, html};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // AUTH_SECRET comes from the environment; EMAIL_SERVER and EMAIL_FROM may.
    let builder = Auth::builder().store(MemoryStore::new());
    let auth = match std::env::var_os("EMAIL_SERVER") {
        Some(_) => builder.mailer(Email::new(), Smtp::new()),
        None => builder.mailer(Email::new().from("login@localhost"), Terminal),
    }
    .build()?;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app(auth)).await?)
}

/// Prints the link in place of sending it.
struct Terminal;

impl Mailer for Terminal {
    async fn send(&self, message: Message) -> Result<(), MailError> {
        println!("To {}: {}\n{}", message.to, message.subject, message.link);
        Ok(())
    }
}

fn app(auth: Auth) -> Router {
    Router::new().route("/", get(home)).merge(auth.routes()).layer(auth.layer()).with_state(auth)
}

async fn home(session: Option<Session>) -> Markup {
    html! {
        @if let Some(session) = session {
            p { "Signed in as " (session.user.email.as_deref().unwrap_or_default()) "." }
            p { a href="/api/auth/signout" { "Sign out" } }
        } @else {
            p { a href="/api/auth/signin?callbackUrl=/" { "Sign in" } }
        }
    }
}

#[cfg(test)]
mod tests;
