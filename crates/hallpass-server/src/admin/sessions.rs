//! `hallpass sessions`.

use hallpass::{StoredSession, Swept, Timestamp};
use serde_json::json;

use super::print::cell;
use super::{Printer, failed, open_auth, run, user};
use crate::Failure;
use crate::cli::{Sessions, SessionsAction};

pub(crate) fn sessions(arguments: Sessions) -> Result<(), Failure> {
    run(async {
        let (auth, printer) = open_auth(&arguments.place).await?;
        let sessions = auth.sessions();
        match arguments.action {
            SessionsAction::List { user: named } => {
                let user = user(&auth, &named).await?;
                print_list(printer, &sessions.list(&user.id).await.map_err(failed)?)
            }
            SessionsAction::Show { user: named, session } => {
                let user = user(&auth, &named).await?;
                match sessions.find(&user.id, &session).await.map_err(failed)? {
                    Some(session) => print_one(printer, &session),
                    None => Err(no_session(&named, &session)),
                }
            }
            SessionsAction::Update { user: named, patch } => {
                let user = user(&auth, &named).await?;
                sessions.update(&user.id, patch).await.map_err(failed)?;
                let text = format!("updated the sessions of {}\n", user.id);
                printer.answer(&json!({ "updated": user.id }), &text)
            }
            SessionsAction::Revoke { user: named, session } => {
                let user = user(&auth, &named).await?;
                if !sessions.revoke(&user.id, &session).await.map_err(failed)? {
                    return Err(no_session(&named, &session));
                }
                revoked(printer, 1)
            }
            SessionsAction::RevokeAll { user: named, except } => {
                let user = user(&auth, &named).await?;
                let count = match except {
                    Some(session) => sessions.revoke_others(&user.id, &session).await,
                    None => sessions.revoke_all(&user.id).await,
                };
                revoked(printer, count.map_err(failed)?)
            }
            SessionsAction::Sweep => {
                let Swept { removed, forgotten, .. } = sessions.sweep().await.map_err(failed)?;
                let text = format!(
                    "removed {removed} expired rows, and user agent and address of {forgotten} sessions\n"
                );
                printer.answer(&json!({ "removed": removed, "forgotten": forgotten }), &text)
            }
        }
    })
}

fn no_session(named: &str, session: &str) -> Failure {
    Failure::Other(format!("{named:?} has no session {session:?}"))
}

fn revoked(printer: Printer, count: u64) -> Result<(), Failure> {
    let word = if count == 1 { "session" } else { "sessions" };
    printer.answer(&json!({ "revoked": count }), &format!("revoked {count} {word}\n"))
}

fn print_list(printer: Printer, sessions: &[StoredSession]) -> Result<(), Failure> {
    let rows: Vec<_> = sessions.iter().map(cells).collect();
    printer.table(&sessions, ["ID", "BEGAN", "LAST SEEN", "EXPIRES", "ADDRESS", "BROWSER"], &rows)
}

fn print_one(printer: Printer, session: &StoredSession) -> Result<(), Failure> {
    let names = ["id", "began", "last seen", "expires", "address", "browser"];
    let rows = names.iter().zip(cells(session));
    let text: String = rows.map(|(name, value)| format!("{name:<10}{value}\n")).collect();
    printer.answer(session, &text)
}

fn cells(session: &StoredSession) -> [String; 6] {
    let time = |at: Option<Timestamp>| cell(at.map(Timestamp::to_iso).as_deref());
    [
        cell(Some(&session.id)),
        time(session.created),
        time(session.last_seen),
        time(Some(session.expires)),
        cell(session.address.as_deref()),
        cell(session.user_agent.as_deref()),
    ]
}
