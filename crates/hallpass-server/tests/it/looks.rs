//! Templates and style of one's own: `[theme] templates`, `[theme] style`.

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

use crate::browser::{Answer, Browser};
use crate::program::{Folder, Server, program, refusal};
use crate::sink::Sink;
use crate::storage::configured;

/// Settings with a folder for templates.
fn themed(more: &str) -> Folder {
    let folder = configured(&format!("[theme]\ntemplates = \"templates\"\nstyle = \"own.css\"\n{more}"));
    std::fs::create_dir(folder.path().join("templates")).unwrap();
    folder.write("own.css", ":root { --radius: 0 }\n");
    folder
}

/// What stands in the `<style>` of a page, which its policy allows and nothing else.
fn style_of(answer: &Answer) -> &str {
    let (_, style) = answer.body.split_once("<style>").unwrap();
    let (style, _) = style.split_once("</style>").unwrap();
    let policy = answer.header("content-security-policy").unwrap();
    let hash = Base64::encode_string(&Sha256::digest(style));
    assert!(policy.contains(&format!("style-src 'sha256-{hash}';")), "{policy}");
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
    style
}

#[test]
fn templates_and_style_of_the_folder_are_shown() {
    let sink = Sink::start();
    let folder = themed(&format!(
        "[email]\nfrom = \"login@acme.example\"\nsmtp_url = \"smtp://127.0.0.1:{}\"\n",
        sink.port
    ));
    folder.write(
        "templates/error.html",
        "<h1>Oh dear</h1><a title=\"{{ error.message }}\" href=\"{{ sign_in_url }}\">",
    );
    folder.write(
        "templates/sign_in.html",
        "<h1>Hello {{ email }}</h1>{% if csrf_token %}<input type=\"hidden\" name=\"csrfToken\" value=\"{{ csrf_token }}\">{% endif %}",
    );
    folder.write("templates/mail.subject", "Come in");
    folder.write("templates/mail.txt", "Your door: {{ url }} .");
    folder.write("templates/.notes", "nobody reads this");
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    let error = browser.get("/api/auth/error?error=AccessDenied");
    assert!(error.body.contains("<h1>Oh dear</h1><a title=\"This account may not"), "{}", error.body);
    assert!(style_of(&error).ends_with(":root { --radius: 0 }\n"), "{}", error.body);
    let page = browser.get("/api/auth/signin?email=%22%3E%3Cb%3E%27").body;
    assert!(page.contains("<h1>Hello &quot;>&lt;b>&#39;</h1><input"), "{page}");
    // Those without a file stay as they are.
    assert!(browser.get("/api/auth/signout").body.contains("<h1>Sign out?</h1>"));
    browser.post("/api/auth/signin/nodemailer", &[("email", "ada@example.com")]);
    let mail = sink.mail();
    assert!(mail.contains("Subject: Come in\r\n") && mail.contains("Your door: http://"), "{mail}");
}

#[test]
fn what_cannot_be_shown_is_told_at_the_start_with_file_and_line() {
    let folder = themed("");
    folder.write("templates/signin.html", "");
    folder.write("templates/anything.txt", "");
    folder.write("templates/error.html", "<h1>\n{{ heading }}\n{% if %}\n");
    folder.write("templates/sign_out.html", "<h1>\n{{ heading }}{{ titel }}\n");
    folder.write("templates/mail.html", "<p>\n{{ link }}\n");
    folder.write("templates/mail.subject", "{{ site");
    folder.write("own.css", "p { color: red }\n</style>\n");
    let told = refusal(program(&folder, &[]));
    for problem in [
        "signin.html replaces no template: did you mean sign_in.html?",
        "anything.txt replaces no template: known here: layout.html, sign_in.html, ",
        "error.html, line 3, column 1: syntax error",
        "sign_out.html, line 2, column 1: undefined value",
        "mail.html, line 2, column 1: undefined value",
        "mail.subject, line 1, column 1: syntax error",
        "own.css, line 2, column 1: `theme.style`",
    ] {
        assert_eq!(told.matches(problem).count(), 1, "{problem}: {told}");
    }
    assert!(told.contains("7 mistakes"), "{told}");

    let folder = configured("[theme]\ntemplates = \"nowhere\"\nstyle = \"nothing.css\"\n");
    let told = refusal(program(&folder, &[]));
    assert!(told.contains("line 5, column 13: ") && told.contains("nowhere cannot be read"), "{told}");
    assert!(told.contains("line 6, column 9: ") && told.contains("nothing.css cannot be read"), "{told}");
}

#[cfg(unix)]
#[test]
fn changed_templates_count_after_sighup_if_they_are_right() {
    let folder = themed("");
    let mut server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    let mut page = || browser.get("/api/auth/error").body;
    assert!(!page().contains("Oh dear"));
    folder.write("templates/error.html", "<h1>Oh dear</h1>");
    folder.write("own.css", "h1 { color: red }\n");
    server.hang_up();
    server.wait_for_log("the settings were read again");
    let shown = page();
    assert!(shown.contains("<h1>Oh dear</h1>") && shown.contains("h1 { color: red }"), "{shown}");
    folder.write("templates/error.html", "{% broken");
    server.hang_up();
    server.wait_for_log("the settings stay as they were");
    assert!(page().contains("<h1>Oh dear</h1>"));
}

#[test]
fn in_development_mode_a_changed_template_counts_at_once() {
    let folder = themed("");
    let mut server =
        Server::start(program(&folder, &["dev", "--config", "hallpass.toml", "--listen", "127.0.0.1:0"]));
    let mut browser = Browser::new(&server.host);
    let mut page = || browser.get("/api/auth/error").body;
    assert!(!page().contains("Oh dear"));
    folder.write("templates/error.html", "<h1>Oh dear</h1>");
    assert!(page().contains("<h1>Oh dear</h1>"));
    folder.write("templates/error.html", "<h1>Oh dear, {% broken");
    assert!(page().contains("<h1>Oh dear</h1>"));
    server.wait_for_log("the changed settings do not count");
    folder.write("templates/error.html", "<h1>Oh dear me</h1>");
    assert!(page().contains("<h1>Oh dear me</h1>"));
    folder.write("own.css", "h1 { color: red }\n");
    assert!(page().contains("h1 { color: red }"));
}
