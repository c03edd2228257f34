//! Who is this? Users and accounts in a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass::clock::Clock;
use hallpass::testkit::{Browser, Outage};
use hallpass::{ErrorKind, Jwt, MemoryStore, Rows, Store, Strategy, UserChange};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::site::{Log, SESSION, SITE, Site, browse};

/// Everything in the store but that these sign-ins came back.
fn people(site: &Site) -> Rows {
    let mut rows = site.store.rows();
    rows.tokens.clear();
    rows
}

async fn user_id(auth: &hallpass::Auth, browser: &Browser) -> String {
    let cookie = format!("{SESSION}={}", browser.cookie(SESSION).unwrap());
    let parts = http::Request::get("/").header("cookie", cookie).body(()).unwrap().into_parts().0;
    auth.session(&parts).await.unwrap().unwrap().user.id
}

#[tokio::test]
async fn first_sign_in_makes_a_user_with_the_account() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    let rows = site.store.rows();
    let [user] = rows.users.as_slice() else { panic!("{} users", rows.users.len()) };
    let [account] = rows.accounts.as_slice() else { panic!("{} accounts", rows.accounts.len()) };
    assert_eq!((user.name.as_deref(), user.email.as_deref()), (Some("Ada"), Some("ada@example.com")));
    // A provider's word is no proof to us.
    assert_eq!(user.email_verified, None);
    assert_eq!((account.provider.as_str(), account.provider_account_id.as_str()), ("idp", "ada"));
    assert_eq!(account.user_id.as_ref(), Some(&user.id));
    assert_eq!(account.get("expires_in"), None);
    assert!(account.access_token().is_some() && account.refresh_token().is_some());
    assert_eq!(user_id(&auth, &browser).await, user.id);
}

#[tokio::test]
async fn known_account_signs_its_user_in() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    browse(&auth).sign_in("idp", &site.idp).await;
    let before = site.store.rows();
    // Another address today: the account counts, not the address.
    site.idp.set_user(json!({ "sub": "ada", "name": "Ada L.", "email": "new@example.com" }));
    let mut browser = browse(&auth);
    assert_eq!(browser.sign_in("idp", &site.idp).await.location(), SITE);
    let after = site.store.rows();
    assert_eq!((&after.users, &after.accounts), (&before.users, &before.accounts));
    assert_eq!(user_id(&auth, &browser).await, before.users[0].id);
}

#[tokio::test]
async fn events_come_in_their_order() {
    let (site, log) = (Site::new(), Log::default());
    let auth = site
        .builder_with(log.clone())
        .store(site.store.clone())
        .on_event(async |event, log: Log| {
            log.add(event.name());
            Ok(())
        })
        .build()
        .unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    assert_eq!(log.take(), ["createUser", "linkAccount", "signIn"]);
    browser.sign_in("other", &site.other).await;
    assert_eq!(log.take(), ["linkAccount", "signIn"]);
    browse(&auth).sign_in("idp", &site.idp).await;
    assert_eq!(log.take(), ["signIn"]);
}

#[tokio::test]
async fn second_account_is_linked_to_whoever_is_signed_in() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    browser.sign_in("other", &site.other).await;
    let rows = site.store.rows();
    assert_eq!((rows.users.len(), rows.accounts.len()), (1, 2));
    assert!(rows.accounts.iter().all(|account| account.user_id.as_ref() == Some(&rows.users[0].id)));
    // From now on each of them leads to the same user.
    let mut elsewhere = browse(&auth);
    elsewhere.sign_in("other", &site.other).await;
    assert_eq!(user_id(&auth, &elsewhere).await, rows.users[0].id);
}

#[tokio::test]
async fn account_of_somebody_else_is_not_taken_over() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    browse(&auth).sign_in("other", &site.other).await;
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    let before = people(&site);
    let answer = browser.sign_in("other", &site.other).await;
    assert_eq!(answer.location(), format!("{SITE}/api/auth/signin?error=OAuthAccountNotLinked"));
    assert_eq!(people(&site), before);
    assert_eq!(browser.session().await["user"]["name"], "Ada");
}

#[tokio::test]
async fn same_address_at_another_provider_is_refused() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    browse(&auth).sign_in("idp", &site.idp).await;
    let before = people(&site);
    for address in ["ada@example.com", "ADA@example.com", " ada@example.com "] {
        for verified in [json!(true), json!(false), json!("true"), json!(null)] {
            site.other.set_user(json!({ "sub": "eve", "email": address, "email_verified": verified }));
            let mut browser = browse(&auth);
            let answer = browser.sign_in("other", &site.other).await;
            assert!(answer.is_error("OAuthAccountNotLinked"), "{address} {verified}");
            assert_eq!((answer.set_cookies(), browser.cookie(SESSION)), (vec![], None));
        }
    }
    assert_eq!(people(&site), before);
}

