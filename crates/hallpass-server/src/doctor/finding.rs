//! What was found: fine, doubtful or wrong, and what mends it.

use serde::Serialize;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// What it is about, in one word.
    pub(super) check: &'static str,
    pub(super) verdict: Verdict,
    /// One line.
    pub(super) message: String,
    /// What mends it, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cure: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Ok,
    Warning,
    Problem,
}

impl Finding {
    pub(super) fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, message: one_line(message.into()), cure: None }
    }

    pub(super) fn warning(check: &'static str, message: impl Into<String>, cure: impl Into<String>) -> Self {
        let cure = Some(one_line(cure.into()));
        Self { check, verdict: Verdict::Warning, message: one_line(message.into()), cure }
    }

    pub(super) fn problem(check: &'static str, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { verdict: Verdict::Problem, ..Self::warning(check, message, cure) }
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Problem => "PROBLEM",
        };
        let mut text = format!("{verdict:<8}{:<11}{}\n", self.check, self.message);
        if let Some(cure) = self.cure.as_ref().filter(|cure| !cure.is_empty()) {
            text.push_str(&format!("{:<19}{cure}\n", ""));
        }
        text
    }
}

fn one_line(text: String) -> String {
    if text.contains(['\n', '\r']) { text.replace("\r\n", " ").replace(['\n', '\r'], " ") } else { text }
}
