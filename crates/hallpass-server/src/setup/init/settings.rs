//! The text of `hallpass.toml`, and what to do with it.

use std::fmt::Write;
use std::path::Path;

use super::answers::{Answers, Chosen, MailBy};
use super::files::{DATABASE, MAIL_KEY, SCHEMA_FILE, SESSION, SMTP, USERS, of_provider, placeholder};
use crate::cli::Framework;
use crate::user::quoted;

/// The settings. Writing to a String does not fail.
pub(super) fn text(answers: &Answers) -> String {
    let mut text = format!(
        "#:schema ./{SCHEMA_FILE}\n\
         # Settings of the Hallpass server. `hallpass check` says what they mean, `hallpass doctor` whether they work.\n\
         # Paths are meant from the folder of this file. Every other setting: docs/server.md.\n\n\
         # Where to listen. A proxy in front of it does TLS.\n\
         listen = \"127.0.0.1:{}\"\n\n\
         # The address that people see. Hallpass answers below {}.\n\
         url = {}\n",
        port(answers),
        base_path(answers),
        quoted(answers.url.as_str().trim_end_matches('/')),
    );
    if let Some(path) = own_base_path(answers) {
        let _ = writeln!(text, "base_path = {}", quoted(path));
    }
    let _ = writeln!(
        text,
        "\n# Seals the sessions: the same on every machine that serves this site. In a container: AUTH_SECRET, or\n\
         # AUTH_SECRET_FILE.\n\
         secret_file = {}",
        quoted(SESSION)
    );
    if answers.user.is_some() {
        let _ = writeln!(
            text,
            "\n# People with passwords. One more: hallpass user <name> >> {USERS}\nusers_file = {}",
            quoted(USERS)
        );
    }
    text.push_str("\n# Users and sessions.\n[database]\n");
    match &answers.database {
        Some(url) if url.starts_with("sqlite:") => _ = writeln!(text, "url = {}", quoted(url)),
        Some(_) => _ = writeln!(text, "url_file = {}", quoted(DATABASE)),
        None => text
            .push_str("# A file beside this one, unless AUTH_DATABASE_URL or DATABASE_URL name another.\n"),
    }
    text.push_str(
        "\n[session]\n# \"database\": a row for each session. \"jwt\": in an encrypted cookie. With callbacks in JavaScript the\n\
         # default is \"jwt\".\n# strategy = \"database\"\n# How long a session lives that nobody uses.\nmax_age = \"30d\"\n",
    );
    if let Some(mail) = &answers.mail {
        let _ = writeln!(text, "\n# Links in mails.\n[email]\nfrom = {}", quoted(&mail.from));
        let _ = match &mail.by {
            MailBy::Smtp(_) => writeln!(text, "smtp_url_file = {}", quoted(SMTP)),
            MailBy::Service(name) => {
                writeln!(text, "service = {}\nkey_file = {}", quoted(name), quoted(MAIL_KEY))
            }
        };
    }
    for chosen in &answers.providers {
        text.push_str(&provider(answers, chosen));
    }
    text
}

fn provider(answers: &Answers, chosen: &Chosen) -> String {
    let spec = chosen.spec;
    let mut section = format!("[providers.{}]\n", spec.id);
    for (name, value) in &chosen.places {
        let value = value.clone().unwrap_or_else(|| example_place(name).to_owned());
        let _ = writeln!(section, "{name} = {}", quoted(&value));
    }
    let id = chosen.id.clone().unwrap_or_else(|| placeholder("client id", spec.name));
    let _ = writeln!(section, "id = {}", quoted(&id));
    let _ = match chosen.is_for_later() {
        true => writeln!(
            section,
            "[providers.{}.private_key]\nfile = \"secrets/{}.p8\"\nkey_id = \"\"\nissuer = \"\"",
            spec.id, spec.id
        ),
        false => writeln!(section, "secret_file = {}", quoted(&of_provider(spec.id))),
    };
    let mut text = format!("\n# {}. Register there: {}\n", spec.name, redirect_uri(answers, spec.id));
    if chosen.is_for_later() {
        text.push_str(
            "# It needs a private key: put the file there, fill in the rest, and take the # away.\n",
        );
        section = section.lines().map(|line| format!("# {line}\n")).collect();
    }
    text + &section
}

