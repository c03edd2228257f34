//! A browser without a screen.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use serde_json::Value;
use url::Url;

use super::answer::Answer;
use super::idp::{Idp, Returning};
use super::jar::{Jar, StoredCookie};
use crate::clock::{Clock, SystemClock};
use crate::{Auth, Core};

/// A browser that looks at one site: it keeps cookies, says where its requests come from, and calls
/// [`Core::handle`] where another would open a connection.
///
/// Addresses are whole ones, paths (`/api/auth/session`), or words below the base path (`session`,
/// `signin/github`). Redirects are not followed: an [`Answer`] says where they lead.
#[derive(Clone, Debug)]
pub struct Browser {
    core: Arc<Core>,
    application: Option<Application>,
    clock: Arc<dyn Clock>,
    origin: Url,
    jar: Jar,
    headers: HeaderMap,
    unsaid: Vec<HeaderName>,
}

/// What answers instead of [`Core::handle`].
#[derive(Clone)]
struct Application(Arc<dyn Fn(Request<Bytes>) -> Answering + Send + Sync>);

type Answering = Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>;

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Application")
    }
}

impl Browser {
    /// A browser without cookies, on a site: `https://app.example.com`.
    pub fn new<C>(auth: &Auth<C>, origin: &str) -> Self {
        Self::of(auth.core(), origin)
    }

    /// As [`Browser::new`], for an engine.
    pub fn of(core: &Arc<Core>, origin: &str) -> Self {
        let clock =
            core.config().map_or_else(|| Arc::new(SystemClock) as _, |config| Arc::clone(&config.clock));
        let origin = Url::parse(origin).expect("the origin is an address");
        let (core, jar, headers) = (Arc::clone(core), Jar::default(), HeaderMap::new());
        Self { core, application: None, clock, origin, jar, headers, unsaid: Vec::new() }
    }

    /// Lets a whole application answer, pages of its own too: its router, say, in which the same [`Auth`] is mounted.
    #[must_use]
    pub fn through<F, Fut>(mut self, application: F) -> Self
    where
        F: Fn(Request<Bytes>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Response<Bytes>> + Send + 'static,
    {
        let application = move |request| -> Answering { Box::pin(application(request)) };
        self.application = Some(Application(Arc::new(application)));
        self
    }

    /// Another browser on the same site, without this one's cookies.
    #[must_use]
    pub fn other(&self) -> Self {
        let (jar, headers, unsaid) = (Jar::default(), HeaderMap::new(), Vec::new());
        Self { jar, headers, unsaid, ..self.clone() }
    }

    /// Sends this header with every request, in place of what the browser would say.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("the name of a header");
        self.headers.insert(name, HeaderValue::try_from(value).expect("the value of a header"));
        self
    }

