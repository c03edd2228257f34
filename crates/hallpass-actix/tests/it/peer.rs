//! Callbacks know where a request comes from.

use std::net::{IpAddr, SocketAddr};

use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::get;
use actix_web::{App, HttpMessage};
use hallpass::{Auth, Jwt, Peer};
use hallpass_actix::{AuthExt, Session};

use crate::application::{Answer, Claims, builder_with, cookies_of};

/// The role is the address that the callback sees.
fn auth() -> Auth<Claims> {
    let auth = builder_with(|event| {
        let request = match event {
            Jwt::SignIn(it) => it.request,
            Jwt::Update(it) => it.request,
            Jwt::Read(it) => it.request,
        };
        Ok(Some(Claims { role: request.peer().map(|peer| peer.to_string()).unwrap_or_default() }).into())
    });
    auth.session(async |it, _| Ok(it.claims)).build().unwrap()
}

#[actix_web::test]
async fn callback_sees_the_address_of_the_connection_unless_a_middleware_knows_better() {
    let auth = auth();
    let cookies = cookies_of(&auth, "ada").await;
    let connection: SocketAddr = "[::ffff:192.0.2.7]:4711".parse().unwrap();
    let visitor: IpAddr = "2001:db8::1".parse().unwrap();
    let role = async |session: Session<Claims>| session.claims.role.clone();
    for (known, seen) in [(None, "192.0.2.7"), (Some(visitor), "2001:db8::1")] {
        // What is registered last runs first.
        let app = App::new().route("/", get().to(role)).configure(auth.routes()).wrap(auth.layer());
        let app = app.wrap_fn(move |request, next| {
            if let Some(visitor) = known {
                request.extensions_mut().insert(Peer(visitor));
            }
            next.call(request)
        });
        let app = init_service(app).await;
        for (path, begins) in
            [("/", seen.to_owned()), ("/api/auth/session", format!("{{\"role\":\"{seen}\""))]
        {
            let request = TestRequest::get().uri(path).peer_addr(connection);
            let request = request.insert_header(("cookie", cookies.as_str())).to_request();
            let answer: ServiceResponse<_> = call_service(&app, request).await;
            let body = Answer::of(answer).await.body;
            assert!(body.starts_with(&begins), "{path}: {body}");
        }
    }
}
