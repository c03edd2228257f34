//! `hallpass check`.

use serde_json::{Value, json};

use crate::program::{Folder, program, refusal};

const SECRET: &str = "a secret of at least 32 characters";

/// What it says of right settings.
fn told(folder: &Folder, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = program(folder, &[&["check"], arguments].concat()).envs(variables.iter().copied()).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn right_settings_are_told_with_what_to_register() {
    let folder = Folder::new();
    folder.write(
        "hallpass.toml",
        "url = \"https://app.example.com/auth\"\nsecret_file = \"secret.txt\"\n[providers.github]\nid = \"a\"\n\
         secret = \"canary\"\n[providers.acme]\ntype = \"oidc\"\nissuer = \"https://login.acme.example\"\n\
         id = \"a\"\nsecret = \"canary\"\nredirect_proxy_url = \"https://proxy.example/api/auth\"\n\
         [email]\nfrom = \"a@example.com\"\nsmtp_url = \"smtp://u:canary@mail.example\"\n",
    );
    folder.write("secret.txt", SECRET);
    folder.write("hallpass.config.ts", "export default { callbacks: { jwt: ({ token }) => token } }");
    let text = told(&folder, &[], &[]);
    for line in [
        "hallpass.toml is right\n",
        "  address       https://app.example.com/auth\n",
        "  users in      SQLite, hallpass.db\n",
        "  sessions      in encrypted cookies (jwt)\n",
        "  callbacks     hallpass.config.ts: jwt\n",
        "  sign-in       GitHub (github)\n",
        "  GitHub  https://app.example.com/auth/callback/github\n",
        "  acme    https://proxy.example/api/auth/callback/acme\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("canary") && !text.contains(SECRET), "{text}");

    let found: Value = serde_json::from_str(&told(&folder, &["--json"], &[])).unwrap();
    assert_eq!((&found["ok"], &found["strategy"]), (&json!(true), &json!("jwt")));
    assert_eq!(found["url"], "https://app.example.com/auth");
    assert_eq!(found["callbacks"]["callbacks"], json!(["jwt"]));
    assert_eq!(
        found["providers"][0],
        json!({
            "id": "github", "name": "GitHub", "type": "oauth",
            "redirectUri": "https://app.example.com/auth/callback/github",
            "standIn": false,
        })
    );
    assert_eq!(found["providers"][2]["redirectUri"], Value::Null);
    assert!(!found.to_string().contains("canary"));
}

#[test]
fn an_address_that_only_the_proxy_knows_is_not_made_up() {
    let folder = Folder::new();
    let variables = [
        ("AUTH_SECRET", SECRET),
        ("AUTH_TRUST_HOST", "true"),
        ("AUTH_GITHUB_ID", "a"),
        ("AUTH_GITHUB_SECRET", "b"),
    ];
    let text = told(&folder, &[], &variables);
    assert!(text.contains("  address       as the proxy names it: `url` is not set\n"), "{text}");
    let found: Value = serde_json::from_str(&told(&folder, &["--json"], &variables)).unwrap();
    assert_eq!(found["url"], Value::Null);
}

#[test]
fn a_variable_that_is_nearly_ours_is_a_warning() {
    let variables = [
        ("AUTH_SECRET", SECRET),
        ("AUTH_GITHUB_ID", "a"),
        ("AUTH_GITHUB_SECRET", "b"),
        ("AUTH_GOOGEL_ID", "c"),
    ];
    let text = told(&Folder::new(), &[], &variables);
    assert!(
        text.contains(
            "  warning       AUTH_GOOGEL_ID is set, and read by nobody: did you mean AUTH_GOOGLE_ID?"
        ),
        "{text}"
    );
}

#[test]
fn mistakes_of_the_file_the_environment_and_the_callbacks_are_told_at_once() {
    let folder = Folder::new();
    folder.write("hallpass.toml", "secert = \"s\"\n[providers.githbu]\nid = \"a\"\n");
    folder.write("hallpass.config.ts", "export default { callback: {} }");
    let mut command = program(&folder, &["check"]);
    command.env("AUTH_REDIS_URL", "http://canary");
    let told = refusal(command);
    for text in [
        "hallpass.toml, line 1, column 1: unknown key `secert`: did you mean `secret`?",
        "hallpass.toml, line 2, column 12: no provider \"githbu\" is known: did you mean [providers.github]?",
        "AUTH_REDIS_URL must start with redis://",
        "hallpass.config.ts: the option `callback` is not supported (did you mean `callbacks`?)",
        "there is no secret",
    ] {
        assert!(told.contains(text), "{text}: {told}");
    }
    assert!(!told.contains("canary"), "{told}");

    let output = program(&folder, &["check", "--json"]).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(2), 0));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["ok"], false);
    assert_eq!(
        found["problems"][0],
        json!({
            "file": "hallpass.toml", "line": 1, "column": 1,
            "message": "unknown key `secert`: did you mean `secret`?",
        })
    );
}

#[test]
fn broken_callbacks_are_a_mistake_in_development_mode_too() {
    let folder = Folder::new();
    folder.write("hallpass.config.ts", "export default {\n  callbacks: {\n");
    let told = refusal(program(&folder, &["check", "--dev"]));
    assert!(told.contains("hallpass.config.ts, line "), "{told}");
}

#[test]
fn checking_leaves_nothing_behind() {
    let folder = Folder::new();
    assert!(told(&folder, &[], &[]).contains("this is development mode"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
