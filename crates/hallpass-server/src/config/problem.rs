//! What is wrong with the settings: all of it, each with the place and what mends it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// One mistake.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    #[serde(flatten)]
    place: Option<Place>,
    message: String,
}

/// Where in which file.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Place {
    file: PathBuf,
    line: usize,
    column: usize,
}

impl Problem {
    /// A mistake that is in no file, or in a whole one.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { place: None, message: message.into() }
    }

    /// A mistake at some bytes of a file.
    pub(crate) fn at(file: &Path, source: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        let before = source.get(..span.start).unwrap_or(source);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let place = Place {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
        };
        Self { place: Some(place), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { file, line, column }) = &self.place {
            write!(f, "{}, line {line}, column {column}: ", file.display())?;
        }
        f.write_str(&self.message)
    }
}

/// Every mistake that was found; at least one.
#[derive(Debug, Serialize)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Those of files first, from the top to the bottom.
    pub(crate) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|one, other| {
            let place =
                |problem: &Problem| problem.place.as_ref().map(|it| (it.file.clone(), it.line, it.column));
            one.place.is_none().cmp(&other.place.is_none()).then_with(|| place(one).cmp(&place(other)))
        });
        Self(problems)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [only] => write!(f, "the configuration has a mistake\n  - {only}"),
            all => {
                write!(f, "the configuration has {} mistakes", all.len())?;
                all.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
            }
        }
    }
}

impl std::error::Error for Problems {}
