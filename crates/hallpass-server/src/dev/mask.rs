//! What callbacks are given may be shown; secrets in it may not.

use serde_json::{Map, Value};

/// The value, with everything that is secret hidden.
pub(crate) fn masked(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        for (name, field) in fields.iter_mut() {
            match (name.as_str(), field) {
                ("credentials", Value::Object(typed)) => hide_all_but(typed, &["username", "callbackUrl"]),
                ("account", Value::Object(account)) => hide_all_but(account, HARMLESS_IN_ACCOUNT),
                _ => {}
            }
        }
    }
    hidden_where_secret(value, false)
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

/// Whether a field of this name may hold a secret: for what a developer is shown, and for logs, where one too many does
/// no harm. What is taken out of sessions goes by [`is_secret_name`](hallpass::is_secret_name).
pub(crate) fn sounds_secret(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let run: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    let is_harmless = HARMLESS.iter().any(|ending| run.ends_with(ending));
    !is_harmless && (SECRET.iter().any(|word| run.contains(word)) || has_secret_word(name))
}

/// Whether one of the words of a name is a short one that means a secret: `DB_PASS`, `userPin`, `OTPValue`.
fn has_secret_word(name: &str) -> bool {
    let mut spaced = String::with_capacity(2 * name.len());
    for (at, letter) in name.char_indices() {
        // A word begins at a hump, and an abbreviation ends before the word whose capital letter follows.
        let next = name.get(at + 1..).and_then(|rest| rest.chars().next());
        let is_beside_small =
            [spaced.chars().next_back(), next].into_iter().flatten().any(|c| c.is_ascii_lowercase());
        if letter.is_ascii_uppercase() && is_beside_small {
            spaced.push(' ');
        }
        spaced.push(letter);
    }
    let mut words = spaced.split(|c: char| !c.is_ascii_alphabetic());
    words.any(|word| SECRET_WORDS.iter().any(|secret| word.eq_ignore_ascii_case(secret)))
}

/// Hides texts and numbers whose name says that they may be secret.
fn hidden_where_secret(value: Value, is_secret: bool) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let value = hidden_where_secret(value, sounds_secret(&name));
                (name, value)
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(|item| hidden_where_secret(item, is_secret)).collect(),
        Value::String(_) | Value::Number(_) if is_secret => HIDDEN.into(),
        value => value,
    }
}

const HIDDEN: &str = "(hidden)";

/// Words in the names of secrets.
const SECRET: [&str; 15] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "code",
    "assertion",
    "nonce",
    "hash",
    "salt",
    "key",
    "verifier",
    "credential",
    "authorization",
    "cookie",
];

/// Words of their own in the names of secrets: parts of `passport`, `shipping`, `path` and `pattern` too.
const SECRET_WORDS: [&str; 7] = ["pass", "pwd", "pat", "otp", "pin", "jwt", "bearer"];

/// Ends of names that have such a word, and no secret.
const HARMLESS: [&str; 11] = [
    "tokentype",
    "errorcode",
    "statuscode",
    "countrycode",
    "postalcode",
    "zipcode",
    "postcode",
    "languagecode",
    "currencycode",
    "keyword",
    "keywords",
];

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
            "user": { "name": "Lena", "passwordHash": "k", "api_key": "a", "hasPassword": true },
            "token": { "sub": "lena", "nested": [{ "refresh_token": "r" }], "loginCode": 123456, "backup-codes": ["b"] },
            "otherToken": "o",
            "country_code": "DE",
        }));
        let expected = json!({
            "credentials": { "username": "lena", "password": "(hidden)", "csrfToken": "(hidden)" },
            "account": { "provider": "github", "access_token": "(hidden)", "whatever": "(hidden)" },
            "user": { "name": "Lena", "passwordHash": "(hidden)", "api_key": "(hidden)", "hasPassword": true },
            "token": {
                "sub": "lena", "nested": [{ "refresh_token": "(hidden)" }],
                "loginCode": "(hidden)", "backup-codes": ["(hidden)"]
            },
            "otherToken": "(hidden)",
            "country_code": "DE",
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn names_are_secret_in_any_spelling_and_harmless_ones_are_not() {
        for name in [
            "code",
            "client_assertion",
            "nonce",
            "c_hash",
            "API-KEY",
            "csrfToken",
            "PassWord",
            "codeVerifier",
            "salt",
            "AUTH_SECRET",
            "Authorization",
            "Set-Cookie",
            "privateKey",
            "DB_PASS",
            "SMTP_PWD",
            "GITHUB_PAT",
            "otp",
            "userPin",
            "user-pin",
            "PIN2",
            "jwt",
            "BEARER",
            "dbPass",
            "userJWT",
            "JWTOfUser",
            "pässe_pin",
        ] {
            assert!(sounds_secret(name), "{name}");
        }
        for name in [
            "",
            "name",
            "error_code",
            "countryCode",
            "postal_code",
            "statusCode",
            "token_type",
            "keywords",
            "expires",
            "provider",
            "providerAccountId",
            "sub",
            "callbackUrl",
            "state",
            "passport",
            "shipping",
            "path",
            "PATH",
            "pattern",
            "PATTERN_ID",
            "isPinned",
            "Pineapple",
            "compass",
            "spinOff",
            "optional",
        ] {
            assert!(!sounds_secret(name), "{name}");
        }
        // What must not reach a page is never shown or logged.
        for name in ["access_token", "oauth_token_secret", "clientSecret", "newPassword", "passwordSalt"] {
            assert!(hallpass::is_secret_name(name) && sounds_secret(name), "{name}");
        }
    }
}
