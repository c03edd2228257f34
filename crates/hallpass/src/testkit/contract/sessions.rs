use serde_json::{Map, json};

use super::*;
use crate::clock::{Clock, SystemClock};
use crate::store::{OneTimeToken, Revoke, SessionChange, UserChange};

pub async fn a_session_is_found_by_its_token_only(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let token = signed_in(&store, &ada, "Token-of-Ada").await;
    let wrong =
        ["", "token-of-ada", "Token-of-Ad", "Token-of-Ada ", "Token-of-Ada\0", "%", "*", "Token-of-Adá"];
    let (hash, id) = (token.hash().to_owned(), token.id().to_owned());
    for wrong in wrong.map(str::to_owned).into_iter().chain([hash, id, ada.id.clone()]) {
        let wrong = SessionToken::new(wrong);
        assert_eq!(store.session(&wrong).await.expect("an answer"), None);
        assert_eq!(store.delete_session(&wrong).await.expect("an answer"), None);
        assert!(!store.update_session(&wrong, SessionChange::new().expires(at(9))).await.expect("an answer"));
    }
    let found = store.session(&SessionToken::new("Token-of-Ada")).await.expect("an answer");
    assert_eq!(found, Some((session(&token, &ada), ada)));
}

pub async fn a_session_is_kept_whole(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let token = SessionToken::new("full");
    let full = StoredSession {
        created: Some(at(1)),
        last_seen: Some(at(2)),
        user_agent: Some("Mozilla/5.0 (X11) é".into()),
        address: Some("2001:db8::1".into()),
        claims: claims(1),
        ..StoredSession::new(&token, &ada.id, at(3))
    };
    store.create_session(&token, full.clone()).await.expect("the user is there");
    let bare = SessionToken::new("bare");
    store.create_session(&bare, StoredSession::new(&bare, &ada.id, at(4))).await.expect("the user is there");
    assert_eq!(read(&store, &token).await, full);
    assert_eq!(read(&store, &bare).await, StoredSession::new(&bare, &ada.id, at(4)));
    let mut listed = store.sessions(&ada.id).await.expect("an answer");
    listed.sort_by_key(|session| session.expires);
    assert_eq!(listed, [full, StoredSession::new(&bare, &ada.id, at(4))]);
}

pub async fn a_session_comes_with_the_user_as_they_are_now(store: impl Store) {
    let (ada, bob) = (signed_up(&store, 1).await, signed_up(&store, 2).await);
    let token = signed_in(&store, &ada, "a").await;
    let of_bob = signed_in(&store, &bob, "b").await;
    let change = UserChange::new().name("Grace".to_owned()).image("/g.png".to_owned()).set("role", "admin");
    let changed = store.update_user(&ada.id, change).await.expect("no conflict");
    assert_eq!(user_of(&store, &token).await, changed);
    let moved = store.update_user(&ada.id, UserChange::new().email(address(3))).await.expect("it is free");
    assert_eq!(user_of(&store, &token).await, moved);
    assert_eq!(user_of(&store, &of_bob).await, bob);
}

pub async fn a_session_of_nobody_is_refused(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    for id in [uuid(9).as_str(), "9", "nobody", ""] {
        let token = SessionToken::new("token");
        assert_not_found(store.create_session(&token, StoredSession::new(&token, id, at(0))).await);
        assert_eq!(store.session(&token).await.expect("an answer"), None);
        assert_eq!(store.sessions(id).await.expect("an answer"), []);
    }
    signed_in(&store, &ada, "token").await;
}

pub async fn a_token_names_one_session(store: impl Store) {
    let (ada, bob) = (signed_up(&store, 1).await, signed_up(&store, 2).await);
    let token = signed_in(&store, &ada, "a").await;
    let before = everything(&store).await;
    for user in [&bob, &ada] {
        let second = StoredSession { claims: claims(2), ..StoredSession::new(&token, &user.id, at(9)) };
        assert_conflict(store.create_session(&token, second).await);
    }
    assert_eq!(everything(&store).await, before);
    assert_eq!(user_of(&store, &token).await, ada);
}

