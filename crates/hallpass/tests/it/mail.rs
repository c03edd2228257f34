//! Mails with magic links: what is sent, to whom, and what happens when it cannot be.

use std::error::Error as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hallpass::http::{HttpClient, HttpError};
use hallpass::mail::{HttpService, MailError, MailTemplate, Mailer, Message, Smtp};
use hallpass::{Auth, Email, Environment, Theme};
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;

use crate::sink::{Mood, Received, Sink};
use crate::site::{Log, SITE, Site, browse};

fn plain(sink: &Sink) -> Smtp {
    Smtp::new().url(format!("smtp://localhost:{}", sink.port))
}

/// With user and password, encrypted, and the certificate known.
fn encrypted(sink: &Sink) -> Smtp {
    let url = format!("smtp://ada%40acme:canary-pw%21@localhost:{}?tls=required", sink.port);
    Smtp::new().url(url).root_certificate(sink.root.clone())
}

fn email() -> Email {
    Email::new().from("Acme <login@acme.example>").id("email")
}

struct Case {
    site: Site,
    auth: Auth,
    errors: Log,
}

impl Case {
    fn new(smtp: Smtp) -> Self {
        let (site, errors) = (Site::new(), Log::default());
        let log = errors.clone();
        let builder = site.with_store().mailer(email(), smtp).on_error(move |error, _| {
            let mut cause = error.source();
            while let Some(inner) = cause {
                log.add(format!("{inner} {inner:?}"));
                cause = inner.source();
            }
        });
        let auth = builder.build().unwrap();
        Self { site, auth, errors }
    }

    async fn ask(&self, address: &str) -> hallpass::testkit::Answer {
        browse(&self.auth).submit("signin/email", &[("email", address)]).await
    }
}

fn link_in(mail: &Received) -> String {
    let text = mail.part("text/plain");
    text.lines().find(|line| line.starts_with("https://")).unwrap().to_owned()
}

#[tokio::test]
async fn mail_arrives_and_its_link_signs_in() {
    let sink = Sink::start(Mood::Well).await;
    let case = Case::new(encrypted(&sink));
    let mut browser = browse(&case.auth);
    let answer =
        browser.submit("signin/email", &[("email", "Ada@Example.com"), ("callbackUrl", "/cart")]).await;
    assert_eq!(answer.location(), format!("{SITE}/api/auth/verify-request?provider=email&type=email"));
    let mail = sink.only();
    assert_eq!((mail.from.as_str(), &*mail.to), ("login@acme.example", &["ada@example.com".to_owned()][..]));
    assert!(mail.encrypted);
    assert_eq!(mail.login, Some(("ada@acme".to_owned(), "canary-pw!".to_owned())));
    let header = |name| mail.header(name).unwrap();
    assert_eq!(header("from"), "Acme <login@acme.example>");
    assert_eq!(header("to"), "ada@example.com");
    assert_eq!(header("subject"), "Sign in to app.example.com");
    assert_eq!(header("auto-submitted"), "auto-generated");
    assert!(header("message-id").ends_with("@acme.example>") && mail.header("date").is_some());
    let link = link_in(&mail);
    assert!(link.starts_with(&format!("{SITE}/api/auth/callback/email?callbackUrl=")));
    assert!(mail.part("text/html").contains(&format!("href=\"{}\"", link.replace('&', "&amp;"))));
    // The other browser is the one that the mail is read in.
    let mut other = browser.other();
    assert_eq!(other.follow_magic_link(&link).await.location(), format!("{SITE}/cart"));
    assert_eq!(other.session().await["user"], json!({ "email": "ada@example.com" }));
    // Nothing but the greeting goes unencrypted.
    let lines = sink.lines();
    assert!(lines[0].starts_with("EHLO ") && lines[1] == "STARTTLS", "{lines:?}");
}

