use serde_json::json;

use super::*;
use crate::http::Reach;
use crate::oauth::tests::{answer, json_answer, metadata, oidc, pairs};

#[test]
fn the_request_carries_the_token_and_the_configured_headers() {
    let provider = Provider { userinfo_headers: pairs(&[("client-id", "x")]), ..oidc() };
    let request = userinfo_request(&provider, &metadata(), "at").unwrap();
    assert_eq!(request.method(), "GET");
    assert_eq!(request.uri(), "https://op.example/userinfo");
    assert_eq!(request.headers()["authorization"], "Bearer at");
    assert!(request.headers()["authorization"].is_sensitive());
    assert_eq!(request.headers()["client-id"], "x");
    assert_eq!(request.headers()["user-agent"], "hallpass");
    assert_eq!(request.extensions().get(), Some(&Reach::Public));
}

#[test]
fn a_header_that_is_none_is_a_mistake_of_the_configuration() {
    for header in [("a b", "x"), ("x", "a\r\nb")] {
        let provider = Provider { userinfo_headers: pairs(&[header]), ..oidc() };
        assert_eq!(userinfo_request(&provider, &metadata(), "at").unwrap_err().kind(), Kind::Configuration);
    }
}

#[test]
fn userinfo_about_somebody_else_is_refused() {
    assert!(userinfo_response(&json_answer(&json!({ "sub": "lena" })), Some("lena")).is_ok());
    for body in [json!({ "sub": "admin" }), json!({}), json!({ "sub": 7 }), json!({ "sub": ["lena"] })] {
        let error = userinfo_response(&json_answer(&body), Some("lena")).unwrap_err();
        assert_eq!(error.to_string(), "userinfo is about another person than the ID token");
    }
}

#[test]
fn plain_oauth2_has_no_subject_to_compare() {
    assert!(userinfo_response(&json_answer(&json!({ "id": 1 })), None).is_ok());
}

#[test]
fn a_refusal_is_no_profile() {
    for status in [201, 204, 401, 403, 500] {
        assert_eq!(
            userinfo_response(&answer(status, r#"{"sub":"lena"}"#), None).unwrap_err().kind(),
            Kind::UserInfo
        );
    }
    for body in ["null", "[{\"sub\":\"lena\"}]", "", "a.b.c"] {
        assert!(userinfo_response(&answer(200, body), None).is_err());
    }
}