pub async fn claims_are_written_over_the_version_they_were_made_from(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let (token, other) = (signed_in(&store, &ada, "a").await, signed_in(&store, &ada, "b").await);
    let mut wanted = read(&store, &token).await;
    assert_eq!(wanted.version, 0);
    for version in 0..3 {
        let change = SessionChange::new().claims(claims(version), version);
        assert!(store.update_session(&token, change).await.expect("an answer"));
        (wanted.claims, wanted.version) = (claims(version), version + 1);
        assert_eq!(read(&store, &token).await, wanted);
    }
    for stale in [0, 2, 4, -1, i64::MAX] {
        let change = SessionChange::new().claims(claims(9), stale).expires(at(9)).last_seen(at(8));
        assert!(!store.update_session(&token, change).await.expect("an answer"), "{stale}");
        assert_eq!(read(&store, &token).await, wanted, "{stale}");
    }
    // Claims that say the same are new ones too, and go with the rest of the change.
    let change = SessionChange::new().claims(claims(2), 3).expires(at(9)).last_seen(at(8));
    assert!(store.update_session(&token, change).await.expect("an answer"));
    let wanted = StoredSession { version: 4, expires: at(9), last_seen: Some(at(8)), ..wanted };
    assert_eq!(read(&store, &token).await, wanted);
    assert!(
        store.update_session(&token, SessionChange::new().claims(Map::new(), 4)).await.expect("an answer")
    );
    assert_eq!(read(&store, &token).await.claims, Map::new());
    assert_eq!(read(&store, &other).await, session(&other, &ada));
}

pub async fn a_renewal_leaves_claims_and_version(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let (token, other) = (signed_in(&store, &ada, "a").await, signed_in(&store, &ada, "b").await);
    assert!(
        store.update_session(&token, SessionChange::new().claims(claims(1), 0)).await.expect("an answer")
    );
    let mut wanted = read(&store, &token).await;
    for (change, expires, last_seen) in [
        (SessionChange::new(), at(0), None),
        (SessionChange::new().expires(at(50)), at(50), None),
        (SessionChange::new().last_seen(at(10)), at(50), Some(at(10))),
        (SessionChange::new().expires(at(60)), at(60), Some(at(10))),
        (SessionChange::new().expires(at(50)), at(50), Some(at(10))),
        // The same again is a change too: some databases count only rows that are different afterwards.
        (SessionChange::new().expires(at(50)).last_seen(at(10)), at(50), Some(at(10))),
        (SessionChange::new().expires(at(-50)).last_seen(at(20)), at(-50), Some(at(20))),
    ] {
        assert!(store.update_session(&token, change.clone()).await.expect("an answer"), "{change:?}");
        (wanted.expires, wanted.last_seen) = (expires, last_seen);
        assert_eq!(read(&store, &token).await, wanted, "{change:?}");
    }
    assert_eq!(read(&store, &other).await, session(&other, &ada));
}

pub async fn a_session_that_is_gone_is_not_changed(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let token = signed_in(&store, &ada, "a").await;
    assert!(store.delete_session(&token).await.expect("an answer").is_some());
    for change in [SessionChange::new().expires(at(9)), SessionChange::new().claims(claims(1), 0)] {
        assert!(!store.update_session(&token, change).await.expect("an answer"));
    }
    assert_eq!(store.session(&token).await.expect("an answer"), None);
    assert_eq!(store.sessions(&ada.id).await.expect("an answer"), []);
}

