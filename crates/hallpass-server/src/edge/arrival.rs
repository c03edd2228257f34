//! A request arrives: from whom, and what of its headers is worth believing.

use std::net::IpAddr;
use std::sync::{Arc, Once};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hallpass::Peer;
use http::header::{FORWARDED, HOST};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{Proxies, ProxyHeaders};
use crate::config::is_loopback_host;

/// A proxy of the list has sent the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThroughProxy;

/// What is known of the ways that requests take.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals {
    proxies: Option<Proxies>,
    /// Somebody was told that there is a proxy which nobody has named.
    told: Arc<Once>,
}

impl Arrivals {
    pub(crate) fn new(proxies: Option<Proxies>) -> Self {
        Self { proxies, told: Arc::new(Once::new()) }
    }
}

/// Finds out who sent a request, for everything that asks for its [`Peer`]. Where the proxies are known, headers that
/// speak for others count only from them; everybody else's are taken away.
pub(crate) async fn arrive(State(arrivals): State<Arrivals>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.to_canonical());
    let client = match (&arrivals.proxies, peer) {
        (Some(proxies), Some(peer)) if proxies.has(peer) => {
            request.extensions_mut().insert(ThroughProxy);
            Some(believe(proxies, peer, request.headers_mut()))
        }
        (Some(_), peer) => {
            forget(request.headers_mut());
            peer
        }
        (None, peer) => {
            tell(&arrivals.told, peer, request.headers());
            peer
        }
    };
    if let Some(client) = client {
        request.extensions_mut().insert(Peer(client));
    }
    next.run(request).await
}

/// Without a public address, the host is what a listed proxy says; of anybody else only this machine's is believed.
pub(crate) async fn known_host_only(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_local = host.parse::<Authority>().is_ok_and(|authority| is_loopback_host(authority.host()));
    if is_local || request.extensions().get::<ThroughProxy>().is_some() {
        return next.run(request).await;
    }
    let text = "this host is believed only of the proxies in `trusted_proxies`\n";
    (StatusCode::MISDIRECTED_REQUEST, text).into_response()
}

/// Puts what the proxies say where it is looked for, and nothing that strangers have added.
fn believe(proxies: &Proxies, peer: IpAddr, headers: &mut HeaderMap) -> IpAddr {
    let origin = proxies.origin(peer, headers);
    match proxies.headers() {
        ProxyHeaders::XForwarded => drop(headers.remove(FORWARDED)),
        ProxyHeaders::Forwarded => forget(headers),
    }
    let client = origin.client.to_string();
    if headers.contains_key(REAL_IP) {
        set(headers, REAL_IP, Some(&client));
    }
    set(headers, FORWARDED_FOR, Some(&client));
    set(headers, FORWARDED_HOST, origin.host.as_deref());
    set(headers, FORWARDED_PROTO, origin.proto.as_deref());
    origin.client
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<&str>) {
    match value.and_then(|value| HeaderValue::try_from(value).ok()) {
        Some(value) => drop(headers.insert(name, value)),
        None => drop(headers.remove(name)),
    }
}

/// Takes headers away that speak for others.
fn forget(headers: &mut HeaderMap) {
    let speaks_for_others = |name: &HeaderName| {
        let text = name.as_str();
        *name == FORWARDED || *name == REAL_IP || PREFIXES.iter().any(|prefix| text.starts_with(prefix))
    };
    let names: Vec<_> = headers.keys().filter(|name| speaks_for_others(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Says once that there is a proxy which nobody has named.
fn tell(told: &Once, peer: Option<IpAddr>, headers: &HeaderMap) {
    if let Some(peer) = peer
        && headers.contains_key(FORWARDED_FOR)
    {
        told.call_once(|| {
            tracing::info!(
                "{peer} sends X-Forwarded-For, which does not count: if it is your proxy, name it in `trusted_proxies`; \
                 until then all visitors have its address"
            );
        });
    }
}

const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// How headers begin that say what somebody else was asked.
const PREFIXES: [&str; 3] = ["x-forwarded-", "x-original-", "x-envoy-original-"];

#[cfg(test)]
mod tests;
