use serde_json::json;

use super::*;
use crate::http::Reach;
use crate::oauth::tests::{ISSUER, answer, document, json_answer, oauth2, oidc};

fn discover(change: impl FnOnce(&mut Value)) -> Result<Metadata, ProtocolError> {
    let mut document = document();
    change(&mut document);
    discovery_response(&oidc(), &json_answer(&document))
}

fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let error = discover(change).unwrap_err();
    assert_eq!(error.kind(), Kind::Discovery);
    error.to_string()
}

fn with_issuer(issuer: &str) -> Provider {
    Provider { issuer: Some(issuer.into()), ..oidc() }
}

fn entra(tenant: &str) -> Provider {
    Provider {
        issuer: Some(format!("https://login.example/{tenant}/v2.0")),
        issuer_placeholder: Some(("{tenantid}", "tid")),
        ..oidc()
    }
}

#[test]
fn the_document_stands_under_the_issuer() {
    for (issuer, uri) in [
        ("https://op.example", "https://op.example/.well-known/openid-configuration"),
        ("https://op.example/", "https://op.example/.well-known/openid-configuration"),
        ("https://op.example/a/b", "https://op.example/a/b/.well-known/openid-configuration"),
        ("http://127.0.0.1:9400/m/x", "http://127.0.0.1:9400/m/x/.well-known/openid-configuration"),
    ] {
        let request = discovery_request(&with_issuer(issuer)).unwrap();
        assert_eq!(request.uri(), uri);
        assert_eq!(request.headers()["accept"], "application/json");
        assert_eq!(request.headers()["user-agent"], "hallpass");
    }
}

#[test]
fn an_issuer_must_be_an_address_that_may_be_asked() {
    for (issuer, message) in [
        ("http://op.example", "the issuer is not https"),
        ("http://localhost.evil.example", "the issuer is not https"),
        ("http://10.0.0.1", "the issuer is not https"),
        ("ftp://op.example", "the issuer is neither https nor http"),
        ("op.example", "the issuer is not an absolute address"),
        ("https:op.example", "the issuer is not an absolute address"),
        ("https://{domain}", "the issuer still holds a placeholder"),
        ("https://op.example?x=1", "the issuer holds a query"),
        ("https://op.example#x", "the issuer holds a fragment"),
        ("https://a@op.example", "the issuer holds a user name"),
        ("https://@op.example", "the issuer holds a user name"),
        ("https:\\\\op.example", "the issuer holds characters that an address cannot have"),
    ] {
        let error = discovery_request(&with_issuer(issuer)).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Configuration, message), "{issuer}");
    }
}

#[test]
fn only_a_loopback_issuer_opens_the_way_to_this_machine() {
    let reach =
        |provider: &Provider| *discovery_request(provider).unwrap().extensions().get::<Reach>().unwrap();
    assert_eq!(reach(&with_issuer("https://op.example")), Reach::Public);
    assert_eq!(reach(&with_issuer("http://localhost:1/x")), Reach::Loopback);
    assert_eq!(reach(&with_issuer("http://[::1]:1")), Reach::Loopback);
    assert_eq!(reach(&with_issuer("https://127.0.0.2")), Reach::Loopback);
    let mut url = Url::parse("https://127.0.0.1/jwks").unwrap();
    let reach_from = |provider: &Provider, url: &Url| {
        *get(provider, url, None).unwrap().extensions().get::<Reach>().unwrap()
    };
    assert_eq!(reach_from(&oidc(), &url), Reach::Public, "what a document names opens nothing");
    let written_down = Provider { jwks_uri: Some(url.to_string()), ..oidc() };
    assert_eq!(reach_from(&written_down, &url), Reach::Loopback);
    url.set_path("/other");
    assert_eq!(reach_from(&written_down, &url), Reach::Public);
    let private = Provider { private_network: true, ..with_issuer("https://op.example") };
    assert_eq!(reach(&private), Reach::PrivateNetwork);
}

#[test]
fn a_good_document_is_read() {
    let metadata = discover(|_| {}).unwrap();
    assert_eq!(metadata.issuer.as_deref(), Some(ISSUER));
    assert_eq!(metadata.token_endpoint.as_str(), "https://op.example/token");
    assert_eq!(metadata.jwks_uri.unwrap().as_str(), "https://op.example/jwks");
    assert!(metadata.iss_parameter_supported);
    assert_eq!(metadata.id_token_signing_algs, ["RS256", "ES256"]);
}

#[test]
fn without_a_word_on_algorithms_it_is_rs256() {
    let metadata =
        discover(|it| drop(it.as_object_mut().unwrap().remove("id_token_signing_alg_values_supported")));
    assert_eq!(metadata.unwrap().id_token_signing_algs, ["RS256"]);
}

#[test]
fn the_issuer_must_be_exactly_the_configured_one() {
    for issuer in ["https://evil.example", "https://op.example/", "https://OP.example", "http://op.example"] {
        let message = refusal(|it| it["issuer"] = issuer.into());
        assert!(message.starts_with("the discovery document names the issuer"), "{message}");
    }
    assert_eq!(refusal(|it| it["issuer"] = json!([ISSUER])), "the discovery document has no issuer");
    assert_eq!(refusal(|it| it["issuer"] = json!(null)), "the discovery document has no issuer");
}

#[test]
fn an_endpoint_that_is_needed_must_be_there() {
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        let message = refusal(|it| drop(it.as_object_mut().unwrap().remove(name)));
        assert_eq!(message, format!("the discovery document has no {name}"));
        assert_eq!(refusal(|it| it[name] = json!(["https://op.example/x"])), format!("{name} is not a text"));
    }
}

