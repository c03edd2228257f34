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
    assert!(browser.get("/").body.contains("value=\"{&quot;name&quot;:&quot;Milo Cratchit&quot;}\""));
    let answer = browser.post("/dev/update", &[("data", "{\"name\":\"Robert <b>\"}")]);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/?change")));
    assert!(browser.get("/api/auth/session").body.contains("\"name\":\"Robert <b>\""));
    let page = browser.get("/?change").body;
    assert!(
        page.contains("You are signed in, Robert &lt;b&gt;") && page.contains("nobody had to sign in again")
    );
    // It is told once, and a change that changes nothing is not called one.
    assert!(!browser.get("/?change").body.contains("nobody had to sign in again"));
    browser.post("/dev/update", &[("data", "{\"name\":\"Robert <b>\"}")]);
    assert!(browser.get("/?change").body.contains("the browser sees the same session as before"));
}

#[test]
fn the_page_sends_any_change_and_shows_the_session_afterwards() {
    for strategy in ["database", "jwt"] {
        let folder = Folder::new();
        folder.write("hallpass.toml", &format!("[session]\nstrategy = \"{strategy}\"\n"));
        folder.write(
            "hallpass.config.js",
            "export default { callbacks: {
               jwt({ token, trigger, session }) {
                 if (trigger === 'update' && session?.company) token.company = session.company
                 return token
               },
               session: ({ session, token }) => ({ ...session, company: token.company }),
             } }",
        );
        let server = Server::start(program(&folder, &["dev", "--listen", "127.0.0.1:0"]));
        let mut browser = Browser::new(&server.host);
        browser.sign_in("milo", "demo");
        let data = "{\"company\":{\"id\":7,\"role\":[\"a\"]}}";
        browser.post("/dev/update", &[("data", data)]);
        let page = browser.get("/?change").body;
        assert!(page.contains("nobody had to sign in again"), "{strategy}");
        let shown = page.split("id=\"session\"").nth(1).unwrap().split("</section>").next().unwrap();
        assert!(shown.contains("&quot;company&quot;") && shown.contains("&quot;id&quot;: 7"), "{shown}");
        // What the callbacks do not look at changes nothing, and the page says so.
        browser.post("/dev/update", &[("data", "{\"other\":1}")]);
        assert!(browser.get("/?change").body.contains("the browser sees the same session as before"));
        assert_eq!(browser.session()["company"]["id"], 7);
    }
}

#[test]
fn a_change_is_refused_without_the_token_and_with_a_name_that_is_none() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    browser.sign_in("milo", "demo");
    browser.post_bare("/dev/update", &[("data", "{\"name\":\"Eve\"}")]);
    assert!(browser.get("/?change").body.contains("Nothing was changed: the form was too old"));
    for name in ["", "  ", "two\\nlines", &"x".repeat(61)] {
        browser.post("/dev/update", &[("data", &format!("{{\"name\":\"{name}\"}}"))]);
        let page = browser.get("/?change").body;
        assert!(
            page.contains("Nothing was changed: the update was refused: name: it does not fit"),
            "{name:?}: {page}"
        );
    }
    browser.post("/dev/update", &[("data", "{name: 1}")]);
    assert!(browser.get("/?change").body.contains("that is no JSON"));
    assert!(browser.get("/api/auth/session").body.contains("\"name\":\"Milo Cratchit\""));
}

