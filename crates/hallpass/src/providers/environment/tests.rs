use crate::providers::{GOOGLE, KEYCLOAK, MICROSOFT_ENTRA_ID};

use super::*;

fn filled(mut provider: Provider, variables: &[(&str, &str)]) -> Provider {
    provider.fill_from_environment(&|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    });
    provider
}

fn client(provider: &Provider) -> (Option<&str>, Option<&str>) {
    (provider.client_id.as_deref(), provider.client_secret.as_ref().map(|secret| secret.expose()))
}

#[test]
fn client_and_issuer_come_from_the_environment() {
    let variables = [
        ("AUTH_MICROSOFT_ENTRA_ID_ID", "id"),
        ("AUTH_MICROSOFT_ENTRA_ID_SECRET", "secret"),
        ("AUTH_MICROSOFT_ENTRA_ID_ISSUER", "https://login.microsoftonline.com/contoso/v2.0"),
    ];
    let entra = filled(MICROSOFT_ENTRA_ID.into(), &variables);
    assert_eq!(client(&entra), (Some("id"), Some("secret")));
    assert_eq!(entra.issuer.as_deref(), Some("https://login.microsoftonline.com/contoso/v2.0"));
    assert_eq!(entra.problems(), []);
}

#[test]
fn explicit_configuration_wins() {
    let variables = [
        ("AUTH_KEYCLOAK_ID", "env"),
        ("AUTH_KEYCLOAK_SECRET", "env"),
        ("AUTH_KEYCLOAK_ISSUER", "https://env.example"),
        ("AUTH_MICROSOFT_ENTRA_ID_ISSUER", "https://env.example"),
    ];
    let keycloak = filled(KEYCLOAK.client("a", "b").issuer("https://own.example"), &variables);
    assert_eq!(client(&keycloak), (Some("a"), Some("b")));
    assert_eq!(keycloak.issuer.as_deref(), Some("https://own.example"));

    let entra = filled(MICROSOFT_ENTRA_ID.client("a", "b").with("tenant", "own"), &variables);
    assert_eq!(entra.issuer.as_deref(), Some("https://login.microsoftonline.com/own/v2.0"));
    let staff = filled(Provider::oidc("keycloak", "Staff", "https://own.example"), &variables);
    assert_eq!(staff.issuer.as_deref(), Some("https://own.example"));
}

#[test]
fn the_secret_of_the_environment_is_not_paired_with_another_client() {
    let google = filled(GOOGLE.public_client("a"), &[("AUTH_GOOGLE_SECRET", "env")]);
    assert_eq!(client(&google), (Some("a"), None));
}

#[test]
fn an_issuer_that_was_filled_in_survives_later_methods() {
    let keycloak = filled(KEYCLOAK.into(), &[("AUTH_KEYCLOAK_ISSUER", "https://env.example")]);
    assert_eq!(keycloak.with("x", "y").issuer.as_deref(), Some("https://env.example"));
}

#[test]
fn an_empty_variable_is_absent() {
    let google = filled(GOOGLE.into(), &[("AUTH_GOOGLE_ID", ""), ("AUTH_GOOGLE_ISSUER", "")]);
    assert_eq!(client(&google), (None, None));
    assert_eq!(google.issuer.as_deref(), Some("https://accounts.google.com"));
}
