//! The schema is what the reader reads: no key less, none more, none without a description.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hallpass::Environment;
use hallpass::providers::ALL;
use serde_json::{Map, Value, json};

use super::SCHEMA;
use crate::cli::Serve;
use crate::config::Config;
use crate::config::document::Document;
use crate::config::document::record::{self, Kind, Recorded};

/// `HALLPASS_SCHEMA=write cargo test -p hallpass-server schema` writes it, with what the comments of the example say of
/// new keys.
#[test]
fn the_schema_has_the_keys_that_the_reader_asks_for() {
    let fresh = fresh();
    let missing = without_description(&fresh, "");
    if std::env::var_os("HALLPASS_SCHEMA").is_some_and(|value| value == "write") {
        for place in PLACES {
            std::fs::write(path(place), text(&fresh)).unwrap();
        }
    }
    assert_eq!(missing, Vec::<String>::new(), "give these a `description` in {}", PLACES[0]);
    for place in PLACES {
        let found = std::fs::read_to_string(path(place)).unwrap();
        assert!(
            found.replace("\r\n", "\n") == text(&fresh),
            "{place} is stale: HALLPASS_SCHEMA=write cargo test -p hallpass-server schema writes it"
        );
    }
}

#[test]
fn the_example_has_every_section() {
    let example = toml_of(&example());
    for (section, _) in
        recorded().keys.iter().filter(|(path, kind)| *kind == Kind::Section && !path.contains('.'))
    {
        let docs = "docs/hallpass.example.toml";
        assert!(example.get(section).is_some(), "[{section}] is read, and is not in {docs}");
    }
}

#[test]
fn every_key_of_the_example_is_valid() {
    assert_eq!(violations(&toml_of(&example())), Vec::<String>::new());
}

#[test]
fn an_unknown_key_or_a_value_of_the_wrong_kind_is_not_valid() {
    for (source, path) in [
        ("lisen = \"127.0.0.1:0\"", "lisen"),
        ("trust_host = \"yes\"", "trust_host"),
        ("[session]\nmax_ages = 1", "session.max_ages"),
        ("[session]\nmax_age = true", "session.max_age"),
        ("[session]\nmax_age = \"a month\"", "session.max_age"),
        ("[session]\nstrategy = \"cookie\"", "session.strategy"),
        ("[providers.github]\nscope = [\"a\"]", "providers.github.scope"),
        ("[providers.github]\nscopes = [1]", "providers.github.scopes"),
        ("[providers.acme]\ntype = \"saml\"", "providers.acme.type"),
        ("[providers.acme.params]\nprompt = 1", "providers.acme.params.prompt"),
        ("session = 1", "session"),
    ] {
        assert_eq!(violations(&toml_of(source)), [path], "{source}");
    }
}

/// Everything that the reader asks for when everything is there.
fn recorded() -> Recorded {
    let mut source = example();
    for spec in ALL {
        let section = format!("[providers.{}]\n", spec.id);
        if !source.contains(&section) {
            source.push_str(&format!("{section}id = \"id\"\nsecret = \"secret\"\n"));
        }
    }
    record::during(|| {
        let document = Document::new(Path::new("hallpass.toml"), source);
        Config::read(&Serve::default(), Environment::empty(), None, &document, &mut Vec::new());
    })
}

/// The example with everything in use.
fn example() -> String {
    let source = std::fs::read_to_string(path("docs/hallpass.example.toml")).unwrap();
    source.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line).to_owned() + "\n").collect()
}

/// The schema of what was recorded, with the descriptions of the present one.
fn fresh() -> Value {
    let recorded = recorded();
    let mut root = Node::default();
    for (path, kind) in &recorded.keys {
        let mut node = &mut root;
        let mut section = String::new();
        for name in path.split('.') {
            let is_free = recorded.free.contains(&section);
            section = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
            let name = if is_free { "*" } else { name };
            node = node.inner.entry(name.to_owned()).or_default();
        }
        node.kind = Some(kind.clone());
    }
    let present: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    let provider = root.inner.get_mut("providers").and_then(|it| it.inner.remove("*")).unwrap();
    let definition = provider.schema(&present["definitions"]["provider"], "providers");
    let mut schema = root.schema(&present, "");
    let known = ALL.iter().map(|spec| {
        let schema = json!({ "description": spec.name, "allOf": [{ "$ref": "#/definitions/provider" }] });
        (spec.id.to_owned(), schema)
    });
    let providers = &mut schema["properties"]["providers"];
    providers["properties"] = known.collect();
    providers["additionalProperties"] = json!({ "$ref": "#/definitions/provider" });
    let mut head = Map::new();
    head.insert("$schema".to_owned(), "http://json-schema.org/draft-07/schema#".into());
    head.insert("title".to_owned(), "hallpass.toml".into());
    head.extend(schema.as_object().unwrap().clone());
    head.insert("definitions".to_owned(), json!({ "provider": definition }));
    head.into()
}

/// A key and those inside it.
#[derive(Default)]
struct Node {
    kind: Option<Kind>,
    inner: BTreeMap<String, Self>,
}

