use std::collections::HashMap;

use serde_json::json;

use super::*;

#[derive(Debug, Deserialize, PartialEq)]
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

fn token() -> Map<String, Value> {
    let token =
        json!({ "sub": "1", "name": "Ada", "iat": 1, "exp": 2, "nbf": 1, "jti": "x", "role": "admin" });
    token.as_object().unwrap().clone()
}

#[test]
fn claims_do_not_see_what_is_hallpass_own() {
    assert_eq!(parse_claims::<Strict>(&token()).unwrap(), Strict { role: "admin".to_owned() });
    assert!(parse_claims::<CatchAll>(&token()).unwrap().rest.is_empty());
}

#[test]
fn catch_all_claims_survive_a_read() {
    let claims = parse_claims::<CatchAll>(&token()).unwrap();
    let payload = payload(Arc::new(token()), Some(claims).into()).unwrap().unwrap();
    assert_eq!((&payload["sub"], &payload["role"]), (&json!("1"), &json!("admin")));
}

#[test]
fn field_with_a_reserved_name_is_noticed() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its fields' names are looked at")]
    struct Wrong {
        role: String,
        #[serde(rename = "email")]
        address: String,
    }
    assert_eq!(reserved_field::<Wrong>(), Some("email"));
    assert_eq!(reserved_field::<Strict>(), None);
    assert_eq!(reserved_field::<HashMap<String, Value>>(), None);
}
