use super::*;
use serde_json::json;

#[test]
fn what_cannot_stand_in_a_header_is_percent_encoded() {
    for (text, expected) in [
        ("Ada Lovelace", "Ada Lovelace"),
        ("ada@example.com", "ada@example.com"),
        ("100%", "100%25"),
        ("%41", "%2541"),
        ("Zo\u{eb}", "Zo%C3%AB"),
        ("a\r\nx-auth-user-id: 1", "a%0D%0Ax-auth-user-id: 1"),
        (" ada ", "%20ada%20"),
        ("\0\t\u{7f}", "%00%09%7F"),
        ("", ""),
    ] {
        assert_eq!(value(text), expected, "{text:?}");
    }
    assert_eq!(value(&"\u{20ac}".repeat(1000)), "");
}

#[test]
fn a_requirement_holds_for_the_very_text_and_for_one_of_a_list() {
    let claims =
        json!({ "role": "admin", "groups": ["a", "b"], "paid": true, "level": 3, "company": { "id": "x" } });
    let holds = |claim: &str, any_of: &[&str]| {
        let any_of = any_of.iter().map(|it| (*it).to_owned()).collect();
        Requirement { claim: claim.to_owned(), any_of }.holds(&claims)
    };
    assert!(holds("role", &["admin"]) && holds("role", &["editor", "admin"]) && holds("groups", &["b"]));
    assert!(holds("paid", &["true"]) && holds("level", &["3"]) && holds("company.id", &["x"]));
    for (claim, text) in [
        ("role", "Admin"),
        ("role", "administrator"),
        ("role", ""),
        ("groups", "[\"a\",\"b\"]"),
        ("groups", "c"),
        ("company", "{\"id\":\"x\"}"),
        ("company.id.x", "x"),
        ("nothing", "null"),
        ("nothing", ""),
    ] {
        assert!(!holds(claim, &[text]), "{claim} {text}");
    }
    assert!(!holds("role", &[]));
}

#[test]
fn a_claim_has_a_header_that_every_proxy_takes() {
    let header = |path: &str| Claim::new(path).map(|claim| claim.header.to_string()).unwrap_or_default();
    assert_eq!(header("role"), "x-auth-claim-role");
    assert_eq!(header("signed_in_at"), "x-auth-claim-signed-in-at");
    assert_eq!(header("company.id"), "x-auth-claim-company-id");
    for wrong in ["", ".", "a..b", "a b", "a:b", "r\u{f4}le", "a\r\nb"] {
        assert_eq!(header(wrong), "", "{wrong}");
    }
}
