use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

const SHORT: Duration = Duration::from_millis(150);

/// Answers each connection once, and gives what it was asked.
fn serve(answer: impl Fn(&mut TcpStream) + Send + 'static) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, requests) = channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = sender.send(read_request(&mut stream));
            answer(&mut stream);
        }
    });
    (port, requests)
}

fn read_request(stream: &mut impl Read) -> String {
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with("\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        text.push(char::from(byte[0]));
    }
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or_default()];
    let _ = stream.read_exact(&mut body);
    text + &String::from_utf8(body).unwrap()
}

/// A server that always says the same.
fn say(answer: impl Into<Vec<u8>>) -> (u16, Receiver<String>) {
    let answer = answer.into();
    serve(move |stream| {
        let _ = stream.write_all(&answer);
    })
}

fn with_body(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

/// Waits until the other side hangs up.
fn hold(stream: &mut TcpStream) {
    let _ = stream.read(&mut [0]);
}

fn nobody_came(listener: &TcpListener) -> bool {
    listener.set_nonblocking(true).unwrap();
    listener.accept().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

fn get(url: &str, reach: Reach) -> Request<Bytes> {
    Request::get(url).extension(reach).body(Bytes::new()).unwrap()
}

async fn ask(client: &Client, port: u16) -> Result<Response<Bytes>, HttpError> {
    client.send(get(&format!("http://127.0.0.1:{port}/"), Reach::Loopback)).await
}

fn limits() -> Limits {
    Limits { connect: Duration::from_secs(60), total: Duration::from_secs(60), ..Limits::DEFAULT }
}

fn client() -> Client {
    Client::with_limits(limits())
}

#[tokio::test]
async fn request_and_answer_arrive_whole() {
    let (port, requests) = say("HTTP/1.1 418 Odd\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 5\r\n\r\nhello");
    let request = Request::post(format!("http://localhost:{port}/token?a=b%20c"))
        .extension(Reach::Loopback)
        .header("authorization", "Basic eA==")
        .header("accept", "application/json")
        .body(Bytes::from_static(b"code=1"))
        .unwrap();
    let response = client().send(request).await.unwrap();
    assert_eq!(response.status(), 418);
    assert_eq!(response.headers().get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(response.body(), "hello");

    let request = requests.recv().unwrap();
    let mut lines: Vec<_> = request.lines().collect();
    assert_eq!(lines.remove(0), "POST /token?a=b%20c HTTP/1.1");
    lines.sort_unstable();
    let host = format!("host: localhost:{port}");
    let expected = [
        "",
        "accept-encoding: gzip",
        "accept: application/json",
        "authorization: Basic eA==",
        "code=1",
        "content-length: 6",
        &host,
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let canary = TcpListener::bind("127.0.0.1:0").unwrap();
        let location = format!("http://{}/", canary.local_addr().unwrap());
        let (port, _) =
            say(format!("HTTP/1.1 {status} Go\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"));
        let response = ask(&client(), port).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["location"], location);
        assert!(nobody_came(&canary));
    }
}

#[tokio::test]
async fn a_cookie_is_not_kept() {
    let (port, requests) = say(with_body("set-cookie: a=b; Path=/\r\n", b""));
    let client = client();
    for _ in 0..2 {
        ask(&client, port).await.unwrap();
        assert!(!requests.recv().unwrap().to_lowercase().contains("cookie"));
    }
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
    let client = Client::with_limits(Limits { body: 1000, ..limits() });
    let (port, _) = say(with_body("", &[b'a'; 1000]));
    assert_eq!(ask(&client, port).await.unwrap().body().len(), 1000);
    let (port, _) = say(with_body("", &[b'a'; 1001]));
    assert!(matches!(ask(&client, port).await, Err(HttpError::TooLarge { limit: 1000 })));
}

#[tokio::test]
async fn an_endless_body_is_cut_by_size() {
    let (port, _) = serve(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'a'; 8192]).is_ok() {}
    });
    assert!(matches!(ask(&client(), port).await, Err(HttpError::TooLarge { limit: 1_048_576 })));
}

#[tokio::test]
async fn an_endless_body_is_cut_by_time() {
    let (port, _) = serve(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(b"a").is_ok() {}
    });
    let client = Client::with_limits(Limits { total: SHORT, body: usize::MAX, ..limits() });
    assert!(matches!(ask(&client, port).await, Err(HttpError::TimedOut)));
}

