//! Sessions in the store.

use std::time::Duration;

use futures_util::future::join_all;
use hallpass::clock::Clock;
use hallpass::testkit::{Browser, Outage};
use hallpass::{
    Auth, BoxError, Builder, Email, ErrorKind, Jwt, JwtDecision, MemoryStore, NoClaims, SessionEvent,
    SessionToken, Store, Strategy, User, UserChange, UserPage,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::site::{Log, PASSWORD, SECRET, SESSION, SITE, Site, browse, password_form, signed_in, with_token};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Serialize, Deserialize)]
struct Claims {
    visits: u32,
}

#[derive(Deserialize)]
struct Update {
    add: u32,
}

/// Counts up what clients send.
fn counting(site: &Site) -> Builder<(), Claims> {
    let builder = site.with_store().jwt(async |event: Jwt<Claims, Update>, ()| {
        // Another request gets its turn, as when a callback asks an API.
        tokio::task::yield_now().await;
        Ok(match event {
            Jwt::SignIn(_) => Some(Claims { visits: 1 }),
            Jwt::Update(it) => Some(Claims { visits: it.claims.visits + it.update.add }),
            Jwt::Read(it) => Some(it.claims),
        })
    });
    builder.session(async |it: SessionEvent<Claims>, ()| {
        Ok(json!({ "user": it.user.public(), "visits": it.claims.visits }))
    })
}

type Decide = fn(Jwt<NoClaims>) -> Result<JwtDecision<NoClaims>, BoxError>;

fn deciding(site: &Site, decide: Decide) -> Builder<Decide> {
    site.builder_with(decide)
        .store(site.store.clone())
        .jwt(async |event: Jwt<NoClaims>, decide: Decide| decide(event))
}

fn is_token(browser: &Browser) -> bool {
    browser.cookie(SESSION).unwrap().contains('.')
}

fn only_user(site: &Site) -> User {
    let rows = site.store.rows();
    let [user] = rows.users.as_slice() else { panic!("{} users", rows.users.len()) };
    user.clone()
}

#[tokio::test]
async fn cookie_holds_a_random_token_and_the_row_the_claims() {
    let site = Site::new();
    let auth = counting(&site).build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    assert!(!is_token(&browser));
    let rows = site.store.rows();
    let (token, session) = &rows.sessions[0];
    assert_eq!(browser.cookie(SESSION), Some(token.expose()));
    assert_eq!((session.user_id.as_str(), &session.claims["visits"]), (rows.users[0].id.as_str(), &json!(1)));
    let shown = browser.session().await;
    assert_eq!((&shown["user"]["name"], &shown["visits"]), (&json!("Ada"), &json!(1)));
    assert!(!shown.to_string().contains(token.expose()));
}

#[tokio::test]
async fn row_is_written_when_the_update_age_is_over_and_not_before() {
    let site = Site::new();
    let auth = counting(&site).build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    let before = site.store.rows();
    site.clock.advance(DAY - Duration::from_secs(1));
    browser.session().await;
    assert_eq!(site.store.rows(), before);
    site.clock.advance(Duration::from_secs(1));
    browser.session().await;
    let session = site.store.rows().sessions.remove(0).1;
    assert_eq!(session.expires, before.sessions[0].1.expires + DAY);
    assert_eq!(session.version, 0);
}

#[tokio::test]
async fn session_that_is_used_lives_on_and_one_that_is_not_ends() {
    let site = Site::new();
    let auth = counting(&site).build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    for _ in 0..4 {
        site.clock.advance(20 * DAY);
        assert_eq!(browser.session().await["user"]["name"], "Ada");
    }
    // The browser drops the cookie at the same time; a client that keeps it has no session either.
    let token = browser.cookie(SESSION).unwrap().to_owned();
    site.clock.advance(30 * DAY);
    browser.plant(&format!("{SESSION}={token}; Path=/; Secure"));
    let answer = browser.get("session").await;
    assert_eq!((answer.text(), site.store.rows().sessions.len()), ("null", 0));
    assert_eq!(browser.cookie(SESSION), None);
}

