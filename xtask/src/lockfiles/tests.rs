use super::*;

#[test]
fn ordinary_text_passes() {
    assert!(problems_of("README.md", "see https://crates.io/crates/hallpass and ~/.cargo").is_empty());
    assert!(problems_of("Cargo.lock", &format!("source = \"{CRATES_IO}\"\n")).is_empty());
}

#[test]
fn paths_of_one_machine_are_found() {
    for folder in MACHINE_FOLDERS {
        let text = format!("first line\ncopied from /{folder}/somebody/project");
        assert_eq!(problems_of("notes.md", &text), [format!("line 2 has /{folder}/")]);
    }
}

#[test]
fn package_hosts_are_found() {
    for (host, domain) in PACKAGE_HOSTS {
        let text = format!("https://{host}.{domain}/left-pad");
        assert_eq!(problems_of("notes.md", &text), [format!("line 1 has {host}.{domain}")]);
    }
}

#[test]
fn resolved_packages_are_found_and_links_are_not() {
    let link = r#"{ "packages": { "node_modules/ours": { "resolved": "../clients/js", "link": true } } }"#;
    assert!(problems_of("e2e/package-lock.json", link).is_empty());
    let mirror = r#"{ "packages": { "node_modules/a": { "resolved": "https://mirror.example/a.tgz" } } }"#;
    assert_eq!(problems_of("e2e/package-lock.json", mirror).len(), 1);
    assert_eq!(problems_of("e2e/package-lock.json", "no JSON"), ["is not JSON"]);
}

#[test]
fn other_cargo_sources_are_found() {
    let lock = "source = \"registry+https://mirror.example/index\"\n";
    assert_eq!(problems_of("fuzz/Cargo.lock", lock).len(), 1);
}

#[test]
fn settings_that_name_a_registry_are_found() {
    assert_eq!(problems_of("e2e/.npmrc", "registry=https://mirror.example\n").len(), 1);
    assert!(problems_of("e2e/.npmrc", "fund=false\n").is_empty());
    assert_eq!(problems_of(".cargo/config.toml", "[source.mirror]\n").len(), 1);
    assert_eq!(problems_of(".cargo/config.toml", "[registries.mine]\n").len(), 1);
}
