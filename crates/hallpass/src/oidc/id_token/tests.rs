use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::oauth::tests::{ISSUER, metadata, oidc, pairs};
use crate::oidc::tests::{header, unsigned};

const NOW: i64 = 1_800_000_000;

fn good() -> Value {
    json!({ "iss": ISSUER, "aud": "client", "sub": "lena", "iat": NOW, "exp": NOW + 600, "nonce": "n" })
}

fn judge_with(
    provider: &Provider,
    metadata: &Metadata,
    claims: &Value,
    origin: Origin<'_>,
) -> Result<Map<String, Value>, ProtocolError> {
    let token = unsigned(&header("RS256", "k1"), claims.to_string().as_bytes());
    let compact = parse(provider, metadata, &token)?;
    let expected = Expected { now: Timestamp::from_seconds(NOW), access_token: "the-access-token", origin };
    validate(provider, metadata, &compact, &expected)
}

fn judge(change: impl FnOnce(&mut Value)) -> Result<Map<String, Value>, ProtocolError> {
    let mut claims = good();
    change(&mut claims);
    judge_with(&oidc(), &metadata(), &claims, Origin::SignIn { nonce: Some("n") })
}

fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let error = judge(change).unwrap_err();
    assert_eq!(error.kind(), Kind::IdToken);
    error.to_string()
}

fn remove(name: &'static str) -> impl FnOnce(&mut Value) {
    move |it| drop(it.as_object_mut().unwrap().remove(name))
}

fn set(name: &'static str, value: impl Into<Value>) -> impl FnOnce(&mut Value) {
    let value = value.into();
    move |it| it[name] = value
}

#[test]
fn good_claims_are_returned_as_they_are() {
    assert_eq!(Value::Object(judge(|_| {}).unwrap()), good());
}

#[test]
fn the_algorithm_must_be_one_that_the_provider_announced() {
    let try_alg = |provider: &Provider, metadata: &Metadata, alg: &str| {
        parse(provider, metadata, &unsigned(&header(alg, "k1"), b"{}")).map(drop).map_err(|it| it.to_string())
    };
    let refused =
        Err("the ID token is signed with an algorithm that the provider did not announce".to_owned());
    assert_eq!(try_alg(&oidc(), &metadata(), "ES256"), Ok(()));
    assert_eq!(try_alg(&oidc(), &metadata(), "PS256"), refused);

    let configured = Provider { id_token_algorithms: Some(vec!["PS256".into()]), ..oidc() };
    assert_eq!(try_alg(&configured, &metadata(), "PS256"), Ok(()));
    assert_eq!(try_alg(&configured, &metadata(), "ES256"), refused);
}

#[test]
fn none_and_hmac_are_refused_even_if_announced() {
    for alg in ["none", "HS256"] {
        let announced = Metadata { id_token_signing_algs: vec![alg.into()], ..metadata() };
        let configured = Provider { id_token_algorithms: Some(vec![alg.into()]), ..oidc() };
        for token_alg in [alg, "RS256"] {
            let token = unsigned(&header(token_alg, "k1"), b"{}");
            assert!(parse(&configured, &announced, &token).is_err(), "{alg} {token_alg}");
        }
    }
}

#[test]
fn the_issuer_must_be_exactly_the_providers() {
    for iss in ["https://evil.example", "https://op.example/", ""] {
        assert_eq!(refusal(set("iss", iss)), "iss is not the provider's issuer");
    }
    assert_eq!(refusal(remove("iss")), "iss is missing");
    assert_eq!(refusal(set("iss", json!([ISSUER]))), "iss is not a text");
}

#[test]
fn the_issuer_of_a_tenant_is_filled_in_from_its_claim() {
    let provider = |configured: &str| Provider {
        issuer: Some(format!("https://login.example/{configured}/v2.0")),
        issuer_placeholder: Some(("{tenantid}", "tid")),
        ..oidc()
    };
    let metadata = Metadata { issuer: Some("https://login.example/{tenantid}/v2.0".into()), ..metadata() };
    let judge = |configured: &str, iss: &str, tid: Value| {
        let mut claims = good();
        claims["iss"] = iss.into();
        claims["tid"] = tid;
        judge_with(&provider(configured), &metadata, &claims, Origin::SignIn { nonce: Some("n") }).is_ok()
    };
    assert!(judge("common", "https://login.example/11-22/v2.0", json!("11-22")));
    assert!(judge("11-22", "https://login.example/11-22/v2.0", json!("11-22")));
    assert!(!judge("33-44", "https://login.example/11-22/v2.0", json!("11-22")), "another tenant");
    assert!(!judge("common", "https://login.example/11-22/v2.0", json!("33-44")), "another tid");
    assert!(!judge("common", "https://login.example/11-22/v2.0", json!(null)), "no tid");
    assert!(!judge("common", "https://evil.example/11-22/v2.0", json!("11-22")), "another host");
    assert!(!judge("common", "https://login.example/a/../b/v2.0", json!("a/../b")), "a path");
    assert!(!judge("common", "https://login.example/{tenantid}/v2.0", json!("{tenantid}")), "unfilled");
}

