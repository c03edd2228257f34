use super::*;

/// Knows everybody, and makes its users as a store of an application does.
struct Foreign;

impl Store for Foreign {
    async fn create_user(&self, user: User) -> Result<User, StoreError> {
        Ok(User::new(user.id))
    }

    async fn user(&self, id: &str) -> Result<Option<User>, StoreError> {
        Ok(Some(User::new(id)))
    }

    async fn user_by_email(&self, _: &str) -> Result<Option<User>, StoreError> {
        Ok(Some(User::new("1")))
    }

    async fn user_by_account(&self, _: &str, _: &str) -> Result<Option<User>, StoreError> {
        Ok(Some(User::new("1")))
    }

    async fn verify_email(&self, id: &str, _: Timestamp) -> Result<User, StoreError> {
        Ok(User::new(id))
    }

    async fn link_account(&self, _: Account) -> Result<(), StoreError> {
        Ok(())
    }

    async fn create_token(&self, _: OneTimeToken) -> Result<(), StoreError> {
        Ok(())
    }

    async fn take_token(&self, _: &str, _: &str) -> Result<Option<OneTimeToken>, StoreError> {
        Ok(None)
    }
}

#[tokio::test]
async fn every_user_that_a_store_returns_counts_as_stored() {
    let store: &dyn DynStore = &Foreign;
    for user in [
        store.create_user(User::new("1")).await.unwrap(),
        store.user("1").await.unwrap().unwrap(),
        store.user_by_email("a@b.example").await.unwrap().unwrap(),
        store.user_by_account("idp", "1").await.unwrap().unwrap(),
        store.verify_email("1", Timestamp::from_seconds(0)).await.unwrap(),
    ] {
        assert_eq!(serde_json::to_string(&user).unwrap(), r#"{"id":"1","emailVerified":null}"#);
    }
}