pub async fn a_session_is_changed_by_its_id_for_its_user_only(store: impl Store) {
    let (ada, bob) = (signed_up(&store, 1).await, signed_up(&store, 2).await);
    let (token, other) = (signed_in(&store, &ada, "a").await, signed_in(&store, &ada, "b").await);
    let of_bob = signed_in(&store, &bob, "c").await;
    let before = everything(&store).await;
    let change = || SessionChange::new().claims(claims(1), 0).expires(at(9)).last_seen(at(8));
    for (user, id) in [
        (&bob, token.id()),
        (&ada, of_bob.id()),
        (&ada, token.hash()),
        (&ada, token.expose()),
        (&ada, ""),
        (&ada, "%"),
        (&ada, "' OR '1'='1"),
    ] {
        assert!(!store.update_session_by_id(&user.id, id, change()).await.expect("an answer"), "{id:?}");
    }
    assert_eq!(everything(&store).await, before);
    assert!(store.update_session_by_id(&ada.id, token.id(), change()).await.expect("an answer"));
    let wanted = StoredSession {
        claims: claims(1),
        version: 1,
        expires: at(9),
        last_seen: Some(at(8)),
        ..session(&token, &ada)
    };
    assert_eq!(read(&store, &token).await, wanted);
    // Made from a version that is gone.
    assert!(!store.update_session_by_id(&ada.id, token.id(), change()).await.expect("an answer"));
    let renewal = SessionChange::new().expires(at(10));
    assert!(store.update_session_by_id(&ada.id, token.id(), renewal).await.expect("an answer"));
    assert_eq!(read(&store, &token).await, StoredSession { expires: at(10), ..wanted });
    for (token, user) in [(&other, &ada), (&of_bob, &bob)] {
        assert_eq!(read(&store, token).await, session(token, user));
    }
    assert!(store.delete_session(&token).await.expect("an answer").is_some());
    let renewal = SessionChange::new().expires(at(10));
    assert!(!store.update_session_by_id(&ada.id, token.id(), renewal).await.expect("an answer"));
}

pub async fn an_expired_session_is_returned(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let token = SessionToken::new("expired");
    let expired = StoredSession::new(&token, &ada.id, a_moment_ago());
    store.create_session(&token, expired.clone()).await.expect("the user is there");
    assert_eq!(read(&store, &token).await, expired);
    assert_eq!(store.sessions(&ada.id).await.expect("an answer"), std::slice::from_ref(&expired));
    assert_eq!(store.delete_session(&token).await.expect("an answer"), Some(expired));
}

pub async fn sessions_are_listed_for_their_user_the_newest_first(store: impl Store) {
    let (ada, bob) = (signed_up(&store, 1).await, signed_up(&store, 2).await);
    for (token, user, created) in [("a", &ada, 20), ("b", &bob, 25), ("c", &ada, 30), ("d", &ada, 10)] {
        let token = SessionToken::new(token);
        let session = StoredSession { created: Some(at(created)), ..session(&token, user) };
        store.create_session(&token, session).await.expect("the user is there");
    }
    let ids = async |user: &User| {
        let sessions = store.sessions(&user.id).await.expect("an answer");
        sessions.into_iter().map(|session| session.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&ada).await, ["c", "a", "d"].map(|token| SessionToken::new(token).id().to_owned()));
    assert_eq!(ids(&bob).await, [SessionToken::new("b").id()]);
}

