//! The edge: what stands between strangers, or the proxies in front, and everything else.

use axum::{Router, middleware};

use crate::config::Config;

mod arrival;
mod forwarded;
mod proxies;

pub(crate) use arrival::{Arrivals, arrive};
pub(crate) use proxies::{Proxies, ProxyHeaders};

/// Addresses of Hallpass, with what stands in front of them.
pub(crate) fn guarded(routes: Router, config: &Config) -> Router {
    let mut routes = routes;
    if config.host_comes_from_proxies() {
        routes = routes.layer(middleware::from_fn(arrival::known_host_only));
    }
    routes
}