#[tokio::test]
async fn unknown_token_is_nobody_and_the_cookie_goes() {
    let site = Site::new();
    let auth = counting(&site).build().unwrap();
    let mut browser = browse(&auth);
    for token in ["who-knows", "a.b.c.d.e", "\u{e9}", "' OR 1=1 --"] {
        browser.plant(&format!("{SESSION}={token}; Path=/; Secure"));
        assert_eq!(browser.get("session").await.text(), "null", "{token}");
        assert_eq!(browser.cookie(SESSION), None, "{token}");
    }
}

#[tokio::test]
async fn update_is_kept_in_the_row_and_one_that_does_not_parse_changes_nothing() {
    let site = Site::new();
    let auth = counting(&site).build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    assert_eq!(browser.update(&json!({ "add": 4 })).await.json()["visits"], 5);
    assert_eq!(browser.update(&json!({ "add": "4" })).await.status().as_u16(), 400);
    assert_eq!(browser.session().await["visits"], 5);
}

#[tokio::test]
async fn updates_at_the_same_time_are_all_kept() {
    let site = Site::new();
    let auth = counting(&site).build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    browser.csrf().await;
    let updates = (0..100).map(|_| {
        let mut tab = browser.other();
        browser
            .cookies()
            .iter()
            .for_each(|it| tab.plant(&format!("{}={}; Path=/; Secure", it.name, it.value)));
        async move { tab.update(&json!({ "add": 1 })).await.status().as_u16() }
    });
    assert!(join_all(updates).await.iter().all(|status| *status == 200));
    assert_eq!(browser.session().await["visits"], 101);
}

#[tokio::test]
async fn callback_that_ends_the_session_deletes_the_row() {
    let site = Site::new();
    let auth = deciding(&site, |event| {
        Ok(match event {
            Jwt::SignIn(_) => Some(NoClaims {}).into(),
            Jwt::Read(_) => JwtDecision::End,
        })
    });
    let auth = auth.build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    assert_eq!(browser.get("session").await.text(), "null");
    assert_eq!((browser.cookie(SESSION), site.store.rows().sessions.len()), (None, 0));
}

#[tokio::test]
async fn callback_that_fails_leaves_row_and_cookie() {
    let site = Site::new();
    let auth = deciding(&site, |event| match event {
        Jwt::SignIn(_) => Ok(Some(NoClaims {}).into()),
        Jwt::Read(_) => Err("no".into()),
    });
    let auth = auth.build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    let answer = browser.get("session").await;
    assert_eq!(answer.text(), "null");
    assert!(!answer.cookie_names().contains(&SESSION));
    assert!(browser.cookie(SESSION).is_some() && site.store.rows().sessions.len() == 1);
}

#[tokio::test]
async fn session_callback_sees_the_user_of_the_store_and_what_a_client_sent() {
    let (site, log) = (Site::new(), Log::default());
    let auth = site
        .builder_with(log.clone())
        .store(site.store.clone())
        .session(async |it: SessionEvent<NoClaims>, log: Log| {
            log.add(serde_json::to_string(&it)?);
            let role = it.stored_user.and_then(|user| user.get("role").cloned());
            Ok(json!({ "role": role, "asked": it.update }))
        })
        .build()
        .unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    let id = only_user(&site).id;
    auth.users().update(&id, UserChange::new().set("role", "admin")).await.unwrap();
    let shown = browser.update(&json!({ "companyId": 7 })).await.json();
    assert_eq!((&shown["role"], &shown["asked"]), (&json!("admin"), &json!({ "companyId": 7 })));
    let line = log.take().remove(0);
    assert!(line.contains(r#""trigger":"update","newSession":{"companyId":7}"#), "{line}");
    assert!(!line.contains(browser.cookie(SESSION).unwrap()));
}

#[tokio::test]
async fn update_that_no_callback_takes_is_refused() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    assert_eq!(browser.update(&json!({ "role": "admin" })).await.status().as_u16(), 400);
}

#[tokio::test]
async fn change_of_a_user_shows_at_the_next_read() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    let id = only_user(&site).id;
    auth.users().update(&id, UserChange::new().name("Ada Lovelace".to_owned()).image(None)).await.unwrap();
    assert_eq!(browser.session().await["user"]["name"], "Ada Lovelace");
}

