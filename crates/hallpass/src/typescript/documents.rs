//! Declarations for types that are not Rust's: JSON Schemas that somebody has written.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Declarations;
use super::module::{Origin, module};
use super::print::identifier;
use crate::schema::DEFINITIONS;

/// JSON Schemas (draft 2020-12 or 7) of what a session keeps, shows and takes, for applications whose types are not
/// Rust's.
///
/// ```
/// use hallpass::typescript::Schemas;
/// use serde_json::json;
///
/// let session = json!({
///     "type": "object",
///     "properties": {
///         "user": {
///             "type": "object",
///             "properties": { "role": { "enum": ["admin", "reader"] } },
///             "required": ["role"],
///         },
///     },
///     "required": ["user"],
/// });
/// let declarations = Schemas::of_session(session).written_by("hallpass types").declarations()?;
/// assert!(declarations.as_str().contains(r#"role: "admin" | "reader""#));
/// # Ok::<(), hallpass::typescript::SchemaError>(())
/// ```
///
/// The types are called as their `title` says, or else `Claims`, `View` and `Update`; those of `$defs` (or
/// `definitions`) keep their names.
#[derive(Clone, Debug)]
#[must_use]
pub struct Schemas {
    session: Value,
    claims: Option<Value>,
    update: Option<Value>,
    written_by: String,
}

impl Schemas {
    /// With the schema of what the browser sees: the body of `GET /session`. `expires` may be in it or not.
    pub fn of_session(schema: Value) -> Self {
        Self { session: schema, claims: None, update: None, written_by: String::new() }
    }

    /// The schema of what a session keeps: what `getToken()` gives. Default: nothing is known of it.
    pub fn claims(self, schema: Value) -> Self {
        Self { claims: Some(schema), ..self }
    }

    /// The schema of what `update()` takes. Default: nobody may change anything.
    pub fn update(self, schema: Value) -> Self {
        Self { update: Some(schema), ..self }
    }

    /// The command that writes the file again, for its head. Default: none.
    pub fn written_by(self, command: impl Into<String>) -> Self {
        Self { written_by: command.into(), ..self }
    }

    /// The declarations.
    ///
    /// # Errors
    /// When a schema refers to something that is not in its own `$defs` or `definitions`.
    pub fn declarations(self) -> Result<Declarations, SchemaError> {
        let mut types = BTreeMap::new();
        let claims = self.claims.map_or(Ok(json!({})), |it| take(it, "Claims", &mut types))?;
        let session = take(self.session, "View", &mut types)?;
        let update = self.update.map_or(Ok(Value::Bool(false)), |it| take(it, "Update", &mut types))?;
        let whole = json!({
            "properties": { "claims": claims, "session": { "allOf": [session] }, "update": update },
            "$defs": Map::from_iter(types),
        });
        Ok(Declarations(module(&whole, Origin::Schemas { written_by: &self.written_by })))
    }
}

/// A schema that cannot be written as a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// A reference leads out of the file, or nowhere.
    #[error("`$ref` {0:?} is not in `$defs` or `definitions` of its schema")]
    Reference(String),
    /// It is neither an object nor true or false.
    #[error("it is no JSON Schema: a schema is an object, true or false")]
    NoSchema,
}

/// Moves a schema and its definitions to the others, and returns a reference to it.
fn take(schema: Value, name: &str, types: &mut BTreeMap<String, Value>) -> Result<Value, SchemaError> {
    let mut schema = schema;
    let Some(members) = schema.as_object_mut() else {
        return if schema.is_boolean() { Ok(schema) } else { Err(SchemaError::NoSchema) };
    };
    let mut definitions = Map::new();
    for keyword in ["definitions", "$defs"] {
        if let Some(Value::Object(more)) = members.remove(keyword) {
            definitions.extend(more);
        }
    }
    members.remove("$schema");
    members.remove("$id");
    let title = members.remove("title").and_then(|title| title.as_str().map(str::to_owned));
    let title = title.filter(|title| *title == identifier(title) && !title.is_empty());
    let root = free_name(title.as_deref().unwrap_or(name), types);
    types.insert(root.clone(), Value::Null);

    let mut names = BTreeMap::new();
    for old in definitions.keys() {
        let new = free_name(old, types);
        types.insert(new.clone(), Value::Null);
        names.insert(old.clone(), new);
    }
    for (old, mut definition) in definitions {
        normalize(&mut definition, &root, &names)?;
        types.insert(names.get(&old).cloned().unwrap_or(old), definition);
    }
    normalize(&mut schema, &root, &names)?;
    types.insert(root.clone(), schema);
    Ok(json!({ "$ref": format!("{DEFINITIONS}{root}") }))
}

/// The name, with a number where it is another type's already.
fn free_name(name: &str, types: &BTreeMap<String, Value>) -> String {
    let names = (2..).map(|number| format!("{name}{number}"));
    let is_free = |name: &String| !types.keys().any(|known| identifier(known) == identifier(name));
    std::iter::once(name.to_owned()).chain(names).find(is_free).unwrap_or_default()
}

/// Gives references their new names, and writes older drafts as the newest has it.
fn normalize(schema: &mut Value, root: &str, names: &BTreeMap<String, String>) -> Result<(), SchemaError> {
    let Some(members) = schema.as_object_mut() else { return Ok(()) };
    if let Some(Value::String(reference)) = members.get_mut("$ref") {
        let name = ["#/$defs/", "#/definitions/"].iter().find_map(|place| reference.strip_prefix(place));
        let found = match name {
            None if reference.as_str() == "#" => Some(root),
            None => None,
            Some(name) => names.get(&name.replace("~1", "/").replace("~0", "~")).map(String::as_str),
        };
        let found = found.ok_or_else(|| SchemaError::Reference(reference.clone()))?;
        *reference = format!("{DEFINITIONS}{found}");
    }
    // A list of schemas was a tuple until 2020-12.
    if members.get("items").is_some_and(Value::is_array)
        && let Some(first) = members.remove("items")
    {
        members.insert("prefixItems".to_owned(), first);
    }
    // Whoever says no more of an object than that it is one means any.
    let is_bare =
        ["properties", "additionalProperties", "patternProperties", "allOf", "anyOf", "oneOf", "$ref"];
    if members.get("type").is_some_and(|it| it == "object")
        && is_bare.iter().all(|it| !members.contains_key(*it))
    {
        members.insert("additionalProperties".to_owned(), Value::Bool(true));
    }
    for (keyword, inner) in members.iter_mut() {
        match keyword.as_str() {
            "properties" | "patternProperties" => {
                for schema in inner.as_object_mut().into_iter().flat_map(Map::values_mut) {
                    normalize(schema, root, names)?;
                }
            }
            "items" | "additionalProperties" | "not" => normalize(inner, root, names)?,
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => {
                for schema in inner.as_array_mut().into_iter().flatten() {
                    normalize(schema, root, names)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
