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

/// Compiles only while `Secret` has no `PartialEq`: with it, two of these implementations would fit.
#[test]
fn secrets_have_no_equality() {
    trait Fits<Marker> {
        fn fits() -> bool {
            true
        }
    }
    struct WithEquality;
    impl<T: ?Sized> Fits<()> for T {}
    impl<T: ?Sized + PartialEq> Fits<WithEquality> for T {}

    assert!(<Secret as Fits<_>>::fits());
}
