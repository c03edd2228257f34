//! The page at `/`: sign in, see the session, what stays private, and what the callbacks did.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use hallpass::Timestamp;
use hallpass::clock::{Clock, SystemClock};
use serde::Serialize;
use serde_json::{Value, json};

use super::demo::PEOPLE;
use super::inbox::Inbox;
use super::sessions::Kept;
use super::timeline::{Call, Visit, unobserved};
use super::update::Outcome;
use super::visitor::Visitor;
use super::{Dev, StandIn};
use crate::home;

/// Everything that the template shows.
#[derive(Debug, Serialize)]
struct Page {
    version: &'static str,
    base: String,
    sign_in: String,
    callback_url: String,
    csrf_token: String,
    providers: Vec<String>,
    /// Providers that nobody has configured.
    stand_ins: Vec<&'static str>,
    demos: Vec<DemoRow>,
    session: Option<Shown>,
    claims: String,
    /// Sessions and accounts in the store.
    kept: Kept,
    visits: Vec<VisitRow>,
    /// How many mails were kept; none when they are sent.
    mails: Option<usize>,
    notice: Option<&'static str>,
    warning: Option<String>,
}

#[derive(Debug, Serialize)]
struct DemoRow {
    username: &'static str,
    password: &'static str,
    name: &'static str,
    role: &'static str,
    initial: String,
}

/// The session, as the browser sees it.
#[derive(Debug, Serialize)]
struct Shown {
    json: String,
    /// What the form for a change offers.
    change: String,
    name: String,
    email: Option<String>,
    initial: String,
}

#[derive(Debug, Serialize)]
struct VisitRow {
    method: String,
    path: String,
    at: String,
    ago: String,
    took: String,
    times: usize,
    calls: Vec<CallRow>,
}

#[derive(Debug, Serialize)]
struct CallRow {
    callback: &'static str,
    trigger: Option<&'static str>,
    words: String,
    took: String,
    given: String,
    answered: String,
    is_refusal: bool,
}

pub(super) async fn page(
    State(dev): State<Dev>,
    Query(query): Query<HashMap<String, String>>,
    parts: Parts,
) -> Response {
    let mut visitor = Visitor::new(&dev.auth, &parts);
    let csrf = visitor.get("csrf").await;
    let session = visitor.get("session").await;
    // The claims are read once more, in private: what the callbacks did for the browser is noted already.
    let current = unobserved(dev.auth.session(&parts)).await.ok().flatten();
    let kept = match &current {
        Some(current) => Kept::of(&dev.auth, current).await.unwrap_or_default(),
        None => Kept::default(),
    };
    let claims = current.map(|session| session.claims);
    let (notice, warning) = notices(&query, &dev);
    let page = Page {
        version: env!("CARGO_PKG_VERSION"),
        base: dev.auth.base_path().to_owned(),
        sign_in: dev.auth.sign_in_url("/"),
        callback_url: format!("{}{}/callback/github", dev.origin, dev.auth.base_path()),
        csrf_token: text(&csrf, "/csrfToken").unwrap_or_default(),
        providers: dev.providers.to_vec(),
        demos: demo_rows(),
        session: Shown::of(&session),
        claims: pretty(&serde_json::to_value(claims).unwrap_or_default()),
        kept,
        stand_ins: dev.stand_in.iter().flat_map(StandIn::names).collect(),
        visits: dev
            .timeline
            .visits(parts.method.as_str(), parts.uri.path())
            .into_iter()
            .map(VisitRow::of)
            .collect(),
        mails: dev.inbox.as_ref().map(Inbox::count),
        notice,
        warning,
    };
    (visitor.into_cookies(), home::page("start.html", START, page)).into_response()
}

impl Shown {
    fn of(session: &Value) -> Option<Self> {
        session.as_object()?;
        let (name, email) = (text(session, "/user/name"), text(session, "/user/email"));
        let name = name.or_else(|| email.clone()).unwrap_or_else(|| "somebody".to_owned());
        let change = json!({ "name": name }).to_string();
        Some(Self { json: pretty(session), change, initial: initial(&name), name, email })
    }
}

