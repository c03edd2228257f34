use super::sessions::a_moment_ago;
use super::*;
use crate::store::OneTimeToken;

pub async fn a_one_time_token_is_taken_once(store: impl Store) {
    let token = OneTimeToken::new(address(1), "hash", at(0));
    store.create_token(token.clone()).await.expect("it is new");
    assert_eq!(store.take_token(&address(1), "hash").await.expect("an answer"), Some(token));
    assert_eq!(store.take_token(&address(1), "hash").await.expect("an answer"), None);
}

pub async fn a_one_time_token_is_taken_by_its_identifier_and_hash_only(store: impl Store) {
    let token = OneTimeToken::new("Ada@example.com", "a1b2", at(0));
    store.create_token(token.clone()).await.expect("it is new");
    store.create_token(OneTimeToken::new(address(2), "c3d4", at(0))).await.expect("it is new");
    store.create_token(OneTimeToken::new("x:y", "z", at(0))).await.expect("it is new");
    for (identifier, hash) in [
        ("Ada@example.com", "c3d4"),
        (&address(2), "a1b2"),
        ("ada@example.com", "a1b2"),
        ("Ada@example.com", "A1B2"),
        ("Ada@example.com ", "a1b2"),
        ("Ada@example.com", "a1b2 "),
        ("Ada@example.com", "a1b"),
        ("Ada@example.com", ""),
        ("Ada@example.com", "%"),
        ("%", "a1b2"),
        ("", "a1b2"),
        ("Ada@example.coma1b2", ""),
        ("Ada@example.co", "ma1b2"),
        // The two texts are a pair, not one text.
        ("y", "z:x"),
        ("x", "y:z"),
        ("", "x:y:z"),
        ("x:y:z", ""),
    ] {
        let taken = store.take_token(identifier, hash).await.expect("an answer");
        assert_eq!(taken, None, "{identifier:?} {hash:?}");
    }
    assert_eq!(store.take_token("Ada@example.com", "a1b2").await.expect("an answer"), Some(token));
    assert!(store.take_token(&address(2), "c3d4").await.expect("an answer").is_some());
    assert!(store.take_token("x:y", "z").await.expect("an answer").is_some());
}

pub async fn one_time_tokens_of_one_address_are_apart(store: impl Store) {
    let tokens = ["a", "b", "c"].map(|hash| OneTimeToken::new(address(1), hash, at(hash.len() as i64)));
    // One hash of two addresses is two tokens.
    let of_bob = OneTimeToken::new(address(2), "a", at(9));
    for token in tokens.iter().chain([&of_bob]) {
        store.create_token(token.clone()).await.expect("it is new");
    }
    for token in [&tokens[1], &tokens[0], &of_bob, &tokens[2]] {
        let taken = store.take_token(&token.identifier, &token.hash).await.expect("an answer");
        assert_eq!(taken.as_ref(), Some(token));
    }
}

pub async fn an_expired_one_time_token_is_returned(store: impl Store) {
    let token = OneTimeToken::new(address(1), "hash", a_moment_ago());
    store.create_token(token.clone()).await.expect("it is new");
    assert_eq!(store.take_token(&address(1), "hash").await.expect("an answer"), Some(token));
}

pub async fn a_one_time_token_is_kept_once(store: impl Store) {
    let token = OneTimeToken::new(address(1), "hash", at(0));
    store.create_token(token.clone()).await.expect("it is new");
    // An expired one too is there until somebody takes it.
    let others = [at(0), at(9), a_moment_ago()].map(|expires| OneTimeToken { expires, ..token.clone() });
    for other in others {
        assert_conflict(store.create_token(other).await);
    }
    store.create_token(OneTimeToken::new(address(1), "other", at(0))).await.expect("it is new");
    assert_eq!(store.take_token(&address(1), "hash").await.expect("an answer"), Some(token.clone()));
    store.create_token(token).await.expect("it is there no more");
}

pub async fn a_session_is_adopted_once(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let once = OneTimeToken::new("hallpass: once", "hash", at(0));
    let (first, second) = (SessionToken::new("first"), SessionToken::new("second"));
    store.adopt_session(&first, session(&first, &ada), once.clone()).await.expect("it is new");
    let found = store.session(&first).await.expect("an answer").map(|(session, _)| session);
    assert_eq!(found, Some(session(&first, &ada)));
    assert_conflict(store.create_token(once.clone()).await);
    for token in [&first, &second] {
        assert_conflict(store.adopt_session(token, session(token, &ada), once.clone()).await);
    }
    // What has ended does not come back.
    store.delete_session(&first).await.expect("an answer");
    for token in [&first, &second] {
        assert_conflict(store.adopt_session(token, session(token, &ada), once.clone()).await);
        assert_eq!(store.session(token).await.expect("an answer"), None);
    }
    assert_eq!(store.sessions(&ada.id).await.expect("an answer"), []);
}

pub async fn a_session_that_is_not_adopted_leaves_nothing(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let once = OneTimeToken::new("hallpass: once", "hash", at(0));
    let token = signed_in(&store, &ada, "token").await;
    assert_conflict(store.adopt_session(&token, session(&token, &ada), once.clone()).await);
    let other = SessionToken::new("other");
    assert_not_found(store.adopt_session(&other, session(&other, &user(2)), once.clone()).await);
    assert_eq!(store.session(&other).await.expect("an answer"), None);
    store.create_token(once).await.expect("it was not kept");
}
