use super::*;

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

#[test]
fn every_byte_counts() {
    let secret = Secret::from("correct horse");
    assert!(secret.matches("correct horse"));
    for other in ["", "correct hors", "correct horse ", "Correct horse", "correct hørse"] {
        assert!(!secret.matches(other), "{other}");
    }
}

#[test]
fn printing_shows_a_placeholder() {
    assert_eq!(format!("{:?}", Secret::from("correct horse")), "Secret(…)");
}