    /// Leaves this header out of every request, as old browsers do with `Sec-Fetch-Site`.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        let name: HeaderName = name.parse().expect("the name of a header");
        self.headers.remove(&name);
        self.unsaid.push(name);
        self
    }

    /// Opens a page.
    pub async fn get(&mut self, address: &str) -> Answer {
        let request = self.request(Method::GET, address);
        self.send(request.body(Bytes::new()).expect("a request")).await
    }

    /// Sends a form from a page of the site.
    pub async fn post_form(&mut self, address: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.request(Method::POST, address).header(CONTENT_TYPE, FORM);
        self.send(request.body(form(fields)).expect("a request")).await
    }

    /// Sends JSON from a script of the site.
    pub async fn post_json(&mut self, address: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, address).header(CONTENT_TYPE, "application/json");
        self.send(request.body(body.to_string().into()).expect("a request")).await
    }

    /// Sends any request. What it does not say itself, the browser adds: host, cookies, where it comes from.
    pub async fn send(&mut self, mut request: Request<Bytes>) -> Answer {
        let url = self.address(&request.uri().to_string());
        let is_post = request.method() == Method::POST;
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        let mut say = |name: HeaderName, value: &str| {
            headers
                .entry(name)
                .or_insert_with(|| HeaderValue::try_from(value).expect("the value of a header"));
        };
        let origin = self.origin.origin().ascii_serialization();
        say(HOST, url.authority());
        if url.scheme() == "https" {
            // As the proxy does that ends TLS.
            say(HeaderName::from_static("x-forwarded-proto"), "https");
        }
        if is_post {
            say(ORIGIN, &origin);
        }
        say(FETCH_SITE, if is_post { "same-origin" } else { "none" });
        let cross_site_post = is_post && headers.get(FETCH_SITE).is_some_and(|from| from == "cross-site");
        for name in &self.unsaid {
            headers.remove(name);
        }
        let now = self.clock.now();
        if let Some(cookies) = self.jar.header(&url, now, cross_site_post) {
            headers.entry(COOKIE).or_insert(HeaderValue::try_from(cookies).expect("cookies"));
        }
        let target = request.uri().path_and_query().map_or("/", |path| path.as_str()).parse();
        *request.uri_mut() = target.expect("a path");
        let answer = Answer(match &self.application {
            Some(Application(answer)) => answer(request).await,
            None => self.core.handle(request).await,
        });
        for line in answer.set_cookies() {
            self.jar.store(line, &url, now);
        }
        answer
    }

    /// The CSRF token of this browser, from `GET /csrf`.
    pub async fn csrf(&mut self) -> String {
        let answer = self.get("csrf").await.json();
        answer["csrfToken"].as_str().expect("a CSRF token").to_owned()
    }

    /// As [`post_form`](Self::post_form), with the CSRF token.
    pub async fn submit(&mut self, address: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.csrf().await;
        self.post_form(address, &[&[("csrfToken", token.as_str())], fields].concat()).await
    }

    /// Sends the form of the provider `credentials`.
    pub async fn sign_in_with_credentials(&mut self, fields: &[(&str, &str)]) -> Answer {
        self.submit("callback/credentials", fields).await
    }

    /// Presses the button of a provider: the answer leads there.
    pub async fn start(&mut self, provider: &str) -> Answer {
        self.submit(&format!("signin/{provider}"), &[]).await
    }

    /// Presses the button, signs in over there, and comes back.
    pub async fn sign_in(&mut self, provider: &str, idp: &Idp) -> Answer {
        let start = self.start(provider).await;
        let returning = idp.authorize(start.location());
        self.come_back(&returning).await
    }

    /// Comes back from a provider.
    pub async fn come_back(&mut self, returning: &Returning) -> Answer {
        match returning {
            Returning::Link(url) => self.get(url).await,
            Returning::Form(url, fields) => {
                let fields: Vec<_> =
                    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                let provider = Url::parse("https://idp.example").expect("an address");
                let request = self.request(Method::POST, url).header(CONTENT_TYPE, FORM);
                let request = request.header(FETCH_SITE, "cross-site").header(ORIGIN, provider.as_str());
                self.send(request.body(form(&fields)).expect("a request")).await
            }
        }
    }

    /// Opens a magic link, and presses the button of the page that asks.
    pub async fn follow_magic_link(&mut self, link: &str) -> Answer {
        let page = self.get(link).await;
        let Some((action, fields)) = page.form() else { return page };
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post_form(&action, &fields).await
    }

    /// `GET /session`: `null` for nobody.
    pub async fn session(&mut self) -> Value {
        self.get("session").await.json()
    }

    /// `POST /session`: asks for a change, as `update(data)` of the client libraries does.
    pub async fn update(&mut self, data: &Value) -> Answer {
        let token = self.csrf().await;
        self.post_json("session", &serde_json::json!({ "csrfToken": token, "data": data })).await
    }

    /// `POST /signout`.
    pub async fn sign_out(&mut self) -> Answer {
        self.submit("signout", &[]).await
    }

    /// The cookies that the browser keeps.
    pub fn cookies(&self) -> &[StoredCookie] {
        self.jar.all()
    }

    /// The value of a cookie, as it is sent.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.jar.all().iter().find(|cookie| cookie.name == name).map(|cookie| cookie.value.as_str())
    }

    /// Plants a cookie, as a line of `Set-Cookie` from the site's root would.
    pub fn plant(&mut self, line: &str) {
        self.jar.store(line, &self.origin, self.clock.now());
    }

    /// Removes a cookie.
    pub fn remove_cookie(&mut self, name: &str) {
        self.jar.retain(|cookie| cookie.name != name);
    }

    /// Removes all cookies.
    pub fn clear_cookies(&mut self) {
        self.jar = Jar::default();
    }

    fn request(&self, method: Method, address: &str) -> http::request::Builder {
        Request::builder().method(method).uri(self.address(address).as_str())
    }

    fn address(&self, address: &str) -> Url {
        let is_word = !address.starts_with('/') && !address.starts_with("http");
        let address =
            if is_word { format!("{}/{address}", self.core.base_path()) } else { address.to_owned() };
        self.origin.join(&address).expect("an address")
    }
}

fn form(fields: &[(&str, &str)]) -> Bytes {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into()
}

const FORM: &str = "application/x-www-form-urlencoded";

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
