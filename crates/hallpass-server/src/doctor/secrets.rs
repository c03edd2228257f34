//! Whether the secret can be guessed.

use crate::config::Config;

use super::finding::Finding;

pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let secrets = config.all_secrets();
    if secrets.is_empty() {
        // The settings say so already, and development mode makes one.
        return Vec::new();
    }
    let number =
        |index: usize| if secrets.len() == 1 { String::new() } else { format!(" number {}", index + 1) };
    let judged = secrets.iter().enumerate().map(|(index, secret)| match weakness(secret.expose()) {
        Weakness::None => Finding::ok(CHECK, format!("the secret{} is a good one", number(index))),
        Weakness::Example => Finding::problem(
            CHECK,
            format!("the secret{} is one of an example: anybody can make sessions with it", number(index)),
            CURE,
        ),
        Weakness::Guessable => Finding::problem(
            CHECK,
            format!("the secret{} repeats itself and can be guessed", number(index)),
            CURE,
        ),
        Weakness::Short => {
            Finding::warning(CHECK, format!("the secret{} holds less than 128 bits", number(index)), CURE)
        }
    });
    judged.collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weakness {
    None,
    Short,
    Guessable,
    Example,
}

/// An estimate from above: how often each character is there, and nothing about words.
fn weakness(secret: &str) -> Weakness {
    let lower = secret.to_lowercase();
    if EXAMPLES.iter().any(|example| lower.contains(example)) {
        return Weakness::Example;
    }
    let length = secret.chars().count();
    let mut counts = std::collections::HashMap::new();
    secret.chars().for_each(|c| *counts.entry(c).or_insert(0_u32) += 1);
    let total = f64::from(u32::try_from(length).unwrap_or(u32::MAX)).max(1.0);
    let bits: f64 =
        counts.values().map(|count| -f64::from(*count) * (f64::from(*count) / total).log2()).sum();
    let repeats = (1..=length / 2)
        .any(|period| secret.chars().zip(secret.chars().skip(period)).all(|(one, other)| one == other));
    if repeats || counts.len() < 8 || bits < 64.0 {
        Weakness::Guessable
    } else if bits < 100.0 {
        // A key of 128 bits in hexadecimal digits is estimated a little below.
        Weakness::Short
    } else {
        Weakness::None
    }
}

const CHECK: &str = "secret";

const CURE: &str = "make one with `hallpass secret`, put it in front of the old one (`secrets`, AUTH_SECRET_1), and take that out later";

/// Parts of what stands in documentation and in people's first files.
const EXAMPLES: &[&str] = &[
    "secret of at least 32 characters",
    "text of at least 32 characters",
    "changeme",
    "change-me",
    "change_me",
    "your-secret",
    "your_secret",
    "yoursecret",
    "my-secret",
    "supersecret",
    "super-secret",
    "nextauth",
    "next-auth",
    "password",
    "example",
    "0123456789abcdef",
    "1234567890",
    "abcdefghijklmnop",
    "correct horse",
    "put-the-",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_examples_and_patterns_are_told_from_good_ones() {
        for (secret, expected) in [
            ("a secret of at least 32 characters", Weakness::Example),
            ("CHANGEME-CHANGEME-CHANGEME-CHANGEME", Weakness::Example),
            ("abcabcabcabcabcabcabcabcabcabcabcabc", Weakness::Guessable),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Weakness::Guessable),
            ("1122112212121212211221121122111111122222", Weakness::Guessable),
            ("aabbccddeeffgghhaabbccddeeffgghi", Weakness::Short),
            ("5f1d0c7ab93e4862d1e07fb8a3c95d46", Weakness::None),
            ("q7Wc0m1yZ3x8bL5vN2rT9kPdHsJfGa4EuQiOYwXz6Rk=", Weakness::None),
        ] {
            assert_eq!(weakness(secret), expected, "{secret}");
        }
    }

    #[test]
    fn a_secret_that_hallpass_makes_is_a_good_one() {
        for _ in 0..50 {
            assert_eq!(weakness(crate::secret::new().unwrap().expose()), Weakness::None);
        }
    }
}
