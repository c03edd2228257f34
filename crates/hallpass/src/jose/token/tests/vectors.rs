//! Tokens made and judged by the real libraries: `@auth/core` and next-auth 4.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct File {
    derivation: Derivation,
    kid: Option<Kids>,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Derivation {
    examples: Vec<Example>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Example {
    secret: String,
    salt: String,
    length: Option<usize>,
    key_hex: String,
}

#[derive(Deserialize)]
struct Kids {
    example: Kid,
    example32: Kid,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kid {
    key_hex: String,
    kid: String,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    secret: Secrets,
    salt: String,
    now: i64,
    token: String,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Secrets {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Expect {
    /// `null` for the empty text, which is no token.
    Payload(Option<Map<String, Value>>),
    Failure(String),
}

const V5: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/jwe/vectors.json"));
const V4: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/jwe/vectors-v4.json"));

/// What we refuse and the real library opens, on purpose.
const REFUSED: [&str; 1] = [
    // next-auth 4 does not restrict algorithms. Nobody makes such tokens.
    "A128CBC-HS256 with the same key is accepted",
];

#[test]
fn tokens_of_authjs_are_judged_as_it_does() {
    assert_eq!(wrongly_judged(Dialect::V5, V5), Vec::<String>::new());
}

#[test]
fn tokens_of_next_auth_4_are_judged_as_it_does() {
    assert_eq!(wrongly_judged(Dialect::V4, V4), Vec::<String>::new());
}

#[test]
fn keys_are_derived_as_authjs_does() {
    let examples = parse(V5).derivation.examples;
    assert_eq!(examples.len(), 4);
    for it in examples {
        let info = format!("{V5_INFO} ({})", it.salt);
        let secret = Secret::from(it.secret);
        let key = match it.length {
            Some(64) => hex(expand::<2>(&secret, &it.salt, &info).as_flattened()),
            Some(32) => hex(expand::<1>(&secret, &it.salt, &info).as_flattened()),
            other => panic!("unexpected length {other:?}"),
        };
        assert_eq!(key, it.key_hex);
    }
}

#[test]
fn kid_is_the_thumbprint_of_the_key() {
    let Kids { example, example32 } = parse(V5).kid.unwrap();
    let key = bytes(&example.key_hex);
    let (halves, _) = key.as_chunks::<32>();
    assert_eq!(header(&ContentKey::cbc(halves.first_chunk().unwrap()))["kid"], example.kid);

    let key = bytes(&example32.key_hex);
    let (halves, _) = key.as_chunks::<32>();
    assert_eq!(header(&ContentKey::gcm(halves.first_chunk().unwrap()))["kid"], example32.kid);
}

#[test]
fn headers_are_those_of_the_real_libraries() {
    for (dialect, file, salt) in [(Dialect::V5, V5, SESSION), (Dialect::V4, V4, "")] {
        let real =
            parse(file).vectors.into_iter().find(|it| it.name == "made by encode, default age").unwrap();
        let Secrets::One(secret) = &real.secret else { panic!("one secret") };
        let ours = keys(dialect, &[secret], salt).seal(b"{}", &IV);
        assert_eq!(ours.split('.').next(), real.token.split('.').next());
    }
}

fn wrongly_judged(dialect: Dialect, file: &str) -> Vec<String> {
    let vectors = parse(file).vectors;
    assert!(vectors.len() > 30);
    vectors.into_iter().filter(|it| !is_rightly_judged(dialect, it)).map(|it| it.name).collect()
}

fn is_rightly_judged(dialect: Dialect, vector: &Vector) -> bool {
    let secrets = match &vector.secret {
        Secrets::One(secret) => vec![secret.as_str()],
        Secrets::Many(secrets) => secrets.iter().map(String::as_str).collect(),
    };
    let keys = keys(dialect, &secrets, &vector.salt);
    let result = keys.open_claims(&vector.token, Timestamp::from_seconds(vector.now));
    if REFUSED.contains(&vector.name.as_str()) {
        return result == Err(OpenError::Algorithm);
    }
    match (&vector.expect, result) {
        (Expect::Payload(Some(payload)), Ok(claims)) => claims == *payload,
        (Expect::Payload(None), Err(error)) => error == OpenError::Malformed,
        (Expect::Failure(code), Err(error)) => reasons(code).contains(&error),
        _ => false,
    }
}

/// Our errors for one of the reference decoder, so that no vector is refused by accident.
fn reasons(code: &str) -> &'static [OpenError] {
    use OpenError::{Algorithm, Decrypt, Expired, Malformed, NotYetValid, Payload, UnknownKey};
    match code {
        "ERR_JWT_EXPIRED" => &[Expired],
        "ERR_JWT_CLAIM_VALIDATION_FAILED" => &[NotYetValid, Payload],
        "ERR_JWT_INVALID" => &[Payload],
        "ERR_JWE_DECRYPTION_FAILED" => &[Decrypt, Malformed],
        "ERR_JWE_INVALID" => &[Malformed, Algorithm],
        "ERR_JOSE_ALG_NOT_ALLOWED" => &[Algorithm],
        "no matching decryption secret" => &[UnknownKey],
        other => panic!("unknown failure {other}"),
    }
}

fn parse(file: &str) -> File {
    serde_json::from_str(file).unwrap()
}

fn header(key: &ContentKey) -> Value {
    let token = key.seal(b"", &IV).unwrap();
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(token.split('.').next().unwrap()).unwrap()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let (pairs, _) = hex.as_bytes().as_chunks::<2>();
    pairs.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
