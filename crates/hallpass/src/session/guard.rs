//! What must never reach a page, whatever a callback returns.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::Live;

/// Takes fields out of a view that hold what is good for signing in somewhere: tokens of providers and of sessions,
/// passwords and their hashes, known by the name of their field or by their look, also where that is part of a text or
/// of the name of a field. Returns where they stood: `user.account.access_token`.
///
/// It is done to everything that a `session` callback returns; programs that show or send such data in other ways have
/// to do it themselves.
pub fn strip(view: &mut Value) -> Vec<String> {
    Secrets(Vec::new()).strip(view)
}

/// Whether a field of this name holds what [`strip_secrets`](crate::strip_secrets) takes out: for whoever hides values
/// instead, as in logs.
pub fn is_secret_name(name: &str) -> bool {
    NEVER_SHOWN.iter().any(|ending| name.ends_with(ending))
}

/// Secrets as [`strip`] knows them, and those that stand under such a name in what the session keeps: in order, and
/// none begins with another.
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// Those that this session keeps.
    pub(super) fn of(live: &Live) -> Self {
        let mut kept = Vec::new();
        if is_suspicious(live.token.claims_json()) {
            live.token.all().iter().for_each(|(name, value)| collect(name, value, &mut kept));
        }
        if let Some(row) = &live.row {
            kept.push(row.token.expose().to_owned());
            row.user.extra.iter().for_each(|(name, value)| collect(name, value, &mut kept));
        }
        Self::new(kept)
    }

    fn new(mut kept: Vec<String>) -> Self {
        // A short one says nothing: something else may be called the same.
        kept.retain(|secret| secret.len() >= LONG);
        kept.sort_unstable();
        // Where the shorter of two is found, the longer one need not be looked for.
        kept.dedup_by(|longer, shorter| longer.starts_with(shorter.as_str()));
        Self(kept)
    }

    /// Whether a view may hold one at all: most does not, and need not be taken apart.
    pub(super) fn may_be_in(&self, json: &str) -> bool {
        is_suspicious(json.as_bytes()) || self.are_told_by(json)
    }

    /// Whether a text holds a secret, alone or among other words, as it is or as part of an address.
    fn are_told_by(&self, text: &str) -> bool {
        let tell = |text: &[u8]| looks_secret(text) || self.are_in(text);
        tell(text.as_bytes()) || (text.contains('%') && tell(&Cow::<[u8]>::from(percent_decode_str(text))))
    }

    /// Whether a text holds one of those that the session keeps. However many it keeps, each place of the text is
    /// compared with one only: the last that is not greater than what stands there.
    fn are_in(&self, text: &[u8]) -> bool {
        let mut rest = text;
        while !self.0.is_empty() && rest.len() >= LONG {
            let next = self.0.partition_point(|secret| secret.as_bytes() <= rest);
            let before = next.checked_sub(1).and_then(|at| self.0.get(at));
            if before.is_some_and(|secret| rest.starts_with(secret.as_bytes())) {
                return true;
            }
            rest = rest.get(1..).unwrap_or_default();
        }
        false
    }

    /// Takes them out of a view. Returns where they stood: `user.account.access_token`.
    pub(super) fn strip(&self, view: &mut Value) -> Vec<String> {
        let mut found = Vec::new();
        self.strip_below(view, "", &mut found);
        found
    }

    fn strip_below(&self, value: &mut Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => members.retain(|name, value| {
                let is_told = self.are_told_by(name);
                let shown = if is_told { "(a secret)" } else { name };
                let path = if path.is_empty() { shown.to_owned() } else { format!("{path}.{shown}") };
                if is_told || (is_secret_name(name) && !value.is_null()) || self.is_one(value) {
                    found.push(path);
                    return false;
                }
                self.strip_below(value, &path, found);
                true
            }),
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    let path = format!("{path}.{index}");
                    if self.is_one(item) {
                        found.push(path);
                        // The others keep their places.
                        *item = Value::Null;
                        continue;
                    }
                    self.strip_below(item, &path, found);
                }
            }
            _ => {}
        }
    }

    fn is_one(&self, value: &Value) -> bool {
        value.as_str().is_some_and(|text| self.are_told_by(text))
    }
}

/// Whether a text holds a hash of a password (PHC and crypt) or the token of a session.
fn looks_secret(text: &[u8]) -> bool {
    let begins = |at: usize, first: u8| {
        let rest = text.get(at..).unwrap_or_default();
        matches!(first, b'$' | b'e')
            && (LOOKS.iter().any(|look| rest.starts_with(look.as_bytes())) || is_bcrypt(rest))
    };
    text.iter().enumerate().any(|(at, first)| begins(at, *first))
}

/// `$2b$10$…`: without the cost it may be a sum of money.
fn is_bcrypt(text: &[u8]) -> bool {
    matches!(text, [b'$', b'2', b'a' | b'b' | b'y', b'$', b'0'..=b'9', b'0'..=b'9', b'$', ..])
}

/// The texts that stand under the name of a secret.
fn collect(name: &str, value: &Value, kept: &mut Vec<String>) {
    match value {
        Value::String(text) if is_secret_name(name) => kept.push(text.clone()),
        Value::Object(members) => members.iter().for_each(|(name, value)| collect(name, value, kept)),
        Value::Array(items) => items.iter().for_each(|value| collect(name, value, kept)),
        _ => {}
    }
}

/// Whether JSON without spaces may hold something that is called a secret. What is escaped may be anything.
fn is_suspicious(json: &[u8]) -> bool {
    json.windows(2).enumerate().any(|(at, pair)| match pair {
        b"\":" => json
            .get(..at)
            .is_some_and(|before| NEVER_SHOWN.iter().any(|ending| before.ends_with(ending.as_bytes()))),
        [b'\\', _] => true,
        _ => false,
    })
}

/// Endings of names, as OAuth, Auth.js' tables and applications have them.
const NEVER_SHOWN: [&str; 18] = [
    "access_token",
    "accessToken",
    "refresh_token",
    "refreshToken",
    "id_token",
    "idToken",
    "session_token",
    "sessionToken",
    "oauth_token",
    "oauth_token_secret",
    "client_secret",
    "clientSecret",
    "password",
    "Password",
    "password_hash",
    "asswordHash",
    "password_salt",
    "asswordSalt",
];

/// How hashes of passwords begin, beside those of bcrypt, and tokens of sessions: a JWE with `"alg":"dir"` first.
const LOOKS: [&str; 7] =
    ["$argon2d$", "$argon2i$", "$argon2id$", "$scrypt$", "$pbkdf2$", "$pbkdf2-", "eyJhbGciOiJkaXIi"];

/// In bytes.
const LONG: usize = 16;

#[cfg(test)]
mod tests;
