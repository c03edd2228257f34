//! The whole engine, as strangers meet it, and what must hold whatever they send.
//!
//! Providers answer every question with an error, time stands still, and nothing waits, so a run is one poll.

use std::cell::RefCell;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::FutureExt;
use hallpass::clock::Clock;
use hallpass::http::{HttpClient, HttpError};
use hallpass::providers::Provider;
use hallpass::random::{NoRandomness, Random};
use hallpass::{
    Auth, ConfigError, Credentials, Dialect, Email, Field, Jwt, MemoryStore, Timestamp, User, ViewUser,
};
use http::header::{COOKIE, HOST, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::form_urlencoded;

/// How the engine learns its own address.
#[derive(Clone, Copy, Debug)]
pub enum Site {
    /// `https://app.example.com`, by configuration.
    Configured,
    /// Whatever the request says.
    Believed,
}

/// An engine, and the cookies and token of a browser that has signed in and has started to sign in again.
pub struct Engine {
    auth: Auth<Claims>,
    site: Site,
    /// What stands for what in an input: `{session}` for the value of the session cookie.
    known: Vec<(&'static str, String)>,
}

impl Engine {
    /// Calls `run` with an engine that has seen at most some thousand requests.
    pub fn with(site: Site, run: impl FnOnce(&Self)) {
        thread_local!(static ENGINES: RefCell<Vec<(usize, Engine)>> = const { RefCell::new(Vec::new()) });
        ENGINES.with_borrow_mut(|engines| {
            let index = site as usize;
            if engines.is_empty() {
                engines.extend([Site::Configured, Site::Believed].map(|site| (0, Self::new(site))));
            }
            let (runs, engine) = &mut engines[index];
            *runs += 1;
            if runs.is_multiple_of(4096) {
                *engine = Self::new(site);
            }
            run(engine);
        });
    }

    fn new(site: Site) -> Self {
        let mut engine = Self { auth: auth(site).unwrap(), site, known: Vec::new() };
        let csrf = engine.answer(engine.get("/csrf"));
        let body: Value = serde_json::from_slice(csrf.body()).unwrap();
        engine.known.push(("{token}", body["csrfToken"].as_str().unwrap().to_owned()));
        engine.remember("{csrf}", "csrf-token", &csrf);
        let signed_in = engine.post("/callback/credentials", "csrfToken={token}&password=open");
        let signed_in = engine.answer(signed_in);
        engine.remember("{session}", "session-token", &signed_in);
        let started = engine.answer(engine.post("/signin/plain", "csrfToken={token}"));
        engine.remember("{state}", "state", &started);
        engine.remember("{verifier}", "pkce.code_verifier", &started);
        let location = started.headers()[LOCATION].to_str().unwrap();
        let url = url::Url::parse(location).unwrap();
        let (_, state) = url.query_pairs().find(|(name, _)| name == "state").unwrap();
        engine.known.push(("{answer}", state.into_owned()));
        engine
    }

    fn remember(&mut self, placeholder: &'static str, cookie: &str, response: &Response<Bytes>) {
        let value = response.headers().get_all(SET_COOKIE).iter().find_map(|set| {
            let (name, value) = set.to_str().ok()?.split_once('=')?;
            let (value, _) = value.split_once(';')?;
            name.ends_with(cookie).then(|| value.to_owned())
        });
        self.known.push((placeholder, value.unwrap()));
    }

    /// The input with every placeholder filled in.
    pub fn fill(&self, input: &[u8]) -> Vec<u8> {
        let mut filled = input.to_vec();
        for (placeholder, value) in &self.known {
            let mut from = 0;
            while let Some(at) = find(&filled[from..], placeholder.as_bytes()) {
                let start = from + at;
                filled.splice(start..start + placeholder.len(), value.bytes());
                from = start + value.len();
            }
        }
        filled
    }

    /// All cookies that the browser has, as it sends them.
    pub fn cookies(&self) -> String {
        let prefix = |host| match self.site {
            Site::Configured if host => "__Host-",
            Site::Configured => "__Secure-",
            Site::Believed => "",
        };
        let names = [
            (prefix(true), "csrf-token", "{csrf}"),
            (prefix(false), "session-token", "{session}"),
            (prefix(false), "state", "{state}"),
            (prefix(false), "pkce.code_verifier", "{verifier}"),
        ];
        let known =
            names.iter().filter(|(_, _, placeholder)| self.known.iter().any(|(it, _)| it == placeholder));
        let cookies: Vec<_> =
            known.map(|(prefix, name, placeholder)| format!("{prefix}authjs.{name}={placeholder}")).collect();
        String::from_utf8(self.fill(cookies.join("; ").as_bytes())).unwrap()
    }

    fn get(&self, path: &str) -> Request<Bytes> {
        let request = Request::get(format!("/api/auth{path}")).header(HOST, "localhost:3000");
        request.body(Bytes::new()).unwrap()
    }

    fn post(&self, path: &str, form: &str) -> Request<Bytes> {
        let request = Request::post(format!("/api/auth{path}")).header(HOST, "localhost:3000");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.header(COOKIE, self.cookies()).body(self.fill(form.as_bytes()).into()).unwrap()
    }

    fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.auth.handle(request).now_or_never().expect("nothing waits")
    }

    /// Sends a request and judges the answer: no failure of ours, no way to a foreign site, no cookie but ours, no
    /// markup of the stranger's.
    pub fn judge(&self, request: Request<Bytes>) {
        let own = self.origin(request.headers());
        // As in Auth.js: whoever asks for the page of a server that is configured wrongly gets it, however they spell
        // it.
        let shows_failure = request.method() == Method::GET
            && request.uri().path().ends_with("/error")
            && query(request.uri(), "error").is_some_and(|code| code.eq_ignore_ascii_case("Configuration"));
        let asked = format!("{} {}", request.method(), request.uri());
        let response = self.answer(request);
        let (status, headers, body) = (response.status(), response.headers(), response.body());
        assert!(
            status.as_u16() < 500 || (shows_failure && status == StatusCode::INTERNAL_SERVER_ERROR),
            "{asked}: {status}"
        );
        if let Some(location) = headers.get(LOCATION) {
            let location = location.to_str().expect("an address is text");
            assert!(is_on(location, &own) || is_on(location, PROVIDER), "{asked}: leads to {location}");
        }
        if let Some(url) =
            serde_json::from_slice::<Value>(body).ok().as_ref().and_then(|body| body["url"].as_str())
        {
            assert!(is_on(url, &own) || is_on(url, PROVIDER), "{asked}: leads to {url}");
        }
        for cookie in headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("a cookie is text");
            let name = cookie.trim_start_matches("__Host-").trim_start_matches("__Secure-");
            // A session under the other dialect's name is read, and gives way to one under ours.
            let gives_way = name.starts_with("next-auth.session-token") && name.ends_with("; Max-Age=0");
            assert!(name.starts_with("authjs.") || gives_way, "{asked}: sets {cookie}");
            assert!(cookie.contains("; HttpOnly; SameSite="), "{asked}: sets {cookie}");
        }
        assert!(find(body, b"<script").is_none(), "{asked}: a script");
    }

    fn origin(&self, headers: &HeaderMap) -> String {
        if let Site::Configured = self.site {
            return OWN.to_owned();
        }
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let host = if headers.contains_key("x-forwarded-host") { "x-forwarded-host" } else { "host" };
        let scheme = text("x-forwarded-proto").and_then(|list| list.split(',').next()).map(str::trim);
        let scheme = if scheme == Some("https") { "https" } else { "http" };
        format!("{scheme}://{}", text(host).unwrap_or_default())
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    role: String,
    note: Option<String>,
}

#[derive(Deserialize)]
struct Update {
    note: String,
}

#[derive(Serialize)]
struct View {
    user: ViewUser,
    note: Option<String>,
}

fn auth(site: Site) -> Result<Auth<Claims>, ConfigError> {
    let form = Credentials::new().field(Field::text("username")).field(Field::password("password"));
    let builder = Auth::builder()
        .environment(hallpass::Environment::empty())
        .secret("a secret that strangers do not know")
        .dialects([Dialect::V5, Dialect::V4])
        .clock(Still)
        .random(Counting::default())
        .http_client(Unreachable)
        .store(MemoryStore::new())
        .provider(Provider::oidc("op", "OP", PROVIDER).client("client", "secret"))
        .provider(
            Provider::oauth2(
                "plain",
                "Plain",
                format!("{PROVIDER}/authorize"),
                format!("{PROVIDER}/token"),
                format!("{PROVIDER}/userinfo"),
            )
            .checks(&[hallpass::providers::Check::Pkce, hallpass::providers::Check::State])
            .client("client", "secret"),
        )
        .email(Email::new(), async |_, _| Ok(()))
        .credentials(form, async |input, _| {
            let user = User::new("1").with_name(input.text("username").unwrap_or("nobody"));
            Ok((input.text("password") == Some("open")).then_some(user))
        })
        .jwt(async |event: Jwt<Claims, Update>, _| {
            Ok(match event {
                Jwt::SignIn(_) => Some(Claims { role: "reader".to_owned(), note: None }),
                Jwt::Update(it) => Some(Claims { note: Some(it.update.note), ..it.claims }),
                Jwt::Read(it) => Some(it.claims),
            })
        })
        .session(async |it, _| Ok(View { user: it.user.public(), note: it.claims.note }));
    match site {
        Site::Configured => builder.url(OWN),
        Site::Believed => builder.trust_host(true),
    }
    .build()
}

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_893_456_000)
    }
}

/// No two alike, and every run the same.
#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        bytes.iter_mut().zip(number.into_iter().cycle()).for_each(|(byte, number)| *byte = number);
        Ok(())
    }
}

#[derive(Debug)]
struct Unreachable;

impl HttpClient for Unreachable {
    fn send(
        &self,
        _: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>> {
        Box::pin(ready(Err(HttpError::TimedOut)))
    }
}

/// Of repeated parameters the last counts.
fn query(uri: &http::Uri, name: &str) -> Option<String> {
    let pairs = form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.filter(|(key, _)| key == name).last().map(|(_, value)| value.into_owned())
}

/// Whether a browser would find itself on this origin.
fn is_on(address: &str, origin: &str) -> bool {
    let origin_of = |text| url::Url::parse(text).ok().map(|url| url.origin());
    match (origin_of(address), origin_of(origin)) {
        (Some(address), Some(origin)) => address == origin,
        // A host that no browser takes leads nowhere, as long as it is the one that was named.
        _ => address
            .strip_prefix(origin)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#'])),
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

const OWN: &str = "https://app.example.com";
const PROVIDER: &str = "https://op.example.com";
