//! What another process does in the middle of a request: before each call of the store in turn, and after the last.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hallpass::testkit::{Browser, Outage};
use hallpass::{Auth, Builder, Email, Jwt, MemoryStore, SessionEvent, Store, Strategy, User, UserChange};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;

use crate::site::{Log, PASSWORD, SESSION, SITE, Site, browse, with_token};

const BOTH: [Strategy; 2] = [Strategy::Jwt, Strategy::Database];

const ADDRESS: &str = "ali@example.com";

#[derive(Serialize, Deserialize)]
struct Claims {
    role: String,
}

type Event = BoxFuture<'static, ()>;

/// An application of two processes, which share the store.
struct Case {
    site: Site,
    store: Outage<MemoryStore>,
    here: Auth<Claims>,
    there: Auth<Claims>,
    mailbox: Log,
}

impl Case {
    /// Sessions are kept this way there, and that way here.
    fn new(there: Strategy, here: Strategy) -> Self {
        let (site, mailbox) = (Site::new(), Log::default());
        let store = Outage::new(site.store.clone());
        // A provider that does not look at addresses.
        site.other.set_user(json!({ "sub": "eve", "email": ADDRESS, "email_verified": false }));
        let there = Self::builder(&site, &mailbox, there).store(store.clone()).build().unwrap();
        let here = Self::builder(&site, &mailbox, here).store(store.clone()).build().unwrap();
        Self { site, store, here, there, mailbox }
    }

    fn builder(site: &Site, mailbox: &Log, strategy: Strategy) -> Builder<Log, Claims> {
        let builder = site.builder_with(mailbox.clone()).session_strategy(strategy);
        let builder = builder.email(Email::new(), async |mail, mailbox: Log| {
            mailbox.add(mail.url);
            Ok(())
        });
        let builder = builder.jwt(async |event: Jwt<Claims>, _| {
            Ok(match event {
                Jwt::SignIn(_) => Some(Claims { role: "reader".into() }),
                Jwt::Read(it) => Some(it.claims),
            })
        });
        builder.session(async |it: SessionEvent<Claims>, _| {
            Ok(json!({ "name": it.user.name, "role": it.claims.role }))
        })
    }

    /// Somebody with an account that nobody vouches for, who has signed in there.
    async fn eve(&self) -> (Browser, String) {
        let mut eve = browse(&self.there);
        assert_eq!(eve.sign_in("other", &self.site.other).await.location(), SITE);
        (eve, self.site.store.rows().users[0].id.clone())
    }

    /// The same cookies, sent here.
    fn here(&self, browser: &Browser) -> Browser {
        let mut here = browse(&self.here);
        for cookie in browser.cookies() {
            here.plant(&format!("{}={}; Path=/; Secure", cookie.name, cookie.value));
        }
        here
    }

    async fn link(&self) -> String {
        browse(&self.there).submit("signin/email", &[("email", ADDRESS)]).await;
        self.mailbox.take().pop().unwrap()
    }

    /// The owner of the address follows a link to it, there.
    async fn proof(&self) -> Event {
        let (mut owner, link) = (browse(&self.there), self.link().await);
        async move { assert_eq!(owner.follow_magic_link(&link).await.location(), SITE) }.boxed()
    }

    /// Whose session it is, for a process that has seen nothing yet.
    async fn user_of(&self, browser: &Browser) -> Option<String> {
        let auth = Self::builder(&self.site, &self.mailbox, Strategy::Jwt).store(self.site.store.clone());
        browser.cookie(SESSION)?;
        auth.build().unwrap().session(&parts(browser)).await.unwrap().map(|session| session.user.id)
    }

    /// Name and role that the session shows, where a process reads it that has seen nothing yet.
    async fn shown_to(&self, browser: &Browser, strategy: Strategy) -> [String; 2] {
        let fresh = Self::builder(&self.site, &self.mailbox, strategy).store(self.site.store.clone());
        let mut read = with_token(&fresh.build().unwrap(), browser.cookie(SESSION).unwrap());
        let session = read.session().await;
        ["name", "role"].map(|field| session[field].as_str().unwrap_or_default().to_owned())
    }

    /// Lets happen what had no turn, and says whether there was something.
    async fn is_over(&self) -> bool {
        match self.store.take_interruption() {
            Some(event) => event.await,
            None => return false,
        }
        true
    }
}

/// A request of this browser to the application.
fn parts(browser: &Browser) -> http::request::Parts {
    let cookie = format!("{SESSION}={}", browser.cookie(SESSION).unwrap());
    http::Request::get("/").header("cookie", cookie).body(()).unwrap().into_parts().0
}

/// Looks at every moment: `look` lets something happen before the call after so many others, and says whether that was
/// after the last one.
async fn at_every_moment(there: Strategy, here: Strategy, look: impl AsyncFn(&Case, usize) -> bool) {
    for calls in 0.. {
        if look(&Case::new(there, here), calls).await {
            // Else nothing was between two calls.
            assert!(calls > 1, "{calls} calls");
            return;
        }
    }
}

