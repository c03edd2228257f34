use super::*;

/// Everything that speaks for others, and something that does not.
fn headers() -> HeaderMap {
    let lines = [
        ("x-forwarded-for", "198.51.100.1, 192.0.2.7"),
        ("x-forwarded-host", "made-up.example, app.example.com, inner.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-uri", "/cart"),
        ("x-forwarded-prefix", "/p"),
        ("x-original-url", "https://app.example.com/cart"),
        ("x-envoy-original-path", "/cart"),
        ("x-real-ip", "198.51.100.1"),
        ("forwarded", "for=203.0.113.9;host=other.example;proto=http"),
        ("accept", "text/html"),
    ];
    let lines = lines.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    lines.into_iter().collect()
}

fn proxies(headers: ProxyHeaders) -> Proxies {
    Proxies::new(&["10.0.0.1".to_owned()], headers).unwrap()
}

fn listed(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let mut all: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    all.sort_unstable();
    all
}

#[test]
fn nothing_that_speaks_for_others_is_left_of_a_stranger() {
    let mut headers = headers();
    forget(&mut headers);
    assert_eq!(listed(&headers), [("accept", "text/html")]);
}

#[test]
fn of_a_proxy_each_header_has_the_one_value_that_counts() {
    let mut headers = headers();
    headers.append(FORWARDED_FOR, HeaderValue::from_static("10.0.0.1"));
    let client = believe(&proxies(ProxyHeaders::XForwarded), "10.0.0.1".parse().unwrap(), &mut headers);
    assert_eq!(client.to_string(), "192.0.2.7");
    let expected = [
        ("accept", "text/html"),
        ("x-envoy-original-path", "/cart"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-host", "app.example.com"),
        ("x-forwarded-prefix", "/p"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-uri", "/cart"),
        ("x-original-url", "https://app.example.com/cart"),
        ("x-real-ip", "192.0.2.7"),
    ];
    assert_eq!(listed(&headers), expected);
}

#[test]
fn what_a_proxy_says_in_the_other_kind_of_header_is_the_visitor_s() {
    let mut headers = headers();
    let client = believe(&proxies(ProxyHeaders::Forwarded), "10.0.0.1".parse().unwrap(), &mut headers);
    assert_eq!(client.to_string(), "203.0.113.9");
    let expected = [
        ("accept", "text/html"),
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-host", "other.example"),
        ("x-forwarded-proto", "http"),
    ];
    assert_eq!(listed(&headers), expected);
}
