//! The database does not answer.

use std::time::{Duration, Instant};

use test_servers::{Durability, Kind, Proxy};

use crate::browser::Browser;
use crate::program::{Server, program};
use crate::storage::{configured, done};

/// Told to come again, in time, with the cookies as they were.
fn is_refused(browser: &mut Browser, what: &str) {
    let started = Instant::now();
    let answer = browser.get("/api/auth/session");
    assert_eq!(answer.status, 503, "{what}: {}", answer.body);
    assert!(started.elapsed() < TIMEOUT + Duration::from_secs(1), "{what}: {:?}", started.elapsed());
    assert!(answer.header("retry-after").is_some(), "{what}");
    assert_eq!(answer.header("set-cookie"), None, "{what}");
    // What needs no database goes on, and whoever sends requests here is told.
    assert_eq!(browser.get("/healthz").status, 200, "{what}");
    let started = Instant::now();
    // What it found out counts for a second.
    while browser.get("/readyz").body != "the store does not answer\n" {
        assert!(started.elapsed() < TIMEOUT + Duration::from_secs(4), "{what}");
    }
    assert_eq!(browser.get("/readyz").status, 503, "{what}");
}

/// Within two seconds everything is as it was, without signing in again.
fn recovers(browser: &mut Browser, what: &str) {
    let started = Instant::now();
    while !browser.get("/api/auth/session").body.contains("Ada Lovelace") {
        assert!(started.elapsed() < Duration::from_secs(2), "{what}");
    }
    while browser.get("/readyz").status != 200 {
        assert!(started.elapsed() < Duration::from_secs(6), "{what}");
    }
}

#[test]
fn a_database_that_is_away_or_slow_is_503_in_time_and_signs_nobody_out() {
    let Some(postgres) = test_servers::Server::start(Kind::Postgres, Durability::Fast) else { return };
    let proxy = Proxy::to(postgres.address());
    let url = proxy.url(&postgres.database().url);
    let folder = configured(&format!("[database]\nurl = \"{url}\"\ntimeout = \"{}s\"\n", TIMEOUT.as_secs()));
    done(&folder, &["migrate"]);
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    browser.sign_in("ada", "correct horse");
    recovers(&mut browser, "at the start");

    proxy.delay(Duration::from_secs(3600));
    is_refused(&mut browser, "slow");
    proxy.restore();
    recovers(&mut browser, "slow");

    proxy.cut();
    is_refused(&mut browser, "cut");
    proxy.restore();
    recovers(&mut browser, "cut");

    postgres.pause();
    is_refused(&mut browser, "hanging");
    postgres.resume();
    recovers(&mut browser, "hanging");

    postgres.stop();
    is_refused(&mut browser, "stopped");
    // Nobody is let in either, and nobody is told that the password was wrong.
    let answer = Browser::new(&server.host).sign_in("ada", "correct horse");
    assert_eq!(answer.status, 503, "{:?}", answer.headers);
    postgres.run();
    recovers(&mut browser, "stopped");
}

#[test]
fn redis_that_is_away_is_503_in_time_and_signs_nobody_out() {
    let Some(postgres) = test_servers::Server::start(Kind::Postgres, Durability::Fast) else { return };
    let Some(redis) = test_servers::Server::start(Kind::Redis, Durability::Fast) else { return };
    let proxy = Proxy::to(redis.address());
    let folder = configured(&format!(
        "[database]\nurl = \"{}\"\ntimeout = \"{}s\"\n[redis]\nurl = \"{}\"\n",
        postgres.database().url,
        TIMEOUT.as_secs(),
        proxy.url(&redis.database().url)
    ));
    done(&folder, &["migrate"]);
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    browser.sign_in("ada", "correct horse");
    recovers(&mut browser, "at the start");
    proxy.delay(Duration::from_secs(3600));
    is_refused(&mut browser, "slow");
    proxy.restore();
    recovers(&mut browser, "slow");
    proxy.cut();
    is_refused(&mut browser, "cut");
    proxy.restore();
    recovers(&mut browser, "cut");
}

const TIMEOUT: Duration = Duration::from_secs(1);
