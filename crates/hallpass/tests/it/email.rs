//! Sign-in by magic link.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use hallpass::testkit::Browser;
use hallpass::{Auth, Builder, Email, Mail, PagePaths, Store};
use serde_json::json;
use url::Url;

use crate::site::{Log, SECRET, SESSION, SITE, Site, browse};

/// What was sent.
#[derive(Clone, Default)]
struct Mailbox(Arc<Mutex<Vec<Mail>>>);

impl Mailbox {
    fn last(&self) -> Mail {
        self.0.lock().unwrap().last().unwrap().clone()
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

fn mailing(site: &Site, mailbox: &Mailbox) -> Builder<Mailbox> {
    site.builder_with(mailbox.clone()).store(site.store.clone()).email(
        Email::new().max_age(Duration::from_secs(600)),
        async |mail, mailbox: Mailbox| {
            mailbox.0.lock().unwrap().push(mail);
            Ok(())
        },
    )
}

struct Case {
    site: Site,
    auth: Auth,
    mailbox: Mailbox,
}

impl Case {
    fn new() -> Self {
        let (site, mailbox) = (Site::new(), Mailbox::default());
        let auth = mailing(&site, &mailbox).build().unwrap();
        Self { site, auth, mailbox }
    }

    /// Asks for a link; the link.
    async fn ask(&self, browser: &mut Browser, address: &str) -> String {
        let answer = browser.submit("signin/email", &[("email", address)]).await;
        assert_eq!(answer.location(), format!("{SITE}/api/auth/verify-request?provider=email&type=email"));
        self.mailbox.last().url
    }
}

#[tokio::test]
async fn link_signs_in_and_proves_the_address() {
    let case = Case::new();
    let mut browser = browse(&case.auth);
    let link = case.ask(&mut browser, "Ada@Example.com").await;
    assert_eq!(case.mailbox.last().identifier, "ada@example.com");
    let answer = browser.get(&link).await;
    assert_eq!((answer.status().as_u16(), answer.location()), (302, SITE));
    assert_eq!(browser.session().await["user"], json!({ "email": "ada@example.com" }));
    let rows = case.site.store.rows();
    assert_eq!((rows.users.len(), rows.accounts.len(), rows.tokens.len()), (1, 0, 0));
    assert_eq!(
        rows.users[0].email_verified.map(|at| at.to_iso()).as_deref(),
        Some("2026-11-20T10:00:00.000Z")
    );
}

#[tokio::test]
async fn link_leads_where_the_sign_in_began() {
    let case = Case::new();
    let mut browser = browse(&case.auth);
    browser.submit("signin/email", &[("email", "ada@example.com"), ("callbackUrl", "/cart")]).await;
    let link = case.mailbox.last().url;
    assert!(link.starts_with(&format!(
        "{SITE}/api/auth/callback/email?callbackUrl=https%3A%2F%2Fapp.example.com%2Fcart&"
    )));
    // It works in another browser too.
    assert_eq!(browser.other().get(&link).await.location(), format!("{SITE}/cart"));
}

#[tokio::test]
async fn known_user_is_signed_in_and_verified() {
    let case = Case::new();
    browse(&case.auth).sign_in("idp", &case.site.idp).await;
    let before = case.site.store.rows();
    assert_eq!(before.users[0].email_verified, None);
    let mut browser = browse(&case.auth);
    let link = case.ask(&mut browser, "ada@example.com").await;
    browser.get(&link).await;
    let after = case.site.store.rows();
    assert_eq!((after.users.len(), &after.users[0].id), (1, &before.users[0].id));
    assert!(after.users[0].email_verified.is_some());
    assert_eq!(browser.session().await["user"]["name"], "Ada");
}

#[tokio::test]
async fn only_a_hash_of_the_token_is_stored() {
    let case = Case::new();
    case.ask(&mut browse(&case.auth), "ada@example.com").await;
    let mail = case.mailbox.last();
    let rows = case.site.store.rows();
    assert_eq!((mail.token.len(), rows.tokens.len()), (64, 1));
    assert!(mail.token.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_ne!(rows.tokens[0].hash, mail.token);
    // Whoever reads the database cannot use what stands there.
    let mut thief = browse(&case.auth);
    let link = format!("callback/email?token={}&email=ada@example.com", rows.tokens[0].hash);
    assert!(thief.get(&link).await.is_error("Verification"));
    let unsalted = format!("{rows:?}");
    assert!(!unsalted.contains(&mail.token));
}

#[tokio::test]
async fn link_works_once() {
    let case = Case::new();
    let mut browser = browse(&case.auth);
    let link = case.ask(&mut browser, "ada@example.com").await;
    browser.get(&link).await;
    let mut other = browse(&case.auth);
    let answer = other.get(&link).await;
    assert_eq!(answer.location(), format!("{SITE}/api/auth/error?error=Verification"));
    assert_eq!((answer.set_cookies(), other.cookie(SESSION)), (vec![], None));
}

#[tokio::test]
async fn link_followed_by_many_at_once_signs_one_in() {
    let case = Case::new();
    let link = case.ask(&mut browse(&case.auth), "ada@example.com").await;
    let mut browsers = vec![browse(&case.auth); 64];
    let answers = join_all(browsers.iter_mut().map(|browser| browser.get(&link))).await;
    assert_eq!(answers.iter().filter(|answer| answer.location() == SITE).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.is_error("Verification")).count(), 63);
    assert_eq!(browsers.iter().filter(|browser| browser.cookie(SESSION).is_some()).count(), 1);
    assert_eq!(case.site.store.rows().users.len(), 1);
}

#[tokio::test]
async fn token_for_another_address_is_refused_and_stays_usable() {
    let case = Case::new();
    let mut browser = browse(&case.auth);
    let link = case.ask(&mut browser, "ada@example.com").await;
    case.ask(&mut browser, "victim@example.com").await;
    let token =
        Url::parse(&link).unwrap().query_pairs().find(|(name, _)| name == "token").unwrap().1.into_owned();
    for wrong in [
        format!("token={token}&email=victim@example.com"),
        format!("token={token}&email=ADA@example.com"),
        format!("token={token}&email=ada@example.com%20"),
        format!("token={token}x&email=ada@example.com"),
        format!("token={}&email=ada@example.com", token.to_uppercase()),
        format!("token={}&email=ada@example.com", &token[1..]),
    ] {
        assert!(browser.get(&format!("callback/email?{wrong}")).await.is_error("Verification"), "{wrong}");
    }
    for wrong in
        [format!("token={token}"), "email=ada@example.com".into(), "token=&email=ada@example.com".into()]
    {
        assert!(browser.get(&format!("callback/email?{wrong}")).await.is_error("Configuration"), "{wrong}");
    }
    assert_eq!(browser.cookie(SESSION), None);
    assert_eq!(browser.get(&link).await.location(), SITE);
    assert_eq!(browser.session().await["user"]["email"], "ada@example.com");
}

#[tokio::test]
async fn link_expires_to_the_second() {
    for (seconds, works) in [(599, true), (600, false)] {
        let case = Case::new();
        let mut browser = browse(&case.auth);
        let link = case.ask(&mut browser, "ada@example.com").await;
        case.site.clock.advance(Duration::from_secs(seconds));
        let answer = browser.get(&link).await;
        assert_eq!(answer.is_error("Verification"), !works, "{seconds}");
        assert_eq!(browser.cookie(SESSION).is_some(), works);
    }
}

#[tokio::test]
async fn link_survives_a_new_secret() {
    let case = Case::new();
    let link = case.ask(&mut browse(&case.auth), "ada@example.com").await;
    let rotate = |secrets: &[&str]| {
        mailing(&case.site, &case.mailbox).secrets(secrets.iter().copied()).build().unwrap()
    };
    let new = "a new secret, and 32 characters long";
    assert!(browse(&rotate(&[new])).get(&link).await.is_error("Verification"));
    assert_eq!(browse(&rotate(&[new, SECRET])).get(&link).await.location(), SITE);
}

#[tokio::test]
async fn address_is_one_and_plain_or_refused() {
    let case = Case::new();
    let mut browser = browse(&case.auth);
    for address in [
        "",
        "ada",
        "@",
        "ada@",
        "@example.com",
        "a@b@c",
        "\"a@evil.example\"@example.com",
        "a@evil.example;b@example.com",
        "a@example.com\r\nBcc: b@evil.example",
        "a\0@example.com",
        "<a@example.com>",
        "a b@example.com",
        "a\u{ff20}evil.example@example.com",
        "a\u{fe6b}evil.example@example.com",
        "a@example.com\u{ff1b}b@evil.example",
        "a\u{2028}@example.com",
        &format!("{}@example.com", "a".repeat(400)),
    ] {
        let answer = browser.submit("signin/email", &[("email", address)]).await;
        assert!(answer.is_error("Configuration"), "{address:?}");
    }
    for body in [json!({ "email": ["a@example.com"] }), json!({ "email": null }), json!({})] {
        let mut body = body;
        body["csrfToken"] = browser.csrf().await.into();
        assert!(browser.post_json("signin/email", &body).await.is_error("Configuration"));
    }
    assert_eq!((case.mailbox.len(), case.site.store.rows().tokens.len()), (0, 0));
    // Of several domains the first is kept, so that the mail goes where the address says.
    case.ask(&mut browser, "a@evil.example,b@example.com").await;
    assert_eq!(case.mailbox.last().identifier, "a@evil.example");
}

/// For every character that normalization turns into a separator.
#[tokio::test]
async fn no_character_becomes_a_separator_by_normalization() {
    let case = Case::new();
    let mut browser = browse(&case.auth);
    let token = browser.csrf().await;
    for c in [
        '\u{ff20}', '\u{fe6b}', '\u{ff0c}', '\u{fe50}', '\u{ff1b}', '\u{fe54}', '\u{ff1c}', '\u{fe64}',
        '\u{ff1e}', '\u{fe65}', '\u{ff02}',
    ] {
        for position in 0.."victim@example.com".len() {
            let mut address = "victim@example.com".to_owned();
            address.insert(position, c);
            let fields = [("csrfToken", token.as_str()), ("email", &address)];
            browser.post_form("signin/email", &fields).await;
        }
    }
    for mail in case.mailbox.0.lock().unwrap().iter() {
        assert!(
            mail.identifier.is_ascii() && mail.identifier.matches('@').count() == 1,
            "{}",
            mail.identifier
        );
        assert!(!mail.identifier.contains([',', ';', '<', '>', '"']), "{}", mail.identifier);
    }
}

#[tokio::test]
async fn forged_host_reaches_no_link() {
    let case = Case::new();
    for header in ["host", "x-forwarded-host", "x-forwarded-proto", "forwarded", "origin2"] {
        let mut browser = browse(&case.auth).with_header(header, "evil.example");
        let link = case.ask(&mut browser, "ada@example.com").await;
        assert!(link.starts_with(&format!("{SITE}/api/auth/callback/email?")), "{link}");
        assert!(!link.contains("evil"));
    }
}

#[tokio::test]
async fn mail_that_cannot_be_sent_is_an_error() {
    let site = Site::new();
    for panics in [false, true] {
        let auth = site
            .with_store()
            .email(Email::new(), async move |_, ()| Err("no connection".into()))
            .email(Email::new().id("panics"), async |_, ()| panic!("in the mailer"))
            .build()
            .unwrap();
        let id = if panics { "panics" } else { "email" };
        let answer = browse(&auth).submit(&format!("signin/{id}"), &[("email", "ada@example.com")]).await;
        assert_eq!((answer.status() == 503, answer.set_cookies()), (panics, vec![]));
        assert_eq!(answer.is_error("Configuration"), !panics);
    }
}

#[tokio::test]
async fn sign_in_callback_may_refuse_before_a_mail_is_sent() {
    let (site, mailbox) = (Site::new(), Mailbox::default());
    let auth = mailing(&site, &mailbox)
        .sign_in(async |event, _| {
            Ok(!event.verification_request || event.user.email.as_deref() != Some("banned@example.com"))
        })
        .build()
        .unwrap();
    let mut browser = browse(&auth);
    assert!(
        browser.submit("signin/email", &[("email", "banned@example.com")]).await.is_error("AccessDenied")
    );
    assert_eq!((mailbox.len(), site.store.rows().tokens.len()), (0, 0));
    browser.submit("signin/email", &[("email", "ada@example.com")]).await;
    assert_eq!(mailbox.len(), 1);
}

#[tokio::test]
async fn callbacks_and_events_run_in_their_order() {
    let (site, log, mailbox) = (Site::new(), Log::default(), Mailbox::default());
    let mails = mailbox.clone();
    let auth = site
        .builder_with((log.clone(), mails))
        .store(site.store.clone())
        .email(Email::new(), async |mail, (log, mailbox): (Log, Mailbox)| {
            log.add("send");
            mailbox.0.lock().unwrap().push(mail);
            Ok(())
        })
        .sign_in(async |event, (log, _)| {
            log.add(format!("signIn {}", event.verification_request));
            Ok(true)
        })
        .jwt(async |event: hallpass::Jwt, (log, _)| {
            let hallpass::Jwt::SignIn(it) = &event else { return Ok(None) };
            log.add(format!("jwt {}", it.is_sign_up()));
            Ok(None)
        })
        .on_event(async |event, (log, _)| {
            log.add(format!("event {}", event.name()));
            Ok(())
        })
        .build()
        .unwrap();
    let mut browser = browse(&auth);
    browser.submit("signin/email", &[("email", "ada@example.com")]).await;
    assert_eq!(log.take(), ["signIn true", "send"]);
    browser.get(&mailbox.last().url).await;
    assert_eq!(log.take(), ["signIn false", "event createUser", "jwt true", "event signIn"]);
    browser.submit("signin/email", &[("email", "ada@example.com")]).await;
    log.take();
    browser.get(&mailbox.last().url).await;
    assert_eq!(log.take(), ["signIn false", "event updateUser", "jwt false", "event signIn"]);
}

#[tokio::test]
async fn new_user_is_welcomed() {
    let (site, mailbox) = (Site::new(), Mailbox::default());
    let auth = mailing(&site, &mailbox).pages(PagePaths::new().new_user("/welcome")).build().unwrap();
    let mut browser = browse(&auth);
    browser.submit("signin/email", &[("email", "ada@example.com")]).await;
    let answer = browser.get(&mailbox.last().url).await;
    assert_eq!(answer.location(), "/welcome?callbackUrl=https%3A%2F%2Fapp.example.com");
}

#[tokio::test]
async fn with_a_user_go_the_links_to_their_address() {
    let case = Case::new();
    browse(&case.auth).sign_in("idp", &case.site.idp).await;
    let old = case.site.store.rows().users[0].id.clone();
    let mut browser = browse(&case.auth);
    let link = case.ask(&mut browser, "ada@example.com").await;
    assert!(case.site.store.delete_user(&old).await.unwrap());
    assert!(browser.get(&link).await.is_error("Verification"));
    assert_eq!(case.site.store.rows().users, []);
}