pub async fn sessions_are_revoked_all_one_or_others(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let mut tokens = Vec::new();
    for token in ["a", "b", "c", "d", "e"] {
        tokens.push(signed_in(&store, &ada, token).await);
    }
    let alive = async || {
        let mut alive = String::new();
        for (token, name) in tokens.iter().zip("abcde".chars()) {
            alive.extend(store.session(token).await.expect("an answer").map(|_| name));
        }
        assert_eq!(store.sessions(&ada.id).await.expect("an answer").len(), alive.len());
        alive
    };
    for (which, count, left) in [
        (Revoke::One(tokens[1].id()), 1, "acde"),
        (Revoke::One(tokens[1].id()), 0, "acde"),
        (Revoke::One("unknown"), 0, "acde"),
        (Revoke::One(""), 0, "acde"),
        (Revoke::One("%"), 0, "acde"),
        (Revoke::Others(tokens[2].id()), 3, "c"),
        (Revoke::Others(tokens[2].id()), 0, "c"),
    ] {
        assert_eq!(store.revoke_sessions(&ada.id, which).await.expect("an answer"), count, "{which:?}");
        assert_eq!(alive().await, left, "{which:?}");
    }
    signed_in(&store, &ada, "a").await;
    assert_eq!(store.revoke_sessions(&ada.id, Revoke::Others("unknown")).await.expect("an answer"), 2);
    signed_in(&store, &ada, "a").await;
    signed_in(&store, &ada, "b").await;
    assert_eq!(store.revoke_sessions(&ada.id, Revoke::All).await.expect("an answer"), 2);
    assert_eq!(store.revoke_sessions(&ada.id, Revoke::All).await.expect("an answer"), 0);
    assert_eq!(alive().await, "");
}

pub async fn nobody_revokes_a_session_of_somebody_else(store: impl Store) {
    let (ada, bob) = (signed_up(&store, 1).await, signed_up(&store, 2).await);
    let token = signed_in(&store, &ada, "a").await;
    let of_bob = signed_in(&store, &bob, "b").await;
    assert_eq!(store.revoke_sessions(&bob.id, Revoke::One(token.id())).await.expect("an answer"), 0);
    assert_eq!(store.revoke_sessions(&bob.id, Revoke::Others(of_bob.id())).await.expect("an answer"), 0);
    assert_eq!(store.revoke_sessions(&bob.id, Revoke::Others(token.id())).await.expect("an answer"), 1);
    assert_eq!(store.revoke_sessions(&bob.id, Revoke::All).await.expect("an answer"), 0);
    assert_eq!(user_of(&store, &token).await, ada);
}

pub async fn a_deleted_session_is_returned_once(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let (token, other) = (signed_in(&store, &ada, "a").await, signed_in(&store, &ada, "b").await);
    assert_eq!(store.delete_session(&token).await.expect("an answer"), Some(session(&token, &ada)));
    assert_eq!(store.delete_session(&token).await.expect("an answer"), None);
    assert_eq!(store.session(&token).await.expect("an answer"), None);
    assert_eq!(store.sessions(&ada.id).await.expect("an answer"), [session(&other, &ada)]);
}

pub async fn times_are_kept_to_the_millisecond(store: impl Store) {
    for (number, millis) in [0, 1, 7, 499, 500, 999].into_iter().enumerate() {
        let number = u32::try_from(number).unwrap_or_default();
        let proven = User { email_verified: Some(at(millis)), ..user(number) };
        let ada = store.create_user(proven, None).await.expect("no conflict");
        assert_eq!(ada.email_verified, Some(at(millis)));
        let token = SessionToken::new(format!("token {number}"));
        let kept = StoredSession {
            created: Some(Timestamp::from_millis(1_700_000_000_000 + millis)),
            last_seen: Some(Timestamp::from_millis(1_711_846_800_000 + millis)),
            ..StoredSession::new(&token, &ada.id, at(millis))
        };
        store.create_session(&token, kept.clone()).await.expect("the user is there");
        assert_eq!(store.session(&token).await.expect("an answer"), Some((kept, ada)));
        let one_time = OneTimeToken::new(address(number), "hash", at(millis));
        store.create_token(one_time.clone()).await.expect("it is new");
        assert_eq!(store.take_token(&address(number), "hash").await.expect("an answer"), Some(one_time));
    }
}

pub async fn sweep_leaves_what_has_not_expired(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let token = signed_in(&store, &ada, "a").await;
    store.create_token(OneTimeToken::new(address(1), "hash", at(0))).await.expect("it is new");
    let before = everything(&store).await;
    // What expires at this very moment has not expired before it.
    for now in [at(-1), at(0)] {
        assert_eq!(store.sweep(now, 100).await.expect("an answer"), 0);
    }
    assert_eq!(everything(&store).await, before);
    assert!(store.session(&token).await.expect("an answer").is_some());
    assert!(store.take_token(&address(1), "hash").await.expect("an answer").is_some());
}

