//! Health, bounds, the end, and settings that change.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::browser::{Answer, Browser, connect, read, send};
use crate::program::{Folder, Server, program, run};
use crate::storage::configured;

#[test]
fn health_and_readiness_answer_any_host_in_every_mode() {
    let folder = Folder::new();
    let development = Server::development(&folder);
    let folder = configured("");
    let other = Server::start(program(&folder, &[]));
    for host in [&development.host, &other.host] {
        for (path, body) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: 10.0.0.7\r\nconnection: close\r\n\r\n");
            let answer = send(host, request.as_bytes());
            assert_eq!((answer.status, answer.body.as_str()), (200, body), "{path}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
}

#[test]
fn the_command_health_tells_whether_the_server_can_answer() {
    let folder = configured("");
    let server = Server::start(program(&folder, &[]));
    let output = run(&folder, &["health", "--listen", &server.host], "");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"ready\n"[..]), "{output:?}");
    let host = server.host.clone();
    drop(server);
    // As the settings say it, whatever else is wrong with them.
    folder.write("hallpass.toml", &format!("listen = \"{host}\"\nunknown = 5\n"));
    let output = run(&folder, &["health"], "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains(&format!("no server answers at {host}")), "{told}");
}

#[test]
fn more_requests_than_may_be_answered_at_once_are_told_to_come_again_at_once() {
    let api = Held::start();
    let folder = calling(&api, "[limits]\nin_flight = 1\n");
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    browser.sign_in("ada", "correct horse");
    let first = held_request(&browser);
    let call = api.next();
    let answer = browser.get("/api/auth/session");
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{}", answer.body);
    assert_eq!(answer.header("set-cookie"), None);
    // Who looks after the server is not one too many.
    assert_eq!(browser.get("/healthz").status, 200);
    assert_eq!(browser.get("/readyz").status, 200);
    answer_call(call);
    assert_eq!(first.join().unwrap().status, 200);
}

#[test]
fn connections_without_a_request_make_room_and_those_with_one_stay() {
    let api = Held::start();
    let folder = calling(&api, "[limits]\nconnections = 10\nin_flight = 4\n");
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    browser.sign_in("ada", "correct horse");
    let first = held_request(&browser);
    let call = api.next();
    let mut idle: Vec<_> = (0..30)
        .map(|number| {
            let mut stream = connect(&server.host);
            match number % 3 {
                0 => {}
                1 => stream.write_all(b"GET / HTTP/1.1\r\nhost: ").unwrap(),
                _ => stream
                    .write_all(
                        b"POST /api/auth/signout HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nx",
                    )
                    .unwrap(),
            }
            // Ten places, and everybody is served.
            assert_eq!(Browser::new(&server.host).get("/healthz").status, 200);
            stream
        })
        .collect();
    answer_call(call);
    assert_eq!(first.join().unwrap().status, 200);
    // The one that has waited longest was closed.
    assert!(matches!(idle[0].read(&mut [0]), Ok(0) | Err(_)));
}

#[test]
fn who_is_too_slow_is_closed_whatever_it_is_slow_with() {
    let folder =
        configured("[limits]\nheader_timeout = \"1s\"\nbody_timeout = \"1s\"\nidle_timeout = \"1s\"\n");
    let server = Server::start(program(&folder, &[]));
    let closed = |mut stream: TcpStream| {
        let mut rest = Vec::new();
        let count = stream.read_to_end(&mut rest).unwrap();
        assert_eq!(count, 0, "{}", String::from_utf8_lossy(&rest));
    };
    let fresh = connect(&server.host);
    let mut head = connect(&server.host);
    head.write_all(b"GET /healthz HTTP/1.1\r\n").unwrap();
    let mut idle = connect(&server.host);
    ask(&mut idle, "/healthz");
    let mut again = connect(&server.host);
    ask(&mut again, "/healthz");
    again.write_all(b"GET").unwrap();
    let mut body = connect(&server.host);
    let post =
        format!("POST /api/auth/signout HTTP/1.1\r\nhost: {}\r\ncontent-length: 9\r\n\r\n", server.host);
    body.write_all(post.as_bytes()).unwrap();
    [fresh, head, idle, again].into_iter().for_each(closed);
    let answer = read(&mut body);
    assert_eq!((answer.status, answer.header("connection")), (408, Some("close")));
}

#[test]
#[cfg(unix)]
fn a_request_that_is_arriving_when_the_server_stops_is_answered() {
    let folder = configured("");
    let mut server = Server::start(program(&folder, &[]));
    let mut arriving = connect(&server.host);
    ask(&mut arriving, "/healthz");
    arriving.write_all(b"GET /readyz HTTP/1.1\r\nhost: ").unwrap();
    let mut first = connect(&server.host);
    first.write_all(b"GET /api/auth/csrf HTTP/1.1\r\n").unwrap();
    let idle = connect(&server.host);
    server.terminate();
    server.wait_for_log("stopping");
    arriving.write_all(b"localhost\r\n\r\n").unwrap();
    let answer = read(&mut arriving);
    assert_eq!((answer.status, answer.body.as_str()), (503, "stopping\n"));
    assert_eq!(answer.header("connection"), Some("close"));
    first.write_all(format!("host: {}\r\n\r\n", server.host).as_bytes()).unwrap();
    let answer = read(&mut first);
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert_eq!(server.wait(), Some(0));
    drop(idle);
}

#[test]
#[cfg(unix)]
fn a_request_that_takes_longer_than_the_drain_does_not_keep_the_server() {
    let api = Held::start();
    let folder = calling(&api, "[limits]\ndrain = \"1s\"\n");
    let mut server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    browser.sign_in("ada", "correct horse");
    let first = held_request(&browser);
    let call = api.next();
    server.terminate();
    server.wait_for_log("1 requests were not finished after 1 seconds");
    assert_eq!(server.wait(), Some(0));
    assert_eq!(first.join().unwrap().status, 0);
    drop(call);
}

#[test]
#[cfg(unix)]
fn no_request_fails_while_settings_are_read_again_and_wrong_ones_do_not_count() {
    let folder = configured("[theme]\ntitle = \"Before\"\n");
    let mut server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    browser.sign_in("ada", "correct horse");
    let settings = std::fs::read_to_string(folder.path().join("hallpass.toml")).unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let askers: Vec<_> = (0..4)
        .map(|number| {
            let (mut browser, is_over) = (browser.clone(), Arc::clone(&is_over));
            let host = server.host.clone();
            thread::spawn(move || {
                let mut stream = connect(&host);
                let mut count = 0;
                while !is_over.load(Ordering::Relaxed) {
                    match number % 2 {
                        0 => assert!(browser.get("/api/auth/session").body.contains("Ada Lovelace")),
                        // One connection, and it stays.
                        _ => ask(&mut stream, "/api/auth/csrf"),
                    }
                    count += 1;
                }
                count
            })
        })
        .collect();
    for title in ["First", "Second", "Third"] {
        folder.write("hallpass.toml", &settings.replace("Before", title));
        server.hang_up();
        server.wait_for_log("the settings were read again");
        assert!(browser.get("/api/auth/signin").body.contains(&format!("Sign in to {title}")));
        folder
            .write("hallpass.toml", &format!("{}[themes]\nlogo = 5\n", settings.replace("Before", "Wrong")));
        server.hang_up();
        server.wait_for_log("the settings stay as they were");
        server.wait_for_log("unknown key `themes`: did you mean `theme`?");
        assert!(browser.get("/api/auth/signin").body.contains(&format!("Sign in to {title}")));
    }
    is_over.store(true, Ordering::Relaxed);
    for asker in askers {
        assert!(asker.join().unwrap() > 0);
    }
}

#[test]
#[cfg(unix)]
fn settings_that_are_read_again_may_name_other_people_secrets_and_callbacks_but_no_other_port() {
    let folder = configured("");
    let mut server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    browser.sign_in("ada", "correct horse");
    let settings = std::fs::read_to_string(folder.path().join("hallpass.toml")).unwrap();
    let old = "secret = \"a secret of at least 32 characters\"";
    let new =
        "secrets = [\"another secret of at least 32 characters\", \"a secret of at least 32 characters\"]";
    let settings = settings.replace(old, new).replace("127.0.0.1:0", "127.0.0.1:1");
    folder.write("hallpass.toml", &settings);
    folder.write(
        "hallpass.config.js",
        "export default { callbacks: { session: ({ session }) => ({ ...session, reloaded: true }) } }",
    );
    let entries = std::fs::read_to_string(folder.path().join("users.toml")).unwrap();
    folder.write("users.toml", &entries.replace("[ada]", "[grace]"));
    server.hang_up();
    server.wait_for_log("`listen` has changed: that takes a new start");
    server.wait_for_log("the settings were read again");
    // Whoever is signed in stays so.
    assert_eq!(browser.session()["reloaded"], true);
    let mut newcomer = Browser::new(&server.host);
    assert!(
        newcomer.sign_in("ada", "correct horse").header("location").unwrap().contains("CredentialsSignin")
    );
    newcomer.sign_in("grace", "correct horse");
    assert_eq!(newcomer.session()["reloaded"], true);
}

#[test]
#[cfg(unix)]
fn a_file_of_settings_that_is_gone_leaves_the_server_as_it_was() {
    let folder = configured("");
    let mut server = Server::start(program(&folder, &[]));
    std::fs::remove_file(folder.path().join("hallpass.toml")).unwrap();
    server.hang_up();
    server.wait_for_log("without it this would be development mode");
    assert_eq!(Browser::new(&server.host).get("/dev/inbox").status, 404);
}

/// Settings whose `session` callback asks this API.
fn calling(api: &Held, more: &str) -> Folder {
    let script = "export default { callbacks: { session: async ({ session }) => { await fetch('/'); return session } } }";
    let origin = format!("http://{}", api.0.local_addr().unwrap());
    let folder = configured(&format!(
        "[fetch]\nbase_url = \"{origin}\"\nallow = [\"{origin}\"]\n[javascript]\ntime_limit = \"9s\"\n{more}"
    ));
    folder.write("hallpass.config.js", script);
    folder
}

/// An API whose calls wait until somebody answers them.
struct Held(TcpListener);

impl Held {
    fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    /// Waits for a call.
    fn next(&self) -> TcpStream {
        self.0.accept().unwrap().0
    }
}

fn answer_call(mut call: TcpStream) {
    // Who closes a connection without having read resets it, and the answer may be lost.
    assert_ne!(call.read(&mut [0; 4096]).unwrap(), 0);
    call.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").unwrap();
}

/// Looks at the session of a browser, which takes until the API answers.
fn held_request(browser: &Browser) -> JoinHandle<Answer> {
    let mut browser = browser.clone();
    thread::spawn(move || browser.get("/api/auth/session"))
}

/// Asks on a connection that stays open.
pub(crate) fn ask(stream: &mut TcpStream, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut buffer).unwrap();
        assert_ne!(count, 0, "{path}: {}", String::from_utf8_lossy(&bytes));
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            return;
        }
    }
}
