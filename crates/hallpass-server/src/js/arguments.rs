//! What callbacks are called with at every read, as JSON.
//!
//! It is what the events serialize as; put together from its parts it takes a third of the time, and reads are what a
//! server does.

use hallpass::{JwtRead, SessionEvent, Token};
use serde::Serialize;

use crate::session::Claims;

/// `{ token }`
pub(super) fn of_read(event: &JwtRead<Claims>) -> serde_json::Result<String> {
    let mut json = Vec::with_capacity(USUAL_LENGTH);
    json.extend_from_slice(b"{\"token\":");
    push_token(&mut json, &event.token, &event.claims)?;
    json.push(b'}');
    text(json)
}

/// `{ session, token }`, where the session is in a token: with sessions in the database there is more to it.
pub(super) fn of_session(event: &SessionEvent<Claims>) -> serde_json::Result<String> {
    let mut json = Vec::with_capacity(USUAL_LENGTH);
    json.extend_from_slice(b"{\"session\":{\"user\":");
    serde_json::to_writer(&mut json, &event.user.public())?;
    push(&mut json, "expires", &event.expires)?;
    json.extend_from_slice(b"},\"token\":");
    push_token(&mut json, &event.token, &event.claims)?;
    json.push(b'}');
    text(json)
}

/// Hallpass' own claims, then the application's.
fn push_token(json: &mut Vec<u8>, token: &Token, claims: &Claims) -> serde_json::Result<()> {
    let start = json.len();
    for name in OWN {
        if let Some(value) = token.get(name) {
            push(json, name, value)?;
        }
    }
    if let Some(members) = claims.json().strip_prefix('{').and_then(|json| json.strip_suffix('}'))
        && !members.is_empty()
    {
        json.push(b',');
        json.extend_from_slice(members.as_bytes());
    }
    match json.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => json.push(b'{'),
    }
    json.push(b'}');
    Ok(())
}

fn push(json: &mut Vec<u8>, name: &str, value: &impl Serialize) -> serde_json::Result<()> {
    json.extend_from_slice(b",\"");
    json.extend_from_slice(name.as_bytes());
    json.extend_from_slice(b"\":");
    serde_json::to_writer(json, value)
}

fn text(json: Vec<u8>) -> serde_json::Result<String> {
    String::from_utf8(json).map_err(serde::ser::Error::custom)
}

const OWN: [&str; 7] = ["sub", "name", "email", "picture", "iat", "exp", "jti"];

const USUAL_LENGTH: usize = 1024;
