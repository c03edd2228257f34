use serde_json::{Map, Value, json};

use super::*;
use crate::store::{Epoch, OneTimeToken, Revoke, SessionChange, UserChange};

pub async fn a_new_user_is_found_by_id_address_and_account(store: impl Store) {
    let wanted = User { email_verified: Some(at(1)), ..user(1) }
        .with_image("https://example.com/a.png")
        .with("role", "admin");
    let made = store.create_user(wanted.clone(), Some(account("idp", "1"))).await.expect("it is the first");
    assert_eq!(made, User { id: made.id.clone(), ..wanted });
    signed_up(&store, 2).await;
    assert_eq!(store.user(&made.id).await.expect("an answer"), Some(made.clone()));
    assert_eq!(store.user_by_email(&address(1)).await.expect("an answer"), Some(made.clone()));
    assert_eq!(store.user_by_account("idp", "1").await.expect("an answer"), Some(made.clone()));
    assert_eq!(accounts_of(&store, &made).await, [linked(account("idp", "1"), &made)]);
}

pub async fn an_address_belongs_to_one_user(store: impl Store) {
    signed_up(&store, 1).await;
    let second = signed_up(&store, 2).await;
    let before = everything(&store).await;
    let same = User { email: Some(address(1)), ..user(3) };
    assert_conflict(store.create_user(same.clone(), None).await);
    assert_conflict(store.create_user(same, Some(account("idp", "new"))).await);
    let change = UserChange::new().name("Eve".to_owned()).email(address(1)).set("role", "admin");
    assert_conflict(store.update_user(&second.id, change).await);
    assert_eq!(everything(&store).await, before);
    assert_eq!(store.user_by_account("idp", "new").await.expect("an answer"), None);
}

pub async fn users_without_an_address_do_not_meet(store: impl Store) {
    let nameless = |number| User { email: None, name: None, ..user(number) };
    let first = store.create_user(nameless(1), None).await.expect("no conflict");
    let second = store.create_user(nameless(2), None).await.expect("no conflict");
    assert_ne!(first.id, second.id);
    let third = signed_up(&store, 3).await;
    let third = store.update_user(&third.id, UserChange::new().email(None)).await.expect("no conflict");
    assert_eq!(third.email, None);
    assert_eq!(store.user_by_email("").await.expect("an answer"), None);
    assert_eq!(store.user_by_email(&address(3)).await.expect("an answer"), None);
}

pub async fn an_id_that_repeats_takes_over_no_row(store: impl Store) {
    let first = signed_up(&store, 1).await;
    let token = signed_in(&store, &first, "first").await;
    let before = everything(&store).await;
    let second = User { id: first.id.clone(), email: Some(address(2)), ..user(1) };
    match store.create_user(second, Some(account("idp", "second"))).await {
        Ok(second) => {
            assert_ne!(second.id, first.id);
            assert!(store.delete_user(&second.id).await.expect("an answer"));
        }
        Err(error) => assert_eq!(error.kind(), StoreErrorKind::Conflict),
    }
    assert_eq!(everything(&store).await, before);
    assert_eq!(store.user_by_account("idp", "second").await.expect("an answer"), None);
    let (_, of) = store.session(&token).await.expect("an answer").expect("it is there");
    assert_eq!(of, first);
}

pub async fn a_user_whose_account_is_taken_is_not_made(store: impl Store) {
    let first = signed_up(&store, 1).await;
    let before = everything(&store).await;
    assert_conflict(store.create_user(user(2), Some(account("idp", "account-1"))).await);
    assert_eq!(everything(&store).await, before);
    assert_eq!(store.user_by_email(&address(2)).await.expect("an answer"), None);
    assert_eq!(store.user_by_account("idp", "account-1").await.expect("an answer"), Some(first));
}

