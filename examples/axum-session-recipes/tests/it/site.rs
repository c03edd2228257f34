//! The site that the tests look at.

use std::sync::{Arc, Mutex};

use hallpass::testkit::{Browser, Idp, ManualClock};
use hallpass::{Auth, Builder, Credentials, Email, Environment, Field, MemoryStore, Store, Strategy, User};
use serde_json::json;

use crate::shells::{Claims, Shell};

/// A site with a form, magic links, and providers of OpenID Connect and OAuth 2.
pub struct Site {
    pub clock: ManualClock,
    pub idp: Idp,
    pub store: MemoryStore,
    pub strategy: Strategy,
    pub shell: Shell,
    mails: Arc<Mutex<Vec<String>>>,
}

/// Each strategy, through each shell.
pub fn everywhere() -> impl Iterator<Item = Site> {
    let strategies = [Strategy::Jwt, Strategy::Database];
    strategies.into_iter().flat_map(|strategy| Shell::ALL.map(|shell| Site::new(strategy, shell)))
}

/// A way to sign in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    Credentials,
    Email,
    OAuth,
    OpenId,
}

impl Way {
    pub const ALL: [Self; 4] = [Self::Credentials, Self::Email, Self::OAuth, Self::OpenId];
}

impl Site {
    pub const URL: &str = "https://app.example.com";

    pub const SECRET: &str = "a text of at least 32 characters, at random";

    pub fn new(strategy: Strategy, shell: Shell) -> Self {
        let clock = ManualClock::new();
        let idp = Idp::new("https://idp.example", &clock);
        Self { idp, clock, store: MemoryStore::new(), strategy, shell, mails: Arc::default() }
    }

    pub fn builder(&self) -> Builder {
        self.builder_with(())
    }

    pub fn builder_with<S: Clone + Send + Sync + 'static>(&self, state: S) -> Builder<S> {
        self.with_secrets(state, &[Self::SECRET])
    }

    pub fn with_secrets<S>(&self, state: S, secrets: &[&str]) -> Builder<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let form = Credentials::new().field(Field::text("username")).field(Field::password("password"));
        let (users, mails) = (self.store.clone(), Arc::clone(&self.mails));
        Auth::builder_with(state)
            .environment(Environment::empty())
            .secrets(secrets.iter().copied())
            .url(Self::URL)
            .clock(self.clock.clone())
            .http_client(self.idp.clone())
            .provider(self.idp.oidc_provider("idp"))
            .provider(self.idp.oauth2_provider("plain"))
            .credentials(form, move |_, _| {
                let users = users.clone();
                async move { Ok(Some(milo(&users).await?)) }
            })
            .email(Email::new(), move |mail, _| {
                mails.lock().unwrap().push(mail.url);
                async { Ok(()) }
            })
            .store(self.store.clone())
            .session_strategy(self.strategy)
    }

    /// A page of the site, before anybody has signed in.
    pub fn page<C: Claims>(&self, auth: &Auth<C>) -> Browser {
        self.shell.page(auth)
    }

    /// Somebody who has come by OpenID Connect.
    pub async fn signed_in<C: Claims>(&self, auth: &Auth<C>) -> Browser {
        self.by(auth, Way::OpenId).await
    }

    /// Somebody who has come this way; each way another person.
    pub async fn by<C: Claims>(&self, auth: &Auth<C>, way: Way) -> Browser {
        let mut browser = self.page(auth);
        self.sign_in(&mut browser, way).await;
        browser
    }

    pub async fn sign_in(&self, browser: &mut Browser, way: Way) {
        let mut with = async |provider, email: &str| {
            let user = json!({ "sub": provider, "name": "Ada", "email": email, "email_verified": true });
            self.idp.set_user(user);
            browser.sign_in(provider, &self.idp).await
        };
        let answer = match way {
            Way::OpenId => with("idp", "ada@example.com").await,
            Way::OAuth => with("plain", "grace@example.com").await,
            Way::Credentials => {
                browser.sign_in_with_credentials(&[("username", "milo"), ("password", "x")]).await
            }
            Way::Email => {
                browser.submit("signin/email", &[("email", "lin@example.com")]).await;
                let link = self.mails.lock().unwrap().pop().unwrap();
                browser.follow_magic_link(&link).await
            }
        };
        assert_eq!(answer.location(), Self::URL);
    }

    /// A new tab of a browser: with its cookies, at what has been built anew.
    pub fn restarted<C: Claims>(&self, auth: &Auth<C>, browser: &Browser) -> Browser {
        let mut page = self.page(auth);
        for cookie in browser.cookies() {
            page.plant(&format!("{}={}; Path=/; Secure", cookie.name, cookie.value));
        }
        page
    }

    pub fn has_cookie(browser: &Browser) -> bool {
        browser.cookies().iter().any(|cookie| cookie.name.contains("session-token"))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("… with the strategy {:?}, through {:?}", self.strategy, self.shell);
        }
    }
}

/// Whom the form signs in: somebody whose row has more than a browser should see.
pub async fn milo(users: &MemoryStore) -> Result<User, hallpass::StoreError> {
    let known = users.user("42").await?;
    let milo = || {
        let milo = User::new("42").with_name("Milo").with_email("milo@example.com").with_image("/milo.png");
        milo.with("role", "admin").with("password", "a hash of a password")
    };
    match known {
        Some(user) => Ok(user),
        None => users.create_user(milo(), None).await,
    }
}
