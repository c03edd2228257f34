use std::collections::HashMap;

use serde_json::json;

use super::*;

#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    role: String,
}

#[derive(Debug, Deserialize, Serialize)]
struct CatchAll {
    role: String,
    #[serde(flatten)]
    rest: HashMap<String, Value>,
}

const TOKEN: &[u8] =
    br#" {"sub":"1", "role" : "admin", "name":"Ada","email":null,"iat":1,"exp":2,"nbf":1,"jti":"x"} "#;

fn token() -> Arc<Payload> {
    Arc::new(Payload::parse(TOKEN).unwrap())
}

fn keep<C: Serialize>(claims: C) -> Result<Option<Arc<Payload>>, BoxError> {
    follow(token(), Some(claims).into())
}

#[test]
fn claims_do_not_see_what_is_hallpass_own() {
    assert_eq!(token().parse_claims::<Strict>().unwrap(), Strict { role: "admin".to_owned() });
    assert!(token().parse_claims::<CatchAll>().unwrap().rest.is_empty());
    assert_eq!((token().text("sub"), token().text("role"), token().text("email")), (Some("1"), None, None));
}

#[test]
fn claims_that_are_kept_as_they_are_change_nothing() {
    let before = token();
    let after = follow(Arc::clone(&before), Some(before.parse_claims::<CatchAll>().unwrap()).into())
        .unwrap()
        .unwrap();
    assert!(Arc::ptr_eq(&before, &after));
}

#[test]
fn the_order_of_claims_is_no_change() {
    let payload = |json: &[u8]| Payload::parse(json).unwrap();
    assert_eq!(payload(br#"{"a":1,"sub":"x","b":2}"#), payload(br#"{"b":2,"a":1,"sub":"x"}"#));
    assert_ne!(payload(br#"{"a":1}"#), payload(br#"{"a":2}"#));
    assert_ne!(payload(br#"{"sub":"x"}"#), payload(br#"{"sub":"y"}"#));
}

#[test]
fn claims_that_are_dropped_leave_the_token() {
    let after = keep(json!({ "other": [1, { "sub": "nested" }] })).unwrap().unwrap();
    assert_eq!(after.all().get("role"), None);
    assert_eq!(after.all().get("other"), Some(&json!([1, { "sub": "nested" }])));
    assert_eq!(after.text("sub"), Some("1"));
}

#[test]
fn claims_with_a_reserved_name_are_refused() {
    let error = keep(json!({ "role": "admin", "sub": "2" })).unwrap_err();
    assert_eq!(error.to_string(), "the claims have a field \"sub\", which is Hallpass' own");
}

#[test]
fn claims_that_are_no_object_are_refused() {
    assert!(keep("text").is_err());
    assert!(keep([1]).is_err());
}

#[test]
fn renewed_payload_has_everything_else_as_it_was() {
    let (now, then) = (Timestamp::from_seconds(10), Timestamp::from_seconds(20));
    let json = token().renewed(now, then, "new").unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    let expected = json!({
        "sub": "1", "name": "Ada", "email": null, "nbf": 1, "role": "admin", "iat": 10, "exp": 20, "jti": "new",
    });
    assert_eq!(json, expected);
    assert_eq!(
        Payload::new(Vec::new()).renewed(now, then, "x").unwrap(),
        br#"{"iat":10,"exp":20,"jti":"x"}"#
    );
}

#[test]
fn names_and_values_survive_whatever_they_hold() {
    let claims = json!({ "a\"}{,:\\\u{0}é": "\"}{,:\\\u{0}é", "": {} });
    let after = keep(claims.clone()).unwrap().unwrap();
    let json = after.renewed(Timestamp::from_seconds(1), Timestamp::from_seconds(2), "x").unwrap();
    assert_eq!(Payload::parse(&json).unwrap().parse_claims::<Value>().unwrap(), claims);
}

#[test]
fn of_two_own_claims_the_last_counts() {
    assert_eq!(Payload::parse(br#"{"sub":"1","sub":"2"}"#).unwrap().text("sub"), Some("2"));
}

#[test]
fn printing_a_payload_shows_no_value() {
    assert_eq!(
        format!("{:?}", Payload::parse(br#"{"sub":"1","role":"admin"}"#).unwrap()),
        r#"{"sub", "role"}"#
    );
}
