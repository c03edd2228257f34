//! What the harness looks at: the log of callbacks, the last mail, the store.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hallpass::{ClientLog, Dialect, Error, ErrorKind, MemoryStore};
use serde::Serialize;
use serde_json::{Value, json};

use crate::constants::Constants;

/// The state of one profile's callbacks.
#[derive(Clone)]
pub(crate) struct Probe {
    pub(crate) constants: Arc<Constants>,
    pub(crate) store: MemoryStore,
    pub(crate) dialect: Dialect,
    /// Whether the `jwt` callback takes `companyId` from the query.
    pub(crate) takes_company: bool,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    log: Vec<Value>,
    last_email: Value,
}

impl Probe {
    pub(crate) fn new(constants: Arc<Constants>, dialect: Dialect) -> Self {
        Self { constants, store: MemoryStore::new(), dialect, takes_company: false, seen: Arc::default() }
    }

    pub(crate) fn called(&self, kind: &str, name: &str, arguments: &impl Serialize) {
        let arguments = serde_json::to_value(arguments).unwrap_or_default();
        self.seen().log.push(json!({ "kind": kind, "name": name, "args": arguments }));
    }

    /// What the logger of a dialect would have been told, if anything.
    pub(crate) fn failed(&self, error: &Error, dialect: Dialect) {
        // A refusal at the provider is told twice there.
        let twice = (dialect == Dialect::V4 && error.kind() == ErrorKind::OAuthCallback)
            .then(|| "OAUTH_CALLBACK_HANDLER_ERROR".into());
        let entries = twice.into_iter().chain(error.name_in(dialect));
        self.seen().log.extend(entries.map(|name| json!({ "kind": "error", "name": name })));
    }

    /// What a client told the logger.
    pub(crate) fn reported(&self, log: &ClientLog) {
        self.seen().log.push(json!({ "kind": log.level, "name": log.code, "args": log.fields }));
    }

    pub(crate) fn mailed(&self, mail: Value) {
        self.seen().last_email = mail;
    }

    pub(crate) fn log(&self) -> Vec<Value> {
        self.seen().log.clone()
    }

    pub(crate) fn last_email(&self) -> Value {
        self.seen().last_email.clone()
    }

    pub(crate) fn reset(&self) {
        self.store.clear();
        *self.seen() = Seen::default();
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
