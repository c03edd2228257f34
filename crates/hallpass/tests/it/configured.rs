//! What a configured Hallpass tells programs that look after it.

use hallpass::oauth::ProtocolErrorKind;
use hallpass::testkit::Browser;
use hallpass::{AccountKind, Auth};

use crate::site::{SITE, Site};

/// What is to be registered at each provider.
fn registered(auth: &Auth, origin: &str) -> Vec<(String, String)> {
    let providers = auth.providers(origin).into_iter();
    providers.filter_map(|provider| Some((provider.id, provider.redirect_uri?))).collect()
}

#[tokio::test]
async fn what_is_to_be_registered_is_what_a_sign_in_names() {
    let site = Site::new();
    let posted = || site.idp.oidc_provider("posted").authorization_param("response_mode", "form_post");
    let proxied = site.idp.oidc_provider("proxied").redirect_proxy_url("https://proxy.example/auth/");
    for auth in [
        site.builder().build(),
        site.builder().provider(proxied).provider(posted()).build(),
        site.builder().provider(posted()).redirect_proxy_url("https://proxy.example/api/auth").build(),
        site.builder().redirect_proxy_url(format!("{SITE}/api/auth")).build(),
    ] {
        let auth = auth.unwrap();
        let all = registered(&auth, "https://ignored.example");
        assert!(all.len() >= 3);
        for (id, redirect_uri) in all {
            let start = Browser::new(&auth, SITE).start(&id).await;
            assert_eq!(start.location_parameter("redirect_uri").unwrap(), redirect_uri, "{id}");
        }
    }
}

#[test]
fn without_an_address_of_its_own_the_site_is_where_the_caller_says() {
    let site = crate::site::bare().provider(Site::new().idp.oidc_provider("idp")).build().unwrap();
    assert_eq!(
        registered(&site, "https://app.example.com/"),
        [("idp".to_owned(), "https://app.example.com/api/auth/callback/idp".to_owned())]
    );
}

#[test]
fn forms_have_nothing_to_register() {
    let auth = Site::new().builder().build().unwrap();
    let form = auth.providers(SITE).into_iter().find(|it| it.kind == AccountKind::Credentials).unwrap();
    assert_eq!((form.redirect_uri, form.client_id), (None, None));
}

#[tokio::test]
async fn discovery_is_judged_as_in_a_sign_in() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let found = auth.discover("idp").await.unwrap();
    assert_eq!(found.issuer.as_deref(), Some("https://idp.example"));
    assert_eq!(auth.discover("credentials").await.unwrap_err().kind(), ProtocolErrorKind::Configuration);
    assert_eq!(auth.discover("nobody").await.unwrap_err().kind(), ProtocolErrorKind::Configuration);

    site.other.answer_once("/.well-known/openid-configuration", 200, r#"{"issuer":"https://evil.example"}"#);
    assert_eq!(auth.discover("other").await.unwrap_err().kind(), ProtocolErrorKind::Discovery);
    site.other.fail_once("/.well-known/openid-configuration");
    assert_eq!(auth.discover("other").await.unwrap_err().kind(), ProtocolErrorKind::Unreachable);
}
