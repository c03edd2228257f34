use super::*;
use crate::ErrorKind;

#[test]
fn addresses_lose_user_password_query_and_fragment() {
    for (text, shown) in [
        ("no address", "no address"),
        ("https://api.example/users/1", "https://api.example/users/1"),
        (
            "error sending request for url (https://api.example:8443/me?token=canary): refused",
            "error sending request for url (https://api.example:8443/me refused",
        ),
        (
            "see https://api.example/#canary and https://b.example/?canary",
            "see https://api.example/ and https://b.example/",
        ),
        ("postgres://app:canary@db.example/app", "postgres://db.example/app"),
        ("postgres://app:can@ary@db.example/app", "postgres://db.example/app"),
        ("postgres://app:can/ary@db.example/app", "postgres://db.example/app"),
        ("postgres://app:can?ary@db.example/app", "postgres://"),
        ("postgres://app:canary)@db.example/app", "postgres://db.example/app"),
        (r#"postgres://app:ca"na<ry@db.example/app is away"#, "postgres://db.example/app is away"),
        (
            r#"{"at":"https://db.example:8443","to":"ada@example.com"}"#,
            r#"{"at":"https://db.example:8443","to":"ada@example.com"}"#,
        ),
        ("https://api.example/?mail=ada@example.com&token=canary", "https://api.example/"),
        ("https://api.example/?token=a)canary", "https://api.example/"),
        (r#"{"url":"https://api.example/?canary","n":1}"#, r#"{"url":"https://api.example/","n":1}"#),
        (
            r#"{"url":"https:\/\/api.example\/me?token=canary","to":"postgres:\/\/app:canary@db.example\/app"}"#,
            r#"{"url":"https:\/\/api.example\/me","to":"postgres:\/\/db.example\/app"}"#,
        ),
        (
            r"https:\/\/api.example\/#canary and https://b.example/?canary",
            r"https:\/\/api.example\/ and https://b.example/",
        ),
        (r"at 12:30: /\/ c:\d", r"at 12:30: /\/ c:\d"),
        ("://", "://"),
        ("https://ü.example/é?canary", "https://ü.example/é"),
    ] {
        assert_eq!(with_bare_addresses(text), shown, "{text}");
    }
}

#[test]
fn all_causes_are_told_once() {
    let kind = ErrorKind::Unavailable;
    let asking = crate::Error::caused_by(kind, "asking", "https://api.example/?token=canary is away");
    let error = crate::Error::caused_by(kind, "the session callback failed", asking);
    assert_eq!(
        with_causes(&error),
        "Unavailable: the session callback failed: Unavailable: asking: https://api.example/ is away"
    );
    let repeats = crate::Error::caused_by(kind, "the database is away", "the database is away");
    assert_eq!(with_causes(&repeats), "Unavailable: the database is away");
}