#[tokio::test]
async fn signing_in_again_makes_a_new_token_and_the_old_one_is_dead() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    let old = browser.cookie(SESSION).unwrap().to_owned();
    browser.sign_in("idp", &site.idp).await;
    assert_ne!(browser.cookie(SESSION), Some(old.as_str()));
    assert_eq!(site.store.rows().sessions.len(), 1);
    let mut thief = browse(&auth);
    thief.plant(&format!("{SESSION}={old}; Path=/; Secure"));
    assert_eq!(thief.get("session").await.text(), "null");
}

#[tokio::test]
async fn sign_out_ends_the_session_on_the_server() {
    let (site, log) = (Site::new(), Log::default());
    let auth = site
        .builder_with(log.clone())
        .store(site.store.clone())
        .on_event(async |event, log: Log| {
            log.add(format!("{} {}", event.name(), serde_json::to_string(&event)?));
            Ok(())
        })
        .build()
        .unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    log.take();
    let token = browser.cookie(SESSION).unwrap().to_owned();
    assert_eq!(browser.sign_out().await.location(), SITE);
    assert_eq!(site.store.rows().sessions.len(), 0);
    let line = log.take().remove(0);
    assert!(line.starts_with(r#"signOut {"session":{"id":"#) && !line.contains(&token), "{line}");
    browser.plant(&format!("{SESSION}={token}; Path=/; Secure"));
    assert_eq!(browser.get("session").await.text(), "null");
}

/// Each read writes the row, and some have read it before it goes and write after that.
#[tokio::test]
async fn session_that_ends_during_reads_never_comes_back() {
    for round in 0..100 {
        let site = Site::new();
        let auth = counting(&site).session_update_age(Duration::ZERO).build().unwrap();
        let mut browser = browse(&auth);
        browser.sign_in("idp", &site.idp).await;
        browser.csrf().await;
        let copy = || {
            let mut tab = browser.other();
            browser
                .cookies()
                .iter()
                .for_each(|it| tab.plant(&format!("{}={}; Path=/; Secure", it.name, it.value)));
            tab
        };
        let (mut thief, mut leaving) = (copy(), copy());
        let reads = (0..20).map(|_| {
            let mut tab = copy();
            async move { tab.get("session").await.status().as_u16() }
        });
        let leave = async {
            for _ in 0..round % 4 {
                tokio::task::yield_now().await;
            }
            leaving.sign_out().await;
        };
        let (answers, ()) = futures_util::future::join(join_all(reads), leave).await;
        assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
        assert_eq!(site.store.rows().sessions.len(), 0);
        assert_eq!(thief.get("session").await.text(), "null");
    }
}

#[tokio::test]
async fn revoked_session_is_refused_at_the_next_read() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let (mut laptop, mut phone) = (browse(&auth), browse(&auth).with_header("user-agent", "Phone"));
    laptop.sign_in("idp", &site.idp).await;
    phone.sign_in("idp", &site.idp).await;
    let id = only_user(&site).id;
    let sessions = auth.sessions().list(&id).await.unwrap();
    let on_phone = sessions.iter().find(|it| it.user_agent.as_deref() == Some("Phone")).unwrap();
    assert_eq!(sessions.len(), 2);
    assert!(!auth.sessions().revoke("somebody else", &on_phone.id).await.unwrap());
    assert!(auth.sessions().revoke(&id, &on_phone.id).await.unwrap());
    assert_eq!(phone.get("session").await.text(), "null");
    assert_eq!(laptop.session().await["user"]["name"], "Ada");
    assert_eq!(auth.sessions().revoke_all(&id).await.unwrap(), 1);
    assert_eq!(laptop.get("session").await.text(), "null");
}

#[tokio::test]
async fn a_session_is_found_by_its_id_until_it_expires() {
    let site = Site::new();
    let auth = site.with_store().session_client_retention(DAY).build().unwrap();
    browse(&auth).with_header("user-agent", "Phone").sign_in("idp", &site.idp).await;
    let user = only_user(&site).id;
    let listed = auth.sessions().list(&user).await.unwrap().remove(0);
    let find = async |user: &str, id: &str| auth.sessions().find(user, id).await.unwrap();
    assert_eq!(find("somebody else", &listed.id).await, None);
    assert_eq!(find(&user, "another").await, None);
    assert_eq!(listed.user_agent.as_deref(), Some("Phone"));
    assert_eq!(find(&user, &listed.id).await, Some(listed.clone()));
    site.clock.advance(DAY);
    assert_eq!(find(&user, &listed.id).await.unwrap().user_agent, None);
    site.clock.advance(29 * DAY);
    assert_eq!(find(&user, &listed.id).await, None);
}

#[tokio::test]
async fn everywhere_else_leaves_the_session_of_the_request() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let (mut here, mut there) = (browse(&auth), browse(&auth));
    here.sign_in("idp", &site.idp).await;
    there.sign_in("idp", &site.idp).await;
    let cookie = format!("{SESSION}={}", here.cookie(SESSION).unwrap());
    let parts = http::Request::get("/").header("cookie", cookie).body(()).unwrap().into_parts().0;
    let session = auth.session(&parts).await.unwrap().unwrap();
    assert_eq!(auth.sessions().revoke_others(&session.user.id, &session.id.unwrap()).await.unwrap(), 1);
    assert_eq!(there.get("session").await.text(), "null");
    assert_eq!(here.session().await["user"]["name"], "Ada");
}

