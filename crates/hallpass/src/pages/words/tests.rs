use std::collections::HashSet;

use super::*;

#[test]
fn every_code_has_its_own_words() {
    let mut seen = HashSet::from([GENERAL.message]);
    for code in error_codes() {
        let words = words(code);
        assert_eq!(words.code, Some(code));
        assert!(seen.insert(words.message), "{code} says what another code says");
        assert!(!words.heading.is_empty() && !words.action.is_empty(), "{code}");
        assert!(words.message.ends_with('.') && !words.message.contains("  "), "{code}");
    }
}

#[test]
fn the_codes_of_both_dialects_are_known() {
    let codes: HashSet<_> = error_codes().collect();
    for code in [
        "AccessDenied",
        "AccountNotLinked",
        "Callback",
        "Configuration",
        "CredentialsSignin",
        "EmailCreateAccount",
        "EmailSignin",
        "MissingCSRF",
        "OAuthAccountNotLinked",
        "OAuthCallback",
        "OAuthCallbackError",
        "OAuthCreateAccount",
        "OAuthSignin",
        "SessionRequired",
        "Signin",
        "TooManyRequests",
        "Verification",
        "WebAuthnVerificationError",
    ] {
        assert!(codes.contains(code), "{code}");
    }
}

#[test]
fn upper_and_lower_case_do_not_matter() {
    assert_eq!(words("configuration").code, Some("Configuration"));
}

#[test]
fn unknown_codes_get_general_words() {
    for code in ["", "Default", "made-up", "AccessDenied ", "<b>"] {
        assert_eq!(words(code), &GENERAL, "{code}");
    }
}

#[test]
fn the_documentation_has_every_code_with_its_words() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/pages.md");
    let documentation = std::fs::read_to_string(path).unwrap();
    for words in WORDS {
        let row = format!("| `{}` | {} | {} |", words.code.unwrap(), words.heading, words.message);
        assert!(documentation.contains(&row), "missing in docs/pages.md: {row}");
    }
    let row = format!("| any other | {} | {} |", GENERAL.heading, GENERAL.message);
    assert!(documentation.contains(&row), "missing in docs/pages.md: {row}");
}
