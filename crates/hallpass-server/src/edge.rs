//! The edge: what stands between strangers, or the proxies in front, and everything else.

use std::net::IpAddr;
use std::sync::Arc;

use axum::{Router, middleware};
use hallpass::Auth;
use hallpass_axum::AuthExt;
use http::HeaderMap;

use crate::config::Config;
use crate::session::Claims;

mod arrival;
mod cookies;
mod cors;
mod forward_auth;
mod forwarded;
mod limits;
mod proxies;
mod rate;

use arrival::ThroughProxy;
pub(crate) use arrival::{Arrivals, arrive};
pub(crate) use cookies::CookieScope;
pub(crate) use forward_auth::{Claim, ForwardAuth, Requirement};
use limits::Limiter;
pub(crate) use limits::Limits;
pub(crate) use proxies::{Proxies, ProxyHeaders};
pub(crate) use rate::Rate;

/// Who sent a request, as `Forwarded` has it, the first to say so first; `None` for whom nobody can read.
pub(crate) fn forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> + use<> {
    forwarded::forwarded(headers).into_iter().map(|hop| hop.address)
}

/// Hallpass' own addresses, with what stands in front of them.
pub(crate) fn routes(config: &Config, auth: &Auth<Claims>) -> Router {
    let mut routes = auth.routes();
    if let Some(limits) = &config.edge.limits {
        let limiter = Limiter::new(Arc::clone(auth.core()), limits, config.edge.proxies.is_some());
        routes = routes.layer(middleware::from_fn_with_state(limiter, limits::limit));
    }
    // Answers that refuse must be readable for the front end, too.
    if !config.edge.cors.is_empty() {
        routes = routes.layer(cors::layer(&config.edge.cors));
    }
    if let Some(settings) = &config.edge.forward_auth {
        routes = routes.merge(forward_auth::routes(settings, config, auth));
    }
    if config.host_comes_from_proxies() {
        routes = routes.layer(middleware::from_fn(arrival::known_host_only));
    }
    routes
}
