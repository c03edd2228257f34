use super::*;

#[test]
fn the_nearest_name_is_one_that_could_have_been_meant() {
    let known = ["secret", "secret_file", "secrets", "listen", "url"];
    for (name, meant) in [
        ("sekret", Some("secret")),
        ("secrete_file", Some("secret_file")),
        ("Listen", Some("listen")),
        ("ulr", Some("url")),
        ("colour", None),
    ] {
        assert_eq!(nearest(name, known.into_iter()), meant, "{name}");
    }
}

#[test]
fn no_bytes_make_it_panic() {
    for source in
        ["", "=", "[", "[[a]]", "a.b.c = {", "\u{0}", "a = \"\\uD800\"", "[a]\n[a]", "ä = 1", "a = 1e999"]
    {
        let document = Document::new(Path::new("x"), source);
        let table = document.parse();
        let mut section = document.section(&table);
        let _ = (section.text("a"), section.section("b"), section.duration("c"), section.json("a"));
        section.end();
    }
}

#[test]
fn lines_and_columns_count_characters() {
    let document = Document::new(Path::new("x"), "\"ü\" = 1\n\"äöü\" = true");
    let table = document.parse();
    let mut section = document.section(&table);
    assert_eq!(section.text("äöü").map(|found| found.value), None);
    let [problem] = document.into_problems().try_into().unwrap();
    assert_eq!(
        problem.to_string(),
        "x, line 2, column 9: `äöü` must be a text in quotation marks; it is true or false"
    );
}

#[test]
fn paths_are_meant_from_the_folder_of_the_file() {
    let document = Document::new(Path::new("/etc/hallpass/hallpass.toml"), "");
    assert_eq!(document.resolve("users.toml"), Path::new("/etc/hallpass/users.toml"));
    assert_eq!(document.resolve("/run/secret"), Path::new("/run/secret"));
}