pub async fn sweep_removes_what_has_expired_in_bounded_steps(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let mut tokens = Vec::new();
    for number in 0..7 {
        let token = SessionToken::new(format!("token {number}"));
        let expires = at(if number < 5 { -1 } else { 0 });
        store.create_session(&token, StoredSession::new(&token, &ada.id, expires)).await.expect("it is new");
        let one_time = OneTimeToken::new(address(1), format!("hash {number}"), expires);
        if number != 4 {
            store.create_token(one_time).await.expect("it is new");
        }
        tokens.push(token);
    }
    assert_eq!(store.sweep(at(0), 0).await.expect("an answer"), 0);
    let mut gone = Vec::new();
    for _ in 0..4 {
        gone.push(store.sweep(at(0), 2).await.expect("an answer"));
    }
    // Five sessions and four one-time tokens, at most two of each at a time.
    assert_eq!(gone, [4, 4, 1, 0]);
    assert_eq!(store.sessions(&ada.id).await.expect("an answer").len(), 2);
    for (number, token) in tokens.iter().enumerate() {
        let is_left = number >= 5;
        assert_eq!(store.session(token).await.expect("an answer").is_some(), is_left, "{number}");
        let hash = format!("hash {number}");
        assert_eq!(
            store.take_token(&address(1), &hash).await.expect("an answer").is_some(),
            is_left,
            "{number}"
        );
    }
    assert_eq!(store.users(UserPage::first(9)).await.expect("an answer"), [ada]);
}

pub async fn user_agent_and_address_are_forgotten_and_nothing_else(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let mut forgotten = Vec::new();
    for (number, (user_agent, address)) in
        [(Some("Firefox"), Some("192.0.2.1")), (Some("Firefox"), None), (None, Some("2001:db8::1"))]
            .into_iter()
            .enumerate()
    {
        let token = SessionToken::new(format!("token {number}"));
        let mut session = StoredSession {
            last_seen: Some(at(-7)),
            user_agent: user_agent.map(str::to_owned),
            address: address.map(str::to_owned),
            claims: claims(1),
            ..session(&token, &ada)
        };
        store.create_session(&token, session.clone()).await.expect("it is new");
        let change = SessionChange::new().claims(claims(2), 0).last_seen(at(-6)).expires(at(5));
        assert!(store.update_session(&token, change).await.expect("an answer"));
        (session.claims, session.version) = (claims(2), 1);
        (session.last_seen, session.expires) = (Some(at(-6)), at(5));
        assert_eq!(read(&store, &token).await, session);
        forgotten.push((token, StoredSession { user_agent: None, address: None, ..session }));
    }
    assert_eq!(store.forget_clients(at(0), 100).await.expect("an answer"), 3);
    for (token, wanted) in &forgotten {
        assert_eq!(read(&store, token).await, *wanted);
    }
    assert_eq!(store.forget_clients(at(0), 100).await.expect("an answer"), 0);
    // The session goes on as if nothing had happened, and does not remember.
    for (token, wanted) in forgotten {
        let change = SessionChange::new().claims(claims(3), 1).last_seen(at(-5)).expires(at(9));
        assert!(store.update_session(&token, change).await.expect("an answer"));
        let wanted = StoredSession {
            claims: claims(3),
            version: 2,
            last_seen: Some(at(-5)),
            expires: at(9),
            ..wanted
        };
        assert_eq!(read(&store, &token).await, wanted);
    }
    assert_eq!(store.forget_clients(at(0), 100).await.expect("an answer"), 0);
}

