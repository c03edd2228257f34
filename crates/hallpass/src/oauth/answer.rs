//! Reading what a provider answered.

use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Deserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::{ProtocolError, ProtocolErrorKind as Kind};

/// Reads an answer that must be a JSON object: status 200 (201 too, where `created` allows it), strict UTF-8,
/// no member twice, nested at most 128 deep.
pub(crate) fn json_object(
    response: &Response<Bytes>,
    kind: Kind,
    what: &str,
    limit: usize,
) -> Result<Map<String, Value>, ProtocolError> {
    let status = response.status();
    if status != StatusCode::OK && !(kind == Kind::Token && status == StatusCode::CREATED) {
        return Err(refused(response, kind, what, limit));
    }
    if response.body().len() > limit {
        return Err(ProtocolError::new(kind, format!("{what} is larger than {limit} bytes")));
    }
    let object = parse_object(response.body())
        .map_err(|error| ProtocolError::new(kind, format!("{what} is not a JSON object")).caused_by(error))?;
    Ok(object)
}

/// Reads a JSON object, refusing one that has a member twice: two readers may see different values
/// (RFC 8259 §4).
pub(crate) fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let object = deserializer.deserialize_map(UniqueMembers)?;
    deserializer.end()?;
    Ok(object)
}

/// An answer with another status. It may explain itself (RFC 6749 §5.2).
fn refused(response: &Response<Bytes>, kind: Kind, what: &str, limit: usize) -> ProtocolError {
    let status = response.status();
    let temporary = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    let error =
        ProtocolError::new(kind, format!("{what} came with status {}", status.as_u16())).for_now(temporary);
    if response.body().len() > limit {
        return error;
    }
    let Ok(object) = parse_object(response.body()) else { return error };
    match object.get("error").and_then(Value::as_str) {
        Some(code) => error.with_answer(code, object.get("error_description").and_then(Value::as_str)),
        None => error,
    }
}

struct UniqueMembers;

impl<'de> Visitor<'de> for UniqueMembers {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        Ok(object)
    }
}