#[tokio::test]
async fn linking_by_address_wants_a_verified_one() {
    let site = Site::new();
    let trusting = site.other.oidc_provider("trusting").dangerous().link_accounts_by_email();
    let auth = site.with_store().provider(trusting).build().unwrap();
    site.idp.set_user(json!({ "sub": "ada", "email": "ada@example.com" }));
    browse(&auth).sign_in("idp", &site.idp).await;
    for verified in [json!(false), json!("false"), json!("yes"), json!(1), json!(null), json!(["true"])] {
        site.other.set_user(json!({ "sub": "eve", "email": "ada@example.com", "email_verified": verified }));
        let answer = browse(&auth).sign_in("trusting", &site.other).await;
        assert!(answer.is_error("OAuthAccountNotLinked"), "{verified}");
    }
    site.other.set_user(json!({ "sub": "eve", "email": "ada@example.com" }));
    assert!(browse(&auth).sign_in("trusting", &site.other).await.is_error("OAuthAccountNotLinked"));
    assert_eq!(site.store.rows().accounts.len(), 1);

    site.other.set_user(json!({ "sub": "ada-2", "email": "ADA@example.com", "email_verified": true }));
    let mut browser = browse(&auth);
    // The other side too: who has signed up with somebody else's address must not get their account linked in.
    assert!(browser.sign_in("trusting", &site.other).await.is_error("OAuthAccountNotLinked"));
    let owner = site.store.rows().users[0].clone();
    site.store.verify_email(&owner, site.clock.now()).await.unwrap();
    assert_eq!(browser.sign_in("trusting", &site.other).await.location(), SITE);
    // With the first proof the account went whose provider had not vouched for the address.
    let rows = site.store.rows();
    assert_eq!((rows.users.len(), rows.accounts.len()), (1, 1));
    assert_eq!(user_id(&auth, &browser).await, rows.users[0].id);
}

#[tokio::test]
async fn address_that_two_providers_vouch_for_is_linked_while_the_user_has_it() {
    let site = Site::new();
    let trusting = site.other.oidc_provider("trusting").dangerous().link_accounts_by_email();
    let auth = site.with_store().provider(trusting).build().unwrap();
    browse(&auth).sign_in("idp", &site.idp).await;
    let id = site.store.rows().users[0].id.clone();
    // Who moves to an address has not proven that it is theirs.
    let to = |address: &str| UserChange::new().email(address.to_owned());
    auth.users().update(&id, to("new@example.com")).await.unwrap();
    site.other.set_user(json!({ "sub": "2", "email": "new@example.com", "email_verified": true }));
    let refused = browse(&auth).sign_in("trusting", &site.other).await;
    assert!(refused.is_error("OAuthAccountNotLinked"));

    auth.users().delete(&id).await.unwrap();
    browse(&auth).sign_in("idp", &site.idp).await;
    site.other.set_user(json!({ "sub": "2", "email": "ada@example.com", "email_verified": true }));
    assert_eq!(browse(&auth).sign_in("trusting", &site.other).await.location(), SITE);
    assert_eq!(site.store.rows().users.len(), 1);
}

#[tokio::test]
async fn same_subject_at_two_providers_is_two_accounts() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    site.other.set_user(json!({ "sub": "ada", "email": "another@example.com" }));
    browse(&auth).sign_in("idp", &site.idp).await;
    browse(&auth).sign_in("other", &site.other).await;
    let rows = site.store.rows();
    assert_eq!((rows.users.len(), rows.accounts.len()), (2, 2));
}

#[tokio::test]
async fn subjects_that_look_alike_are_different_people() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let subjects =
        ["ada", "Ada", "ada ", " ada", "\u{ff41}da", "a\u{301}da", "\u{e1}da", "ada\u{1d11e}", "ada\u{200b}"];
    for subject in subjects {
        site.idp.set_user(json!({ "sub": subject }));
        assert_eq!(browse(&auth).sign_in("idp", &site.idp).await.location(), SITE, "{subject:?}");
    }
    let rows = site.store.rows();
    assert_eq!((rows.users.len(), rows.accounts.len()), (subjects.len(), subjects.len()));
}

