//! The same application three times: a request in, a response out.

use std::thread;

use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, web};
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Method, Request, Response, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use hallpass::{Auth, SessionUser};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tower::ServiceExt;

use crate::site::Site;

/// What an application keeps with a session.
pub trait Claims: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<C: Serialize + DeserializeOwned + Send + Sync + 'static> Claims for C {}

/// What stands between a browser and Hallpass. The page at `/` shows what a handler knows of the session.
#[derive(Clone, Copy, Debug)]
pub enum Shell {
    Core,
    Axum,
    Actix,
}

impl Shell {
    pub const ALL: [Self; 3] = [Self::Core, Self::Axum, Self::Actix];

    /// A page of the site, before anybody has signed in.
    pub fn page<C: Claims>(self, auth: &Auth<C>) -> hallpass::testkit::Browser {
        let browser =
            hallpass::testkit::Browser::new(auth, Site::URL).with_header("sec-fetch-site", "same-origin");
        let auth = auth.clone();
        match self {
            Self::Core => browser.through(move |request| core(auth.clone(), request)),
            Self::Axum => {
                use hallpass_axum::AuthExt;
                let app: Router<Auth<C>> = Router::new().route("/", get(axum_home::<C>)).merge(auth.routes());
                through_router(browser, app.layer(auth.layer()).with_state(auth))
            }
            Self::Actix => {
                let (requests, inbox) = mpsc::unbounded_channel();
                thread::spawn(move || actix_web::rt::System::new().block_on(actix(auth, inbox)));
                browser.through(move |request| {
                    let (sender, answer) = oneshot::channel();
                    requests.send((request, sender)).unwrap();
                    async { answer.await.unwrap() }
                })
            }
        }
    }
}

/// What a handler knows of whoever asks.
fn shown<C: Serialize>(user: &SessionUser, claims: &C) -> Value {
    json!({ "id": user.id, "name": user.name, "claims": claims })
}

async fn core<C: Claims>(auth: Auth<C>, request: Request<Bytes>) -> Response<Bytes> {
    if request.uri().path() != "/" {
        return auth.handle(request).await;
    }
    let Some(session) = auth.session(&request.into_parts().0).await.unwrap() else {
        return status(StatusCode::UNAUTHORIZED);
    };
    Response::new(shown(&session.user, &session.claims).to_string().into())
}

async fn axum_home<C: Claims>(session: hallpass_axum::Session<C>) -> Json<Value> {
    Json(shown(&session.user, &session.claims))
}

pub fn through_router(browser: hallpass::testkit::Browser, app: Router) -> hallpass::testkit::Browser {
    browser.through(move |request| {
        let app = app.clone();
        async move {
            let (parts, body) = app.oneshot(request.map(Body::from)).await.unwrap().into_parts();
            Response::from_parts(parts, to_bytes(body, 1 << 20).await.unwrap())
        }
    })
}

async fn actix_home<C: Claims>(session: hallpass_actix::Session<C>) -> web::Json<Value> {
    web::Json(shown(&session.user, &session.claims))
}

type Asked = (Request<Bytes>, oneshot::Sender<Response<Bytes>>);

/// actix-web's services stay on their thread: requests come to it, and answers go.
async fn actix<C: Claims>(auth: Auth<C>, mut inbox: mpsc::UnboundedReceiver<Asked>) {
    use hallpass_actix::AuthExt;
    let app = App::new().route("/", web::get().to(actix_home::<C>)).configure(auth.routes());
    let app = init_service(app.wrap(auth.layer())).await;
    while let Some((asked, sender)) = inbox.recv().await {
        let mut request = TestRequest::with_uri(&asked.uri().to_string());
        if asked.method() == Method::POST {
            request = request.method(actix_web::http::Method::POST);
        }
        for (name, value) in asked.headers() {
            request = request.append_header((name.as_str(), value.as_bytes()));
        }
        let (_, answer) =
            call_service(&app, request.set_payload(asked.into_body()).to_request()).await.into_parts();
        let mut response = status(StatusCode::from_u16(answer.status().as_u16()).unwrap());
        for (name, value) in answer.headers() {
            let name: axum::http::HeaderName = name.as_str().parse().unwrap();
            response.headers_mut().append(name, value.as_bytes().try_into().unwrap());
        }
        *response.body_mut() = actix_web::body::to_bytes(answer.into_body()).await.ok().unwrap();
        // Whoever asked may have gone.
        let _ = sender.send(response);
    }
}

fn status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
