//! The address to listen on, as people write it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// `127.0.0.1:3000`, `[::1]:3000`, `localhost:3000`, or a port alone, which means this machine only.
///
/// # Errors
/// What an address looks like.
pub(crate) fn parse(text: &str) -> Result<SocketAddr, &'static str> {
    let text = text.trim();
    let port = text.strip_prefix("localhost:").unwrap_or(text);
    if let Ok(port) = port.parse() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    text.parse().map_err(|_| "must be an address and a port, such as \"127.0.0.1:3000\" or \"0.0.0.0:8080\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_bare_ports_are_understood() {
        for (text, address) in [
            ("127.0.0.1:3000", "127.0.0.1:3000"),
            ("[::1]:80", "[::1]:80"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("localhost:8080", "127.0.0.1:8080"),
            ("8080", "127.0.0.1:8080"),
        ] {
            assert_eq!(parse(text).map(|address| address.to_string()).as_deref(), Ok(address));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", ":3000", "example.com:80", "127.0.0.1", "127.0.0.1:70000", "http://127.0.0.1:3000"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
