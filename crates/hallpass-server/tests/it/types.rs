//! `hallpass types`. What TypeScript makes of it is proven by `cargo xtask types`.

use std::path::Path;
use std::process::Command;

use crate::program::{Folder, program, run};

/// Runs it, and returns its exit code and what it says.
fn types(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(folder, &[&["types"], arguments].concat(), "");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// Row 2.9 of the acceptance list, with `cargo xtask types`.
#[test]
fn declarations_of_the_end_to_end_tests_are_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e/types");
    for arguments in [
        "--schema json/session.schema.json --claims json/claims.schema.json --update json/update.schema.json \
         --out json/schema.d.ts",
        "--sample json/admin.json --sample json/guest.json --out json/sample.d.ts",
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        command.arg("types").args(arguments.split_whitespace()).current_dir(&folder);
        if std::env::var_os("HALLPASS_TYPES").is_none_or(|value| value != "write") {
            command.arg("--check");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "HALLPASS_TYPES=write cargo test writes it: {output:?}");
    }
}

#[test]
fn a_file_that_is_stale_or_missing_fails_the_check_and_is_left_alone() {
    let folder = Folder::new();
    folder.write("one.json", r#"{ "user": { "role": "admin" } }"#);
    let arguments = ["--sample", "one.json", "--out", "web/hallpass.d.ts"];
    let check = [&arguments[..], &["--check"]].concat();
    let (code, said) = types(&folder, &check);
    assert_eq!(code, Some(1));
    assert!(said.contains("web/hallpass.d.ts is not there: write it with the same command"), "{said}");
    assert_eq!(types(&folder, &arguments).0, Some(0));
    assert_eq!(types(&folder, &check), (Some(0), String::new()));

    folder.write("one.json", r#"{ "user": { "role": 7 } }"#);
    let before = std::fs::read_to_string(folder.path().join("web/hallpass.d.ts")).unwrap();
    let (code, said) = types(&folder, &check);
    assert_eq!(code, Some(1));
    assert!(said.contains("web/hallpass.d.ts is stale"), "{said}");
    assert_eq!(std::fs::read_to_string(folder.path().join("web/hallpass.d.ts")).unwrap(), before);
}

#[test]
fn without_a_file_to_write_it_is_printed() {
    let folder = Folder::new();
    folder.write("a.json", r#"{ "user": { "name": "Ada" }, "tags": ["x", 1], "team": null }"#);
    let (code, text) = types(&folder, &["--sample", "a.json", "--claims", "a.json"]);
    assert_eq!(code, Some(0));
    for part in [
        "// To write it again: hallpass types --sample a.json --claims a.json\n",
        "export interface View {\n  user: { name: string };\n  tags: (string | number)[];\n  team: unknown;\n}",
        "export interface Claims {",
        "    team: HallpassClaims[\"team\"];",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn what_is_no_session_is_refused() {
    let folder = Folder::new();
    folder.write("null.json", "null");
    folder.write("list.json", "[]");
    folder.write("broken.json", "{");
    folder.write("out.json", r#"{ "properties": { "user": { "$ref": "other.json" } } }"#);
    folder.write("schema.json", r#"{ "type": "object", "properties": {} }"#);
    for (arguments, said) in [
        (&["--sample", "null.json"][..], "null.json is null: nobody was signed in when it was taken"),
        (&["--sample", "list.json"], "list.json is no JSON object"),
        (&["--sample", "broken.json"], "broken.json is not JSON: "),
        (&["--sample", "nowhere.json"], "nowhere.json cannot be read: "),
        (&["--schema", "list.json"], "it is no JSON Schema"),
        (&["--schema", "out.json"], "`$ref` \"other.json\" is not in `$defs`"),
        (
            &["--schema", "schema.json", "--claims", "schema.json", "--claims", "schema.json"],
            "--claims: give one schema, or only samples",
        ),
    ] {
        let (code, text) = types(&folder, arguments);
        assert_eq!(code, Some(1), "{arguments:?}");
        assert!(text.starts_with("hallpass: ") && text.contains(said), "{said}: {text}");
    }
    for arguments in
        [&["types"][..], &["types", "--claims", "a.json"], &["types", "--sample", "a", "--check"]]
    {
        let output = program(&folder, arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
