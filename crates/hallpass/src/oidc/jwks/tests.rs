use std::collections::HashMap;

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::json;

use super::*;
use crate::oauth::tests::{answer, json_answer};
use crate::oidc::tests::{
    ed25519, encode, header, jwk, other_p256, other_rsa, p256, p384, rsa as rsa_key, sign, small_rsa,
};

fn set(keys: &[Value]) -> Jwks {
    jwks_response(&json_answer(&json!({ "keys": keys }))).unwrap()
}

fn usable(jwk: Value) -> bool {
    !set(&[jwk]).is_empty()
}

fn token(key: &EncodingKey, algorithm: Algorithm, name: &str) -> String {
    sign(&header(name, "k1"), b"{}", key, algorithm)
}

fn verify(keys: &[Value], token: &str) -> Verification {
    set(keys).verify(&Compact::parse(token).unwrap())
}

fn es256() -> (Value, String) {
    (jwk(&p256(), Algorithm::ES256, "k1"), token(&p256(), Algorithm::ES256, "ES256"))
}

fn with(mut jwk: Value, name: &str, value: Value) -> Value {
    jwk[name] = value;
    jwk
}

fn without(mut jwk: Value, name: &str) -> Value {
    jwk.as_object_mut().unwrap().remove(name);
    jwk
}

