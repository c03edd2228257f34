//! The options of a step: `--name value`.

use crate::command::Failure;

/// Options as they were given.
#[derive(Debug)]
pub(crate) struct Options<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Options<'a> {
    /// Reads `--name value` pairs; only the names in `known` are taken.
    pub(crate) fn parse(arguments: &'a [String], known: &[&str]) -> Result<Self, Failure> {
        let mut pairs = Vec::new();
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            if !known.contains(&name.as_str()) {
                let list = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(Failure::new(format!("unknown option {name}; known: {list}")));
            }
            let Some(value) = rest.next() else {
                return Err(Failure::new(format!("{name} needs a value")));
            };
            pairs.push((name.as_str(), value.as_str()));
        }
        Ok(Self(pairs))
    }

    pub(crate) fn value(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(given, _)| *given == name).map(|(_, value)| *value)
    }
}
