//! `secret`, `user`, `--help` and `--version`.

use crate::program::{Folder, program, run};

#[test]
fn secret_prints_a_new_one_of_44_characters_each_time() {
    let folder = Folder::new();
    let [one, other] = [(); 2].map(|()| String::from_utf8(run(&folder, &["secret"], "").stdout).unwrap());
    assert_eq!(one.trim_end().len(), 44);
    assert_ne!(one, other);
}

#[test]
fn help_shows_the_commands_and_examples() {
    let output = program(&Folder::new(), &["--help"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for word in ["serve", "secret", "user", "Examples:", "--config", "--listen", "--dev"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn version_is_that_of_the_package() {
    let output = program(&Folder::new(), &["--version"]).output().unwrap();
    assert_eq!(output.stdout, format!("hallpass {}\n", env!("CARGO_PKG_VERSION")).into_bytes());
}

#[test]
fn an_unknown_argument_is_refused_with_exit_code_2() {
    let output = program(&Folder::new(), &["serve", "--confik", "x"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--config"));
}

#[test]
fn options_in_front_of_a_command_are_refused_not_lost() {
    let output = program(&Folder::new(), &["--listen", "127.0.0.1:0", "secret"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn user_prints_an_entry_without_the_password() {
    let output = run(&Folder::new(), &["user", "ada", "--name", "Ada", "--role", "admin"], "correct horse\n");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("[ada]\npassword = \"$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
    assert!(text.ends_with("\"\nname = \"Ada\"\nrole = \"admin\"\n"), "{text}");
    assert!(!text.contains("horse"));
}

#[test]
fn user_refuses_an_empty_password() {
    let output = run(&Folder::new(), &["user", "ada"], "\n");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "hallpass: the password is empty\n");
}
