use std::collections::HashSet;

use serde_json::{Value, json};

use super::*;

fn read(spec: &Spec, profile: Value, follow_up: Option<&Value>) -> Result<Profile, ProfileError> {
    let Value::Object(mut fields) = profile else { panic!("not an object") };
    if let (Some(known), Some(answer)) = (spec.follow_up, follow_up) {
        (known.merge)(&mut fields, answer);
    }
    (spec.profile)(&Raw::from(fields))
}

#[test]
fn every_provider_reads_its_recorded_profile() {
    for spec in ALL {
        let recorded: Value = serde_json::from_str(recorded(spec.id).unwrap()).unwrap();

        let profile = read(spec, recorded["profile"].clone(), recorded.get("follow_up")).unwrap();
        let read = json!({
            "id": profile.id,
            "name": profile.name,
            "email": profile.email,
            "email_verified": profile.email_verified,
            "image": profile.image,
        });
        assert_eq!(read, recorded["expected"], "{}", spec.id);
        assert_eq!(spec.follow_up.is_some(), recorded.get("follow_up").is_some(), "{}", spec.id);
    }
}

#[test]
fn every_provider_is_named_as_its_file_and_has_a_colour() {
    for (file, spec) in FILES {
        assert_eq!(spec.id.replace('-', "_"), *file);
        assert!(!spec.name.is_empty(), "{}", spec.id);
        let digits = spec.brand.strip_prefix('#').unwrap();
        assert!(digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{}", spec.id);
    }
    assert_eq!(ALL.iter().map(|spec| spec.id).collect::<HashSet<_>>().len(), ALL.len());
    assert!(ALL.is_sorted_by_key(|spec| spec.id));
}

#[test]
fn nothing_is_recorded_of_a_provider_that_nobody_knows() {
    assert_eq!(recorded("acme"), None);
}

#[test]
fn no_provider_of_the_catalogue_has_a_problem_once_configured() {
    for spec in ALL {
        let mut provider = spec.client("id", "secret");
        for name in ["domain", "tenant", "api"] {
            let endpoints = format!("{:?}{:?}", spec.endpoints, spec.follow_up);
            if endpoints.contains(&format!("{{{name}")) {
                provider = provider.with(name, "login.example.com");
            }
        }
        if provider.issuer.is_none() && provider.kind == ProviderKind::Oidc {
            provider = provider.issuer("https://login.example.com/realms/staff");
        }
        assert_eq!(provider.problems(), [], "{}", spec.id);
    }
}

#[test]
fn no_provider_of_the_catalogue_takes_a_profile_without_id() {
    for spec in ALL {
        for id in [json!(""), json!(null), json!(true), json!(1.5), json!(["a"]), json!({})] {
            let profile = json!({ "id": id, "sub": id, "name": "Ada", "email": "ada@example.com" });
            assert!(read(spec, profile.clone(), None).is_err(), "{} {profile}", spec.id);
        }
    }
}

#[test]
fn an_email_that_is_no_text_is_absent() {
    for spec in ALL {
        for email in [json!(["a@example.com"]), json!({ "value": "a@example.com" }), json!(1), json!("")] {
            let profile = json!({ "id": "1", "sub": "1", "name": ["Ada"], "email": email, "picture": 1 });
            assert_eq!(read(spec, profile, None).unwrap().email, None, "{}", spec.id);
        }
    }
}

#[test]
fn an_unusable_sub_is_not_replaced_by_another_id() {
    let raw = Raw::from_value(json!({ "sub": "", "id": "7" })).unwrap();
    assert_eq!(Profile::from_claims(&raw), Err(ProfileError::new("sub")));
}

#[test]
fn standard_claims_fall_back_to_the_names_of_plain_oauth() {
    let read = |value| Profile::from_claims(&Raw::from_value(value).unwrap()).unwrap();
    assert_eq!(read(json!({ "sub": null, "id": 7 })), Profile::new("7"));
    assert_eq!(read(json!({ "sub": "s", "id": 7 })).id, "s");
    let names = json!({ "id": 1, "nickname": "ada", "preferred_username": "al" });
    assert_eq!(read(names).name.as_deref(), Some("ada"));
    assert_eq!(read(json!({ "id": 1, "preferred_username": "al" })).name.as_deref(), Some("al"));
}

#[test]
fn an_address_is_verified_only_by_true() {
    let verified = |flag: Value| {
        let raw = Raw::from_value(json!({ "sub": "1", "email": "a@example.com", "email_verified": flag }));
        Profile::from_claims(&raw.unwrap()).unwrap().email_verified
    };
    assert!(verified(json!(true)));
    assert!(verified(json!("true")));
    for odd in [json!(false), json!("false"), json!("yes"), json!("TRUE"), json!(1), json!("1"), json!(null)]
    {
        assert!(!verified(odd.clone()), "{odd}");
    }
}

#[test]
fn entra_verifies_an_address_only_for_the_owner_of_its_domain() {
    let verified = |flag: Value| {
        let profile =
            json!({ "sub": "1", "email": "a@example.com", "email_verified": true, "xms_edov": flag });
        read(&MICROSOFT_ENTRA_ID, profile, None).unwrap().email_verified
    };
    for owner in [json!(true), json!(1), json!("1"), json!("true")] {
        assert!(verified(owner.clone()), "{owner}");
    }
    for other in [json!(false), json!(0), json!("0"), json!("false"), json!(null), json!(2), json!([true])] {
        assert!(!verified(other.clone()), "{other}");
    }
}

#[test]
fn gitlab_verifies_an_address_only_when_it_was_confirmed() {
    let profile = json!({ "id": 1, "email": "a@example.com", "confirmed_at": null });
    assert!(!read(&GITLAB, profile, None).unwrap().email_verified);
}

#[test]
fn apple_takes_the_address_of_the_signed_token_and_names_the_person_by_it_when_there_is_no_name() {
    let profile = json!({ "sub": "1", "email": "a@example.com", "user": { "email": "evil@example.com" } });
    let read = read(&APPLE, profile, None).unwrap();
    assert_eq!(read.email.as_deref(), Some("a@example.com"));
    assert_eq!(read.name.as_deref(), Some("a@example.com"));
}

#[test]
fn discord_pictures() {
    let image = |id: &str, avatar: Value, discriminator: &str| {
        let profile = json!({ "id": id, "avatar": avatar, "discriminator": discriminator });
        read(&DISCORD, profile, None).unwrap().image
    };
    let cdn = |path: &str| Some(format!("https://cdn.discordapp.com/{path}"));
    assert_eq!(image("5", json!("a_0f"), "0"), cdn("avatars/5/a_0f.gif"));
    assert_eq!(image("80351110224678912", json!(null), "0"), cdn("embed/avatars/5.png"));
    assert_eq!(image("80351110224678912", json!(null), "1337"), cdn("embed/avatars/2.png"));
    assert_eq!(image("5", json!("../../x"), "0"), cdn("embed/avatars/0.png"));
    assert_eq!(image("x", json!(null), "0"), None);
}