/// The ids of the sessions on the page, newest first.
fn sessions(page: &str) -> Vec<String> {
    let list = page.split("id=\"sessions\"").nth(1).unwrap().split("</section>").next().unwrap();
    let ids = list.split("name=\"session\" value=\"").skip(1);
    ids.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn the_page_lists_the_sessions_of_the_user_and_ends_one_or_all_others() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browsers = [(); 4].map(|()| Browser::new(&server.host));
    for browser in &mut browsers {
        browser.sign_in("lena", "demo");
    }
    let [mine, second, third, fourth] = &mut browsers;
    let mut other = Browser::new(&server.host);
    other.sign_in("milo", "demo");
    let page = mine.get("/").body;
    let all = sessions(&page);
    assert_eq!((all.len(), page.matches("this one").count()), (4, 1));
    assert!(page.contains(">credentials</strong>") && page.contains("End all others"));
    assert_eq!(sessions(&other.get("/").body).len(), 1);

    let id_of = |browser: &mut Browser| {
        let page = browser.get("/").body;
        let row = page.split("<li>").find(|row| row.contains("this one")).unwrap().to_owned();
        row.split("name=\"session\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let answer = mine.post("/dev/sessions", &[("session", &id_of(second))]);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/?sessions=ended")));
    assert_eq!(second.session(), serde_json::Value::Null);
    assert_ne!(third.session(), serde_json::Value::Null);
    let page = mine.get("/?sessions=ended").body;
    assert!(page.contains("That session is over") && sessions(&page).len() == 3);

    let answer = mine.post("/dev/sessions", &[]);
    assert_eq!(answer.header("location"), Some("/?sessions=others-ended"));
    for ended in [third, fourth] {
        assert_eq!(ended.session(), serde_json::Value::Null);
    }
    assert_ne!(other.session(), serde_json::Value::Null);
    let page = mine.get("/").body;
    assert!(sessions(&page).len() == 1 && !page.contains("End all others"));

    let own = id_of(mine);
    mine.post("/dev/sessions", &[("session", &own)]);
    assert!(mine.get("/").body.contains("Hallpass is running"));
}

#[test]
fn no_session_ends_without_the_token_nor_for_somebody_else() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let (mut lena, mut milo) = (Browser::new(&server.host), Browser::new(&server.host));
    lena.sign_in("lena", "demo");
    milo.sign_in("milo", "demo");
    let [own] = sessions(&lena.get("/").body).try_into().unwrap();
    let token = milo.get("/api/auth/csrf").body.split('"').nth(3).unwrap().to_owned();
    for forged in ["", "x", &token] {
        let answer = lena.post_bare("/dev/sessions", &[("session", &own), ("csrfToken", forged)]);
        assert_eq!(answer.header("location"), Some("/?sessions=refused"));
        assert_eq!(
            lena.post_bare("/dev/sessions", &[("csrfToken", forged)]).header("location"),
            Some("/?sessions=refused")
        );
    }
    assert_eq!(
        milo.post("/dev/sessions", &[("session", &own)]).header("location"),
        Some("/?sessions=refused")
    );
    assert_ne!(lena.session(), serde_json::Value::Null);
    assert!(lena.get("/?sessions=refused").body.contains("No session was ended"));
}

#[test]
fn a_session_in_its_cookie_is_said_to_be_on_no_list() {
    let folder = Folder::new();
    folder.write("hallpass.toml", "[session]\nstrategy = \"jwt\"\n");
    let server = Server::start(program(&folder, &["dev", "--listen", "127.0.0.1:0"]));
    let mut browser = Browser::new(&server.host);
    browser.sign_in("lena", "demo");
    let page = browser.get("/").body;
    assert!(page.contains("it is on no list") && sessions(&page).is_empty());
    assert_eq!(browser.post("/dev/sessions", &[]).header("location"), Some("/?sessions=refused"));
}

