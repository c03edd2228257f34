//! `hallpass sessions`.

use hallpass::{StoredSession, Swept};
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
            SessionsAction::Revoke { user: named, session } => {
                let user = user(&auth, &named).await?;
                if !sessions.revoke(&user.id, &session).await.map_err(failed)? {
                    return Err(Failure::Other(format!("{named:?} has no session {session:?}")));
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

fn revoked(printer: Printer, count: u64) -> Result<(), Failure> {
    let word = if count == 1 { "session" } else { "sessions" };
    printer.answer(&json!({ "revoked": count }), &format!("revoked {count} {word}\n"))
}

fn print_list(printer: Printer, sessions: &[StoredSession]) -> Result<(), Failure> {
    let time = |at: Option<hallpass::Timestamp>| cell(at.map(hallpass::Timestamp::to_iso).as_deref());
    let rows: Vec<_> = sessions
        .iter()
        .map(|session| {
            [
                cell(Some(&session.id)),
                time(session.created),
                time(session.last_seen),
                time(Some(session.expires)),
                cell(session.address.as_deref()),
                cell(session.user_agent.as_deref()),
            ]
        })
        .collect();
    printer.table(&sessions, ["ID", "BEGAN", "LAST SEEN", "EXPIRES", "ADDRESS", "BROWSER"], &rows)
}
