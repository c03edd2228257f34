//! The session cookies of a browser, in each dialect.

use crate::jose::Dialect;
use crate::received::{Cookies, Pieces};

impl Cookies {
    /// The session cookies of each dialect. The first one is the one that counts.
    pub(crate) fn session<'a>(&'a self, named: impl Iterator<Item = (Dialect, &'a str)>) -> Pieces<'a> {
        let mut all = Pieces::default();
        for (dialect, name) in named {
            all.add(dialect, self.pieces(name));
        }
        all
    }
}

impl<'a> Pieces<'a> {
    /// The values that there are, each with who wrote it.
    pub(crate) fn values(&self) -> impl Iterator<Item = (Option<Dialect>, &str)> {
        let other = self.other.as_ref().map(|(dialect, value)| (Some(*dialect), value.as_ref()));
        self.value.as_deref().map(|value| (self.dialect, value)).into_iter().chain(other)
    }

    /// Whether there is a cookie of another dialect than this one.
    pub(crate) fn is_foreign(&self, written: Dialect) -> bool {
        self.other.is_some() || self.dialect.is_some_and(|dialect| dialect != written)
    }

    /// With the other session in place of this one.
    pub(crate) fn swapped(mut self) -> Self {
        let Some((dialect, value)) = self.other.take() else { return self };
        self.other = self.dialect.zip(self.value);
        Self { dialect: Some(dialect), value: Some(value), ..self }
    }

    fn add(&mut self, dialect: Dialect, found: Self) {
        if found.names.is_empty() {
            return;
        }
        for name in found.names {
            if !self.names.contains(&name) {
                self.names.push(name);
            }
        }
        if self.dialect.is_none() {
            self.dialect = Some(dialect);
            self.value = found.value;
        } else if self.other.is_none() {
            self.other = found.value.map(|value| (dialect, value));
        }
    }
}