pub async fn user_agent_and_address_of_later_sessions_are_kept(store: impl Store) {
    let (ada, bob) = (signed_up(&store, 1).await, signed_up(&store, 2).await);
    // What began at this very moment did not begin before it.
    for (number, (user, created)) in
        [(&ada, Some(at(0))), (&ada, Some(at(1))), (&bob, Some(at(60_000))), (&bob, None)]
            .into_iter()
            .enumerate()
    {
        let token = SessionToken::new(format!("token {number}"));
        let session = StoredSession { created, ..with_client(&token, user) };
        store.create_session(&token, session).await.expect("it is new");
    }
    // There is nothing to forget.
    let bare = signed_in(&store, &ada, "bare").await;
    let before = everything(&store).await;
    assert_eq!(store.forget_clients(at(0), 100).await.expect("an answer"), 0);
    assert_eq!(everything(&store).await, before);
    assert_eq!(read(&store, &bare).await, session(&bare, &ada));
}

pub async fn user_agents_and_addresses_are_forgotten_in_bounded_steps(store: impl Store) {
    let (ada, bob) = (signed_up(&store, 1).await, signed_up(&store, 2).await);
    for number in 0..8 {
        let token = SessionToken::new(format!("token {number}"));
        let user = if number % 2 == 0 { &ada } else { &bob };
        let created = Some(at(if number < 5 { -1 - number } else { number }));
        let session = StoredSession { created, ..with_client(&token, user) };
        store.create_session(&token, session).await.expect("it is new");
    }
    let known = async || {
        let sessions = everything(&store).await.into_iter().flat_map(|(_, _, sessions)| sessions);
        let (with, without): (Vec<_>, Vec<_>) = sessions.partition(|session| session.user_agent.is_some());
        assert!(with.iter().all(|session| session.address.is_some()));
        assert!(without.iter().all(|session| session.address.is_none()));
        with.len()
    };
    assert_eq!(store.forget_clients(at(0), 0).await.expect("an answer"), 0);
    assert_eq!(known().await, 8);
    for (count, left) in [(2, 6), (2, 4), (1, 3), (0, 3)] {
        assert_eq!(store.forget_clients(at(0), 2).await.expect("an answer"), count);
        assert_eq!(known().await, left);
    }
    assert_eq!(store.forget_clients(at(100), 100).await.expect("an answer"), 3);
    assert_eq!(known().await, 0);
    // One that ended or was renewed meanwhile is in nobody's way.
    for name in ["ended", "renewed"] {
        let token = SessionToken::new(name);
        store.create_session(&token, with_client(&token, &ada)).await.expect("it is new");
    }
    assert!(store.delete_session(&SessionToken::new("ended")).await.expect("an answer").is_some());
    let (renewed, renewal) = (SessionToken::new("renewed"), SessionChange::new().expires(at(9)));
    assert!(store.update_session(&renewed, renewal).await.expect("an answer"));
    assert_eq!(store.forget_clients(at(0), 2).await.expect("an answer"), 1);
    assert_eq!(known().await, 0);
}

/// A moment before now. Stores whose rows go by themselves keep them longer than that.
pub(super) fn a_moment_ago() -> Timestamp {
    Timestamp::from_millis(SystemClock.now().millis() - 1000)
}

/// A session whose user agent and address are known.
fn with_client(token: &SessionToken, user: &User) -> StoredSession {
    StoredSession {
        user_agent: Some("Firefox".into()),
        address: Some("192.0.2.1".into()),
        ..session(token, user)
    }
}

fn claims(number: i64) -> Map<String, serde_json::Value> {
    json!({ "number": number, "role": "admin" }).as_object().cloned().unwrap_or_default()
}

async fn read(store: &impl Store, token: &SessionToken) -> StoredSession {
    store.session(token).await.expect("an answer").expect("the session is there").0
}

async fn user_of(store: &impl Store, token: &SessionToken) -> User {
    store.session(token).await.expect("an answer").expect("the session is there").1
}
