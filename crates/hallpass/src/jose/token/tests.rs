use serde_json::json;

use super::*;

mod hostile;
mod vectors;

const NOW: i64 = 1_893_456_000;
const IV: [u8; 16] = *b"sixteen bytes iv";
const SESSION: &str = "authjs.session-token";
const DIALECTS: [Dialect; 2] = [Dialect::V5, Dialect::V4];

fn keys(dialect: Dialect, secrets: &[&str], salt: &str) -> TokenKeys {
    let secrets: Vec<Secret> = secrets.iter().copied().map(Secret::from).collect();
    TokenKeys::derive(dialect, &secrets, salt)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("not an object: {other}"),
    }
}

/// The error with which claims are refused at `NOW`, or nothing.
fn refusal(claims: Value) -> Option<OpenError> {
    let keys = keys(Dialect::V5, &["secret"], SESSION);
    let token = keys.seal_claims(&object(claims), &IV);
    keys.open_claims(&token, Timestamp::from_seconds(NOW)).err()
}

#[test]
fn claims_survive_in_their_order() {
    let claims =
        object(json!({"z": 1, "name": "Zoë ☃", "nested": {"b": [1.5, null], "a": true}, "exp": NOW + 60}));
    for dialect in DIALECTS {
        let keys = keys(dialect, &["secret"], SESSION);
        let opened = keys.open_claims(&keys.seal_claims(&claims, &IV), Timestamp::from_seconds(NOW)).unwrap();
        assert_eq!(serde_json::to_string(&opened).unwrap(), serde_json::to_string(&claims).unwrap());
    }
}

#[test]
fn the_first_secret_seals_and_all_open() {
    for dialect in DIALECTS {
        let before = keys(dialect, &["old"], SESSION);
        let during = keys(dialect, &["new", "old"], SESSION);
        let after = keys(dialect, &["new"], SESSION);

        let old_token = before.seal(b"payload", &IV);
        assert_eq!(during.open(&old_token).unwrap(), b"payload");
        assert!(after.open(&old_token).is_err());

        let new_token = during.seal(b"payload", &IV);
        assert_eq!(after.open(&new_token).unwrap(), b"payload");
        assert!(before.open(&new_token).is_err());
    }
}

