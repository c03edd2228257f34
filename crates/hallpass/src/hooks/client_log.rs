//! What clients of next-auth 4 report.

use serde_json::{Map, Value};

/// What a browser says went wrong there. Anybody can send one: it is bounded, and nothing in it is true because it is
/// written there.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClientLog {
    /// `error`, `warn` or `debug`; `error` for anything else.
    pub level: &'static str,
    /// What next-auth calls it: `CLIENT_FETCH_ERROR`. At most 64 characters, capitals, digits and `_`.
    pub code: String,
    /// Whatever else was sent: at most 16 fields, 2 KiB of JSON in all.
    pub fields: Map<String, Value>,
}

impl ClientLog {
    /// What is left of a body within the bounds.
    pub(crate) fn of(body: &Map<String, Value>) -> Self {
        let text = |name| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let level = LEVELS.into_iter().find(|level| *level == text("level")).unwrap_or("error");
        let is_code = |c: &char| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_';
        let code = text("code").chars().filter(is_code).take(LONGEST_CODE).collect();
        let mut room = MOST_BYTES;
        let mut fields = Map::new();
        for (name, value) in
            body.iter().filter(|(name, _)| *name != "level" && *name != "code").take(MOST_FIELDS)
        {
            let Some(rest) = room.checked_sub(name.len() + value.to_string().len()) else { continue };
            room = rest;
            fields.insert(name.clone(), value.clone());
        }
        Self { level, code, fields }
    }
}

const LEVELS: [&str; 3] = ["error", "warn", "debug"];

const LONGEST_CODE: usize = 64;

const MOST_FIELDS: usize = 16;

const MOST_BYTES: usize = 2048;
