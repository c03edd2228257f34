//! JSON Schema of an application's types.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::hooks::NoUpdate;

/// JSON Schema (draft 2020-12) of what a session keeps, shows and takes, as serde reads and writes it.
///
/// `properties` has three members: `claims`; `session`, the body of `GET /session`, with `expires`; and `update`, what
/// a client may send. `$defs` has all types that they use. What leaves the server is described as it is serialized,
/// what comes in as it is deserialized; a type that differs between the two is there twice, the second time with
/// `Input` after its name.
///
/// ```
/// use hallpass::{NoUpdate, ViewUser};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, JsonSchema)]
/// #[serde(rename_all = "lowercase")]
/// enum Role { Admin, Reader }
///
/// #[derive(Serialize, Deserialize, JsonSchema)]
/// struct Claims { role: Role }
///
/// #[derive(Serialize, JsonSchema)]
/// struct View { user: ViewUser, role: Role }
///
/// let schema = hallpass::schema::<Claims, View, NoUpdate>();
/// assert_eq!(schema["$defs"]["Role"]["enum"], serde_json::json!(["admin", "reader"]));
/// ```
pub fn schema<Claims: JsonSchema, View: JsonSchema, Update: JsonSchema>() -> Value {
    let mut output = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let claims = output.subschema_for::<Claims>().to_value();
    let view = output.subschema_for::<View>().to_value();
    let mut types = definitions(&mut output);
    types.values_mut().for_each(without_null_where_absent);

    let mut input = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let mut update = input.subschema_for::<Update>().to_value();
    let inputs = definitions(&mut input);
    let different = different(&types, &inputs);
    let name_of =
        |name: &str| if different.contains(name) { format!("{name}Input") } else { name.to_owned() };
    rename(&mut update, &name_of);
    for (name, mut schema) in inputs {
        rename(&mut schema, &name_of);
        types.insert(name_of(&name), schema);
    }

    let expires = json!({
        "type": "object",
        "properties": { "expires": { "type": "string", "format": "date-time" } },
        "required": ["expires"],
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": { "claims": claims, "session": { "allOf": [view, expires] }, "update": update },
        "$defs": Map::from_iter(types),
    })
}

impl JsonSchema for NoUpdate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NoUpdate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        false.into()
    }
}

/// What a reference to a type looks like, before its name.
pub(crate) const DEFINITIONS: &str = "#/$defs/";

fn definitions(generator: &mut SchemaGenerator) -> BTreeMap<String, Value> {
    generator.take_definitions(true).into_iter().collect()
}

/// A field that is left out when it is `None` is never null. Which test leaves it out is not in the schema; it is
/// `Option::is_none` wherever the type is an `Option`.
fn without_null_where_absent(schema: &mut Value) {
    let required: BTreeSet<String> = match schema.get("required").and_then(Value::as_array) {
        Some(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => BTreeSet::new(),
    };
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.iter_mut().filter(|(name, _)| !required.contains(*name)).for_each(|(_, it)| not_null(it));
    }
    children(schema).for_each(without_null_where_absent);
}

fn not_null(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(cases)) = schema.get_mut("anyOf") {
        cases.retain(|case| case.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = cases.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            schema.extend(only);
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
}

/// The types that are read otherwise than they are written, and those that use one.
fn different(outputs: &BTreeMap<String, Value>, inputs: &BTreeMap<String, Value>) -> BTreeSet<String> {
    let both = || inputs.iter().filter_map(|(name, input)| Some((name, input, outputs.get(name)?)));
    let mut found: BTreeSet<String> =
        both().filter(|(_, input, output)| input != output).map(|(name, ..)| name.clone()).collect();
    loop {
        let users: Vec<String> = both()
            .filter(|(name, input, _)| !found.contains(*name) && refers_to(input, &found))
            .map(|(name, ..)| name.clone())
            .collect();
        if users.is_empty() {
            return found;
        }
        found.extend(users);
    }
}

fn refers_to(schema: &Value, names: &BTreeSet<String>) -> bool {
    let name = reference(schema);
    let inside = match schema {
        Value::Object(members) => members.values().any(|it| refers_to(it, names)),
        Value::Array(items) => items.iter().any(|it| refers_to(it, names)),
        _ => false,
    };
    inside || name.is_some_and(|name| names.contains(name))
}

/// The name of the type that a schema refers to.
pub(crate) fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(DEFINITIONS)
}

fn rename(schema: &mut Value, name_of: &impl Fn(&str) -> String) {
    let name = reference(schema).map(name_of);
    if let (Some(name), Some(schema)) = (name, schema.as_object_mut()) {
        schema.insert("$ref".to_owned(), Value::String(format!("{DEFINITIONS}{name}")));
    }
    children(schema).for_each(|child| rename(child, name_of));
}

fn children(schema: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match schema {
        Value::Object(members) => Box::new(members.values_mut()),
        Value::Array(items) => Box::new(items.iter_mut()),
        _ => Box::new(std::iter::empty()),
    }
}

#[cfg(test)]
mod tests;