#[tokio::test]
async fn deleted_user_has_no_session() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    assert!(auth.users().delete(&only_user(&site).id).await.unwrap());
    assert_eq!(browser.get("session").await.text(), "null");
    let rows = site.store.rows();
    assert_eq!((rows.users.len(), rows.accounts.len(), rows.sessions.len()), (0, 0, 0));
}

#[tokio::test]
async fn expired_rows_are_swept() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    for _ in 0..3 {
        browse(&auth).sign_in("idp", &site.idp).await;
    }
    assert_eq!(auth.sessions().sweep().await.unwrap().removed, 0);
    site.clock.advance(31 * DAY);
    browse(&auth).sign_in("idp", &site.idp).await;
    // The sessions, and that their sign-ins came back.
    assert_eq!(auth.sessions().sweep().await.unwrap().removed, 6);
    assert_eq!(site.store.rows().sessions.len(), 1);
}

#[tokio::test]
async fn credentials_work_with_sessions_in_the_store() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let mut browser = signed_in(&auth).await;
    assert_eq!(browser.session().await["user"]["name"], "Ali");
    signed_in(&auth).await;
    let rows = site.store.rows();
    assert_eq!((rows.users.len(), rows.accounts.len(), rows.sessions.len()), (1, 1, 2));
    assert!(rows.accounts[0].is("credentials", "1"));
}

#[tokio::test]
async fn credentials_of_a_stored_user_are_theirs() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    auth.users().create(User::new("1").with_name("Stored").with_email("ali@example.com")).await.unwrap();
    assert_eq!(signed_in(&auth).await.session().await["user"]["name"], "Stored");
    assert_eq!(site.store.rows().users.len(), 1);
}

#[tokio::test]
async fn credentials_with_the_address_of_somebody_else_are_refused() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    auth.users().create(User::new("2").with_email("ali@example.com")).await.unwrap();
    let answer = browse(&auth).sign_in_with_credentials(PASSWORD).await;
    assert!(answer.is_error("OAuthAccountNotLinked"));
    assert_eq!(site.store.rows().sessions.len(), 0);
}

#[tokio::test]
async fn credentials_without_an_id_are_an_error_that_says_so() {
    let (site, log) = (Site::new(), Log::default());
    let errors = log.clone();
    let auth = Auth::builder()
        .environment(hallpass::Environment::empty())
        .secret(crate::site::SECRET)
        .url(SITE)
        .store(site.store.clone())
        .credentials(password_form(), async |_, ()| Ok(Some(User::new(""))))
        .on_error(move |error, _| errors.add(error.to_string()))
        .build()
        .unwrap();
    assert!(browse(&auth).sign_in_with_credentials(PASSWORD).await.is_error("Configuration"));
    assert!(log.take()[0].contains("without id"));
}

