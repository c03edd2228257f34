//! Whom a request is for, told once.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::uri::Authority;
use http::{HeaderValue, Method, StatusCode, Version, header};

/// What is said to a request that names no host, or two, or that asks for a tunnel: a proxy in front may have chosen by
/// the other one (RFC 9112 §3.2).
pub(super) fn refusal<B>(request: &hyper::Request<B>) -> Option<Response<Body>> {
    let problem = problem(request)?;
    let closing = [(header::CONNECTION, HeaderValue::from_static("close"))];
    Some((StatusCode::BAD_REQUEST, closing, problem).into_response())
}

fn problem<B>(request: &hyper::Request<B>) -> Option<&'static str> {
    if request.method() == Method::CONNECT {
        return Some("this is no proxy\n");
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host,
        // Before HTTP/1.1 there was no such header.
        (None, _) => return (request.version() >= Version::HTTP_11).then_some("the request names no host\n"),
        (Some(_), Some(_)) => return Some("the request names two hosts\n"),
    };
    if !is_host(host) {
        return Some("the request names a host that is none\n");
    }
    let target = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    let is_another = target.is_some_and(|target| !target.eq_ignore_ascii_case(host.as_bytes()));
    is_another.then_some("the request names two hosts\n")
}

/// A name and perhaps a port, or nothing (RFC 9112 §3.2).
fn is_host(host: &HeaderValue) -> bool {
    let is_authority = |host| Authority::try_from(host).is_ok_and(|host| !host.as_str().contains('@'));
    host.is_empty() || is_authority(host.as_bytes())
}
