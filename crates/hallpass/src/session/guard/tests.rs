use serde_json::json;

use super::*;

#[test]
fn tokens_and_passwords_are_found_wherever_they_stand() {
    let mut view = json!({
        "user": { "name": "Ada", "account": { "access_token": "a", "refreshToken": "b", "provider": "idp" } },
        "rows": [{ "password_hash": "c", "passwordHash": "d", "id": 1 }, { "oldPassword": "e" }],
        "sessionToken": "f",
    });
    let json = view.to_string();
    assert!(NONE.may_be_in(&json));
    assert_eq!(
        NONE.strip(&mut view),
        [
            "user.account.access_token",
            "user.account.refreshToken",
            "rows.0.password_hash",
            "rows.0.passwordHash",
            "rows.1.oldPassword",
            "sessionToken"
        ]
    );
    assert_eq!(
        view.to_string(),
        r#"{"user":{"name":"Ada","account":{"provider":"idp"}},"rows":[{"id":1},{}]}"#
    );
}

#[test]
fn other_fields_stay() {
    for mut view in [
        json!({ "user": { "tokens": 3, "passwordless": true, "hasPassword": null } }),
        json!({ "text": "access_token" }),
        json!({ "access_token": null }),
        json!("password"),
    ] {
        let before = view.clone();
        assert_eq!((NONE.strip(&mut view).len(), view), (0, before));
    }
}

