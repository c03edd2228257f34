use crate::providers::{APPLE, AUTH0, GITHUB, GOOGLE, KEYCLOAK, MICROSOFT_ENTRA_ID, PrivateKey, Spec};

use super::ProviderProblemKind::{Address, Appearance, Checks, Client, Endpoints, Id, Parameters};
use super::*;

const KEY: &str = include_str!("../../../testdata/keys/ec-p-256.pem");

/// The kinds found, and the texts in one.
fn found(provider: &Provider) -> (Vec<ProviderProblemKind>, String) {
    let problems = provider.problems();
    let text = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    (problems.iter().map(|problem| problem.kind).collect(), text)
}

fn google() -> Provider {
    GOOGLE.client("a", "b")
}

fn hand_made(authorize: &str, token: &str, userinfo: &str) -> Provider {
    Provider::oauth2("acme", "Acme", authorize, token, userinfo).client("a", "b")
}

#[test]
fn a_complete_provider_has_none() {
    assert_eq!(google().problems(), []);
    assert_eq!(hand_made("https://a.example/1", "https://a.example/2", "https://a.example/3").problems(), []);
}

#[test]
fn a_missing_client_is_named_with_its_variables() {
    let (kinds, text) = found(&MICROSOFT_ENTRA_ID.into());
    assert_eq!(kinds, [Client, Client]);
    assert!(text.contains("AUTH_MICROSOFT_ENTRA_ID_ID"), "{text}");
    assert!(text.contains("AUTH_MICROSOFT_ENTRA_ID_SECRET"), "{text}");
    assert_eq!(found(&GOOGLE.client("", "")).0, [Client, Client]);
}

#[test]
fn each_client_auth_wants_its_own_proof() {
    use ClientAuth::{Basic, None, Post, PrivateKeyJwt, SecretJwt, SignedSecret};
    let key = || PrivateKey::new("ES256", KEY);
    for auth in [Basic, Post, SecretJwt, SignedSecret] {
        assert_eq!(found(&GOOGLE.public_client("a").client_auth(auth)).0, [Client], "{auth:?}");
        assert_eq!(google().client_auth(auth).problems(), [], "{auth:?}");
    }
    assert_eq!(found(&google().client_auth(PrivateKeyJwt)).0, [Client]);
    assert_eq!(GOOGLE.public_client("a").private_key(key()).problems(), []);
    assert_eq!(APPLE.public_client("a").private_key(key()).problems(), []);
    assert_eq!(GOOGLE.public_client("a").client_auth(None).problems(), []);
}

#[test]
fn a_private_key_that_cannot_sign_is_refused() {
    let with = |algorithm, pem: &str| {
        let (kinds, text) = found(&GOOGLE.public_client("a").private_key(PrivateKey::new(algorithm, pem)));
        assert!(!text.contains("hush-hush"), "{text}");
        kinds
    };
    for algorithm in ["HS256", "none", "RS256", "EdDSA", ""] {
        assert_eq!(with(algorithm, KEY), [Client], "{algorithm}");
    }
    let bare = "-----BEGIN PRIVATE KEY-----\n";
    let garbage = format!("{bare}hush-hush\n-----END PRIVATE KEY-----\n");
    let half: String = KEY.lines().filter(|line| !line.starts_with("-----END")).collect();
    let p384 = include_str!("../../../testdata/keys/ec-p-384.pem");
    for pem in ["", "hush-hush", bare, &garbage, &half, p384] {
        assert_eq!(with("ES256", pem), [Client], "{pem}");
    }
    assert_eq!(with("RS256", include_str!("../../../testdata/keys/rsa-1024.pem")), [Client]);
    for (algorithm, pem) in [
        ("RS256", include_str!("../../../testdata/keys/rsa.pem")),
        ("PS256", include_str!("../../../testdata/keys/rsa.pem")),
        ("EdDSA", include_str!("../../../testdata/keys/ed25519.pem")),
    ] {
        assert_eq!(with(algorithm, pem), [], "{algorithm}");
    }
}

#[test]
fn missing_endpoints_are_named() {
    let (kinds, text) = found(&hand_made("", "https://a.example/token", ""));
    assert_eq!(kinds, [Endpoints, Endpoints]);
    assert!(
        text.contains(".authorization(") && text.contains(".userinfo(") && !text.contains(".token("),
        "{text}"
    );
    assert!(text.contains("AUTH_ACME_ISSUER"), "{text}");
    assert_eq!(hand_made("", "", "").issuer("https://a.example").problems(), []);
}

#[test]
fn openid_without_issuer_is_refused() {
    let (kinds, text) = found(&KEYCLOAK.client("a", "b"));
    assert_eq!(kinds, [Endpoints]);
    assert!(text.contains(".issuer(") && text.contains("AUTH_KEYCLOAK_ISSUER"), "{text}");
    assert_eq!(found(&Provider::oidc("a", "A", "").client("a", "b")).0, [Endpoints]);
}

#[test]
fn an_unfilled_placeholder_is_named() {
    let (kinds, text) = found(&AUTH0.client("a", "b"));
    assert_eq!(kinds, [Endpoints]);
    assert!(text.contains(".with(\"domain\""), "{text}");
}

