//! What must never reach a page, whatever a callback returns.

use serde_json::Value;

/// Takes fields out of a view that hold what is good for signing in somewhere: tokens of providers and of sessions,
/// passwords and their hashes. Returns where they stood: `user.account.access_token`.
///
/// It is done to everything that a `session` callback returns; programs that show or send such data on other ways need it
/// themselves.
pub fn strip(view: &mut Value) -> Vec<String> {
    let mut found = Vec::new();
    strip_below(view, "", &mut found);
    found
}

/// Whether a field of this name holds what [`strip`] takes out: for whoever hides values instead, as in logs.
pub fn is_secret_name(name: &str) -> bool {
    NEVER_SHOWN.iter().any(|ending| name.ends_with(ending))
}

/// Whether JSON may hold such a field at all: most does not, and need not be taken apart.
pub(super) fn is_suspicious(json: &str) -> bool {
    let bytes = json.as_bytes();
    bytes.windows(2).enumerate().any(|(at, pair)| match pair {
        b"\":" => bytes
            .get(..at)
            .is_some_and(|before| NEVER_SHOWN.iter().any(|ending| before.ends_with(ending.as_bytes()))),
        b"\\u" => true,
        _ => false,
    })
}

fn strip_below(value: &mut Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.retain(|name, value| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if NEVER_SHOWN.iter().any(|ending| name.ends_with(ending)) && !value.is_null() {
                found.push(path);
                return false;
            }
            strip_below(value, &path, found);
            true
        }),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                strip_below(item, &format!("{path}.{index}"), found);
            }
        }
        _ => {}
    }
}

/// Endings of names, as OAuth, Auth.js' tables and applications have them.
const NEVER_SHOWN: [&str; 14] = [
    "access_token",
    "accessToken",
    "refresh_token",
    "refreshToken",
    "id_token",
    "idToken",
    "session_token",
    "sessionToken",
    "client_secret",
    "clientSecret",
    "password",
    "Password",
    "password_hash",
    "asswordHash",
];

#[cfg(test)]
mod tests;