#[tokio::test]
async fn mail_goes_over_every_kind_of_connection() {
    let sink = Sink::start(Mood::TlsFirst).await;
    let smtp =
        Smtp::new().url(format!("smtps://localhost:{}", sink.port)).root_certificate(sink.root.clone());
    assert_eq!(Case::new(smtp).ask("ada@example.com").await.status(), 302);
    assert!(sink.only().encrypted);
    let sink = Sink::start(Mood::OnlyLogin).await;
    Case::new(encrypted(&sink)).ask("ada@example.com").await;
    assert_eq!(sink.only().login, Some(("ada@acme".to_owned(), "canary-pw!".to_owned())));
    let sink = Sink::start(Mood::StartTlsStripped).await;
    Case::new(plain(&sink)).ask("ada@example.com").await;
    assert_eq!((sink.only().encrypted, sink.only().login), (false, None));
    let sink = Sink::start(Mood::Well).await;
    let smtp = Smtp::new().url(format!("smtp://localhost:{}?tls=required", sink.port));
    Case::new(smtp.dangerous().without_tls()).ask("ada@example.com").await;
    assert!(!sink.only().encrypted);
}

#[tokio::test]
async fn server_and_sender_come_from_the_environment() {
    let sink = Sink::start(Mood::Well).await;
    let site = Site::new();
    let url = format!("smtp://localhost:{}", sink.port);
    let variables = [("EMAIL_SERVER", url.as_str()), ("EMAIL_FROM", "login@acme.example")];
    let builder = site.with_store().environment(Environment::from(variables));
    let auth = builder.mailer(Email::new(), Smtp::new()).build().unwrap();
    browse(&auth).submit("signin/nodemailer", &[("email", "ada@example.com")]).await;
    assert_eq!(sink.only().header("from").unwrap(), "login@acme.example");
    assert_eq!(browse(&auth).get("providers").await.json()["nodemailer"]["type"], "email");
}

#[tokio::test]
async fn a_mail_server_is_checked_without_a_mail() {
    let none = Environment::empty();
    let sink = Sink::start(Mood::Well).await;
    encrypted(&sink).check(&none).await.unwrap();
    let lines = sink.lines();
    assert!(lines.contains(&"STARTTLS".to_owned()), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("AUTH ")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.starts_with("MAIL")) && sink.mails().is_empty(), "{lines:?}");
    let url = format!("smtp://localhost:{}", sink.port);
    Smtp::new().check(&Environment::from([("EMAIL_SERVER", url)])).await.unwrap();

    for (mood, said) in [
        (Mood::WrongPassword, "the mail server answered with status 535"),
        (Mood::StartTlsStripped, "the mail server cannot be reached"),
        (Mood::ClosesAtOnce, "the mail server cannot be reached"),
        (Mood::NeverGreets, "the mail server did not answer in time"),
    ] {
        let sink = Sink::start(mood).await;
        let smtp = encrypted(&sink).timeout(Duration::from_millis(300));
        let error = smtp.check(&none).await.unwrap_err();
        assert_eq!(error.to_string(), said, "{mood:?}");
    }
    let error = Smtp::new().check(&none).await.unwrap_err().to_string();
    assert!(error.starts_with("there is no mail server"), "{error}");
}

/// Whatever goes wrong: an error page, and the same one for those who are known and those who are not.
#[tokio::test]
async fn mail_that_cannot_be_sent_tells_nobody_who_is_known() {
    for (mood, said) in [
        (Mood::WrongPassword, "the mail server answered with status 535"),
        (Mood::TryLater, "the mail server answered with status 451"),
        (Mood::NoSuchUser, "the mail server answered with status 550"),
        (Mood::RefusesData, "the mail server answered with status 554"),
        (Mood::StartTlsRefused, "the mail server"),
        (Mood::ClosesAtOnce, "the mail server cannot be reached"),
        (Mood::ClosesAfterRecipient, "the mail server cannot be reached"),
        (Mood::TalksNonsense, "the mail server cannot be reached"),
    ] {
        let sink = Sink::start(mood).await;
        let case = Case::new(encrypted(&sink));
        browse(&case.auth).sign_in("idp", &case.site.idp).await;
        let known = case.ask("ada@example.com").await;
        let unknown = case.ask("nobody@example.com").await;
        for answer in [&known, &unknown] {
            assert!(answer.is_error("Configuration"), "{mood:?}");
            assert_eq!((answer.set_cookies(), answer.text()), (vec![], ""));
        }
        assert_eq!(known.headers(), unknown.headers(), "{mood:?}");
        let errors = case.errors.take().join("\n");
        assert!(errors.contains(said), "{mood:?}: {errors}");
        assert!(!errors.contains("ada@") && !errors.contains("canary"), "{mood:?}: {errors}");
        assert_eq!(sink.mails().len(), 0);
    }
}

