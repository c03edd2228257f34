//! What callbacks answer, read.

use std::borrow::Cow;
use std::fmt;

use hallpass::{BoxError, JwtDecision, Token};
use memchr::memmem;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::session::Claims;

/// What a `jwt` callback returned: the token, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Returned {
    own: Vec<(String, Option<String>)>,
    claims: Vec<u8>,
}

impl Returned {
    /// # Errors
    /// When it is no object.
    pub(crate) fn read(json: &str) -> Result<Self, BoxError> {
        serde_json::from_str(json)
            .map_err(|_| "`jwt` must return the token: an object, or null to end the session".into())
    }

    /// The decision. Name, e-mail and picture may have changed; times and ids of a token are Hallpass' own.
    ///
    /// # Errors
    /// When the claims are no JSON after all.
    pub(crate) fn decide(self, mut token: Token) -> Result<JwtDecision<Claims>, BoxError> {
        let claims = Claims::parse(String::from_utf8(self.claims)?)?;
        let own = |name: &str| {
            self.own.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.clone())
        };
        if own("sub").is_some_and(|sub| sub != token.sub()) {
            tracing::warn!(
                "`jwt` changed `token.sub`, which is not taken over: keep another id in a field of its own"
            );
        }
        let (name, email, picture) = (own("name"), own("email"), own("picture"));
        if token.name == name && token.email == email && token.picture == picture {
            return Ok(Some(claims).into());
        }
        (token.name, token.email, token.picture) = (name, email, picture);
        Ok(token.with(claims))
    }
}

impl<'de> Deserialize<'de> for Returned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for Members {
    type Value = Returned;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Returned, A::Error> {
        use serde::de::Error;
        let mut returned = Returned { own: Vec::with_capacity(8), claims: Vec::with_capacity(256) };
        while let Some(Name(name)) = members.next_key()? {
            let value: &RawValue = members.next_value()?;
            if OWN.contains(&&*name) {
                returned.own.push((name.into_owned(), serde_json::from_str(value.get()).ok()));
                continue;
            }
            let claims = &mut returned.claims;
            claims.push(if claims.is_empty() { b'{' } else { b',' });
            serde_json::to_writer(&mut *claims, &name).map_err(A::Error::custom)?;
            claims.push(b':');
            claims.extend_from_slice(value.get().as_bytes());
        }
        returned.claims.extend_from_slice(if returned.claims.is_empty() { b"{}" } else { b"}" });
        Ok(returned)
    }
}

/// What a `session` callback returned, without the end of the session, which Hallpass adds.
pub(crate) fn without_expires(json: String, expires: &str) -> String {
    let member = format!(r#","expires":"{expires}""#);
    let Some(at) = memmem::find(json.as_bytes(), member.as_bytes()) else { return json };
    if depth(json.get(..at).unwrap_or_default()) != 1 {
        return json;
    }
    let mut shorter = json;
    shorter.replace_range(at..at + member.len(), "");
    shorter
}

/// How deep in objects and arrays the end of this beginning is.
fn depth(json: &str) -> usize {
    let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if in_text { 0 } else { depth }
}

/// JSON that goes to the browser as it is.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Json(pub(crate) Box<RawValue>);

impl Json {
    /// # Errors
    /// When it is no JSON.
    pub(crate) fn of(value: &impl Serialize) -> Result<Self, BoxError> {
        Ok(Self(to_raw_value(value)?))
    }
}

/// Claims of the token that are Hallpass' own.
const OWN: [&str; 8] = ["sub", "name", "email", "picture", "iat", "exp", "nbf", "jti"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_the_session_itself_is_left_out() {
        let end = "2026-01-01T00:00:00.000Z";
        for (given, left) in [
            (r#"{"user":{"a":1},"expires":"2026-01-01T00:00:00.000Z","x":1}"#, r#"{"user":{"a":1},"x":1}"#),
            (
                r#"{"user":{"a":1,"expires":"2026-01-01T00:00:00.000Z"}}"#,
                r#"{"user":{"a":1,"expires":"2026-01-01T00:00:00.000Z"}}"#,
            ),
            (r#"{"a":"}{\"","expires":"2026-01-01T00:00:00.000Z"}"#, r#"{"a":"}{\""}"#),
        ] {
            assert_eq!(without_expires(given.to_owned(), end), left);
        }
    }

    #[test]
    fn the_token_is_parted_into_what_is_hallpass_own_and_claims() {
        let json = r#"{"name":"Ada","sub":"1","role":"x","iat":1,"nested":{"sub":2},"email":null}"#;
        let returned = Returned::read(json).unwrap();
        assert_eq!(String::from_utf8(returned.claims).unwrap(), r#"{"role":"x","nested":{"sub":2}}"#);
        assert!(Returned::read("[1]").is_err());
    }
}