#[test]
fn a_name_that_is_escaped_is_looked_at() {
    assert!(NONE.may_be_in(r#"{"access\u005ftoken":"a"}"#));
    assert!(!NONE.may_be_in(r#"{"user":{"name":"my password"}}"#));
}

#[test]
fn hashes_and_tokens_are_known_by_their_look() {
    for secret in ["$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", "$2b$10$abc", "eyJhbGciOiJkaXIiLCJlbmMi.."]
    {
        let mut view = json!({ "user": { "name": "Ada", "key": secret }, "list": ["a", secret, "b"] });
        assert!(NONE.may_be_in(&view.to_string()));
        assert_eq!(NONE.strip(&mut view), ["user.key", "list.1"]);
        assert_eq!(view.to_string(), r#"{"user":{"name":"Ada"},"list":["a",null,"b"]}"#);
    }
}

#[test]
fn hashes_and_tokens_are_found_among_other_words_and_prose_stays() {
    for text in [
        "hash: $argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
        "ada:$2y$12$abc",
        "{\"hash\":\"$scrypt$ln=16\"}",
        "$$pbkdf2-sha256$29000$",
        "theme=dark; __Secure-authjs.session-token=eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIn0..a",
        "https://app.example/?hash=%24argon2id%24v%3D19",
    ] {
        let mut view = json!({ "user": { "name": "Ada", "note": text } });
        assert!(NONE.may_be_in(&view.to_string()), "{text}");
        assert_eq!(NONE.strip(&mut view), ["user.note"], "{text}");
    }
    for text in [
        "$2",
        "eve",
        "between $2b$ and $3b$, or $2a$1",
        "hashes of $argon2 are long, those of scrypt$ too",
        "eyJhbGciOiJSUzI1NiJ9 is no session",
        "100% of $2b, 5%24",
    ] {
        let mut view = json!({ "user": { "name": "eve", "note": text, text: 1 } });
        assert!(!NONE.may_be_in(&view.to_string()), "{text}");
        assert!(NONE.strip(&mut view).is_empty(), "{text}");
    }
}

#[test]
fn a_secret_is_found_in_an_address() {
    let secrets = kept(&["a/secret+with=signs ü", "plain_0123456789abcdef"]);
    for text in [
        "https://api.example/?token=a%2Fsecret%2bwith%3Dsigns%20%C3%BC&page=1",
        "100% sure: a%2Fsecret+with=signs%20ü",
        "%70lain_0123456789abcdef",
    ] {
        let mut view = json!({ "user": { "name": "Ada", "link": text } });
        assert!(secrets.may_be_in(&view.to_string()), "{text}");
        assert_eq!(secrets.strip(&mut view), ["user.link"], "{text}");
    }
    let mut view = json!({ "link": "https://api.example/?q=100%25&name=%C3%BC&broken=%C3%" });
    assert!(!secrets.may_be_in(&view.to_string()) && secrets.strip(&mut view).is_empty());
}

#[test]
fn a_secret_is_no_name_of_a_field() {
    let secrets = kept(&["gho_0123456789abcdef"]);
    let mut view = json!({
        "byToken": { "gho_0123456789abcdef": { "name": "Ada" }, "Bearer gho_0123456789abcdef": null, "x": 1 },
        "list": [{ "eyJhbGciOiJkaXIiLCJlbmMi..": true }],
        "gho_%30123456789abcdef": 1,
    });
    assert!(secrets.may_be_in(&view.to_string()));
    // Nor does the log tell it.
    let found = ["byToken.(a secret)", "byToken.(a secret)", "list.0.(a secret)", "(a secret)"];
    assert_eq!(secrets.strip(&mut view), found);
    assert_eq!(view.to_string(), r#"{"byToken":{"x":1},"list":[{}]}"#);
}

#[test]
fn what_the_session_keeps_as_a_secret_is_none_under_another_name() {
    let claims =
        json!({ "account": { "access_token": "gho_0123456789abcdef", "provider": "idp" }, "pin": "1" });
    let mut kept = Vec::new();
    collect("", &claims, &mut kept);
    assert_eq!(kept, ["gho_0123456789abcdef"]);
    let secrets = Secrets::new(kept);
    let mut view = json!({ "user": { "key": "gho_0123456789abcdef", "provider": "idp" } });
    assert!(secrets.may_be_in(&view.to_string()));
    assert_eq!(secrets.strip(&mut view), ["user.key"]);
}

#[test]
fn a_secret_that_the_session_keeps_is_found_among_other_words() {
    let secrets = kept(&["gho_0123456789abcdef", "gho_0123456789abcdef_longer", "zzzzzzzzzzzzzzzz", "short"]);
    assert_eq!(secrets.0, ["gho_0123456789abcdef", "zzzzzzzzzzzzzzzz"]);
    for text in [
        "Bearer gho_0123456789abcdef",
        "https://api.example/?token=gho_0123456789abcdef&page=1",
        "gho_gho_0123456789abcdef_longer",
        "é zzzzzzzzzzzzzzzz",
    ] {
        let mut view = json!({ "user": { "name": "Ada", "header": text }, "list": [[text]] });
        assert!(secrets.may_be_in(&view.to_string()), "{text}");
        assert_eq!(secrets.strip(&mut view), ["user.header", "list.0.0"], "{text}");
    }
    // A part of a secret, and a short one, may be something else.
    for text in ["0123456789abcdef", "gho_0123456789abcde", "short", "zzzzzzzzzzzzzzz", ""] {
        let mut view = json!({ "user": { "id": text } });
        assert!(!secrets.may_be_in(&view.to_string()), "{text}");
        assert!(secrets.strip(&mut view).is_empty(), "{text}");
    }
}

#[test]
fn a_secret_that_json_escapes_is_found() {
    for secret in [
        "a \"quoted\" secret of 24",
        r"a\secret\with\slashes",
        "ein geheimer Schlüssel",
        "two\nlines of a key",
    ] {
        let secrets = kept(&[secret]);
        let mut view = json!({ "user": { "key": format!("Bearer {secret}") } });
        assert!(secrets.may_be_in(&view.to_string()), "{secret}");
        assert_eq!(secrets.strip(&mut view), ["user.key"], "{secret}");
    }
    let slashes = r#"{"key":"a\/secret\/with\/slashes"}"#;
    assert!(kept(&["a/secret/with/slashes"]).may_be_in(slashes));
}

#[test]
fn each_of_many_secrets_is_found_in_a_long_text() {
    let all: Vec<_> = (0..2000).map(|n| format!("a common beginning {n:05}")).collect();
    let secrets = kept(&all.iter().map(String::as_str).collect::<Vec<_>>());
    let filler = "a common beginning 9 ".repeat(1000);
    assert!(!secrets.are_in(filler.as_bytes()));
    for secret in &all {
        assert!(secrets.are_in(format!("{} {secret}", &filler[..500]).as_bytes()), "{secret}");
    }
}

fn kept(secrets: &[&str]) -> Secrets {
    Secrets::new(secrets.iter().map(|&secret| secret.to_owned()).collect())
}

/// A session that keeps none.
const NONE: Secrets = Secrets(Vec::new());
