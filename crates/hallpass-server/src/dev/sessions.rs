//! The sessions and accounts of whoever looks at the page, and buttons that end sessions.

use axum::Form;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use hallpass::{Account, AccountKind, Auth, Error, Secret, Session, StoredSession};
use serde::{Deserialize, Serialize};

use super::Dev;
use super::page::{ago, text, time_of_day};
use super::timeline::unobserved;
use super::visitor::Visitor;
use crate::session::Claims;

/// What the store has of somebody.
#[derive(Debug, Default, Serialize)]
pub(super) struct Kept {
    sessions: Vec<SessionRow>,
    accounts: Vec<AccountRow>,
    /// This session is a row, too; otherwise it is in its cookie.
    is_row: bool,
}

#[derive(Debug, Serialize)]
struct SessionRow {
    id: String,
    /// What people call it.
    browser: String,
    user_agent: Option<String>,
    address: Option<String>,
    created: Option<Moment>,
    last_seen: Option<Moment>,
    is_this: bool,
}

/// A time of day, and how long ago that is.
#[derive(Debug, Serialize)]
struct Moment {
    at: String,
    ago: String,
}

#[derive(Debug, Serialize)]
struct AccountRow {
    provider: String,
    id: String,
    scope: Option<String>,
    /// Whether the provider vouches for the address; none where there is nobody who could.
    is_proven: Option<bool>,
}

impl Kept {
    /// # Errors
    /// When the store does not answer.
    pub(super) async fn of(auth: &Auth<Claims>, session: &Session<Claims>) -> Result<Self, Error> {
        let sessions = auth.sessions().list(&session.user.id).await?;
        let accounts = auth.users().accounts(&session.user.id).await?;
        Ok(Self {
            sessions: sessions.into_iter().map(|row| SessionRow::of(row, session.id.as_deref())).collect(),
            accounts: accounts.into_iter().map(AccountRow::of).collect(),
            is_row: session.id.is_some(),
        })
    }
}

impl SessionRow {
    fn of(row: StoredSession, this: Option<&str>) -> Self {
        let moment = |at| Moment { at: time_of_day(at), ago: ago(at) };
        Self {
            is_this: this == Some(&row.id),
            id: row.id,
            browser: row
                .user_agent
                .as_deref()
                .map(browser_of)
                .unwrap_or_else(|| "Unknown program".to_owned()),
            user_agent: row.user_agent,
            address: row.address,
            created: row.created.map(moment),
            last_seen: row.last_seen.map(moment),
        }
    }
}

impl AccountRow {
    fn of(account: Account) -> Self {
        let can_vouch = matches!(account.kind, AccountKind::OAuth | AccountKind::Oidc);
        Self {
            scope: account.tokens.get("scope").and_then(|scope| scope.as_str()).map(str::to_owned),
            is_proven: can_vouch.then_some(account.email_verified),
            provider: account.provider,
            id: account.provider_account_id,
        }
    }
}

/// `Firefox on Linux`; what is no browser is called by its first word.
fn browser_of(user_agent: &str) -> String {
    let find = |known: &[(&str, &'static str)]| {
        known.iter().find(|(mark, _)| user_agent.contains(mark)).map(|&(_, name)| name)
    };
    match (find(BROWSERS), find(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => user_agent.split_whitespace().next().unwrap_or("Unknown program").to_owned(),
    }
}

/// What the form holds.
#[derive(Debug, Deserialize)]
pub(super) struct End {
    #[serde(rename = "csrfToken", default)]
    csrf_token: String,
    /// Id of a session; without one all others are meant.
    session: Option<String>,
}

/// Ends one session of whoever asks, or all but the one in which they ask.
pub(super) async fn end(State(dev): State<Dev>, parts: Parts, Form(end): Form<End>) -> Response {
    let mut visitor = Visitor::new(&dev.auth, &parts);
    // The token of this browser, by its cookie; a browser without one gets a new one, which nobody can have sent.
    let csrf = visitor.get("csrf").await;
    let is_genuine =
        text(&csrf, "/csrfToken").is_some_and(|token| Secret::from(token).matches(&end.csrf_token));
    let page = match is_genuine {
        true => try_end(&dev.auth, &parts, end.session.as_deref()).await.unwrap_or("/?sessions=refused"),
        false => "/?sessions=refused",
    };
    (visitor.into_cookies(), Redirect::to(page)).into_response()
}

async fn try_end(auth: &Auth<Claims>, parts: &Parts, session: Option<&str>) -> Result<&'static str, Error> {
    let Some(current) = unobserved(auth.session(parts)).await? else { return Ok("/") };
    match (session, current.id) {
        (Some(id), _) => match auth.sessions().revoke(&current.user.id, id).await? {
            true => Ok("/?sessions=ended"),
            false => Ok("/?sessions=refused"),
        },
        (None, Some(own)) => {
            auth.sessions().revoke_others(&current.user.id, &own).await?;
            Ok("/?sessions=others-ended")
        }
        (None, None) => Ok("/?sessions=refused"),
    }
}

/// By their mark; those that also bear another's come first.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

const SYSTEMS: &[(&str, &str)] = &[
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Android", "Android"),
    ("Linux", "Linux"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_as_people_call_it_and_a_program_by_its_name() {
        for (user_agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36 Edg/150.0",
                "Edge on Linux",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Safari/604.1",
                "Safari on iPhone",
            ),
            ("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
            ("curl/8.14.1", "curl/8.14.1"),
            ("", "Unknown program"),
        ] {
            assert_eq!(browser_of(user_agent), name);
        }
    }
}
