use super::*;
use http::HeaderValue;

fn hops(line: &str) -> Vec<Hop> {
    let mut headers = HeaderMap::new();
    headers.insert(http::header::FORWARDED, HeaderValue::from_str(line).unwrap());
    forwarded(&headers)
}

fn hop(address: Option<&str>, host: Option<&str>, proto: Option<&str>) -> Hop {
    Hop {
        address: address.map(|address| address.parse().unwrap()),
        host: host.map(str::to_owned),
        proto: proto.map(str::to_owned),
    }
}

#[test]
fn forwarded_is_read_as_rfc_7239_has_it() {
    assert_eq!(
        hops("for=192.0.2.60;proto=http;by=203.0.113.43"),
        [hop(Some("192.0.2.60"), None, Some("http"))]
    );
    assert_eq!(hops("For=\"[2001:db8:cafe::17]:4711\""), [hop(Some("2001:db8:cafe::17"), None, None)]);
    assert_eq!(
        hops("for=192.0.2.43, for=198.51.100.17;host=\"a.example:8443\""),
        [hop(Some("192.0.2.43"), None, None), hop(Some("198.51.100.17"), Some("a.example:8443"), None)]
    );
    assert_eq!(hops("for=_hidden, for=unknown"), [hop(None, None, None), hop(None, None, None)]);
    assert_eq!(hops("host=\"a\\\"b,c;d\""), [hop(None, Some("a\"b,c;d"), None)]);
}

#[test]
fn a_mark_that_a_stranger_left_open_makes_the_line_unreadable() {
    for line in ["for=\", for=192.0.2.1;host=a", "for=\"\\", "host=a\"b", "for", "for=\"1\"2"] {
        assert_eq!(hops(line), [Hop::default()], "{line}");
    }
}
