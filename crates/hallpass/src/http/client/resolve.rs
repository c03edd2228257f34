//! From a name to the addresses that may be connected to.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::http::Reach;

/// Asks for the addresses of a name.
pub(super) type Lookup = Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync>;

type Answer = io::Result<Vec<IpAddr>>;

/// Resolves each name once, and hands the connector only addresses within reach: what is checked is what is
/// connected to, so a name cannot change its mind in between (DNS rebinding).
pub(super) struct Resolver {
    pub(super) reach: Reach,
    pub(super) lookup: Lookup,
}

/// Every address of the name is out of reach.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{OUT_OF_REACH}")]
pub(super) struct Forbidden;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_ascii_lowercase();
        let (reach, lookup) = (self.reach, self.lookup.clone());
        Box::pin(async move {
            // RFC 6761 §6.3: names of this machine are not asked of anyone else.
            let found = if Reach::is_localhost(&name) { LOOPBACK.to_vec() } else { lookup(name).await? };
            let allowed: Vec<IpAddr> = found.iter().copied().filter(|&ip| reach.allows(ip)).collect();
            if allowed.is_empty() && !found.is_empty() {
                return Err(Forbidden.into());
            }
            // Port 0: the connector puts the port of the address in.
            let addresses = allowed.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

/// The system's own resolver.
pub(super) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

pub(super) const OUT_OF_REACH: &str = "the address is out of reach";

const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
