//! `/callback/:provider`.

use serde_json::json;

use crate::site::{SITE, Site, browse};

#[tokio::test]
async fn sign_in_at_a_provider_makes_a_session() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    for provider in ["idp", "plain"] {
        let mut browser = browse(&auth);
        let answer = browser.sign_in(provider, &site.idp).await;
        assert_eq!((answer.status().as_u16(), answer.location()), (302, SITE), "{provider}");
        let user = &browser.session().await["user"];
        assert_eq!(*user, json!({ "name": "Ada", "email": "ada@example.com" }));
    }
}
