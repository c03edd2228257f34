//! The templates, and how values get into them.

use std::fmt;

use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior, Value};

use super::PageError;

/// Which template to replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TemplateName {
    /// `layout`: what stands around every page.
    Layout,
    /// `sign_in`.
    SignIn,
    /// `sign_out`.
    SignOut,
    /// `error`.
    Error,
    /// `verify_request`.
    VerifyRequest,
    /// `confirm`.
    Confirm,
}

impl TemplateName {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Layout, Self::SignIn, Self::SignOut, Self::Error, Self::VerifyRequest, Self::Confirm];

    /// The name in settings and messages, such as `sign_in`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Layout => "layout",
            Self::SignIn => "sign_in",
            Self::SignOut => "sign_out",
            Self::Error => "error",
            Self::VerifyRequest => "verify_request",
            Self::Confirm => "confirm",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Layout => include_str!("layout.html"),
            Self::SignIn => include_str!("sign_in.html"),
            Self::SignOut => include_str!("sign_out.html"),
            Self::Error => include_str!("error.html"),
            Self::VerifyRequest => include_str!("verify_request.html"),
            Self::Confirm => include_str!("confirm.html"),
        }
    }
}

impl fmt::Display for TemplateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The compiled templates.
#[derive(Clone, Debug)]
pub(super) struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    pub(super) fn built_in() -> Result<Self, PageError> {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_formatter(write_escaped);
        // A misspelt name in a replaced template is an error, not a gap.
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        let mut templates = Self { environment };
        for &name in TemplateName::ALL {
            templates.replace(name, name.source().to_owned())?;
        }
        Ok(templates)
    }

    pub(super) fn replace(&mut self, name: TemplateName, source: String) -> Result<(), PageError> {
        self.environment.add_template_owned(name.as_str(), source).map_err(|error| failed(name, error))
    }

    pub(super) fn fill(&self, name: TemplateName, data: Value) -> Result<String, PageError> {
        self.environment
            .get_template(name.as_str())
            .and_then(|template| template.render(data))
            .map_err(|error| failed(name, error))
    }
}

/// Escapes what has a meaning in text and in quoted attributes. The greater-than sign has none; it stays as it
/// is in the pages of Auth.js, whose recorded ones ours are compared with.
pub(crate) fn write_escaped(
    out: &mut Output<'_>,
    _: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    if value.is_safe() {
        return Ok(write!(out, "{value}")?);
    }
    let text = value.to_string();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['&', '<', '"', '\'']) {
        let (plain, special) = rest.split_at(at);
        let mut chars = special.chars();
        let entity = match chars.next() {
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('"') => "&quot;",
            _ => "&#39;",
        };
        out.write_str(plain)?;
        out.write_str(entity)?;
        rest = chars.as_str();
    }
    Ok(out.write_str(rest)?)
}

fn failed(name: TemplateName, source: minijinja::Error) -> PageError {
    PageError::Template { name, line: source.line(), source: source.into() }
}

#[cfg(test)]
mod tests;
