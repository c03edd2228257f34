//! Durations as people write them.

use std::time::Duration;

/// `30d`, `12h`, `15m`, `90s`; one unit, whole numbers.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number: u64 = digits.parse().ok()?;
    let unit = match text.get(digits.len()..)?.trim_start() {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "w" => 7 * 24 * 60 * 60,
        _ => return None,
    };
    number.checked_mul(unit).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_one_unit_is_a_duration() {
        for (text, seconds) in
            [("30d", 2_592_000), ("12h", 43_200), ("15 m", 900), ("90s", 90), ("2w", 1_209_600)]
        {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "d",
            "30",
            "30 days",
            "-1d",
            "1.5h",
            "1h30m",
            "99999999999999999999d",
            "18446744073709551615w",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
