//! What must never be in a session that a browser sees: tokens of providers and passwords.

use memchr::memmem;
use serde_json::Value;

/// Whether there can be any. Cheap, for every answer.
pub(crate) fn is_suspect(json: &str) -> bool {
    ["assword", "_token\"", "_secret\"", "\"providerAccountId\""]
        .iter()
        .any(|hint| memmem::find(json.as_bytes(), hint.as_bytes()).is_some())
}

/// Takes such fields out, and returns their paths.
pub(crate) fn take_out(value: &mut Value) -> Vec<String> {
    let mut found = Vec::new();
    search(value, "session", &mut found);
    found
}

fn search(value: &mut Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let is_account = fields.contains_key("providerAccountId");
            let sensitive = |name: &str, value: &Value| {
                !value.is_null() && (NAMES.contains(&name) || (is_account && ACCOUNT.contains(&name)))
            };
            let names: Vec<_> = fields
                .iter()
                .filter(|(name, value)| sensitive(name, value))
                .map(|(name, _)| name.clone())
                .collect();
            for name in names {
                fields.remove(&name);
                found.push(format!("{path}.{name}"));
            }
            for (name, value) in fields {
                search(value, &format!("{path}.{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                search(item, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

/// Names that say what they are.
const NAMES: [&str; 12] = [
    "access_token",
    "refresh_token",
    "id_token",
    "oauth_token",
    "oauth_token_secret",
    "client_secret",
    "password",
    "passwordHash",
    "password_hash",
    "hashedPassword",
    "hashed_password",
    "passwordSalt",
];

/// And in an account.
const ACCOUNT: [&str; 3] = ["session_token", "session_state", "code"];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tokens_and_passwords_are_found_at_any_depth() {
        let mut session = json!({
            "user": { "name": "Ada", "password": "x", "account": { "providerAccountId": "1", "access_token": "t",
                      "session_token": "s", "provider": "acme" } },
            "list": [{ "id_token": "i" }], "session_token": "the application's own", "refresh_token": null,
        });
        assert!(is_suspect(&session.to_string()));
        let mut found = take_out(&mut session);
        found.sort();
        assert_eq!(
            found,
            [
                "session.list[0].id_token",
                "session.user.account.access_token",
                "session.user.account.session_token",
                "session.user.password"
            ]
        );
        assert_eq!(session["user"]["account"], json!({ "providerAccountId": "1", "provider": "acme" }));
        assert_eq!(session["session_token"], "the application's own");
    }
}
