use std::collections::{HashMap, HashSet};
use std::time::Duration;

use base64ct::{Base64, Encoding};
use hallpass::providers::{ALL, APPLE, AUTH0, GITHUB, GOOGLE, KEYCLOAK, MICROSOFT_ENTRA_ID, Profile, Raw};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde_json::json;

use super::grants::Grant;
use super::people::{Answers, PEOPLE, Person};
use super::*;

/// What Hallpass makes of somebody.
fn profile(spec: &Spec, answers: &Answers) -> Profile {
    let mut fields = answers.profile.clone();
    if let (Some(follow_up), Some(answer)) = (spec.follow_up, &answers.follow_up) {
        (follow_up.merge)(&mut fields, answer);
    }
    if let Some(posted) = spec.posted {
        let parameters: Vec<_> =
            answers.posted.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
        posted(&mut fields, &parameters);
    }
    (spec.profile)(&Raw::from(fields)).unwrap_or_else(|error| panic!("{}: {error}", spec.id))
}

#[test]
fn at_every_provider_everybody_is_somebody_with_an_address() {
    for spec in ALL {
        let read: Vec<_> = PEOPLE.iter().map(|person| profile(spec, &person.at(spec))).collect();
        let ids: HashSet<_> = read.iter().map(|profile| &profile.id).collect();
        assert_eq!(ids.len(), PEOPLE.len(), "{}: {ids:?}", spec.id);
        for (person, profile) in PEOPLE.iter().zip(&read) {
            assert_eq!(profile.email.as_deref(), Some(person.email), "{}", spec.id);
            assert!(person.is_verified || !profile.email_verified, "{}", spec.id);
            let name = profile.name.as_deref();
            assert_eq!(
                name == Some(&person.name()),
                person.shows_name && spec.id != "keycloak",
                "{}",
                spec.id
            );
        }
    }
}

#[test]
fn nobody_is_called_ada_any_more() {
    for spec in ALL {
        for person in &PEOPLE {
            let answers = person.at(spec);
            let text = json!([answers.profile, answers.follow_up, answers.posted]).to_string();
            let mut words = text.split(|c: char| !c.is_alphanumeric());
            assert!(!words.any(|word| matches!(word, "Ada" | "ada" | "Lovelace")), "{}: {text}", spec.id);
        }
    }
}

#[test]
fn a_profile_has_the_shape_that_its_provider_gives_to_it() {
    let [robin, _, kit] = &PEOPLE;
    let fields = |person: &Person, spec: &Spec| Value::Object(person.at(spec).profile);
    let github = fields(robin, &GITHUB);
    assert_eq!(
        (&github["login"], &github["id"], &github["email"]),
        (&json!("robin"), &json!(583_231), &json!(null))
    );
    assert_eq!(fields(kit, &GITHUB)["id"], json!(705_453));
    assert_eq!(
        fields(kit, &GITHUB)["avatar_url"],
        json!("https://avatars.githubusercontent.com/u/705453?v=4")
    );
    assert_eq!(fields(kit, &GITHUB)["name"], json!(null));
    let emails = robin.at(&GITHUB).follow_up.unwrap();
    assert_eq!(
        emails[1],
        json!({ "email": robin.email, "primary": true, "verified": true, "visibility": "private" })
    );
    assert_eq!(kit.at(&GITHUB).follow_up.unwrap()[1]["verified"], json!(false));
    assert_eq!(fields(robin, &GOOGLE)["hd"], json!("example.com"));
    assert!(fields(robin, &GOOGLE).get("iss").is_none());
    let entra = fields(robin, &MICROSOFT_ENTRA_ID);
    assert!(entra["oid"].is_string() && entra["tid"].is_string());
    assert_eq!(entra["preferred_username"], json!(robin.email));
    assert_eq!(fields(robin, &APPLE)["email_verified"], json!("true"));
    assert_eq!(fields(kit, &APPLE)["email_verified"], json!("false"));
    assert!(fields(robin, &APPLE).get("user").is_none());
    let user = json!({ "name": { "firstName": "Robin", "lastName": "Hale" }, "email": robin.email });
    assert_eq!(robin.at(&APPLE).posted["user"], user);
    assert!(kit.at(&APPLE).posted.is_empty());
    assert!(robin.at(&KEYCLOAK).posted.is_empty());
}

