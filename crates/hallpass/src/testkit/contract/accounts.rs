use serde_json::json;

use super::*;
use crate::store::UserChange;

pub async fn an_account_belongs_to_one_user(store: impl Store) {
    let (ada, bob) = (signed_up(&store, 1).await, signed_up(&store, 2).await);
    let before = everything(&store).await;
    let taken = Account { email_verified: true, ..Account::new("idp", AccountKind::OAuth, "account-1") };
    assert_conflict(store.link_account(&bob, taken.clone()).await);
    assert_conflict(store.link_account(&ada, taken).await);
    assert_eq!(everything(&store).await, before);
    assert_eq!(store.user_by_account("idp", "account-1").await.expect("an answer"), Some(ada));
}

pub async fn one_id_at_two_providers_is_two_accounts(store: impl Store) {
    let (ada, bob) = (signed_up(&store, 1).await, signed_up(&store, 2).await);
    store.link_account(&bob, account("other", "account-1")).await.expect("it is another one");
    assert_eq!(store.user_by_account("idp", "account-1").await.expect("an answer"), Some(ada.clone()));
    assert_eq!(store.user_by_account("other", "account-1").await.expect("an answer"), Some(bob.clone()));
    // The two texts are a pair, not one text.
    for (provider, id) in [("a", "bc"), ("ab", "c"), ("a:b", "c"), ("a", "b:c")] {
        store.link_account(&ada, account(provider, id)).await.expect("it is another one");
    }
    assert_eq!(accounts_of(&store, &ada).await.len(), 5);
    assert_eq!(accounts_of(&store, &bob).await.len(), 2);
}

pub async fn an_account_is_kept_whole(store: impl Store) {
    let ada = store.create_user(user(1), None).await.expect("it is the first");
    assert_eq!(store.accounts(&ada.id).await.expect("an answer"), []);
    let tokens = json!({
        "access_token": "é".repeat(4000),
        "refresh_token": "r",
        "id_token": "x.y.z".repeat(1000),
        "expires_at": 4_102_444_800_i64,
        "token_type": "bearer",
        "scope": "openid profile",
        "session_state": "s",
        "own": { "deep": [1, null, true, 0.5] },
    });
    let full = Account {
        tokens: tokens.as_object().cloned().unwrap_or_default(),
        email_verified: true,
        ..Account::new("full", AccountKind::OAuth, "1")
    };
    let kinds = [AccountKind::Credentials, AccountKind::Email, AccountKind::OAuth, AccountKind::Oidc];
    let bare = kinds.map(|kind| Account::new(&format!("bare-{}", kind.as_str()), kind, "1"));
    let mut wanted: Vec<_> = bare.into_iter().chain([full]).map(|it| linked(it, &ada)).collect();
    for account in &wanted {
        store.link_account(&ada, account.clone()).await.expect("it is free");
    }
    wanted.sort_by_key(|account| account.provider.clone());
    assert_eq!(accounts_of(&store, &ada).await, wanted);
    assert_eq!(
        accounts_of(&store, &ada).await.last().and_then(Account::access_token).map(str::len),
        Some(8000)
    );
}

pub async fn an_account_of_nobody_is_refused(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    for id in [uuid(9), "9".into(), "nobody".into(), String::new()] {
        let nobody = User { id, ..ada.clone() };
        assert_not_found(store.link_account(&nobody, account("idp", "stray")).await);
    }
    assert_eq!(store.user_by_account("idp", "stray").await.expect("an answer"), None);
    store.link_account(&ada, account("idp", "stray")).await.expect("it is free");
}

pub async fn an_account_is_linked_to_a_user_as_they_were_read(store: impl Store) {
    let stale = signed_up(&store, 1).await;
    let (moved, proven) =
        (UserChange::new().email(address(9)), UserChange::new().email_verified(Some(at(1))));
    let mut current = stale.clone();
    for change in [moved, proven, UserChange::new().email(None)] {
        let before =
            std::mem::replace(&mut current, store.update_user(&stale.id, change).await.expect("it is free"));
        for owner in [&stale, &before] {
            assert_not_found(store.link_account(owner, account("other", "1")).await);
        }
        assert_eq!(store.user_by_account("other", "1").await.expect("an answer"), None);
    }
    // Another name is the same person.
    let renamed = User { name: Some("Augusta".into()), ..current };
    store.link_account(&renamed, account("other", "1")).await.expect("it is free");
}

pub async fn an_account_is_taken_from_its_owner_only(store: impl Store) {
    let (ada, bob) = (signed_up(&store, 1).await, signed_up(&store, 2).await);
    let before = everything(&store).await;
    for (owner, provider, id) in [
        (&bob, "idp", "account-1"),
        (&ada, "other", "account-1"),
        (&ada, "idp", "account-9"),
        (&ada, "idp", ""),
    ] {
        assert!(!store.unlink_account(&owner.id, provider, id, false).await.expect("an answer"));
        assert!(!store.unlink_account(&owner.id, provider, id, true).await.expect("an answer"));
    }
    assert_eq!(everything(&store).await, before);
    assert!(store.unlink_account(&ada.id, "idp", "account-1", false).await.expect("an answer"));
    assert!(!store.unlink_account(&ada.id, "idp", "account-1", false).await.expect("an answer"));
    assert_eq!(store.user_by_account("idp", "account-1").await.expect("an answer"), None);
    store.link_account(&bob, account("idp", "account-1")).await.expect("it is free again");
    assert_eq!(store.user_by_account("idp", "account-1").await.expect("an answer"), Some(bob));
}

pub async fn the_last_account_stays_if_it_must(store: impl Store) {
    let (ada, bob) = (signed_up(&store, 1).await, signed_up(&store, 2).await);
    store.link_account(&ada, account("other", "1")).await.expect("it is free");
    assert!(store.unlink_account(&ada.id, "idp", "account-1", true).await.expect("an answer"));
    assert_conflict(store.unlink_account(&ada.id, "other", "1", true).await);
    assert_eq!(accounts_of(&store, &ada).await, [linked(account("other", "1"), &ada)]);
    assert!(store.unlink_account(&ada.id, "other", "1", false).await.expect("an answer"));
    assert_eq!(accounts_of(&store, &ada).await, []);
    assert_eq!(accounts_of(&store, &bob).await.len(), 1);
}
