//! The servers start, are apart from each other, come back, and leave nothing behind.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use test_servers::{Durability, Kind, Proxy, Server};

#[test]
fn each_database_is_a_new_one() {
    for kind in KINDS {
        let Some(server) = Server::start(kind, Durability::Fast) else { continue };
        let urls = [server.database().url, server.database().url];
        assert_ne!(urls[0], urls[1]);
        assert!(urls.iter().all(|url| url.contains(&server.address().to_string())), "{urls:?}");
    }
}

#[test]
fn server_comes_back_after_a_stop_and_a_kill() {
    for kind in KINDS {
        let Some(server) = Server::start(kind, Durability::Lasting) else { continue };
        for end in [Server::stop, Server::kill] {
            end(&server);
            assert!(TcpStream::connect(server.address()).is_err(), "{kind:?} still listens");
            server.run();
            server.database();
        }
    }
}

#[test]
fn paused_server_is_silent_until_it_goes_on() {
    let Some(server) = Server::start(Kind::Redis, Durability::Fast) else { return };
    let mut stream = TcpStream::connect(server.address()).unwrap();
    assert_eq!(ping(&mut stream, Duration::from_secs(10)).as_deref(), Some("+PONG\r\n"));
    server.pause();
    assert_eq!(ping(&mut stream, Duration::from_millis(200)), None);
    server.resume();
    let mut answer = [0; 7];
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, *b"+PONG\r\n");
}

#[test]
fn proxy_passes_on_delays_cuts_and_restores() {
    let Some(server) = Server::start(Kind::Redis, Durability::Fast) else { return };
    let proxy = Proxy::to(server.address());
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    assert!(ping(&mut stream, LONG).is_some());

    proxy.delay(Duration::from_millis(150));
    let started = Instant::now();
    assert!(ping(&mut stream, LONG).is_some());
    assert!(started.elapsed() >= Duration::from_millis(300), "{:?}", started.elapsed());

    proxy.cut();
    assert_eq!(ping(&mut stream, LONG), None);
    assert_eq!(TcpStream::connect(proxy.address()).ok().and_then(|mut stream| ping(&mut stream, LONG)), None);

    proxy.restore();
    assert!(ping(&mut TcpStream::connect(proxy.address()).unwrap(), LONG).is_some());
    assert_eq!(proxy.url("redis://u@1.2.3.4:5/6"), format!("redis://u@{}/6", proxy.address()));
}

#[test]
fn servers_and_data_go_when_the_test_process_is_killed() {
    if let Some(kind) = std::env::var_os("TEST_SERVERS_CHILD") {
        let kind = KINDS.into_iter().find(|other| kind == *format!("{other:?}")).unwrap();
        let server = Server::start(kind, Durability::Fast).unwrap();
        println!("\naddress {}", server.address());
        loop {
            std::thread::park();
        }
    }
    for kind in KINDS {
        if Server::start(kind, Durability::Fast).is_none() {
            continue;
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "servers_and_data_go_when_the_test_process_is_killed", "--nocapture"])
            .env("TEST_SERVERS_CHILD", format!("{kind:?}"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address =
            lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix("address ")?.to_owned()));
        let address: SocketAddr = address.unwrap().parse().unwrap();
        assert!(TcpStream::connect(address).is_ok());
        child.kill().unwrap();
        child.wait().unwrap();
        let folder = std::env::temp_dir().join(format!("hallpass-test-{}-0", child.id()));
        let started = Instant::now();
        while TcpStream::connect(address).is_ok() || folder.exists() {
            assert!(started.elapsed() < LONG, "{kind:?} is still there");
            std::thread::yield_now();
        }
    }
}

fn ping(stream: &mut TcpStream, patience: Duration) -> Option<String> {
    stream.set_read_timeout(Some(patience)).unwrap();
    stream.write_all(b"PING\r\n").ok()?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).ok()?;
    String::from_utf8(answer.to_vec()).ok()
}

const KINDS: [Kind; 3] = [Kind::Postgres, Kind::MariaDb, Kind::Redis];

const LONG: Duration = Duration::from_secs(60);
