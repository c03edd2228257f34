//! How long user agent and address of a session are kept.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::Bytes;
use hallpass::clock::Clock;
use hallpass::testkit::Browser;
use hallpass::{
    Auth, Builder, Event, NoClaims, Peer, SessionToken, Store, StoredSession, Strategy, Swept, User,
};
use http::Request;

use crate::site::{Log, PASSWORD, SITE, Site, browse};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const MILLISECOND: Duration = Duration::from_millis(1);

/// Sessions live for 90 days.
fn long_lived(site: &Site) -> Builder {
    site.with_store().session_max_age(90 * DAY)
}

/// Firefox at 192.0.2.1, signed in.
async fn signed_in(auth: &Auth<NoClaims>) -> Browser {
    let mut browser = browse(auth).with_header("user-agent", "Firefox");
    let token = browser.csrf().await;
    let fields = [("csrfToken", token.as_str())];
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .extend_pairs(PASSWORD)
        .finish();
    let request = Request::post(format!("{SITE}{}/callback/credentials", auth.core().base_path()))
        .header("content-type", "application/x-www-form-urlencoded")
        .extension(Peer(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))));
    assert_eq!(browser.send(request.body(Bytes::from(form)).unwrap()).await.location(), SITE);
    browser
}

/// User agent and address.
type Client = (Option<String>, Option<String>);

fn known() -> Client {
    (Some("Firefox".into()), Some("192.0.2.1".into()))
}

fn client(session: StoredSession) -> Client {
    (session.user_agent, session.address)
}

/// The only session, as the list shows it.
async fn shown(site: &Site, auth: &Auth<NoClaims>) -> Client {
    let mut sessions = auth.sessions().list(&site.store.rows().users[0].id).await.unwrap();
    assert_eq!(sessions.len(), 1);
    client(sessions.remove(0))
}

/// The only session, as the store has it.
fn row(site: &Site) -> StoredSession {
    let mut rows = site.store.rows();
    assert_eq!(rows.sessions.len(), 1);
    rows.sessions.remove(0).1
}

async fn swept(auth: &Auth<NoClaims>) -> (u64, u64) {
    let Swept { removed, forgotten, .. } = auth.sessions().sweep().await.unwrap();
    (removed, forgotten)
}

#[tokio::test]
async fn user_agent_and_address_stay_as_long_as_the_session_by_default() {
    let site = Site::new();
    let auth = long_lived(&site).build().unwrap();
    signed_in(&auth).await;
    for day in [0, 1, 88] {
        site.clock.advance(day * DAY);
        assert_eq!(swept(&auth).await, (0, 0));
        assert_eq!((shown(&site, &auth).await, client(row(&site))), (known(), known()));
    }
}

#[tokio::test]
async fn retention_of_zero_never_writes_user_agent_and_address() {
    let site = Site::new();
    let auth = long_lived(&site).session_client_retention(Duration::ZERO).build().unwrap();
    let mut browser = signed_in(&auth).await;
    assert_eq!(client(row(&site)), (None, None));
    assert_eq!(row(&site).created, Some(site.clock.now()));
    assert_eq!(shown(&site, &auth).await, (None, None));
    // Nor does a renewal.
    site.clock.advance(2 * DAY);
    assert_eq!(browser.session().await["user"]["name"], "Ali");
    assert_eq!((row(&site).last_seen, client(row(&site))), (Some(site.clock.now()), (None, None)));
    assert_eq!(swept(&auth).await, (0, 0));
}

#[tokio::test]
async fn user_agent_and_address_are_not_shown_once_they_are_too_old_also_before_the_sweep() {
    let site = Site::new();
    let auth = long_lived(&site).session_client_retention(30 * DAY).build().unwrap();
    signed_in(&auth).await;
    site.clock.advance(30 * DAY - MILLISECOND);
    assert_eq!(shown(&site, &auth).await, known());
    site.clock.advance(MILLISECOND);
    assert_eq!(shown(&site, &auth).await, (None, None));
    assert_eq!(client(row(&site)), known());
}