pub async fn what_is_not_there_is_not_found(store: impl Store) {
    let known = signed_up(&store, 1).await;
    let token = SessionToken::new("unknown");
    for id in [uuid(9).as_str(), "9", "99999999999999999999999999", "nobody", ""] {
        assert_eq!(store.user(id).await.expect("an answer"), None, "{id:?}");
        assert!(!store.delete_user(id).await.expect("an answer"), "{id:?}");
        assert_eq!(store.accounts(id).await.expect("an answer"), [], "{id:?}");
        assert_eq!(store.sessions(id).await.expect("an answer"), [], "{id:?}");
        let change = SessionChange::new().expires(at(1));
        assert!(!store.update_session_by_id(id, token.id(), change).await.expect("an answer"), "{id:?}");
        assert_eq!(store.epoch(id).await.expect("an answer"), None, "{id:?}");
        assert_eq!(store.revoke_sessions(id, Revoke::All).await.expect("an answer"), 0, "{id:?}");
        assert!(!store.unlink_account(id, "idp", "account-1", false).await.expect("an answer"), "{id:?}");
        assert_not_found(store.update_user(id, UserChange::new().name("Eve".to_owned())).await);
        assert_not_found(store.verify_email(&User { id: id.into(), ..known.clone() }, at(0)).await);
    }
    assert_eq!(store.user_by_email(&address(9)).await.expect("an answer"), None);
    assert_eq!(store.user_by_account("idp", "account-9").await.expect("an answer"), None);
    assert_eq!(store.user_by_account("other", "account-1").await.expect("an answer"), None);
    assert_eq!(store.session(&token).await.expect("an answer"), None);
    assert_eq!(store.delete_session(&token).await.expect("an answer"), None);
    assert!(!store.update_session(&token, SessionChange::new().expires(at(1))).await.expect("an answer"));
    assert_eq!(store.take_token(&address(1), "hash").await.expect("an answer"), None);
    assert_eq!(store.sweep(at(0), 10).await.expect("an answer"), 0);
    assert_eq!(everything(&store).await, [(known.clone(), accounts_of(&store, &known).await, vec![])]);
}

pub async fn a_change_touches_what_it_names(store: impl Store) {
    let mut wanted = signed_up(&store, 1).await;
    let other = signed_up(&store, 2).await;
    let changes: [(UserChange, Effect); 9] = [
        (UserChange::new(), |_| ()),
        (UserChange::new().name("Grace".to_owned()), |user| user.name = Some("Grace".into())),
        (UserChange::new().image("/g.png".to_owned()), |user| user.image = Some("/g.png".into())),
        (UserChange::new().email_verified(Some(at(5))), |user| user.email_verified = Some(at(5))),
        (UserChange::new().set("role", "admin").set("age", 36), |user| {
            user.extra.extend([("role".to_owned(), json!("admin")), ("age".to_owned(), json!(36))]);
        }),
        (UserChange::new().set("role", "reader"), |user| {
            user.extra.insert("role".into(), json!("reader"));
        }),
        (UserChange::new().set("age", Value::Null).set("absent", Value::Null), |user| {
            user.extra.shift_remove("age");
        }),
        (UserChange::new().email(address(1)), |_| ()),
        (UserChange::new().name(None).image(None).email_verified(None), |user| {
            (user.name, user.image, user.email_verified) = (None, None, None);
        }),
    ];
    for (change, expect) in changes {
        expect(&mut wanted);
        let changed = store.update_user(&wanted.id, change.clone()).await.expect("no conflict");
        assert_eq!(changed, wanted, "{change:?}");
        assert_eq!(store.user(&wanted.id).await.expect("an answer").as_ref(), Some(&wanted), "{change:?}");
    }
    assert_eq!(store.user(&other.id).await.expect("an answer"), Some(other));
}

pub async fn a_new_address_is_not_proven(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    store.verify_email(&ada, at(0)).await.expect("they are there");
    let same = store.update_user(&ada.id, UserChange::new().email(address(1))).await.expect("their own");
    assert_eq!(same.email_verified, Some(at(0)));
    let moved = store.update_user(&ada.id, UserChange::new().email(address(2))).await.expect("it is free");
    assert_eq!((moved.email.as_deref(), moved.email_verified), (Some(address(2).as_str()), None));
    assert_eq!(store.user_by_email(&address(2)).await.expect("an answer"), Some(moved));
    assert_eq!(store.user_by_email(&address(1)).await.expect("an answer"), None);
    let change = UserChange::new().email(address(3)).email_verified(Some(at(7)));
    let proven = store.update_user(&ada.id, change).await.expect("it is free");
    assert_eq!(proven.email_verified, Some(at(7)));
    // The old addresses are free.
    store.create_user(User { email: Some(address(1)), ..user(4) }, None).await.expect("it is free again");
}

