//! The cookies of a request, and the session put together from its pieces.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use http::HeaderMap;
use http::header::COOKIE;
use percent_encoding::percent_decode_str;

#[cfg(feature = "engine")]
use crate::jose::Dialect;

/// The cookies of a request. Printing them shows their names only.
#[derive(Clone, Default)]
pub(crate) struct Cookies {
    text: String,
    /// Where in the text each name and its value are.
    places: Vec<(Range<usize>, Range<usize>)>,
}

/// The pieces of the session cookie in a request.
#[cfg_attr(feature = "engine", derive(Default))]
pub(crate) struct Pieces<'a> {
    /// Names of all pieces seen, usable or not, in every dialect.
    pub(crate) names: Vec<&'a str>,
    /// The whole value, where the pieces make one.
    pub(crate) value: Option<Cow<'a, str>>,
    /// Who wrote it, as its name says.
    #[cfg(feature = "engine")]
    pub(crate) dialect: Option<Dialect>,
    /// Another session: the browser has cookies of two dialects.
    #[cfg(feature = "engine")]
    pub(crate) other: Option<(Dialect, Cow<'a, str>)>,
}

impl Cookies {
    pub(crate) fn parse(headers: &HeaderMap) -> Self {
        let mut cookies = Self::default();
        for header in headers.get_all(COOKIE) {
            let bytes = header.as_bytes();
            match std::str::from_utf8(bytes) {
                Ok(text) => cookies.add(text),
                Err(_) => cookies.add(&String::from_utf8_lossy(bytes)),
            }
        }
        cookies
    }

    fn add(&mut self, header: &str) {
        let mut start = self.text.len();
        self.text.push_str(header);
        for pair in header.split(';') {
            let place = |part: &str, start: usize| {
                let trimmed = part.trim_start();
                let start = start + part.len() - trimmed.len();
                start..start + trimmed.trim_end().len()
            };
            if let Some((name, value)) = pair.split_once('=')
                && !name.trim().is_empty()
                && self.places.len() < MAX_COOKIES
            {
                self.places.push((place(name, start), place(value, start + name.len() + 1)));
            }
            start += pair.len() + 1;
        }
    }

    /// Names, and values as they were sent.
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let text = |place: &Range<usize>| self.text.get(place.clone()).unwrap_or_default();
        self.places.iter().map(move |(name, value)| (text(name), text(value)))
    }

    /// The value of a cookie. Several of one name with different values are none: a sibling domain or a longer
    /// path may have planted one, and nobody can say which.
    pub(crate) fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self.pairs().filter(|(other, _)| *other == name).map(|(_, value)| decode(value));
        let first = values.next()?;
        values.all(|other| other == first).then_some(first)
    }

    /// The session cookie, put together: either the one cookie, or the pieces `.0`, `.1`, … without a gap.
    pub(crate) fn pieces(&self, name: &str) -> Pieces<'_> {
        let mut names = Vec::new();
        let mut numbered = 0;
        let mut whole = false;
        for (other, value) in self.pairs() {
            let Some(rest) = other.strip_prefix(name) else { continue };
            let is_whole = rest.is_empty();
            let is_piece = rest.strip_prefix('.').is_some_and(is_piece_number);
            if (!is_whole && !is_piece) || value.is_empty() || names.contains(&other) {
                continue;
            }
            whole |= is_whole;
            numbered += usize::from(is_piece);
            names.push(other);
        }
        let value = match (whole, numbered) {
            (true, 0) => self.get(name),
            (false, 1..) => {
                let pieces = (0..numbered).map(|index| self.get(&format!("{name}.{index}")));
                pieces.collect::<Option<String>>().map(Cow::Owned)
            }
            _ => None,
        };
        Pieces {
            names,
            value,
            #[cfg(feature = "engine")]
            dialect: None,
            #[cfg(feature = "engine")]
            other: None,
        }
    }
}

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.pairs().map(|(name, _)| name)).finish()
    }
}

/// `0`, `1`, …, as they are written: no sign, no leading zero, and not too many.
fn is_piece_number(text: &str) -> bool {
    text.parse::<u8>().is_ok_and(|number| usize::from(number) < MAX_PIECES && number.to_string() == text)
}

/// Percent-decodes where that gives a text; else the value is taken as it is.
fn decode(value: &str) -> Cow<'_, str> {
    if !value.contains('%') {
        return Cow::Borrowed(value);
    }
    percent_decode_str(value).decode_utf8().unwrap_or(Cow::Borrowed(value))
}

/// More pieces than a browser keeps.
const MAX_PIECES: usize = 50;

/// More cookies than a browser sends.
const MAX_COOKIES: usize = 300;
