//! What a session's token holds: Hallpass' own claims, and beside them the application's.

use std::borrow::Cow;
use std::fmt;
use std::io::Write;
use std::sync::{Arc, OnceLock};

use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::JwtDecision;
use super::stale::StaleClaims;
use crate::Timestamp;
use crate::error::{BoxError, Error, ErrorKind};

/// The payload of a session's token.
///
/// Hallpass reads its own claims, the application its own as the type that they have there, so most requests never
/// need a map of them all.
#[derive(Clone, Default)]
pub(crate) struct Payload {
    own: Vec<(&'static str, Value)>,
    /// A JSON object without spaces between its members.
    claims: Vec<u8>,
    all: OnceLock<Map<String, Value>>,
}

impl Payload {
    /// What a token holds before the application extends it.
    pub(crate) fn new(own: Vec<(&'static str, Value)>) -> Self {
        Self { own, claims: b"{}".to_vec(), all: OnceLock::new() }
    }

    /// What a row of the store holds.
    pub(crate) fn of(own: Vec<(&'static str, Value)>, claims: &Map<String, Value>) -> Self {
        // A map of JSON values is always JSON.
        let claims = serde_json::to_vec(claims).unwrap_or_else(|_| b"{}".to_vec());
        Self { own, claims, all: OnceLock::new() }
    }

    /// # Errors
    /// When it is no JSON object.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// One of Hallpass' own claims.
    pub(crate) fn own(&self, claim: &str) -> Option<&Value> {
        self.own.iter().find(|(name, _)| *name == claim).map(|(_, value)| value)
    }

    /// One of Hallpass' own claims that is a text.
    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        self.own(claim).and_then(Value::as_str)
    }

    /// One of Hallpass' own claims that is a point in time.
    pub(crate) fn time(&self, claim: &str) -> Option<Timestamp> {
        self.own(claim).and_then(Value::as_i64).map(Timestamp::from_seconds)
    }

    /// Sets one of Hallpass' own claims, or removes it.
    pub(super) fn set(&mut self, claim: &'static str, value: Option<Value>) {
        self.all.take();
        self.own.retain(|(name, _)| *name != claim);
        self.own.extend(value.map(|value| (claim, value)));
    }

    /// The application's claims.
    ///
    /// # Errors
    /// [`StaleClaims`] when they are not of this type.
    pub(crate) fn parse_claims<C: DeserializeOwned>(&self) -> Result<C, BoxError> {
        serde_json::from_slice(&self.claims).map_err(|error| StaleClaims::new(&error).into())
    }

    /// The application's claims, for a row of the store.
    pub(crate) fn claims(&self) -> Result<Map<String, Value>, Error> {
        serde_json::from_slice(&self.claims)
            .map_err(|error| Error::caused_by(ErrorKind::SessionToken, "the claims are not JSON", error))
    }

    /// Whether the application's claims are the same.
    pub(crate) fn has_claims_of(&self, other: &Self) -> bool {
        self.claims == other.claims
    }

    /// All claims.
    pub(crate) fn all(&self) -> &Map<String, Value> {
        self.all.get_or_init(|| {
            let own = self.own.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
            let claims: Map<String, Value> = serde_json::from_slice(&self.claims).unwrap_or_default();
            own.chain(claims).collect()
        })
    }

    /// The JSON to seal: everything, with new times and a new id.
    pub(crate) fn renewed(
        &self,
        issued: Timestamp,
        expires: Timestamp,
        id: &str,
    ) -> Result<Vec<u8>, BoxError> {
        let mut json = Vec::with_capacity(USUAL_LENGTH + self.claims.len());
        json.push(b'{');
        for (name, value) in self.own.iter().filter(|(name, _)| !matches!(*name, "iat" | "exp" | "jti")) {
            write!(json, r#""{name}":"#)?;
            serde_json::to_writer(&mut json, value)?;
            json.push(b',');
        }
        if let [b'{', members @ .., b'}'] = self.claims.as_slice()
            && !members.is_empty()
        {
            json.extend_from_slice(members);
            json.push(b',');
        }
        write!(json, r#""iat":{},"exp":{},"jti":"{id}"}}"#, issued.seconds(), expires.seconds())?;
        Ok(json)
    }
}

/// The payload that follows from what a callback decided; `None` ends the session.
pub(crate) fn follow<C: Serialize>(
    before: Arc<Payload>,
    decision: JwtDecision<C>,
) -> Result<Option<Arc<Payload>>, BoxError> {
    let JwtDecision::Keep { token, claims } = decision else { return Ok(None) };
    let claims = serde_json::to_vec(&claims)?;
    // Most reads change nothing.
    if token.is_none() && claims == before.claims {
        return Ok(Some(before));
    }
    let after = Payload::parse(&claims).map_err(|_| "claims must be a struct: a JSON object")?;
    if let Some((name, _)) = after.own.first() {
        return Err(format!("the claims have a field {name:?}, which is Hallpass' own").into());
    }
    let own = token.map_or_else(|| before.own.clone(), |token| token.into_payload().own);
    Ok(Some(Arc::new(Payload { own, ..after })))
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for Members {
    type Value = Payload;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Payload, A::Error> {
        let mut payload = Payload {
            own: Vec::with_capacity(RESERVED.len()),
            claims: Vec::with_capacity(USUAL_LENGTH),
            ..Payload::default()
        };
        while let Some(Name(name)) = members.next_key()? {
            if let Some(own) = RESERVED.into_iter().find(|own| *own == name) {
                payload.set(own, Some(members.next_value()?));
                continue;
            }
            payload.claims.push(if payload.claims.is_empty() { b'{' } else { b',' });
            serde_json::to_writer(&mut payload.claims, &name).map_err(A::Error::custom)?;
            payload.claims.push(b':');
            payload.claims.extend_from_slice(members.next_value::<&RawValue>()?.get().as_bytes());
        }
        payload.claims.extend_from_slice(if payload.claims.is_empty() { b"{}" } else { b"}" });
        Ok(payload)
    }
}

/// The order of the claims says nothing.
impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        (self.own == other.own && self.claims == other.claims) || self.all() == other.all()
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.all().keys()).finish()
    }
}

/// Claims of the token that are Hallpass' own; no field of an application's claims may be called so.
pub(super) const RESERVED: [&str; 8] = ["sub", "name", "email", "picture", "iat", "exp", "nbf", "jti"];

/// Of Hallpass' own claims, or the application's, in bytes.
const USUAL_LENGTH: usize = 384;

#[cfg(test)]
mod tests;
