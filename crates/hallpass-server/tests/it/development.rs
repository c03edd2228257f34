//! Development mode: nothing configured, everything to see.

use crate::browser::{Browser, send};
use crate::program::{Folder, Server, program, refusal};

#[test]
fn the_first_address_printed_is_the_one_to_open() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    assert!(server.printed.starts_with(concat!(
        "Hallpass ",
        env!("CARGO_PKG_VERSION"),
        " is ready at http://127.0.0.1:"
    )));
    let page = Browser::new(&server.host).get("/");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Hallpass is running"));
    assert!(page.body.contains("lena"));
}

#[test]
fn a_demo_user_signs_in_sees_the_session_and_the_claims_and_signs_out() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    let answer = browser.sign_in("lena", "demo");
    assert_eq!(
        (answer.status, answer.header("location")),
        (302, Some(format!("http://{}/", server.host).as_str()))
    );

    let session = browser.get("/api/auth/session").body;
    assert!(session.starts_with(
        "{\"user\":{\"name\":\"Lena Liddell\",\"email\":\"lena@example.com\",\"role\":\"reader\"},\"expires\":\"20"
    ));
    assert!(!session.contains("signed_in_at"));

    let page = browser.get("/").body;
    assert!(page.contains("You are signed in, Lena Liddell"));
    let private = page.split("What stays private").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(private.contains("&quot;provider&quot;: &quot;credentials&quot;"), "{private}");
    assert!(private.contains("&quot;signed_in_at&quot;: &quot;20"), "{private}");

    browser.post("/api/auth/signout", &[("callbackUrl", "/")]);
    assert_eq!(browser.get("/api/auth/session").body, "null");
    assert!(browser.get("/").body.contains("Hallpass is running"));
}

#[test]
fn the_page_tells_what_each_callback_did_and_hides_secrets() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    browser.sign_in("lena", "a wrong password");
    browser.sign_in("lena", "demo");
    let page = browser.get("/").body;
    let timeline = page.split("What the callbacks did").nth(1).unwrap();
    for word in
        ["authorize", "does not know this name", "sign_in", "jwt", "signIn", "session", "on_event", " UTC"]
    {
        assert!(timeline.contains(word), "{word}");
    }
    assert!(timeline.contains("&quot;password&quot;: &quot;(hidden)&quot;"));
    assert!(!page.contains("a wrong password"));
}

#[test]
fn a_wrong_password_leads_back_to_the_sign_in_page() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    let answer = browser.sign_in("lena", "wrong");
    let location = answer.header("location").unwrap();
    assert!(location.ends_with("/api/auth/signin?error=CredentialsSignin&code=credentials"), "{location}");
    assert_eq!(browser.get("/api/auth/session").body, "null");
}

#[test]
fn the_display_name_changes_while_the_session_lives() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    browser.sign_in("milo", "demo");
    let answer = browser.post("/dev/update", &[("name", "Robert <b>")]);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/?change=done")));
    assert!(browser.get("/api/auth/session").body.contains("\"name\":\"Robert <b>\""));
    let page = browser.get("/?change=done").body;
    assert!(
        page.contains("You are signed in, Robert &lt;b&gt;") && page.contains("nobody had to sign in again")
    );
}

#[test]
fn a_change_is_refused_without_the_token_and_with_a_name_that_is_none() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    browser.sign_in("milo", "demo");
    let forged = browser.post_bare("/dev/update", &[("name", "Eve")]);
    assert_eq!(forged.header("location"), Some("/?change=refused"));
    for name in ["", "  ", "two\nlines", &"x".repeat(61)] {
        let answer = browser.post("/dev/update", &[("name", name)]);
        assert_eq!(answer.header("location"), Some("/?change=refused"), "{name:?}");
    }
    assert!(browser.get("/api/auth/session").body.contains("\"name\":\"Milo Cratchit\""));
}

#[test]
fn the_secret_is_kept_so_that_a_session_outlives_the_server() {
    let folder = Folder::new();
    let mut browser = {
        let server = Server::development(&folder);
        let mut browser = Browser::new(&server.host);
        browser.sign_in("admin", "demo");
        browser
    };
    let server = Server::development(&folder);
    browser = browser.at(&server.host);
    assert!(browser.get("/api/auth/session").body.contains("Ada Lovelace"));
    let secret = folder.path().join(".hallpass/secret");
    assert_eq!(std::fs::read_to_string(&secret).unwrap().len(), 44);
    assert_eq!(std::fs::read_to_string(folder.path().join(".hallpass/.gitignore")).unwrap(), "*\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn another_host_is_refused() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    for path in ["/", "/api/auth/session", "/health"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: rebound.example\r\nconnection: close\r\n\r\n");
        assert_eq!(send(&server.host, request.as_bytes()).status, 421, "{path}");
    }
}

#[test]
fn the_page_forbids_scripts_framing_and_caching() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let page = Browser::new(&server.host).get("/");
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert!(!page.body.contains("<script") && !page.body.contains("style="));
}

#[test]
fn it_is_refused_off_this_machine() {
    let folder = Folder::new();
    let mut public = program(&folder, &["serve"]);
    public.env("AUTH_URL", "https://app.example.com");
    assert!(refusal(public).contains("development mode is for this machine only"));
    assert!(
        refusal(program(&folder, &["--listen", "0.0.0.0:0"]))
            .contains("development mode is for this machine only")
    );
    assert!(!folder.path().join(".hallpass").exists());
}

#[test]
fn a_provider_of_the_environment_is_offered_beside_the_demo_users() {
    let folder = Folder::new();
    let mut command = program(&folder, &["--listen", "127.0.0.1:0"]);
    command.env("AUTH_GITHUB_ID", "id").env("AUTH_GITHUB_SECRET", "secret");
    let server = Server::start(command);
    assert!(server.printed.contains("or with GitHub"));
    let page = Browser::new(&server.host).get("/api/auth/signin").body;
    assert!(page.contains("Sign in with GitHub") && page.contains("lena, milo or admin"));
}