#[test]
fn an_issuer_keeps_the_path_of_the_real_one() {
    let stand_in = StandIn::new(ALL.to_vec()).unwrap();
    stand_in.listens_at("http://127.0.0.1:9");
    let issuer = |spec: &Spec, tenant: Tenant<'_>| {
        stand_in.issuer(spec, tenant).replace(&format!("http://127.0.0.1:9/dev/idp/{}", spec.id), "")
    };
    assert_eq!(issuer(&GOOGLE, Tenant::Configured), "");
    assert_eq!(issuer(&AUTH0, Tenant::Configured), "/");
    assert_eq!(issuer(&GITHUB, Tenant::Any), "");
    let claims = PEOPLE[0].at(&MICROSOFT_ENTRA_ID).profile;
    let tenant = claims["tid"].as_str().unwrap();
    assert_eq!(issuer(&MICROSOFT_ENTRA_ID, Tenant::Configured), "/common/v2.0");
    assert_eq!(issuer(&MICROSOFT_ENTRA_ID, Tenant::Any), "/{tenantid}/v2.0");
    assert_eq!(issuer(&MICROSOFT_ENTRA_ID, Tenant::Of(&claims)), format!("/{tenant}/v2.0"));
    assert_eq!(issuer(&GOOGLE, Tenant::Of(&claims)), "");
}

#[test]
fn debug_shows_no_secret() {
    let stand_in = StandIn::new(vec![&GITHUB]).unwrap();
    assert_eq!(format!("{stand_in:?}"), "StandIn([\"github\"])");
}

/// What a stand-in for Google has granted, with the challenge of `VERIFIER`.
fn granted(code: &str) -> StandIn {
    let stand_in = StandIn::new(ALL.to_vec()).unwrap();
    let grant = Grant {
        spec: &GOOGLE,
        answers: PEOPLE[0].at(&GOOGLE),
        redirect_uri: "http://127.0.0.1:9/callback/google".to_owned(),
        // RFC 7636, appendix B
        challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned()),
        nonce: None,
        scope: String::new(),
        fault: None,
    };
    stand_in.grants().codes.insert(code.to_owned(), Arc::new(grant));
    stand_in
}

fn form(changes: &[(&str, &str)]) -> HashMap<String, String> {
    let right = [
        ("code", "the code"),
        ("redirect_uri", "http://127.0.0.1:9/callback/google"),
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    ];
    right.iter().chain(changes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_code_is_redeemed_once() {
    let stand_in = granted("the code");
    assert!(stand_in.redeem("google", &form(&[])).is_ok());
    assert!(stand_in.redeem("google", &form(&[])).is_err());
}

#[test]
fn a_code_is_not_redeemed_for_anybody_else() {
    for (provider, change) in [
        ("google", ("code", "another code")),
        ("google", ("redirect_uri", "http://127.0.0.1:9/elsewhere")),
        ("google", ("code_verifier", "another verifier")),
        ("apple", ("code", "the code")),
    ] {
        assert!(granted("the code").redeem(provider, &form(&[change])).is_err(), "{provider} {change:?}");
    }
    let mut without = form(&[]);
    without.remove("code_verifier");
    assert!(granted("the code").redeem("google", &without).is_err());
}

#[test]
fn an_old_token_is_worth_nothing() {
    let stand_in = granted("the code");
    let mut grants = stand_in.grants();
    assert!(grants.codes.get("the code", Duration::MAX).is_some());
    assert!(grants.codes.get("the code", Duration::ZERO).is_none());
    assert!(grants.codes.take("the code", Duration::ZERO).is_none());
}

#[test]
fn the_client_proves_itself_in_the_header_or_in_the_form() {
    let stand_in = granted("the code");
    let secret = stand_in.0.client_secret.expose().to_owned();
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let header = |id: &str, secret: &str| {
        let pair = Base64::encode_string(format!("{id}:{secret}").as_bytes());
        HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(format!("Basic {pair}")).unwrap())])
    };
    let in_form = |id: &str, secret: &str| form(&[("client_id", id), ("client_secret", secret)]);
    assert!(stand_in.is_client(&header("hallpass", &encoded), &form(&[])));
    assert!(stand_in.is_client(&HeaderMap::new(), &in_form("hallpass", &secret)));
    assert!(!stand_in.is_client(&HeaderMap::new(), &form(&[])));
    for (id, secret) in [("hallpass", "guessed"), ("another", secret.as_str()), ("hallpass", "")] {
        assert!(!stand_in.is_client(&header(id, secret), &form(&[])), "{id}");
        assert!(!stand_in.is_client(&HeaderMap::new(), &in_form(id, secret)), "{id}");
    }
    // A wrong header is not made up for by the form.
    assert!(!stand_in.is_client(&header("hallpass", "guessed"), &in_form("hallpass", &secret)));
}
