//! Parts of the file that are read on their own.

use hallpass::{PagePaths, Secret};

use super::document::{Document, Found, Section};
use super::problem::Problem;
use crate::users::{Problem as UserProblem, Users};

/// `secrets`, `secret` or `secret_file`: one of them.
pub(super) fn read_secrets(top: &mut Section<'_>) -> Vec<Secret> {
    let one = top.text("secret");
    let file = top.text("secret_file");
    let list = top.texts("secrets");
    if [one.is_some(), file.is_some(), list.is_some()].into_iter().filter(|given| *given).count() > 1 {
        top.note("`secret`, `secret_file` and `secrets` say the same: keep one of them");
    }
    if let Some(secret) = one {
        return vec![Secret::from(secret.value)];
    }
    if let Some(list) = list {
        return list.into_iter().map(Secret::from).collect();
    }
    file.and_then(|file| read_secret_file(top.document(), &file)).into_iter().collect()
}

/// A text that may be secret: in the key, or in the file that another key names.
pub(super) fn read_text_or_file<'a>(
    section: &mut Section<'a>,
    key: &'a str,
    file_key: &'a str,
) -> Option<Found<String>> {
    let (text, file) = (section.text(key), section.text(file_key));
    if let (Some(_), Some(file)) = (&text, &file) {
        let (key, file_key) = (section.path_of(key), section.path_of(file_key));
        section
            .document()
            .note(file.span.clone(), format!("`{key}` and `{file_key}` say the same: keep one of them"));
    }
    text.or_else(|| {
        let file = file?;
        let secret = read_secret_file(section.document(), &file)?;
        Some(Found { value: secret.expose().trim().to_owned(), span: file.span })
    })
}

/// The text of a file, without the line break at its end.
pub(super) fn read_secret_file(document: &Document, file: &Found<String>) -> Option<Secret> {
    let path = document.resolve(&file.value);
    document.note_secret_file(&path);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => Secret::from(text),
        Err(error) => {
            document.note(file.span.clone(), format!("{} cannot be read: {error}", path.display()));
            return None;
        }
    };
    let trimmed = text.expose().trim_end_matches(['\r', '\n']);
    if trimmed.trim().is_empty() {
        document.note(file.span.clone(), format!("{} is empty", path.display()));
        return None;
    }
    Some(Secret::from(trimmed))
}

pub(super) fn read_users(top: &mut Section<'_>, problems: &mut Vec<Problem>) -> Users {
    let Some(file) = top.text("users_file") else { return Users::default() };
    let path = top.document().resolve(&file.value);
    top.document().note_secret_file(&path);
    match Users::read(&path) {
        Ok(users) => users,
        Err(UserProblem::Unreadable(problem)) => {
            top.document().note(file.span, problem.to_string());
            Users::default()
        }
        Err(UserProblem::Wrong(wrong)) => {
            problems.extend(wrong);
            Users::default()
        }
    }
}

pub(super) fn read_pages(mut section: Section<'_>) -> PagePaths {
    let mut pages = PagePaths::new();
    for (key, set) in PAGES {
        if let Some(page) = section.text(key) {
            pages = set(pages, page.value);
        }
    }
    section.end();
    pages
}

/// A key and the method that takes its text.
pub(super) type Setter<T> = (&'static str, fn(T, String) -> T);

const PAGES: [Setter<PagePaths>; 5] = [
    ("sign_in", PagePaths::sign_in),
    ("sign_out", PagePaths::sign_out),
    ("error", PagePaths::error),
    ("verify_request", PagePaths::verify_request),
    ("new_user", PagePaths::new_user),
];
