//! Which keys the reader has asked for, and as what: the schema must have them all.

use std::cell::RefCell;

/// What a key is read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Flag,
    Integer,
    Duration,
    Texts,
    Choice(Vec<String>),
    Choices(Vec<String>),
    Section,
    /// As something that this module has no word for.
    Any,
}

/// Every key, by its path, in the order of asking, and the sections in which every key is a name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) keys: Vec<(String, Kind)>,
    pub(crate) free: Vec<String>,
}

/// What is asked for while `work` is done.
pub(crate) fn during(work: impl FnOnce()) -> Recorded {
    RECORDED.take();
    work();
    RECORDED.take()
}

pub(super) fn asked(path: &str) {
    RECORDED.with_borrow_mut(|recorded| {
        if !recorded.keys.iter().any(|(known, _)| known == path) {
            recorded.keys.push((path.to_owned(), Kind::Any));
        }
    });
}

/// The last word counts: a choice is read as a text, too.
pub(super) fn kind(path: &str, kind: Kind) {
    asked(path);
    RECORDED.with_borrow_mut(|recorded| {
        if let Some((_, known)) = recorded.keys.iter_mut().find(|(known, _)| known == path) {
            *known = kind;
        }
    });
}

pub(super) fn free(section: &str) {
    RECORDED.with_borrow_mut(|recorded| {
        if !recorded.free.iter().any(|known| known == section) {
            recorded.free.push(section.to_owned());
        }
    });
}

thread_local! {
    static RECORDED: RefCell<Recorded> = RefCell::default();
}