#[tokio::test]
async fn first_proof_during_a_sign_in_ends_it() {
    for strategy in BOTH {
        at_every_moment(strategy, strategy, async |case, calls| {
            let (_, owner) = case.eve().await;
            case.store.interrupt(calls, case.proof().await);
            let mut eve = browse(&case.here);
            eve.sign_in("other", &case.site.other).await;
            let is_over = case.is_over().await;
            assert_ne!(case.user_of(&eve).await, Some(owner.clone()), "{strategy:?} {calls}");
            assert_eq!(case.site.store.accounts(&owner).await.unwrap(), [], "{strategy:?} {calls}");
            is_over
        })
        .await;
    }
}

#[tokio::test]
async fn first_proof_during_linking_leaves_no_account_behind() {
    for strategy in BOTH {
        at_every_moment(strategy, strategy, async |case, calls| {
            let (eve, owner) = case.eve().await;
            case.site
                .idp
                .set_user(json!({ "sub": "eve", "email": "eve@example.com", "email_verified": true }));
            case.store.interrupt(calls, case.proof().await);
            let mut eve = case.here(&eve);
            // Here somebody has looked at the session lately.
            eve.session().await;
            eve.sign_in("idp", &case.site.idp).await;
            let is_over = case.is_over().await;
            assert_ne!(case.user_of(&eve).await, Some(owner.clone()), "{strategy:?} {calls}");
            assert_eq!(case.site.store.accounts(&owner).await.unwrap(), [], "{strategy:?} {calls}");
            is_over
        })
        .await;
    }
}

#[tokio::test]
async fn deletion_during_a_sign_in_leaves_no_session_of_the_user() {
    for strategy in BOTH {
        for by_mail in [false, true] {
            at_every_moment(strategy, strategy, async |case, calls| {
                let (_, owner) = case.eve().await;
                let link = case.link().await;
                let (there, id) = (case.there.clone(), owner.clone());
                case.store.interrupt(calls, async move { assert!(there.users().delete(&id).await.unwrap()) });
                let mut eve = browse(&case.here);
                match by_mail {
                    true => eve.follow_magic_link(&link).await,
                    false => eve.sign_in("other", &case.site.other).await,
                };
                let is_over = case.is_over().await;
                assert_ne!(case.user_of(&eve).await, Some(owner), "{strategy:?} {by_mail} {calls}");
                is_over
            })
            .await;
        }
    }
}

#[tokio::test]
async fn deletion_during_a_sign_in_with_a_form_leaves_no_session() {
    for strategy in BOTH {
        at_every_moment(strategy, strategy, async |case, calls| {
            let ali = User::new("1").with_name("Ali").with_email(ADDRESS);
            case.site.store.create_user(ali, None).await.unwrap();
            let there = case.there.clone();
            case.store.interrupt(calls, async move {
                assert!(there.users().delete("1").await.unwrap());
            });
            let mut eve = browse(&case.here);
            eve.sign_in_with_credentials(PASSWORD).await;
            let is_over = case.is_over().await;
            // Whom the store has not known from the beginning is somebody new.
            let is_new = calls == 0 || (strategy == Strategy::Database && calls == 1);
            assert!(is_new || case.user_of(&eve).await.is_none(), "{strategy:?} {calls}");
            is_over
        })
        .await;
    }
}

/// Where only the address counts that was proven.
#[tokio::test]
async fn change_of_the_address_during_a_magic_link_proves_nothing() {
    for strategy in BOTH {
        at_every_moment(strategy, strategy, async |case, calls| {
            let (_, id) = case.eve().await;
            let (link, there) = (case.link().await, case.there.clone());
            case.store.interrupt(calls, async move {
                let change = UserChange::new().email("victim@example.com".to_owned());
                there.users().update(&id, change).await.unwrap();
            });
            browse(&case.here).follow_magic_link(&link).await;
            let is_over = case.is_over().await;
            let victim = case.site.store.user_by_email("victim@example.com").await.unwrap().unwrap();
            assert_eq!(victim.email_verified, None, "{strategy:?} {calls}");
            is_over
        })
        .await;
    }
}

#[tokio::test]
async fn revoked_session_does_not_save_itself_by_ending_the_others() {
    for strategy in BOTH {
        at_every_moment(strategy, strategy, async |case, calls| {
            let (eve, id) = case.eve().await;
            let mut eve = case.here(&eve);
            // Here somebody has looked at the session lately.
            eve.session().await;
            let there = case.there.clone();
            case.store.interrupt(calls, async move {
                there.sessions().revoke_all(&id).await.unwrap();
            });
            let read = case.here.read(&parts(&eve)).await.unwrap();
            if let Some(handle) = read.handle() {
                let read = handle.sign_out_elsewhere().await.unwrap();
                read.set_cookies().for_each(|line| eve.plant(line.to_str().unwrap()));
            }
            let is_over = case.is_over().await;
            assert_eq!(case.user_of(&eve).await, None, "{strategy:?} {calls}");
            is_over
        })
        .await;
    }
}