#[tokio::test]
async fn a_compressed_body_is_unpacked() {
    let (port, _) = say(with_body("content-encoding: gzip\r\n", &gzip(&[0x01, 5, 0, 0xfa, 0xff], b"hello")));
    assert_eq!(ask(&client(), port).await.unwrap().body(), "hello");
}

#[tokio::test]
async fn a_compressed_body_counts_with_its_unpacked_size() {
    let bomb = gzip(&zeros(64 * 1024 * 1024), b"");
    assert!(bomb.len() < limits().body);
    let (port, _) = say(with_body("content-encoding: gzip\r\n", &bomb));
    assert!(matches!(ask(&client(), port).await, Err(HttpError::TooLarge { limit: 1_048_576 })));
}

#[tokio::test]
async fn headers_larger_than_the_limit_are_refused() {
    let (port, _) = say(with_body(&format!("x-a: {}\r\n", "a".repeat(64 * 1024)), b""));
    assert!(matches!(ask(&client(), port).await, Err(HttpError::TooLarge { limit: 65_536 })));
    for many in ["x-a: b\r\n".repeat(101), format!("x-a: {}\r\n", "a".repeat(1024 * 1024))] {
        let (port, _) = say(with_body(&many, b""));
        assert!(matches!(ask(&client(), port).await, Err(HttpError::Connection(_))));
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let (port, _) = serve(hold);
    let client = Client::with_limits(Limits { total: SHORT, ..limits() });
    assert!(matches!(ask(&client, port).await, Err(HttpError::TimedOut)));
}

#[tokio::test]
async fn a_body_that_stops_is_given_up() {
    let (port, _) = serve(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal");
        hold(stream);
    });
    let client = Client::with_limits(Limits { total: SHORT, ..limits() });
    assert!(matches!(ask(&client, port).await, Err(HttpError::TimedOut)));
}

#[tokio::test]
async fn a_handshake_that_stops_is_given_up() {
    let (port, _) = serve(hold);
    let client = Client::with_limits(Limits { connect: SHORT, ..limits() });
    let answer = client.send(get(&format!("https://127.0.0.1:{port}/"), Reach::Loopback));
    // Long before the limit of the whole answer.
    let answer = tokio::time::timeout(limits().total / 4, answer).await.unwrap();
    assert!(matches!(answer, Err(HttpError::TimedOut)), "{answer:?}");
}

#[tokio::test]
async fn half_an_answer_is_not_taken_for_a_whole_one() {
    for half in
        ["HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal", "HTTP/1.1 200 OK\r\nx-", "", "nonsense\r\n\r\n"]
    {
        let (port, _) = say(half);
        assert!(matches!(ask(&client(), port).await, Err(HttpError::Connection(_))), "{half}");
    }
}

#[tokio::test]
async fn an_error_does_not_repeat_the_query() {
    let (port, _) = say("");
    let url = format!("http://127.0.0.1:{port}/?access_token=hush-hush");
    let error = client().send(get(&url, Reach::Loopback)).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
}

#[test]
fn an_address_in_the_url_is_checked() {
    let why = |url: &str, reach| match check_url(url, reach) {
        Ok(_) => None,
        Err(HttpError::Forbidden { why, .. }) => Some(why),
        Err(other) => panic!("{other}"),
    };
    for url in ["https://example.com/a?b", "https://1.1.1.1", "https://[2606:4700::1111]"] {
        for reach in [Reach::Public, Reach::Loopback, Reach::PrivateNetwork] {
            assert_eq!(why(url, reach), None, "{url}");
        }
    }
    for url in [
        "https://127.0.0.1",
        "https://127.1",
        "https://2130706433",
        "https://0x7f.0.0.1",
        "https://0177.0.0.1",
        "https://127.0.0.1.",
        "https://[::1]",
        "https://10.0.0.1",
        "https://[fc00::1]",
        "https://[::ffff:127.0.0.1]",
        "https://169.254.169.254",
    ] {
        assert_eq!(why(url, Reach::Public), Some("the address is out of reach"), "{url}");
    }
    assert_eq!(why("https://169.254.169.254", Reach::PrivateNetwork), Some("the address is out of reach"));
    assert_eq!(why("https://10.0.0.1", Reach::Loopback), Some("the address is out of reach"));
    assert_eq!(why("https://10.0.0.1", Reach::PrivateNetwork), None);
    assert_eq!(
        why("https://me:pw@example.com", Reach::Public),
        Some("a user name or password in the address")
    );
    assert_eq!(why("https://me@example.com", Reach::Public), Some("a user name or password in the address"));
    for odd in ["/path", "data:,x", ""] {
        assert!(why(odd, Reach::PrivateNetwork).is_some(), "{odd}");
    }
}

