//! What a session's token holds: Hallpass' own claims, and beside them the application's.

use std::borrow::Cow;
use std::fmt;
use std::io::Write;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::JwtDecision;
use super::stale::StaleClaims;
use crate::Timestamp;
use crate::error::{BoxError, Error, ErrorKind};
use crate::store::Epoch;

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
    /// How long the session lives that nobody uses, where the callback says so.
    pub(crate) max_age: Option<Duration>,
    marker: Option<Marker>,
}

impl Payload {
    /// What a token holds before the application extends it.
    pub(crate) fn new(own: Vec<(&'static str, Value)>) -> Self {
        Self { own, claims: b"{}".to_vec(), ..Self::default() }
    }

    /// What a row of the store holds.
    pub(crate) fn of(own: Vec<(&'static str, Value)>, claims: &Map<String, Value>) -> Self {
        // A map of JSON values is always JSON.
        let claims = serde_json::to_vec(claims).unwrap_or_else(|_| b"{}".to_vec());
        Self { own, claims, ..Self::default() }
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

    /// When the session began, and the epoch of its user that it knows of. Where the token does not say, it began
    /// when it was issued.
    pub(crate) fn marker(&self) -> Marker {
        let read = self.text("jti").and_then(Marker::parse);
        self.marker.or(read).unwrap_or_else(|| Marker {
            began: self.time("iat").unwrap_or(Timestamp::from_seconds(0)),
            began_in: None,
            epoch: 0,
        })
    }

    /// Sets [`Self::marker`].
    pub(crate) fn mark(&mut self, marker: Marker) {
        self.marker = Some(marker);
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

    /// Who it is: Hallpass' own claims without times and marks.
    pub(crate) fn identity(&self) -> Vec<(&'static str, Value)> {
        let is_identity = |name: &str| matches!(name, "sub" | "name" | "email" | "picture");
        self.own.iter().filter(|(name, _)| is_identity(name)).cloned().collect()
    }

    /// The application's claims, for a row of the store.
    pub(crate) fn claims(&self) -> Result<Map<String, Value>, Error> {
        serde_json::from_slice(&self.claims)
            .map_err(|error| Error::caused_by(ErrorKind::SessionToken, "the claims are not JSON", error))
    }

    /// The application's claims: a JSON object without spaces between its members.
    pub(crate) fn claims_json(&self) -> &[u8] {
        &self.claims
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
        write!(json, r#""iat":{},"exp":{},"jti":"{id}"#, issued.seconds(), expires.seconds())?;
        let marker = self.marker.or_else(|| self.text("jti").and_then(Marker::parse));
        if let Some(Marker { began, began_in, epoch }) = marker {
            let began_in = began_in.map(|number| number.to_string()).unwrap_or_default();
            write!(json, ".{}.{began_in}.{epoch}", began.millis())?;
        }
        json.extend_from_slice(br#""}"#);
        Ok(json)
    }
}

/// What a token says of its session beside who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) began: Timestamp,
    /// The epoch of the user in which the session began; `None` where another program has made the token.
    pub(crate) began_in: Option<i64>,
    /// The last epoch that the token knows of.
    pub(crate) epoch: i64,
}

impl Marker {
    /// Whether the session has been revoked.
    pub(crate) fn is_revoked_in(self, epoch: &Epoch) -> bool {
        match self.began_in {
            Some(began_in) => began_in < epoch.revoked,
            None => epoch.not_before.is_some_and(|end| self.began <= end),
        }
    }

    /// It is the end of the token's id, where programs that know nothing of it do not mind:
    /// `<uuid>.<began>.<began in>.<epoch>`, where `began in` may be empty.
    fn parse(id: &str) -> Option<Self> {
        let mut parts = id.split('.').skip(1);
        let began = Timestamp::from_millis(parts.next()?.parse().ok()?);
        let began_in = match parts.next()? {
            "" => None,
            number => Some(number.parse().ok()?),
        };
        let epoch = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Self { began, began_in, epoch })
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
    let before = token.map_or_else(|| Payload::clone(&before), |token| token.into_payload());
    Ok(Some(Arc::new(Payload { own: before.own, max_age: before.max_age, marker: before.marker, ..after })))
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

/// Whether a claim is Hallpass' own.
pub(crate) fn is_reserved(claim: &str) -> bool {
    RESERVED.contains(&claim)
}

/// Claims of the token that are Hallpass' own; no field of an application's claims may be called so.
pub(super) const RESERVED: [&str; 8] = ["sub", "name", "email", "picture", "iat", "exp", "nbf", "jti"];

/// Of Hallpass' own claims, or the application's, in bytes.
const USUAL_LENGTH: usize = 384;

#[cfg(test)]
mod tests;
