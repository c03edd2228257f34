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
    assert_eq!(keys.len(), 6, "{keys:?}");
    let about = |seconds: i64| seconds + 60 - 30..=seconds + 60;
    for key in &keys {
        let expected = if key.contains("token") { 600 } else { 3600 };
        let left: i64 = redis.ttl(key).await.unwrap();
        assert!(about(expected).contains(&left), "{key} goes in {left} s");
    }
    // A renewal moves the end of the row and of the lists.
    let renewal = SessionChange::new().expires(in_seconds(7200));
    assert!(store.update_session(&token, renewal).await.unwrap());
    for key in keys.iter().filter(|key| !key.contains("token")) {
        let left: i64 = redis.ttl(key).await.unwrap();
        assert!(about(7200).contains(&left), "{key} goes in {left} s");
    }
    // A shorter session does not take the lists away from a longer one.
    let short = hallpass::SessionToken::new("short");
    let mut session = StoredSession::new(&short, &ada.id, in_seconds(60));
    (session.created, session.address) = (Some(in_seconds(0)), Some("192.0.2.1".to_owned()));
    store.create_session(&short, session).await.unwrap();
    for list in ["hallpass:sessions:ada", "hallpass:clients", "hallpass:clients:expiring"] {
        let left: i64 = redis.ttl(list).await.unwrap();
        assert!(about(7200).contains(&left), "{list} goes in {left} s");
    }
}

#[tokio::test]
async fn forgotten_user_agents_leave_the_lists_and_the_row_stays_as_long_as_it_would() {
    let Some((store, url)) = empty().await else { return };
    let ada = signed_up(&store).await;
    let token = signed_in(&store, &ada, "token").await;
    let mut redis = connect(&url).await;
    assert_eq!(store.forget_clients(in_seconds(1), 10).await.unwrap(), 1);
    let mut keys = keys(&mut redis).await;
    keys.sort();
    assert_eq!(keys, [format!("hallpass:session:{}", token.hash()), "hallpass:sessions:ada".to_owned()]);
    let fields: Vec<String> = redis.hkeys(&keys[0]).await.unwrap();
    assert!(fields.iter().all(|field| field != "user_agent" && field != "address"), "{fields:?}");
    let left: i64 = redis.ttl(&keys[0]).await.unwrap();
    assert!((3630..=3660).contains(&left), "{left}");
}

#[tokio::test]
async fn sessions_that_are_gone_leave_the_lists_of_clients() {
    let Some((store, url)) = empty().await else { return };
    let ada = signed_up(&store).await;
    signed_in(&store, &ada, "first").await;
    let expiring = async |name: String, end| {
        let token = hallpass::SessionToken::new(name);
        let mut session = StoredSession::new(&token, &ada.id, end);
        (session.created, session.address) = (Some(in_seconds(-7200)), Some("192.0.2.1".to_owned()));
        store.create_session(&token, session).await.unwrap();
        token
    };
    for number in 0..15 {
        expiring(format!("old {number}"), in_seconds(-61)).await;
    }
    let mut redis = connect(&url).await;
    signed_in(&store, &ada, "second").await;
    for list in ["hallpass:clients", "hallpass:clients:expiring"] {
        assert_eq!(redis.zcard::<_, u64>(list).await.unwrap(), 2, "{list}");
    }
    // One that nobody has found gone yet neither counts nor is in the way of the next one.
    let gone = expiring("gone".to_owned(), in_seconds(60)).await;
    redis.del::<_, ()>(format!("hallpass:session:{}", gone.hash())).await.unwrap();
    assert_eq!(store.forget_clients(in_seconds(1), 1).await.unwrap(), 1);
    assert_eq!(store.forget_clients(in_seconds(1), 10).await.unwrap(), 1);
    assert_eq!(store.forget_clients(in_seconds(1), 10).await.unwrap(), 0);
    assert!(!redis.exists::<_, bool>("hallpass:clients").await.unwrap());
}

#[tokio::test]
async fn of_a_long_list_of_what_is_gone_a_few_leave_at_a_time() {
    let Some((store, url)) = empty().await else { return };
    let ada = signed_up(&store).await;
    let mut redis = connect(&url).await;
    let lists = ["hallpass:sessions:ada", "hallpass:tokens:used"];
    for list in lists {
        let gone: Vec<_> = (0..1000).map(|n| (1, format!("gone {n}"))).collect();
        redis.zadd_multiple::<_, _, _, ()>(list, &gone).await.unwrap();
    }
    let mut left = async || {
        let mut counts = Vec::new();
        for list in lists {
            counts.push(redis.zcard::<_, u64>(list).await.unwrap());
        }
        counts
    };
    signed_in(&store, &ada, "first").await;
    store.create_token(OneTimeToken::new("used", "first", in_seconds(600))).await.unwrap();
    assert_eq!(left().await, [991, 991]);
    let token = hallpass::SessionToken::new("second");
    let session = StoredSession::new(&token, &ada.id, in_seconds(3600));
    let once = OneTimeToken::new("used", "second", in_seconds(600));
    store.adopt_session(&token, session, once).await.unwrap();
    assert_eq!(left().await, [982, 982]);
    for n in 0..110 {
        store.create_token(OneTimeToken::new("used", format!("hash {n}"), in_seconds(600))).await.unwrap();
    }
    assert_eq!(left().await, [982, 112]);
}

#[tokio::test]
async fn renewed_session_is_in_the_lists_of_clients_again() {
    let Some((store, url)) = empty().await else { return };
    let ada = signed_up(&store).await;
    let token = signed_in(&store, &ada, "token").await;
    let mut redis = connect(&url).await;
    redis.del::<_, ()>(["hallpass:clients", "hallpass:clients:expiring"].as_slice()).await.unwrap();
    assert_eq!(store.forget_clients(in_seconds(1), 10).await.unwrap(), 0);
    assert!(store.update_session(&token, SessionChange::new().expires(in_seconds(60))).await.unwrap());
    assert_eq!(store.forget_clients(in_seconds(1), 10).await.unwrap(), 1);
    assert_eq!(store.session(&token).await.unwrap().unwrap().0.user_agent, None);
    // What is forgotten is not remembered.
    assert!(store.update_session(&token, SessionChange::new().expires(in_seconds(90))).await.unwrap());
    assert!(!redis.exists::<_, bool>("hallpass:clients").await.unwrap());
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
