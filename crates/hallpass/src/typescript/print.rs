//! A type of JSON Schema, as TypeScript writes it.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::schema::reference;

/// The declaration of a type, exported.
pub(super) fn declaration(name: &str, schema: &Value) -> String {
    let (doc, name) = (doc(schema, ""), identifier(name));
    let Some(properties) = plain_object(schema) else {
        let mut cases = alternatives(schema);
        cases.dedup();
        let line = format!("{doc}export type {name} = {};\n", cases.join(" | "));
        return match cases.len() > 1 && line.len() - doc.len() > LINE {
            true => format!("{doc}export type {name} =\n  | {};\n", cases.join("\n  | ")),
            false => line,
        };
    };
    let members = properties.iter().map(|(property, it)| {
        format!("{}  {};\n", self::doc(it, "  "), member(property, is_required(schema, property), it))
    });
    format!("{doc}export interface {name} {{\n{}}}\n", members.collect::<String>())
}

/// A type as an expression.
pub(super) fn expression(schema: &Value) -> String {
    alternatives(schema).join(" | ")
}

/// A type's name, as far as it is one in TypeScript.
pub(super) fn identifier(name: &str) -> String {
    let name: String = name.chars().map(|c| if is_part(c) { c } else { '_' }).collect();
    match name.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("_{name}"),
        false if OURS.contains(&name.as_str()) => format!("{name}_"),
        false => name,
    }
}

/// The name of a property.
pub(super) fn key(name: &str) -> Cow<'_, str> {
    if !name.is_empty() && name.chars().all(is_part) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return name.into();
    }
    literal(name).into()
}

/// A text as a literal: JSON is TypeScript there.
pub(super) fn literal(text: &str) -> String {
    Value::from(text).to_string()
}

/// Whether an object always has this property.
pub(super) fn is_required(schema: &Value, property: &str) -> bool {
    array(schema, "required").iter().any(|name| name == property)
}

/// What a schema lists under this keyword.
pub(super) fn array<'a>(schema: &'a Value, keyword: &str) -> &'a [Value] {
    schema.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

/// The cases of a union; one for any other type.
fn alternatives(schema: &Value) -> Vec<String> {
    if schema == &Value::Bool(false) || schema.get("not").is_some_and(is_everything) {
        return vec!["never".to_owned()];
    }
    let cases = match (array(schema, "oneOf"), array(schema, "anyOf")) {
        ([], cases) | (cases, _) => cases,
    };
    let mut union: Vec<String> = cases.iter().flat_map(alternatives).collect();
    let mut parts: Vec<String> = array(schema, "allOf").iter().map(grouped).collect();
    let own = own(schema);
    match (union.len(), parts.len()) {
        (0, 0) => return if own.is_empty() { vec!["unknown".to_owned()] } else { own },
        (_, 0) if own.is_empty() => {
            union.dedup();
            return union;
        }
        _ => {}
    }
    if !own.is_empty() {
        parts.insert(0, group(&own));
    }
    if !union.is_empty() {
        parts.push(group(&union));
    }
    vec![parts.join(" & ")]
}

/// What a schema says besides combining others.
fn own(schema: &Value) -> Vec<String> {
    if let Some(name) = reference(schema) {
        return vec![identifier(name)];
    }
    if let Some(value) = schema.get("const") {
        return vec![value_type(value)];
    }
    if schema.get("enum").is_some() {
        return array(schema, "enum").iter().map(value_type).collect();
    }
    match schema.get("type") {
        Some(Value::String(name)) => vec![named(name, schema)],
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).map(|name| named(name, schema)).collect()
        }
        _ if properties(schema).is_some() => vec![object(schema)],
        _ => Vec::new(),
    }
}

/// One of JSON's types.
fn named(name: &str, schema: &Value) -> String {
    match name {
        "integer" | "number" => "number".to_owned(),
        "array" => list(schema),
        "object" => object(schema),
        "string" | "boolean" | "null" => name.to_owned(),
        _ => "unknown".to_owned(),
    }
}

