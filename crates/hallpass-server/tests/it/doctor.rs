//! `hallpass doctor`, against servers on this machine that are right and wrong in many ways.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use serde_json::Value;

use crate::idp::OpenIdProvider;
use crate::program::{Folder, Server, program, run};
use crate::sink::Sink;

const SECRET: &str = "q7Wc0m1yZ3x8bL5vN2rT9kPdHsJfGa4EuQiOYwXz6Rk=";

/// What it finds, as `(check, verdict, message and cure)`.
struct Found {
    code: Option<i32>,
    all: Vec<(String, String, String)>,
    text: String,
}

impl Found {
    fn of(mut command: Command) -> Self {
        let output = command.arg("--json").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.stderr.is_empty(), "{:?}", String::from_utf8(output.stderr));
        let json: Value = serde_json::from_str(&text).unwrap();
        let word = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let all: Vec<_> = (json["findings"].as_array().unwrap().iter())
            .map(|it| {
                (
                    word(it, "check"),
                    word(it, "verdict"),
                    format!("{} | {}", word(it, "message"), word(it, "cure")),
                )
            })
            .collect();
        let is_fine = all.iter().all(|(_, verdict, _)| verdict != "problem");
        assert_eq!((json["ok"] == true, output.status.code()), (is_fine, Some(i32::from(!is_fine))));
        Self { code: output.status.code(), all, text }
    }

    #[track_caller]
    fn has(&self, check: &str, verdict: &str, text: &str) {
        let found = self.all.iter().any(|it| it.0 == check && it.1 == verdict && it.2.contains(text));
        assert!(found, "{check}, {verdict}, {text}: {:#?}", self.all);
    }

    #[track_caller]
    fn has_no(&self, check: &str, verdict: &str) {
        assert!(!self.all.iter().any(|it| it.0 == check && it.1 == verdict), "{check}: {:#?}", self.all);
    }
}

/// The doctor in a folder with these settings.
fn doctor(folder: &Folder, settings: &str, arguments: &[&str]) -> Found {
    folder.write("hallpass.toml", settings);
    let mut command = program(folder, &[&["doctor", "--timeout", "5"], arguments].concat());
    command.env("AUTH_SECRET", SECRET);
    Found::of(command)
}

/// What a request is answered with; the request is its head.
type Answers = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Something that answers HTTP, and its origin.
fn answering(answers: Answers) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = Arc::clone(&answers);
            thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                let mut head = String::new();
                while reader.read_line(&mut head).unwrap_or_default() > 2 {}
                let _ = reader.into_inner().write_all(answers(&head).as_bytes());
            });
        }
    });
    origin
}