pub async fn nobody_vouches_for_a_new_address(store: impl Store) {
    let (ada, bob) = (signed_up(&store, 1).await, signed_up(&store, 2).await);
    let vouching = |id| Account { email_verified: true, ..account("vouching", id) };
    for (owner, account) in [(&ada, vouching("1")), (&bob, vouching("2"))] {
        store.link_account(owner, account).await.expect("it is free");
    }
    let vouched = async |user: &User| accounts_of(&store, user).await.iter().any(|it| it.email_verified);
    for change in [UserChange::new().name("Grace".to_owned()), UserChange::new().email(address(1))] {
        store.update_user(&ada.id, change).await.expect("no conflict");
        assert!(vouched(&ada).await);
    }
    assert_conflict(store.update_user(&ada.id, UserChange::new().email(address(2))).await);
    assert!(vouched(&ada).await);
    let ada = store.update_user(&ada.id, UserChange::new().email(address(3))).await.expect("it is free");
    assert!(!vouched(&ada).await);
    assert!(vouched(&bob).await);
    // So the proof of the new address ends what was good for the old one.
    store.verify_email(&ada, at(0)).await.expect("they are there");
    assert_eq!(accounts_of(&store, &ada).await, []);
    assert_eq!(accounts_of(&store, &bob).await.len(), 2);
}

pub async fn a_refused_change_changes_nothing(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    signed_up(&store, 2).await;
    let ada = store.update_user(&ada.id, UserChange::new().set("role", "reader")).await.expect("no conflict");
    let before = everything(&store).await;
    let change = UserChange::new()
        .name(None)
        .email(address(2))
        .image("/e.png".to_owned())
        .email_verified(Some(at(0)))
        .set("role", "admin");
    assert_conflict(store.update_user(&ada.id, change).await);
    assert_eq!(everything(&store).await, before);
}

pub async fn pages_show_each_user_once(store: impl Store) {
    let mut made = Vec::new();
    for number in [5, 3, 12, 1, 10, 2, 4] {
        made.push(signed_up(&store, number).await);
    }
    let all = store.users(UserPage::first(100)).await.expect("an answer");
    let mut paged = Vec::new();
    let mut page = UserPage::first(3);
    let mut sizes = Vec::new();
    while let Some(users) = Some(store.users(page).await.expect("an answer")).filter(|it| !it.is_empty()) {
        sizes.push(users.len());
        let last = users.last().map(|user| user.id.clone()).unwrap_or_default();
        page = UserPage::first(3).after(last);
        paged.extend(users);
        assert!(paged.len() <= made.len(), "{paged:?}");
    }
    assert_eq!(sizes, [3, 3, 1]);
    assert_eq!(paged, all);
    let by_id = |user: &User| user.id.clone();
    made.sort_by_key(by_id);
    paged.sort_by_key(by_id);
    assert_eq!(paged, made);
    assert_eq!(store.users(UserPage::first(0)).await.expect("an answer"), []);
    assert_eq!(store.users(UserPage::first(u32::MAX)).await.expect("an answer").len(), 7);
}

pub async fn with_a_user_goes_what_is_theirs(store: impl Store) {
    let (ada, bob) = (signed_up(&store, 1).await, signed_up(&store, 2).await);
    store.link_account(&ada, account("other", "1")).await.expect("it is free");
    let tokens = [signed_in(&store, &ada, "a").await, signed_in(&store, &ada, "b").await];
    let of_bob = signed_in(&store, &bob, "c").await;
    for (number, hash) in [(1, "h1"), (1, "h2"), (2, "h1")] {
        store.create_token(OneTimeToken::new(address(number), hash, at(0))).await.expect("it is new");
    }
    let bobs = (bob.clone(), accounts_of(&store, &bob).await, vec![session(&of_bob, &bob)]);

    assert!(store.delete_user(&ada.id).await.expect("an answer"));
    assert!(!store.delete_user(&ada.id).await.expect("an answer"));

    assert_eq!(everything(&store).await, [bobs]);
    assert_eq!(store.accounts(&ada.id).await.expect("an answer"), []);
    assert_eq!(store.sessions(&ada.id).await.expect("an answer"), []);
    for (provider, id) in [("idp", "account-1"), ("other", "1")] {
        assert_eq!(store.user_by_account(provider, id).await.expect("an answer"), None);
    }
    for token in &tokens {
        assert_eq!(store.session(token).await.expect("an answer"), None);
        assert_eq!(store.delete_session(token).await.expect("an answer"), None);
    }
    for hash in ["h1", "h2"] {
        assert_eq!(store.take_token(&address(1), hash).await.expect("an answer"), None);
    }
    assert!(store.session(&of_bob).await.expect("an answer").is_some());
    assert!(store.take_token(&address(2), "h1").await.expect("an answer").is_some());
}

pub async fn what_a_deleted_user_had_is_free_again(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let token = signed_in(&store, &ada, "token").await;
    assert!(store.delete_user(&ada.id).await.expect("an answer"));
    let again = store.create_user(user(1), Some(account("idp", "account-1"))).await.expect("all is free");
    assert_eq!(store.session(&token).await.expect("an answer"), None);
    assert_eq!(store.sessions(&again.id).await.expect("an answer"), []);
    assert_eq!(store.accounts(&again.id).await.expect("an answer").len(), 1);
    assert_eq!(signed_in(&store, &again, "token").await, token);
}

