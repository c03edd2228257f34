//! The site that the tests look at.

use hallpass::testkit::{Browser, Idp, Idps, ManualClock};
use hallpass::{Auth, Builder, Credentials, Environment, Field, MemoryStore, User};
use serde_json::json;

pub(crate) const SITE: &str = "https://app.example.com";

pub(crate) const SECRET: &str = "the secret of the site, 32 and more";

/// A site with two OpenID providers, a plain OAuth 2 one and a form.
pub(crate) struct Site {
    pub(crate) clock: ManualClock,
    pub(crate) store: MemoryStore,
    pub(crate) idp: Idp,
    pub(crate) other: Idp,
}

impl Site {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new();
        let idp = Idp::new("https://idp.example", &clock);
        let other = Idp::new("https://other.example", &clock);
        idp.set_user(
            json!({ "sub": "ada", "name": "Ada", "email": "ada@example.com", "email_verified": true }),
        );
        other.set_user(json!({ "sub": "bob", "name": "Bob", "email": "bob@example.com" }));
        Self { clock, store: MemoryStore::new(), idp, other }
    }

    /// Without a store.
    pub(crate) fn builder(&self) -> Builder {
        bare()
            .url(SITE)
            .clock(self.clock.clone())
            .http_client(Idps::new([self.idp.clone(), self.other.clone()]))
            .provider(self.idp.oidc_provider("idp"))
            .provider(self.other.oidc_provider("other"))
            .provider(self.idp.oauth2_provider("plain"))
            .credentials(password_form(), async |input, ()| {
                let right = input.text("password") == Some("open sesame");
                Ok(right.then(|| User::new("1").with_name("Ali").with_email("ali@example.com")))
            })
    }

    pub(crate) fn with_store(&self) -> Builder {
        self.builder().store(self.store.clone())
    }
}

/// Nothing but a secret, and no environment.
pub(crate) fn bare() -> Builder {
    Auth::builder().environment(Environment::empty()).secret(SECRET)
}

pub(crate) fn password_form() -> Credentials {
    Credentials::new().field(Field::text("username")).field(Field::password("password"))
}

pub(crate) fn browse<C>(auth: &Auth<C>) -> Browser {
    Browser::new(auth, SITE)
}

/// What [`Site::builder`]'s form takes.
pub(crate) const PASSWORD: &[(&str, &str)] = &[("username", "ali"), ("password", "open sesame")];
