//! A TOML file, read key by key, that knows which keys nobody has asked for.

use std::cell::RefCell;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::duration;
use super::problem::Problem;

/// A file that was read, and what is wrong with it.
#[derive(Debug)]
pub(crate) struct Document {
    path: PathBuf,
    source: String,
    problems: RefCell<Vec<Problem>>,
    secret_files: RefCell<Vec<PathBuf>>,
}

impl Document {
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let source = fs::read(path)
            .map_err(|error| Problem::new(format!("{} cannot be read: {error}", path.display())))?;
        let source = String::from_utf8(source)
            .map_err(|_| Problem::new(format!("{} is not UTF-8 text", path.display())))?;
        Ok(Self::new(path, source))
    }

    pub(crate) fn new(path: &Path, source: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            source: source.into(),
            problems: RefCell::default(),
            secret_files: RefCell::default(),
        }
    }

    /// The tables of the file. What is not TOML is noted and left out.
    pub(crate) fn parse(&self) -> DeTable<'_> {
        let (table, errors) = DeTable::parse_recoverable(&self.source);
        for error in errors {
            self.note(error.span().unwrap_or_default(), error.message());
        }
        table.into_inner()
    }

    /// The outermost section, which has no name.
    pub(crate) fn section<'a>(&'a self, table: &'a DeTable<'a>) -> Section<'a> {
        Section { document: self, name: String::new(), span: 0..0, table, asked: Vec::new() }
    }

    /// A path in the file is meant from the folder of the file.
    pub(crate) fn resolve(&self, path: &str) -> PathBuf {
        self.path.parent().map_or_else(|| PathBuf::from(path), |folder| folder.join(path))
    }

    pub(crate) fn note(&self, span: Range<usize>, message: impl Into<String>) {
        self.problems.borrow_mut().push(Problem::at(&self.path, &self.source, span, message));
    }

    /// Notes that a file holds something secret.
    pub(crate) fn note_secret_file(&self, path: &Path) {
        self.secret_files.borrow_mut().push(path.to_owned());
    }

    /// The files that hold something secret; this one too, where a secret stands in it.
    pub(crate) fn secret_files(&self) -> Vec<PathBuf> {
        let is_secret = |line: &str| {
            let key = line.split('=').next().unwrap_or_default().trim();
            line.contains('=') && ["secret", "secrets", "key", "smtp_url"].contains(&key)
        };
        let own = self.source.lines().any(is_secret).then(|| self.path.clone());
        self.secret_files.borrow().iter().cloned().chain(own).collect()
    }

    /// How many problems there are so far.
    pub(crate) fn problem_count(&self) -> usize {
        self.problems.borrow().len()
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Found<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

/// A table of a file. Each accessor asks for one key; [`Section::end`] refuses those that nobody asked for.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    document: &'a Document,
    name: String,
    span: Range<usize>,
    table: &'a DeTable<'a>,
    asked: Vec<&'a str>,
}