#[test]
fn a_proxy_that_is_not_listed_brings_nobody_from_elsewhere() {
    let folder = Folder::new();
    folder.write("hallpass.toml", "trusted_proxies = [\"10.0.0.0/8\"]\n");
    let server = Server::start(program(&folder, &["dev", "--listen", "127.0.0.1:0"]));
    for path in ["/", "/api/auth/providers", "/dev/idp/github/jwks"] {
        assert_eq!(Browser::new(&server.host).get(path).status, 200, "{path}");
        for header in
            ["x-forwarded-for: 203.0.113.7", "x-forwarded-host: app.example.com", "x-real-ip: 203.0.113.7"]
        {
            let answer = Browser::new(&server.host).get_with(path, &format!("{header}\r\n"));
            assert_eq!(answer.status, 421, "{path} {header}");
        }
    }
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
    for path in ["/", "/api/auth/session", "/hallpass.css"] {
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

/// Asks for a link on the sign-in page.
fn ask(browser: &mut Browser, address: &str) {
    let answer = browser.post("/api/auth/signin/email", &[("email", address), ("callbackUrl", "/")]);
    assert!(answer.header("location").unwrap().contains("/api/auth/verify-request?"), "{:?}", answer.headers);
}

/// The path of the link in the newest mail.
fn newest_link(browser: &mut Browser) -> String {
    let mails = browser.get("/dev/inbox.json");
    assert_eq!(mails.header("content-type"), Some("application/json"));
    let (_, link) = mails.body.split_once("\"link\":\"http://").unwrap();
    let link = link.split('"').next().unwrap();
    link[link.find('/').unwrap()..].to_owned()
}

#[test]
fn a_magic_link_stays_in_the_inbox_and_signs_in() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    assert!(server.printed.contains("/dev/inbox"), "{}", server.printed);
    let mut browser = Browser::new(&server.host);
    assert!(browser.get("/").body.contains("href=\"/dev/inbox\""));
    assert!(browser.get("/dev/inbox").body.contains("No mails yet"));
    assert!(browser.get("/api/auth/signin").body.contains("name=\"email\""));
    ask(&mut browser, "Grace@Example.com");
    let inbox = browser.get("/dev/inbox").body;
    assert!(inbox.contains("<strong>grace@example.com</strong>"), "{inbox}");
    assert!(
        inbox
            .contains("<iframe class=\"mail\" title=\"The mail in HTML\" sandbox=\"\" srcdoc=\"&lt;!DOCTYPE")
    );
    let link = newest_link(&mut browser);

    // A scanner opens it first, without a cookie.
    assert_eq!(Browser::new(&server.host).get(&link).status, 200);
    let page = browser.get(&link);
    assert_eq!((page.status, page.header("referrer-policy")), (200, Some("strict-origin")));
    assert!(page.body.contains("<strong>grace@example.com</strong>"), "{}", page.body);
    assert_eq!(browser.get("/api/auth/session").body, "null");
    let fields = page.hidden_fields();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(browser.post_bare("/api/auth/callback/email", &fields).status, 302);
    assert!(browser.get("/api/auth/session").body.contains("\"email\":\"grace@example.com\""));
    assert!(browser.get("/").body.contains("You are signed in, grace@example.com"));
    let again = browser.post_bare("/api/auth/callback/email", &fields);
    assert!(again.header("location").unwrap().ends_with("/api/auth/error?error=Verification"));
}

#[test]
fn the_inbox_keeps_the_last_fifty_mails_and_nothing_in_them_runs() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    for number in 1..=52 {
        ask(&mut browser, &format!("n{number}@example.com"));
    }
    let inbox = browser.get("/dev/inbox?mail=4");
    assert!(
        inbox.body.contains("<strong>n4@example.com</strong>") && inbox.body.contains(">n52@example.com<")
    );
    assert!(!inbox.body.contains(">n2@example.com<") && inbox.body.contains(">n3@example.com<"));
    assert_eq!(inbox.body.matches("/dev/inbox?mail=").count(), 50);
    let policy = inbox.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("script"), "{policy}");
    assert_eq!(inbox.header("cache-control"), Some("no-store"));
    let request = "GET /dev/inbox.json HTTP/1.1\r\nhost: rebound.example\r\nconnection: close\r\n\r\n";
    assert_eq!(send(&server.host, request.as_bytes()).status, 421);
}

#[test]
fn with_a_mail_server_there_is_no_inbox() {
    let folder = Folder::new();
    let mut command = program(&folder, &["serve", "--listen", "127.0.0.1:0"]);
    command.env("EMAIL_SERVER", "smtp://127.0.0.1:9").env("EMAIL_FROM", "login@acme.example");
    let server = Server::start(command);
    assert!(!server.printed.contains("/dev/inbox"), "{}", server.printed);
    let mut browser = Browser::new(&server.host);
    assert_eq!(browser.get("/dev/inbox").status, 404);
    assert_eq!(browser.get("/dev/inbox.json").status, 404);
    assert!(!browser.get("/").body.contains("/dev/inbox"));
    // Nobody listens there: the visitor is told no more than that it did not work.
    let answer = browser.post("/api/auth/signin/nodemailer", &[("email", "ada@example.com")]);
    assert!(answer.header("location").unwrap().ends_with("/api/auth/error?error=Configuration"));
}
