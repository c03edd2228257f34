//! A server that is away, slow, or comes back.

use std::time::{Duration, Instant};

use hallpass::{MemoryStore, OneTimeToken, Revoke, SessionChange, Store, StoreError, StoreErrorKind};
use hallpass_redis::RedisStore;
use test_servers::{Durability, Kind, Proxy, Server};

use crate::{in_seconds, signed_in, signed_up};

#[tokio::test]
async fn cut_connection_fails_at_once_and_everything_works_soon_after_its_return() {
    let Some(database) = test_servers::redis().await else { return };
    let proxy = proxy_to(&database.url);
    let store = RedisStore::new(&proxy.url(&database.url), MemoryStore::new()).unwrap();
    let ada = signed_up(&store).await;
    let token = signed_in(&store, &ada, "token").await;

    proxy.cut();
    let started = Instant::now();
    assert_unavailable(store.session(&token).await);
    assert_unavailable(store.take_token("ada@example.com", "hash").await);
    assert_unavailable(store.revoke_sessions(&ada.id, Revoke::All).await);
    assert_unavailable(store.ping().await);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());

    proxy.restore();
    assert!(store.session(&token).await.unwrap().is_some());
    store.ping().await.unwrap();
}

#[tokio::test]
async fn connection_lost_while_nobody_looked_is_made_anew_for_reads() {
    let Some(database) = test_servers::redis().await else { return };
    let proxy = proxy_to(&database.url);
    let store = RedisStore::new(&proxy.url(&database.url), MemoryStore::new()).unwrap();
    let ada = signed_up(&store).await;
    let token = signed_in(&store, &ada, "token").await;
    for _ in 0..5 {
        proxy.cut();
        proxy.restore();
        assert!(store.session(&token).await.unwrap().is_some());
        proxy.cut();
        proxy.restore();
        assert_eq!(store.sessions(&ada.id).await.unwrap().len(), 1);
        proxy.cut();
        proxy.restore();
        assert!(store.update_session(&token, SessionChange::new().expires(in_seconds(60))).await.unwrap());
    }
}

#[tokio::test]
async fn silent_server_is_waited_for_no_longer_than_the_time_out() {
    let Some(database) = test_servers::redis().await else { return };
    let proxy = proxy_to(&database.url);
    let store = RedisStore::new(&proxy.url(&database.url), MemoryStore::new()).unwrap();
    let store = store.timeout(Duration::from_millis(300));
    let ada = signed_up(&store).await;
    let token = signed_in(&store, &ada, "token").await;

    proxy.delay(Duration::from_secs(3600));
    for _ in 0..2 {
        let started = Instant::now();
        assert_unavailable(store.session(&token).await);
        let waited = started.elapsed();
        assert!(waited >= Duration::from_millis(300) && waited < Duration::from_millis(1500), "{waited:?}");
    }

    proxy.restore();
    assert!(store.session(&token).await.unwrap().is_some());
}

#[tokio::test]
async fn sessions_go_on_after_the_server_was_killed_and_started_again() {
    let Some(server) = Server::start(Kind::Redis, Durability::Lasting) else { return };
    let store = RedisStore::new(&server.database().url, MemoryStore::new()).unwrap();
    let ada = signed_up(&store).await;
    let token = signed_in(&store, &ada, "token").await;
    server.kill();
    assert_unavailable(store.session(&token).await);
    assert_unavailable(store.update_session(&token, SessionChange::new().expires(in_seconds(60))).await);
    server.run();
    assert!(store.session(&token).await.unwrap().is_some());
    // The scripts are gone from the server's memory, and come back too.
    store.create_token(OneTimeToken::new("ada@example.com", "hash", in_seconds(60))).await.unwrap();
    assert!(store.take_token("ada@example.com", "hash").await.unwrap().is_some());
}

#[tokio::test]
async fn store_is_made_while_the_server_is_away() {
    let Some(server) = Server::start(Kind::Redis, Durability::Lasting) else { return };
    let url = server.database().url;
    server.stop();
    let store = RedisStore::new(&url, MemoryStore::new()).unwrap();
    assert_unavailable(store.ping().await);
    server.run();
    store.ping().await.unwrap();
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn server_without_tls_gets_nothing_from_a_store_that_wants_it() {
    let Some(database) = test_servers::redis().await else { return };
    let url = database.url.replace("redis://", "rediss://");
    let store = RedisStore::new(&url, MemoryStore::new()).unwrap().timeout(Duration::from_secs(1));
    assert_unavailable(store.ping().await);
}

#[test]
fn address_that_is_none_is_an_error_and_a_password_is_not_shown() {
    for url in ["", "redis", "http://127.0.0.1", "redis://127.0.0.1:x"] {
        assert!(RedisStore::new(url, MemoryStore::new()).is_err(), "{url:?}");
    }
    let store = RedisStore::new("redis://user:hidden@127.0.0.1", MemoryStore::new()).unwrap();
    assert!(!format!("{store:?}").contains("hidden"));
}

pub(crate) fn proxy_to(url: &str) -> Proxy {
    let authority = url.strip_prefix("redis://").and_then(|rest| rest.split('/').next()).unwrap();
    Proxy::to(authority.parse().unwrap())
}

#[track_caller]
fn assert_unavailable<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert_eq!(result.unwrap_err().kind(), StoreErrorKind::Unavailable);
}