#[tokio::test]
async fn token_from_before_the_change_to_rows_goes_on_as_a_row() {
    let site = Site::new();
    let before = counting(&site).session_strategy(Strategy::Jwt).build().unwrap();
    let after = counting(&site).build().unwrap();
    let mut old = browse(&before);
    old.sign_in("idp", &site.idp).await;
    old.update(&json!({ "add": 1 })).await;
    assert!(is_token(&old));
    // Two tabs at once: one session.
    let cookie = format!("{SESSION}={}; Path=/; Secure", old.cookie(SESSION).unwrap());
    let mut tabs = [browse(&after), browse(&after)];
    for tab in &mut tabs {
        tab.plant(&cookie);
        assert_eq!(tab.session().await["visits"], 2);
        assert!(!is_token(tab));
    }
    assert_eq!(site.store.rows().sessions.len(), 1);
    let user = only_user(&site);
    after.sessions().revoke_all(&user.id).await.unwrap();
    assert_eq!(tabs[0].get("session").await.text(), "null");
}

/// The token of somebody who signed in before the change to rows.
async fn token(site: &Site, before: &Auth<Claims>) -> String {
    let mut old = browse(before);
    old.sign_in("idp", &site.idp).await;
    old.cookie(SESSION).unwrap().to_owned()
}

#[tokio::test]
async fn copy_of_a_token_is_worthless_once_its_session_has_ended() {
    let site = Site::new();
    let before = counting(&site).session_strategy(Strategy::Jwt).build().unwrap();
    let after = counting(&site).build().unwrap();
    // A new secret makes no token new.
    let rotated = counting(&site).secrets(["another secret, also 32 and more", SECRET]).build().unwrap();
    for revoked_from_elsewhere in [false, true] {
        let token = token(&site, &before).await;
        let mut owner = with_token(&after, &token);
        assert_eq!(owner.session().await["visits"], 1);
        if revoked_from_elsewhere {
            let session = SessionToken::new(owner.cookie(SESSION).unwrap());
            assert!(after.sessions().revoke(&only_user(&site).id, session.id()).await.unwrap());
        } else {
            owner.sign_out().await;
        }
        for auth in [&after, &rotated] {
            let mut thief = with_token(auth, &token);
            assert_eq!(thief.get("session").await.text(), "null");
            assert_eq!(thief.cookie(SESSION), None);
        }
        assert_eq!(site.store.rows().sessions.len(), 0);
    }
}

#[tokio::test]
async fn signing_out_with_a_token_ends_its_copies_too() {
    let site = Site::new();
    let before = counting(&site).session_strategy(Strategy::Jwt).build().unwrap();
    let after = counting(&site).build().unwrap();
    // Before it has become a row, and after.
    for copy_comes_first in [false, true] {
        let token = token(&site, &before).await;
        let (mut owner, mut thief) = (with_token(&after, &token), with_token(&after, &token));
        if copy_comes_first {
            assert_eq!(thief.session().await["visits"], 1);
        }
        owner.sign_out().await;
        assert_eq!(thief.get("session").await.text(), "null");
        assert_eq!(site.store.rows().sessions.len(), 0);
    }
}

#[tokio::test]
async fn new_secret_leaves_the_row_that_a_token_has_become() {
    let site = Site::new();
    let before = counting(&site).session_strategy(Strategy::Jwt).build().unwrap();
    let after = counting(&site).build().unwrap();
    let rotated = counting(&site).secrets(["another secret, also 32 and more", SECRET]).build().unwrap();
    let token = token(&site, &before).await;
    // The answer to the first one got lost.
    let (mut first, mut second) = (with_token(&after, &token), with_token(&rotated, &token));
    first.session().await;
    assert_eq!(second.session().await["visits"], 1);
    assert_eq!(second.cookie(SESSION), first.cookie(SESSION));
    assert_eq!(site.store.rows().sessions.len(), 1);
}

#[tokio::test]
async fn tokens_of_two_browsers_that_have_learnt_of_a_change_stay_two_sessions() {
    let site = Site::new();
    let before = counting(&site).session_strategy(Strategy::Jwt).build().unwrap();
    let after = counting(&site).build().unwrap();
    let mut laptop = with_token(&after, &token(&site, &before).await);
    let mut phone = with_token(&after, &token(&site, &before).await);
    before.users().update(&only_user(&site).id, UserChange::new().name("Ada L".to_owned())).await.unwrap();
    for browser in [&mut laptop, &mut phone] {
        assert_eq!(browser.session().await["user"]["name"], "Ada L");
    }
    laptop.sign_out().await;
    assert_eq!(phone.session().await["user"]["name"], "Ada L");
}

