use super::*;

fn written(source: &str) -> Vec<String> {
    names_in(source).into_iter().map(|name| name.path.join("::")).collect()
}

#[test]
fn comments_and_texts_hold_no_names() {
    let source = r####"
        //! see a::b
        /* c::d /* nested e::f */ still g */
        let x = "h::i \" j"; let y = r#"k::"l"#; let z = b"m"; let q = '"'; let w = '\''; let v = br##"n"# o"##;
    "####;
    assert_eq!(written(source), ["let", "x", "let", "y", "let", "z", "let", "q", "let", "w", "let", "v"]);
}

#[test]
fn lifetimes_do_not_open_texts() {
    assert_eq!(
        written("fn f<'a>(x: &'a str, y: &'static u8) -> &'a str"),
        ["fn", "f", "x", "str", "y", "u8", "str"]
    );
}

#[test]
fn use_trees_are_taken_apart() {
    assert_eq!(
        written("use a::{self, b, c::{d as e, f}, g::*}; use h;"),
        ["a::self", "a::b", "a::c::d", "a::c::f", "a::g::*", "h"]
    );
}

#[test]
fn paths_keep_together_and_lines_are_counted() {
    let names = names_in("one\n  a::b::c()\n");
    assert_eq!(names.last(), Some(&Name { line: 2, path: vec!["a".into(), "b".into(), "c".into()] }));
}

#[test]
fn only_test_code_is_left_out() {
    let source = "a; #[cfg(test)] mod tests { b; { c } } d; #[cfg(test)] mod tests; e; #[cfg(not(test))] f";
    assert_eq!(written(source), ["a", "d", "e", "cfg", "not", "test", "f"]);
}
