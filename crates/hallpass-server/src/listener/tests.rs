use super::*;

#[tokio::test]
async fn a_port_that_is_taken_is_passed_over_unless_somebody_chose_it() {
    let taken = bind(SocketAddr::from(([127, 0, 0, 1], 0)), true).await.unwrap();
    let address = taken.local_addr().unwrap();
    let next = bind(address, false).await.unwrap().local_addr().unwrap();
    assert!(next.port() > address.port() && next.port() <= address.port() + PORTS_TO_TRY);
    assert_eq!(bind(address, true).await.unwrap_err().kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn the_address_to_open_is_one_that_a_browser_can_open() {
    for (listening, open) in [
        ("127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("[::]:80", "http://[::1]:80"),
        ("[::1]:80", "http://[::1]:80"),
    ] {
        assert_eq!(address_to_open(listening.parse().unwrap()), open);
    }
}
