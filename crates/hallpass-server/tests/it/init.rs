//! `hallpass init`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::browser::Browser;
use crate::program::{Folder, Server, program, run};

/// Runs it, and returns what it says at the end.
fn init(folder: &Folder, arguments: &[&str], answers: &str) -> String {
    let output = run(folder, &[&["init"], arguments].concat(), answers);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What `hallpass check` finds in the folder.
fn checked(folder: &Folder, config: &str) -> Value {
    let output = program(folder, &["check", "--json", "--config", config]).output().unwrap();
    let text = fs::read_to_string(folder.path().join(config)).unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}\n{text}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Everything below a folder, as paths.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|path| format!("{name}/{path}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

#[test]
fn what_is_written_passes_the_check_in_every_combination() {
    let providers =
        ["github", "auth0", "keycloak", "microsoft-entra-id", "google", "discord", "gitlab", "apple"];
    let all: Vec<_> = providers.iter().flat_map(|id| ["--provider", id]).collect();
    let frameworks = ["next", "nuxt", "sveltekit", "vite", "other"].map(|framework| (framework, "sqlite"));
    let databases = ["sqlite:data/auth.db", "postgres://u:canary@db.example/a", "mysql://u:canary@db/a"];
    for (framework, database) in frameworks.into_iter().chain(databases.map(|database| ("other", database))) {
        for more in [
            &[][..],
            &["--user", "ada \"the\" first"],
            &["--mail-from", "Acme <a@example.com>", "--mail", "smtp://u:canary@mail.example"],
            &["--mail-from", "a@example.com", "--mail", "resend", "--url", "https://app.example.com/auth/"],
            &all,
            &["--provider", "apple"],
        ] {
            let folder = Folder::new();
            let given = ["--yes", "--framework", framework, "--database", database];
            let told = init(&folder, &[&given[..], more].concat(), "");
            let found = checked(&folder, "hallpass.toml");
            for provider in found["providers"].as_array().unwrap() {
                if let Some(uri) = provider["redirectUri"].as_str() {
                    assert!(told.contains(uri), "{uri}: {told}");
                }
            }
            let text = fs::read_to_string(folder.path().join("hallpass.toml")).unwrap();
            assert!(!text.contains("canary"), "{text}");
            assert!(text.starts_with("#:schema ./hallpass.schema.json\n"), "{text}");
        }
    }
}

#[test]
fn nuxt_is_told_to_leave_redirects_to_the_browser() {
    let told = init(&Folder::new(), &["--yes", "--framework", "nuxt"], "");
    assert!(told.contains("fetchOptions: { redirect: 'manual' }"), "{told}");
}

#[test]
fn the_answers_are_what_is_written() {
    let folder = Folder::new();
    let answers = "https://app.example.com\nnext\ngithub, auth0\nid-of-github\ncanary-of-github\nacme.eu.auth0.com\n\n\n\
                   yes\nAcme <a@example.com>\nsmtp://u:canary-of-mail@mail.example\nyes\nada\ncorrect horse\n\
                   postgres://u:canary-of-database@db.example/auth\n";
    let told = init(&folder, &[], answers);
    let found = checked(&folder, "hallpass.toml");
    assert_eq!(found["url"], "https://app.example.com/api/auth");
    assert_eq!(found["database"]["place"], "PostgreSQL, auth at db.example");
    let ids: Vec<_> = found["providers"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect();
    assert_eq!(ids, ["github", "auth0", "credentials", "nodemailer"]);
    let text = fs::read_to_string(folder.path().join("hallpass.toml")).unwrap();
    assert!(text.contains("id = \"id-of-github\"\nsecret_file = \"secrets/github.txt\"\n"), "{text}");
    assert!(text.contains("domain = \"acme.eu.auth0.com\"\n"), "{text}");
    let secret = |name: &str| fs::read_to_string(folder.path().join("secrets").join(name)).unwrap();
    assert_eq!(secret("github.txt"), "canary-of-github\n");
    assert_eq!(secret("smtp.txt"), "smtp://u:canary-of-mail@mail.example\n");
    assert_eq!(secret("database.txt"), "postgres://u:canary-of-database@db.example/auth\n");
    assert!(!told.contains("canary") && !told.contains("horse"), "{told}");
    for line in [
        "  hallpass migrate  the tables of the database\n",
        "Then put the client id of Auth0 into hallpass.toml, and the client secret into secrets/auth0.txt.\n",
        "destination: 'http://127.0.0.1:3001/api/auth/:path*'",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert!(!told.contains("client id of GitHub"), "{told}");
}

#[test]
fn the_password_that_is_made_signs_in() {
    let folder = Folder::new();
    let told = init(&folder, &["--yes", "--user", "ada"], "");
    let password = told.split_once("with the password ").unwrap().1.split(' ').next().unwrap();
    let server = Server::start(program(&folder, &["serve", "--listen", "127.0.0.1:0"]));
    let (_, listening) = server.printed.split_once("listening at    http://").unwrap();
    let mut browser = Browser::new(listening.split_whitespace().next().unwrap());
    browser.sign_in("ada", password);
    assert_eq!(browser.session()["user"]["role"], "admin");
}

#[test]
fn nothing_is_overwritten_and_nothing_is_lost() {
    let folder = Folder::new();
    folder.write(".gitignore", "target");
    let arguments = ["--yes", "--provider", "github"];
    init(&folder, &arguments, "");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let (before, secret) = (files(folder.path()), read("secrets/session.txt"));
    assert_eq!(
        before,
        [".gitignore", "hallpass.schema.json", "hallpass.toml", "secrets/github.txt", "secrets/session.txt"]
    );
    assert_eq!(
        read(".gitignore"),
        "target\n# Hallpass\n/secrets/\n/users.toml*\n/hallpass.db*\n/.hallpass/\n"
    );

    let output = run(&folder, &[&["init"], &arguments[..]].concat(), "");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("hallpass.toml already there, and nothing was written: --force"), "{said}");
    assert_eq!((files(folder.path()), read("secrets/session.txt")), (before, secret.clone()));

    init(&folder, &[&arguments[..], &["--force"]].concat(), "");
    assert_ne!(read("secrets/session.txt"), secret);
    assert_eq!(read("secrets/session.txt.bak"), secret);
    init(&folder, &[&arguments[..], &["--force"]].concat(), "");
    assert_eq!(read("secrets/session.txt.bak"), secret);
    assert!(folder.path().join("secrets/session.txt.bak2").is_file());
    assert_eq!(read(".gitignore").matches("/secrets/").count(), 1);
}

#[test]
#[cfg(unix)]
fn only_the_owner_reads_what_is_secret() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    init(&folder, &["--yes", "--user", "ada", "--provider", "github", "--dir", "a/b"], "");
    let mode =
        |name: &str| fs::metadata(folder.path().join("a/b").join(name)).unwrap().permissions().mode() & 0o777;
    for (name, wanted) in [
        ("secrets", 0o700),
        ("secrets/session.txt", 0o600),
        ("secrets/github.txt", 0o600),
        ("users.toml", 0o600),
    ] {
        assert_eq!(mode(name), wanted, "{name}");
    }
    checked(&folder, "a/b/hallpass.toml");
}

#[test]
fn answers_that_end_early_or_are_wrong_leave_nothing_behind() {
    for (arguments, answers, said) in [
        (
            &[][..],
            "https://app.example.com\nnext\ngithub\n",
            "there are no more answers, so nothing was written",
        ),
        (&[], "", "there are no more answers"),
        (&[], "ftp://x\n", "must be an address such as https://app.example.com"),
        (&["--yes", "--provider", "githbu"], "", "\"githbu\" is not known: did you mean github?"),
        (&["--yes", "--database", "mongodb://x/y"], "", "must be sqlite, sqlite:<file>, postgres://"),
        (&["--yes", "--mail-from", "a@example.com"], "", "must be smtp://user:password@host:587"),
        (&["--yes", "--url", "https://a.example?b=c"], "", "must be an address"),
        (&[], "\n\n\nno\nno\n", "nobody could sign in"),
    ] {
        let folder = Folder::new();
        let output = run(&folder, &[&["init", "--dir", "new"], arguments].concat(), answers);
        assert_eq!(output.status.code(), Some(1), "{arguments:?} {answers:?}: {output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(said), "{said}: {text}");
        assert_eq!(files(folder.path()), Vec::<String>::new());
    }
}

#[test]
#[cfg(unix)]
fn whoever_stops_it_between_two_answers_finds_nothing_changed() {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};
    let folder = Folder::new();
    let mut command = program(&folder, &["init"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"https://app.example.com\n").unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let mut said = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&said).contains("Front end") {
        assert_eq!(stderr.read(&mut byte).unwrap(), 1);
        said.push(byte[0]);
    }
    // Not SIGINT: programs in the background ignore that.
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert!(!child.wait().unwrap().success());
    assert_eq!(files(folder.path()), Vec::<String>::new());
}
