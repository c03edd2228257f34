//! The application's claims in a token's payload, beside Hallpass' own.

use std::fmt;
use std::sync::Arc;

use serde::de::value::MapDeserializer;
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, de};
use serde_json::{Map, Value};

use super::jwt::StaleClaims;
use super::{JwtDecision, Payload};
use crate::error::BoxError;

/// Claims of the token that are Hallpass' own; no field of an application's claims may be called so.
const RESERVED: [&str; 8] = ["sub", "name", "email", "picture", "iat", "exp", "nbf", "jti"];

/// The application's claims in a token's payload.
pub(crate) fn parse_claims<C: de::DeserializeOwned>(token: &Map<String, Value>) -> Result<C, BoxError> {
    let own = token.iter().filter(|(name, _)| !is_reserved(name));
    let own = own.map(|(name, value)| (name.as_str(), value));
    C::deserialize(MapDeserializer::<_, serde_json::Error>::new(own))
        .map_err(|error| Box::new(StaleClaims::new(&error)).into())
}

/// The payload that follows from what a callback decided; `None` ends the session.
pub(crate) fn payload<C: Serialize>(
    before: Payload,
    decision: JwtDecision<C>,
) -> Result<Option<Payload>, BoxError> {
    let JwtDecision::Keep { token, claims } = decision else { return Ok(None) };
    let Value::Object(claims) = serde_json::to_value(claims)? else {
        return Err("claims must be a struct: a JSON object".into());
    };
    if let Some(name) = claims.keys().find(|name| is_reserved(name)) {
        return Err(format!("the claims have a field {name:?}, which is Hallpass' own").into());
    }
    let token = match token {
        // Most reads change nothing.
        None if has_claims(&before, &claims) => return Ok(Some(before)),
        None => Arc::unwrap_or_clone(before),
        Some(token) => token.into_payload(),
    };
    let own = token.into_iter().filter(|(name, _)| is_reserved(name));
    Ok(Some(Arc::new(own.chain(claims).collect())))
}

/// Whether these, and no others, are the application's claims in a token.
fn has_claims(token: &Map<String, Value>, claims: &Map<String, Value>) -> bool {
    let kept = token.keys().filter(|name| !is_reserved(name)).count();
    kept == claims.len() && claims.iter().all(|(name, value)| token.get(name) == Some(value))
}

fn is_reserved(claim: &str) -> bool {
    RESERVED.contains(&claim)
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
