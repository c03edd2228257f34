//! Answers, for people and for programs.

use std::fmt::Write as _;
use std::io::Write as _;

use serde::Serialize;

use crate::Failure;

/// How to answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    pub(crate) json: bool,
}

impl Printer {
    /// Prints `value` as JSON, or the text.
    pub(crate) fn answer(self, value: &impl Serialize, text: &str) -> Result<(), Failure> {
        if !self.json {
            return print(text);
        }
        let mut json = serde_json::to_string_pretty(value).map_err(Failure::other)?;
        json.push('\n');
        print(&json)
    }

    /// Prints `values` as JSON, or a table of rows.
    pub(super) fn table<const N: usize>(
        self,
        values: &impl Serialize,
        head: [&str; N],
        rows: &[[String; N]],
    ) -> Result<(), Failure> {
        self.answer(values, &table(head, rows))
    }
}

fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let head = head.map(str::to_owned);
    let all = || std::iter::once(&head).chain(rows);
    let mut widths = [0; N];
    for row in all() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in all() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            // Writing to a String does not fail.
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Whoever reads may have seen enough and closed the pipe: that is no failure.
fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(visible(text).as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::other(error)),
        _ => Ok(()),
    }
}

/// Names come from outside: in a terminal, none of their characters may do anything. JSON reads them back as they were.
fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && (c.is_control() || is_direction(c)) {
            let _ = write!(visible, "\\u{:04x}", u32::from(c));
        } else {
            visible.push(c);
        }
    }
    visible
}

/// Characters that turn the text behind them around.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A line in a table: a name with a line break must not look like two users.
pub(super) fn cell(text: Option<&str>) -> String {
    text.unwrap_or("-").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_reaches_the_terminal_as_a_command() {
        let shown = visible("a\u{1b}[2J\u{9b}1m\r\u{202E}b\n");
        assert_eq!(shown, "a\\u001b[2J\\u009b1m\\u000d\\u202eb\n");
        assert_eq!(cell(Some("a\nb")), "a\\nb");
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let rows = [["1".to_owned(), "Zoë".to_owned()], ["234".to_owned(), "-".to_owned()]];
        assert_eq!(table(["ID", "NAME"], &rows), "ID   NAME\n1    Zoë\n234  -\n");
    }
}
