//! What callbacks are called with at every read, as JSON.
//!
//! It is what the events serialize as; put together from its parts it takes a third of the time, and reads are what a
//! server does.

use hallpass::Token;
use memchr::memchr2;
use serde::Serialize;

use crate::session::Claims;

/// A token: Hallpass' own claims, then the application's.
pub(super) fn token(token: &Token, claims: &Claims) -> serde_json::Result<String> {
    let mut json = Vec::with_capacity(USUAL_LENGTH);
    for name in OWN {
        if let Some(value) = token.get(name) {
            push(&mut json, name, value)?;
        }
    }
    if let Some(members) = claims.json().strip_prefix('{').and_then(|json| json.strip_suffix('}'))
        && !members.is_empty()
    {
        json.push(b',');
        json.extend_from_slice(members.as_bytes());
    }
    match json.first_mut() {
        Some(comma) => *comma = b'{',
        None => json.push(b'{'),
    }
    json.push(b'}');
    String::from_utf8(json).map_err(serde::ser::Error::custom)
}

/// Whether there is neither an object nor a list in this object.
pub(super) fn is_flat(json: &str) -> bool {
    memchr2(b'{', b'[', json.as_bytes().get(1..).unwrap_or_default()).is_none()
}

fn push(json: &mut Vec<u8>, name: &str, value: &impl Serialize) -> serde_json::Result<()> {
    json.extend_from_slice(b",\"");
    json.extend_from_slice(name.as_bytes());
    json.extend_from_slice(b"\":");
    serde_json::to_writer(json, value)
}

const OWN: [&str; 7] = ["sub", "name", "email", "picture", "iat", "exp", "jti"];

const USUAL_LENGTH: usize = 768;
