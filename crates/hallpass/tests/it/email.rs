//! Sign-in by magic link.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use hallpass::clock::Clock;
use hallpass::testkit::Browser;
use hallpass::{Auth, Builder, Compat, Email, ErrorKind, Mail, PagePaths, Store, User, UserChange};
use serde_json::json;
use url::Url;

use crate::site::{Log, SECRET, SESSION, SITE, Site, browse, raw};

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
        Email::new(),
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

    fn as_auth_js() -> Self {
        let (site, mailbox) = (Site::new(), Mailbox::default());
        let auth = mailing(&site, &mailbox).compat(Compat::new().magic_link(true)).build().unwrap();
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
    let answer = browser.follow_magic_link(&link).await;
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
    assert_eq!(browser.other().follow_magic_link(&link).await.location(), format!("{SITE}/cart"));
}

#[tokio::test]
async fn known_user_is_signed_in_and_verified() {
    let case = Case::new();
    browse(&case.auth).sign_in("idp", &case.site.idp).await;
    let before = case.site.store.rows();
    assert_eq!(before.users[0].email_verified, None);
    let mut browser = browse(&case.auth);
    let link = case.ask(&mut browser, "ada@example.com").await;
    browser.follow_magic_link(&link).await;
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
    assert!(thief.follow_magic_link(&link).await.is_error("Verification"));
    let unsalted = format!("{rows:?}");
    assert!(!unsalted.contains(&mail.token));
}

#[tokio::test]
async fn link_works_once() {
    let case = Case::new();
    let mut browser = browse(&case.auth);
    let link = case.ask(&mut browser, "ada@example.com").await;
    browser.follow_magic_link(&link).await;
    let mut other = browse(&case.auth);
    let answer = other.follow_magic_link(&link).await;
    assert_eq!(answer.location(), format!("{SITE}/api/auth/error?error=Verification"));
    assert_eq!((answer.set_cookies(), other.cookie(SESSION)), (vec![], None));
}

#[tokio::test]
async fn link_followed_by_many_at_once_signs_one_in() {
    let case = Case::new();
    let link = case.ask(&mut browse(&case.auth), "ada@example.com").await;
    let mut browsers = vec![browse(&case.auth); 64];
    let answers = join_all(browsers.iter_mut().map(|browser| browser.follow_magic_link(&link))).await;
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
        assert!(
            browser.follow_magic_link(&format!("callback/email?{wrong}")).await.is_error("Verification"),
            "{wrong}"
        );
    }
    for wrong in
        [format!("token={token}"), "email=ada@example.com".into(), "token=&email=ada@example.com".into()]
    {
        assert!(
            browser.follow_magic_link(&format!("callback/email?{wrong}")).await.is_error("Configuration"),
            "{wrong}"
        );
    }
    assert_eq!(browser.cookie(SESSION), None);
    assert_eq!(browser.follow_magic_link(&link).await.location(), SITE);
    assert_eq!(browser.session().await["user"]["email"], "ada@example.com");
}

#[tokio::test]
async fn link_expires_to_the_second() {
    for (seconds, works) in [(599, true), (600, false)] {
        let case = Case::new();
        let mut browser = browse(&case.auth);
        let link = case.ask(&mut browser, "ada@example.com").await;
        case.site.clock.advance(Duration::from_secs(seconds));
        let answer = browser.follow_magic_link(&link).await;
        assert_eq!(answer.is_error("Verification"), !works, "{seconds}");
        assert_eq!(browser.cookie(SESSION).is_some(), works);
    }
}

#[tokio::test]
async fn lifetime_may_be_chosen_and_that_of_auth_js_is_a_day() {
    let day = 24 * 60 * 60;
    for (email, compat, seconds) in [
        (Email::new(), Compat::new(), 600),
        (Email::new(), Compat::new().magic_link(true), day),
        (Email::new(), Compat::new().magic_link(true).cache_headers(true), day),
        (Email::new().max_age(Duration::from_secs(60)), Compat::new().magic_link(true), 60),
        (Email::new().max_age(Duration::from_secs(3600)), Compat::new(), 3600),
    ] {
        let (site, mailbox) = (Site::new(), Mailbox::default());
        let auth = site.builder_with(mailbox.clone()).store(site.store.clone()).compat(compat);
        let auth = auth.email(email, async |mail, mailbox: Mailbox| {
            mailbox.0.lock().unwrap().push(mail);
            Ok(())
        });
        let mut browser = browse(&auth.build().unwrap());
        browser.submit("signin/email", &[("email", "ada@example.com")]).await;
        let until = mailbox.last().expires.seconds() - site.clock.now().seconds();
        assert_eq!((until, site.store.rows().tokens[0].expires), (seconds, mailbox.last().expires));
    }
}

