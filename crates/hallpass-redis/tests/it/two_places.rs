//! Two servers with one Redis, and users and sessions that are not in one place.

use std::time::Duration;

use hallpass::testkit::Outage;
use hallpass::{MemoryStore, OneTimeToken, Revoke, SessionChange, Store, StoreErrorKind, UserChange};
use hallpass_redis::RedisStore;

use crate::outages::proxy_to;
use crate::{connect, empty, in_seconds, signed_in, signed_up};

#[tokio::test]
async fn what_one_server_does_the_other_sees_at_once() {
    let Some(database) = test_servers::redis().await else { return };
    let users = MemoryStore::new();
    let here = RedisStore::new(&database.url, users.clone()).unwrap();
    let there = RedisStore::new(&database.url, users).unwrap();
    let ada = signed_up(&here).await;
    for round in 0..20 {
        let token = signed_in(&here, &ada, &format!("token {round}")).await;
        let (session, _) = there.session(&token).await.unwrap().unwrap();
        let claims = serde_json::Map::from_iter([("round".to_owned(), round.into())]);
        assert!(there.update_session(&token, SessionChange::new().claims(claims.clone(), 0)).await.unwrap());
        assert_eq!(here.session(&token).await.unwrap().unwrap().0.claims, claims);
        let which = [Revoke::All, Revoke::One(&session.id), Revoke::Others("")][round % 3];
        assert_eq!(here.revoke_sessions(&ada.id, which).await.unwrap(), 1);
        assert_eq!(there.session(&token).await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_200_takers_on_two_servers_one_gets_the_token() {
    let Some(database) = test_servers::redis().await else { return };
    let stores = [(), ()].map(|()| RedisStore::new(&database.url, MemoryStore::new()).unwrap());
    stores[0].create_token(OneTimeToken::new("ada@example.com", "hash", in_seconds(60))).await.unwrap();
    let takers: Vec<_> = (0..200)
        .map(|number| {
            let store = stores[number % 2].clone();
            tokio::spawn(async move { store.take_token("ada@example.com", "hash").await.unwrap() })
        })
        .collect();
    let mut winners = 0;
    for taker in takers {
        winners += usize::from(taker.await.unwrap().is_some());
    }
    assert_eq!(winners, 1);
}

#[tokio::test]
async fn sessions_are_worthless_when_their_user_is_gone_elsewhere() {
    let Some(database) = test_servers::redis().await else { return };
    let users = MemoryStore::new();
    let store = RedisStore::new(&database.url, users.clone()).unwrap();
    let ada = signed_up(&store).await;
    let token = signed_in(&store, &ada, "token").await;
    // As when the process ends between the two steps of a deletion, or another program deletes the row.
    assert!(users.delete_user(&ada.id).await.unwrap());
    assert_eq!(store.session(&token).await.unwrap(), None);
    assert_eq!(store.sessions(&ada.id).await.unwrap(), []);
    // The second try ends what is left, so nothing comes back with the id.
    assert!(!store.delete_user(&ada.id).await.unwrap());
    signed_up(&store).await;
    assert_eq!(store.session(&token).await.unwrap(), None);
}

#[tokio::test]
async fn session_made_before_the_first_proof_is_worthless_after_it_even_if_its_row_is_there() {
    let Some(database) = test_servers::redis().await else { return };
    let users = MemoryStore::new();
    let store = RedisStore::new(&database.url, users.clone()).unwrap();
    let ada = signed_up(&store).await;
    let token = signed_in(&store, &ada, "prepared").await;
    // As when the process ends between the two steps of a proof.
    users.verify_email(&ada, in_seconds(0)).await.unwrap();
    assert_eq!(store.session(&token).await.unwrap(), None);
    assert_eq!(store.sessions(&ada.id).await.unwrap(), []);
    let after = signed_in(&store, &ada, "after").await;
    assert!(store.session(&after).await.unwrap().is_some());
    // Nor is it good again when the address is a new one, which is not proven.
    store.update_user(&ada.id, UserChange::new().email("new@example.com".to_owned())).await.unwrap();
    assert_eq!(store.session(&token).await.unwrap(), None);
    assert!(store.session(&after).await.unwrap().is_some());
}

#[tokio::test]
async fn proof_that_ends_halfway_leaves_no_session_from_before() {
    let Some(database) = test_servers::redis().await else { return };
    let users = MemoryStore::new();
    let store = RedisStore::new(&database.url, users.clone()).unwrap();
    let ada = signed_up(&store).await;
    // It began when an earlier address was proven: only its end can make it worthless.
    users.verify_email(&ada, in_seconds(0)).await.unwrap();
    let token = signed_in(&store, &ada, "token").await;
    let change = UserChange::new().email("new@example.com".to_owned());
    let ada = users.update_user(&ada.id, change).await.unwrap();
    let proof = store.verify_email(&ada, in_seconds(0));
    let is_proven = async {
        while users.user(&ada.id).await.unwrap().unwrap().email_verified.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = is_proven => {}
        proven = proof => { proven.unwrap(); }
    }
    assert_eq!(store.session(&token).await.unwrap(), None);
}

#[tokio::test]
async fn user_deleted_while_a_session_is_written_gets_none() {
    let Some(database) = test_servers::redis().await else { return };
    let users = MemoryStore::new();
    let proxy = proxy_to(&database.url);
    let slow = RedisStore::new(&proxy.url(&database.url), users.clone()).unwrap();
    let store = RedisStore::new(&database.url, users).unwrap();
    slow.ping().await.unwrap();
    store.ping().await.unwrap();
    let ada = signed_up(&store).await;
    let token = hallpass::SessionToken::new("token");
    let session = hallpass::StoredSession::new(&token, &ada.id, in_seconds(60));
    proxy.delay(Duration::from_millis(500));
    let (created, deleted) =
        tokio::join!(biased; slow.create_session(&token, session), store.delete_user(&ada.id));
    assert!(deleted.unwrap());
    assert_eq!(created.unwrap_err().kind(), StoreErrorKind::NotFound);
    let mut redis = connect(&database.url).await;
    assert_eq!(redis::cmd("DBSIZE").query_async::<u64>(&mut redis).await.unwrap(), 0);
}

#[tokio::test]
async fn sessions_survive_when_the_application_declares_an_address_proven() {
    let Some((store, _)) = empty().await else { return };
    let ada = signed_up(&store).await;
    let token = signed_in(&store, &ada, "token").await;
    let change = UserChange::new().email_verified(Some(in_seconds(0)));
    store.update_user(&ada.id, change).await.unwrap();
    assert!(store.session(&token).await.unwrap().is_some());
    assert_eq!(store.sessions(&ada.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn user_agents_are_forgotten_in_both_places_and_the_limit_is_for_both() {
    let Some(database) = test_servers::redis().await else { return };
    let users = MemoryStore::new();
    let store = RedisStore::new(&database.url, users.clone()).unwrap();
    let ada = signed_up(&store).await;
    for name in ["a", "b"] {
        signed_in(&store, &ada, name).await;
        // From before there was Redis.
        signed_in(&users, &ada, &format!("old {name}")).await;
    }
    for count in [3, 1, 0] {
        assert_eq!(store.forget_clients(in_seconds(1), 3).await.unwrap(), count);
    }
    let is_known = |session: &hallpass::StoredSession| session.user_agent.is_some();
    assert!(!store.sessions(&ada.id).await.unwrap().iter().any(is_known));
    assert!(!users.sessions(&ada.id).await.unwrap().iter().any(is_known));
}

#[tokio::test]
async fn no_session_is_lost_or_begun_while_the_users_are_away() {
    let Some(database) = test_servers::redis().await else { return };
    let users = Outage::new(MemoryStore::new());
    let store = RedisStore::new(&database.url, users.clone()).unwrap();
    let ada = signed_up(&store).await;
    let token = signed_in(&store, &ada, "token").await;
    users.set_away(true);
    assert!(store.session(&token).await.is_err());
    assert!(store.delete_user(&ada.id).await.is_err());
    assert!(store.verify_email(&ada, in_seconds(0)).await.is_err());
    let late = hallpass::SessionToken::new("late");
    let session = hallpass::StoredSession::new(&late, &ada.id, in_seconds(60));
    assert!(store.create_session(&late, session).await.is_err());
    users.set_away(false);
    assert!(store.session(&token).await.unwrap().is_some());
    assert_eq!(store.session(&late).await.unwrap(), None);
}
