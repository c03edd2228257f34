//! The credentials provider: a form of the application, checked by its `authorize`.

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

/// A field of a credentials form.
#[derive(Clone, Debug)]
#[must_use]
pub struct Field {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) kind: String,
    pub(crate) placeholder: Option<String>,
}

impl Field {
    /// A line of text.
    pub fn text(name: impl Into<String>) -> Self {
        Self::of_type(name, "text")
    }

    /// A password.
    pub fn password(name: impl Into<String>) -> Self {
        Self::of_type(name, "password")
    }

    /// A field with another `type` of HTML's `input`: `email`, `tel`, …
    pub fn of_type(name: impl Into<String>, kind: impl Into<String>) -> Self {
        let name = name.into();
        Self { label: name.clone(), name, kind: kind.into(), placeholder: None }
    }

    /// What stands above the field. Default: its name.
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    /// What stands in the empty field.
    pub fn placeholder(self, placeholder: impl Into<String>) -> Self {
        Self { placeholder: Some(placeholder.into()), ..self }
    }
}