impl Node {
    fn schema(&self, present: &Value, path: &str) -> Value {
        let mut schema = Map::new();
        let description = present["description"].as_str().map(str::to_owned);
        let description = description.filter(|it| !it.is_empty()).unwrap_or_else(|| {
            let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
            comment(section, name)
        });
        schema.insert("description".to_owned(), description.into());
        let words = match &self.kind {
            Some(Kind::Text) => json!({ "type": "string" }),
            Some(Kind::Flag) => json!({ "type": "boolean" }),
            Some(Kind::Integer) => json!({ "type": "integer", "minimum": 0 }),
            Some(Kind::Duration) => {
                json!({ "type": ["string", "integer"], "minimum": 0, "pattern": "^ *[0-9]+ *[smhdw] *$" })
            }
            Some(Kind::Texts) => json!({ "type": "array", "items": { "type": "string" } }),
            Some(Kind::Choices(words)) => {
                json!({ "type": "array", "items": { "type": "string", "enum": words } })
            }
            Some(Kind::Choice(words)) => json!({ "type": "string", "enum": words }),
            Some(Kind::Any) => json!({}),
            None | Some(Kind::Section) => json!({ "type": "object", "additionalProperties": false }),
        };
        schema.extend(words.as_object().unwrap().clone());
        for keyword in ["default", "examples"] {
            if !present[keyword].is_null() {
                schema.insert(keyword.to_owned(), present[keyword].clone());
            }
        }
        if let Some(any) = self.inner.get("*") {
            schema
                .insert("additionalProperties".to_owned(), any.schema(&present["additionalProperties"], ""));
        }
        let named = self.inner.iter().filter(|(name, _)| *name != "*");
        let properties: Map<String, Value> = named
            .map(|(name, node)| {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                (name.clone(), node.schema(&present["properties"][name], &path))
            })
            .collect();
        if !properties.is_empty() {
            schema.insert("properties".to_owned(), properties.into());
        }
        schema.into()
    }
}

/// What the example says above a key or section, for a key that has no description yet.
fn comment(section: &str, name: &str) -> String {
    let source = std::fs::read_to_string(path("docs/hallpass.example.toml")).unwrap();
    let (mut above, mut current) = (String::new(), String::new());
    for line in source.lines() {
        let key = line.strip_prefix("#: ").unwrap_or(line);
        if let Some(header) = key.strip_prefix('[') {
            if section.is_empty() && header.trim_matches(['[', ']']) == name {
                return above;
            }
            header.trim_matches(['[', ']']).clone_into(&mut current);
        }
        if current == section && key.starts_with(&format!("{name} = ")) {
            return above;
        }
        match line.strip_prefix("# ") {
            Some(text) if above.is_empty() => text.clone_into(&mut above),
            Some(text) => above.push_str(&format!(" {text}")),
            None => above.clear(),
        }
    }
    String::new()
}

fn without_description(schema: &Value, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    if schema["description"].as_str().is_some_and(str::is_empty) {
        found.push(path.to_owned());
    }
    for keyword in ["properties", "definitions"] {
        for (name, inner) in schema[keyword].as_object().into_iter().flatten() {
            found.extend(without_description(inner, &format!("{path}/{keyword}/{name}")));
        }
    }
    if schema["additionalProperties"].is_object() {
        found.extend(without_description(
            &schema["additionalProperties"],
            &format!("{path}/additionalProperties"),
        ));
    }
    found
}

fn text(schema: &Value) -> String {
    serde_json::to_string_pretty(schema).unwrap() + "\n"
}

fn path(place: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(place)
}

/// The file as an editor sees it.
fn toml_of(source: &str) -> Value {
    let document = Document::new(Path::new("hallpass.toml"), source);
    let table = document.parse();
    let mut top = document.section(&table);
    let names: Vec<_> = top.keys().collect();
    names.into_iter().map(|name| (name.to_owned(), top.json(name).unwrap())).collect::<Map<_, _>>().into()
}

/// The paths that the schema refuses: as much of draft 7 as it uses.
fn violations(value: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut found = Vec::new();
    judge(value, &schema, &schema, "", &mut found);
    found
}

fn judge(value: &Value, schema: &Value, root: &Value, path: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).unwrap();
        return judge(value, target, root, path, found);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        judge(value, part, root, path, found);
    }
    let is = |name: &Value| match name.as_str().unwrap() {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other}"),
    };
    let fits = match &schema["type"] {
        Value::Null => true,
        Value::Array(names) => names.iter().any(is),
        name => is(name),
    };
    let listed = schema["enum"].as_array().is_none_or(|words| words.contains(value));
    // The one pattern there is.
    let in_shape = schema["pattern"].is_null()
        || value.as_str().is_none_or(|text| crate::config::duration::parse(text).is_some());
    if !fits || !listed || !in_shape {
        return found.push(path.to_owned());
    }
    let items = value.as_array().into_iter().flatten();
    if !schema["items"].is_null()
        && items.clone().any(|it| schema["items"]["type"] == "string" && !it.is_string())
    {
        found.push(path.to_owned());
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => found.push(path),
            (Value::Null, Value::Null) => {}
            (Value::Null, any) => judge(inner, any, root, &path, found),
            (known, _) => judge(inner, known, root, &path, found),
        }
    }
}

/// The first is the one to edit; the other is for people who read the documentation.
const PLACES: [&str; 2] =
    ["crates/hallpass-server/src/config/hallpass.schema.json", "docs/hallpass.schema.json"];