#[test]
fn http_reaches_this_machine_only() {
    let is_refused = |url: &str, reach| matches!(check_url(url, reach), Err(HttpError::Forbidden { .. }));
    for url in
        ["http://localhost:1", "http://a.localhost", "http://LOCALHOST.", "http://127.9.9.9", "http://[::1]"]
    {
        assert!(!is_refused(url, Reach::Loopback), "{url}");
        assert!(is_refused(url, Reach::Public) && is_refused(url, Reach::PrivateNetwork), "{url}");
    }
    for url in [
        "http://example.com",
        "http://1.1.1.1",
        "http://10.0.0.1",
        "http://localhost.example.com",
        "ftp://localhost",
    ] {
        for reach in [Reach::Public, Reach::Loopback, Reach::PrivateNetwork] {
            assert!(is_refused(url, reach), "{url} {reach:?}");
        }
    }
}

#[tokio::test]
async fn without_a_reach_only_public_addresses_are_asked() {
    let canary = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = canary.local_addr().unwrap().port();
    for url in [
        format!("https://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}"),
        format!("https://localhost:{port}"),
    ] {
        let answer = client().send(Request::get(&url).body(Bytes::new()).unwrap()).await;
        assert!(matches!(answer, Err(HttpError::Forbidden { .. })), "{url} {answer:?}");
    }
    assert!(nobody_came(&canary));
}

/// A resolver that knows one name.
fn lookup(found: &'static [IpAddr]) -> Lookup {
    Arc::new(move |name| {
        assert_eq!(name, "idp.example");
        Box::pin(async move { Ok(found.to_vec()) })
    })
}

#[tokio::test]
async fn a_name_that_stands_for_an_address_out_of_reach_is_refused() {
    let canary = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://IDP.example:{}/", canary.local_addr().unwrap().port());
    let client = Client::with_lookup(limits(), lookup(&[IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)]));
    let answer = client.send(get(&url, Reach::Public)).await;
    assert!(matches!(&answer, Err(HttpError::Forbidden { host, .. }) if host == "idp.example"), "{answer:?}");
    assert!(nobody_came(&canary));
}

#[tokio::test]
async fn of_several_addresses_only_those_within_reach_are_used() {
    const FOUND: &[IpAddr] = &[
        IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)),
        IpAddr::V4(std::net::Ipv4Addr::new(1, 1, 1, 1)),
        IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
    ];
    let resolve = async |reach| {
        let resolver = Resolver { reach, lookup: lookup(FOUND) };
        let found = reqwest::dns::Resolve::resolve(&resolver, "idp.example".parse().unwrap()).await.unwrap();
        found.map(|address| address.ip().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(resolve(Reach::Public).await, ["1.1.1.1"]);
    assert_eq!(resolve(Reach::Loopback).await, ["1.1.1.1", "127.0.0.1"]);
    assert_eq!(resolve(Reach::PrivateNetwork).await, ["10.0.0.1", "1.1.1.1", "127.0.0.1"]);
}

#[tokio::test]
async fn a_name_without_address_is_no_connection() {
    let client = Client::with_lookup(limits(), lookup(&[]));
    let answer = client.send(get("https://idp.example/", Reach::Public)).await;
    assert!(matches!(answer, Err(HttpError::Connection(_))), "{answer:?}");
}

#[test]
fn each_reach_has_connections_of_its_own() {
    let client = client();
    let [public, loopback, private_network] = [Reach::Public, Reach::Loopback, Reach::PrivateNetwork]
        .map(|reach| std::ptr::from_ref(client.inner.client(reach).unwrap()));
    assert!(public != loopback && public != private_network && loopback != private_network);
}

#[test]
fn nothing_is_set_up_before_the_first_request() {
    assert!(Client::new().inner.public.get().is_none());
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let port = serve_tls();
    let error = client().send(get(&format!("https://localhost:{port}/"), Reach::Loopback)).await.unwrap_err();
    assert!(format!("{error:?}").contains("InvalidCertificate"), "{error:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_certificate_that_the_system_trusts_is_accepted() {
    let url = format!("https://localhost:{}/", serve_tls());
    run_with_environment(&url, "SSL_CERT_FILE", testdata("localhost.cert.pem").to_str().unwrap());
}

#[test]
#[cfg(target_os = "linux")]
fn a_system_without_certificates_is_no_failure() {
    let (port, _) = say(with_body("", b"hello"));
    run_with_environment(&format!("http://localhost:{port}/"), "SSL_CERT_FILE", "/nowhere.pem");
}

#[test]
fn mozillas_certificates_can_be_read() {
    assert_eq!(mozilla().len(), webpki_root_certs::TLS_SERVER_ROOT_CERTS.len());
}

#[test]
fn a_proxy_of_the_environment_is_not_used() {
    let canary = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, _) = say(with_body("", b"hello"));
    let url = format!("http://127.0.0.1:{port}/");
    run_with_environment(&url, "HTTP_PROXY", &format!("http://{}", canary.local_addr().unwrap()));
    assert!(nobody_came(&canary));
}

/// Runs the test below as a process of its own, whose environment may differ from ours.
fn run_with_environment(url: &str, name: &str, value: &str) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "http::client::tests::a_url_of_the_environment_says_hello"])
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env_remove("REQUEST_METHOD")
        .env_remove("SSL_CERT_DIR")
        .env(name, value)
        .env(name.to_lowercase(), value)
        .env("HALLPASS_TEST_URL", url)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "run by others with an environment of its own"]
