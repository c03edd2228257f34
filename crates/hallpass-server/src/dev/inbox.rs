//! `/dev/inbox`: the mails that development mode keeps instead of sending them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hallpass::Timestamp;
use hallpass::clock::{Clock, SystemClock};
use hallpass::mail::{MailError, Mailer, Message};
use http::{HeaderValue, header};
use serde::Serialize;

use super::page::{ago, time_of_day};
use crate::home;

/// The last mails, newest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbox(Arc<Mutex<VecDeque<Kept>>>);

#[derive(Clone, Debug, Serialize)]
struct Kept {
    /// Counts up from 1.
    id: u64,
    to: String,
    from: String,
    subject: String,
    text: String,
    html: String,
    link: String,
    sent: Timestamp,
}

impl Inbox {
    fn keep(&self, message: Message) {
        let mut mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = mails.front().map_or(1, |newest| newest.id + 1);
        mails.push_front(Kept {
            id,
            to: message.to,
            from: message.from.to_string(),
            subject: message.subject,
            text: message.text,
            html: message.html,
            link: message.link,
            sent: SystemClock.now(),
        });
        mails.truncate(KEPT);
    }

    fn all(&self) -> Vec<Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Mailer for Inbox {
    async fn send(&self, message: Message) -> Result<(), MailError> {
        self.keep(message);
        Ok(())
    }
}

pub(super) fn routes(inbox: Inbox) -> Router {
    Router::new().route("/dev/inbox", get(page)).route("/dev/inbox.json", get(json)).with_state(inbox)
}

/// Everything that the template shows.
#[derive(Debug, Serialize)]
struct Page {
    rows: Vec<Row>,
    open: Option<Kept>,
    kept: usize,
}

#[derive(Debug, Serialize)]
struct Row {
    id: u64,
    to: String,
    subject: String,
    at: String,
    ago: String,
    is_open: bool,
}

/// All mails, one of them open: the one that was asked for, else the newest.
async fn page(State(inbox): State<Inbox>, Query(query): Query<HashMap<String, String>>) -> Response {
    let mails = inbox.all();
    let asked = query.get("mail").and_then(|id| id.parse().ok());
    let open = mails.iter().find(|mail| Some(mail.id) == asked).or_else(|| mails.first()).cloned();
    let rows: Vec<_> = mails
        .iter()
        .map(|mail| Row {
            id: mail.id,
            to: mail.to.clone(),
            subject: mail.subject.clone(),
            at: time_of_day(mail.sent),
            ago: ago(mail.sent),
            is_open: open.as_ref().is_some_and(|open| open.id == mail.id),
        })
        .collect();
    let mut response = home::page("inbox.html", INBOX, Page { rows, open, kept: KEPT });
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
}

async fn json(State(inbox): State<Inbox>) -> Response {
    let json = serde_json::to_string(&inbox.all()).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], json).into_response()
}

/// A mail has its style in its elements; nothing in it runs, and nothing is loaded but pictures.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' https: http:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);

/// How many mails are kept.
const KEPT: usize = 50;

const INBOX: &str = include_str!("inbox.html");
