//! The users file: a section for each name.

use std::path::Path;

use hallpass::User;

use crate::config::{self, Document, Section};
use crate::users::{Hash, Users};

/// Why there are no users.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The file cannot be read.
    Unreadable(config::Problem),
    /// What is wrong in it.
    Wrong(Vec<config::Problem>),
}

pub(super) fn read(path: &Path) -> Result<Users, Problem> {
    into_users(Document::read(path).map_err(Problem::Unreadable)?).map_err(Problem::Wrong)
}

#[cfg(test)]
pub(super) fn parse(path: &Path, source: &str) -> Result<Users, Vec<config::Problem>> {
    into_users(Document::new(path, source))
}

fn into_users(document: Document) -> Result<Users, Vec<config::Problem>> {
    let users = read_all(&document);
    let problems = document.into_problems();
    if problems.is_empty() { Ok(users) } else { Err(problems) }
}

fn read_all(document: &Document) -> Users {
    let table = document.parse();
    let mut top = document.section(&table);
    let mut users = Users::default();
    for username in top.keys() {
        let Some(person) = top.section(username) else { continue };
        let place = person.span();
        let Some((user, hash)) = read_one(username, person) else { continue };
        if !users.add(username, user, hash) {
            document
                .note(place, format!("{username:?} is here twice: capital and small letters are the same"));
        }
    }
    users
}

fn read_one(username: &str, mut section: Section<'_>) -> Option<(User, Hash)> {
    let password = section.text("password");
    let id = section.text("id").map_or_else(|| username.to_owned(), |id| id.value);
    let mut user = User::new(id);
    user.name = section.text("name").map(|name| name.value);
    user.email = section.text("email").map(|email| email.value);
    user.image = section.text("image").map(|image| image.value);
    if let Some(role) = section.text("role") {
        user = user.with("role", role.value);
    }
    // Whatever else stands here is the application's, and its callbacks see it.
    for field in section.keys().filter(|field| !KNOWN.contains(field)) {
        if let Some(value) = section.json(field) {
            user = user.with(field, value);
        }
    }
    let Some(password) = password else {
        section.note(format!("[{username}] has no `password`: `hallpass user {username}` makes an entry"));
        return None;
    };
    match Hash::parse(&password.value) {
        Ok(hash) => Some((user, hash)),
        Err(what) => {
            section.document().note(password.span, format!("`{}` {what}", section.path_of("password")));
            None
        }
    }
}

const KNOWN: &[&str] = &["password", "id", "name", "email", "image", "role"];
