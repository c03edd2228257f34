//! `RedisStore` against a private server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod contract;
mod outages;
mod rows;
mod two_places;

use hallpass::clock::{Clock, SystemClock};
use hallpass::{MemoryStore, SessionToken, Store, StoredSession, Timestamp, User};
use hallpass_redis::RedisStore;

async fn empty() -> Option<(RedisStore<MemoryStore>, String)> {
    let url = test_servers::redis().await?.url;
    Some((RedisStore::new(&url, MemoryStore::new()).unwrap(), url))
}

async fn signed_up(store: &impl Store) -> User {
    store.create_user(User::new("ada").with_email("ada@example.com"), None).await.unwrap()
}

async fn signed_in(store: &impl Store, user: &User, token: &str) -> SessionToken {
    let token = SessionToken::new(token);
    let mut session = StoredSession::new(&token, &user.id, in_seconds(3600));
    (session.created, session.user_agent) = (Some(in_seconds(0)), Some("Firefox".to_owned()));
    store.create_session(&token, session).await.unwrap();
    token
}

fn in_seconds(seconds: i64) -> Timestamp {
    Timestamp::from_millis(SystemClock.now().millis() + 1000 * seconds)
}

async fn connect(url: &str) -> redis::aio::MultiplexedConnection {
    redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}
