use proptest::prelude::*;

use super::*;
use crate::oauth::metadata::configured;
use crate::oauth::tests::{ISSUER, metadata, oauth2, oidc, pairs};

const GOOD: [(&str, &str); 3] = [("code", "the-code"), ("state", "s"), ("iss", ISSUER)];

fn judge(params: &[(&str, &str)]) -> Result<ValidCallback, ProtocolError> {
    validate(&oidc(), &metadata(), &pairs(params), Some("s"))
}

fn refusal(params: &[(&str, &str)]) -> String {
    let error = judge(params).unwrap_err();
    assert_eq!(error.kind(), Kind::Callback, "{params:?}");
    error.to_string()
}

#[test]
fn a_good_answer_gives_its_code_unchanged() {
    assert_eq!(judge(&GOOD).unwrap().into_code().expose(), "the-code");
    let odd = "a+/=%2F&é#;\"";
    assert_eq!(judge(&[("code", odd), ("state", "s"), ("iss", ISSUER)]).unwrap().into_code().expose(), odd);
}

#[test]
fn the_code_is_not_printed() {
    assert!(!format!("{:?}", judge(&GOOD).unwrap()).contains("the-code"));
}

#[test]
fn a_parameter_that_stands_twice_is_refused() {
    for name in ["code", "state", "iss"] {
        let again = GOOD.iter().find(|(it, _)| *it == name).unwrap();
        for added in [*again, (name, "evil")] {
            for params in [[&[added], &GOOD[..]].concat(), [&GOOD[..], &[added]].concat()] {
                assert_eq!(refusal(&params), format!("the parameter {name} stands twice"));
            }
        }
    }
    assert_eq!(
        refusal(&[("error", "a"), ("error", "b"), ("state", "s"), ("iss", ISSUER)]),
        "the parameter error stands twice"
    );
}

#[test]
fn another_state_is_refused() {
    for state in ["", "t", "s ", "ss", "S"] {
        let message = refusal(&[("code", "c"), ("state", state), ("iss", ISSUER)]);
        assert_eq!(message, "the state is not that of the request");
    }
    assert_eq!(refusal(&[("code", "c"), ("iss", ISSUER)]), "the answer has no state");
}

#[test]
fn without_a_state_in_the_request_none_is_looked_for() {
    let validate = |params: &[(&str, &str)]| validate(&oidc(), &metadata(), &pairs(params), None);
    assert!(validate(&[("code", "c"), ("iss", ISSUER)]).is_ok());
    assert!(validate(&[("code", "c"), ("iss", ISSUER), ("state", "any")]).is_ok());
}

#[test]
fn callback_of_another_issuer_is_refused() {
    for iss in ["https://evil.example", "https://op.example/", ""] {
        assert_eq!(
            refusal(&[("code", "c"), ("state", "s"), ("iss", iss)]),
            "the answer is from another issuer"
        );
    }
}

#[test]
fn an_issuer_that_was_promised_must_be_there() {
    assert_eq!(refusal(&[("code", "c"), ("state", "s")]), "the answer does not name its issuer");
    let silent = Metadata { iss_parameter_supported: false, ..metadata() };
    let without = pairs(&[("code", "c"), ("state", "s")]);
    assert!(validate(&oidc(), &silent, &without, Some("s")).is_ok());
    let wrong = pairs(&[("code", "c"), ("state", "s"), ("iss", "https://evil.example")]);
    assert!(validate(&oidc(), &silent, &wrong, Some("s")).is_err());
}

#[test]
fn plain_oauth2_without_an_issuer_has_nothing_to_compare() {
    let metadata = configured(&oauth2()).unwrap().unwrap();
    let params = pairs(&[("code", "c"), ("state", "s"), ("iss", "https://any.example")]);
    assert!(validate(&oauth2(), &metadata, &params, Some("s")).is_ok());
}

#[test]
fn an_issuer_with_a_tenant_is_matched_at_the_placeholder_only() {
    let provider = Provider { issuer_placeholder: Some(("{tenantid}", "tid")), ..oidc() };
    let metadata = Metadata { issuer: Some("https://op.example/{tenantid}/v2.0".into()), ..metadata() };
    let judge = |iss: &str| {
        validate(&provider, &metadata, &pairs(&[("code", "c"), ("state", "s"), ("iss", iss)]), Some("s"))
            .is_ok()
    };
    assert!(judge("https://op.example/11-22/v2.0"));
    for iss in [
        "https://op.example//v2.0",
        "https://op.example/a/b/v2.0",
        "https://op.example/x?/v2.0",
        "https://evil.example/11/v2.0",
    ] {
        assert!(!judge(iss), "{iss}");
    }
}

#[test]
fn an_error_answer_counts_after_state_and_issuer_were_checked() {
    let error =
        judge(&[("error", "access_denied"), ("error_description", "no"), ("state", "s"), ("iss", ISSUER)])
            .unwrap_err();
    assert_eq!(error.kind(), Kind::ErrorAnswer);
    assert_eq!((error.error_code(), error.error_description()), (Some("access_denied"), Some("no")));
    assert_eq!(
        refusal(&[("error", "access_denied"), ("state", "evil"), ("iss", ISSUER)]),
        "the state is not that of the request"
    );
    assert_eq!(
        refusal(&[("error", "access_denied"), ("state", "s"), ("iss", "https://evil.example")]),
        "the answer is from another issuer"
    );
}

#[test]
fn a_code_together_with_an_error_is_refused() {
    let params = [&GOOD[..], &[("error", "access_denied")]].concat();
    assert_eq!(refusal(&params), "the answer holds both a code and an error");
}

#[test]
fn an_answer_without_a_code_is_refused() {
    assert_eq!(refusal(&[("state", "s"), ("iss", ISSUER)]), "the answer has no code");
    assert_eq!(refusal(&[("code", ""), ("state", "s"), ("iss", ISSUER)]), "the answer has no code");
}

#[test]
fn an_answer_of_a_kind_that_was_not_asked_for_is_refused() {
    assert!(refusal(&[&GOOD[..], &[("response", "e30.e30.")]].concat()).contains("JARM"));
    for name in ["access_token", "id_token", "token"] {
        let params = [&GOOD[..], &[(name, "x")]].concat();
        assert_eq!(refusal(&params), "the answer holds tokens where a code was asked for");
    }
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic_or_passes_with_another_state(
        params in proptest::collection::vec(("(code|state|iss|error|response|.*)", "(s|https://op.example|.*)"), 0..6)
    ) {
        let state = params.iter().find(|(name, _)| name == "state").map(|(_, it)| it.as_str());
        if validate(&oidc(), &metadata(), &params, Some("s")).is_ok() {
            prop_assert_eq!(state, Some("s"));
        }
    }
}