#[test]
fn the_subject_is_a_text_of_1_to_255_characters() {
    assert_eq!(refusal(remove("sub")), "sub is missing");
    for wrong in [json!(42), json!(null), json!(["lena"])] {
        assert_eq!(refusal(set("sub", wrong)), "sub is not a text");
    }
    for wrong in [String::new(), "s".repeat(256), "lena\0x".into(), "a\nb".into()] {
        assert!(refusal(set("sub", wrong)).starts_with("sub is empty"));
    }
    for good in ["s".repeat(255), "LENA ".into(), "\u{1F600}".into()] {
        assert_eq!(judge(set("sub", good.clone())).unwrap()["sub"], good.as_str());
    }
}

#[test]
fn the_audience_must_be_this_client() {
    for wrong in [
        json!("other"),
        json!(""),
        json!("client-evil"),
        json!("clien"),
        json!([]),
        json!(["other"]),
        json!(null),
        json!({ "client": 1 }),
    ] {
        assert_eq!(refusal(set("aud", wrong)), "aud is not this client");
    }
    assert_eq!(refusal(remove("aud")), "aud is not this client");
    assert!(judge(set("aud", json!(["client"]))).is_ok());
}

#[test]
fn of_several_audiences_this_client_must_be_the_authorized_one() {
    let several = |azp: Option<Value>| {
        move |it: &mut Value| {
            it["aud"] = json!(["client", "other"]);
            if let Some(azp) = azp {
                it["azp"] = azp;
            }
        }
    };
    assert!(judge(several(Some(json!("client")))).is_ok());
    assert_eq!(refusal(several(None)), "aud names several clients, and azp none");
    assert_eq!(refusal(several(Some(json!("other")))), "azp is another client");
    assert_eq!(refusal(set("azp", "other")), "azp is another client");
    assert_eq!(refusal(set("azp", json!(null))), "azp is another client");
}

#[test]
fn an_expired_token_is_refused_with_30_seconds_of_grace() {
    for exp in [json!(NOW - 29), json!(NOW as f64 + 0.5), json!(1e300)] {
        assert!(judge(set("exp", exp.clone())).is_ok(), "{exp}");
    }
    for exp in [json!(NOW - 30), json!(NOW - 3600), json!(-1), json!(0), json!(-1e300)] {
        assert_eq!(refusal(set("exp", exp)), "the ID token has expired");
    }
    assert_eq!(refusal(remove("exp")), "exp is missing");
    for wrong in [json!("1800000600"), json!(null), json!([1])] {
        assert_eq!(refusal(set("exp", wrong)), "exp is not a number");
    }
}

#[test]
fn iat_is_needed_and_not_far_ahead() {
    assert_eq!(refusal(remove("iat")), "iat is missing");
    assert_eq!(refusal(set("iat", NOW.to_string())), "iat is not a number");
    assert_eq!(refusal(set("iat", NOW + 3600)), "iat is in the future");
    assert!(judge(set("iat", NOW + 20)).is_ok());
    assert!(judge(set("iat", NOW - 7 * 86_400)).is_ok());
}

#[test]
fn a_token_that_is_not_valid_yet_is_refused() {
    assert_eq!(refusal(set("nbf", NOW + 31)), "the ID token is not valid yet");
    assert_eq!(refusal(set("nbf", (NOW + 3600).to_string())), "nbf is not a number");
    assert_eq!(refusal(set("nbf", json!(null))), "nbf is not a number");
    assert!(judge(set("nbf", NOW + 30)).is_ok());
}

#[test]
fn the_nonce_must_be_that_of_the_request() {
    assert_eq!(refusal(remove("nonce")), "the ID token has no nonce");
    for wrong in [json!("evil"), json!(""), json!("nn"), json!(null), json!(["n"])] {
        assert_eq!(refusal(set("nonce", wrong)), "the nonce is not that of the request");
    }
    let unasked = judge_with(&oidc(), &metadata(), &good(), Origin::SignIn { nonce: None }).unwrap_err();
    assert_eq!(unasked.to_string(), "the ID token has a nonce, but none was sent");
}

