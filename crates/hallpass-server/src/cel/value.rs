//! JSON in and out.

use std::collections::HashMap;

use cel::Value as Cel;
use cel::objects::{Key, Map};
use serde_json::Value;

/// What an expression is given.
pub(super) type Variables = Vec<(&'static str, Cel)>;

/// Makes variables of JSON.
///
/// # Errors
/// When there is more than an expression should go through.
pub(super) fn variables<const N: usize>(all: [(&'static str, Value); N]) -> Result<Variables, String> {
    let mut left = MOST;
    all.into_iter().map(|(name, value)| Ok((name, from_json(value, &mut left)?))).collect()
}

fn from_json(value: Value, left: &mut usize) -> Result<Cel, String> {
    let size = 1 + match &value {
        Value::String(text) => text.len(),
        Value::Object(fields) => fields.keys().map(String::len).sum(),
        _ => 0,
    };
    *left = left
        .checked_sub(size)
        .ok_or_else(|| format!("what is known of the person is more than {MOST} bytes"))?;
    Ok(match value {
        Value::Null => Cel::Null,
        Value::Bool(flag) => Cel::Bool(flag),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Cel::Int(integer),
            None => Cel::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Cel::from(text),
        Value::Array(items) if items.len() > LONGEST_LIST => {
            return Err(format!("a list of the person has more than {LONGEST_LIST} members"));
        }
        Value::Array(items) => {
            let items: Result<Vec<_>, _> = items.into_iter().map(|item| from_json(item, left)).collect();
            Cel::List(items?.into())
        }
        Value::Object(fields) => {
            let mut map: HashMap<Key, Cel> = HashMap::with_capacity(fields.len());
            for (name, value) in fields {
                map.insert(Key::from(name), from_json(value, left)?);
            }
            Cel::Map(Map { map: map.into() })
        }
    })
}

/// The value of an expression.
///
/// # Errors
/// When JSON has no such thing.
pub(super) fn to_json(value: &Cel) -> Result<Value, String> {
    let unfit = || "the value is nothing that JSON has".to_owned();
    Ok(match value {
        Cel::Null => Value::Null,
        Cel::Bool(flag) => (*flag).into(),
        Cel::Int(integer) => (*integer).into(),
        Cel::UInt(integer) => (*integer).into(),
        Cel::Float(number) => serde_json::Number::from_f64(*number).ok_or_else(unfit)?.into(),
        Cel::String(text) => text.as_str().into(),
        Cel::List(items) => items.iter().map(to_json).collect::<Result<Vec<_>, _>>()?.into(),
        Cel::Map(map) => {
            let mut fields: Vec<_> = map.map.iter().collect();
            // The order of a hash map would be another one each time.
            fields.sort_by_key(|(name, _)| name.to_string());
            let fields: Result<serde_json::Map<_, _>, String> =
                fields.into_iter().map(|(name, value)| Ok((name.to_string(), to_json(value)?))).collect();
            fields?.into()
        }
        _ => return Err(unfit()),
    })
}

/// In bytes, names included.
const MOST: usize = 64 * 1024;

const LONGEST_LIST: usize = 1000;