#[test]
fn a_token_without_kid_opens_with_an_older_secret() {
    let old = expand(&Secret::from("old"), SESSION, &format!("{V5_INFO} ({SESSION})"));
    let token = ContentKey::cbc(&old)
        .writing(r#"{"alg":"dir","enc":"A256CBC-HS512"}"#)
        .seal(b"payload", &IV)
        .unwrap();
    assert_eq!(keys(Dialect::V5, &["new", "old"], SESSION).open(&token).unwrap(), b"payload");
    assert_eq!(keys(Dialect::V5, &["new"], SESSION).open(&token), Err(OpenError::Decrypt));
}

#[test]
fn a_token_with_kid_opens_with_that_secret_only() {
    let secret = expand(&Secret::from("secret"), SESSION, &format!("{V5_INFO} ({SESSION})"));
    let header = r#"{"alg":"dir","enc":"A256CBC-HS512","kid":"another"}"#;
    let token = ContentKey::cbc(&secret).writing(header).seal(b"payload", &IV).unwrap();
    assert_eq!(keys(Dialect::V5, &["secret"], SESSION).open(&token), Err(OpenError::UnknownKey));
}

#[test]
fn a_v5_token_with_gcm_opens() {
    let keys = keys(Dialect::V5, &["secret"], SESSION);
    let gcm = keys.keys.iter().find(|key| key.enc() == crate::jose::jwe::Enc::A256Gcm).unwrap();
    let token = gcm.seal(b"payload", &IV).unwrap();
    assert_eq!(keys.open(&token).unwrap(), b"payload");
}

#[test]
fn a_token_for_one_cookie_opens_as_no_other() {
    let mut all = Vec::new();
    for kind in ["session-token", "state", "pkce.code_verifier", "nonce", "challenge"] {
        for prefix in ["", "__Secure-", "__Host-"] {
            all.push(keys(Dialect::V5, &["secret"], &format!("{prefix}authjs.{kind}")));
            all.push(keys(Dialect::V4, &["secret"], &format!("{prefix}next-auth.{kind}")));
            // The name of the one with the keys of the other.
            all.push(keys(Dialect::V4, &["secret"], &format!("{prefix}authjs.{kind}")));
        }
    }
    all.push(keys(Dialect::V5, &["secret"], "encodedState"));
    all.push(keys(Dialect::V5, &["secret"], ""));
    all.push(keys(Dialect::V4, &["secret"], ""));

    for (i, sealer) in all.iter().enumerate() {
        for written in sealer.keys.iter().map(|key| key.seal(b"{}", &IV).unwrap()) {
            for (j, opener) in all.iter().enumerate() {
                assert_eq!(opener.open(&written).is_ok(), i == j, "sealed by {i}, opened by {j}");
            }
        }
    }
}

#[test]
fn expiry_has_a_tolerance_of_fifteen_seconds() {
    assert_eq!(refusal(json!({"exp": NOW + 1})), None);
    assert_eq!(refusal(json!({"exp": NOW - 14})), None);
    assert_eq!(refusal(json!({"exp": NOW as f64 - 14.5})), None);
    assert_eq!(refusal(json!({"exp": NOW - 15})), Some(OpenError::Expired));
    assert_eq!(refusal(json!({"exp": 0})), Some(OpenError::Expired));
    assert_eq!(refusal(json!({"exp": i64::MIN})), Some(OpenError::Expired));
    assert_eq!(refusal(json!({"exp": u64::MAX})), None);
}

#[test]
fn not_before_has_a_tolerance_of_fifteen_seconds() {
    assert_eq!(refusal(json!({"nbf": NOW})), None);
    assert_eq!(refusal(json!({"nbf": NOW + 15})), None);
    assert_eq!(refusal(json!({"nbf": NOW as f64 + 15.5})), Some(OpenError::NotYetValid));
    assert_eq!(refusal(json!({"nbf": NOW + 16})), Some(OpenError::NotYetValid));
    assert_eq!(refusal(json!({"nbf": u64::MAX})), Some(OpenError::NotYetValid));
}

#[test]
fn missing_times_set_no_limit() {
    assert_eq!(refusal(json!({})), None);
    assert_eq!(refusal(json!({"iat": NOW + 100_000})), None);
}

#[test]
fn a_time_of_the_wrong_type_is_not_a_missing_time() {
    for name in ["exp", "nbf", "iat"] {
        for value in [json!(null), json!(true), json!((NOW + 60).to_string()), json!([NOW + 60]), json!({})] {
            let claims = object(json!({ name: value }));
            assert_eq!(refusal(Value::Object(claims.clone())), Some(OpenError::Payload), "{claims:?}");
        }
    }
}

#[test]
fn claims_are_a_json_object() {
    let keys = keys(Dialect::V5, &["secret"], SESSION);
    let open = |payload: &[u8]| keys.open_claims(&keys.seal(payload, &IV), Timestamp::from_seconds(NOW));
    assert_eq!(open(b"{}"), Ok(Map::new()));
    let deep = [b"{\"a\":".as_slice(), &[b'['; 100_000]].concat();
    for payload in
        [b"".as_slice(), b"[]", b"\"{}\"", b"null", b"1", b"{}{}", b"{\"a\":1,}", b"{\"a\":\"\xff\"}", &deep]
    {
        assert_eq!(open(payload), Err(OpenError::Payload));
    }
}

#[test]
fn without_secrets_nothing_is_sealed_or_opened() {
    for dialect in DIALECTS {
        let none = keys(dialect, &[], SESSION);
        assert_eq!(none.seal(b"payload", &IV), "");
        assert_eq!(none.open(""), Err(OpenError::Malformed));
        let token = keys(dialect, &[""], SESSION).seal(b"payload", &IV);
        assert_eq!(none.open(&token), Err(OpenError::UnknownKey));
    }
}

#[test]
fn keys_do_not_show_in_debug() {
    assert_eq!(format!("{:?}", keys(Dialect::V5, &["secret"], SESSION)), "TokenKeys { dialect: V5, .. }");
}