/// The address is another's who is known, and the subject is new: nobody becomes the victim.
#[tokio::test]
async fn address_is_no_identity() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    browse(&auth).sign_in("idp", &site.idp).await;
    let victim = site.store.rows().users[0].id.clone();
    site.idp.set_user(json!({ "sub": "eve", "email": "ada@example.com", "email_verified": true }));
    let mut attacker = browse(&auth);
    assert!(attacker.sign_in("idp", &site.idp).await.is_error("OAuthAccountNotLinked"));
    assert_eq!(attacker.cookie(SESSION), None);
    // The Kelvin sign is no k: folding it would make one address of two.
    site.idp.set_user(json!({ "sub": "kim", "email": "kim@example.com" }));
    browse(&auth).sign_in("idp", &site.idp).await;
    site.idp.set_user(json!({ "sub": "eve", "email": "\u{212a}im@example.com" }));
    let mut attacker = browse(&auth);
    attacker.sign_in("idp", &site.idp).await;
    let id = user_id(&auth, &attacker).await;
    let rows = site.store.rows();
    assert!(
        id != victim
            && rows
                .users
                .iter()
                .filter(|user| user.id == id)
                .all(|user| user.email.as_deref() != Some("kim@example.com"))
    );
}

#[tokio::test]
async fn session_of_a_deleted_user_links_nothing() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    let deleted = site.store.rows().users[0].id.clone();
    site.store.delete_user(&deleted).await.unwrap();
    browser.sign_in("other", &site.other).await;
    let rows = site.store.rows();
    assert_eq!((rows.users.len(), rows.accounts.len()), (1, 1));
    assert_ne!(rows.users[0].id, deleted);
}

#[derive(Serialize, Deserialize)]
struct Nothing {}

/// Somebody's stolen session was revoked: with it no other account gets in, either.
#[tokio::test]
async fn session_that_the_jwt_callback_ended_links_nothing() {
    let site = Site::new();
    let revoked = Arc::new(AtomicBool::new(false));
    let auth = site
        .builder_with(Arc::clone(&revoked))
        .store(site.store.clone())
        .jwt(async |event: Jwt<Nothing>, revoked: Arc<AtomicBool>| {
            Ok(match event {
                Jwt::SignIn(_) => Some(Nothing {}),
                _ => (!revoked.load(Ordering::Relaxed)).then_some(Nothing {}),
            })
        })
        .build()
        .unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    revoked.store(true, Ordering::Relaxed);
    browser.sign_in("other", &site.other).await;
    let rows = site.store.rows();
    let victim = &rows.users[0];
    let theirs = rows.accounts.iter().filter(|account| account.user_id.as_ref() == Some(&victim.id)).count();
    assert_eq!((rows.users.len(), theirs), (2, 1));
}

#[tokio::test]
async fn store_that_is_away_is_503_and_touches_no_cookie() {
    let (site, log, store) = (Site::new(), Log::default(), Outage::new(MemoryStore::new()));
    let errors = log.clone();
    let auth = site
        .builder()
        .store(store.clone())
        .session_strategy(Strategy::Jwt)
        .email(hallpass::Email::new(), async |_, ()| Ok(()))
        .on_error(move |error, _| {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            errors.add(error.to_string());
        })
        .build()
        .unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    let session = browser.cookie(SESSION).unwrap().to_owned();
    store.set_away(true);
    for answer in [
        browser.sign_in("idp", &site.idp).await,
        browser.submit("signin/email", &[("email", "ada@example.com")]).await,
        browser.follow_magic_link("callback/email?token=x&email=ada@example.com").await,
    ] {
        assert_eq!((answer.status().as_u16(), answer.header("retry-after")), (503, Some("5")));
        assert_eq!(answer.set_cookies(), Vec::<&str>::new());
    }
    assert_eq!(browser.cookie(SESSION), Some(session.as_str()));
    assert_eq!(log.take().len(), 3, "one for each answer");
    // A token that may have been revoked is neither believed nor dropped.
    let answer = browser.get("session").await;
    assert_eq!((answer.status().as_u16(), answer.cookie_names().contains(&SESSION)), (503, false));
    let alone = site.builder().store(store.clone()).session_strategy(Strategy::Jwt).revocation_delay(None);
    let alone = alone.build().unwrap();
    let mut other = browse(&alone);
    other.plant(&format!("{SESSION}={session}; Path=/; Secure"));
    assert_eq!(other.session().await["user"]["name"], "Ada");
    store.set_away(false);
    assert_eq!(browser.session().await["user"]["name"], "Ada");
    assert_eq!(browser.sign_in("idp", &site.idp).await.location(), SITE);
}
