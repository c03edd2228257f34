use serde_json::{Map, Value};

use super::*;
use crate::store::{Epoch, OneTimeToken, Revoke, SessionChange, UserChange};

pub async fn of_many_takers_one_gets_the_token(store: impl Store) {
    let store = Arc::new(store);
    for round in 0..3 {
        let token = OneTimeToken::new(address(round), "hash", at(0));
        store.create_token(token.clone()).await.expect("it is new");
        let taken = at_once(MANY, |_| {
            let store = Arc::clone(&store);
            async move { store.take_token(&address(round), "hash").await.expect("an answer") }
        });
        let taken: Vec<_> = taken.await.into_iter().flatten().collect();
        assert_eq!(taken, [token]);
    }
}

pub async fn of_many_who_keep_a_token_one_wins(store: impl Store) {
    let store = Arc::new(store);
    for round in 0..3 {
        let kept = at_once(MANY, |_| {
            let store = Arc::clone(&store);
            async move { store.create_token(OneTimeToken::new(address(round), "hash", at(0))).await }
        });
        assert_eq!(winners(kept.await).len(), 1);
    }
}

pub async fn of_many_who_adopt_a_session_one_wins(store: impl Store) {
    let store = Arc::new(store);
    let ada = signed_up(&*store, 1).await;
    for round in 0..3 {
        let adopted = at_once(MANY, |number| {
            let (store, token) = (Arc::clone(&store), SessionToken::new(format!("{round}-{number}")));
            let once = OneTimeToken::new("hallpass: once", format!("hash {round}"), at(0));
            let session = session(&token, &ada);
            async move { store.adopt_session(&token, session, once).await }
        });
        assert_eq!(winners(adopted.await).len(), 1);
        assert_eq!(store.revoke_sessions(&ada.id, Revoke::All).await.expect("an answer"), 1);
    }
}

pub async fn of_many_writers_one_wins_each_version(store: impl Store) {
    let store = Arc::new(store);
    let ada = signed_up(&*store, 1).await;
    let token = signed_in(&*store, &ada, "token").await;
    let wins = at_once(WRITERS, |_| {
        let (store, token) = (Arc::clone(&store), token.clone());
        async move {
            let version = 0;
            let claims = Map::from_iter([("count".to_owned(), Value::from(0))]);
            store
                .update_session(&token, SessionChange::new().claims(claims, version))
                .await
                .expect("an answer")
        }
    });
    assert_eq!(wins.await.into_iter().filter(|won| *won).count(), 1);
    at_once(WRITERS, |_| {
        let (store, token) = (Arc::clone(&store), token.clone());
        async move { while !count_one_up(&*store, &token).await {} }
    })
    .await;
    let (session, _) = store.session(&token).await.expect("an answer").expect("it is there");
    assert_eq!(session.claims.get("count"), Some(&Value::from(WRITERS)));
    assert_eq!(session.version, 1 + WRITERS as i64);
}

pub async fn of_many_sign_ups_with_one_address_one_makes_a_user(store: impl Store) {
    let store = Arc::new(store);
    let made = at_once(MANY, |number| {
        let store = Arc::clone(&store);
        // Half of them come with an account, half as with a magic link.
        let own = (number % 2 == 0).then(|| account("idp", &format!("account-{number}")));
        let user = User { email: Some(address(1)), ..user(number as u32) };
        async move { store.create_user(user, own).await }
    });
    let made = winners(made.await);
    assert_eq!(made.len(), 1);
    assert_eq!(store.users(UserPage::first(9)).await.expect("an answer"), made);
    for number in 0..MANY {
        let owner = store.user_by_account("idp", &format!("account-{number}")).await.expect("an answer");
        assert!(owner.is_none_or(|owner| owner == made[0]));
    }
    assert!(store.accounts(&made[0].id).await.expect("an answer").len() <= 1);
}

pub async fn of_many_sign_ups_with_one_account_one_makes_a_user(store: impl Store) {
    let store = Arc::new(store);
    let made = at_once(MANY, |number| {
        let store = Arc::clone(&store);
        async move { store.create_user(user(number as u32), Some(account("idp", "one"))).await }
    });
    let made = winners(made.await);
    assert_eq!(made.len(), 1);
    assert_eq!(store.users(UserPage::first(9)).await.expect("an answer"), made);
    assert_eq!(store.user_by_account("idp", "one").await.expect("an answer"), made.first().cloned());
}

