use serde::Deserialize;
use serde_json::json;

use super::*;

fn raw(value: Value) -> Raw {
    Raw::from_value(value).unwrap()
}

#[test]
fn only_an_object_is_a_profile() {
    for value in [json!([]), json!("x"), json!(1), json!(null)] {
        assert!(Raw::from_value(value).is_err());
    }
}

#[test]
fn an_id_is_a_text_or_a_whole_number() {
    let raw = raw(
        json!({ "text": "a", "number": u64::MAX, "negative": -1, "float": 1.0, "empty": "", "blank": " \t" }),
    );
    assert_eq!(raw.id("text").unwrap(), "a");
    assert_eq!(raw.id("number").unwrap(), "18446744073709551615");
    assert_eq!(raw.id("negative").unwrap(), "-1");
    for field in ["float", "empty", "blank", "missing"] {
        assert_eq!(raw.id(field), Err(ProfileError::new(field)));
    }
}

#[test]
fn a_pointer_reaches_nested_values_and_never_past_them() {
    let raw = raw(json!({ "a": { "b": ["x", { "c/d": 1 }] }, "n": null, "a/b": 2, "": { "": 3 } }));
    assert_eq!(raw.at("/a/b/0"), Some(&json!("x")));
    assert_eq!(raw.at("/a/b/1/c~1d"), Some(&json!(1)));
    assert_eq!(raw.at("/a~1b"), Some(&json!(2)));
    assert_eq!(raw.at("//"), Some(&json!(3)));
    for pointer in ["", "a", "/n", "/a/x", "/a/b/9", "/a/b/0/0", "/é"] {
        assert_eq!(raw.at(pointer), None, "{pointer}");
    }
}

#[test]
fn a_nested_object_is_read_like_the_profile() {
    let raw = raw(json!({ "data": { "id": 7 }, "list": [] }));
    assert_eq!(raw.object("data").unwrap().id("id").unwrap(), "7");
    assert!(raw.object("list").is_none());
}

#[test]
fn a_profile_that_does_not_fit_the_type_is_an_error_without_its_values() {
    #[derive(Debug, Deserialize)]
    struct Wanted {
        age: u8,
    }
    assert_eq!(raw(json!({ "age": 36 })).parse::<Wanted>().unwrap().age, 36);
    let error = raw(json!({ "age": "private" })).parse::<Wanted>().unwrap_err();
    assert!(error.to_string().contains("Wanted") && !error.to_string().contains("private"), "{error}");
}
