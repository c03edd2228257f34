//! Development mode answers this machine only.

use std::net::IpAddr;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{GetAll, HOST};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::config::is_loopback_host;
use crate::edge;

/// Refuses a request that names another host: a page elsewhere could have its own name point to this machine and
/// read what stands here (DNS rebinding). And one that a proxy brings from elsewhere: anybody may be anybody here.
pub(crate) async fn only_this_machine(request: Request, next: Next) -> Response {
    if is_from_here(request.headers()) {
        return next.run(request).await;
    }
    (StatusCode::MISDIRECTED_REQUEST, "development mode answers this machine only\n").into_response()
}

fn is_from_here(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    is_local_authority(host)
        && parts(&headers.get_all("x-forwarded-host")).all(is_local_authority)
        && ["x-forwarded-for", "x-real-ip"]
            .iter()
            .all(|name| parts(&headers.get_all(*name)).all(is_local_address))
        && edge::forwarded_for(headers).all(|address| address.is_some_and(|ip| ip.is_loopback()))
}

/// What stands between the commas; what is no text is nobody's.
fn parts<'a>(values: &GetAll<'a, HeaderValue>) -> impl Iterator<Item = &'a str> {
    values.iter().flat_map(|value| value.to_str().unwrap_or("?").split(',')).map(str::trim)
}

fn is_local_authority(text: &str) -> bool {
    text.parse::<Authority>().is_ok_and(|authority| is_loopback_host(authority.host()))
}

fn is_local_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_here(headers: &[(&'static str, &str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        is_from_here(&headers.collect())
    }

    #[test]
    fn this_machine_is_known_by_all_of_its_names() {
        for host in ["localhost", "127.0.0.1:3000", "[::1]:3000", "app.localhost:80"] {
            assert!(from_here(&[("host", host)]), "{host}");
        }
        for host in ["", "rebound.example", "127.0.0.1.example:80", "10.0.0.1", "0.0.0.0"] {
            assert!(!from_here(&[("host", host)]), "{host}");
        }
        assert!(!from_here(&[]));
    }

    #[test]
    fn a_proxy_may_bring_what_comes_from_this_machine_and_nothing_else() {
        let local = ("host", "127.0.0.1:3000");
        for (name, value) in [
            ("x-forwarded-host", "localhost:8080"),
            ("x-forwarded-for", "::1, ::ffff:127.0.0.1"),
            ("x-real-ip", "127.0.0.1"),
            ("forwarded", "for=\"[::1]:80\""),
        ] {
            assert!(from_here(&[local, (name, value)]), "{name} {value}");
        }
        for (name, value) in [
            ("x-forwarded-host", "app.example.com"),
            ("x-forwarded-host", "localhost, app.example.com"),
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-for", "127.0.0.1, 203.0.113.7"),
            ("x-forwarded-for", "unknown"),
            ("x-real-ip", "203.0.113.7"),
            ("forwarded", "for=203.0.113.7"),
            ("forwarded", "for=127.0.0.1, for=_hidden"),
        ] {
            assert!(!from_here(&[local, (name, value)]), "{name} {value}");
        }
    }
}