fn http(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

/// A proxy in front of a server, which changes what passes.
fn proxy(
    to: &str,
    request: impl Fn(&str) -> String + Send + Sync + 'static,
    answer: impl Fn(String) -> String + Send + Sync + 'static,
) -> String {
    let to = to.to_owned();
    answering(Arc::new(move |head| {
        let mut stream = TcpStream::connect(&to).unwrap();
        stream.write_all(request(head).as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        answer(text)
    }))
}

/// The head with another value, or without the header.
fn with(head: &str, name: &str, value: Option<&str>) -> String {
    let lines = head.trim_end().split("\r\n").filter(|line| {
        !line.to_ascii_lowercase().starts_with(&format!("{name}:"))
            && !line.to_ascii_lowercase().starts_with("connection:")
    });
    let mut head: String = lines.map(|line| format!("{line}\r\n")).collect();
    if let Some(value) = value {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + "connection: close\r\n\r\n"
}

/// Where nobody listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

const FORM: &str = "users_file = \"users.toml\"\n";

/// A folder with somebody in the users file.
fn folder() -> Folder {
    let folder = Folder::new();
    let entry = run(&folder, &["user", "ada"], "correct horse");
    folder.write("users.toml", &String::from_utf8(entry.stdout).unwrap());
    private(&folder, "users.toml");
    folder
}

fn private(folder: &Folder, name: &str) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.path().join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// A server that believes the host that a proxy names.
fn behind_a_proxy(folder: &Folder) -> Server {
    folder.write("hallpass.toml", &format!("trust_host = true\n{FORM}"));
    let mut command = program(folder, &["serve", "--listen", "127.0.0.1:0"]);
    command.env("AUTH_SECRET", SECRET);
    Server::start(command)
}

#[test]
fn a_server_in_order_has_no_problem() {
    let (folder, sink, idp) = (folder(), Sink::start(), OpenIdProvider::start());
    let server = behind_a_proxy(&folder);
    // Once more, as the proxy's address would be.
    let settings = format!(
        "trust_host = true\n{FORM}[email]\nfrom = \"a@example.com\"\nsmtp_url = \"smtp://127.0.0.1:{}\"\n{}",
        sink.port,
        idp.provider()
    );
    let url = format!("http://{}", server.host);
    let found = doctor(&folder, &settings, &["--url", &url]);
    found.has("settings", "ok", "hallpass.toml is right");
    found.has("secret", "ok", "a good one");
    found.has("address", "warning", "leads to a Hallpass with other providers; it lacks oidc, nodemailer");
    found.has("proxy", "ok", "the server knows that it is");
    found.has("cookies", "ok", "");
    found.has(
        "provider",
        "ok",
        &format!("oidc answers; registered there must be {url}/api/auth/callback/oidc"),
    );
    found.has("clock", "ok", "");
    found.has("database", "ok", "answers, with all tables");
    found.has("mail", "ok", "lets us in");

    private(&folder, "hallpass.toml");
    let found = doctor(&folder, &format!("trust_host = true\n{FORM}"), &["--url", &url]);
    found.has("address", "ok", "leads to a Hallpass with these providers");
    assert_eq!(found.code, Some(0), "{:#?}", found.all);

    let output = program(&folder, &["doctor", "--url", &url]).env("AUTH_SECRET", SECRET).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with("\n0 problems, 0 warnings\n"), "{text}");
}

#[test]
fn a_proxy_that_does_not_pass_the_host_or_the_scheme_is_found() {
    let folder = folder();
    let server = behind_a_proxy(&folder);
    let settings = format!("trust_host = true\n{FORM}");
    let inside = server.host.clone();
    let forgetful = proxy(&server.host, move |head| with(head, "host", Some(&inside)), |answer| answer);
    let found = doctor(&folder, &settings, &["--url", &forgetful]);
    found.has("proxy", "problem", "the proxy does not pass on the host | let the proxy pass Host");

    let plain = proxy(
        &server.host,
        |head| with(head, "x-forwarded-proto", Some("https")),
        |answer| answer.replace("\r\nset-cookie:", "\r\nx-set-cookie:"),
    );
    let found = doctor(&folder, &settings, &["--url", &plain]);
    found.has("cookies", "problem", "no cookie arrives");
    found.has("proxy", "problem", "the server takes itself for https://127.0.0.1");
}

#[test]
fn an_address_that_leads_elsewhere_is_found() {
    let folder = folder();
    let settings = |url: &str| format!("url = \"{url}\"\n{FORM}");
    let found = doctor(&folder, &settings(&format!("http://127.0.0.1:{}", closed_port())), &[]);
    found.has("address", "problem", "does not answer: ");
    found.has("address", "problem", "start the server (it listens at 127.0.0.1:3000)");

    for (answer, said) in [
        (
            http("404 Not Found", "", ""),
            "answers with status 404 | let the proxy pass everything below /api/auth on",
        ),
        (http("200 OK", "", "<html>"), "is answered, but not by Hallpass"),
        (http("200 OK", "", "{\"a\":1}"), "is answered, but not by Hallpass"),
        (
            http("301 Moved Permanently", "location: https://www.example.com/api/auth/providers\r\n", ""),
            "leads elsewhere: https://www.example.com/api/auth/providers | set `url` to https://www.example.com",
        ),
        (
            http("302 Found", "location: /login\r\n", ""),
            "/login | let the proxy pass everything below /api/auth on",
        ),
    ] {
        let origin = answering(Arc::new(move |_| answer.clone()));
        doctor(&folder, &settings(&origin), &[]).has("address", "problem", said);
    }

    // Another Hallpass, which has another address.
    let other =
        r#"{"github":{"id":"github","callbackUrl":"https://other.example/api/auth/callback/github"}}"#;
    let origin = answering(Arc::new(move |_| http("200 OK", "", other)));
    let found = doctor(&folder, &settings(&origin), &[]);
    found.has("address", "warning", "with other providers; it alone has github; it lacks credentials");
    found.has("proxy", "problem", "takes itself for https://other.example, not for http://127.0.0.1");
}

#[test]
fn what_only_the_proxy_knows_is_asked_for() {
    let found = doctor(&folder(), &format!("trust_host = true\n{FORM}"), &[]);
    found.has("address", "warning", "only the proxy knows the address of the site | set `url`");
}

#[test]
fn a_site_without_https_is_found() {
    let found =
        doctor(&folder(), &format!("url = \"http://unknown.invalid\"\nsecure_cookies = true\n{FORM}"), &[]);
    found.has("address", "problem", "http://unknown.invalid is not https");
    found.has("cookies", "problem", "`secure_cookies` is true on a site without https");
    found.has("address", "problem", "does not answer");
}

#[test]
fn cookies_that_browsers_refuse_are_found() {
    let folder = folder();
    let origin = answering(Arc::new(|head| {
        let cookie = "set-cookie: __Host-authjs.csrf-token=x; Path=/auth; Domain=.other.example; Secure\r\n";
        let body = r#"{"credentials":{"callbackUrl":"http://x/y"}}"#;
        let caching = if head.contains("/csrf") { "cache-control: public\r\n" } else { "" };
        http("200 OK", &format!("{cookie}{caching}"), body)
    }));
    let found = doctor(&folder, &format!("url = \"{origin}\"\n{FORM}"), &[]);
    for said in [
        "is for other.example, which 127.0.0.1 is not part of",
        "has a domain, which its prefix forbids",
        "needs the path /",
    ] {
        found.has("cookies", "problem", said);
    }
    found.has("proxy", "problem", "what may be cached");
}

#[test]
fn origins_that_may_not_read_answers_or_all_that_may_are_found() {
    let folder = folder();
    let settings = |more: &str| format!("trust_host = true\n{FORM}{more}");
    let cors = settings("[cors]\norigins = [\"http://127.0.0.1:5173\"]\n");
    folder.write("hallpass.toml", &cors);
    let mut command = program(&folder, &["serve", "--listen", "127.0.0.1:0"]);
    command.env("AUTH_SECRET", SECRET);
    let server = Server::start(command);
    let url = format!("http://{}", server.host);
    doctor(&folder, &cors, &["--url", &url]).has("cors", "ok", "http://127.0.0.1:5173 may read answers");

    let other = settings("[cors]\norigins = [\"https://app.example.com\"]\n");
    let found = doctor(&folder, &other, &["--url", &url]);
    found.has(
        "cors",
        "problem",
        "https://app.example.com gets no Access-Control-Allow-Origin with GET | restart",
    );
    found.has("cors", "warning", "is another site than http://127.0.0.1");

    let generous = proxy(
        &server.host,
        |head| with(head, "x", None),
        |answer| answer.replacen("\r\n", "\r\naccess-control-allow-origin: *\r\n", 1),
    );
    let found = doctor(&folder, &cors, &["--url", &generous]);
    found.has("cors", "problem", "every site may read answers");
    found.has("cors", "problem", "gets more than one Access-Control-Allow-Origin");
}

#[test]
fn a_clock_that_is_wrong_is_found_by_what_others_say() {
    for (date, verdict, said) in [
        ("Thu, 01 Jan 2099 00:00:00 GMT", "problem", "seconds behind that of 127.0.0.1"),
        ("Thu, 01 Jan 2015 00:00:00 GMT", "problem", "seconds ahead of that of 127.0.0.1"),
    ] {
        let origin = answering(Arc::new(move |_| http("404 Not Found", &format!("date: {date}\r\n"), "")));
        let settings = format!("url = \"{origin}\"\n{FORM}");
        let found = doctor(&folder(), &settings, &[]);
        found.has("clock", verdict, said);
        found.has("clock", verdict, "set the clock, and keep it right with NTP");
    }
}

#[test]
fn providers_that_do_not_answer_or_are_another_are_found() {
    let folder = folder();
    let document = |issuer: &str, scheme: &str| {
        format!(
            r#"{{"issuer":"{issuer}","authorization_endpoint":"{scheme}://login.example/a","token_endpoint":"https://login.example/t","jwks_uri":"https://login.example/k"}}"#
        )
    };
    let wrong_issuer =
        answering(Arc::new(move |_| http("200 OK", "", &document("https://evil.example", "https"))));
    let no_https = answering(Arc::new(move |head| {
        let host = head.split("host: ").nth(1).unwrap().split("\r\n").next().unwrap().to_owned();
        http("200 OK", "", &document(&format!("http://{host}"), "ftp"))
    }));
    let page = answering(Arc::new(|_| http("200 OK", "", "<html>")));
    let closed = format!("http://127.0.0.1:{}", closed_port());
    let section = |id: &str, issuer: &str| {
        format!(
            "[providers.{id}]\ntype = \"oidc\"\nissuer = \"{issuer}\"\nid = \"put-the-client-id-of-X-here\"\nsecret = \"canary\"\n"
        )
    };
    let settings = format!(
        "url = \"{closed}\"\n{FORM}{}{}{}{}",
        section("wrong", &wrong_issuer),
        section("plain", &no_https),
        section("page", &page),
        section("closed", &closed)
    );
    let found = doctor(&folder, &settings, &[]);
    found.has("provider", "problem", "wrong: the discovery document");
    found.has("provider", "problem", "set `issuer` to what its discovery document says");
    found.has("provider", "problem", "plain: ");
    found.has("provider", "problem", "page: ");
    found.has("provider", "problem", "closed: no answer: the discovery document");
    found.has("provider", "problem", "look whether this machine reaches it");
    for id in ["wrong", "plain", "page", "closed"] {
        found.has(
            "provider",
            "problem",
            &format!("registered there must be {closed}/api/auth/callback/{id}"),
        );
    }
    found.has("provider", "problem", "wrong has no client id yet | register ");
    found.has_no("provider", "ok");
    assert!(!found.text.contains("canary"), "{}", found.text);
}

#[test]
fn a_mail_server_or_redis_or_database_that_is_away_is_found_and_the_rest_is_tried() {
    let folder = folder();
    let port = closed_port();
    let settings = format!(
        "trust_host = true\n{FORM}[email]\nfrom = \"a@example.com\"\nsmtp_url = \"smtp://u:canary@127.0.0.1:{port}\"\n\
         [redis]\nurl = \"redis://:canary@127.0.0.1:{port}\"\n\
         [database]\nurl = \"postgres://u:canary@127.0.0.1:{port}/hallpass\"\ntimeout = \"1s\"\n"
    );
    let found = doctor(&folder, &settings, &[]);
    found.has("mail", "problem", "the mail server cannot be reached");
    found.has("redis", "problem", "[redis] is out of reach");
    found.has("database", "problem", "PostgreSQL, hallpass at 127.0.0.1");
    assert!(!found.text.contains("canary"), "{}", found.text);
}

#[test]
fn pending_migrations_are_found_and_no_file_is_made() {
    let folder = folder();
    let settings = format!("trust_host = true\n{FORM}[database]\nurl = \"sqlite:own.db\"\n");
    let found = doctor(&folder, &settings, &[]);
    found.has("database", "warning", "own.db is not there yet | run `hallpass migrate`");
    assert!(!folder.path().join("own.db").exists());
    folder.write("own.db", "");
    let found = doctor(&folder, &settings, &[]);
    found.has("database", "problem", "tables are missing (SQLite, own.db)");
    let mut migrate = program(&folder, &["migrate"]);
    assert!(migrate.env("AUTH_SECRET", SECRET).status().unwrap().success());
    doctor(&folder, &settings, &[]).has("database", "ok", "answers, with all tables");
}

#[test]
fn wrong_settings_are_told_and_the_rest_is_tried() {
    let folder = folder();
    let settings = format!("url = \"http://127.0.0.1:{}\"\n{FORM}[sesion]\nmax_age = 1\n", closed_port());
    let found = doctor(&folder, &settings, &[]);
    found.has(
        "settings",
        "problem",
        "hallpass.toml, line 3, column 2: unknown key `sesion`: did you mean `session`?",
    );
    found.has("address", "problem", "does not answer");
    found.has("database", "ok", "the server makes it");

    let found = Found::of(program(&folder, &["doctor", "--config", "nowhere.toml"]));
    found.has("settings", "problem", "nowhere.toml cannot be read");
}

#[test]
#[cfg(unix)]
fn secrets_that_others_can_read_or_guess_are_found() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    folder.write("secret.txt", "changeme-changeme-changeme-changeme");
    folder.write("acme.txt", "put-the-client-secret-of-Acme-here\n");
    folder.write(
        "hallpass.toml",
        &format!(
            "trust_host = true\nsecret_file = \"secret.txt\"\n{FORM}[providers.acme]\ntype = \"oidc\"\n\
             issuer = \"http://127.0.0.1:{}\"\nid = \"a\"\nsecret_file = \"acme.txt\"\n",
            closed_port()
        ),
    );
    let set = |name: &str, mode: u32| {
        std::fs::set_permissions(folder.path().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set("secret.txt", 0o644);
    set("acme.txt", 0o622);
    let found = Found::of(program(&folder, &["doctor", "--timeout", "1"]));
    found.has("secret", "problem", "one of an example");
    found.has(
        "files",
        "problem",
        "everybody on this machine can read secret.txt, mode 644 | chmod 600 secret.txt",
    );
    found.has("files", "problem", "everybody on this machine can change acme.txt, mode 622");
    found.has("files", "problem", "acme.txt still has to be filled in");
    assert!(!found.text.contains("changeme"), "{}", found.text);
    set("secret.txt", 0o640);
    set("acme.txt", 0o600);
    folder.write("acme.txt", "canary");
    let found = Found::of(program(&folder, &["doctor", "--timeout", "1"]));
    found.has_no("files", "problem");
    assert!(!found.text.contains("canary"), "{}", found.text);
}
