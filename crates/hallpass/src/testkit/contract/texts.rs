use serde_json::{Map, Value, json};

use super::*;
use crate::store::{OneTimeToken, Revoke, SessionChange, UserChange};

pub async fn texts_that_look_alike_are_different(store: impl Store) {
    let mut users = Vec::new();
    for (number, text) in ALIKE.into_iter().enumerate() {
        let number = u32::try_from(number).unwrap_or_default();
        let wanted = User { email: Some(text.into()), name: Some(text.into()), ..user(number) };
        let made = store.create_user(wanted, Some(account("idp", text))).await;
        let made = made.unwrap_or_else(|error| panic!("{text:?} is a new address: {error:?}"));
        store.link_account(&made, account(text, "id")).await.expect("it is another provider");
        let token = OneTimeToken::new(text, "hash", at(number.into()));
        store.create_token(token).await.expect("it is another address");
        store
            .create_token(OneTimeToken::new("one", text, at(number.into())))
            .await
            .expect("it is another hash");
        users.push(made);
    }
    for (number, (text, user)) in ALIKE.into_iter().zip(&users).enumerate() {
        let user = Some(user.clone());
        assert_eq!(user.as_ref().and_then(|user| user.name.as_deref()), Some(text));
        assert_eq!(store.user_by_email(text).await.expect("an answer"), user, "{text:?}");
        assert_eq!(store.user_by_account("idp", text).await.expect("an answer"), user, "{text:?}");
        assert_eq!(store.user_by_account(text, "id").await.expect("an answer"), user, "{text:?}");
        let expires = at(number as i64);
        let taken = store.take_token(text, "hash").await.expect("an answer");
        assert_eq!(taken, Some(OneTimeToken::new(text, "hash", expires)), "{text:?}");
        let taken = store.take_token("one", text).await.expect("an answer");
        assert_eq!(taken, Some(OneTimeToken::new("one", text, expires)), "{text:?}");
    }
}

pub async fn long_texts_are_kept(store: impl Store) {
    let email = format!("{}@{}.example", "l".repeat(64), "d".repeat(247));
    assert_eq!(email.len(), 320);
    let id = "i".repeat(255);
    let image = format!("data:image/png;base64,{}", "A".repeat(100 * 1024));
    let (name, bio) = ("ñ".repeat(1000), "b".repeat(100 * 1024));
    let wanted = user(1).with_email(&email).with_image(image).with_name(name).with("bio", bio);
    let ada = store.create_user(wanted.clone(), Some(account("idp", &id))).await.expect("it fits");
    assert_eq!(ada, User { id: ada.id.clone(), ..wanted });
    assert_eq!(store.user(&ada.id).await.expect("an answer").as_ref(), Some(&ada));
    assert_eq!(store.user_by_email(&email).await.expect("an answer").as_ref(), Some(&ada));
    assert_eq!(store.user_by_account("idp", &id).await.expect("an answer").as_ref(), Some(&ada));
    for wrong in [&email[..319], &email.replace(".example", ".invalid"), &id[..254]] {
        assert_eq!(store.user_by_email(wrong).await.expect("an answer"), None);
        assert_eq!(store.user_by_account("idp", wrong).await.expect("an answer"), None);
    }
    let claims = json!({ "long": "c".repeat(200 * 1024) }).as_object().cloned().unwrap_or_default();
    let token = SessionToken::new("t".repeat(4096));
    let kept =
        StoredSession { user_agent: Some("u".repeat(512)), claims: claims.clone(), ..session(&token, &ada) };
    store.create_session(&token, kept.clone()).await.expect("it fits");
    assert_eq!(store.session(&token).await.expect("an answer"), Some((kept, ada)));
    assert!(store.update_session(&token, SessionChange::new().claims(claims, 0)).await.expect("it fits"));
    let one_time = OneTimeToken::new(&email, "f".repeat(64), at(0));
    store.create_token(one_time.clone()).await.expect("it fits");
    let taken = store.take_token(&email, &"f".repeat(64)).await.expect("an answer");
    assert_eq!(taken, Some(one_time));
}