async fn a_url_of_the_environment_says_hello() {
    #[expect(clippy::disallowed_methods, reason = "the environment is what is tested")]
    let url = std::env::var("HALLPASS_TEST_URL").unwrap();
    assert_eq!(client().send(get(&url, Reach::Loopback)).await.unwrap().body(), "hello");
}

/// A TLS server for `localhost` with a certificate that it signed itself.
fn serve_tls() -> u16 {
    let certificate = CertificateDer::from_pem_file(testdata("localhost.cert.pem")).unwrap();
    let key = PrivateKeyDer::try_from(std::fs::read(testdata("localhost.key.der")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            read_request(&mut stream);
            let _ = stream.write_all(&with_body("", b"hello"));
            let _ = stream.flush();
        }
    });
    port
}

fn testdata(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/http").join(file)
}

/// A gzip member (RFC 1952) around a deflate stream. The check sum is that of `hello`.
fn gzip(deflated: &[u8], stored: &[u8]) -> Vec<u8> {
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let tail = [0x86, 0xa6, 0x10, 0x36, 5, 0, 0, 0];
    [&head[..], deflated, stored, &tail].concat()
}

/// At least so many zeros in fixed Huffman codes (RFC 1951 §3.2.6): one literal, then "the last byte, 258
/// times" again and again, 13 bits each.
fn zeros(count: usize) -> Vec<u8> {
    let mut bits = vec![true, true, false];
    let mut put = |code: u32, length: u32| bits.extend((0..length).rev().map(|bit| code >> bit & 1 == 1));
    put(0b0011_0000, 8);
    for _ in 0..=count / 258 {
        put(0b1100_0101, 8);
        put(0, 5);
    }
    put(0, 7);
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
    bits.chunks(8).map(byte).collect()
}

#[tokio::test]
async fn an_error_of_reqwest_that_a_callback_returns_says_whether_a_server_was_out_of_reach() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, _) = serve(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n");
    });
    let slow = format!("http://{}", silent.local_addr().unwrap());
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls().unwrap()).timeout(SHORT).build();
    let client = client.unwrap();
    let kind = async |address: &str| {
        let answer = client.get(address).send().await.and_then(reqwest::Response::error_for_status);
        crate::Error::from_callback(answer.unwrap_err().into(), crate::ErrorKind::JwtSession, "").kind()
    };
    assert_eq!(kind(&slow).await, crate::ErrorKind::Unavailable);
    assert_eq!(kind("http://127.0.0.1:1").await, crate::ErrorKind::Unavailable);
    // This one has answered.
    assert_eq!(kind(&format!("http://127.0.0.1:{port}")).await, crate::ErrorKind::JwtSession);
}
