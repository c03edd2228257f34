//! Whether this machine knows what time it is: tokens are valid for minutes.

use super::client::Asking;
use super::finding::Finding;

pub(super) fn findings(asking: &Asking) -> Vec<Finding> {
    let clocks = asking.clocks();
    let mut ahead: Vec<i64> = clocks.iter().map(|(_, seconds)| *seconds).collect();
    ahead.sort_unstable();
    let Some(middle) = ahead.get(ahead.len() / 2).copied() else {
        return vec![Finding::warning(CHECK, "nobody has told the time", "")];
    };
    let mut findings = Vec::new();
    for (host, seconds) in clocks.iter().filter(|(_, seconds)| seconds.abs() > DOUBTFUL) {
        let direction = if *seconds > 0 { "behind" } else { "ahead of" };
        let message =
            format!("the clock of this machine is {} seconds {direction} that of {host}", seconds.abs());
        // One of several may be wrong itself.
        let is_ours = middle.abs() > DOUBTFUL;
        let cure = match is_ours {
            true => "set the clock, and keep it right with NTP (systemd-timesyncd, chrony)",
            false => "the others agree with this machine: tell whoever runs that one",
        };
        findings.push(match seconds.abs() > WRONG {
            true => Finding::problem(CHECK, message, cure),
            false => Finding::warning(CHECK, message, cure),
        });
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, format!("right within {DOUBTFUL} seconds")));
    }
    findings
}

const CHECK: &str = "clock";

/// In seconds. The header has whole ones, and an answer takes its time.
const DOUBTFUL: i64 = 10;

/// In seconds: ID tokens of the next minutes are not valid yet.
const WRONG: i64 = 60;
