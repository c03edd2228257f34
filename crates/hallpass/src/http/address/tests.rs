use super::Reach::{Loopback, PrivateNetwork, Public};
use super::*;

fn allowed(reach: Reach, ip: &str) -> bool {
    reach.allows(ip.parse().unwrap())
}

#[test]
fn public_addresses_are_allowed_to_everyone() {
    for ip in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:200::1",
        "2001:db7::1",
        "2001:db9::1",
        "2a00:1450:4001::200e",
        "3ffe::1",
    ] {
        for reach in [Public, Loopback, PrivateNetwork] {
            assert!(allowed(reach, ip), "{ip} {reach:?}");
        }
    }
}

#[test]
fn loopback_needs_a_reach_that_names_it() {
    for ip in ["127.0.0.1", "127.255.255.255", "::1"] {
        assert!(!allowed(Public, ip), "{ip}");
        assert!(allowed(Loopback, ip) && allowed(PrivateNetwork, ip), "{ip}");
    }
}

#[test]
fn private_networks_need_a_reach_that_names_them() {
    for ip in [
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.168.0.0",
        "192.168.255.255",
        "fc00::1",
        "fdff:ffff::1",
    ] {
        assert!(!allowed(Public, ip) && !allowed(Loopback, ip), "{ip}");
        assert!(allowed(PrivateNetwork, ip), "{ip}");
    }
}

#[test]
fn other_special_addresses_are_never_allowed() {
    for ip in [
        "0.0.0.0",
        "0.255.255.255",
        "169.254.0.0",
        "169.254.169.254",
        "169.254.255.255",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "100.100.100.200",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:1.1.1.1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::1.1.1.1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:1ff::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:101:101::",
        "3fff::1",
        "3fff:fff::1",
        "4000::1",
        "5f00::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "fd00:ec2::254",
        "fd20:ce::254",
    ] {
        for reach in [Public, Loopback, PrivateNetwork] {
            assert!(!allowed(reach, ip), "{ip} {reach:?}");
        }
    }
}

#[test]
fn names_and_addresses_of_this_machine() {
    let loopback = |url: &str| Reach::is_loopback(&url::Url::parse(url).unwrap().host().unwrap());
    for url in [
        "http://localhost",
        "http://LOCALHOST:3000",
        "http://localhost.",
        "http://a.localhost",
        "http://a.b.localhost./x",
        "http://127.0.0.1",
        "http://127.9.9.9",
        "http://2130706433",
        "http://[::1]:8",
    ] {
        assert!(loopback(url), "{url}");
    }
    for url in [
        "http://localhost.example.com",
        "http://notlocalhost",
        "http://localhost..",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "http://[::]",
        "http://[::2]",
    ] {
        assert!(!loopback(url), "{url}");
    }
}
