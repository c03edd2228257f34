use super::*;

fn sources() -> Sources {
    let files = [
        ("crates/hallpass-axum/src/router.rs", "async fn a_rule() {}"),
        ("crates/hallpass/src/jose/jws/tests.rs", "#[test]\nfn none_is_refused() {}"),
        ("e2e/browser/flow.mjs", "test('the page says so', async () => {})"),
        ("xtask/src/purity/tests.rs", "fn each_impurity_is_found() {}"),
    ];
    Sources {
        files: files.into_iter().map(|(path, content)| (path.to_owned(), content.to_owned())).collect(),
        evil_op_modes: Some(
            "M('idt-alg-none', 'id_token')\nU('id-email-comma', 'guard')\n  hang: ['bounded']".into(),
        ),
        conformance_scenarios: Some(r#"{ "error page: \"quoted\"": [], "csrf: a token": [] }"#.into()),
    }
}

#[test]
fn rows_are_read() {
    let document = "# Cases\n\n| id | what | tests |\n|---|---|---|\n| B-01 | one | `a::b`, `c#d` |\n| B-02 | two | later: passwords |\n";
    let read = cases(document).unwrap();
    let [first, second] = read.as_slice() else { panic!("two rows") };
    assert_eq!(first.tests, Tests::Named(vec!["a::b".into(), "c#d".into()]));
    assert_eq!(second.tests, Tests::Later);
}

#[test]
fn rows_without_a_test_are_refused() {
    for row in [
        "| B-01 | one | |",
        "| B-01 | one | open |",
        "| B-01 | one | later: someday |",
        "| B-01 | one |",
        "| B-01 | | `a::b` |",
    ] {
        assert!(cases(row).is_err(), "{row}");
    }
}

#[test]
fn each_id_is_wanted_once() {
    let row = |number: u32| Case { id: format!("B-{number:02}"), tests: Tests::Later };
    let all: Vec<Case> = (1..=CASES).map(row).collect();
    assert_eq!(problems_of_ids(&all), Vec::<String>::new());
    let twice: Vec<Case> = (1..=CASES).chain([7]).map(row).collect();
    assert_eq!(problems_of_ids(&twice), ["B-07 is there 2 times"]);
    let short: Vec<Case> = (2..=CASES).map(row).collect();
    assert_eq!(problems_of_ids(&short), ["B-01 is missing"]);
    let more: Vec<Case> = (1..=CASES + 1).map(row).collect();
    assert_eq!(problems_of_ids(&more), ["B-85 is no case"]);
}

#[test]
fn tests_that_exist_are_found() {
    for name in [
        "hallpass::jose::jws::none_is_refused",
        "hallpass_axum::router::a_rule",
        "xtask::purity::each_impurity_is_found",
        "crates/hallpass/src/jose/jws/tests.rs#none_is_refused",
        "e2e/browser/flow.mjs#the page says so",
        "evil-op:idt-alg-none",
        "evil-op:id-email-*",
        "evil-op:hang@token",
        "evil-op:reject",
        "conformance:csrf: a token",
        "conformance:error page: \"quoted\"",
        "step:deny",
    ] {
        assert_eq!(sources().problem(name), None, "{name}");
    }
}

#[test]
fn tests_that_do_not_exist_are_named() {
    for name in [
        "hallpass::jose::jws::none",
        "hallpass::router::a_rule",
        "just_a_name",
        "crates/hallpass/src/jose/jws/tests.rs#none",
        "crates/hallpass/src/absent.rs#none_is_refused",
        "e2e/browser/flow.mjs#another title",
        "evil-op:idt-alg",
        "evil-op:idt-x-*",
        "evil-op:melt@token",
        "conformance:csrf",
        "step:nothing",
    ] {
        assert!(sources().problem(name).is_some(), "{name}");
    }
}