#[test]
fn an_endpoint_must_be_an_address_that_may_be_asked() {
    for endpoint in [
        "javascript:alert(document.domain)//",
        "file:///etc/passwd",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1/token",
        "http://op.example/token",
        "https://trusted.example@evil.example/token",
        "https://op.example/token#x",
        "https://op.example/?x=1\r\nSet-Cookie: pwned=1",
        "https://op.example/\ttoken",
        "https:\\\\op.example/token",
        "/token",
        "//op.example/token",
        "",
    ] {
        for name in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"] {
            assert!(refusal(|it| it[name] = endpoint.into()).starts_with(name), "{name} {endpoint:?}");
        }
    }
}

#[test]
fn a_loopback_issuer_may_name_http_on_loopback_and_nowhere_else() {
    let provider = with_issuer("http://127.0.0.1:9400");
    let mut document = document();
    for (name, value) in document.as_object_mut().unwrap() {
        if let Some(text) = value.as_str() {
            *value = text.replace("https://op.example", "http://127.0.0.1:9400").into();
        }
        assert_ne!(name, "");
    }
    assert!(discovery_response(&provider, &json_answer(&document)).is_ok());
    for elsewhere in ["http://169.254.169.254/", "http://op.example/token"] {
        document["token_endpoint"] = elsewhere.into();
        let error = discovery_response(&provider, &json_answer(&document)).unwrap_err();
        assert_eq!(error.to_string(), "token_endpoint is not https");
    }
}

#[test]
fn configured_endpoints_outrank_the_document() {
    let provider = Provider { token_endpoint: Some("https://other.example/token".into()), ..oidc() };
    let metadata = discovery_response(&provider, &json_answer(&document())).unwrap();
    assert_eq!(metadata.token_endpoint.as_str(), "https://other.example/token");
    assert_eq!(metadata.authorization_endpoint.as_str(), "https://op.example/authorize");
}

#[test]
fn a_document_of_more_than_256_kib_is_refused() {
    let mut document = document();
    document["x"] = "x".repeat(MAX_DOCUMENT).into();
    assert!(discovery_response(&oidc(), &json_answer(&document)).unwrap_err().to_string().contains("larger"));
}

#[test]
fn an_issuer_that_stands_twice_is_refused() {
    let body = format!(r#"{{"issuer":"https://evil.example",{}"#, &document().to_string()[1..]);
    assert!(discovery_response(&oidc(), &answer(200, body)).is_err());
}

#[test]
fn unknown_members_do_no_harm() {
    let body = format!(
        r#"{{"__proto__":{{"issuer":"https://evil.example"}},"x":[null],{}"#,
        &document().to_string()[1..]
    );
    assert_eq!(discovery_response(&oidc(), &answer(200, body)).unwrap().issuer.as_deref(), Some(ISSUER));
}

#[test]
fn a_tenants_alias_may_lead_to_the_placeholder_or_to_its_id() {
    let discover = |tenant: &str, issuer: &str| {
        let mut document = document();
        document["issuer"] = issuer.into();
        discovery_response(&entra(tenant), &json_answer(&document)).map(|it| it.issuer.unwrap())
    };
    let placeholder = "https://login.example/{tenantid}/v2.0";
    assert_eq!(discover("common", placeholder).unwrap(), placeholder);
    assert_eq!(
        discover("contoso.com", "https://login.example/11-22/v2.0").unwrap(),
        "https://login.example/11-22/v2.0"
    );
    for evil in [
        "https://evil.example/{tenantid}/v2.0",
        "https://evil.example/common/v2.0",
        "https://login.example/11-22/v1.0",
        "https://login.example/11/22/v2.0",
        "http://login.example/common/v2.0",
    ] {
        assert!(discover("common", evil).is_err(), "{evil}");
    }
    assert!(
        discovery_response(&with_issuer("https://login.example/common/v2.0"), &{
            let mut document = document();
            document["issuer"] = placeholder.into();
            json_answer(&document)
        })
        .is_err()
    );
}

#[test]
fn endpoints_that_are_all_configured_need_no_discovery() {
    let metadata = configured(&oauth2()).unwrap().unwrap();
    assert_eq!(metadata.authorization_endpoint.as_str(), "https://plain.example/authorize?preset=1");
    assert_eq!((metadata.issuer, metadata.iss_parameter_supported), (None, false));
    assert!(configured(&oidc()).is_none());

    let written_out = Provider {
        authorization_endpoint: Some("https://op.example/a".into()),
        token_endpoint: Some("https://op.example/t".into()),
        jwks_uri: Some("https://op.example/j".into()),
        ..oidc()
    };
    assert_eq!(configured(&written_out).unwrap().unwrap().issuer.as_deref(), Some(ISSUER));
    let without_keys = Provider { jwks_uri: None, ..written_out };
    assert!(configured(&without_keys).is_none());
}

#[test]
fn a_provider_without_issuer_and_endpoints_is_a_mistake_of_the_configuration() {
    let nothing = Provider { token_endpoint: None, ..oauth2() };
    assert_eq!(configured(&nothing).unwrap().unwrap_err().kind(), Kind::Configuration);
    let plain_http = Provider { token_endpoint: Some("http://plain.example/token".into()), ..oauth2() };
    assert_eq!(configured(&plain_http).unwrap().unwrap_err().to_string(), "the token endpoint is not https");
    let loopback = Provider { token_endpoint: Some("http://127.0.0.1:1/token".into()), ..oauth2() };
    assert!(configured(&loopback).unwrap().is_ok());
}