pub async fn the_first_proof_ends_what_was_prepared_before(store: impl Store) {
    let (ada, bob) = (signed_up(&store, 1).await, signed_up(&store, 2).await);
    let vouched = linked(Account { email_verified: true, ..account("vouching", "1") }, &ada);
    for account in [vouched.clone(), linked(account("other", "1"), &ada)] {
        store.link_account(&ada, account).await.expect("it is free");
    }
    let sessions = [signed_in(&store, &ada, "a").await, signed_in(&store, &ada, "b").await];
    let of_bob = signed_in(&store, &bob, "c").await;
    let epoch = Epoch::new(7, 2, Some(at(1)), Map::new());
    assert!(store.begin_epoch(&ada.id, Epoch { number: 1, ..epoch.clone() }, 0).await.expect("an answer"));
    assert!(store.begin_epoch(&ada.id, epoch.clone(), 1).await.expect("an answer"));
    let bobs = (accounts_of(&store, &bob).await, store.sessions(&bob.id).await.expect("an answer"));

    let proven = store.verify_email(&ada, at(3)).await.expect("they are there");
    assert_eq!(proven, User { email_verified: Some(at(3)), ..ada });

    assert_eq!(store.user(&proven.id).await.expect("an answer").as_ref(), Some(&proven));
    assert_eq!(accounts_of(&store, &proven).await, [vouched]);
    assert_eq!(store.user_by_account("idp", "account-1").await.expect("an answer"), None);
    assert_eq!(store.sessions(&proven.id).await.expect("an answer"), []);
    // Sessions in tokens end by it.
    let ended = Epoch { number: 8, revoked: 8, not_before: Some(at(3)), ..epoch };
    assert_eq!(store.epoch(&proven.id).await.expect("an answer"), Some(ended));
    for token in &sessions {
        assert_eq!(store.session(token).await.expect("an answer"), None);
    }
    // What belongs to others stays, and they have proven nothing.
    assert!(store.session(&of_bob).await.expect("an answer").is_some_and(|(_, user)| user == bob));
    assert_eq!(store.epoch(&bob.id).await.expect("an answer"), None);
    assert_eq!((accounts_of(&store, &bob).await, store.sessions(&bob.id).await.expect("an answer")), bobs);
    // Whoever has proven the address goes on from here.
    let token = signed_in(&store, &proven, "d").await;
    assert!(store.session(&token).await.expect("an answer").is_some());
    // An address of one's own choice is a new one to prove.
    let moved = store.update_user(&proven.id, UserChange::new().email(address(3))).await.expect("it is free");
    assert!(store.session(&token).await.expect("an answer").is_some());
    store.verify_email(&moved, at(4)).await.expect("they are there");
    assert_eq!(store.session(&token).await.expect("an answer"), None);
}

pub async fn a_proof_of_another_address_than_the_user_has_now_is_refused(store: impl Store) {
    let before = signed_up(&store, 1).await;
    let token = signed_in(&store, &before, "a").await;
    for change in [UserChange::new().email(address(9)), UserChange::new().email(None)] {
        let after = store.update_user(&before.id, change).await.expect("it is free");
        assert_not_found(store.verify_email(&before, at(1)).await);
        assert_eq!(store.user(&before.id).await.expect("an answer"), Some(after));
    }
    assert_eq!(accounts_of(&store, &before).await.len(), 1);
    assert!(store.session(&token).await.expect("an answer").is_some());
}

pub async fn the_second_proof_leaves_everything(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let ada = store.verify_email(&ada, at(1)).await.expect("they are there");
    store.link_account(&ada, account("other", "1")).await.expect("it is free");
    let token = signed_in(&store, &ada, "a").await;
    let accounts = accounts_of(&store, &ada).await;
    let epoch = store.epoch(&ada.id).await.expect("an answer");
    let proven = store.verify_email(&ada, at(2)).await.expect("they are there");
    assert_eq!(proven.email_verified, Some(at(2)));
    assert_eq!(accounts_of(&store, &ada).await, accounts);
    assert_eq!(accounts.len(), 1);
    assert_eq!(store.epoch(&ada.id).await.expect("an answer"), epoch);
    assert!(epoch.is_some_and(|epoch| epoch == Epoch::new(1, 1, Some(at(1)), Map::new())));
    assert!(store.session(&token).await.expect("an answer").is_some());
}

/// What a change does to a user.
type Effect = fn(&mut User);
