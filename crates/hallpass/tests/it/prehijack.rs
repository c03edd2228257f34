//! Accounts that an attacker prepares and their owner finds (Sudhodanan and Paverd, 2022), end to end.

use hallpass::testkit::{Browser, Outage};
use hallpass::{Auth, Email, MemoryStore, Store, Strategy, UserChange};
use serde_json::json;

use crate::site::{Log, SITE, Site, browse, signed_in};

const BOTH: [Strategy; 2] = [Strategy::Jwt, Strategy::Database];

/// Who owns the address that the form's user claims.
const ADDRESS: &str = "ali@example.com";

struct Case {
    site: Site,
    store: Outage<MemoryStore>,
    auth: Auth,
    mailbox: Log,
}

impl Case {
    fn new(strategy: Strategy) -> Self {
        let (site, mailbox) = (Site::new(), Log::default());
        let store = Outage::new(site.store.clone());
        let auth = site
            .builder_with(mailbox.clone())
            .store(store.clone())
            .session_strategy(strategy)
            .email(Email::new(), async |mail, mailbox: Log| {
                mailbox.add(mail.url);
                Ok(())
            })
            .build()
            .unwrap();
        // A provider that does not look at addresses.
        site.other.set_user(json!({ "sub": "eve", "email": ADDRESS, "email_verified": false }));
        Self { site, store, auth, mailbox }
    }

    async fn sign_up(&self) -> Browser {
        let mut eve = browse(&self.auth);
        assert_eq!(eve.sign_in("other", &self.site.other).await.location(), SITE);
        eve
    }

    async fn link_to(&self, address: &str) -> String {
        browse(&self.auth).submit("signin/email", &[("email", address)]).await;
        self.mailbox.take().pop().unwrap()
    }

    /// Somebody follows a link to their address.
    async fn prove(&self, address: &str) -> Browser {
        let link = self.link_to(address).await;
        let mut owner = browse(&self.auth);
        assert_eq!(owner.follow_magic_link(&link).await.location(), SITE);
        assert_eq!(owner.session().await["user"]["email"], address);
        owner
    }
}

#[tokio::test]
async fn session_from_before_the_first_proof_is_refused() {
    for strategy in BOTH {
        let case = Case::new(strategy);
        let mut eve = case.sign_up().await;
        assert_eq!(eve.session().await["user"]["email"], ADDRESS);
        let mut owner = case.prove(ADDRESS).await;
        assert_eq!(eve.get("session").await.text(), "null", "{strategy:?}");
        assert!(eve.sign_in("other", &case.site.other).await.is_error("OAuthAccountNotLinked"));
        assert_eq!(owner.session().await["user"]["email"], ADDRESS);
        // A second proof ends nothing.
        case.prove(ADDRESS).await;
        assert_eq!(owner.session().await["user"]["email"], ADDRESS);
    }
}

#[tokio::test]
async fn first_proof_that_fails_ends_the_session_when_it_is_tried_again() {
    for strategy in BOTH {
        let case = Case::new(strategy);
        let mut eve = case.sign_up().await;
        let link = case.link_to(ADDRESS).await;
        case.store.set_broken(Some("verify_email"));
        assert_eq!(browse(&case.auth).follow_magic_link(&link).await.status().as_u16(), 503);
        case.store.set_broken(None);
        case.prove(ADDRESS).await;
        assert_eq!(eve.get("session").await.text(), "null", "{strategy:?}");
    }
}

/// Trojan identifier: a second way in, linked beforehand.
#[tokio::test]
async fn second_account_from_before_the_first_proof_is_gone() {
    for strategy in BOTH {
        let case = Case::new(strategy);
        let mut eve = case.sign_up().await;
        case.site.idp.set_user(json!({ "sub": "eve", "email": "eve@example.com", "email_verified": true }));
        assert_eq!(eve.sign_in("idp", &case.site.idp).await.location(), SITE);
        assert_eq!((case.site.store.rows().users.len(), case.site.store.rows().accounts.len()), (1, 2));
        let owner = case.site.store.rows().users.remove(0);
        case.prove(ADDRESS).await;
        assert_eq!(case.site.store.rows().accounts, []);
        // Signing in with it makes somebody else.
        let mut eve = browse(&case.auth);
        assert_eq!(eve.sign_in("idp", &case.site.idp).await.location(), SITE);
        let again = case.site.store.user_by_account("idp", "eve").await.unwrap().unwrap();
        assert_ne!(again.id, owner.id, "{strategy:?}");
    }
}

/// Classic merge, with a password: the form's user claims an address that they do not own.
#[tokio::test]
async fn session_of_a_form_from_before_the_first_proof_is_refused() {
    for strategy in BOTH {
        let case = Case::new(strategy);
        let mut eve = signed_in(&case.auth).await;
        assert_eq!(eve.session().await["user"]["email"], ADDRESS);
        // A provider that vouches for the address does not let its owner into what somebody else has made.
        case.site.idp.set_user(json!({ "sub": "ali", "email": ADDRESS, "email_verified": true }));
        let merged = browse(&case.auth).sign_in("idp", &case.site.idp).await;
        match strategy {
            Strategy::Database => assert!(merged.is_error("OAuthAccountNotLinked")),
            // Without a row the form's user is nobody whom the store knows.
            _ => assert_eq!(merged.location(), SITE),
        }
        case.prove(ADDRESS).await;
        let owner = case.site.store.user_by_email(ADDRESS).await.unwrap().unwrap();
        match strategy {
            Strategy::Database => assert_eq!(eve.get("session").await.text(), "null"),
            _ => assert_ne!(owner.id, "1"),
        }
        let credentials = |rows: &hallpass::Rows| rows.accounts.iter().any(|it| it.provider == "credentials");
        assert!(!credentials(&case.site.store.rows()), "{strategy:?}");
    }
}

/// Change of address: neither an old link nor a session from before outlives the proof of the new one.
#[tokio::test]
async fn links_and_sessions_from_before_a_change_of_address_are_worthless_to_its_owner() {
    for strategy in BOTH {
        let case = Case::new(strategy);
        let mut eve = case.prove("eve@example.com").await;
        let id = case.site.store.user_by_email("eve@example.com").await.unwrap().unwrap().id;
        let old_link = case.link_to("eve@example.com").await;
        case.auth.users().update(&id, UserChange::new().email(ADDRESS.to_owned())).await.unwrap();
        assert_eq!(eve.session().await["user"]["email"], ADDRESS);
        case.prove(ADDRESS).await;
        assert_eq!(eve.get("session").await.text(), "null", "{strategy:?}");
        // The old link is still good for its address, which is somebody else now.
        assert_eq!(eve.follow_magic_link(&old_link).await.location(), SITE);
        assert_eq!(eve.session().await["user"]["email"], "eve@example.com");
        assert_ne!(case.site.store.user_by_email("eve@example.com").await.unwrap().unwrap().id, id);
    }
}