#[tokio::test]
async fn marks_of_adopted_tokens_are_swept_when_the_tokens_have_expired() {
    let site = Site::new();
    let before = counting(&site).session_strategy(Strategy::Jwt).build().unwrap();
    let after = counting(&site).build().unwrap();
    with_token(&after, &token(&site, &before).await).session().await;
    let marks = || site.store.rows().tokens.iter().filter(|it| it.identifier.contains("adopted")).count();
    site.clock.advance(29 * DAY);
    after.sessions().sweep().await.unwrap();
    assert_eq!(marks(), 1);
    site.clock.advance(2 * DAY);
    after.sessions().sweep().await.unwrap();
    assert_eq!(marks(), 0);
}

#[tokio::test]
async fn token_of_somebody_the_store_does_not_know_works_until_it_expires() {
    let site = Site::new();
    let before = site.builder().build().unwrap();
    let after = site.with_store().build().unwrap();
    let old = signed_in(&before).await;
    let mut browser = browse(&after);
    browser.plant(&format!("{SESSION}={}; Path=/; Secure", old.cookie(SESSION).unwrap()));
    site.clock.advance(29 * DAY);
    assert_eq!(browser.session().await["user"]["name"], "Ali");
    site.clock.advance(DAY + Duration::from_secs(60));
    assert_eq!(browser.get("session").await.text(), "null");
}

#[tokio::test]
async fn row_from_before_the_change_to_tokens_goes_on_as_a_token() {
    let site = Site::new();
    let before = counting(&site).build().unwrap();
    let after = counting(&site).session_strategy(Strategy::Jwt).build().unwrap();
    let mut old = browse(&before);
    old.sign_in("idp", &site.idp).await;
    old.update(&json!({ "add": 1 })).await;
    let cookie = format!("{SESSION}={}; Path=/; Secure", old.cookie(SESSION).unwrap());
    // A request under way still has the old cookie.
    let mut tabs = [browse(&after), browse(&after)];
    for tab in &mut tabs {
        tab.plant(&cookie);
        assert_eq!(tab.session().await["visits"], 2);
        assert!(is_token(tab));
    }
    site.clock.advance(Duration::from_secs(61));
    assert_eq!(tabs[0].session().await["visits"], 2);
    assert_eq!(old.get("session").await.text(), "null");
}

/// A callback that notes each look at its user must not keep the session from going on.
#[tokio::test]
async fn row_goes_on_as_a_token_though_its_user_changes_with_each_look() {
    let site = Site::new();
    let mut old = browse(&site.with_store().build().unwrap());
    old.sign_in("idp", &site.idp).await;
    let after = site.builder_with(site.store.clone()).store(site.store.clone());
    let after =
        after.session_strategy(Strategy::Jwt).jwt(async |event: Jwt<NoClaims>, store: MemoryStore| {
            let token = match event {
                Jwt::SignIn(it) => it.token,
                Jwt::Read(it) => it.token,
            };
            let id = store.rows().users[0].id.clone();
            let looks =
                store.rows().users[0].extra.get("looks").and_then(|it| it.as_u64()).unwrap_or_default();
            store.update_user(&id, UserChange::new().set("looks", looks + 1)).await?;
            Ok(token.with(NoClaims {}))
        });
    let mut browser = browse(&after.build().unwrap());
    browser.plant(&format!("{SESSION}={}; Path=/; Secure", old.cookie(SESSION).unwrap()));
    assert_eq!(browser.session().await["user"]["name"], "Ada");
    assert!(is_token(&browser));
    assert_eq!(only_user(&site).extra["looks"], 1);
}

#[tokio::test]
async fn store_that_is_away_signs_nobody_out() {
    let (site, store) = (Site::new(), Outage::new(MemoryStore::new()));
    let auth = site.builder().store(store.clone()).build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    let token = browser.cookie(SESSION).unwrap().to_owned();
    store.set_away(true);
    let cookie = format!("{SESSION}={token}");
    let parts = http::Request::get("/").header("cookie", cookie).body(()).unwrap().into_parts().0;
    assert_eq!(auth.session(&parts).await.unwrap_err().kind(), ErrorKind::Unavailable);
    for answer in [browser.get("session").await, browser.submit("signout", &[]).await] {
        assert_eq!((answer.status().as_u16(), answer.header("retry-after")), (503, Some("5")));
        assert!(!answer.cookie_names().contains(&SESSION));
    }
    store.set_away(false);
    assert_eq!(browser.session().await["user"]["name"], "Ada");
    assert_eq!(browser.cookie(SESSION), Some(token.as_str()));
}