pub async fn texts_that_are_too_long_are_kept_or_refused(store: impl Store) {
    for length in [321, 1024, 70_000, 300_000] {
        kept_or_refused(&store, &"x".repeat(length)).await;
    }
}

pub async fn json_is_kept(store: impl Store) {
    let json = json!({
        "": "an empty name",
        "nested": { "list": [1, -2, 0.5, 1e300, null, true, [], {}] },
        "numbers": [u64::MAX, i64::MIN, 9_007_199_254_740_993_i64, 0.1, -0.5],
        "texts": ["", " ", "é", "e\u{301}", "🦀", "\u{2028}", "\\", "\"", "</script>", "{{x}}", "$1 ? :a @b"],
        "__proto__": { "admin": true },
        "2026-11-21T00:00:00.000Z": "2026-11-21T00:00:00.000Z",
    });
    let json = json.as_object().cloned().unwrap_or_default();
    let wanted = User { extra: json.clone(), ..user(1) };
    let ada = store.create_user(wanted, None).await.expect("it is the first");
    assert_eq!(store.user(&ada.id).await.expect("an answer").map(|user| user.extra), Some(json.clone()));
    let own = Account { tokens: json.clone(), ..account("idp", "1") };
    store.link_account(&ada, own).await.expect("it is free");
    assert_eq!(accounts_of(&store, &ada).await.remove(0).tokens, json);
    let token = SessionToken::new("token");
    let kept = StoredSession { claims: json.clone(), ..session(&token, &ada) };
    store.create_session(&token, kept).await.expect("the user is there");
    assert_eq!(claims_of(&store, &token).await, json);
    for (version, claims) in [json!({}), json!({ "a": null }), Value::Object(json)].into_iter().enumerate() {
        let claims = claims.as_object().cloned().unwrap_or_default();
        let change = SessionChange::new().claims(claims.clone(), version as i64);
        assert!(store.update_session(&token, change).await.expect("an answer"));
        assert_eq!(claims_of(&store, &token).await, claims);
    }
}

pub async fn injected_texts_are_kept_or_refused(store: impl Store) {
    for text in INJECTED {
        kept_or_refused(&store, text).await;
    }
}

pub async fn injected_texts_find_nothing(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let token = signed_in(&store, &ada, "token").await;
    store.create_token(OneTimeToken::new(address(1), "hash", at(0))).await.expect("it is new");
    let before = everything(&store).await;
    for text in INJECTED {
        let none =
            |found: Result<bool, StoreError>| assert!(!found.unwrap_or(false), "{text:?} finds something");
        none(store.user(text).await.map(|it| it.is_some()));
        none(store.user_by_email(text).await.map(|it| it.is_some()));
        none(store.user_by_account(text, "account-1").await.map(|it| it.is_some()));
        none(store.user_by_account("idp", text).await.map(|it| it.is_some()));
        none(store.update_user(text, UserChange::new().name("Eve".to_owned())).await.map(|_| true));
        none(store.verify_email(&User { id: (*text).into(), ..ada.clone() }, at(0)).await.map(|_| true));
        none(store.delete_user(text).await);
        none(store.accounts(text).await.map(|it| !it.is_empty()));
        none(store.unlink_account(text, "idp", "account-1", false).await);
        none(store.unlink_account(&ada.id, text, "account-1", false).await);
        none(store.unlink_account(&ada.id, "idp", text, false).await);
        let wrong = SessionToken::new(*text);
        none(store.session(&wrong).await.map(|it| it.is_some()));
        none(store.update_session(&wrong, SessionChange::new().expires(at(9))).await);
        none(store.delete_session(&wrong).await.map(|it| it.is_some()));
        none(store.create_session(&wrong, StoredSession::new(&wrong, *text, at(0))).await.map(|()| true));
        none(store.sessions(text).await.map(|it| !it.is_empty()));
        none(store.revoke_sessions(text, Revoke::All).await.map(|count| count > 0));
        none(store.revoke_sessions(text, Revoke::Others("")).await.map(|count| count > 0));
        let renewal = SessionChange::new().expires(at(9));
        none(store.update_session_by_id(&ada.id, text, renewal.clone()).await);
        none(store.update_session_by_id(text, token.id(), renewal).await);
        none(store.epoch(text).await.map(|it| it.is_some()));
        none(store.revoke_sessions(&ada.id, Revoke::One(text)).await.map(|count| count > 0));
        none(store.revoke_sessions(text, Revoke::One(token.id())).await.map(|count| count > 0));
        none(store.take_token(text, "hash").await.map(|it| it.is_some()));
        none(store.take_token(&address(1), text).await.map(|it| it.is_some()));
        let after = store.users(UserPage::first(9).after(*text)).await.unwrap_or_default();
        assert!(after.len() <= 1, "{text:?}");
    }
    assert_eq!(everything(&store).await, before);
    assert!(store.take_token(&address(1), "hash").await.expect("an answer").is_some());
}

