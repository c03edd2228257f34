//! The one stylesheet of the pages, and its hash for the content security policy.

use std::fmt::Write;

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

use super::color::Color;
use super::theme::ThemeColors;
use super::{ColorScheme, PageError};

/// The stylesheet as it stands in the pages.
#[derive(Clone, Debug)]
pub(super) struct Stylesheet {
    css: String,
    hash: String,
}

impl Stylesheet {
    pub(super) fn new(
        scheme: ColorScheme,
        theme: &ThemeColors,
        brands: &[(&str, &str)],
    ) -> Result<Self, PageError> {
        let brands = brands
            .iter()
            .map(|&(id, color)| {
                let color =
                    Color::parse(color).ok_or_else(|| PageError::Brand { provider: id.to_owned() })?;
                Ok((class(id), color))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let light = LIGHT.rules(theme, &brands);
        let dark = DARK.rules(theme, &brands);
        let colors = match scheme {
            ColorScheme::Light => light,
            ColorScheme::Dark => dark,
            ColorScheme::Auto => format!("{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n"),
        };
        let css = format!("\n{colors}{RULES}");
        let hash = hash(&css);
        Ok(Self { css, hash })
    }

    pub(super) fn add(&mut self, css: &str) -> Result<(), PageError> {
        if css.contains("</") {
            return Err(PageError::Style);
        }
        self.css.push_str(css);
        self.hash = hash(&self.css);
        Ok(())
    }

    pub(super) fn css(&self) -> &str {
        &self.css
    }

    /// SHA-256 in Base64, as `style-src` wants it (CSP 3 §2.3.1).
    pub(super) fn hash(&self) -> &str {
        &self.hash
    }
}

/// Class that gives a provider's logo its colour.
pub(super) fn class(id: &str) -> String {
    let id: String = id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("provider-{id}")
}

/// One scheme: its declarations, and the two of them that other colours are fitted to. Buttons are what is
/// nearest to middle grey, so that what stands out from them stands out from the card as well.
struct Palette {
    declarations: &'static str,
    button: Color,
    ink: Color,
}

impl Palette {
    fn rules(&self, theme: &ThemeColors, brands: &[(String, Color)]) -> String {
        let mut css = self.declarations.to_owned();
        if let Some(brand) = theme.brand {
            self.write_theme(&mut css, brand, theme.button_text);
        } else if let Some(text) = theme.button_text {
            write_line(&mut css, format_args!(":root {{ --on-primary: {text}; }}"));
        }
        for (class, brand) in brands {
            // A black logo is white on dark, not grey.
            let shown = if brand.is_grey() && brand.contrast(self.button) < 4.5 {
                self.ink
            } else {
                brand.legible(self.button, self.ink, 3.0)
            };
            write_line(
                &mut css,
                format_args!(".{class} {{ --brand: {shown}; --tile: {brand}; --on-tile: {} }}", brand.ink()),
            );
        }
        css
    }

    fn write_theme(&self, css: &mut String, brand: Color, button_text: Option<Color>) {
        let text = button_text.unwrap_or_else(|| brand.ink());
        // Away from the text, so that pointing at a button never makes it harder to read.
        let pointed = brand.mix(text.ink(), 0.12);
        let edge = brand.legible(self.button, self.ink, 3.0);
        write_line(
            css,
            format_args!(
                ":root {{ --primary: {brand}; --primary-hover: {pointed}; --primary-edge: {edge}; \
                 --on-primary: {text}; --focus: {edge} }}"
            ),
        );
    }
}

fn write_line(css: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = writeln!(css, "{line}");
}

fn hash(css: &str) -> String {
    Base64::encode_string(&Sha256::digest(css.as_bytes()))
}

const RULES: &str = include_str!("style.css");

const LIGHT: Palette = Palette {
    declarations: include_str!("light.css"),
    button: Color::WHITE,
    ink: Color::new(0x1c, 0x1c, 0x1a),
};

const DARK: Palette = Palette {
    declarations: include_str!("dark.css"),
    button: Color::new(0x23, 0x23, 0x27),
    ink: Color::new(0xf3, 0xf3, 0xf1),
};

#[cfg(test)]
mod tests;
