use super::*;

#[test]
fn a_secret_matches_the_same_text_only() {
    let secret = Secret::from("correct horse");
    assert!(secret.matches("correct horse"));
    for other in ["", "correct", "correct horse ", "Correct horse", "correct\0horse"] {
        assert!(!secret.matches(other), "{other:?}");
    }
}

#[test]
fn a_secret_is_not_printed() {
    let secret = Secret::from("correct horse");
    assert_eq!(format!("{secret:?} {secret:#?}"), "Secret(…) Secret(…)");
}
