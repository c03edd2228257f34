use std::collections::HashMap;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, Validation, decode};

use super::*;
use crate::oauth::tests::{ISSUER, metadata, oidc};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const EC: &str = include_str!("../../../testdata/keys/ec-p-256.pem");
const ED: &str = include_str!("../../../testdata/keys/ed25519.pem");
const RSA: &str = include_str!("../../../testdata/keys/rsa.pem");
const RSA_1024: &str = include_str!("../../../testdata/keys/rsa-1024.pem");

type Form = HashMap<&'static str, String>;

fn prove(provider: &Provider) -> Result<(Form, Option<HeaderValue>), ProtocolError> {
    let mut form = Vec::new();
    let header = authenticate(provider, &metadata(), NOW, [7; 16], &mut form)?;
    Ok((form.into_iter().collect(), header))
}

fn with(client_auth: ClientAuth, pem: &str, algorithm: &str) -> Provider {
    let private_key = PrivateKey {
        pem: pem.into(),
        key_id: Some("kid-1".into()),
        algorithm: algorithm.into(),
        issuer: (client_auth == ClientAuth::SignedSecret).then(|| "TEAM".to_owned()),
    };
    Provider { client_auth, private_key: Some(private_key), client_secret: None, ..oidc() }
}

fn open(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Value {
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    decode::<Value>(token, key, &validation).unwrap().claims
}

fn public(pem: &str, algorithm: Algorithm) -> DecodingKey {
    let key = match algorithm {
        Algorithm::ES256 => EncodingKey::from_ec_pem(pem.as_bytes()),
        Algorithm::EdDSA => EncodingKey::from_ed_pem(pem.as_bytes()),
        _ => EncodingKey::from_rsa_pem(pem.as_bytes()),
    };
    DecodingKey::from_jwk(&Jwk::from_encoding_key(&key.unwrap(), algorithm).unwrap()).unwrap()
}

#[test]
fn basic_form_encodes_id_and_secret_first() {
    let (form, header) = prove(&oidc()).unwrap();
    let header = header.unwrap();
    let (scheme, value) = header.to_str().unwrap().split_once(' ').unwrap();
    assert_eq!(scheme, "Basic");
    assert_eq!(Base64::decode_vec(value).unwrap(), b"client:a+secret%2Fwith%2Bodd%3Achars");
    assert!(header.is_sensitive());
    assert!(form.is_empty());
}

#[test]
fn post_puts_both_into_the_form_and_none_the_id_alone() {
    let (form, header) = prove(&Provider { client_auth: ClientAuth::Post, ..oidc() }).unwrap();
    assert!(header.is_none());
    assert_eq!(
        (form["client_id"].as_str(), form["client_secret"].as_str()),
        ("client", "a secret/with+odd:chars")
    );

    let (form, header) =
        prove(&Provider { client_auth: ClientAuth::None, client_secret: None, ..oidc() }).unwrap();
    assert!(header.is_none());
    assert_eq!(form, HashMap::from([("client_id", "client".to_owned())]));
}

#[test]
fn secret_jwt_is_an_assertion_signed_with_the_secret() {
    let (form, header) = prove(&Provider { client_auth: ClientAuth::SecretJwt, ..oidc() }).unwrap();
    assert!(header.is_none() && !form.contains_key("client_secret"));
    assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let claims = open(
        &form["client_assertion"],
        &DecodingKey::from_secret(b"a secret/with+odd:chars"),
        Algorithm::HS256,
    );
    let expected = json!({
        "iss": "client", "sub": "client", "aud": ISSUER, "jti": "BwcHBwcHBwcHBwcHBwcHBw",
        "iat": 1_800_000_000, "exp": 1_800_000_120,
    });
    assert_eq!(claims, expected);
}

#[test]
fn private_key_jwt_is_an_assertion_signed_with_the_private_key() {
    for (pem, name, algorithm) in [
        (EC, "ES256", Algorithm::ES256),
        (ED, "EdDSA", Algorithm::EdDSA),
        (RSA, "RS256", Algorithm::RS256),
        (RSA, "PS256", Algorithm::PS256),
    ] {
        let (form, _) = prove(&with(ClientAuth::PrivateKeyJwt, pem, name)).unwrap();
        let claims = open(&form["client_assertion"], &public(pem, algorithm), algorithm);
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!("client"), &json!(ISSUER)), "{name}");
        let header = jsonwebtoken::decode_header(&form["client_assertion"]).unwrap();
        assert_eq!(header.kid.as_deref(), Some("kid-1"));
    }
}

#[test]
fn a_signed_secret_is_a_token_of_the_team() {
    let (form, _) = prove(&with(ClientAuth::SignedSecret, EC, "ES256")).unwrap();
    assert_eq!(form["client_id"], "client");
    let claims = open(&form["client_secret"], &public(EC, Algorithm::ES256), Algorithm::ES256);
    let expected =
        json!({ "iss": "TEAM", "iat": 1_800_000_000, "exp": 1_800_000_120, "aud": ISSUER, "sub": "client" });
    assert_eq!(claims, expected);
}

#[test]
fn a_secret_that_is_signed_already_is_sent_as_it_is() {
    let provider = Provider { client_auth: ClientAuth::SignedSecret, ..oidc() };
    let (form, header) = prove(&provider).unwrap();
    assert!(header.is_none());
    assert_eq!(
        (form["client_id"].as_str(), form["client_secret"].as_str()),
        ("client", "a secret/with+odd:chars")
    );
    let both =
        Provider { client_secret: oidc().client_secret, ..with(ClientAuth::SignedSecret, EC, "ES256") };
    assert!(prove(&both).unwrap().0["client_secret"].starts_with("eyJ"), "a key outranks a secret");
}

#[test]
fn an_issuer_with_a_placeholder_is_no_audience() {
    let mut metadata = metadata();
    metadata.issuer = Some("https://op.example/{tenantid}".into());
    let provider = Provider { issuer_placeholder: Some(("{tenantid}", "tid")), ..oidc() };
    assert_eq!(audience(&provider, &metadata), "https://op.example/token");
}

#[test]
fn what_is_missing_or_unusable_is_a_mistake_of_the_configuration() {
    let none = || Provider { client_secret: None, ..oidc() };
    for (provider, message) in [
        (Provider { client_id: None, ..oidc() }, "the provider has no client id"),
        (none(), "the provider has no client secret"),
        (Provider { client_secret: Some("".into()), ..oidc() }, "the provider has no client secret"),
        (Provider { client_auth: ClientAuth::Post, ..none() }, "the provider has no client secret"),
        (Provider { client_auth: ClientAuth::SecretJwt, ..none() }, "the provider has no client secret"),
        (Provider { client_auth: ClientAuth::SignedSecret, ..none() }, "the provider has no client secret"),
        (Provider { client_auth: ClientAuth::PrivateKeyJwt, ..none() }, "the provider has no private key"),
        (
            with(ClientAuth::PrivateKeyJwt, EC, "HS256"),
            "the private key's algorithm is not ES256, EdDSA, RS256 or PS256",
        ),
        (
            with(ClientAuth::PrivateKeyJwt, EC, "RS256"),
            "the private key is not PKCS#8 in PEM for its algorithm",
        ),
        (
            with(ClientAuth::PrivateKeyJwt, "secret stuff", "ES256"),
            "the private key is not PKCS#8 in PEM for its algorithm",
        ),
        (with(ClientAuth::PrivateKeyJwt, RSA_1024, "PS256"), "the private key has fewer than 2048 bits"),
    ] {
        let error = prove(&provider).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Configuration, message));
    }
}