#[test]
fn a_placeholder_that_does_not_exist_is_named() {
    // A silent one would leave the door open to every tenant.
    let (kinds, text) = found(&MICROSOFT_ENTRA_ID.client("a", "b").with("tennant", "contoso"));
    assert_eq!(kinds, [Endpoints]);
    assert!(text.contains("tennant"), "{text}");
    assert_eq!(GITHUB.client("a", "b").with("api", "git.example.com/api/v3").problems(), []);
}

#[test]
fn a_placeholder_takes_no_scheme_query_or_user() {
    for value in ["https://acme.auth0.com", "", "a b", "a?b", "a#b", "me@acme.example", "a\\b", "{x}", "//a"]
    {
        let (kinds, text) = found(&AUTH0.client("a", "b").with("domain", value));
        assert!(kinds.contains(&Endpoints), "{value}: {text}");
    }
    for value in ["acme.auth0.com", "localhost:8443", "git.example.com/api/v3"] {
        assert_eq!(AUTH0.client("a", "b").with("domain", value).problems(), [], "{value}");
    }
}

#[test]
fn an_address_is_https_or_http_on_this_machine() {
    for url in [
        "https://a.example",
        "http://localhost:3000",
        "http://localhost.:3000",
        "http://127.0.0.1/x",
        "http://[::1]:8",
    ] {
        assert_eq!(google().issuer(url).problems(), [], "{url}");
    }
    for url in [
        "http://a.example",
        "http://10.0.0.1",
        "http://localhost.example.com",
        "a.example",
        "/path",
        "javascript:alert(1)",
        "ftp://a.example",
        "https://me@a.example",
        "https://me:pw@a.example",
        "https://@a.example",
        "https://a.example/#x",
        "https://a.example?tenant=1",
        "https://a.example/\\x",
        " https://a.example",
        "https://a.\texample",
        "https:a.example",
        "https://b\u{fc}cher.example",
        "https://",
    ] {
        assert_eq!(found(&google().issuer(url)).0, [Address], "{url}");
    }
    let each = google()
        .authorization("http://a.example")
        .token("http://a.example")
        .userinfo("http://a.example")
        .jwks_uri("http://a.example")
        .redirect_proxy_url("http://a.example");
    let (kinds, text) = found(&each);
    assert_eq!(kinds, [Address; 5]);
    for method in [".authorization(", ".token(", ".userinfo(", ".jwks_uri(", ".redirect_proxy_url("] {
        assert!(text.contains(method), "{method}");
    }
}

#[test]
fn an_address_without_a_problem_is_one_that_is_asked() {
    use crate::oauth::metadata::{configured, discovery_request};
    for url in ["https://a.example", "http://localhost:3000", "http://localhost.", "http://127.0.0.1/x"] {
        let found = google().issuer(url);
        assert_eq!(found.problems(), []);
        assert!(discovery_request(&found).is_ok(), "{url}");
        let named = hand_made(url, url, url);
        assert_eq!(named.problems(), []);
        assert!(configured(&named).unwrap().is_ok(), "{url}");
    }
}

#[test]
fn the_password_in_an_address_is_not_repeated() {
    let (_, text) = found(&google().issuer("https://me:hush-hush@a.example"));
    assert!(!text.contains("hush-hush"), "{text}");
}

#[test]
fn an_id_must_fit_an_address() {
    for id in ["", "a b", "a/b", "é", "..", "a?b", "a.b"] {
        assert!(
            found(&Provider::oidc(id, "A", "https://a.example").client("a", "b")).0.contains(&Id),
            "{id}"
        );
    }
    let odd = Spec { id: "A-b_9", ..GOOGLE };
    assert_eq!(odd.client("a", "b").problems(), []);
}

#[test]
fn an_answer_must_be_bound_to_its_request() {
    assert_eq!(found(&google().checks(&[])).0, [Checks]);
    for checks in [&[Check::State][..], &[Check::Pkce], &[Check::Nonce]] {
        assert_eq!(google().checks(checks).problems(), [], "{checks:?}");
    }
    let oauth2 = hand_made("https://a.example/1", "https://a.example/2", "https://a.example/3");
    assert_eq!(found(&oauth2.clone().checks(&[Check::Pkce, Check::Nonce])).0, [Checks]);
    assert_eq!(oauth2.checks(&[Check::State]).problems(), []);
}

#[test]
fn algorithms_for_id_tokens_are_known_ones() {
    assert_eq!(google().id_token_algorithms(&["ES256", "EdDSA", "Ed25519"]).problems(), []);
    // Nothing signed with one of these would ever be accepted.
    for name in ["none", "HS256", "HS384", "HS512", "ES512", "rs256", ""] {
        assert_eq!(found(&google().id_token_algorithms(&[name])).0, [Checks], "{name}");
    }
    assert_eq!(found(&google().id_token_algorithms(&[])).0, [Checks]);
}

#[test]
fn parameters_of_the_protocol_are_not_set_by_hand() {
    for name in ["scope", "state", "redirect_uri", "code_challenge", "client_id", "nonce", "request"] {
        assert_eq!(found(&google().authorization_param(name, "x")).0, [Parameters], "{name}");
    }
    assert_eq!(google().authorization_param("prompt", "consent").problems(), []);
}

#[test]
fn a_brand_is_a_colour_and_nothing_else() {
    for brand in ["red", "#fff", "#12345g", "#123456;background:url(x)", ""] {
        assert_eq!(found(&google().brand(brand)).0, [Appearance], "{brand}");
    }
    assert_eq!(google().brand("#A0b1c2").problems(), []);
}
