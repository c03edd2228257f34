use serde_json::json;

use super::*;
use crate::oauth::callback::validate;
use crate::oauth::tests::{ISSUER, answer, form, json_answer, metadata, oidc, pairs};
use crate::providers::ClientAuth;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn good() -> Value {
    json!({ "access_token": "at", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "rt", "id_token": "a.b.c", "scope": "openid" })
}

fn judge(change: impl FnOnce(&mut Map<String, Value>)) -> Result<Map<String, Value>, ProtocolError> {
    let mut body = good();
    change(body.as_object_mut().unwrap());
    token_response(&json_answer(&body), NOW)
}

fn refusal(change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let error = judge(change).unwrap_err();
    assert_eq!(error.kind(), Kind::Token);
    error.to_string()
}

fn set(name: &'static str, value: Value) -> impl FnOnce(&mut Map<String, Value>) {
    move |it| drop(it.insert(name.to_owned(), value))
}

fn remove(name: &'static str) -> impl FnOnce(&mut Map<String, Value>) {
    move |it| drop(it.remove(name))
}

fn request(provider: &Provider, verifier: Option<&str>) -> Request<Bytes> {
    let params = pairs(&[("code", "a+/=%2F&é"), ("state", "s"), ("iss", ISSUER)]);
    let callback = validate(&oidc(), &metadata(), &params, Some("s")).unwrap();
    token_request(provider, &metadata(), callback, "https://app.example/cb", verifier, NOW, [0; 16]).unwrap()
}

#[test]
fn the_request_is_a_form_with_exactly_what_is_needed() {
    let request = request(&oidc(), Some("the-verifier"));
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "https://op.example/token");
    assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(request.headers()["accept"], "application/json");
    assert_eq!(request.headers()["user-agent"], "hallpass");
    assert!(request.headers()["authorization"].to_str().unwrap().starts_with("Basic "));
    let expected = pairs(&[
        ("grant_type", "authorization_code"),
        ("code", "a+/=%2F&é"),
        ("redirect_uri", "https://app.example/cb"),
        ("code_verifier", "the-verifier"),
    ]);
    assert_eq!(form(&request), expected);
}

#[test]
fn without_pkce_there_is_no_verifier_and_with_post_no_header() {
    let request = request(&Provider { client_auth: ClientAuth::Post, ..oidc() }, None);
    assert!(!request.headers().contains_key("authorization"));
    let names: Vec<_> = form(&request).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["grant_type", "code", "redirect_uri", "client_id", "client_secret"]);
}

#[test]
fn a_refresh_names_the_refresh_token() {
    let request = refresh_request(&oidc(), &metadata(), &"rt-1".into(), NOW, [0; 16]).unwrap();
    assert_eq!(form(&request), pairs(&[("grant_type", "refresh_token"), ("refresh_token", "rt-1")]));
    assert!(request.headers().contains_key("authorization"));
}

#[test]
fn a_good_answer_keeps_every_member_and_gains_expires_at() {
    let tokens = judge(set("weird_field", json!("kept"))).unwrap();
    let expected = json!({
        "access_token": "at", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "rt", "id_token": "a.b.c",
        "scope": "openid", "weird_field": "kept", "expires_at": 1_800_003_600,
    });
    assert_eq!(Value::Object(tokens), expected);
}

#[test]
fn names_that_are_ours_are_not_taken_from_the_wire() {
    let tokens = judge(|it| {
        for name in ["userId", "provider", "providerAccountId", "type", "id", "__proto__"] {
            it.insert(name.to_owned(), "admin".into());
        }
    });
    assert!(!Value::Object(tokens.unwrap()).to_string().contains("admin"));
}

#[test]
fn the_access_token_must_be_a_text_that_fits_into_a_header() {
    assert_eq!(refusal(remove("access_token")), "the token endpoint gave no access_token");
    for wrong in [json!(12345), json!(null), json!(["at"])] {
        assert_eq!(refusal(set("access_token", wrong)), "access_token is not a text");
    }
    for wrong in ["", "at\r\nX-Injected: 1", "a b", "at\n", "ät", "a\0"] {
        assert_eq!(refusal(set("access_token", json!(wrong))), "access_token is empty or not visible ASCII");
    }
}

#[test]
fn the_token_type_must_be_bearer_in_any_case() {
    assert_eq!(judge(set("token_type", json!("bEaReR"))).unwrap()["token_type"], "bEaReR");
    assert_eq!(refusal(set("token_type", json!("mac"))), "token_type is not bearer");
    assert_eq!(refusal(set("token_type", json!("DPoP"))), "token_type is not bearer");
    assert_eq!(refusal(remove("token_type")), "the token endpoint gave no token_type");
    assert_eq!(refusal(set("token_type", json!(1))), "the token endpoint gave no token_type");
}

#[test]
fn an_error_is_an_error_whatever_the_status() {
    let error = judge(set("error", json!("server_error"))).unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (Kind::Token, Some("server_error")));
    let refused = answer(400, r#"{"error":"invalid_grant","error_description":"used"}"#);
    let error = token_response(&refused, NOW).unwrap_err();
    assert_eq!((error.error_code(), error.error_description()), (Some("invalid_grant"), Some("used")));
    assert!(!error.is_temporary());
}

#[test]
fn the_status_must_be_200_or_201() {
    let with = |status| token_response(&answer(status, good().to_string()), NOW);
    assert!(with(200).is_ok() && with(201).is_ok());
    for status in [202, 204, 302, 307, 400, 401, 500] {
        assert!(with(status).is_err(), "{status}");
    }
}

#[test]
fn a_form_is_no_answer() {
    assert!(token_response(&answer(200, "access_token=at&token_type=bearer"), NOW).is_err());
}

#[test]
fn a_token_that_stands_twice_is_refused() {
    let body = good().to_string().replace(r#""id_token""#, r#""id_token":"x.y.z","id_token""#);
    assert!(token_response(&answer(200, body), NOW).is_err());
}

#[test]
fn refresh_and_id_tokens_are_texts_or_absent() {
    for name in ["refresh_token", "id_token"] {
        assert!(!judge(set(name, json!(null))).unwrap().contains_key(name));
        for wrong in [json!(1), json!({}), json!("")] {
            assert_eq!(refusal(set(name, wrong)), format!("{name} is not a text"));
        }
    }
}

#[test]
fn a_lifetime_may_be_a_number_or_its_text_and_never_overflows() {
    for (given, expected) in [
        (json!(3600), 3600),
        (json!("3600"), 3600),
        (json!(3600.9), 3600),
        (json!(0), 0),
        (json!(-1), -1),
        (json!(i64::MAX), 315_360_000),
        (json!(1e300), 315_360_000),
        (json!(-1e300), -315_360_000),
    ] {
        let tokens = judge(set("expires_in", given.clone())).unwrap();
        assert_eq!(
            (&tokens["expires_at"], &tokens["expires_in"]),
            (&json!(1_800_000_000_i64 + expected), &given)
        );
    }
    for nonsense in [json!("soon"), json!("NaN"), json!({}), json!(true)] {
        assert_eq!(refusal(set("expires_in", nonsense)), "expires_in is not a number");
    }
    for absent in [judge(remove("expires_in")).unwrap(), judge(set("expires_in", json!(null))).unwrap()] {
        assert!(!absent.contains_key("expires_at") && !absent.contains_key("expires_in"));
    }
}

#[test]
fn scopes_given_as_a_list_become_one_text() {
    assert_eq!(judge(set("scope", json!(["openid", "email"]))).unwrap()["scope"], "openid email");
}