pub async fn of_many_changes_to_one_address_one_wins(store: impl Store) {
    let store = Arc::new(store);
    let mut users = Vec::new();
    for number in 0..16 {
        users.push(signed_up(&*store, number).await);
    }
    let changed = at_once(users.len(), |number| {
        let (store, id) = (Arc::clone(&store), users[number].id.clone());
        async move { store.update_user(&id, UserChange::new().email(address(99))).await }
    });
    let changed = winners(changed.await);
    assert_eq!(changed.len(), 1);
    let all = store.users(UserPage::first(99)).await.expect("an answer");
    let with_it = all.iter().filter(|user| user.email == Some(address(99)));
    assert_eq!(with_it.collect::<Vec<_>>(), changed.iter().collect::<Vec<_>>());
    assert_eq!(all.len(), users.len());
}

pub async fn of_many_links_of_one_account_one_wins(store: impl Store) {
    let store = Arc::new(store);
    let users = [signed_up(&*store, 1).await, signed_up(&*store, 2).await];
    let links = at_once(MANY, |number| {
        let (store, user) = (Arc::clone(&store), users[number % 2].clone());
        async move { store.link_account(&user, account("other", "one")).await.map(|()| user) }
    });
    let links = winners(links.await);
    assert_eq!(links.len(), 1);
    assert_eq!(store.user_by_account("other", "one").await.expect("an answer"), links.first().cloned());
    let counts = [accounts_of(&*store, &users[0]).await.len(), accounts_of(&*store, &users[1]).await.len()];
    assert_eq!(counts.iter().sum::<usize>(), 3);
}

pub async fn of_two_who_unlink_the_last_accounts_one_fails(store: impl Store) {
    let store = Arc::new(store);
    for round in 0..4 * ROUNDS {
        let ada = signed_up(&*store, round).await;
        store.link_account(&ada, account("other", &ada.id)).await.expect("it is free");
        let ids = [("idp", format!("account-{round}")), ("other", ada.id.clone())];
        let gone = at_once(2, |number| {
            let (store, owner, (provider, id)) = (Arc::clone(&store), ada.id.clone(), ids[number].clone());
            async move { store.unlink_account(&owner, provider, &id, true).await }
        });
        assert_eq!(winners(gone.await), [true]);
        assert_eq!(accounts_of(&*store, &ada).await.len(), 1);
    }
}

pub async fn of_many_who_end_a_session_one_gets_it(store: impl Store) {
    let store = Arc::new(store);
    let ada = signed_up(&*store, 1).await;
    let token = signed_in(&*store, &ada, "token").await;
    let ended = at_once(WRITERS, |_| {
        let (store, token) = (Arc::clone(&store), token.clone());
        async move { store.delete_session(&token).await.expect("an answer") }
    });
    let ended: Vec<_> = ended.await.into_iter().flatten().collect();
    assert_eq!(ended, [session(&token, &ada)]);
}

pub async fn of_many_who_forget_user_agents_each_is_counted_once(store: impl Store) {
    let store = Arc::new(store);
    let ada = signed_up(&*store, 1).await;
    let mut tokens = Vec::new();
    for number in 0..60 {
        let token = SessionToken::new(format!("token {number}"));
        let user_agent = Some("Firefox".to_owned());
        let session = StoredSession { user_agent, ..session(&token, &ada) };
        store.create_session(&token, session).await.expect("it is new");
        tokens.push(token);
    }
    // Renewals go on meanwhile.
    let counts = at_once(WRITERS, |number| {
        let (store, token) = (Arc::clone(&store), tokens.get(number).expect("there are more").clone());
        async move {
            if number % 2 == 0 {
                let renewal = SessionChange::new().expires(at(9)).last_seen(at(8));
                assert!(store.update_session(&token, renewal).await.expect("an answer"));
                return 0;
            }
            store.forget_clients(at(0), 40).await.expect("an answer")
        }
    });
    let counted: u64 = counts.await.into_iter().sum();
    let left = store.forget_clients(at(0), 100).await.expect("an answer");
    assert_eq!(counted + left, 60);
    let sessions = store.sessions(&ada.id).await.expect("an answer");
    assert!(sessions.len() == 60 && sessions.iter().all(|session| session.user_agent.is_none()));
}

pub async fn of_many_who_begin_an_epoch_one_wins(store: impl Store) {
    let store = Arc::new(store);
    let ada = signed_up(&*store, 1).await;
    for made_from in 0..3 {
        let begun = at_once(WRITERS, |number| {
            let (store, id) = (Arc::clone(&store), ada.id.clone());
            let epoch = Epoch::new(made_from + 1, 0, Some(at(number as i64)), Map::new());
            async move {
                let won = store.begin_epoch(&id, epoch.clone(), made_from).await.expect("an answer");
                won.then_some(epoch)
            }
        });
        let begun: Vec<_> = begun.await.into_iter().flatten().collect();
        assert_eq!(begun.len(), 1);
        assert_eq!(store.epoch(&ada.id).await.expect("an answer"), begun.into_iter().next());
    }
}

