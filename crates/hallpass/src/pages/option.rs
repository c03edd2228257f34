//! The ways to sign in that a page offers.

/// One way to sign in, as the sign-in page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignInOption {
    /// A button that leads to a provider (OAuth 2, OpenID Connect).
    #[non_exhaustive]
    Redirect {
        /// Id of the provider; chooses the logo and its colour.
        id: String,
        /// Name on the button.
        name: String,
        /// Where the form goes: `/signin/<id>`.
        action: String,
    },
    /// A form for an address that gets a magic link.
    #[non_exhaustive]
    Email {
        /// Id of the provider.
        id: String,
        /// Name, shown when there are several of this kind.
        name: String,
        /// Where the form goes: `/signin/<id>`.
        action: String,
    },
    /// A form with fields, such as name and password.
    #[non_exhaustive]
    Credentials {
        /// Id of the provider.
        id: String,
        /// Name on the button, unless it is the default `Credentials`.
        name: String,
        /// Where the form goes: `/callback/<id>`.
        action: String,
        /// The fields, in the order shown.
        fields: Vec<Field>,
    },
}

impl SignInOption {
    /// A [`SignInOption::Redirect`].
    pub fn redirect(id: impl Into<String>, name: impl Into<String>, action: impl Into<String>) -> Self {
        Self::Redirect { id: id.into(), name: name.into(), action: action.into() }
    }

    /// A [`SignInOption::Email`].
    pub fn email(id: impl Into<String>, name: impl Into<String>, action: impl Into<String>) -> Self {
        Self::Email { id: id.into(), name: name.into(), action: action.into() }
    }

    /// A [`SignInOption::Credentials`].
    pub fn credentials(
        id: impl Into<String>,
        name: impl Into<String>,
        action: impl Into<String>,
        fields: Vec<Field>,
    ) -> Self {
        Self::Credentials { id: id.into(), name: name.into(), action: action.into(), fields }
    }
}

/// A field of a credentials form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// Name in the form that is sent.
    pub name: String,
    /// What stands above it. Default: the name.
    pub label: Option<String>,
    /// The `type` of the input. Default: `text`.
    pub kind: Option<String>,
    /// What stands in it while it is empty. Default: nothing.
    pub placeholder: Option<String>,
    /// What stands in it at first. Default: nothing.
    pub value: Option<String>,
    /// Whether the browser refuses to send it empty. Default: no.
    pub required: bool,
    /// What password managers may fill in (HTML §4.10.18.7). Default: guessed from kind and name:
    /// `username`, `current-password` or `one-time-code`, else nothing.
    pub autocomplete: Option<String>,
}

impl Field {
    /// A line of text.
    pub fn text(name: impl Into<String>) -> Self {
        Self::new(name).kind("text")
    }

    /// A field of the default kind, `text`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// A password.
    pub fn password(name: impl Into<String>) -> Self {
        Self::new(name).kind("password")
    }

    /// Sets [`label`](Self::label).
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    /// Sets [`kind`](Self::kind).
    pub fn kind(self, kind: impl Into<String>) -> Self {
        Self { kind: Some(kind.into()), ..self }
    }

    /// Sets [`placeholder`](Self::placeholder).
    pub fn placeholder(self, placeholder: impl Into<String>) -> Self {
        Self { placeholder: Some(placeholder.into()), ..self }
    }

    pub(crate) fn autocomplete_or_guess(&self) -> Option<&str> {
        if let Some(autocomplete) = &self.autocomplete {
            return Some(autocomplete);
        }
        if self.kind.as_deref() == Some("password") {
            return Some("current-password");
        }
        match self.name.to_ascii_lowercase().as_str() {
            "username" | "user" | "login" | "email" => Some("username"),
            "otp" | "totp" | "code" => Some("one-time-code"),
            _ => None,
        }
    }
}
