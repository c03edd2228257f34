use crate::providers::{ALL, APPLE, AUTH0, GITHUB, GITLAB, GOOGLE, KEYCLOAK, MICROSOFT_ENTRA_ID};

use super::*;

const KEY: &str = "-----BEGIN PRIVATE KEY-----\n";

#[test]
fn a_placeholder_takes_its_value_its_default_or_stays() {
    assert_eq!(AUTH0.client("a", "b").issuer.as_deref(), Some("https://{domain}/"));
    let auth0 = AUTH0.client("a", "b").with("domain", "acme.auth0.com");
    assert_eq!(auth0.issuer.as_deref(), Some("https://acme.auth0.com/"));

    let entra = MICROSOFT_ENTRA_ID.client("a", "b");
    assert_eq!(entra.issuer.as_deref(), Some("https://login.microsoftonline.com/common/v2.0"));
    let entra = entra.with("tenant", "first").with("tenant", "contoso");
    assert_eq!(entra.issuer.as_deref(), Some("https://login.microsoftonline.com/contoso/v2.0"));
}

#[test]
fn a_placeholder_fills_every_endpoint() {
    let gitlab = GITLAB.client("a", "b").with("domain", "git.example.com");
    assert_eq!(gitlab.authorization_endpoint.as_deref(), Some("https://git.example.com/oauth/authorize"));
    assert_eq!(gitlab.token_endpoint.as_deref(), Some("https://git.example.com/oauth/token"));
    assert_eq!(gitlab.userinfo_endpoint.as_deref(), Some("https://git.example.com/api/v4/user"));

    let github = GITHUB.client("a", "b").with("api", "git.example.com/api/v3");
    assert_eq!(github.follow_up_url.as_deref(), Some("https://git.example.com/api/v3/user/emails"));
    assert_eq!(github.issuer.as_deref(), Some("https://github.com/login/oauth"));
}

#[test]
fn braces_that_do_not_close_stay_as_they_are() {
    let values = [("a".to_owned(), "1".to_owned())];
    assert_eq!(fill("{a}-{b}-{a", &values), "1-{b}-{a");
    assert_eq!(fill("}{a}{", &values), "}1{");
}

#[test]
fn the_token_is_not_sent_to_the_catalogues_host_when_userinfo_is_elsewhere() {
    let github = GITHUB.client("a", "b").userinfo("https://git.example.com/api/v3/user");
    assert!(github.follow_up.is_none() && github.follow_up_url.is_none());
}

#[test]
fn a_stand_in_takes_every_address_and_key_of_the_provider() {
    let base = "http://127.0.0.1:1/idp";
    let key = PrivateKey::new("ES256", KEY);
    for spec in ALL {
        let own = spec.client("a", "b").private_key(key.clone()).with("domain", "acme.example");
        let own = own.id_token_algorithms(&["RS256"]).jwks_uri("https://acme.example/keys");
        let moved = own.stand_in(base, base);
        assert_eq!(moved.problems(), [], "{}", spec.id);
        let endpoints = [&moved.authorization_endpoint, &moved.token_endpoint, &moved.userinfo_endpoint];
        let expected = match moved.kind {
            ProviderKind::Oidc => [None, None, None],
            ProviderKind::OAuth2 => {
                ["authorize", "token", "userinfo"].map(|path| Some(format!("{base}/{path}")))
            }
        };
        assert_eq!(endpoints, expected.each_ref(), "{}", spec.id);
        let follow_up = spec.follow_up.map(|_| format!("{base}/follow-up"));
        assert_eq!(moved.follow_up_url, follow_up, "{}", spec.id);
        assert!(moved.jwks_uri.is_none() && moved.private_key.is_none(), "{}", spec.id);
        assert_eq!(moved.scopes, spec.client("a", "b").scopes, "{}", spec.id);
    }
}

#[test]
fn the_environment_does_not_move_a_stand_in_back() {
    let mut moved = KEYCLOAK.client("a", "b").stand_in("http://127.0.0.1:1/idp", "http://127.0.0.1:1/idp");
    moved.fill_from_environment(&|_| Some("https://keycloak.acme.example/realms/staff".to_owned()));
    assert_eq!(moved.issuer.as_deref(), Some("http://127.0.0.1:1/idp"));
    assert_eq!(moved.client_id(), Some("a"));
}

#[test]
fn an_empty_client_id_is_none() {
    assert_eq!(GITHUB.client("", "").client_id(), None);
    assert_eq!(Provider::from(GITHUB).client_id(), None);
}

#[test]
fn defaults_follow_the_kind() {
    let oidc = Provider::oidc("acme", "Acme", "https://login.example.com");
    assert_eq!(oidc.kind(), ProviderKind::Oidc);
    assert_eq!(oidc.scopes, ["openid", "profile", "email"]);
    assert_eq!(oidc.checks, [Check::Pkce, Check::State, Check::Nonce]);
    assert_eq!((oidc.id(), oidc.name()), ("acme", "Acme"));
    assert_eq!(oidc.brand, None);

    let (authorize, token, me) =
        ("https://a.example/authorize", "https://a.example/token", "https://a.example/me");
    let oauth2 = Provider::oauth2("acme", "Acme", authorize, token, me);
    assert_eq!(oauth2.kind(), ProviderKind::OAuth2);
    assert!(oauth2.scopes.is_empty() && oauth2.issuer.is_none());
    assert_eq!(oauth2.checks, [Check::Pkce, Check::State]);
    let endpoints = [&oauth2.authorization_endpoint, &oauth2.token_endpoint, &oauth2.userinfo_endpoint];
    assert_eq!(endpoints.map(Option::as_deref), [Some(authorize), Some(token), Some(me)]);
}

#[test]
fn a_public_client_has_no_secret_and_a_key_proves_it_where_there_is_one() {
    assert_eq!(GOOGLE.public_client("a").client_auth, ClientAuth::None);
    assert!(GOOGLE.client("a", "b").public_client("a").client_secret.is_none());
    assert_eq!(APPLE.public_client("a").client_auth, ClientAuth::SignedSecret);

    let key = PrivateKey::new("ES256", KEY);
    assert_eq!(APPLE.public_client("a").private_key(key.clone()).client_auth, ClientAuth::SignedSecret);
    assert_eq!(GOOGLE.public_client("a").private_key(key.clone()).client_auth, ClientAuth::PrivateKeyJwt);
    assert_eq!(
        GOOGLE.client("a", "b").private_key(key).public_client("a").client_auth,
        ClientAuth::PrivateKeyJwt
    );
}

#[test]
fn an_authorization_parameter_replaces_the_one_of_the_same_name() {
    let apple =
        APPLE.client("a", "b").authorization_param("response_mode", "query").authorization_param("a", "b");
    let expected = [("response_mode".to_owned(), "query".to_owned()), ("a".to_owned(), "b".to_owned())];
    assert_eq!(apple.authorization_params, expected);
}

#[test]
fn dangerous_switches_are_off_until_named() {
    let google = GOOGLE.client("a", "b");
    assert!(!google.link_accounts_by_email && !google.private_network);
    assert!(google.clone().dangerous().link_accounts_by_email().link_accounts_by_email);
    assert!(google.dangerous().allow_private_network().private_network);
}

#[test]
fn debug_shows_no_secret() {
    let google = GOOGLE.client("a", "hush-hush").private_key(PrivateKey::new("ES256", "hush-hush"));
    assert!(
        !format!("{google:?} {:?} {:?}", google.private_key, google.clone().dangerous()).contains("hush")
    );
}
