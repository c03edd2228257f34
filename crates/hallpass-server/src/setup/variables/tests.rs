use super::*;

#[test]
fn a_variable_that_is_nearly_ours_is_told_with_the_one_that_was_meant() {
    let environment = Environment::from([
        ("AUTH_GITHBU_ID", "x"),
        ("AUTH_GOOGLE_CLIENT_ID", "x"),
        ("AUTH_SECERT_FILE", "x"),
        ("EMAIL_SERVR", "x"),
        ("AUTH_GITHUB_SECRET", "x"),
        ("AUTH_SECRET_FILE", "x"),
        ("AUTH_TOKEN", "x"),
        ("SECERT", "x"),
    ]);
    let slips = slips(&environment, None);
    let slips: Vec<_> = slips.iter().map(|(set, meant)| (set.as_str(), meant.as_str())).collect();
    assert_eq!(
        slips,
        [
            ("AUTH_GITHBU_ID", "AUTH_GITHUB_ID"),
            ("AUTH_GOOGLE_CLIENT_ID", "AUTH_GOOGLE_ID"),
            ("AUTH_SECERT", "AUTH_SECRET"),
            ("EMAIL_SERVR", "EMAIL_SERVER"),
        ]
    );
}