#[tokio::test]
async fn accounts_prepared_by_somebody_else_are_worthless_after_the_first_proof() {
    let (site, mailbox) = (Site::new(), Log::default());
    let auth = site
        .builder_with(mailbox.clone())
        .store(site.store.clone())
        .email(Email::new(), async |mail, mailbox: Log| {
            mailbox.add(mail.url);
            Ok(())
        })
        .build()
        .unwrap();
    // Somebody signs up at a provider that does not look, with the address of somebody else.
    site.other.set_user(json!({ "sub": "eve", "email": "ada@example.com", "email_verified": false }));
    let mut eve = browse(&auth);
    eve.sign_in("other", &site.other).await;
    let mut ada = browse(&auth);
    ada.submit("signin/email", &[("email", "ada@example.com")]).await;
    ada.follow_magic_link(&mailbox.take()[0]).await;
    assert_eq!(ada.session().await["user"]["email"], "ada@example.com");
    assert_eq!(eve.get("session").await.text(), "null");
    assert!(eve.sign_in("other", &site.other).await.is_error("OAuthAccountNotLinked"));
    let rows = site.store.rows();
    assert_eq!((rows.users.len(), rows.accounts.len(), rows.sessions.len()), (1, 0, 1));
}

#[tokio::test]
async fn read_of_a_session_asks_the_store_once_and_writes_nothing() {
    let (site, store) = (Site::new(), Outage::new(MemoryStore::new()));
    let auth = site.builder().store(store.clone()).build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    store.take_calls();
    browser.session().await;
    assert_eq!(store.take_calls(), ["session"]);
    site.clock.advance(DAY);
    browser.session().await;
    assert_eq!(store.take_calls(), ["session", "update_session"]);
    browser.session().await;
    assert_eq!(store.take_calls(), ["session"]);
}

#[tokio::test]
async fn account_whose_provider_vouches_outlives_the_first_proof() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    site.store.verify_email(&only_user(&site), site.clock.now()).await.unwrap();
    assert_eq!(browse(&auth).sign_in("idp", &site.idp).await.location(), SITE);
    assert_eq!(site.store.rows().accounts.len(), 1);
}

#[tokio::test]
async fn last_way_in_cannot_be_unlinked() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    browser.sign_in("other", &site.other).await;
    let id = only_user(&site).id;
    let names = |accounts: Vec<hallpass::Account>| {
        accounts.into_iter().map(|account| account.provider).collect::<Vec<_>>()
    };
    assert_eq!(names(auth.users().accounts(&id).await.unwrap()), ["idp", "other"]);
    assert!(!auth.users().unlink(&id, "idp", "somebody else").await.unwrap());
    assert!(auth.users().unlink(&id, "idp", "ada").await.unwrap());
    assert_eq!(auth.users().unlink(&id, "other", "milo").await.unwrap_err().kind(), ErrorKind::Store);
    assert_eq!(names(auth.users().accounts(&id).await.unwrap()), ["other"]);
}

#[tokio::test]
async fn users_are_found_by_every_spelling_of_their_address() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let made = auth.users().create(User::new("").with_email("Ada@Example.com")).await.unwrap();
    assert_eq!(made.id.len(), 36);
    assert_eq!(auth.users().find_by_email(" ADA@example.COM").await.unwrap().unwrap().id, made.id);
    assert!(auth.users().create(User::new("").with_email("not an address")).await.is_err());
    assert!(auth.users().create(User::new("").with_email("ada@example.com")).await.is_err());
    assert_eq!(auth.users().list(UserPage::first(5)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn without_a_store_there_are_no_users_to_ask_for() {
    let auth = Site::new().builder().build().unwrap();
    assert_eq!(auth.users().find("1").await.unwrap_err().kind(), ErrorKind::MissingStore);
    assert_eq!(auth.sessions().sweep().await.unwrap_err().kind(), ErrorKind::MissingStore);
    let site = Site::new();
    let problems = site.builder().session_strategy(Strategy::Database).build().unwrap_err();
    assert!(problems.to_string().contains("call `store`"));
}