/// Puts a text wherever a text can be. It comes back as it was, or is refused and nothing is written.
async fn kept_or_refused(store: &impl Store, text: &str) {
    let before = everything(store).await;
    let shown: String = text.chars().take(60).collect();

    let users = [
        User::new(text).with_email(address(1)),
        User { email: Some(text.into()), ..user(1) },
        user(1).with_name(text),
        user(1).with_image(text),
        user(1).with("field", text),
        user(1).with(text, "value"),
    ];
    for wanted in users {
        let Ok(made) = store.create_user(wanted.clone(), None).await else {
            assert_eq!(everything(store).await, before, "{shown:?} {wanted:?}");
            continue;
        };
        assert_eq!(made, User { id: made.id.clone(), ..wanted }, "{shown:?}");
        assert_eq!(store.user(&made.id).await.expect("an answer").as_ref(), Some(&made), "{shown:?}");
        let email = made.email.clone().unwrap_or_default();
        assert_eq!(store.user_by_email(&email).await.expect("an answer").as_ref(), Some(&made), "{shown:?}");
        rest_is_kept_or_refused(store, &made, text, &shown).await;
        assert!(store.delete_user(&made.id).await.expect("an answer"), "{shown:?}");
        assert_eq!(everything(store).await, before, "{shown:?}");
    }

    let ada = store.create_user(user(1), None).await.expect("the address is free");
    let changes = [
        (UserChange::new().name(text.to_owned()), User { name: Some(text.into()), ..ada.clone() }),
        (UserChange::new().email(text.to_owned()), User { email: Some(text.into()), ..ada.clone() }),
        (UserChange::new().image(text.to_owned()), User { image: Some(text.into()), ..ada.clone() }),
        (UserChange::new().set(text, text), ada.clone().with(text, text)),
    ];
    for (change, wanted) in changes {
        let wanted = match store.update_user(&ada.id, change).await {
            Ok(changed) => {
                assert_eq!(changed, wanted, "{shown:?}");
                wanted
            }
            Err(_) => ada.clone(),
        };
        assert_eq!(store.user(&ada.id).await.expect("an answer"), Some(wanted), "{shown:?}");
        let back = UserChange::new()
            .name(ada.name.clone())
            .email(ada.email.clone())
            .image(None)
            .set(text, Value::Null);
        let _ = store.update_user(&ada.id, back.clone()).await;
        let _ = store.update_user(&ada.id, UserChange { extra: Map::new(), ..back }).await;
        assert_eq!(store.user(&ada.id).await.expect("an answer").as_ref(), Some(&ada), "{shown:?}");
    }
    assert!(store.delete_user(&ada.id).await.expect("an answer"));
}

