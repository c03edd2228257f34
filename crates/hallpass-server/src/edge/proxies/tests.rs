use super::*;
use http::{HeaderName, HeaderValue};

fn proxies(headers: ProxyHeaders) -> Proxies {
    let entries = ["10.0.0.0/8", "::1", "2001:db8:1::/48"].map(str::to_owned);
    Proxies::new(&entries, headers).unwrap()
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let lines = lines.iter().map(|(name, value)| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    });
    lines.collect()
}

/// Who sent this through a proxy at 10.0.0.1.
fn client(lines: &[(&'static str, &str)]) -> String {
    proxies(ProxyHeaders::XForwarded).origin("10.0.0.1".parse().unwrap(), &headers(lines)).client.to_string()
}

#[test]
fn the_client_is_whom_the_outermost_listed_proxy_names() {
    for (chain, expected) in [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7, 10.0.0.2", "192.0.2.7"),
        // What the client itself has said stands further left.
        ("198.51.100.1, 192.0.2.7, 10.0.0.2, 10.0.0.3", "192.0.2.7"),
        ("10.0.0.9, 192.0.2.7", "192.0.2.7"),
        ("\u{e9}, 192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("2001:db8::7, 2001:db8:1::1", "2001:db8::7"),
        ("::ffff:192.0.2.7, ::ffff:10.0.0.2", "192.0.2.7"),
        // Somebody inside the network of the proxies.
        ("10.0.0.8, 10.0.0.2", "10.0.0.8"),
    ] {
        assert_eq!(client(&[("x-forwarded-for", chain)]), expected, "{chain}");
    }
}

#[test]
fn lines_of_the_header_are_one_list() {
    let lines = [("x-forwarded-for", "192.0.2.7"), ("x-forwarded-for", "10.0.0.3, 10.0.0.2")];
    assert_eq!(client(&lines), "192.0.2.7");
}

#[test]
fn where_the_chain_cannot_be_read_the_last_good_address_counts() {
    for (chain, expected) in [
        ("192.0.2.7, unknown", "10.0.0.1"),
        ("192.0.2.7, garbage, 10.0.0.2", "10.0.0.2"),
        ("192.0.2.7,", "10.0.0.1"),
        ("192.0.2.7, 999.0.0.1", "10.0.0.1"),
        ("", "10.0.0.1"),
        ("192.0.2.7, \u{e9}", "10.0.0.1"),
    ] {
        assert_eq!(client(&[("x-forwarded-for", chain)]), expected, "{chain}");
    }
    assert_eq!(client(&[]), "10.0.0.1");
    assert_eq!(client(&[("x-forwarded-for", &"10.0.0.2,".repeat(5000))]), "10.0.0.1");
}

#[test]
fn host_and_scheme_are_those_that_the_outermost_listed_proxy_saw() {
    let proxies = proxies(ProxyHeaders::XForwarded);
    let origin = |chain: &str, host: &str, proto: &str| {
        let lines = [("x-forwarded-for", chain), ("x-forwarded-host", host), ("x-forwarded-proto", proto)];
        let origin = proxies.origin("10.0.0.1".parse().unwrap(), &headers(&lines));
        (origin.host.unwrap_or_default(), origin.proto.unwrap_or_default())
    };
    let of = |host: &str, proto: &str| (host.to_owned(), proto.to_owned());
    assert_eq!(origin("192.0.2.7", "a.example", "https"), of("a.example", "https"));
    // The proxy appends to what the client has said.
    assert_eq!(origin("192.0.2.7", "evil.example, a.example", "https, http"), of("a.example", "http"));
    assert_eq!(
        origin("192.0.2.7, 10.0.0.2", "a.example, b.example", "https, http"),
        of("a.example", "https")
    );
    // Only one of two proxies says it.
    assert_eq!(origin("192.0.2.7, 10.0.0.2", "a.example", "https"), of("a.example", "https"));
    assert_eq!(origin("192.0.2.7", "", ""), of("", ""));
}

#[test]
fn of_both_kinds_of_headers_the_one_that_the_proxies_write_counts() {
    let lines = headers(&[
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-host", "a.example"),
        (
            "forwarded",
            "for=198.51.100.1;host=evil.example, For=\"[2001:db8::7]:80\";Proto=https;host=b.example",
        ),
    ]);
    let peer: IpAddr = "10.0.0.1".parse().unwrap();
    let origin = |headers| proxies(headers).origin(peer, &lines);
    let (client, host) = ("192.0.2.7".parse().unwrap(), Some("a.example".to_owned()));
    assert_eq!(origin(ProxyHeaders::XForwarded), Origin { client, host, proto: None });
    let (client, host) = ("2001:db8::7".parse().unwrap(), Some("b.example".to_owned()));
    assert_eq!(origin(ProxyHeaders::Forwarded), Origin { client, host, proto: Some("https".to_owned()) });
}

#[test]
fn a_network_has_its_addresses_in_every_spelling() {
    let mapped = ["::ffff:192.0.2.0/120".to_owned(), "::ffff:198.51.100.1".to_owned()];
    let mapped = Proxies::new(&mapped, ProxyHeaders::XForwarded).unwrap();
    let listed = proxies(ProxyHeaders::XForwarded);
    for (proxies, address, is_listed) in [
        (&listed, "10.255.0.1", true),
        (&listed, "::ffff:10.0.0.1", true),
        (&listed, "0:0:0:0:0:0:0:1", true),
        (&listed, "2001:db8:1:ffff::1", true),
        (&listed, "11.0.0.1", false),
        (&listed, "2001:db8:2::1", false),
        (&listed, "::2", false),
        (&mapped, "192.0.2.255", true),
        (&mapped, "192.0.3.0", false),
        (&mapped, "198.51.100.1", true),
        (&mapped, "198.51.100.2", false),
    ] {
        assert_eq!(proxies.has(address.parse().unwrap()), is_listed, "{address}");
    }
}

#[test]
fn an_entry_that_is_no_network_or_everybody_is_refused() {
    for (entry, part) in [
        ("proxy.internal", "is no address"),
        ("10.0.0.0/33", "is no address"),
        ("", "is no address"),
        ("0.0.0.0/0", "everybody"),
        ("::/0", "everybody"),
        ("::ffff:0:0/96", "everybody"),
        ("10.1.2.3/8", "10.0.0.0/8"),
    ] {
        let told = Proxies::new(&[entry.to_owned()], ProxyHeaders::XForwarded).unwrap_err();
        assert!(told.contains(part), "{told}");
    }
}
