//! Proxies in front of the server, and who sent a request through them.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::{IpNet, Ipv4Net};

use super::forwarded::{self, Hop};

/// The proxies that may say who a visitor is and what they asked for.
#[derive(Clone, Debug)]
pub(crate) struct Proxies {
    networks: Vec<IpNet>,
    headers: ProxyHeaders,
}

/// Which headers the proxies write. Those of the other kind come from strangers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ProxyHeaders {
    /// `X-Forwarded-For`, `-Proto`, `-Host`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Where a request that came through proxies really comes from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Who sent it to the outermost proxy.
    pub(crate) client: IpAddr,
    /// What that proxy says of host and scheme.
    pub(crate) host: Option<String>,
    pub(crate) proto: Option<String>,
}

impl Proxies {
    /// # Errors
    /// What is wrong with which entry.
    pub(crate) fn new(entries: &[String], headers: ProxyHeaders) -> Result<Self, String> {
        let networks = entries.iter().map(|entry| network(entry.trim())).collect::<Result<_, _>>()?;
        Ok(Self { networks, headers })
    }

    pub(crate) fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Which headers they write.
    pub(crate) fn headers(&self) -> ProxyHeaders {
        self.headers
    }

    /// Follows the chain of proxies from the nearest one outwards, for as long as it is made of listed ones. Where it
    /// cannot be read, the last address that could be counts.
    pub(crate) fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> Origin {
        let chain = match self.headers {
            ProxyHeaders::XForwarded => forwarded::x_forwarded_for(headers),
            ProxyHeaders::Forwarded => forwarded::forwarded(headers),
        };
        let mut client = peer;
        let mut proxies = 0;
        for hop in chain.iter().rev().take(LONGEST_CHAIN) {
            proxies += 1;
            let Some(address) = hop.address else { break };
            client = address;
            if !self.has(address) {
                break;
            }
        }
        let outermost = |list: Vec<String>| {
            let index = list.len().saturating_sub(proxies.max(1));
            list.into_iter().nth(index).filter(|text| !text.is_empty())
        };
        match self.headers {
            ProxyHeaders::XForwarded => Origin {
                client,
                host: outermost(forwarded::list(headers, "x-forwarded-host")),
                proto: outermost(forwarded::list(headers, "x-forwarded-proto")),
            },
            ProxyHeaders::Forwarded => {
                let hop = chain.len().checked_sub(proxies.max(1)).and_then(|index| chain.get(index));
                let Hop { host, proto, .. } = hop.cloned().unwrap_or_default();
                Origin { client, host, proto }
            }
        }
    }
}

/// An address, or a network such as `10.0.0.0/8`.
fn network(text: &str) -> Result<IpNet, String> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse().map_err(|_| {
            format!("holds {text:?}, which is no address and no network such as \"10.0.0.0/8\" or \"::1\"")
        })?,
    };
    if canonical(network).prefix_len() == 0 {
        return Err(format!("holds {text:?}: everybody would be a proxy"));
    }
    if network.addr() != network.network() {
        return Err(format!(
            "holds {text:?}, whose address is not the first of its network: {}",
            network.trunc()
        ));
    }
    Ok(canonical(network))
}

/// IPv4 addresses in IPv6 clothes are IPv4 addresses.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let v4 = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    let v4 = v4.and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok());
    v4.map_or(network, IpNet::V4)
}

/// Nobody has more proxies.
const LONGEST_CHAIN: usize = 32;

#[cfg(test)]
mod tests;
