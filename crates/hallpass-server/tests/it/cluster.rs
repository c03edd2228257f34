//! Two servers on one database.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use test_servers::{Durability, Kind};

use crate::browser::Browser;
use crate::program::{Folder, Server, program};
use crate::sink::Sink;
use crate::storage::{configured, done};

/// Two servers with the same settings, and what they need.
struct Pair {
    folder: Folder,
    servers: [Server; 2],
    _databases: Vec<test_servers::Server>,
}

impl Pair {
    fn start(with_redis: bool, more: &str) -> Option<Self> {
        let postgres = test_servers::Server::start(Kind::Postgres, Durability::Fast)?;
        let mut settings = format!("[database]\nurl = \"{}\"\n{more}", postgres.database().url);
        let mut databases = vec![postgres];
        if with_redis {
            let redis = test_servers::Server::start(Kind::Redis, Durability::Fast)?;
            settings.push_str(&format!("[redis]\nurl = \"{}\"\n", redis.database().url));
            databases.push(redis);
        }
        let folder = configured(&settings);
        assert_eq!(done(&folder, &["migrate"]), "applied 0001_own\napplied 0002_own\n");
        let servers = [(); 2].map(|()| Server::start(program(&folder, &[])));
        Some(Self { folder, servers, _databases: databases })
    }
}

/// What is revoked on one server is refused by the very next look on the other: nothing keeps a session in memory.
fn check_sessions(with_redis: bool) {
    let Some(pair) = Pair::start(with_redis, "") else { return };
    let [one, other] = &pair.servers;
    let mut here = Browser::new(&one.host);
    let answer = here.sign_in("ada", "correct horse");
    assert_eq!(answer.status, 302);
    let mut there = here.clone().at(&other.host);
    let see = |browser: &mut Browser| browser.get("/api/auth/session").body;
    assert!(see(&mut there).contains("\"name\":\"Ada Lovelace\",\"role\":\"admin\""));
    here.post("/api/auth/signout", &[]);
    let signed_out = Instant::now();
    assert_eq!(see(&mut there), "null");
    println!("refused on the other server {:?} after it was revoked", signed_out.elapsed());

    let mut browsers = [(); 2].map(|()| {
        let mut browser = Browser::new(&one.host);
        browser.sign_in("ada", "correct horse");
        browser.at(&other.host)
    });
    let [first, second] = &mut browsers;
    assert!(see(first).contains("Ada") && see(second).contains("Ada"));
    let list = done(&pair.folder, &["sessions", "list", "ada", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let newest = list[0]["id"].as_str().unwrap();
    assert_eq!(done(&pair.folder, &["sessions", "revoke", "ada", newest]), "revoked 1 session\n");
    assert_eq!(see(second), "null");
    assert!(see(first).contains("Ada"));
    assert_eq!(done(&pair.folder, &["sessions", "revoke-all", "ada"]), "revoked 1 session\n");
    assert_eq!(see(first), "null");
}

/// 200 browsers follow the same link at once, half of them on each server.
fn check_link(with_redis: bool) {
    let sink = Sink::start();
    let mails =
        format!("[email]\nfrom = \"login@acme.example\"\nsmtp_url = \"smtp://127.0.0.1:{}\"\n", sink.port);
    let Some(pair) = Pair::start(with_redis, &mails) else { return };
    let mut browser = Browser::new(&pair.servers[0].host);
    let answer = browser.post("/api/auth/signin/nodemailer", &[("email", "grace@example.com")]);
    assert!(answer.header("location").unwrap().contains("/api/auth/verify-request"), "{:?}", answer.headers);
    let link = sink.link();
    let page = browser.get(&link);
    assert_eq!(page.status, 200, "{link}");
    let fields = page.hidden_fields();
    let barrier = Barrier::new(TAKERS);
    let signed_in = thread::scope(|scope| {
        let takers: Vec<_> = (0..TAKERS)
            .map(|number| {
                let server = &pair.servers[number % 2];
                let mut browser = browser.clone().at(&server.host);
                let (fields, barrier) = (&fields, &barrier);
                scope.spawn(move || {
                    let fields: Vec<_> =
                        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                    barrier.wait();
                    let answer = browser.post_bare("/api/auth/callback/nodemailer", &fields);
                    assert_eq!(answer.status, 302, "{}", answer.body);
                    browser.cookie("authjs.session-token").is_some()
                })
            })
            .collect();
        takers.into_iter().map(|taker| taker.join().unwrap()).filter(|signed_in| *signed_in).count()
    });
    assert_eq!(signed_in, 1);
    let list = done(&pair.folder, &["sessions", "list", "grace@example.com", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
}

#[test]
fn a_session_of_one_server_is_read_on_the_other_and_ends_on_both() {
    check_sessions(false);
}

#[test]
fn a_session_in_redis_is_read_on_the_other_server_and_ends_on_both() {
    check_sessions(true);
}

#[test]
fn two_hundred_takes_of_a_link_over_two_servers_make_one_session() {
    check_link(false);
}

#[test]
fn two_hundred_takes_of_a_link_in_redis_over_two_servers_make_one_session() {
    check_link(true);
}

const TAKERS: usize = 200;
