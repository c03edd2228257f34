use serde_json::{Map, Value, json};

use super::*;
use crate::store::Epoch;

pub async fn an_epoch_follows_the_one_it_was_made_from(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    assert_eq!(store.epoch(&ada.id).await.expect("an answer"), None);
    let first = Epoch::new(1, 0, None, patch());
    for stale in [1, -1, i64::MAX] {
        assert!(!store.begin_epoch(&ada.id, first.clone(), stale).await.expect("an answer"), "{stale}");
        assert_eq!(store.epoch(&ada.id).await.expect("an answer"), None, "{stale}");
    }
    let epochs = [first, Epoch::new(2, 2, Some(at(7)), Map::new()), Epoch::new(3, 2, Some(at(999)), patch())];
    for (made_from, epoch) in (0..).zip(&epochs) {
        assert!(store.begin_epoch(&ada.id, epoch.clone(), made_from).await.expect("an answer"));
        assert_eq!(store.epoch(&ada.id).await.expect("an answer").as_ref(), Some(epoch));
    }
    for stale in [0, 1, 2, 4] {
        let epoch = Epoch::new(stale + 1, 0, None, Map::new());
        assert!(!store.begin_epoch(&ada.id, epoch, stale).await.expect("an answer"), "{stale}");
        assert_eq!(store.epoch(&ada.id).await.expect("an answer").as_ref(), epochs.last(), "{stale}");
    }
}

pub async fn epochs_of_users_are_apart(store: impl Store) {
    // Sessions in tokens may be those of users whom no store knows.
    let ids = [
        uuid(1),
        "a".into(),
        "A".into(),
        "á".into(),
        "a ".into(),
        "7".into(),
        "' OR '1'='1".into(),
        "%".into(),
    ];
    for (number, id) in (1..).zip(&ids) {
        assert_eq!(store.epoch(id).await.expect("an answer"), None, "{id:?}");
        let epoch = Epoch::new(number, number - 1, Some(at(number)), Map::new());
        assert!(store.begin_epoch(id, epoch, 0).await.expect("an answer"), "{id:?}");
    }
    for (number, id) in (1..).zip(&ids) {
        let epoch = Epoch::new(number, number - 1, Some(at(number)), Map::new());
        assert_eq!(store.epoch(id).await.expect("an answer"), Some(epoch), "{id:?}");
    }
}

pub async fn an_epoch_outlives_its_user(store: impl Store) {
    let ada = signed_up(&store, 1).await;
    let epoch = Epoch::new(1, 1, Some(at(0)), patch());
    assert!(store.begin_epoch(&ada.id, epoch.clone(), 0).await.expect("an answer"));
    assert!(store.delete_user(&ada.id).await.expect("an answer"));
    assert_eq!(store.epoch(&ada.id).await.expect("an answer"), Some(epoch));
    let last = Epoch::new(2, 2, Some(at(5)), Map::new());
    assert!(store.begin_epoch(&ada.id, last.clone(), 1).await.expect("an answer"));
    assert_eq!(store.epoch(&ada.id).await.expect("an answer"), Some(last));
}

fn patch() -> Map<String, Value> {
    json!({ "role": "admin", "gone": null, "deep": { "é": [1, true] } })
        .as_object()
        .cloned()
        .unwrap_or_default()
}