#[tokio::test]
async fn slow_server_is_not_waited_for() {
    for mood in [Mood::NeverGreets, Mood::HangsAfterData] {
        let sink = Sink::start(mood).await;
        let case = Case::new(encrypted(&sink).timeout(Duration::from_millis(400)));
        let began = std::time::Instant::now();
        assert!(case.ask("ada@example.com").await.is_error("Configuration"), "{mood:?}");
        assert!(began.elapsed() < Duration::from_secs(5));
        assert!(case.errors.take().join("").contains("the mail server did not answer in time"), "{mood:?}");
    }
}

/// Somebody on the way takes STARTTLS out of the answers: neither password nor mail is sent.
#[tokio::test]
async fn connection_that_cannot_be_encrypted_is_not_used() {
    for mood in [Mood::StartTlsStripped, Mood::StartTlsRefused] {
        let sink = Sink::start(mood).await;
        let case = Case::new(encrypted(&sink));
        assert!(case.ask("ada@example.com").await.is_error("Configuration"));
        let said = sink.lines();
        assert!(said.iter().all(|line| ["EHLO", "STAR", "QUIT"].contains(&&line[..4])), "{mood:?}: {said:?}");
    }
}

#[tokio::test]
async fn certificate_that_is_not_right_is_refused() {
    // Of an authority that nobody knows.
    let sink = Sink::start(Mood::Well).await;
    let unknown = Smtp::new().url(format!("smtp://a:canary@localhost:{}?tls=required", sink.port));
    // Of a known one, for another name.
    let other = Sink::start_as("mail.evil.example", Mood::Well).await;
    for (sink, smtp) in [(sink, unknown), (other.clone(), encrypted(&other))] {
        let case = Case::new(smtp);
        assert!(case.ask("ada@example.com").await.is_error("Configuration"));
        assert_eq!((sink.mails().len(), sink.lines().len()), (0, 2), "{:?}", sink.lines());
        assert!(case.errors.take().join("").contains("the mail server cannot be reached"));
    }
}

/// Addresses that two programs could read differently.
#[tokio::test]
async fn each_mail_has_one_recipient_and_it_is_the_stored_one() {
    let sink = Sink::start(Mood::Well).await;
    let case = Case::new(plain(&sink));
    let long = format!("{}@example.com", "a".repeat(65));
    for address in [
        "a@evil.example,victim@example.com",
        "a@evil.example;victim@example.com",
        "a@evil.example victim@example.com",
        "a@evil.example\tvictim@example.com",
        "a@evil.example\r\nRCPT TO:<victim@example.com>",
        "a@example.com\r\nBcc: victim@example.com",
        "a@example.com\nBcc: victim@example.com",
        "a@example.com\0victim@example.com",
        "a@example.com>\r\nRCPT TO:<victim@example.com",
        "\"a@evil.example\"@example.com",
        "\"a\\\"@evil.example\"@example.com",
        "a(victim@example.com)@evil.example",
        "@evil.example:victim@example.com",
        "a%victim.example@evil.example",
        "evil.example!victim@example.com",
        "<victim@example.com>",
        "Victim <victim@example.com>",
        "a@[127.0.0.1]",
        "a@[IPv6:::1]",
        "a@example.com.",
        "a@.example.com",
        "a@example..com",
        "a..b@example.com",
        ".a@example.com",
        "-oQ/tmp@example.com",
        "a@-example.com",
        "a@localhost",
        "a@\u{ff20}evil.example",
        "a\u{ff20}evil.example",
        "a@b\u{fc}cher.example",
        "\u{fc}@example.com",
        "\u{212a}@example.com",
        "a@ex\u{ad}ample.com",
        "a\u{200d}@example.com",
        "a@\u{202e}moc.example",
        "a@evil\u{3002}example",
        &long,
    ] {
        case.ask(address).await;
    }
    let tokens = case.site.store.rows().tokens.into_iter().map(|token| token.identifier);
    // Mail servers are told what DNS knows.
    let tokens: Vec<_> = tokens.map(|address| address.replace("b\u{fc}cher", "xn--bcher-kva")).collect();
    let mails = sink.mails();
    assert!(mails.iter().any(|mail| mail.to[0] == "a@xn--bcher-kva.example"));
    assert!(mails.len() >= 5, "{}", mails.len());
    for mail in &mails {
        assert_eq!(mail.to.len(), 1, "{mail:?}");
        assert!(tokens.contains(&mail.to[0]), "{mail:?}");
        assert_eq!(mail.header("to").as_ref(), Some(&mail.to[0]));
        assert_eq!((mail.header("bcc"), mail.header("cc")), (None, None));
        assert!(mail.to[0] != "victim@example.com", "{mail:?}");
    }
    let recipients = sink.lines().iter().filter(|line| line.starts_with("RCPT")).count();
    assert_eq!(recipients, mails.len());
}

