//! What the tests of the protocol share, and the rules for reading an answer.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::metadata::Metadata;
use super::*;
use crate::providers::{Profile, ProfileError, Provider, ProviderKind, Raw};

pub(crate) const ISSUER: &str = "https://op.example";

pub(crate) fn oidc() -> Provider {
    Provider {
        scopes: vec![],
        profile: Arc::new(subject),
        ..Provider::oidc("op", "The OP", ISSUER).client("client", "a secret/with+odd:chars")
    }
}

pub(crate) fn oauth2() -> Provider {
    Provider {
        id: "oauth".into(),
        kind: ProviderKind::OAuth2,
        issuer: None,
        authorization_endpoint: Some("https://plain.example/authorize?preset=1".into()),
        token_endpoint: Some("https://plain.example/token".into()),
        userinfo_endpoint: Some("https://plain.example/me".into()),
        ..oidc()
    }
}

pub(crate) fn metadata() -> Metadata {
    metadata::discovery_response(&oidc(), &json_answer(&document())).unwrap()
}

pub(crate) fn document() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://op.example/authorize",
        "token_endpoint": "https://op.example/token",
        "userinfo_endpoint": "https://op.example/userinfo",
        "jwks_uri": "https://op.example/jwks",
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "authorization_response_iss_parameter_supported": true,
    })
}

pub(crate) fn json_answer(body: &Value) -> Response<Bytes> {
    answer(200, body.to_string())
}

pub(crate) fn answer(status: u16, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status.try_into().unwrap();
    response
}

pub(crate) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn form(request: &Request<Bytes>) -> Vec<(String, String)> {
    form_urlencoded::parse(request.body()).into_owned().collect()
}

fn subject(raw: &Raw) -> Result<Profile, ProfileError> {
    let id = raw.0.get("sub").or_else(|| raw.0.get("id")).and_then(Value::as_str);
    id.map(Profile::new).ok_or_else(|| ProfileError { field: "sub".into() })
}

fn read(response: &Response<Bytes>) -> Result<serde_json::Map<String, Value>, ProtocolError> {
    json_object(response, ProtocolErrorKind::UserInfo, "the answer", 1024)
}

#[test]
fn an_answer_must_be_a_json_object() {
    assert_eq!(read(&answer(200, r#"{"a":1}"#)).unwrap()["a"], 1);
    for body in ["", "null", "[{}]", "\"x\"", "<html>", "a=1&b=2", "{} {}", "{", "\u{feff}{}"] {
        assert_eq!(
            read(&answer(200, body)).unwrap_err().to_string(),
            "the answer is not a JSON object",
            "{body}"
        );
    }
}

#[test]
fn an_answer_with_another_status_is_refused() {
    for status in [201, 204, 302, 307, 400, 401, 404] {
        let error = read(&answer(status, "{}")).unwrap_err();
        assert_eq!(
            (error.to_string(), error.is_temporary()),
            (format!("the answer came with status {status}"), false)
        );
    }
    for status in [429, 500, 503] {
        assert!(read(&answer(status, "{}")).unwrap_err().is_temporary(), "{status}");
    }
}

#[test]
fn an_answer_that_is_too_large_is_refused() {
    let body = format!(r#"{{"a":"{}"}}"#, "x".repeat(1024));
    assert_eq!(read(&answer(200, body)).unwrap_err().to_string(), "the answer is larger than 1024 bytes");
}

#[test]
fn a_member_that_stands_twice_is_refused() {
    assert!(read(&answer(200, r#"{"sub":"admin","sub":"lena"}"#)).is_err());
}

#[test]
fn an_answer_that_is_not_utf_8_is_refused() {
    assert!(read(&answer(200, &b"{\"a\":\"\xff\xc0\x80\"}"[..])).is_err());
}

#[test]
fn an_answer_nested_without_end_is_refused() {
    let body = format!(r#"{{"a":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    assert!(read(&answer(200, body)).is_err());
}

#[test]
fn what_a_provider_says_about_its_error_is_cut_and_cleaned() {
    let description = format!("no\r\nSet-Cookie: a=b {}", "x".repeat(600));
    let body = json!({ "error": "invalid_grant\n", "error_description": description });
    let error = read(&answer(400, body.to_string())).unwrap_err();
    assert_eq!(error.error_code(), Some("invalid_grant"));
    let description = error.error_description().unwrap();
    assert!(description.starts_with("noSet-Cookie: a=b xxx"));
    assert_eq!(description.len(), 512);
}

#[test]
fn only_an_error_of_one_word_gets_into_the_message() {
    let message =
        |code: &str| read(&answer(400, json!({ "error": code }).to_string())).unwrap_err().to_string();
    assert_eq!(message("invalid_grant"), "the answer came with status 400: invalid_grant");
    assert_eq!(message("\"><script>"), "the answer came with status 400");
}
