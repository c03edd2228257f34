//! What a provider answered, read field by field.

use serde_json::{Map, Value};

/// A profile as the provider gave it. The accessors take the usual liberties of providers (an id may be a
/// number, a flag may be a text) and never guess.
#[derive(Clone, Debug)]
pub struct Raw(pub(crate) Map<String, Value>);

/// A profile could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the profile has no usable {field:?}")]
pub struct ProfileError {
    /// The field that is missing or of the wrong kind.
    pub field: String,
}
