use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::oidc::tests::{encode, header, unsigned};

fn refusal(token: &str) -> JwsError {
    Compact::parse(token).unwrap_err()
}

fn with_header(header: &Value) -> Result<(), JwsError> {
    Compact::parse(&unsigned(header, b"{}")).map(drop)
}

#[test]
fn a_token_is_taken_apart() {
    let token = unsigned(&header("RS256", "k1"), br#"{"sub":"lena"}"#);
    let compact = Compact::parse(&token).unwrap();
    assert_eq!((compact.algorithm(), compact.key_id.as_deref()), (SigningAlgorithm::RS256, Some("k1")));
    assert_eq!(compact.signing_input, token.rsplit_once('.').unwrap().0.as_bytes());
    assert_eq!(compact.signature, b"sig");
    assert_eq!(compact.unverified_claims().unwrap()["sub"], "lena");
}

#[test]
fn a_token_has_three_parts() {
    let token = unsigned(&header("RS256", "k1"), b"{}");
    for wrong in [
        String::new(),
        "a.b".into(),
        "..".into(),
        format!("{token}.AAAA"),
        format!(".{token}"),
        "a.b.c.d.e".into(),
    ] {
        assert!(matches!(refusal(&wrong), JwsError::Parts | JwsError::Header), "{wrong}");
    }
    assert_eq!(refusal(&format!("{token}.AAAA")), JwsError::Parts);
}

#[test]
fn the_parts_are_base64url_without_padding() {
    let head = encode(br#"{"alg":"RS256"}"#);
    for wrong in ["e30=", "e3+/", "e30\n", "e31", " e30", "é", "e"] {
        assert_eq!(refusal(&format!("{head}.{wrong}.c2ln")), JwsError::Base64, "{wrong}");
        assert_eq!(refusal(&format!("{head}.e30.{wrong}")), JwsError::Base64, "{wrong}");
        assert_eq!(refusal(&format!("{wrong}.e30.c2ln")), JwsError::Base64, "{wrong}");
    }
}

#[test]
fn only_asymmetric_algorithms_are_known() {
    for alg in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519"] {
        assert_eq!(with_header(&json!({ "alg": alg })), Ok(()), "{alg}");
    }
    for alg in [
        json!("none"),
        json!("nOnE"),
        json!("HS256"),
        json!("HS512"),
        json!("rs256"),
        json!("RS1"),
        json!(""),
        json!(null),
        json!(["RS256"]),
    ] {
        assert_eq!(with_header(&json!({ "alg": alg })), Err(JwsError::Algorithm), "{alg}");
    }
    assert_eq!(with_header(&json!({ "kid": "k1" })), Err(JwsError::Algorithm));
}

#[test]
fn the_header_is_an_object_with_each_member_once() {
    for wrong in ["not json", "[]", "null", r#"{"alg":"none","alg":"RS256"}"#] {
        assert_eq!(refusal(&format!("{}.e30.c2ln", encode(wrong.as_bytes()))), JwsError::Header, "{wrong}");
    }
}

#[test]
fn a_kid_is_a_text() {
    for kid in [json!({ "$ne": null }), json!(1), json!(null)] {
        assert_eq!(with_header(&json!({ "alg": "RS256", "kid": kid })), Err(JwsError::KeyId));
    }
}

#[test]
fn extensions_are_refused() {
    for (name, value) in
        [("crit", json!(["x-evil"])), ("crit", json!([])), ("b64", json!(false)), ("cty", json!("JWT"))]
    {
        assert_eq!(with_header(&json!({ "alg": "RS256", name: value })), Err(JwsError::Extension), "{name}");
    }
}

#[test]
fn a_token_of_another_kind_is_refused() {
    for typ in [json!("logout+jwt"), json!("at+jwt"), json!("application/at+JWT"), json!(1)] {
        assert_eq!(with_header(&json!({ "alg": "RS256", "typ": typ })), Err(JwsError::Extension), "{typ}");
    }
    for typ in ["JWT", "jwt"] {
        assert_eq!(with_header(&json!({ "alg": "RS256", "typ": typ })), Ok(()));
    }
}

#[test]
fn the_payload_is_an_object_with_each_member_once() {
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    let wrong: [&[u8]; 6] = [
        b"[{}]",
        b"null",
        b"{\"x\":\"\xff\xfe\xc0\"}",
        br#"{"sub":"admin","sub":"lena"}"#,
        deep.as_bytes(),
        b"",
    ];
    for payload in wrong {
        let token = unsigned(&json!({ "alg": "RS256" }), payload);
        assert_eq!(Compact::parse(&token).unwrap().unverified_claims(), Err(JwsError::Payload));
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(.*\\.){0,4}.*") {
        let _ = Compact::parse(&text).map(|it| it.unverified_claims());
    }

    #[test]
    fn no_bytes_make_it_panic(header in ".*", payload in proptest::collection::vec(any::<u8>(), 0..64)) {
        for header in [header, r#"{"alg":"ES256"}"#.to_owned()] {
            let token = format!("{}.{}.c2ln", encode(header.as_bytes()), encode(&payload));
            let _ = Compact::parse(&token).map(|it| it.unverified_claims());
        }
    }
}
