//! Callbacks know where a request comes from.

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use hallpass::{Auth, Jwt, Peer};
use hallpass_axum::{AuthExt, Session};
use http::Request;

use crate::application::{Claims, ask, builder_with, cookies_of};

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

#[tokio::test]
async fn callback_sees_the_address_of_the_connection_unless_a_layer_knows_better() {
    let auth = auth();
    let role = async |session: Session<Claims>| session.claims.role.clone();
    let guarded = Router::new().route("/guarded", get(role)).layer(auth.require_session());
    let app = Router::new().route("/open", get(role)).merge(guarded).merge(auth.routes());
    let app = app.with_state(auth.clone());
    let cookies = cookies_of(&auth, "ada").await;
    let connection: SocketAddr = "[::ffff:192.0.2.7]:4711".parse().unwrap();
    let visitor: IpAddr = "2001:db8::1".parse().unwrap();
    for (path, wrap) in [("/open", ""), ("/guarded", ""), ("/api/auth/session", "\"")] {
        let request = || Request::get(path).header("cookie", &cookies);
        let seen = |address: &str| match wrap {
            "" => address.to_owned(),
            _ => format!("{{\"role\":\"{address}\""),
        };
        let unknown = ask(&app, request()).await.into_body();
        assert!(unknown.starts_with(&seen("")), "{path}: {unknown}");
        let direct = ask(&app, request().extension(ConnectInfo(connection))).await.into_body();
        assert!(direct.starts_with(&seen("192.0.2.7")), "{path}: {direct}");
        let known = request().extension(ConnectInfo(connection)).extension(Peer(visitor));
        let known = ask(&app, known).await.into_body();
        assert!(known.starts_with(&seen("2001:db8::1")), "{path}: {known}");
    }
}