/// What scanners of mail do: they open the link, some of them with scripts, but press no button.
#[tokio::test]
async fn looking_at_a_link_uses_nothing_up() {
    let case = Case::new();
    let link = case.ask(&mut browse(&case.auth), "ada@example.com").await;
    for (name, value) in [
        ("user-agent", "a scanner"),
        ("sec-purpose", "prefetch"),
        ("purpose", "prefetch"),
        ("sec-fetch-dest", "document"),
        ("x-auth-return-redirect", "1"),
    ] {
        let mut scanner = browse(&case.auth).with_header(name, value);
        for _ in 0..3 {
            let answer = scanner.get(&link).await;
            assert_eq!((answer.status().as_u16(), answer.cookie_names().contains(&SESSION)), (200, false));
        }
        assert_eq!(raw(&mut scanner, "HEAD", &link, "").await.status(), 400);
        assert_eq!(scanner.cookie(SESSION), None);
    }
    assert_eq!(case.site.store.rows().users.len(), 0);
    let mut browser = browse(&case.auth);
    assert_eq!(browser.follow_magic_link(&link).await.location(), SITE);
    assert_eq!(browser.session().await["user"]["email"], "ada@example.com");
}

#[tokio::test]
async fn page_of_a_link_says_for_whom_it_is_and_tells_nobody_the_token() {
    let case = Case::new();
    let mut browser = browse(&case.auth);
    browser.submit("signin/email", &[("email", "ada@example.com"), ("callbackUrl", "/cart")]).await;
    let answer = browser.other().get(&case.mailbox.last().url).await;
    assert!(answer.text().contains("signed in as <strong>ada@example.com</strong>"));
    let (action, fields) = answer.form().unwrap();
    assert_eq!(action, format!("{SITE}/api/auth/callback/email"));
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["csrfToken", "token", "email", "callbackUrl"]);
    assert_eq!(fields[3].1, format!("{SITE}/cart"));
    // The address of the page holds the token. `no-referrer` would take the origin from the form too.
    assert_eq!(answer.header("referrer-policy"), Some("strict-origin"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none';"));
}

#[tokio::test]
async fn link_is_followed_only_from_its_page() {
    let case = Case::new();
    let mut browser = browse(&case.auth);
    let link = case.ask(&mut browser, "ada@example.com").await;
    let (action, fields) = browser.get(&link).await.form().unwrap();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    // Without the CSRF token, with one of another browser, from another site, with the token in the query.
    assert!(browser.post_form(&action, &fields[1..]).await.is_error("MissingCSRF"));
    assert!(browser.other().post_form(&action, &fields).await.is_error("MissingCSRF"));
    let mut elsewhere = browser.clone().with_header("sec-fetch-site", "cross-site");
    assert!(elsewhere.post_form(&action, &fields).await.is_error("MissingCSRF"));
    assert!(browser.post_form(&link, &fields[1..]).await.is_error("MissingCSRF"));
    assert!(browser.post_form(&link, &fields[..1]).await.is_error("Configuration"));
    assert_eq!((browser.cookie(SESSION), case.site.store.rows().tokens.len()), (None, 1));
    assert_eq!(browser.post_form(&action, &fields).await.location(), SITE);
}

#[tokio::test]
async fn page_of_a_link_shows_nothing_that_is_no_address() {
    let case = Case::new();
    let mut browser = browse(&case.auth);
    for text in ["<b>x</b>@example.com", "call%20555-0100@example.com", "a@b@c", "hello"] {
        let answer = browser.get(&format!("callback/email?token=x&email={text}")).await;
        assert!(answer.is_error("Verification"), "{text}");
    }
    let answer = browser.get("callback/email?token=%22%3E%3Cb%3E&email=a%26b'@example.com").await;
    assert!(answer.text().contains("a&amp;b&#39;@example.com") && !answer.text().contains("<b>"));
}

#[tokio::test]
async fn link_as_in_auth_js_is_used_up_by_looking_at_it() {
    let case = Case::as_auth_js();
    let mut browser = browse(&case.auth);
    let link = case.ask(&mut browser, "ada@example.com").await;
    assert_eq!(raw(&mut browser, "HEAD", &link, "").await.status(), 400);
    assert_eq!(browser.get(&link).await.location(), SITE);
    assert!(browser.other().get(&link).await.is_error("Verification"));
    // A POST does the same, and needs no CSRF token.
    let link = case.ask(&mut browser, "ada@example.com").await;
    assert_eq!(browser.other().post_form(&link, &[]).await.location(), SITE);
}

#[tokio::test]
async fn link_works_beside_a_newer_one() {
    let case = Case::new();
    let mut browser = browse(&case.auth);
    let older = case.ask(&mut browser, "ada@example.com").await;
    let newer = case.ask(&mut browser, "ada@example.com").await;
    assert_ne!(older, newer);
    for link in [newer, older] {
        assert_eq!(browse(&case.auth).follow_magic_link(&link).await.location(), SITE);
        assert!(browse(&case.auth).follow_magic_link(&link).await.is_error("Verification"));
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
    assert!(browse(&rotate(&[new])).follow_magic_link(&link).await.is_error("Verification"));
    assert_eq!(browse(&rotate(&[new, SECRET])).follow_magic_link(&link).await.location(), SITE);
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

#[tokio::test]
async fn spellings_of_one_domain_are_one_user() {
    let case = Case::new();
    for typed in [
        "ada@b\u{fc}cher.example",
        "Ada@B\u{dc}CHER.example",
        "ada@bu\u{308}cher.example",
        "ada@xn--bcher-kva.example",
        "ada@XN--BCHER-KVA.EXAMPLE",
        "ada@b\u{fc}cher\u{3002}example",
        "ada@b\u{fc}cher\u{ff0e}example",
        "ada@b\u{fc}cher\u{ff61}example",
        "ada@\u{ff42}\u{fc}cher.example",
        "ada@b\u{fc}ch\u{ad}er.example",
    ] {
        let mut browser = browse(&case.auth);
        let link = case.ask(&mut browser, typed).await;
        assert_eq!(case.mailbox.last().identifier, "ada@b\u{fc}cher.example", "{typed:?}");
        assert_eq!(browser.follow_magic_link(&link).await.location(), SITE);
        assert!(case.auth.users().find_by_email(typed).await.unwrap().is_some());
    }
    assert_eq!(case.site.store.rows().users.len(), 1);
    // A provider that vouches for it, in either spelling, means the same mailbox.
    for (number, email) in ["ada@b\u{fc}cher.example", "ada@xn--bcher-kva.example"].into_iter().enumerate() {
        let profile = json!({ "sub": number.to_string(), "email": email, "email_verified": true });
        case.site.idp.set_user(profile);
        let answer = browse(&case.auth).sign_in("idp", &case.site.idp).await;
        assert!(answer.is_error("OAuthAccountNotLinked"), "{email}");
    }
}

/// Another program may have kept the domain as DNS knows it.
#[tokio::test]
async fn user_with_the_other_spelling_of_their_domain_is_found() {
    let case = Case::new();
    let stored = User::new("1").with_email("ada@xn--bcher-kva.example");
    case.site.store.create_user(stored, None).await.unwrap();
    for typed in ["ada@b\u{fc}cher.example", "ada@xn--bcher-kva.example"] {
        let mut browser = browse(&case.auth);
        let link = case.ask(&mut browser, typed).await;
        assert_eq!(browser.follow_magic_link(&link).await.location(), SITE);
        assert_eq!(case.auth.users().find_by_email(typed).await.unwrap().unwrap().id, "1");
        let profile = json!({ "sub": "bob", "email": typed, "email_verified": true });
        case.site.idp.set_user(profile);
        assert!(browse(&case.auth).sign_in("idp", &case.site.idp).await.is_error("OAuthAccountNotLinked"));
    }
    assert_eq!(case.site.store.rows().users.len(), 1);
    // Nobody else may have the mailbox in the other spelling.
    let users = case.auth.users();
    let other = "ada@b\u{fc}cher.example";
    assert_eq!(users.create(User::new("2").with_email(other)).await.unwrap_err().kind(), ErrorKind::Store);
    users.create(User::new("3")).await.unwrap();
    let change = UserChange::new().email(other.to_owned());
    assert_eq!(users.update("3", change.clone()).await.unwrap_err().kind(), ErrorKind::Store);
    // A link goes on though the user has the other spelling by then.
    let mut browser = browse(&case.auth);
    let link = case.ask(&mut browser, other).await;
    let own = UserChange::new().email(other.to_owned());
    case.site.store.update_user("1", own).await.unwrap();
    assert_eq!(browser.follow_magic_link(&link).await.location(), SITE);
    assert_eq!(case.site.store.rows().users.len(), 2);
    // With the user go the links, however they were asked for.
    let stored = UserChange::new().email("ada@xn--bcher-kva.example".to_owned());
    case.site.store.update_user("1", stored).await.unwrap();
    let link = case.ask(&mut browse(&case.auth), other).await;
    assert!(users.delete("1").await.unwrap());
    assert!(browse(&case.auth).follow_magic_link(&link).await.is_error("Verification"));
    users.update("3", change).await.unwrap();
}

#[tokio::test]
async fn domains_that_look_alike_are_different_people() {
    let case = Case::new();
    for (typed, stored) in [
        ("ada@example.com", "ada@example.com"),
        // CYRILLIC SMALL LETTER A.
        ("ada@ex\u{430}mple.com", "ada@ex\u{430}mple.com"),
        // LATIN SMALL LETTER DOTLESS I is no `i`, SHARP S is no `ss`.
        ("ada@\u{131}nfo.example", "ada@\u{131}nfo.example"),
        ("ada@stra\u{df}e.example", "ada@stra\u{df}e.example"),
        ("ada@strasse.example", "ada@strasse.example"),
    ] {
        let mut browser = browse(&case.auth);
        let link = case.ask(&mut browser, typed).await;
        assert_eq!(case.mailbox.last().identifier, stored);
        assert_eq!(browser.follow_magic_link(&link).await.location(), SITE);
    }
    assert_eq!(case.site.store.rows().users.len(), 5);
}

#[tokio::test]
async fn domain_that_can_be_none_is_refused() {
    let case = Case::new();
    let mut browser = browse(&case.auth);
    for domain in [
        "example.com.",
        "example..com",
        ".example.com",
        "xn--zzzzzzzzzz--.example",
        "xn--a.example",
        // A label that says in ASCII what is ASCII.
        "xn--example-.com",
        "exam%70le.com",
        "example.com/evil.example",
        "example.com#evil.example",
        "exa\u{ff0f}mple.com",
        "\u{2100}.example",
        "\u{200d}example.com",
        "a\u{202e}b.example",
        &format!("{}.example", "a".repeat(64)),
    ] {
        let address = format!("ada@{domain}");
        let answer = browser.submit("signin/email", &[("email", &address)]).await;
        assert!(answer.is_error("Configuration"), "{domain:?}");
    }
    assert_eq!(case.mailbox.len(), 0);
}

/// What a provider says is not made into something else on the way.
#[tokio::test]
async fn domain_of_a_provider_that_idna_maps_to_another_is_no_address() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    // KELVIN SIGN, a full-width letter, an ideographic full stop, a soft hyphen, a trailing dot.
    for (number, domain) in [
        "ban\u{212a}.example",
        "\u{ff42}ank.example",
        "bank\u{3002}example",
        "ba\u{ad}nk.example",
        "bank.example.",
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("ada@{domain}");
        site.idp.set_user(json!({ "sub": number.to_string(), "email": email, "email_verified": true }));
        assert_eq!(browse(&auth).sign_in("idp", &site.idp).await.location(), SITE);
    }
    assert!(site.store.rows().users.iter().all(|user| user.email.is_none()));
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
    browser.follow_magic_link(&mailbox.last().url).await;
    assert_eq!(log.take(), ["signIn false", "event createUser", "jwt true", "event signIn"]);
    browser.submit("signin/email", &[("email", "ada@example.com")]).await;
    log.take();
    browser.follow_magic_link(&mailbox.last().url).await;
    assert_eq!(log.take(), ["signIn false", "event updateUser", "jwt false", "event signIn"]);
}

#[tokio::test]
async fn new_user_is_welcomed() {
    let (site, mailbox) = (Site::new(), Mailbox::default());
    let auth = mailing(&site, &mailbox).pages(PagePaths::new().new_user("/welcome")).build().unwrap();
    let mut browser = browse(&auth);
    browser.submit("signin/email", &[("email", "ada@example.com")]).await;
    let answer = browser.follow_magic_link(&mailbox.last().url).await;
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
    assert!(browser.follow_magic_link(&link).await.is_error("Verification"));
    assert_eq!(case.site.store.rows().users, []);
}
