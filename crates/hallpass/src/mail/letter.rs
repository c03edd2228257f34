//! What a mail says: three templates.

use std::fmt;
use std::time::Duration;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

use crate::error::BoxError;
use crate::pages::{Theme, write_escaped};

/// Which template of the mail to replace. Each is given `site` (title of the theme, else the host), `host`, `url`
/// (the link), `email` (the address it goes to), `lifetime` ("10 minutes"), `brand_color`, `button_text`,
/// `color_scheme` (`auto`, `light` or `dark`) and `logo` (an http or https address, or none).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MailTemplate {
    /// The subject: what it yields becomes one line.
    Subject,
    /// The text.
    Text,
    /// The HTML. Values are escaped.
    Html,
}

impl MailTemplate {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Subject, Self::Text, Self::Html];

    /// The name in messages, such as `mail.html`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "mail.subject",
            Self::Text => "mail.txt",
            Self::Html => "mail.html",
        }
    }

    /// Whether a template can take the place of the built-in one.
    ///
    /// # Errors
    /// When it does not compile, or asks for something that mails do not have.
    pub fn check(self, source: &str) -> Result<(), MailTemplateError> {
        Letters::new(&Theme::new(), &[(self, source.to_owned())]).map(|_| ())
    }

    fn source(self) -> &'static str {
        match self {
            Self::Subject => include_str!("subject.txt"),
            Self::Text => include_str!("link.txt"),
            Self::Html => include_str!("link.html"),
        }
    }
}

impl fmt::Display for MailTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A template of a mail does not work.
#[derive(Debug, thiserror::Error)]
#[error("template {name}: {source}")]
#[non_exhaustive]
pub struct MailTemplateError {
    /// Which one.
    pub name: MailTemplate,
    /// In which line, where that is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub source: BoxError,
}

impl MailTemplateError {
    fn new(name: MailTemplate, error: minijinja::Error) -> Self {
        Self { name, line: error.line(), source: error.into() }
    }
}

/// The compiled templates, with everything in them that is the same in each mail.
#[derive(Clone, Debug)]
pub(crate) struct Letters {
    environment: Environment<'static>,
    title: Option<String>,
    always: Value,
}

/// What is different in each mail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter<'a> {
    pub(crate) host: &'a str,
    pub(crate) url: &'a str,
    pub(crate) email: &'a str,
    pub(crate) lifetime: Duration,
}

impl Letters {
    /// # Errors
    /// When a replaced template does not compile, or asks for something that mails do not have.
    pub(crate) fn new(theme: &Theme, replaced: &[(MailTemplate, String)]) -> Result<Self, MailTemplateError> {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|name| match name == MailTemplate::Html.as_str() {
            true => AutoEscape::Html,
            false => AutoEscape::None,
        });
        environment.set_formatter(|out, state, value| match state.auto_escape() {
            AutoEscape::None => Ok(write!(out, "{value}")?),
            _ => write_escaped(out, state, value),
        });
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        let built_in = MailTemplate::ALL.iter().map(|name| (*name, name.source().to_owned()));
        for (name, source) in built_in.chain(replaced.iter().cloned()) {
            let added = environment.add_template_owned(name.as_str(), source);
            added.map_err(|error| MailTemplateError::new(name, error))?;
        }
        let (brand_color, button_text) = theme.button_colors();
        // A mail is read elsewhere: a path leads nowhere there.
        let logo =
            theme.logo.as_deref().filter(|logo| logo.starts_with("https:") || logo.starts_with("http:"));
        let always = context! { brand_color, button_text, logo, color_scheme => theme.color_scheme.as_str() };
        let title = theme.title.clone().filter(|title| !title.is_empty());
        let letters = Self { environment, title, always };
        let sample = Letter {
            host: "app.example.com",
            url: "https://app.example.com/",
            email: "someone@example.com",
            lifetime: Duration::from_secs(600),
        };
        for &name in MailTemplate::ALL {
            letters.fill(name, sample)?;
        }
        Ok(letters)
    }

    /// # Errors
    /// When a replaced template fails on this data.
    pub(crate) fn fill(&self, name: MailTemplate, letter: Letter<'_>) -> Result<String, MailTemplateError> {
        let data = context! {
            site => self.title.as_deref().unwrap_or(letter.host),
            host => letter.host,
            url => letter.url,
            email => letter.email,
            lifetime => in_words(letter.lifetime),
            ..self.always.clone()
        };
        let filled = self.environment.get_template(name.as_str()).and_then(|template| template.render(data));
        let filled = filled.map_err(|error| MailTemplateError::new(name, error))?;
        Ok(match name {
            MailTemplate::Subject => one_line(&filled),
            MailTemplate::Text | MailTemplate::Html => filled,
        })
    }
}

/// A line break would end the header.
fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn in_words(lifetime: Duration) -> String {
    let seconds = lifetime.as_secs();
    let (number, unit) = match seconds {
        0..60 => (seconds, "second"),
        _ if seconds.is_multiple_of(3600) => (seconds / 3600, "hour"),
        _ => (seconds / 60, "minute"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
