use serde_json::json;

use super::*;

fn with(profile: Value, parameters: &[(&str, &str)]) -> Value {
    let Value::Object(mut profile) = profile else { panic!("no object") };
    let parameters: Vec<_> =
        parameters.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    (APPLE.posted.unwrap())(&mut profile, &parameters);
    Value::Object(profile)
}

#[test]
fn of_the_posted_user_nothing_but_the_name_is_taken() {
    let user = r#"{"name":{"firstName":"A"},"email":"victim@b.example","sub":"admin"}"#;
    let taken = with(json!({ "sub": "1" }), &[("code", "c"), ("user", user)]);
    assert_eq!(taken, json!({ "sub": "1", "user": { "name": { "firstName": "A" } } }));
    for nonsense in ["", "[]", "{", "\"x\"", r#"{"email":"a"}"#, r#"{"name":1,"name":2}"#] {
        assert_eq!(with(json!({ "sub": "1" }), &[("user", nonsense)]), json!({ "sub": "1" }), "{nonsense}");
    }
    assert_eq!(with(json!({ "sub": "1" }), &[("code", "c")]), json!({ "sub": "1" }));
}

#[test]
fn a_signed_user_outranks_the_posted_one() {
    let user = r#"{"name":{"firstName":"A"}}"#;
    assert_eq!(with(json!({ "user": "signed" }), &[("user", user)]), json!({ "user": "signed" }));
}
