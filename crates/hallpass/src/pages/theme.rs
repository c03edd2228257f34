//! The looks of the pages.

use serde::{Serialize, Serializer};
use url::Url;

use super::PageError;
use super::color::Color;

/// Looks of the built-in pages, in the words of Auth.js.
///
/// It serializes as Auth.js has it: `{"colorScheme":"auto","logo":"","brandColor":"","buttonText":""}`.
///
/// ```
/// use hallpass::pages::{ColorScheme, Theme};
///
/// let theme = Theme::new().title("Acme").logo("/logo.svg").brand_color("#0a7");
/// assert_eq!(theme.color_scheme, ColorScheme::Auto);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Theme {
    /// Light, dark, or what the visitor prefers. Default: [`ColorScheme::Auto`].
    pub color_scheme: ColorScheme,
    /// Address of an image above the heading: http, https or relative. Default: none.
    #[serde(serialize_with = "text_or_empty")]
    pub logo: Option<String>,
    /// Colour of the main button, `#rgb` or `#rrggbb`. Default: the colour of the text.
    #[serde(serialize_with = "text_or_empty")]
    pub brand_color: Option<String>,
    /// Colour of the text on the main button, `#rgb` or `#rrggbb`. Default: black or white, whichever reads
    /// better on the brand colour; best left alone.
    #[serde(serialize_with = "text_or_empty")]
    pub button_text: Option<String>,
    /// Name of the application: "Sign in to Acme". Default: none. Auth.js has no such field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ColorScheme {
    /// What the visitor's device prefers.
    #[default]
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl ColorScheme {
    /// `auto`, `light` or `dark`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// What the meta element `color-scheme` says.
    pub(super) fn supported(self) -> &'static str {
        match self {
            Self::Auto => "light dark",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Theme {
    /// The default looks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`color_scheme`](Self::color_scheme).
    pub fn color_scheme(self, color_scheme: ColorScheme) -> Self {
        Self { color_scheme, ..self }
    }

    /// Sets [`logo`](Self::logo).
    pub fn logo(self, address: impl Into<String>) -> Self {
        Self { logo: Some(address.into()), ..self }
    }

    /// Sets [`brand_color`](Self::brand_color).
    pub fn brand_color(self, color: impl Into<String>) -> Self {
        Self { brand_color: Some(color.into()), ..self }
    }

    /// Sets [`button_text`](Self::button_text).
    pub fn button_text(self, color: impl Into<String>) -> Self {
        Self { button_text: Some(color.into()), ..self }
    }

    /// Sets [`title`](Self::title).
    pub fn title(self, name: impl Into<String>) -> Self {
        Self { title: Some(name.into()), ..self }
    }

    pub(super) fn check(&self) -> Result<ThemeColors, PageError> {
        if let Some(problem) = filled(&self.logo).and_then(logo_problem) {
            return Err(PageError::Theme { field: "logo", problem });
        }
        let colors = ThemeColors {
            brand: color("brand_color", &self.brand_color)?,
            button_text: color("button_text", &self.button_text)?,
        };
        if let (Some(brand), Some(text)) = (colors.brand, colors.button_text)
            && brand.contrast(text) < 4.5
        {
            tracing::warn!("theme: button_text is hard to read on brand_color (WCAG asks for 4.5 to 1)");
        }
        Ok(colors)
    }

    /// Colours of the main button where no stylesheet reaches: its own, and that of its text.
    pub(crate) fn button_colors(&self) -> (String, String) {
        let parse = |text| filled(text).and_then(Color::parse);
        let brand = parse(&self.brand_color).unwrap_or(Color::BLACK);
        let text = parse(&self.button_text).unwrap_or_else(|| brand.ink());
        (brand.to_string(), text.to_string())
    }

    /// What the content security policy must name so that the logo is shown; https needs no naming.
    pub(super) fn logo_origin(&self) -> Option<String> {
        let url = Url::parse(filled(&self.logo)?).ok()?;
        (url.scheme() == "http").then(|| url.origin().ascii_serialization())
    }
}

/// The colours of a theme, checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct ThemeColors {
    pub(super) brand: Option<Color>,
    pub(super) button_text: Option<Color>,
}

/// The empty text means the same as none, as in Auth.js.
pub(super) fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

fn color(field: &'static str, text: &Option<String>) -> Result<Option<Color>, PageError> {
    let Some(text) = filled(text) else { return Ok(None) };
    let color = Color::parse(text).ok_or(PageError::Theme { field, problem: "is not #rgb or #rrggbb" })?;
    Ok(Some(color))
}

fn logo_problem(address: &str) -> Option<&'static str> {
    // Browsers drop tabs and line breaks before they look at the scheme.
    if address.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Some("holds white space or control characters");
    }
    match Url::parse(address) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => None,
        Ok(_) => Some("is not an http, https or relative address"),
        Err(url::ParseError::RelativeUrlWithoutBase) => None,
        Err(_) => Some("is not an address"),
    }
}

fn text_or_empty<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests;
