//! `hallpass user`: an entry for the users file.

use std::fmt::Write;
use std::io::{self, BufRead, IsTerminal};

use hallpass::Secret;
use hallpass::random::SystemRandom;

use crate::Failure;
use crate::cli::User;
use crate::users::{Hash, LONGEST_PASSWORD};

pub(crate) fn run(person: &User) -> Result<(), Failure> {
    if person.username.trim().is_empty() {
        return Err(Failure::other("the username is empty"));
    }
    let password = ask()?;
    if password.expose().is_empty() {
        return Err(Failure::other("the password is empty"));
    }
    if password.expose().len() > LONGEST_PASSWORD {
        return Err(Failure::Other(format!("the password is longer than {LONGEST_PASSWORD} bytes")));
    }
    let hash = Hash::make(password.expose(), &SystemRandom).map_err(Failure::other)?;
    print!("{}", entry(person, &hash));
    Ok(())
}

/// Twice from a terminal, which does not show it; once from a pipe.
fn ask() -> Result<Secret, Failure> {
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map_err(Failure::other)?;
        let line = Secret::from(line);
        let text = line.expose();
        let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
        return Ok(Secret::from(text));
    }
    let [first, second] =
        ["Password: ", "Again: "].map(|prompt| rpassword::prompt_password(prompt).map(Secret::from));
    let first = first.map_err(Failure::other)?;
    if !first.matches(second.map_err(Failure::other)?.expose()) {
        return Err(Failure::other("the two passwords differ"));
    }
    Ok(first)
}

/// A section of the users file.
pub(crate) fn entry(person: &User, hash: &str) -> String {
    let mut entry = format!("[{}]\npassword = {}\n", key(&person.username), quoted(hash));
    for (name, value) in [("name", &person.name), ("email", &person.email), ("role", &person.role)] {
        if let Some(value) = value {
            // Writing to a String does not fail.
            let _ = writeln!(entry, "{name} = {}", quoted(value));
        }
    }
    entry
}

/// A name as the key of a section: quoted unless it is plain.
fn key(name: &str) -> String {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if plain { name.to_owned() } else { quoted(name) }
}

/// A basic string of TOML.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_quoted_so_that_the_file_can_be_read() {
        let person = User {
            username: "ada@example.com".to_owned(),
            name: Some("Ada \"the Countess\" \\ \u{7}".to_owned()),
            email: None,
            role: Some("admin".to_owned()),
        };
        let expected = "[\"ada@example.com\"]\npassword = \"$argon2id$\"\n\
                        name = \"Ada \\\"the Countess\\\" \\\\ \\u0007\"\nrole = \"admin\"\n";
        assert_eq!(entry(&person, "$argon2id$"), expected);
    }
}