/// From one strategy to the other.
const CHANGES: [(Strategy, Strategy); 2] =
    [(Strategy::Jwt, Strategy::Database), (Strategy::Database, Strategy::Jwt)];

#[tokio::test]
async fn revocation_during_a_change_of_strategy_ends_the_session() {
    for (before, after) in CHANGES {
        at_every_moment(before, after, async |case, calls| {
            let (eve, id) = case.eve().await;
            // Here it is known that nothing has happened to the user.
            let mut known = browse(&case.here);
            known.sign_in("other", &case.site.other).await;
            known.session().await;
            let (there, user) = (case.there.clone(), id.clone());
            case.store.interrupt(calls, async move {
                there.sessions().revoke_all(&user).await.unwrap();
            });
            let mut eve = case.here(&eve);
            eve.session().await;
            let is_over = case.is_over().await;
            assert_eq!(case.user_of(&eve).await, None, "{before:?} {after:?} {calls}");
            assert_eq!(case.site.store.sessions(&id).await.unwrap(), [], "{before:?} {after:?} {calls}");
            is_over
        })
        .await;
    }
}

/// The same, seen from the one who revokes.
#[tokio::test]
async fn change_of_strategy_during_a_revocation_does_not_save_the_session() {
    for (before, after) in CHANGES {
        at_every_moment(before, after, async |case, calls| {
            let (eve, id) = case.eve().await;
            let eve = Arc::new(Mutex::new(case.here(&eve)));
            let reading = Arc::clone(&eve);
            case.store.interrupt(calls, async move {
                reading.lock().await.session().await;
            });
            case.there.sessions().revoke_all(&id).await.unwrap();
            let is_over = case.is_over().await;
            let eve = eve.lock().await;
            assert_eq!(case.user_of(&eve).await, None, "{before:?} {after:?} {calls}");
            assert_eq!(case.site.store.sessions(&id).await.unwrap(), [], "{before:?} {after:?} {calls}");
            is_over
        })
        .await;
    }
}

#[tokio::test]
async fn sign_in_during_a_deletion_leaves_no_session_of_the_user() {
    for strategy in BOTH {
        at_every_moment(strategy, strategy, async |case, calls| {
            let (_, owner) = case.eve().await;
            let eve = Arc::new(Mutex::new(browse(&case.here)));
            let (signing_in, other) = (Arc::clone(&eve), case.site.other.clone());
            case.store.interrupt(calls, async move {
                signing_in.lock().await.sign_in("other", &other).await;
            });
            assert!(case.there.users().delete(&owner).await.unwrap());
            let is_over = case.is_over().await;
            let eve = eve.lock().await;
            assert_ne!(case.user_of(&eve).await, Some(owner), "{strategy:?} {calls}");
            is_over
        })
        .await;
    }
}

/// What somebody changes of a session or its user there, and what the session shows then.
const EVENTS: [(&str, [&str; 2]); 2] = [("claims", ["", "banned"]), ("user", ["Eve", "reader"])];

async fn change(there: Auth<Claims>, what: &str, id: &str) {
    if what == "claims" {
        there.sessions().update(id, json!({ "role": "banned" })).await.unwrap();
    } else {
        there.users().update(id, UserChange::new().name("Eve".to_owned())).await.unwrap();
    }
}

#[tokio::test]
async fn what_changes_during_a_change_of_strategy_reaches_the_session() {
    for (before, after) in CHANGES {
        for (what, shown) in EVENTS {
            at_every_moment(before, after, async |case, calls| {
                let (eve, id) = case.eve().await;
                let there = case.there.clone();
                case.store.interrupt(calls, async move { change(there, what, &id).await });
                let mut eve = case.here(&eve);
                eve.session().await;
                let is_over = case.is_over().await;
                assert_eq!(case.shown_to(&eve, after).await, shown, "{before:?} {after:?} {calls}");
                is_over
            })
            .await;
        }
    }
}

/// The same, seen from the one who changes it.
#[tokio::test]
async fn change_of_strategy_during_a_change_of_the_session_loses_nothing() {
    for (before, after) in CHANGES {
        for (what, shown) in EVENTS {
            at_every_moment(before, after, async |case, calls| {
                let (eve, id) = case.eve().await;
                let eve = Arc::new(Mutex::new(case.here(&eve)));
                let reading = Arc::clone(&eve);
                case.store.interrupt(calls, async move {
                    reading.lock().await.session().await;
                });
                change(case.there.clone(), what, &id).await;
                let is_over = case.is_over().await;
                let eve = eve.lock().await;
                assert_eq!(case.shown_to(&eve, after).await, shown, "{before:?} {after:?} {calls}");
                is_over
            })
            .await;
        }
    }
}
