//! What a provider answered, read field by field.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A profile as the provider gave it. The accessors take the usual liberties of providers (an id may be a
/// number, a flag may be a text) and never guess.
///
/// ```
/// use hallpass::providers::Raw;
/// use serde_json::json;
///
/// let raw = Raw::from_value(json!({ "id": 7, "name": "Ada", "email": null, "verified": "true" }))?;
/// assert_eq!(raw.id("id")?, "7");
/// assert_eq!(raw.text("name").as_deref(), Some("Ada"));
/// assert_eq!(raw.text("email"), None);
/// assert!(raw.flag("verified"));
/// # Ok::<(), hallpass::providers::ProfileError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Raw(pub(crate) Map<String, Value>);

impl Raw {
    /// From a JSON object.
    ///
    /// # Errors
    /// When the value is anything else.
    pub fn from_value(value: Value) -> Result<Self, ProfileError> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(ProfileError::new("object")),
        }
    }

    /// The person's id: a text that is not empty, or a whole number.
    ///
    /// # Errors
    /// When the field is anything else or missing.
    pub fn id(&self, field: &str) -> Result<String, ProfileError> {
        match self.0.get(field) {
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(text.clone()),
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(number.to_string()),
            _ => Err(ProfileError::new(field)),
        }
    }

    /// A text that is not empty. A field of another kind is absent.
    pub fn text(&self, field: &str) -> Option<String> {
        self.0.get(field)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Whether the field is `true` or the text `"true"`. Everything else is `false`.
    pub fn flag(&self, field: &str) -> bool {
        match self.0.get(field) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }

    /// A field as it is; `null` is absent.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    /// A nested value, by JSON pointer (RFC 6901): `/user/name/firstName`; `null` is absent.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        let path = pointer.strip_prefix('/')?;
        let (first, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
        let field = first.replace("~1", "/").replace("~0", "~");
        self.0.get(&field)?.pointer(rest).filter(|value| !value.is_null())
    }

    /// A nested object.
    pub fn object(&self, field: &str) -> Option<Self> {
        self.0.get(field)?.as_object().cloned().map(Self)
    }

    /// Every field.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The whole profile as a type of the application.
    ///
    /// # Errors
    /// When it does not fit. The error names the type and not the value, which may be personal.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ProfileError> {
        T::deserialize(Value::Object(self.0.clone()))
            .map_err(|_| ProfileError::new(std::any::type_name::<T>()))
    }
}

impl From<Map<String, Value>> for Raw {
    fn from(fields: Map<String, Value>) -> Self {
        Self(fields)
    }
}

/// A profile could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the profile has no usable {field:?}")]
pub struct ProfileError {
    /// The field that is missing or of the wrong kind.
    pub field: String,
}

impl ProfileError {
    /// No usable `field`.
    pub fn new(field: impl Into<String>) -> Self {
        Self { field: field.into() }
    }
}

#[cfg(test)]
mod tests;
