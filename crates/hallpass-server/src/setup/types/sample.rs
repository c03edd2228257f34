//! What samples have in common, as a JSON Schema.

use serde_json::{Map, Value, json};

/// Everything that was seen at one place.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    is_null: bool,
    is_flag: bool,
    is_number: bool,
    is_text: bool,
    /// What its lists hold.
    items: Option<Box<Self>>,
    /// How many objects there were, and their fields, each with how many of them have it.
    objects: usize,
    fields: Vec<(String, usize, Self)>,
}

impl Shape {
    pub(super) fn add(&mut self, value: &Value) {
        match value {
            Value::Null => self.is_null = true,
            Value::Bool(_) => self.is_flag = true,
            Value::Number(_) => self.is_number = true,
            Value::String(_) => self.is_text = true,
            Value::Array(items) => {
                let shape = self.items.get_or_insert_default();
                items.iter().for_each(|item| shape.add(item));
            }
            Value::Object(fields) => self.add_object(fields),
        }
    }

    fn add_object(&mut self, fields: &Map<String, Value>) {
        self.objects += 1;
        for (name, value) in fields {
            if let Some((_, count, shape)) = self.fields.iter_mut().find(|(known, ..)| known == name) {
                *count += 1;
                shape.add(value);
                continue;
            }
            let mut shape = Self::default();
            shape.add(value);
            self.fields.push((name.clone(), 1, shape));
        }
    }

    pub(super) fn schema(&self) -> Value {
        let mut kinds = Vec::new();
        let plain = [("string", self.is_text), ("number", self.is_number), ("boolean", self.is_flag)];
        kinds.extend(plain.into_iter().filter(|(_, is)| *is).map(|(name, _)| json!({ "type": name })));
        if let Some(items) = &self.items {
            kinds.push(json!({ "type": "array", "items": items.schema() }));
        }
        if self.objects > 0 {
            kinds.push(self.object());
        }
        // Of what was only ever null nobody knows what else it can be.
        if self.is_null && !kinds.is_empty() {
            kinds.push(json!({ "type": "null" }));
        }
        match kinds.len() {
            0 => json!({}),
            1 => kinds.remove(0),
            _ => json!({ "anyOf": kinds }),
        }
    }

    fn object(&self) -> Value {
        let required: Vec<_> = self
            .fields
            .iter()
            .filter(|(_, count, _)| *count == self.objects)
            .map(|(name, ..)| name)
            .collect();
        let properties: Map<_, _> =
            self.fields.iter().map(|(name, _, shape)| (name.clone(), shape.schema())).collect();
        json!({ "type": "object", "properties": properties, "required": required })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(samples: &[Value]) -> Value {
        let mut shape = Shape::default();
        samples.iter().for_each(|sample| shape.add(sample));
        shape.schema()
    }

    #[test]
    fn each_kind_of_json_is_one_of_the_schema() {
        for (samples, expected) in [
            (vec![json!("a"), json!("b")], json!({ "type": "string" })),
            (vec![json!(1), json!(1.5)], json!({ "type": "number" })),
            (vec![json!(true)], json!({ "type": "boolean" })),
            (vec![json!(null)], json!({})),
            (vec![json!([])], json!({ "type": "array", "items": {} })),
            (vec![json!(null), json!("a")], json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] })),
            (
                vec![json!(["a", 1, null])],
                json!({ "type": "array", "items": { "anyOf": [
                    { "type": "string" }, { "type": "number" }, { "type": "null" },
                ] } }),
            ),
        ] {
            assert_eq!(schema(&samples), expected, "{samples:?}");
        }
    }

    #[test]
    fn a_field_that_one_object_lacks_is_optional_also_inside_a_list() {
        let one = json!({ "type": "object", "properties": {
            "a": { "type": "number" }, "b": { "type": "string" },
        }, "required": ["a"] });
        let (full, bare) = (json!({ "a": 1, "b": "x" }), json!({ "a": 2 }));
        assert_eq!(schema(&[full.clone(), bare.clone()]), one);
        assert_eq!(schema(&[json!([full, bare])]), json!({ "type": "array", "items": one }));
    }
}
