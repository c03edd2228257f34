use serde_json::json;

use super::*;

const TOML: &str = r#"
[bans]
deny = [{ crate = "openssl-sys" }]
[licenses]
allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]
exceptions = [{ allow = ["MPL-2.0"], crate = "webauthn-rs" }]
[sources]
allow-registry = ["https://github.com/rust-lang/crates.io-index"]
"#;

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn problems(name: &str, licence: &str, source: Option<&str>, manifest: &str) -> Vec<String> {
    let package = json!({ "name": name, "license": licence, "source": source, "manifest_path": manifest });
    Rules::parse(TOML).unwrap().problems(&package, "/repository/")
}

#[test]
fn a_licensed_crate_of_crates_io_is_fine() {
    assert!(problems("http", "MIT OR Apache-2.0", Some(CRATES_IO), "/cache/http/Cargo.toml").is_empty());
    assert!(problems("ours", "", None, "/repository/crates/ours/Cargo.toml").is_empty());
}

#[test]
fn a_banned_crate_is_named() {
    assert_eq!(problems("openssl-sys", "MIT", Some(CRATES_IO), ""), ["openssl-sys is banned"]);
}

#[test]
fn other_sources_are_refused() {
    let git = "git+https://github.com/someone/http#0123";
    assert_eq!(problems("http", "MIT", Some(git), ""), [format!("http comes from {git}")]);
    let mirror = "registry+https://mirror.example/index";
    assert_eq!(problems("http", "MIT", Some(mirror), ""), [format!("http comes from {mirror}")]);
    let outside = problems("http", "MIT", None, "/elsewhere/Cargo.toml");
    assert_eq!(outside, ["http is a folder outside the repository"]);
}

#[test]
fn an_exception_is_for_its_crate_alone() {
    assert!(problems("webauthn-rs", "MPL-2.0", Some(CRATES_IO), "").is_empty());
    assert_eq!(problems("other", "MPL-2.0", Some(CRATES_IO), ""), ["other has the licence \"MPL-2.0\""]);
}

#[test]
fn licence_expressions_are_read_by_their_operators() {
    let allowed = |licence: &str| matches!(licence, "MIT" | "Unicode-3.0" | "Apache-2.0 WITH LLVM-exception");
    for met in [
        "MIT",
        "GPL-3.0 OR MIT",
        "Unlicense/MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0",
    ] {
        assert!(satisfies(met, allowed), "{met}");
    }
    for unmet in
        ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT", "MIT OR", "MIT MIT", "GPL-3.0 OR MIT AND GPL-3.0", "AND"]
    {
        assert!(!satisfies(unmet, allowed), "{unmet}");
    }
}

#[test]
fn empty_rules_are_refused() {
    assert!(Rules::parse("").is_err());
    assert!(Rules::parse("[bans]\ndeny = []").is_err());
    assert!(Rules::parse("not toml").is_err());
}