#[test]
fn a_present_at_hash_must_be_that_of_the_access_token() {
    let right = Base64UrlUnpadded::encode_string(&Sha256::digest("the-access-token")[..16]);
    assert!(judge(set("at_hash", right)).is_ok());
    let of_another = Base64UrlUnpadded::encode_string(&Sha256::digest("another")[..16]);
    for wrong in [json!(of_another), json!(""), json!(1), json!(null)] {
        assert_eq!(refusal(set("at_hash", wrong)), "at_hash is not that of the access token");
    }
}

#[test]
fn at_hash_uses_the_hash_of_the_signature() {
    // OpenID Connect Core §3.1.3.6: the hash is that of the `alg`.
    let half = |hash: &[u8]| json!({ "at_hash": Base64UrlUnpadded::encode_string(&hash[..hash.len() / 2]) });
    for (algorithm, claims) in [
        (SigningAlgorithm::ES384, half(&Sha384::digest("t"))),
        (SigningAlgorithm::PS512, half(&Sha512::digest("t"))),
        (SigningAlgorithm::EdDSA, half(&Sha512::digest("t"))),
    ] {
        assert!(at_hash(claims.as_object().unwrap(), algorithm, "t").is_ok());
        assert!(at_hash(claims.as_object().unwrap(), SigningAlgorithm::RS256, "t").is_err());
    }
}

#[test]
fn a_configured_max_age_is_a_demand() {
    let provider = Provider { authorization_params: pairs(&[("max_age", "300")]), ..oidc() };
    let judge = |auth_time: Option<i64>| {
        let mut claims = good();
        if let Some(auth_time) = auth_time {
            claims["auth_time"] = auth_time.into();
        }
        judge_with(&provider, &metadata(), &claims, Origin::SignIn { nonce: Some("n") })
            .map_err(|it| it.to_string())
    };
    assert!(judge(Some(NOW - 300)).is_ok());
    assert_eq!(judge(Some(NOW - 331)).unwrap_err(), "the person signed in at the provider too long ago");
    assert_eq!(judge(None).unwrap_err(), "auth_time is missing");
}

#[test]
fn configured_acr_values_are_a_demand() {
    let provider = Provider { authorization_params: pairs(&[("acr_values", "gold silver")]), ..oidc() };
    let judge = |acr: Value| {
        let mut claims = good();
        claims["acr"] = acr;
        judge_with(&provider, &metadata(), &claims, Origin::SignIn { nonce: Some("n") }).is_ok()
    };
    assert!(judge(json!("silver")));
    assert!(!judge(json!("0")));
    assert!(!judge(json!(null)));
}

#[test]
fn a_refresh_is_about_the_same_person() {
    let previous = good();
    let previous = previous.as_object();
    let judge = |change: fn(&mut Value)| {
        let mut claims = good();
        claims.as_object_mut().unwrap().remove("nonce");
        change(&mut claims);
        judge_with(&oidc(), &metadata(), &claims, Origin::Refresh { previous }).map_err(|it| it.to_string())
    };
    assert!(judge(|_| {}).is_ok());
    assert!(judge(|it| it["nonce"] = "n".into()).is_ok());
    assert_eq!(judge(|it| it["sub"] = "admin".into()).unwrap_err(), "sub is another than before the refresh");
    assert_eq!(
        judge(|it| it["iss"] = "https://evil.example".into()).unwrap_err(),
        "iss is not the provider's issuer"
    );
    assert_eq!(
        judge(|it| it["nonce"] = "m".into()).unwrap_err(),
        "the nonce is another than before the refresh"
    );
}

proptest! {
    #[test]
    fn no_claims_make_it_panic_or_pass_for_another(
        name in "(iss|sub|aud|azp|exp|iat|nbf|nonce|at_hash|auth_time)",
        text in ".*",
        number in any::<f64>(),
    ) {
        for value in [json!(text), json!(number), json!([text]), json!({ "x": text }), json!(null)] {
            if let Ok(claims) = judge(set_to(name.clone(), value)) {
                prop_assert!(matches!(&claims["sub"], Value::String(_)));
                prop_assert_eq!(&claims["iss"], ISSUER);
                prop_assert_eq!(&claims["nonce"], "n");
            }
        }
    }
}

fn set_to(name: String, value: Value) -> impl FnOnce(&mut Value) {
    move |it| it[name] = value
}
