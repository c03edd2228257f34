//! The site that the tests look at.

use std::sync::{Arc, Mutex, Once};

use bytes::Bytes;
use hallpass::testkit::{Answer, Browser, Idp, Idps, ManualClock};
use hallpass::{Auth, Builder, Credentials, Environment, Field, MemoryStore, User};
use http::Request;
use serde_json::json;
use tracing::subscriber::{DefaultGuard, Interest};
use tracing::{Metadata, Subscriber, span};

pub(crate) const SITE: &str = "https://app.example.com";

pub(crate) const SECRET: &str = "the secret of the site, 32 and more";

/// Name of the session cookie over https.
pub(crate) const SESSION: &str = "__Secure-authjs.session-token";

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
        other.set_user(json!({ "sub": "milo", "name": "Milo", "email": "milo@example.com" }));
        Self { clock, store: MemoryStore::new(), idp, other }
    }

    /// Without a store.
    pub(crate) fn builder(&self) -> Builder {
        self.builder_with(())
    }

    /// Without a store; callbacks get `state`.
    pub(crate) fn builder_with<S: Clone + Send + Sync + 'static>(&self, state: S) -> Builder<S> {
        Auth::builder_with(state)
            .environment(Environment::empty())
            .secret(SECRET)
            .url(SITE)
            .clock(self.clock.clone())
            .http_client(Idps::new([self.idp.clone(), self.other.clone()]))
            .provider(self.idp.oidc_provider("idp"))
            .provider(self.other.oidc_provider("other"))
            .provider(self.idp.oauth2_provider("plain"))
            .credentials(password_form(), async |input, _| {
                let right = input.text("password") == Some("open sesame");
                Ok(right.then(|| User::new("1").with_name("Ali").with_email("ali@example.com")))
            })
    }

    pub(crate) fn with_store(&self) -> Builder {
        self.builder().store(self.store.clone())
    }

    /// Token requests to both providers.
    pub(crate) fn token_requests(&self) -> usize {
        self.idp.count("/token") + self.other.count("/token")
    }
}

/// Nothing but a secret and a form, and no environment.
pub(crate) fn bare() -> Builder {
    Auth::builder()
        .environment(Environment::empty())
        .secret(SECRET)
        .credentials(password_form(), async |_, ()| Ok(Some(User::new("1"))))
}

pub(crate) fn password_form() -> Credentials {
    Credentials::new().field(Field::text("username")).field(Field::password("password"))
}

pub(crate) fn browse<C>(auth: &Auth<C>) -> Browser {
    Browser::new(auth, SITE)
}

/// Another browser, with a copy of the session cookie.
pub(crate) fn with_token<C>(auth: &Auth<C>, token: &str) -> Browser {
    let mut browser = browse(auth);
    browser.plant(&format!("{SESSION}={token}; Path=/; Secure"));
    browser
}

/// What [`Site::builder`]'s form takes.
pub(crate) const PASSWORD: &[(&str, &str)] = &[("username", "ali"), ("password", "open sesame")];

/// A browser that has signed in with the form.
pub(crate) async fn signed_in<C>(auth: &Auth<C>) -> Browser {
    let mut browser = browse(auth);
    let answer = browser.sign_in_with_credentials(PASSWORD).await;
    assert_eq!(answer.location(), SITE);
    browser
}

/// Sends a request as it is written, to the byte.
pub(crate) async fn raw(browser: &mut Browser, method: &str, target: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri(target);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    browser.send(request.body(Bytes::from(body.to_owned())).unwrap()).await
}

/// What callbacks and events have written down, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    /// The lines so far; the log is empty afterwards.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Gives what this thread logs to `subscriber`.
///
/// Without a subscriber for the whole process, a place that logs first on another thread counts as one that nobody ever
/// listens to.
pub(crate) fn listen(subscriber: impl Subscriber + Send + Sync + 'static) -> DefaultGuard {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Sometimes).unwrap());
    tracing::subscriber::set_default(subscriber)
}

/// Listens to nothing, and may change its mind.
struct Sometimes;

impl Subscriber for Sometimes {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
