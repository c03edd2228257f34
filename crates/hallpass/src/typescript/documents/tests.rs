use serde_json::json;

use super::*;

fn text(schemas: Schemas) -> String {
    schemas.declarations().unwrap().into()
}

#[test]
fn a_schema_with_an_enum_becomes_a_union_that_every_module_sees() {
    let session = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": { "user": { "$ref": "#/$defs/Person" }, "expires": { "type": "string" } },
        "required": ["user", "expires"],
        "$defs": {
            "Role": { "enum": ["admin", "manager", "user"] },
            "Person": {
                "type": "object",
                "properties": { "name": { "type": "string" }, "role": { "$ref": "#/$defs/Role" } },
                "required": ["name", "role"],
            },
        },
    });
    let claims = json!({ "properties": { "role": { "type": "string" } }, "required": ["role"] });
    let text = text(Schemas::of_session(session).claims(claims).written_by("hallpass types --out x"));
    for part in [
        "// To write it again: hallpass types --out x\n",
        "export type Role = \"admin\" | \"manager\" | \"user\";",
        "export interface Person {\n  name: string;\n  role: Role;\n}",
        "export interface View {\n  user: Person;\n  expires: string;\n}",
        "export type HallpassSession = View & { expires: string };",
        "export type HallpassUpdate = never;",
        "  interface User {\n    role: HallpassSession[\"user\"][\"role\"];\n  }",
        "  interface JWT {\n    role: HallpassClaims[\"role\"];\n  }",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn definitions_of_two_schemas_do_not_mix() {
    let of = |kind: &str| {
        json!({
            "title": "Data",
            "type": "object",
            "properties": { "it": { "$ref": "#/definitions/It" }, "me": { "$ref": "#" } },
            "definitions": { "It": { "type": kind } },
        })
    };
    let text = text(Schemas::of_session(of("string")).claims(of("number")));
    for part in [
        "export type HallpassClaims = Data;",
        "export type HallpassSession = Data2 & { expires: string };",
        "export type It = number;",
        "export type It2 = string;",
        "export interface Data2 {\n  it?: It2;\n  me?: Data2;\n}",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_property_called_like_a_keyword_is_one() {
    let session = json!({
        "type": "object",
        "properties": { "$ref": { "type": "string" }, "properties": { "type": "object" } },
    });
    let text = text(Schemas::of_session(session));
    assert!(text.contains("  $ref?: string;\n  properties?: { [key: string]: unknown };"), "{text}");
}

#[test]
fn older_drafts_are_read_too() {
    let session = json!({
        "properties": { "pair": { "type": "array", "items": [{ "type": "string" }, { "type": "null" }] } },
        "required": ["pair"],
    });
    assert!(text(Schemas::of_session(session)).contains("pair: [string, null]"));
}

#[test]
fn a_reference_that_leads_nowhere_is_refused() {
    for reference in ["#/$defs/Nobody", "https://example.com/schema.json", "#/properties/user"] {
        let session = json!({ "properties": { "user": { "$ref": reference } } });
        let refused = Schemas::of_session(session).declarations().unwrap_err();
        assert_eq!(refused, SchemaError::Reference(reference.to_owned()));
    }
    assert_eq!(Schemas::of_session(json!("text")).declarations(), Err(SchemaError::NoSchema));
}
