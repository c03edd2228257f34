//! What is in Redis.

use hallpass::{MemoryStore, OneTimeToken, Revoke, SessionChange, Store, StoredSession};
use hallpass_redis::RedisStore;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;

use crate::{connect, empty, in_seconds, signed_in, signed_up};

#[tokio::test]
async fn every_key_goes_by_itself_after_its_expiry() {
    let Some((store, url)) = empty().await else { return };
    let ada = signed_up(&store).await;
    let token = signed_in(&store, &ada, "token").await;
    store.create_token(OneTimeToken::new("ada@example.com", "hash", in_seconds(600))).await.unwrap();
    let mut redis = connect(&url).await;
    let keys = keys(&mut redis).await;
    assert_eq!(keys.len(), 4, "{keys:?}");
    let about = |seconds: i64| seconds + 60 - 30..=seconds + 60;
    for key in &keys {
        let expected = if key.contains("session") { 3600 } else { 600 };
        let left: i64 = redis.ttl(key).await.unwrap();
        assert!(about(expected).contains(&left), "{key} goes in {left} s");
    }
    // A renewal moves the end of the row and of the list.
    let renewal = SessionChange::new().expires(in_seconds(7200));
    assert!(store.update_session(&token, renewal).await.unwrap());
    for key in keys.iter().filter(|key| key.contains("session")) {
        let left: i64 = redis.ttl(key).await.unwrap();
        assert!(about(7200).contains(&left), "{key} goes in {left} s");
    }
    // A shorter session does not take the list away from a longer one.
    let short = hallpass::SessionToken::new("short");
    store.create_session(&short, StoredSession::new(&short, &ada.id, in_seconds(60))).await.unwrap();
    let left: i64 = redis.ttl("hallpass:sessions:ada").await.unwrap();
    assert!(about(7200).contains(&left), "{left}");
}

#[tokio::test]
async fn expired_sessions_leave_the_list_of_their_user() {
    let Some((store, url)) = empty().await else { return };
    let ada = signed_up(&store).await;
    signed_in(&store, &ada, "first").await;
    for number in 0..10 {
        let token = hallpass::SessionToken::new(format!("old {number}"));
        store.create_session(&token, StoredSession::new(&token, &ada.id, in_seconds(-61))).await.unwrap();
        assert_eq!(store.session(&token).await.unwrap(), None);
    }
    signed_in(&store, &ada, "new").await;
    let mut redis = connect(&url).await;
    assert_eq!(redis.zcard::<_, u64>("hallpass:sessions:ada").await.unwrap(), 2);
    assert_eq!(store.sessions(&ada.id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn no_token_is_in_a_key_or_a_value() {
    let Some((store, url)) = empty().await else { return };
    let ada = signed_up(&store).await;
    let secrets = ["session-token-one", "session-token-two"];
    for secret in secrets {
        signed_in(&store, &ada, secret).await;
    }
    store.create_token(OneTimeToken::new("ada@example.com", "hash", in_seconds(600))).await.unwrap();
    let mut redis = connect(&url).await;
    let mut dump = String::new();
    for key in keys(&mut redis).await {
        let bytes: Vec<u8> = redis::cmd("DUMP").arg(&key).query_async(&mut redis).await.unwrap();
        let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut redis).await.unwrap();
        let shown: Vec<String> = match kind.as_str() {
            "hash" => redis.hgetall(&key).await.unwrap(),
            "zset" => redis.zrange(&key, 0, -1).await.unwrap(),
            other => panic!("{key} is a {other}"),
        };
        dump.push_str(&format!("{key} {shown:?} {}\n", String::from_utf8_lossy(&bytes)));
    }
    assert!(dump.contains("ada"), "{dump}");
    assert!(secrets.iter().all(|secret| !dump.contains(secret)), "{dump}");
    // What is in there opens nothing.
    for line in dump.split([' ', ':', '"', '\n']) {
        assert_eq!(store.session(&hallpass::SessionToken::new(line)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn nothing_is_left_when_everything_has_ended() {
    let Some((store, url)) = empty().await else { return };
    let ada = signed_up(&store).await;
    let token = signed_in(&store, &ada, "one").await;
    for name in ["two", "three", "four"] {
        signed_in(&store, &ada, name).await;
    }
    store.create_token(OneTimeToken::new("ada@example.com", "one", in_seconds(600))).await.unwrap();
    store.take_token("ada@example.com", "one").await.unwrap().unwrap();
    store.delete_session(&token).await.unwrap().unwrap();
    assert_eq!(store.revoke_sessions(&ada.id, Revoke::All).await.unwrap(), 3);
    assert_eq!(keys(&mut connect(&url).await).await, Vec::<String>::new());
}

#[tokio::test]
async fn prefixes_keep_applications_apart() {
    let Some((store, url)) = empty().await else { return };
    let users = MemoryStore::new();
    let one = RedisStore::new(&url, users.clone()).unwrap().prefix("one:");
    let two = RedisStore::new(&url, users).unwrap().prefix("two:");
    let ada = signed_up(&one).await;
    let token = signed_in(&one, &ada, "token").await;
    assert_eq!(two.session(&token).await.unwrap(), None);
    assert_eq!(two.revoke_sessions(&ada.id, Revoke::All).await.unwrap(), 0);
    assert!(one.session(&token).await.unwrap().is_some());
    assert_eq!(store.session(&token).await.unwrap(), None);
    assert!(keys(&mut connect(&url).await).await.iter().all(|key| key.starts_with("one:")));
}

#[tokio::test]
async fn a_row_that_somebody_has_damaged_is_an_error() {
    let Some((store, url)) = empty().await else { return };
    let ada = signed_up(&store).await;
    let mut redis = connect(&url).await;
    for (field, value) in [("expires", "soon"), ("claims", "{"), ("version", "x"), ("created", "1.5")] {
        let token = signed_in(&store, &ada, field).await;
        let key = format!("hallpass:session:{}", token.hash());
        redis.hset::<_, _, _, ()>(&key, field, value).await.unwrap();
        assert!(store.session(&token).await.is_err(), "{field}");
        redis.hdel::<_, _, ()>(&key, "user").await.unwrap();
        assert!(store.session(&token).await.is_err(), "{field}");
    }
}

async fn keys(redis: &mut MultiplexedConnection) -> Vec<String> {
    let mut keys = Vec::new();
    let mut cursor = 0;
    loop {
        let (next, some): (u64, Vec<String>) =
            redis::cmd("SCAN").arg(cursor).query_async(redis).await.unwrap();
        keys.extend(some);
        cursor = next;
        if cursor == 0 {
            return keys;
        }
    }
}
