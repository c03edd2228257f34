use serde_json::json;

use super::*;

fn merged(email: Value, answer: &Value) -> (Option<String>, bool) {
    let mut fields = Map::new();
    fields.insert("id".into(), 1.into());
    fields.insert("email".into(), email);
    fields.insert("email_verified".into(), true.into());
    merge_emails(&mut fields, answer);
    let profile = profile(&Raw::from(fields)).unwrap();
    (profile.email, profile.email_verified)
}

fn list() -> Value {
    json!([
        { "email": "old@example.com", "primary": false, "verified": false },
        { "email": "Public@example.com", "primary": false, "verified": true },
        { "email": "main@example.com", "primary": true, "verified": true },
    ])
}

#[test]
fn a_public_address_stays_when_the_list_says_it_is_verified() {
    assert_eq!(merged("public@example.com".into(), &list()), (Some("Public@example.com".into()), true));
}

#[test]
fn a_public_address_that_is_not_verified_gives_way_to_the_primary_one() {
    assert_eq!(merged("old@example.com".into(), &list()), (Some("main@example.com".into()), true));
    assert_eq!(merged("foreign@example.com".into(), &list()), (Some("main@example.com".into()), true));
}

#[test]
fn an_unverified_primary_address_is_never_verified() {
    let list = json!([{ "email": "main@example.com", "primary": true, "verified": false }]);
    assert_eq!(merged(Value::Null, &list), (Some("main@example.com".into()), false));
    assert_eq!(merged("main@example.com".into(), &list), (Some("main@example.com".into()), false));
}

#[test]
fn a_verified_address_that_is_neither_public_nor_primary_is_not_taken() {
    let list = json!([{ "email": "other@example.com", "primary": false, "verified": true }]);
    assert_eq!(merged(Value::Null, &list), (None, false));
}

#[test]
fn an_odd_list_verifies_nothing() {
    for odd in [
        json!({ "message": "Not Found" }),
        json!(null),
        json!([1, "a", { "email": ["a"], "verified": true }]),
    ] {
        assert_eq!(merged("public@example.com".into(), &odd), (Some("public@example.com".into()), false));
    }
    let text = json!([{ "email": "main@example.com", "primary": true, "verified": "true" }]);
    assert_eq!(merged("main@example.com".into(), &text), (Some("main@example.com".into()), false));
}
