//! Which addresses a request may reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Host;

use super::Reach;

impl Reach {
    /// Whether a request with this reach may connect to `ip`.
    ///
    /// Public is what the registries of special-purpose addresses leave (RFC 6890): not loopback, private,
    /// shared, link-local, documentation, benchmarking, multicast, broadcast or reserved, and no IPv6
    /// address that stands for an IPv4 one (mapped, compatible, NAT64, 6to4, Teredo). The addresses of cloud
    /// metadata services are never reached.
    ///
    /// To be asked for the address that is connected to, after the name was resolved: a name that is
    /// resolved twice may change its mind in between.
    ///
    /// ```
    /// use hallpass::http::Reach;
    ///
    /// assert!(Reach::Public.allows("93.184.215.14".parse()?));
    /// assert!(!Reach::Public.allows("127.0.0.1".parse()?));
    /// assert!(Reach::PrivateNetwork.allows("10.0.0.1".parse()?));
    /// assert!(!Reach::PrivateNetwork.allows("169.254.169.254".parse()?));
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    pub fn allows(self, ip: IpAddr) -> bool {
        if METADATA.contains(&ip) {
            return false;
        }
        match self {
            Self::Public => is_public(ip),
            Self::Loopback => is_public(ip) || ip.is_loopback(),
            Self::PrivateNetwork | Self::Named => is_public(ip) || ip.is_loopback() || is_private(ip),
        }
    }

    /// Whether the host of a URL is this machine, whatever a resolver would say.
    pub(crate) fn is_loopback(host: &Host<&str>) -> bool {
        match host {
            Host::Domain(name) => Self::is_localhost(name),
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => ip.is_loopback(),
        }
    }

    /// Whether the name, in lower case, always means this machine (RFC 6761 §6.3).
    pub(crate) fn is_localhost(name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        name == "localhost" || name.ends_with(".localhost")
    }
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !SPECIAL_V4.iter().any(|&(network, length)| in_v4(ip, network, length)),
        // Only 2000::/3 is global unicast (RFC 4291 §2.4); what is special outside needs no list.
        IpAddr::V6(ip) => {
            in_v6(ip, Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
                && !SPECIAL_V6.iter().any(|&(network, length)| in_v6(ip, network, length))
        }
    }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || in_v4(ip, Ipv4Addr::new(100, 64, 0, 0), 10),
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

fn in_v4(ip: Ipv4Addr, network: Ipv4Addr, length: u32) -> bool {
    (ip.to_bits() ^ network.to_bits()).leading_zeros() >= length
}

fn in_v6(ip: Ipv6Addr, network: Ipv6Addr, length: u32) -> bool {
    (ip.to_bits() ^ network.to_bits()).leading_zeros() >= length
}

/// Metadata services of clouds outside the link-local range: they hand out credentials to whoever asks.
const METADATA: &[IpAddr] = &[
    // Alibaba.
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    // Azure.
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    // AWS.
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254)),
    // Google.
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254)),
];

/// IPv4 addresses that are not public, as network and prefix length.
const SPECIAL_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),       // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // shared, carrier-grade NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarking
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved and broadcast
];

/// Parts of `2000::/3` that are not public.
const SPECIAL_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo, benchmarking
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

#[cfg(test)]
mod tests;
