//! What the README says of the link.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Response;
use hallpass::Environment;
use hallpass::testkit::{Browser, ManualClock};
use tower::ServiceExt;

use super::*;

#[tokio::test]
async fn a_program_that_looks_at_mail_cannot_use_the_link_up() {
    let (mut browser, link) = asked_for_a_link(&ManualClock::new()).await;
    let mut scanner = browser.other();
    assert!(scanner.get(&link).await.form().is_some());
    assert!(!is_signed_in(&mut scanner).await);
    browser.follow_magic_link(&link).await;
    assert!(is_signed_in(&mut browser).await);
}

#[tokio::test]
async fn the_link_works_once() {
    let (mut browser, link) = asked_for_a_link(&ManualClock::new()).await;
    browser.follow_magic_link(&link).await;
    let mut again = browser.other();
    again.follow_magic_link(&link).await;
    assert!(!is_signed_in(&mut again).await);
}

#[tokio::test]
async fn the_link_works_for_ten_minutes() {
    for (seconds, works) in [(599, true), (600, false)] {
        let clock = ManualClock::new();
        let (mut browser, link) = asked_for_a_link(&clock).await;
        clock.advance(Duration::from_secs(seconds));
        browser.follow_magic_link(&link).await;
        assert_eq!(is_signed_in(&mut browser).await, works, "after {seconds} seconds");
    }
}

/// A browser that looks at the application, and the link that it has asked for.
async fn asked_for_a_link(clock: &ManualClock) -> (Browser, String) {
    let inbox = Inbox::default();
    let auth = Auth::builder()
        .environment(Environment::empty())
        .secret("a text of at least 32 characters, at random")
        .url(URL)
        .clock(clock.clone())
        .store(MemoryStore::new())
        .mailer(Email::new().from("login@localhost"), inbox.clone())
        .build()
        .unwrap();
    let app = app(auth.clone());
    let mut browser = Browser::new(&auth, URL).through(move |request| {
        let app = app.clone();
        async move {
            let (parts, body) = app.oneshot(request.map(Body::from)).await.unwrap().into_parts();
            Response::from_parts(parts, to_bytes(body, 1 << 20).await.unwrap())
        }
    });
    browser.submit("signin/email", &[("email", "ada@example.com")]).await;
    let link = inbox.0.lock().unwrap().pop().unwrap();
    (browser, link)
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    browser.get("/").await.text().contains("Signed in as ada@example.com.")
}

/// Keeps the links in place of sending them.
#[derive(Clone, Default)]
struct Inbox(Arc<Mutex<Vec<String>>>);

impl Mailer for Inbox {
    async fn send(&self, message: Message) -> Result<(), MailError> {
        self.0.lock().unwrap().push(message.link);
        Ok(())
    }
}

const URL: &str = "https://app.example.com";
