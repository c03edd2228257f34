use super::*;
use crate::oauth::metadata::configured;
use crate::oauth::tests::{metadata, oauth2, oidc, pairs};

const REDIRECT: &str = "https://app.example/auth/callback/op";

fn request(extra: &[(String, String)]) -> AuthorizationRequest<'_> {
    AuthorizationRequest {
        redirect_uri: REDIRECT,
        state: Some("the-state"),
        code_challenge: Some("the-challenge"),
        nonce: Some("the-nonce"),
        extra,
    }
}

fn params(url: &Url) -> Vec<(String, String)> {
    let mut params: Vec<_> = url.query_pairs().into_owned().collect();
    params.sort();
    params
}

#[test]
fn the_request_says_who_asks_for_what_and_binds_the_answer() {
    let url = authorization_url(&oidc(), &metadata(), &request(&[])).unwrap();
    assert!(url.as_str().starts_with("https://op.example/authorize?"));
    let expected = pairs(&[
        ("client_id", "client"),
        ("code_challenge", "the-challenge"),
        ("code_challenge_method", "S256"),
        ("nonce", "the-nonce"),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", "openid profile email"),
        ("state", "the-state"),
    ]);
    assert_eq!(params(&url), expected);
}

#[test]
fn the_query_of_the_endpoint_stays_and_plain_oauth2_has_no_scope_by_default() {
    let provider = Provider { authorization_params: pairs(&[("prompt", "consent")]), ..oauth2() };
    let metadata = configured(&provider).unwrap().unwrap();
    let request = AuthorizationRequest { code_challenge: None, nonce: None, ..request(&[]) };
    let url = authorization_url(&provider, &metadata, &request).unwrap();
    let expected = pairs(&[
        ("client_id", "client"),
        ("preset", "1"),
        ("prompt", "consent"),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("state", "the-state"),
    ]);
    assert_eq!(params(&url), expected);
}

#[test]
fn the_browser_may_add_and_override_parameters() {
    let provider = Provider {
        scopes: vec!["openid".into()],
        authorization_params: pairs(&[("prompt", "none")]),
        ..oidc()
    };
    let extra =
        pairs(&[("login_hint", "zed"), ("prompt", "login"), ("scope", "openid email"), ("audience", "api")]);
    let url = authorization_url(&provider, &metadata(), &request(&extra)).unwrap();
    for wanted in extra {
        assert_eq!(
            params(&url).into_iter().filter(|(name, _)| *name == wanted.0).collect::<Vec<_>>(),
            [wanted]
        );
    }
}

#[test]
fn the_browser_may_not_touch_what_binds_the_answer_to_us() {
    let plain = authorization_url(&oidc(), &metadata(), &request(&[])).unwrap();
    for name in OURS {
        let extra = pairs(&[(name, "evil")]);
        let url = authorization_url(&oidc(), &metadata(), &request(&extra)).unwrap();
        assert_eq!(params(&url), params(&plain), "{name}");
        let unchecked =
            AuthorizationRequest { state: None, code_challenge: None, nonce: None, ..request(&extra) };
        let url = authorization_url(&oidc(), &metadata(), &unchecked).unwrap();
        assert!(!url.as_str().contains("evil"), "{name}");
    }
}

#[test]
fn a_provider_may_not_change_the_response_type_by_its_endpoint() {
    let mut metadata = metadata();
    metadata.authorization_endpoint.set_query(Some("response_type=token&client_id=other&state=x"));
    let url = authorization_url(&oidc(), &metadata, &request(&[])).unwrap();
    assert_eq!(params(&url).len(), 8);
    assert!(params(&url).contains(&("response_type".into(), "code".into())));
    assert!(params(&url).contains(&("client_id".into(), "client".into())));
    assert!(params(&url).contains(&("state".into(), "the-state".into())));
}

#[test]
fn no_client_id_is_a_mistake_of_the_configuration() {
    for client_id in [None, Some(String::new())] {
        let provider = Provider { client_id, ..oidc() };
        let error = authorization_url(&provider, &metadata(), &request(&[])).unwrap_err();
        assert_eq!(error.kind(), Kind::Configuration);
    }
}
