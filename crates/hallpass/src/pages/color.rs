//! Colours, and whether one can be read on another (WCAG 2.2 §1.4.3).

use std::fmt;

/// An opaque sRGB colour; prints as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Color {
    red: u8,
    green: u8,
    blue: u8,
}

impl Color {
    pub(super) const BLACK: Self = Self::new(0, 0, 0);
    pub(super) const WHITE: Self = Self::new(255, 255, 255);

    pub(super) const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// `#rgb` or `#rrggbb`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix('#')?;
        if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(hex, 16).ok()?;
        match hex.len() {
            3 => {
                let double = |shift: u32| ((number >> shift & 0xf) * 0x11) as u8;
                Some(Self::new(double(8), double(4), double(0)))
            }
            6 => Some(Self::new((number >> 16) as u8, (number >> 8) as u8, number as u8)),
            _ => None,
        }
    }

    /// Contrast ratio, 1 to 21.
    pub(super) fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Black or white, whichever reads better on this colour; never below 4.58 to 1.
    pub(super) fn ink(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) { Self::WHITE } else { Self::BLACK }
    }

    /// This colour, moved towards `ink` until it stands out from `surface` by `ratio`.
    pub(super) fn legible(self, surface: Self, ink: Self, ratio: f64) -> Self {
        (0..=20)
            .map(|step| self.mix(ink, f64::from(step) / 20.0))
            .find(|color| color.contrast(surface) >= ratio)
            .unwrap_or(ink)
    }

    /// This colour with `share` (0 to 1) of another.
    pub(super) fn mix(self, other: Self, share: f64) -> Self {
        let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
        Self::new(mix(self.red, other.red), mix(self.green, other.green), mix(self.blue, other.blue))
    }

    /// Whether it is close to a grey.
    pub(super) fn is_grey(self) -> bool {
        let (high, low) = (self.red.max(self.green).max(self.blue), self.red.min(self.green).min(self.blue));
        high - low < 24
    }

    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let c = f64::from(channel) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

#[cfg(test)]
mod tests;