/// What to do next, for people.
pub(super) fn farewell(answers: &Answers, folder: &Path) -> String {
    let file = folder.join("hallpass.toml");
    let is_here = folder == Path::new(".");
    let shown = if is_here { "hallpass.toml".to_owned() } else { file.display().to_string() };
    let config = if is_here { String::new() } else { format!(" --config {shown}") };
    let mut text =
        format!("{shown} is written; what is secret is in the folder secrets, which git ignores.\n");
    if let Some(person) = answers.user.as_ref().filter(|person| person.is_made) {
        let _ = writeln!(
            text,
            "\n{} signs in with the password {} (it is kept nowhere: note it now).",
            person.name,
            person.password.expose()
        );
    }
    if !answers.providers.is_empty() {
        text.push_str("\nRegister as redirect URI (callback URL):\n");
        for chosen in &answers.providers {
            let spec = chosen.spec;
            let _ = writeln!(text, "  {:<20}{}", spec.name, redirect_uri(answers, spec.id));
            if let Some((_, page)) = CONSOLES.iter().find(|(id, _)| *id == spec.id) {
                let _ = writeln!(text, "  {:<20}at {page}", "");
            }
        }
    }
    for chosen in answers.providers.iter().filter(|it| it.id.is_none() || it.secret.is_none()) {
        let _ = writeln!(
            text,
            "Then put the client id of {} into {shown}{}.",
            chosen.spec.name,
            match chosen.is_for_later() {
                true => ", with its key".to_owned(),
                false => format!(", and the client secret into {}", of_provider(chosen.spec.id)),
            }
        );
    }
    if answers.mail.as_ref().is_some_and(|it| it.key.is_none() && matches!(it.by, MailBy::Service(_))) {
        let _ = writeln!(text, "Put the key of the mail service into {MAIL_KEY}.");
    }
    let lines = [
        (format!("hallpass check{config}"), "what the settings mean"),
        (format!("hallpass migrate{config}"), "the tables of the database"),
        (format!("hallpass serve{config}"), "the server"),
        (format!("hallpass doctor{config}"), "whether everything works, while it runs"),
    ];
    text.push_str("\nNext:\n");
    let width = lines.iter().map(|(command, _)| command.chars().count()).max().unwrap_or_default();
    for (command, what) in &lines {
        // The server makes the tables of its own file.
        if command.starts_with("hallpass migrate") && answers.database.is_none() {
            continue;
        }
        let _ = writeln!(text, "  {command:<width$}  {what}");
    }
    text.push_str(&front_end(answers));
    text
}

/// How the front end reaches Hallpass under its own address.
fn front_end(answers: &Answers) -> String {
    let (port, path) = (port(answers), base_path(answers));
    match answers.framework {
        Framework::Next => format!(
            "\nNext.js passes {path} on, in next.config.js:\n  \
             async rewrites() {{\n    return [{{ source: '{path}/:path*', destination: 'http://127.0.0.1:{port}{path}/:path*' }}]\n  }}\n"
        ),
        Framework::Nuxt => format!(
            "\nNuxt passes {path} on, in nuxt.config.ts:\n  \
             routeRules: {{ '{path}/**': {{ proxy: {{ to: 'http://127.0.0.1:{port}{path}/**', fetchOptions: {{ redirect: 'manual' }} }} }} }}\n"
        ),
        Framework::Sveltekit | Framework::Vite => format!(
            "\nVite passes {path} on, in vite.config.js:\n  \
             server: {{ proxy: {{ '{path}': 'http://127.0.0.1:{port}' }} }}\n"
        ),
        Framework::Other => String::new(),
    }
}

/// A front end has the usual port itself.
fn port(answers: &Answers) -> u16 {
    if answers.framework == Framework::Other { 3000 } else { 3001 }
}

fn base_path(answers: &Answers) -> &str {
    let in_url = answers.url.path().trim_end_matches('/');
    match own_base_path(answers) {
        Some(path) => path,
        None if in_url.is_empty() => "/api/auth",
        None => in_url,
    }
}

/// Where the clients of a framework look, if that is not the usual place.
fn own_base_path(answers: &Answers) -> Option<&'static str> {
    let is_free = answers.url.path().trim_end_matches('/').is_empty();
    (answers.framework == Framework::Sveltekit && is_free).then_some("/auth")
}

fn redirect_uri(answers: &Answers, id: &str) -> String {
    format!("{}{}/callback/{id}", answers.url.origin().ascii_serialization(), base_path(answers))
}

/// What an address could look like, until somebody fills it in.
fn example_place(name: &str) -> &'static str {
    if name == "issuer" { "https://login.example.com/realms/your-realm" } else { "your-tenant.example.com" }
}

/// Where a client is registered.
const CONSOLES: [(&str, &str); 8] = [
    ("apple", "https://developer.apple.com/account/resources/identifiers/list/serviceId"),
    ("auth0", "https://manage.auth0.com/ (Applications)"),
    ("discord", "https://discord.com/developers/applications"),
    ("github", "https://github.com/settings/developers"),
    ("gitlab", "https://gitlab.com/-/user_settings/applications"),
    ("google", "https://console.cloud.google.com/auth/clients"),
    ("keycloak", "your realm (Clients)"),
    ("microsoft-entra-id", "https://entra.microsoft.com/ (App registrations)"),
];
