//! What callbacks are given may be shown; secrets in it may not.

use hallpass::is_secret_name;
use serde_json::{Map, Value};

/// The value, with everything that is secret hidden.
pub(crate) fn masked(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        for (name, field) in fields.iter_mut() {
            match (name.as_str(), field) {
                ("credentials", Value::Object(typed)) => hide_all_but(typed, &["username", "callbackUrl"]),
                ("account", Value::Object(account)) => hide_all_but(account, HARMLESS_IN_ACCOUNT),
                (_, field) => *field = hidden_where_secret(std::mem::take(field)),
            }
        }
    }
    value
}

/// The fields of a form, but for what may be shown.
pub(crate) fn masked_form(mut fields: Map<String, Value>) -> Value {
    hide_all_but(&mut fields, &["username", "callbackUrl"]);
    Value::Object(fields)
}

fn hide_all_but(fields: &mut Map<String, Value>, harmless: &[&str]) {
    for (name, value) in fields {
        if !harmless.contains(&name.as_str()) {
            *value = HIDDEN.into();
        }
    }
}

/// Hides texts whose name says that they are secret.
fn hidden_where_secret(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let value = match value {
                    Value::String(_) if is_secret_name(&name) => HIDDEN.into(),
                    value => hidden_where_secret(value),
                };
                (name, value)
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(hidden_where_secret).collect(),
        value => value,
    }
}

const HIDDEN: &str = "(hidden)";

const HARMLESS_IN_ACCOUNT: &[&str] =
    &["provider", "type", "providerAccountId", "userId", "token_type", "scope", "expires_at", "expires_in"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_typed_and_the_tokens_of_an_account_are_hidden() {
        let shown = masked(json!({
            "credentials": { "username": "lena", "password": "demo", "csrfToken": "c" },
            "account": { "provider": "github", "access_token": "a", "whatever": "w" },
            "user": { "name": "Lena", "passwordHash": "k" },
            "token": { "sub": "lena", "nested": [{ "refresh_token": "r" }] },
        }));
        let expected = json!({
            "credentials": { "username": "lena", "password": "(hidden)", "csrfToken": "(hidden)" },
            "account": { "provider": "github", "access_token": "(hidden)", "whatever": "(hidden)" },
            "user": { "name": "Lena", "passwordHash": "(hidden)" },
            "token": { "sub": "lena", "nested": [{ "refresh_token": "(hidden)" }] },
        });
        assert_eq!(shown, expected);
    }
}