#[tokio::test]
async fn the_sweep_takes_user_agent_and_address_that_are_too_old_and_the_session_goes_on() {
    let site = Site::new();
    let auth = long_lived(&site).session_client_retention(30 * DAY).build().unwrap();
    let mut old = signed_in(&auth).await;
    site.clock.advance(10 * DAY);
    old.session().await;
    site.clock.advance(20 * DAY);
    assert_eq!((swept(&auth).await, client(row(&site))), ((0, 0), known()));
    let mut without = row(&site);
    (without.user_agent, without.address) = (None, None);
    site.clock.advance(MILLISECOND);
    assert_eq!((swept(&auth).await, row(&site)), ((0, 1), without));
    assert_eq!(swept(&auth).await, (0, 0));
    // Nothing brings them back, and a younger session keeps its own.
    site.clock.advance(2 * DAY);
    assert_eq!(old.session().await["user"]["name"], "Ali");
    assert_eq!((row(&site).last_seen, client(row(&site))), (Some(site.clock.now()), (None, None)));
    signed_in(&auth).await;
    assert_eq!(swept(&auth).await, (0, 0));
    let clients: Vec<_> =
        site.store.rows().sessions.into_iter().map(|(_, session)| client(session)).collect();
    assert_eq!(clients, [(None, None), known()]);
}

#[tokio::test]
async fn retention_counts_for_sessions_that_began_before_it_was_set() {
    let site = Site::new();
    signed_in(&long_lived(&site).build().unwrap()).await;
    site.clock.advance(DAY);
    let auth = long_lived(&site).session_client_retention(Duration::ZERO).build().unwrap();
    assert_eq!((shown(&site, &auth).await, client(row(&site))), ((None, None), known()));
    assert_eq!((swept(&auth).await, client(row(&site))), ((0, 1), (None, None)));
}

#[tokio::test]
async fn session_taken_over_from_a_token_counts_from_when_it_began() {
    for (age, wanted) in [(29 * DAY, known()), (30 * DAY, (None, None))] {
        let site = Site::new();
        let strategy =
            |strategy| long_lived(&site).session_strategy(strategy).session_client_retention(30 * DAY);
        let before = strategy(Strategy::Jwt).build().unwrap();
        let mut before = browse(&before);
        before.sign_in("idp", &site.idp).await;
        site.clock.advance(age);
        assert_eq!(before.session().await["user"]["name"], "Ada");
        let after = strategy(Strategy::Database).build().unwrap();
        let mut browser = browse(&after).with_header("user-agent", "Firefox");
        before
            .cookies()
            .iter()
            .for_each(|it| browser.plant(&format!("{}={}; Path=/; Secure", it.name, it.value)));
        let request = Request::get(format!("{SITE}{}/session", after.core().base_path()))
            .extension(Peer(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))));
        let answer = browser.send(request.body(Bytes::new()).unwrap()).await;
        assert_eq!(answer.json()["user"]["name"], "Ada");
        assert_eq!((row(&site).created, client(row(&site))), (Some(site.clock.now() - age), wanted));
    }
}

#[tokio::test]
async fn event_of_a_sign_out_tells_no_more_than_the_list() {
    for (age, wanted) in [(30 * DAY - MILLISECOND, known()), (30 * DAY, (None, None))] {
        let site = Site::new();
        let log = Log::default();
        let auth = site
            .builder_with(log.clone())
            .store(site.store.clone())
            .session_max_age(90 * DAY)
            .session_client_retention(30 * DAY)
            .on_event(async |event, log: Log| {
                if let Event::SignOut { session: Some(Some(session)), .. } = event {
                    log.add(format!("{:?}", client(session)));
                }
                Ok(())
            })
            .build()
            .unwrap();
        let mut browser = signed_in(&auth).await;
        site.clock.advance(age);
        browser.sign_out().await;
        assert_eq!(log.take(), [format!("{wanted:?}")]);
    }
}

#[tokio::test]
async fn everything_that_is_too_old_goes_in_one_sweep_and_what_has_expired_goes_first() {
    let site = Site::new();
    let auth = long_lived(&site).session_client_retention(30 * DAY).build().unwrap();
    site.store.create_user(User::new("1"), None).await.unwrap();
    let now = site.clock.now();
    for number in 0..2501 {
        let token = SessionToken::new(number.to_string());
        let expires = if number % 100 == 0 { now - MILLISECOND } else { now + DAY };
        let mut session = StoredSession::new(&token, "1", expires);
        (session.created, session.user_agent) = (Some(now - 31 * DAY), Some("Firefox".to_owned()));
        site.store.create_session(&token, session).await.unwrap();
    }
    assert_eq!(swept(&auth).await, (26, 2475));
    assert!(site.store.rows().sessions.iter().all(|(_, session)| session.user_agent.is_none()));
}
