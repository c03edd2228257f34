use serde_json::json;

use super::*;

#[test]
fn tokens_and_passwords_are_found_wherever_they_stand() {
    let mut view = json!({
        "user": { "name": "Ada", "account": { "access_token": "a", "refreshToken": "b", "provider": "idp" } },
        "rows": [{ "password_hash": "c", "passwordHash": "d", "id": 1 }, { "oldPassword": "e" }],
        "sessionToken": "f",
    });
    let json = view.to_string();
    assert!(is_suspicious(&json));
    assert_eq!(
        strip(&mut view),
        [
            "user.account.access_token",
            "user.account.refreshToken",
            "rows.0.password_hash",
            "rows.0.passwordHash",
            "rows.1.oldPassword",
            "sessionToken"
        ]
    );
    assert_eq!(
        view.to_string(),
        r#"{"user":{"name":"Ada","account":{"provider":"idp"}},"rows":[{"id":1},{}]}"#
    );
}

#[test]
fn other_fields_stay() {
    for mut view in [
        json!({ "user": { "tokens": 3, "passwordless": true, "hasPassword": null } }),
        json!({ "text": "access_token" }),
        json!({ "access_token": null }),
        json!("password"),
    ] {
        let before = view.clone();
        assert_eq!((strip(&mut view).len(), view), (0, before));
    }
}

#[test]
fn a_name_that_is_escaped_is_looked_at() {
    assert!(is_suspicious(r#"{"access\u005ftoken":"a"}"#));
    assert!(!is_suspicious(r#"{"user":{"name":"my password"}}"#));
}
