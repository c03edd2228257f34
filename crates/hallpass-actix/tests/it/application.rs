//! The application that the tests ask.

use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::ServiceResponse;
use actix_web::test::{self, TestRequest};
use actix_web::web::ServiceConfig;
use actix_web::{App, web};
use hallpass::testkit::{Browser, ManualClock};
use hallpass::{Auth, Builder, Credentials, Environment, Jwt, JwtDecision, User};
use hallpass_actix::AuthExt;
use serde::{Deserialize, Serialize};

pub(crate) const SITE: &str = "https://app.example.com";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) role: String,
}

pub(crate) type Decide = fn(Jwt<Claims>) -> Result<JwtDecision<Claims>, hallpass::Error>;

/// The role is what was typed as user name.
pub(crate) fn builder() -> Builder<Decide, Claims> {
    builder_with(|event| {
        Ok(match event {
            Jwt::SignIn(it) => Some(Claims { role: it.user.id }),
            Jwt::Update(it) => Some(it.claims),
            Jwt::Read(it) => Some(it.claims),
        }
        .into())
    })
}

pub(crate) fn builder_with(decide: Decide) -> Builder<Decide, Claims> {
    Auth::builder_with(decide)
        .environment(Environment::empty())
        .secret("the secret of the site, 32 and more")
        .url(SITE)
        .clock(ManualClock::new())
        .credentials(Credentials::new(), async |input, _| Ok(input.text("username").map(User::new)))
        .jwt(async |event: Jwt<Claims>, decide: Decide| Ok(decide(event)?))
}

/// The cookies of somebody who has signed in.
pub(crate) async fn cookies_of(auth: &Auth<Claims>, name: &str) -> String {
    let mut browser = Browser::new(auth, SITE);
    browser.sign_in_with_credentials(&[("username", name)]).await;
    let cookies = browser.cookies().iter().map(|cookie| format!("{}={}", cookie.name, cookie.value));
    cookies.collect::<Vec<_>>().join("; ")
}

/// What an application answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(response: ServiceResponse<impl MessageBody>) -> Self {
        let (_, response) = response.into_parts();
        let status = response.status().as_u16();
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let headers = headers.collect();
        let body = to_bytes(response.into_body()).await.ok().unwrap();
        Self { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// Asks an application of whatever `configure` mounts, behind the layer of `auth`.
pub(crate) async fn ask(
    auth: &Auth<Claims>,
    configure: impl FnOnce(&mut ServiceConfig),
    request: TestRequest,
) -> Answer {
    let app = App::new().configure(configure).configure(auth.routes()).wrap(auth.layer());
    Answer::of(test::call_service(&test::init_service(app).await, request.to_request()).await).await
}

/// Asks an application that has Hallpass' addresses and `/`.
pub(crate) async fn ask_routes(routes: impl FnOnce(&mut ServiceConfig), request: TestRequest) -> Answer {
    let app = App::new().route("/", web::get().to(async || "home")).configure(routes);
    Answer::of(test::call_service(&test::init_service(app).await, request.to_request()).await).await
}
