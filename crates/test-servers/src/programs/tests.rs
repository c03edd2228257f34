use super::*;

#[test]
fn what_is_not_installed_is_not_found() {
    assert_eq!(find("hallpass-no-such-program"), None);
    assert_eq!(find("sh").and_then(|path| path.file_name().map(ToOwned::to_owned)), Some("sh".into()));
}

#[test]
fn skipped_test_is_named_and_fails_where_everything_is_required() {
    if std::env::var_os("TEST_SERVERS_CHILD").is_some() {
        skip("Nothing");
        return;
    }
    for (require, succeeds) in [("", true), ("all", false)] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "programs::tests::skipped_test_is_named_and_fails_where_everything_is_required",
            ])
            .envs([("TEST_SERVERS_CHILD", "1"), ("HALLPASS_TEST_REQUIRE", require)])
            .output()
            .unwrap();
        assert_eq!(output.status.success(), succeeds);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let report = "skipped: programs::tests::skipped_test_is_named_and_fails_where_everything_is_required: \
                      Nothing is not installed";
        assert_eq!(stderr.contains(report), succeeds, "{stderr}");
    }
}
