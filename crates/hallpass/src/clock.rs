//! The time, as an input.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
///
/// Tokens count in seconds, JavaScript in milliseconds; this holds both without loss.
///
/// ```
/// use hallpass::Timestamp;
/// use std::time::Duration;
///
/// let start = Timestamp::from_seconds(1_700_000_000);
/// assert_eq!((start + Duration::from_secs(60)).seconds(), 1_700_000_060);
/// assert_eq!(start.to_iso(), "2023-11-14T22:13:20.000Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last millisecond of the year 9999, for what never ends: the last moment that a date with a year of four
    /// digits can name (RFC 3339 §5.6).
    pub const END_OF_TIME: Self = Self(253_402_300_799_999);

    /// From whole seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// `2026-11-20T10:00:00.000Z`, as JavaScript's `Date.prototype.toISOString` writes it.
    pub fn to_iso(self) -> String {
        let date = self.date_time();
        let mut text = String::with_capacity(24);
        push_digits(&mut text, 4, date.year().unsigned_abs());
        for (separator, number) in [
            ('-', u8::from(date.month())),
            ('-', date.day()),
            ('T', date.hour()),
            (':', date.minute()),
            (':', date.second()),
        ] {
            text.push(separator);
            push_digits(&mut text, 2, number.into());
        }
        text.push('.');
        push_digits(&mut text, 3, date.millisecond().into());
        text.push('Z');
        text
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7), as cookies have it.
    #[cfg(feature = "engine")]
    pub(crate) fn to_http_date(self) -> String {
        let date = self.date_time();
        let mut text = String::with_capacity(29);
        text.push_str(DAYS.get(usize::from(date.weekday().number_days_from_monday())).unwrap_or(&""));
        text.push_str(", ");
        push_digits(&mut text, 2, date.day().into());
        text.push(' ');
        text.push_str(MONTHS.get(usize::from(u8::from(date.month())) - 1).unwrap_or(&""));
        text.push(' ');
        push_digits(&mut text, 4, date.year().unsigned_abs());
        for (separator, number) in [(' ', date.hour()), (':', date.minute()), (':', date.second())] {
            text.push(separator);
            push_digits(&mut text, 2, number.into());
        }
        text.push_str(" GMT");
        text
    }

    /// Reads an RFC 3339 text.
    pub fn from_iso(text: &str) -> Option<Self> {
        let date = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(date.unix_timestamp_nanos() / 1_000_000).ok().map(Self)
    }

    /// The moment in parts; what lies before 1970 or after 9999 is the first or the last moment between.
    fn date_time(self) -> OffsetDateTime {
        let shown = self.0.clamp(0, Self::END_OF_TIME.0);
        OffsetDateTime::UNIX_EPOCH + time::Duration::milliseconds(shown)
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(rhs.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(rhs.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_iso())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_iso(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

/// The last digits of a number, with zeros in front.
fn push_digits(text: &mut String, digits: u32, number: u32) {
    for place in (0..digits).rev() {
        text.extend(char::from_digit(number / 10_u32.pow(place) % 10, 10));
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine: the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(feature = "engine")]
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

#[cfg(feature = "engine")]
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests;
