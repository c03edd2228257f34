use super::*;

#[tokio::test]
async fn every_user_that_a_store_returns_counts_as_stored() {
    let store: &dyn DynStore = &MemoryStore::new();
    let account = Account::new("idp", crate::AccountKind::Oidc, "1");
    let token = SessionToken::new("token");
    let user = User::new("1").with_email("a@b.example");
    let created = store.create_user(user, Some(account)).await.unwrap();
    let session = StoredSession::new(&token, "1", Timestamp::from_seconds(1));
    store.create_session(&token, session).await.unwrap();
    for user in [
        created,
        store.user("1").await.unwrap().unwrap(),
        store.user_by_email("a@b.example").await.unwrap().unwrap(),
        store.user_by_account("idp", "1").await.unwrap().unwrap(),
        store.users(UserPage::first(1)).await.unwrap().remove(0),
        store.update_user("1", UserChange::new()).await.unwrap(),
        store.session(&token).await.unwrap().unwrap().1,
        store
            .verify_email(&store.user("1").await.unwrap().unwrap(), Timestamp::from_seconds(0))
            .await
            .unwrap(),
    ] {
        assert!(serde_json::to_string(&user).unwrap().contains("emailVerified"));
    }
}
