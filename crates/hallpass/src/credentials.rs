//! The credentials provider: a form of the application, checked by its `authorize`.

use crate::pages::Field;

/// A form with which people sign in. The check itself is the second argument of
/// [`Builder::credentials`](crate::Builder::credentials).
///
/// ```
/// use hallpass::{Credentials, Field};
///
/// let form = Credentials::new()
///     .field(Field::text("username").label("User name"))
///     .field(Field::password("password").label("Password"));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Credentials {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
}

impl Credentials {
    /// A form without fields: it is not shown on the sign-in page until it has some.
    pub fn new() -> Self {
        Self { id: "credentials".to_owned(), name: "Credentials".to_owned(), fields: Vec::new() }
    }

    /// Id in addresses. Default `credentials`.
    pub fn id(self, id: impl Into<String>) -> Self {
        Self { id: id.into(), ..self }
    }

    /// Name on the button. Default `Credentials`.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Adds a field.
    pub fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }
}

impl Default for Credentials {
    fn default() -> Self {
        Self::new()
    }
}