impl<'a> Section<'a> {
    /// The file.
    pub(crate) fn document(&self) -> &'a Document {
        self.document
    }

    /// A key of this section as it is called in messages: `session.max_age`.
    pub(crate) fn path_of(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// Where its name stands.
    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Notes what is wrong with the section as a whole.
    pub(crate) fn note(&self, message: impl Into<String>) {
        self.document.note(self.span.clone(), message);
    }

    /// Notes what is wrong with the value of a key.
    pub(crate) fn note_key(&self, key: &str, message: impl Into<String>) {
        self.document.note(self.key_span(key).unwrap_or_else(|| self.span.clone()), message);
    }

    pub(crate) fn text(&mut self, key: &'a str) -> Option<Found<String>> {
        #[cfg(test)]
        record::kind(&self.path_of(key), record::Kind::Text);
        let value = self.ask(key)?;
        match value.get_ref() {
            DeValue::String(text) if text.trim().is_empty() => self.wrong(key, value, "must not be empty"),
            DeValue::String(text) => Some(found(value, text.to_string())),
            _ => self.wrong_kind(key, value, "a text in quotation marks"),
        }
    }

    pub(crate) fn flag(&mut self, key: &'a str) -> Option<bool> {
        #[cfg(test)]
        record::kind(&self.path_of(key), record::Kind::Flag);
        let value = self.ask(key)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => self.wrong_kind(key, value, "true or false, without quotation marks"),
        }
    }

    pub(crate) fn integer(&mut self, key: &'a str) -> Option<u32> {
        #[cfg(test)]
        record::kind(&self.path_of(key), record::Kind::Integer);
        let value = self.ask(key)?;
        let number = value.get_ref().as_integer().and_then(number);
        match number.and_then(|number| u32::try_from(number).ok()) {
            Some(number) => Some(number),
            None => self.wrong_kind(key, value, "a whole number"),
        }
    }

    /// A whole number of seconds, or a text such as `30d`.
    pub(crate) fn duration(&mut self, key: &'a str) -> Option<Duration> {
        #[cfg(test)]
        record::kind(&self.path_of(key), record::Kind::Duration);
        let value = self.ask(key)?;
        let duration = match value.get_ref() {
            DeValue::Integer(integer) => number(integer).map(Duration::from_secs),
            DeValue::String(text) => duration::parse(text),
            _ => None,
        };
        duration.or_else(|| {
            self.wrong_kind(key, value, "a duration such as \"30d\", \"12h\", \"15m\" or \"90s\", or seconds")
        })
    }

    /// Several texts.
    pub(crate) fn texts(&mut self, key: &'a str) -> Option<Vec<String>> {
        #[cfg(test)]
        record::kind(&self.path_of(key), record::Kind::Texts);
        let value = self.ask(key)?;
        let texts = value.get_ref().as_array().and_then(|items| {
            items.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        texts.or_else(|| self.wrong_kind(key, value, "a list of texts such as [\"one\", \"two\"]"))
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(&mut self, key: &'a str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key);
        #[cfg(test)]
        record::kind(
            &self.path_of(key),
            record::Kind::Choice(choices.iter().map(|(word, _)| (*word).to_owned()).collect()),
        );
        let text = text?;
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == text.value) {
            return Some(*choice);
        }
        let name = self.path_of(key);
        self.document.note(text.span, format!("`{name}` must be one of {}", words_of(choices)));
        None
    }

    /// A list of some of a few words.
    pub(crate) fn choices<T: Copy>(&mut self, key: &'a str, choices: &[(&str, T)]) -> Option<Vec<T>> {
        #[cfg(test)]
        record::kind(
            &self.path_of(key),
            record::Kind::Choices(choices.iter().map(|(word, _)| (*word).to_owned()).collect()),
        );
        let value = self.ask(key)?;
        let chosen = value.get_ref().as_array().and_then(|items| {
            let choice =
                |word: &str| choices.iter().find(|(other, _)| *other == word).map(|(_, choice)| *choice);
            items.iter().map(|item| item.get_ref().as_str().and_then(choice)).collect::<Option<Vec<_>>>()
        });
        chosen.or_else(|| self.wrong_kind(key, value, &format!("a list of some of {}", words_of(choices))))
    }

    /// A section inside this one.
    pub(crate) fn section(&mut self, key: &'a str) -> Option<Self> {
        #[cfg(test)]
        record::kind(&self.path_of(key), record::Kind::Section);
        let value = self.ask(key)?;
        let span = self.key_span(key).unwrap_or_else(|| value.span());
        match value.get_ref() {
            DeValue::Table(table) => {
                let name = self.path_of(key);
                Some(Section { document: self.document, name, span, table, asked: Vec::new() })
            }
            _ => self.wrong_kind(key, value, &format!("a section: [{}]", self.path_of(key))),
        }
    }

    /// The keys that are there, for a section in which every key is a name.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        #[cfg(test)]
        record::free(&self.name);
        self.table.keys().map(|key| key.get_ref().as_ref())
    }

    /// Whether one of these keys is there, right or wrong.
    pub(crate) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.table.contains_key(*key))
    }

    /// A value of any kind, as JSON.
    pub(crate) fn json(&mut self, key: &'a str) -> Option<serde_json::Value> {
        self.ask(key).map(|value| json(value.get_ref()))
    }

    /// Where the value of a key stands.
    pub(crate) fn value_span(&self, key: &str) -> Range<usize> {
        self.table.get(key).map(Spanned::span).unwrap_or_default()
    }

    /// Refuses the keys that nobody has asked for.
    pub(crate) fn end(self) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if self.asked.contains(&name) {
                continue;
            }
            let place = if self.name.is_empty() { String::new() } else { format!(" in [{}]", self.name) };
            let hint = match nearest(name, self.asked.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known here: {}", self.asked.join(", ")),
            };
            self.document.note(key.span(), format!("unknown key `{name}`{place}: {hint}"));
        }
    }

    fn ask(&mut self, key: &'a str) -> Option<&'a Spanned<DeValue<'a>>> {
        #[cfg(test)]
        record::asked(&self.path_of(key));
        self.asked.push(key);
        self.table.get(key)
    }

    fn key_span(&self, key: &str) -> Option<Range<usize>> {
        self.table.keys().find(|known| known.get_ref() == key).map(Spanned::span)
    }

    fn wrong_kind<T>(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) -> Option<T> {
        let kind = match value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a section",
        };
        self.wrong(key, value, &format!("must be {expected}; it is {kind}"))
    }

    fn wrong<T>(&self, key: &str, value: &Spanned<DeValue<'_>>, what: &str) -> Option<T> {
        let name = self.path_of(key);
        self.document.note(value.span(), format!("`{name}` {what}"));
        None
    }
}

/// The known name that is most like `name`, if it could be a slip of the fingers: one in three letters is wrong.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_lowercase();
    let most = (name.chars().count() / 3).max(1);
    known
        .map(|known| (strsim::osa_distance(&name, known), known))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, known)| known)
}

/// The words that there are to choose from, as they are written.
fn words_of<T>(choices: &[(&str, T)]) -> String {
    choices.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

fn found<T>(at: &Spanned<DeValue<'_>>, value: T) -> Found<T> {
    Found { value, span: at.span() }
}

fn number(integer: &toml::de::DeInteger<'_>) -> Option<u64> {
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn json(value: &DeValue<'_>) -> serde_json::Value {
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or_else(|_| integer.as_str().into(), Into::into),
        DeValue::Float(float) => float.as_str().parse::<f64>().unwrap_or_default().into(),
        DeValue::Boolean(flag) => (*flag).into(),
        DeValue::Datetime(date) => date.to_string().into(),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => {
            table.iter().map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref()))).collect()
        }
    }
}

#[cfg(test)]
pub(crate) mod record;
#[cfg(test)]
mod tests;
