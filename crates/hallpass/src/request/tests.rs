use super::*;
use crate::cookie::{CookieKind, CookieSet};

fn posted(content_type: &str, body: &'static str) -> Inbound {
    let request = Request::post("/auth/callback/idp?token=canary")
        .header(CONTENT_TYPE, content_type)
        .header("cookie", "authjs.state=canary; other=canary")
        .header("authorization", "Bearer canary")
        .body(Bytes::from_static(body.as_bytes()))
        .unwrap();
    Inbound::parse(request, "/auth", &Dialects::new(&[])).unwrap()
}

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn a_repeated_field_of_a_form_stays_repeated_among_the_pairs() {
    let inbound = posted(FORM, "state=a&code=c&state=b&x=%20");
    let pairs = [("state", "a"), ("code", "c"), ("state", "b"), ("x", " ")];
    assert_eq!(inbound.body_pairs(), pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(inbound.field("state"), Some("b"));
}

#[test]
fn json_gives_each_member_once_and_what_is_no_text_as_json() {
    let inbound = posted("application/json", r#"{"state":"a","n":[1]}"#);
    let pairs = [("state", "a"), ("n", "[1]")];
    assert_eq!(inbound.body_pairs(), pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(posted("text/plain", "state=a").body_pairs().is_empty());
}

#[test]
fn no_value_of_a_request_is_printed() {
    let inbound = posted(FORM, "code=canary&password=canary");
    let change = CookieSet::new(&[], true, &[], &Dialects::new(&[])).get(CookieKind::CsrfToken).set("canary");
    let printed = format!("{inbound:?} {inbound:#?} {:?} {change:?}", inbound.cookies);
    assert!(!printed.contains("canary"), "{printed}");
    for name in ["password", "authjs.state", "other", "token", "__Host-authjs.csrf-token"] {
        assert!(printed.contains(name), "{name}: {printed}");
    }
}