/// Every character that normalization changes, at every kind of place.
#[tokio::test]
async fn no_character_makes_a_second_recipient() {
    let sink = Sink::start(Mood::Well).await;
    let case = Case::new(plain(&sink));
    let mut browser = browse(&case.auth);
    let token = browser.csrf().await;
    let risky = |c: &char| {
        let separators = ['@', ',', ';', '<', '>', '"', '\r', '\n', '\0', ':', '(', ')', '\\', ' '];
        !c.is_ascii()
            && (c.nfkc().any(|c| separators.contains(&c)) || c.nfkd().any(|c| separators.contains(&c)))
    };
    let risky: Vec<_> = ('\0'..=char::MAX).filter(risky).collect();
    assert!(risky.len() > 50, "{}", risky.len());
    for c in risky {
        for address in [
            format!("a{c}evil.example@example.com"),
            format!("a@evil.example{c}victim@example.com"),
            format!("{c}a@example.com"),
        ] {
            browser.post_form("signin/email", &[("csrfToken", token.as_str()), ("email", &address)]).await;
        }
    }
    let tokens: Vec<_> = case.site.store.rows().tokens.into_iter().map(|token| token.identifier).collect();
    for mail in sink.mails() {
        assert_eq!(mail.to.len(), 1, "{mail:?}");
        assert!(tokens.contains(&mail.to[0]) && mail.to[0].matches('@').count() == 1, "{mail:?}");
        assert!(mail.to[0] != "victim@example.com", "{mail:?}");
    }
}

#[tokio::test]
async fn no_setting_adds_a_header_or_ends_a_mail() {
    let sink = Sink::start(Mood::Well).await;
    let site = Site::new();
    let text = ".\n.\r\n..\n\n.\nQUIT\nBcc: b@evil.example\n{{ url }}\nthe end";
    let auth = site
        .with_store()
        .theme(Theme::new().title("Acme\r\nBcc: evil@example.com\r\n\r\n<b>"))
        .mail_template(MailTemplate::Text, text)
        .mailer(email(), plain(&sink))
        .build()
        .unwrap();
    let answer = browse(&auth).submit("signin/email", &[("email", "ada@example.com")]).await;
    assert_eq!(answer.status(), 302);
    let mail = sink.only();
    assert_eq!(mail.header("subject").as_deref(), Some("Sign in to Acme Bcc: evil@example.com <b>"));
    assert_eq!((mail.header("bcc"), mail.to.len()), (None, 1));
    let text = mail.part("text/plain");
    assert!(text.starts_with(".\n.\n..\n\n.\nQUIT\n") && text.ends_with("\nthe end\n"), "{text:?}");
    assert!(!mail.part("text/html").contains("<b>"));
}

