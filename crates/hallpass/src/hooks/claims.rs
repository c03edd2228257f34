//! The application's claims in a token's payload, beside Hallpass' own.

use std::fmt;

use serde::de::value::MapDeserializer;
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, de};
use serde_json::{Map, Value};

use super::JwtDecision;
use super::jwt::StaleClaims;
use crate::error::BoxError;

/// Claims of the token that are Hallpass' own; no field of an application's claims may be called so.
const RESERVED: [&str; 8] = ["sub", "name", "email", "picture", "iat", "exp", "nbf", "jti"];

/// The application's claims in a token's payload.
pub(crate) fn parse_claims<C: de::DeserializeOwned>(token: &Map<String, Value>) -> Result<C, BoxError> {
    let own = token.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str()));
    let own = own.map(|(name, value)| (name.as_str(), value));
    C::deserialize(MapDeserializer::<_, serde_json::Error>::new(own))
        .map_err(|error| Box::new(StaleClaims::new(&error)).into())
}

/// The payload that follows from what a callback decided; `None` ends the session.
pub(crate) fn payload<C: Serialize>(
    before: &Map<String, Value>,
    decision: JwtDecision<C>,
) -> Result<Option<Map<String, Value>>, BoxError> {
    let JwtDecision::Keep { token, claims } = decision else { return Ok(None) };
    let changed = token.map(|token| token.into_payload());
    let own = changed.as_ref().unwrap_or(before);
    let mut payload = Map::new();
    for name in RESERVED {
        if let Some(value) = own.get(name) {
            payload.insert(name.to_owned(), value.clone());
        }
    }
    let Value::Object(claims) = serde_json::to_value(claims)? else {
        return Err("claims must be a struct: a JSON object".into());
    };
    for (name, value) in claims {
        if RESERVED.contains(&name.as_str()) {
            return Err(format!("the claims have a field {name:?}, which is Hallpass' own").into());
        }
        payload.insert(name, value);
    }
    Ok(Some(payload))
}

/// A field of the type `C` whose name is Hallpass' own, as far as the type tells its fields: a struct does.
pub(crate) fn reserved_field<'de, C: Deserialize<'de>>() -> Option<&'static str> {
    let mut fields: &[&str] = &[];
    // It never succeeds: it only looks at what the type asks for.
    let _ = C::deserialize(Fields(&mut fields));
    fields.iter().find(|field| RESERVED.contains(field)).copied()
}

/// Notes the names of the fields that a struct asks for, and gives it nothing.
struct Fields<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = Nothing;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Nothing> {
        *self.0 = fields;
        Err(Nothing)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Nothing> {
        Err(Nothing)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// There was nothing to read.
#[derive(Debug)]
struct Nothing;

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is nothing to read")
    }
}

impl std::error::Error for Nothing {}

impl de::Error for Nothing {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests;