fn list(schema: &Value) -> String {
    let (first, items) = (array(schema, "prefixItems"), schema.get("items"));
    if !first.is_empty() {
        return format!("[{}]", first.iter().map(expression).collect::<Vec<_>>().join(", "));
    }
    let Some(items) = items else { return "unknown[]".to_owned() };
    let bound = |keyword| schema.get(keyword).and_then(Value::as_u64);
    match (bound("minItems"), bound("maxItems").and_then(|most| usize::try_from(most).ok())) {
        (Some(least), Some(most)) if Ok(most) == usize::try_from(least) && most <= LONGEST_TUPLE => {
            format!("[{}]", vec![expression(items); most].join(", "))
        }
        _ => format!("{}[]", grouped(items)),
    }
}

fn object(schema: &Value) -> String {
    let named = properties(schema).filter(|properties| !properties.is_empty()).map(|properties| {
        let members =
            properties.iter().map(|(property, it)| member(property, is_required(schema, property), it));
        format!("{{ {} }}", members.collect::<Vec<_>>().join("; "))
    });
    let index = index(schema).map(|values| format!("{{ [key: string]: {} }}", expression(values)));
    match (named, index) {
        (Some(named), Some(index)) => format!("{named} & {index}"),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => "{ [key: string]: never }".to_owned(),
    }
}

/// What an object holds under any other name. Nobody relies on what a struct ignores, so `true` says something only
/// where there are no fields.
fn index(schema: &Value) -> Option<&Value> {
    let patterns = schema.get("patternProperties").and_then(Value::as_object);
    if let Some(values) = patterns.and_then(|patterns| patterns.values().next()) {
        return Some(values);
    }
    match schema.get("additionalProperties") {
        Some(Value::Bool(false)) => None,
        Some(values) if is_everything(values) => {
            properties(schema).is_none_or(Map::is_empty).then_some(values)
        }
        values => values,
    }
}

fn member(name: &str, is_required: bool, schema: &Value) -> String {
    format!("{}{}: {}", key(name), if is_required { "" } else { "?" }, expression(schema))
}

/// The fields of a type that has nothing else.
fn plain_object(schema: &Value) -> Option<&Map<String, Value>> {
    let combined = ["oneOf", "anyOf", "allOf", "$ref", "const", "enum"];
    let is_plain = combined.iter().all(|keyword| schema.get(keyword).is_none())
        && schema.get("type").is_some_and(|name| name == "object")
        && index(schema).is_none();
    properties(schema).filter(|properties| is_plain && !properties.is_empty())
}

fn is_everything(schema: &Value) -> bool {
    schema == &Value::Bool(true) || schema.as_object().is_some_and(Map::is_empty)
}

fn grouped(schema: &Value) -> String {
    group(&alternatives(schema))
}

fn group(cases: &[String]) -> String {
    match cases {
        [only] if !only.contains(" & ") => only.clone(),
        _ => format!("({})", cases.join(" | ")),
    }
}

fn value_type(value: &Value) -> String {
    if value.is_object() || value.is_array() { "unknown".to_owned() } else { value.to_string() }
}

fn doc(schema: &Value, indent: &str) -> String {
    let Some(text) = schema.get("description").and_then(Value::as_str) else { return String::new() };
    let text = text.trim().replace("*/", "*\\/");
    if !text.contains('\n') {
        return format!("{indent}/** {text} */\n");
    }
    let lines = text.lines().map(|line| format!("{indent} * {line}").trim_end().to_owned() + "\n");
    format!("{indent}/**\n{}{indent} */\n", lines.collect::<String>())
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

/// Names that the file needs for something else.
const OURS: [&str; 8] = [
    "AuthSession",
    "HallpassClaims",
    "HallpassSession",
    "HallpassUpdate",
    "NonNullable",
    "Omit",
    "Promise",
    "UpdateSession",
];

/// Longer unions take a line for each case.
const LINE: usize = 100;

const LONGEST_TUPLE: usize = 8;