#[tokio::test]
async fn sender_that_is_none_is_a_mistake_of_the_configuration() {
    let site = Site::new();
    for (from, said) in [
        (None, "set EMAIL_FROM"),
        (Some("Acme"), "not one plain address"),
        (Some("Acme <a@acme.example, b@acme.example>"), "not one plain address"),
        (Some("Acme <a@acme.example>\r\nBcc: b@evil.example"), "not one plain address"),
        (Some("Ac\r\nme <a@acme.example>"), "control characters"),
        (Some("\"Ac\"me\" <a@acme.example>"), "quotes"),
    ] {
        let email = from.map_or_else(Email::new, |from| Email::new().from(from));
        let smtp = Smtp::new().url("smtp://localhost");
        let error = site.with_store().mailer(email, smtp).build().unwrap_err().to_string();
        assert!(error.contains("\"nodemailer\"") && error.contains(said), "{from:?}: {error}");
    }
    let error = site.with_store().mailer(email(), Smtp::new()).build().unwrap_err().to_string();
    assert!(error.contains("call `url`, or set EMAIL_SERVER"), "{error}");
    let smtp = Smtp::new().url("smtp://user:canary@mail.example/x");
    let error = site.with_store().mailer(email(), smtp).build().unwrap_err().to_string();
    assert!(error.contains("has a path") && !error.contains("canary"), "{error}");
    let smtp = Smtp::new().url("smtp://mail.example").root_certificate("no certificate");
    let error = site.with_store().mailer(email(), smtp).build().unwrap_err().to_string();
    assert!(error.contains("`root_certificate` is not a certificate"), "{error}");
}

/// A service that answers with a status.
#[derive(Clone, Debug)]
struct Service(u16, Arc<Mutex<Vec<Request<Bytes>>>>);

impl HttpClient for Service {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>> {
        self.1.lock().unwrap().push(request);
        let mut answer = Response::new(Bytes::from_static(b"canary-key"));
        *answer.status_mut() = StatusCode::from_u16(self.0).unwrap();
        Box::pin(async { Ok(answer) })
    }
}

#[tokio::test]
async fn service_is_asked_through_the_configured_client_and_its_link_signs_in() {
    for status in [200, 401] {
        let (site, log) = (Site::new(), Log::default());
        let (service, errors) = (Service(status, Arc::default()), log.clone());
        let variables = [("AUTH_POSTMARK_KEY", "canary-key"), ("EMAIL_FROM", "login@acme.example")];
        let auth = site
            .with_store()
            .environment(Environment::from(variables))
            .http_client(service.clone())
            .mailer(Email::new(), HttpService::postmark())
            .on_error(move |error, _| errors.add(format!("{error} {:?}", error.source())))
            .build()
            .unwrap();
        let mut browser = browse(&auth);
        let answer = browser.submit("signin/postmark", &[("email", "ada@example.com")]).await;
        assert_eq!(answer.is_error("Configuration"), status == 401);
        let body: Value = serde_json::from_slice(service.1.lock().unwrap()[0].body()).unwrap();
        assert_eq!((&body["To"], &body["From"]), (&json!("ada@example.com"), &json!("login@acme.example")));
        let text = body["TextBody"].as_str().unwrap();
        let link = text.lines().find(|line| line.starts_with("https://")).unwrap();
        if status == 200 {
            assert_eq!(browser.follow_magic_link(link).await.location(), SITE);
        }
        let log = log.take().join("");
        assert_eq!(log.contains("Refused { service: \"Postmark\", status: 401 }"), status == 401, "{log}");
        assert!(!log.contains("canary"), "{log}");
    }
}

/// A mailer of the application.
struct Own(bool);

impl Mailer for Own {
    async fn send(&self, message: Message) -> Result<(), MailError> {
        assert!(self.0, "in the mailer");
        Err(MailError::other(format!("nothing goes to {} letters", message.to.len())))
    }
}

#[tokio::test]
async fn mailer_of_the_application_that_fails_or_panics_ends_the_request_and_nothing_else() {
    for fails in [true, false] {
        let auth = Site::new().with_store().mailer(email(), Own(fails)).build().unwrap();
        let answer = browse(&auth).submit("signin/email", &[("email", "ada@example.com")]).await;
        assert_eq!((answer.is_error("Configuration"), answer.status() == 503), (fails, !fails));
        assert_eq!(answer.set_cookies(), Vec::<&str>::new());
    }
}