#[test]
fn every_algorithm_verifies_its_own_signature_and_no_other() {
    let algorithms = [
        ("RS256", Algorithm::RS256, rsa_key()),
        ("RS384", Algorithm::RS384, rsa_key()),
        ("RS512", Algorithm::RS512, rsa_key()),
        ("PS256", Algorithm::PS256, rsa_key()),
        ("PS384", Algorithm::PS384, rsa_key()),
        ("PS512", Algorithm::PS512, rsa_key()),
        ("ES256", Algorithm::ES256, p256()),
        ("ES384", Algorithm::ES384, p384()),
        ("EdDSA", Algorithm::EdDSA, ed25519()),
    ];
    for (name, algorithm, key) in algorithms {
        let public = without(jwk(&key, algorithm, "k1"), "alg");
        let good = token(&key, algorithm, name);
        assert_eq!(verify(std::slice::from_ref(&public), &good), Verification::Verified, "{name}");
        let (input, signature) = good.rsplit_once('.').unwrap();
        let mut flipped = Base64UrlUnpadded::decode_vec(signature).unwrap();
        flipped[10] ^= 1;
        let swapped = format!(
            "{}.{}.{signature}",
            encode(header(name, "k1").to_string().as_bytes()),
            encode(br#"{"sub":"admin"}"#)
        );
        for bad in [
            format!("{input}.{}", encode(&flipped)),
            format!("{input}."),
            format!("{input}.{}", encode(&[0; 64])),
            swapped,
        ] {
            assert_eq!(verify(std::slice::from_ref(&public), &bad), Verification::Forged, "{name}");
        }
    }
}

#[test]
fn a_signature_by_another_key_is_forged() {
    let (_, token) = es256();
    assert_eq!(verify(&[jwk(&other_p256(), Algorithm::ES256, "k1")], &token), Verification::Forged);
}

#[test]
fn a_signature_in_der_is_refused() {
    let (public, token) = es256();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let raw = Base64UrlUnpadded::decode_vec(signature).unwrap();
    let integer = |half: &[u8]| [&[2, 33, 0], half].concat();
    let body = [integer(&raw[..32]), integer(&raw[32..])].concat();
    let der = [&[0x30, u8::try_from(body.len()).unwrap()], body.as_slice()].concat();
    assert_eq!(verify(&[public], &format!("{input}.{}", encode(&der))), Verification::Forged);
}

#[test]
fn the_key_that_the_token_names_is_the_one_that_counts() {
    let (public, token) = es256();
    assert_eq!(verify(&[with(public.clone(), "kid", json!("k2"))], &token), Verification::UnknownKey);
    assert_eq!(verify(&[without(public.clone(), "kid")], &token), Verification::UnknownKey);
    let same_name = [jwk(&other_p256(), Algorithm::ES256, "k1"), public];
    assert_eq!(verify(&same_name, &token), Verification::Verified);
}

#[test]
fn without_a_kid_every_fitting_key_is_tried() {
    let nameless = sign(&json!({ "alg": "ES256" }), b"{}", &p256(), Algorithm::ES256);
    let keys = [jwk(&other_p256(), Algorithm::ES256, "a"), jwk(&p256(), Algorithm::ES256, "b")];
    assert_eq!(verify(&keys, &nameless), Verification::Verified);
    assert_eq!(verify(&keys[..1], &nameless), Verification::UnknownKey);
}

#[test]
fn a_key_that_is_not_for_signatures_is_not_used() {
    let (public, token) = es256();
    for (name, value) in [
        ("use", json!("enc")),
        ("use", json!(1)),
        ("key_ops", json!(["encrypt"])),
        ("key_ops", json!("verify")),
        ("alg", json!("ES384")),
        ("alg", json!("RSA-OAEP")),
        ("alg", json!(1)),
        ("kid", json!({})),
    ] {
        assert_eq!(verify(&[with(public.clone(), name, value)], &token), Verification::UnknownKey, "{name}");
    }
    for (name, value) in [("key_ops", json!(["sign", "verify"])), ("alg", json!("ES256"))] {
        assert_eq!(verify(&[with(public.clone(), name, value)], &token), Verification::Verified, "{name}");
    }
    assert_eq!(verify(&[without(without(public, "use"), "alg")], &token), Verification::Verified);
}

#[test]
fn an_rsa_key_for_pss_verifies_no_pkcs1_signature() {
    let public = with(jwk(&rsa_key(), Algorithm::RS256, "k1"), "alg", json!("PS256"));
    assert_eq!(verify(&[public], &token(&rsa_key(), Algorithm::RS256, "RS256")), Verification::UnknownKey);
}

#[test]
fn a_key_of_another_kind_does_not_fit() {
    let (_, token) = es256();
    let others = [
        jwk(&rsa_key(), Algorithm::RS256, "k1"),
        jwk(&p384(), Algorithm::ES384, "k1"),
        jwk(&ed25519(), Algorithm::EdDSA, "k1"),
    ];
    let others = others.map(|it| without(it, "alg"));
    assert_eq!(verify(&others, &token), Verification::UnknownKey);
}

#[test]
fn weak_rsa_keys_are_not_used() {
    let good = jwk(&other_rsa(), Algorithm::RS256, "k1");
    assert!(usable(good.clone()));
    assert!(!usable(jwk(&small_rsa(), Algorithm::RS256, "k1")));
    for exponent in [&[][..], &[0], &[1], &[3], &[0, 0, 3], &[1, 0, 0], &[1, 0, 2], &[1; 9]] {
        assert!(!usable(with(good.clone(), "e", encode(exponent).into())), "{exponent:?}");
    }
    assert!(usable(with(good.clone(), "e", encode(&[0, 1, 0, 1]).into())));
    let modulus = Base64UrlUnpadded::decode_vec(good["n"].as_str().unwrap()).unwrap();
    let padded_small = [vec![0; 200], modulus[..128].to_vec()].concat();
    let mut even = modulus;
    *even.last_mut().unwrap() &= !1;
    for modulus in [padded_small, even, vec![]] {
        assert!(!usable(with(good.clone(), "n", encode(&modulus).into())));
    }
}

#[test]
fn a_signature_forged_with_exponent_1_is_worth_nothing() {
    let public = with(jwk(&rsa_key(), Algorithm::RS256, "k1"), "e", json!("AQ"));
    let token = token(&rsa_key(), Algorithm::RS256, "RS256");
    assert_eq!(verify(&[public], &token), Verification::UnknownKey);
}

#[test]
fn malformed_and_unknown_keys_are_skipped() {
    let (good, token) = es256();
    let ed = jwk(&ed25519(), Algorithm::EdDSA, "k1");
    let odd = [
        json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "kid": "k1" }),
        json!({ "kty": "EC", "crv": "P-999", "x": "AA", "y": "AA", "kid": "k1" }),
        json!({ "kty": "RSA", "kid": "k1" }),
        json!({ "kty": "oct", "kid": "k1", "alg": "HS256", "k": "AAAA" }),
        json!("text"),
        json!(null),
        json!({}),
        with(good.clone(), "x", json!("AA")),
        with(good.clone(), "y", json!("not base64!")),
        with(ed.clone(), "x", json!("AA")),
        with(ed, "x", json!("")),
    ];
    for key in &odd {
        assert!(!usable(key.clone()), "{key}");
    }
    let all: Vec<_> = odd.into_iter().chain([good]).collect();
    assert_eq!(verify(&all, &token), Verification::Verified);
}

#[test]
fn a_point_that_is_not_on_the_curve_verifies_nothing() {
    let (good, token) = es256();
    assert_eq!(verify(&[with(good, "y", encode(&[7; 32]).into())], &token), Verification::Forged);
}

#[test]
fn at_most_100_keys_are_kept() {
    let key = without(jwk(&ed25519(), Algorithm::EdDSA, "k"), "alg");
    assert_eq!(set(&vec![key; 300]).len(), 100);
}

#[test]
fn the_document_has_an_array_of_keys_and_256_kib_at_most() {
    for wrong in [json!({}), json!({ "keys": { "0": {} } }), json!({ "keys": null })] {
        assert_eq!(
            jwks_response(&json_answer(&wrong)).unwrap_err().to_string(),
            "the JWKS document has no array of keys"
        );
    }
    let huge = HashMap::from([("keys", vec![json!({ "x": "y".repeat(MAX_DOCUMENT) })])]);
    assert!(jwks_response(&json_answer(&json!(huge))).unwrap_err().to_string().contains("larger"));
    assert!(jwks_response(&answer(404, "{}")).is_err());
}