async fn rest_is_kept_or_refused(store: &impl Store, owner: &User, text: &str, shown: &str) {
    let with_tokens = |name: &str, value: &str| {
        let tokens = Map::from_iter([(name.to_owned(), value.into())]);
        Account { tokens, ..account("p", "1") }
    };
    for wanted in
        [account(text, "1"), account("p", text), with_tokens(text, "x"), with_tokens("access_token", text)]
    {
        let wanted = linked(wanted, owner);
        let Ok(()) = store.link_account(owner, wanted.clone()).await else {
            assert_eq!(accounts_of(store, owner).await, [], "{shown:?}");
            continue;
        };
        assert_eq!(accounts_of(store, owner).await, std::slice::from_ref(&wanted), "{shown:?}");
        let (provider, id) = (wanted.provider.as_str(), wanted.provider_account_id.as_str());
        assert_eq!(store.user_by_account(provider, id).await.expect("an answer").as_ref(), Some(owner));
        assert!(store.unlink_account(&owner.id, provider, id, false).await.expect("an answer"), "{shown:?}");
    }

    let token = SessionToken::new(text);
    let plain = session(&token, owner);
    for wanted in [
        plain.clone(),
        StoredSession { user_agent: Some(text.into()), ..plain.clone() },
        StoredSession { address: Some(text.into()), ..plain.clone() },
        StoredSession { claims: Map::from_iter([(text.to_owned(), text.into())]), ..plain.clone() },
    ] {
        let Ok(()) = store.create_session(&token, wanted.clone()).await else {
            assert_eq!(store.sessions(&owner.id).await.expect("an answer"), [], "{shown:?}");
            continue;
        };
        let found = store.session(&token).await.expect("an answer");
        assert_eq!(found, Some((wanted.clone(), owner.clone())), "{shown:?}");
        assert_eq!(store.delete_session(&token).await.expect("an answer"), Some(wanted), "{shown:?}");
    }

    for wanted in [OneTimeToken::new(text, "hash", at(0)), OneTimeToken::new("address", text, at(0))] {
        if store.create_token(wanted.clone()).await.is_ok() {
            let taken = store.take_token(&wanted.identifier, &wanted.hash).await.expect("an answer");
            assert_eq!(taken, Some(wanted), "{shown:?}");
        }
    }
}

async fn claims_of(store: &impl Store, token: &SessionToken) -> Map<String, Value> {
    store.session(token).await.expect("an answer").expect("the session is there").0.claims
}

/// Texts that a database may take for the same one.
const ALIKE: [&str; 17] = [
    "A@x.example",
    "a@x.example",
    "a@X.example",
    "a@x.example ",
    " a@x.example",
    "a@x.example\t",
    "á@x.example",
    "a\u{301}@x.example",
    "\u{ff41}@x.example",
    "ß@x.example",
    "ss@x.example",
    "ı@x.example",
    "i@x.example",
    "🦀@x.example",
    "🦊@x.example",
    "a\u{200b}@x.example",
    "a@x.example\u{301}",
];

/// Texts that mean something to a database, a shell, a log or a terminal.
const INJECTED: &[&str] = &[
    "' OR '1'='1",
    "'; DROP TABLE users; --",
    "\" OR \"\"=\"",
    "` OR 1=1 #",
    "\\' OR 1=1 -- ",
    "1; SELECT pg_sleep(0)",
    "x') UNION SELECT * FROM sessions --",
    "%",
    "_",
    "%%s%n$1 ? :a @b {0} ${x} $(x)",
    "*",
    "?",
    "[a-z]*",
    "a:b",
    "hallpass:session:*",
    "{user}",
    "a\r\nDEL users\r\n",
    "*1\r\n$8\r\nFLUSHALL\r\n",
    "\0",
    "a\0b",
    "a\0",
    "\u{1}\u{7f}\u{1b}[2J",
    "\u{feff}",
    "\u{202e}",
    "\u{ffff}",
    "\u{10ffff}",
    "../../etc/passwd",
    "{\"$gt\": \"\"}",
    "null",
    "NULL",
    "\\u0000",
    "\\",
    "\\x41",
    "return redis.call('FLUSHALL')",
];
