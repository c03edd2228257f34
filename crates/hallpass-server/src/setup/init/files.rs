//! The files that follow from the answers.

use hallpass::Secret;
use hallpass::random::SystemRandom;

use super::answers::{Answers, MailBy, Person};
use super::settings;
use super::write::NewFile;
use crate::cli::User;
use crate::config::SCHEMA;
use crate::users::Hash;
use crate::{Failure, secret, user};

/// All files; the settings last, which name the others.
///
/// # Errors
/// When the operating system has no random bytes to give.
pub(super) fn plan(answers: &Answers) -> Result<Vec<NewFile>, Failure> {
    let new = secret::new().map_err(Failure::other)?;
    let mut files = vec![private(SESSION, &new)];
    for chosen in answers.providers.iter().filter(|chosen| !chosen.is_for_later()) {
        let text = chosen
            .secret
            .clone()
            .unwrap_or_else(|| Secret::from(placeholder("client secret", chosen.spec.name)));
        files.push(private(&of_provider(chosen.spec.id), &text));
    }
    match answers.mail.as_ref().map(|mail| (&mail.by, &mail.key)) {
        Some((MailBy::Smtp(url), _)) => files.push(private(SMTP, url)),
        Some((MailBy::Service(name), key)) => {
            let text = key.clone().unwrap_or_else(|| Secret::from(placeholder("key", name)));
            files.push(private(MAIL_KEY, &text));
        }
        None => {}
    }
    if let Some(url) = answers.database.as_deref().filter(|url| !url.starts_with("sqlite:")) {
        files.push(private(DATABASE, &Secret::from(url)));
    }
    if let Some(person) = &answers.user {
        files.push(NewFile {
            path: USERS.to_owned(),
            text: users(person)?,
            is_private: true,
            is_shared: false,
        });
    }
    files.push(NewFile {
        path: ".gitignore".to_owned(),
        text: IGNORED.to_owned(),
        is_private: false,
        is_shared: true,
    });
    files.push(public(SCHEMA_FILE, SCHEMA.to_owned()));
    files.push(public("hallpass.toml", settings::text(answers)));
    Ok(files)
}

/// What stands where somebody has still to put something. There are no spaces in it: keys may hold none.
pub(crate) fn placeholder(what: &str, whose: &str) -> String {
    format!("put the {what} of {whose} here").replace(' ', "-")
}

/// Whether nobody has put anything there yet.
pub(crate) fn is_placeholder(text: &str) -> bool {
    text.starts_with("put-the-") && text.ends_with("-here")
}

/// Where the client secret of a provider is.
pub(super) fn of_provider(id: &str) -> String {
    format!("secrets/{id}.txt")
}

fn private(path: &str, text: &Secret) -> NewFile {
    NewFile {
        path: path.to_owned(),
        text: format!("{}\n", text.expose()),
        is_private: true,
        is_shared: false,
    }
}

fn public(path: &str, text: String) -> NewFile {
    NewFile { path: path.to_owned(), text, is_private: false, is_shared: false }
}

fn users(person: &Person) -> Result<String, Failure> {
    let hash = Hash::make(person.password.expose(), &SystemRandom).map_err(Failure::other)?;
    let person =
        User { username: person.name.clone(), name: None, email: None, role: Some("admin".to_owned()) };
    Ok(format!(
        "# People who sign in with a name and a password. One more: hallpass user <name> >> users.toml\n{}",
        user::entry(&person, &hash)
    ))
}

pub(super) const SESSION: &str = "secrets/session.txt";

pub(super) const SMTP: &str = "secrets/smtp.txt";

pub(super) const MAIL_KEY: &str = "secrets/mail.txt";

pub(super) const DATABASE: &str = "secrets/database.txt";

pub(super) const USERS: &str = "users.toml";

pub(super) const SCHEMA_FILE: &str = "hallpass.schema.json";

const IGNORED: &str = "# Hallpass\n/secrets/\n/users.toml*\n/hallpass.db*\n/.hallpass/\n";
