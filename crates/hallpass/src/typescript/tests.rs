use std::fs;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::print::{declaration, expression, identifier};
use super::{Declarations, typescript};
use crate::{NoClaims, NoUpdate, ViewUser};

#[derive(Serialize, JsonSchema)]
struct View {
    user: ViewUser,
}

/// A folder of its own for each test.
fn folder(test: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("hallpass-typescript-{test}-{}", std::process::id()));
    _ = fs::remove_dir_all(&folder);
    folder
}

fn declarations() -> Declarations {
    typescript::<NoClaims, View, NoUpdate>()
}

#[test]
fn schemas_become_types() {
    for (schema, expected) in [
        (json!(true), "unknown"),
        (json!(false), "never"),
        (json!({}), "unknown"),
        (json!({ "not": {} }), "never"),
        (json!({ "type": "integer", "format": "uint64" }), "number"),
        (json!({ "type": ["string", "null"] }), "string | null"),
        (json!({ "const": "it's \"so\"" }), r#""it's \"so\"""#),
        (json!({ "enum": ["a", 1, null, true] }), r#""a" | 1 | null | true"#),
        (json!({ "type": "array", "items": { "type": ["string", "null"] } }), "(string | null)[]"),
        (json!({ "type": "array" }), "unknown[]"),
        (
            json!({ "type": "array", "items": { "type": "string" }, "minItems": 2, "maxItems": 2 }),
            "[string, string]",
        ),
        (
            json!({ "type": "array", "items": { "type": "string" }, "minItems": 90, "maxItems": 90 }),
            "string[]",
        ),
        (
            json!({ "type": "array", "prefixItems": [{ "type": "string" }, { "type": "null" }] }),
            "[string, null]",
        ),
        (
            json!({ "type": "object", "additionalProperties": { "type": "string" } }),
            "{ [key: string]: string }",
        ),
        (json!({ "type": "object" }), "{ [key: string]: never }"),
        (
            json!({ "type": "object", "properties": { "a b": { "type": "null" }, "c": true }, "required": ["c"] }),
            r#"{ "a b"?: null; c: unknown }"#,
        ),
        (json!({ "anyOf": [{ "$ref": "#/$defs/A" }, { "type": "null" }] }), "A | null"),
        (
            json!({ "allOf": [{ "$ref": "#/$defs/A" }, { "oneOf": [{ "const": 1 }, { "const": 2 }] }] }),
            "A & (1 | 2)",
        ),
        (json!({ "type": "a type of tomorrow" }), "unknown"),
    ] {
        assert_eq!(expression(&schema), expected, "{schema}");
    }
}

#[test]
fn comment_cannot_end_early() {
    let schema = json!({ "type": "string", "description": "a */ b" });
    assert_eq!(declaration("A", &schema), "/** a *\\/ b */\nexport type A = string;\n");
    let schema = json!({ "type": "string", "description": "a\n\nb" });
    assert_eq!(declaration("A", &schema), "/**\n * a\n *\n * b\n */\nexport type A = string;\n");
}

#[test]
fn names_that_the_file_needs_are_left_to_it() {
    for (name, expected) in [
        ("Role", "Role"),
        ("Promise", "Promise_"),
        ("HallpassSession", "HallpassSession_"),
        ("Page<T>", "Page_T_"),
        ("2nd", "_2nd"),
    ] {
        assert_eq!(identifier(name), expected);
    }
}

#[test]
fn same_types_give_the_same_text_and_never_any() {
    let text = declarations().to_string();
    assert_eq!(text, declarations().to_string());
    assert!(!text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "any"), "{text}");
}

/// A field that is left out when it is `None` is never null; one that is read may be either.
#[test]
fn option_is_what_serde_makes_of_it() {
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Both {
        shown: Option<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        left_out: Option<u8>,
        #[serde(default)]
        filled_in: u8,
    }
    let text = typescript::<NoClaims, Both, Both>().to_string();
    let written = "interface Both {\n  shown: number | null;\n  left_out?: number;\n  filled_in: number;\n}";
    let read = "interface BothInput {\n  shown?: number | null;\n  left_out?: number | null;\n  filled_in?: number;\n}";
    assert!(text.contains(written), "{text}");
    assert!(text.contains(read), "{text}");

    let value = serde_json::to_value(Both { shown: None, left_out: None, filled_in: 0 }).unwrap();
    assert_eq!(value, json!({ "shown": null, "filled_in": 0 }));
    serde_json::from_value::<Both>(json!({ "left_out": null })).unwrap();
}

#[test]
fn view_without_a_user_has_none() {
    #[derive(Serialize, JsonSchema)]
    struct Flat {
        role: String,
    }
    let text = typescript::<NoClaims, Flat, NoUpdate>().to_string();
    assert!(text.contains("    user?: undefined;"), "{text}");
    assert!(!text.contains("interface User"), "{text}");
}

#[test]
fn view_with_nothing_still_ends() {
    let text = typescript::<NoClaims, NoClaims, NoUpdate>().to_string();
    assert!(text.contains("export type HallpassSession = { expires: string };"), "{text}");
    let text = typescript::<Value, Value, Value>().to_string();
    assert!(text.contains("export type HallpassUpdate = unknown;"), "{text}");
}

#[test]
fn file_with_another_text_is_stale() {
    let path = folder("stale").join("web/hallpass.d.ts");
    let declarations = declarations();
    let error = declarations.check(&path).unwrap_err().to_string();
    assert!(error.contains("hallpass.d.ts: "), "{error}");

    declarations.write(&path).unwrap();
    declarations.check(&path).unwrap();
    fs::write(&path, declarations.as_str().replace('\n', "\r\n")).unwrap();
    declarations.check(&path).unwrap();

    let changed = declarations.as_str().replacen("name?: string", "name: string", 1);
    fs::write(&path, &changed).unwrap();
    let error = declarations.check(&path).unwrap_err().to_string();
    let line = changed.lines().position(|line| line.contains("name: string")).unwrap() + 1;
    assert!(error.contains(&format!("line {line} ")), "{error}");
    assert!(error.contains("HALLPASS_TYPES=write"), "{error}");
    fs::write(&path, format!("{}more\n", declarations.as_str())).unwrap();
    assert!(declarations.check(&path).is_err());
    fs::remove_dir_all(folder("stale")).unwrap_or_default();
}