impl VisitRow {
    fn of(visit: Visit) -> Self {
        Self {
            method: visit.method,
            path: visit.path,
            at: time_of_day(visit.at),
            ago: ago(visit.at),
            took: milliseconds(visit.took),
            times: visit.times,
            calls: visit.calls.into_iter().map(CallRow::of).collect(),
        }
    }
}

impl CallRow {
    fn of(call: Call) -> Self {
        let is_refusal =
            call.answered.as_ref().map_or(true, |answer| call.callback == "authorize" && answer.is_null());
        let words = match (call.callback, call.trigger) {
            _ if call.answered.is_err() => "failed".to_owned(),
            ("authorize", _) if is_refusal => "does not know this name with this password".to_owned(),
            ("authorize", _) => "knows this name and password".to_owned(),
            ("sign_in", _) => "let them in".to_owned(),
            ("jwt", Some("signIn" | "signUp")) => "chose what the session keeps".to_owned(),
            ("jwt", Some("update")) => "took a change".to_owned(),
            ("jwt", _) => "looked at what the session keeps".to_owned(),
            ("session", _) => "chose what the browser sees".to_owned(),
            ("on_event", _) => "was told afterwards".to_owned(),
            (other, _) => format!("{other} ran"),
        };
        let answered = match call.answered {
            Ok(answer) => pretty(&answer),
            Err(error) => error,
        };
        Self {
            callback: call.callback,
            trigger: call.trigger,
            words,
            took: milliseconds(call.took),
            given: pretty(&call.given),
            answered,
            is_refusal,
        }
    }
}

fn notices(query: &HashMap<String, String>, dev: &Dev) -> (Option<&'static str>, Option<String>) {
    if query.contains_key("change") {
        return match dev.last_change.take() {
            Some(Outcome::Seen) => {
                (Some("The session has changed, and nobody had to sign in again: see it below."), None)
            }
            Some(Outcome::Unseen) => (None, Some(UNSEEN.to_owned())),
            Some(Outcome::Refused(why)) => (None, Some(format!("Nothing was changed: {why}"))),
            None => (None, None),
        };
    }
    match query.get("sessions").map(String::as_str) {
        Some("ended") => (Some("That session is over: its next request is nobody's."), None),
        Some("others-ended") => (Some("All other sessions are over. This one goes on."), None),
        Some("refused") => {
            (None, Some("No session was ended: it is over already, or the form was too old.".to_owned()))
        }
        _ => (None, None),
    }
}

fn demo_rows() -> Vec<DemoRow> {
    let row = |demo: &'static super::demo::Demo| DemoRow {
        username: demo.username,
        password: demo.password,
        name: demo.name,
        role: demo.role,
        initial: initial(demo.name),
    };
    PEOPLE.iter().map(row).collect()
}

fn initial(name: &str) -> String {
    name.chars().next().map(|c| c.to_uppercase().collect()).unwrap_or_default()
}

pub(super) fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer)?.as_str().map(str::to_owned)
}

/// JSON on several lines; what is very long is cut.
fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    if let Some((cut, _)) = text.char_indices().nth(LONGEST_JSON) {
        text.truncate(cut);
        text.push_str("\n…");
    }
    text
}

/// `12:03:22 UTC`
pub(super) fn time_of_day(at: Timestamp) -> String {
    let iso = at.to_iso();
    let time = iso.split_once('T').map_or("", |(_, time)| time);
    format!("{} UTC", time.split('.').next().unwrap_or_default())
}

pub(super) fn ago(at: Timestamp) -> String {
    let seconds = (SystemClock.now().millis() - at.millis()).max(0) / 1000;
    match seconds {
        0..2 => "just now".to_owned(),
        2..120 => format!("{seconds} s ago"),
        120..7200 => format!("{} min ago", seconds / 60),
        _ => format!("{} h ago", seconds / 3600),
    }
}

fn milliseconds(took: Duration) -> String {
    let millis = took.as_secs_f64() * 1000.0;
    match millis {
        ..0.1 => "under 0.1 ms".to_owned(),
        ..10.0 => format!("{millis:.1} ms"),
        _ => format!("{millis:.0} ms"),
    }
}

/// A change that is not to be seen.
const UNSEEN: &str = "The change was taken, and the browser sees the same session as before: `jwt` has to keep what it wants of it, and \
                      `session` to show it.";

/// In characters.
const LONGEST_JSON: usize = 4000;

const START: &str = include_str!("start.html");