pub async fn a_user_deleted_during_sign_ins_leaves_no_session(store: impl Store) {
    let store = Arc::new(store);
    for round in 0..ROUNDS {
        let ada = signed_up(&*store, round).await;
        let token = move |number: usize| SessionToken::new(format!("{round} {number}"));
        at_once(WRITERS, |number| {
            let (store, ada, token) = (Arc::clone(&store), ada.clone(), token(number));
            async move {
                if number == WRITERS / 2 {
                    assert!(store.delete_user(&ada.id).await.expect("an answer"));
                    return;
                }
                match store.create_session(&token, session(&token, &ada)).await {
                    Ok(()) => {
                        let renewal = SessionChange::new().expires(at(9));
                        store.update_session(&token, renewal).await.expect("an answer");
                    }
                    Err(error) => assert_eq!(error.kind(), StoreErrorKind::NotFound, "{error:?}"),
                }
            }
        })
        .await;
        assert_eq!(store.sessions(&ada.id).await.expect("an answer"), []);
        assert_eq!(store.user(&ada.id).await.expect("an answer"), None);
        for number in 0..WRITERS {
            assert_eq!(store.session(&token(number)).await.expect("an answer"), None);
            assert_eq!(store.delete_session(&token(number)).await.expect("an answer"), None);
        }
    }
}

pub async fn a_user_deleted_during_links_leaves_no_account(store: impl Store) {
    let store = Arc::new(store);
    for round in 0..ROUNDS {
        let ada = signed_up(&*store, round).await;
        let name = move |number: usize| format!("{round} {number}");
        at_once(WRITERS, |number| {
            let (store, ada, name) = (Arc::clone(&store), ada.clone(), name(number));
            async move {
                if number == WRITERS / 2 {
                    assert!(store.delete_user(&ada.id).await.expect("an answer"));
                } else if let Err(error) = store.link_account(&ada, account("other", &name)).await {
                    assert_eq!(error.kind(), StoreErrorKind::NotFound, "{error:?}");
                }
            }
        })
        .await;
        assert_eq!(store.accounts(&ada.id).await.expect("an answer"), []);
        for number in 0..WRITERS {
            assert_eq!(store.user_by_account("other", &name(number)).await.expect("an answer"), None);
        }
        // Nothing of them stands in the way of somebody new.
        let bob = store.create_user(user(round), None).await.expect("the address is free");
        for number in 0..WRITERS {
            store.link_account(&bob, account("other", &name(number))).await.expect("it is free");
        }
        assert!(store.delete_user(&bob.id).await.expect("an answer"));
    }
}

pub async fn a_first_proof_during_sign_ins_leaves_the_user_proven(store: impl Store) {
    let store = Arc::new(store);
    for round in 0..ROUNDS {
        let ada = signed_up(&*store, round).await;
        let before = signed_in(&*store, &ada, &format!("before {round}")).await;
        at_once(WRITERS, |number| {
            let (store, ada) = (Arc::clone(&store), ada.clone());
            async move {
                if number % 8 == 0 {
                    store.verify_email(&ada, at(number as i64)).await.expect("they are there");
                } else {
                    let name = format!("{round} {number}");
                    signed_in(&*store, &ada, &name).await;
                    if let Err(error) = store.link_account(&ada, account("other", &name)).await {
                        assert_eq!(error.kind(), StoreErrorKind::NotFound, "{error:?}");
                    }
                }
            }
        })
        .await;
        let proven = store.user(&ada.id).await.expect("an answer").expect("they are there");
        assert!(proven.email_verified.is_some());
        assert_eq!(store.session(&before).await.expect("an answer"), None);
        // Those from before are gone; whoever comes later does not know that the address was proven.
        assert_eq!(accounts_of(&*store, &ada).await, []);
        let epoch = store.epoch(&ada.id).await.expect("an answer").expect("it has begun");
        assert_eq!((epoch.number, epoch.revoked), (1, 1));
    }
}

/// Reads the claims and writes what follows from them, as the application's `jwt` does. Whether it was the first.
async fn count_one_up(store: &impl Store, token: &SessionToken) -> bool {
    let (session, _) = store.session(token).await.expect("an answer").expect("it is there");
    let count = session.claims.get("count").and_then(Value::as_u64).expect("a number");
    let claims = Map::from_iter([("count".to_owned(), Value::from(count + 1))]);
    let change = SessionChange::new().claims(claims, session.version);
    store.update_session(token, change).await.expect("an answer")
}

const MANY: usize = 64;

const WRITERS: usize = 32;

const ROUNDS: u32 = 5;
