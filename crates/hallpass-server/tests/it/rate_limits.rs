//! Limits for tries.

use std::thread;

use crate::browser::{Answer, Browser};
use crate::program::{Folder, Server, program};
use crate::sink::Sink;
use crate::storage::configured;

/// Limits that a test can reach, behind a proxy that is this machine.
const LIMITS: &str = "trusted_proxies = [\"127.0.0.1\"]\n[rate_limit]\npasswords_per_account = \"5/1h\"\n\
                      passwords_per_address = \"8/1h\"\nmails_per_recipient = \"3/1h\"\nmails_per_address = \"5/1h\"\n\
                      posts_per_address = \"40/1h\"\n";

/// A browser at this address.
fn at(server: &Server, address: &str) -> Browser {
    Browser::new(&server.host).saying(&format!("x-forwarded-for: {address}\r\n"))
}

fn start(settings: &str) -> (Folder, Server) {
    let folder = configured(settings);
    let server = Server::start(program(&folder, &[]));
    (folder, server)
}

/// How many of these signed nobody in and were not too many.
fn wrong(answers: &[Answer]) -> usize {
    let is_wrong = |it: &&Answer| it.header("location").is_some_and(|to| to.contains("CredentialsSignin"));
    answers.iter().filter(is_wrong).count()
}

#[test]
fn of_a_hundred_wrong_passwords_at_once_as_many_are_checked_as_the_limit_allows() {
    let (_folder, server) = start(LIMITS);
    let threads: Vec<_> = (0..100)
        .map(|n| {
            let mut browser = at(&server, &format!("198.51.100.{n}"));
            thread::spawn(move || browser.sign_in(if n % 2 == 0 { "ada" } else { "ADA" }, "wrong"))
        })
        .collect();
    let answers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(wrong(&answers), 5);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 95);
    // As documented: the right password waits, too.
    let answer = at(&server, "192.0.2.1").sign_in("ada", "correct horse");
    assert_eq!(answer.status, 429);
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=720).contains(&wait), "{wait}");
    assert!(answer.body.contains("Too many tries"), "{}", answer.body);
}

#[test]
fn a_locked_account_does_not_tell_whether_it_exists() {
    let (_folder, server) = start(LIMITS);
    let seen = ["ada", "eve"].map(|name| {
        let answers = (0..8).map(|n| {
            let mut answer = at(&server, &format!("192.0.2.{n}")).sign_in(name, "wrong");
            answer.headers.retain(|(name, _)| !["date", "retry-after"].contains(&name.as_str()));
            (answer.status, answer.headers, answer.body)
        });
        answers.collect::<Vec<_>>()
    });
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].last().unwrap().0, 429);
}

#[test]
fn one_address_may_guess_only_so_often_and_others_go_on() {
    let (_folder, server) = start(LIMITS);
    let guesses = |from: &str, count: usize| -> Vec<Answer> {
        (0..count).map(|n| at(&server, from).sign_in(&format!("user{n}"), "wrong")).collect()
    };
    // What stands further left in the header the visitor has made up.
    let answers: Vec<_> = (0..12)
        .map(|n| at(&server, &format!("203.0.113.{n}, 192.0.2.1")).sign_in(&format!("u{n}"), "x"))
        .collect();
    assert_eq!(wrong(&answers), 8);
    assert_eq!(wrong(&guesses("192.0.2.2", 3)), 3);
    // A network of IPv6 is one address.
    let answers: Vec<_> =
        (0..12).map(|n| at(&server, &format!("2001:db8::{n}")).sign_in(&format!("v{n}"), "x")).collect();
    assert_eq!(wrong(&answers), 8);
    // Whoever signs in rightly has not guessed.
    for _ in 0..12 {
        assert_eq!(at(&server, "192.0.2.3").sign_in("ada", "correct horse").status, 302);
    }
}

#[test]
fn requests_without_a_csrf_token_lock_nobody_out() {
    let (_folder, server) = start(LIMITS);
    for n in 0..20 {
        let fields = [("username", "ada"), ("password", "wrong")];
        let answer =
            at(&server, &format!("192.0.2.{n}")).post_bare("/api/auth/callback/credentials", &fields);
        assert!(answer.header("location").unwrap().contains("MissingCSRF"));
    }
    assert_eq!(at(&server, "192.0.2.99").sign_in("ada", "correct horse").status, 302);
}

#[test]
fn any_posts_of_one_address_are_limited_and_variants_of_the_path_are_no_way_around() {
    let (_folder, server) = start(LIMITS);
    let paths = ["/api/auth/signout", "/api/auth//signout", "/api/auth/signout/", "/api/auth/nowhere"];
    let post = |address: &str, n: usize| at(&server, address).post_bare(paths[n % 4], &[]).status;
    let statuses: Vec<_> = (0..60).map(|n| post("192.0.2.1", n)).collect();
    assert_eq!(statuses.iter().filter(|status| **status != 429).count(), 40);
    assert_ne!(post("192.0.2.2", 0), 429);
    // Looking is free.
    assert_eq!(at(&server, "192.0.2.1").get("/api/auth/session").status, 200);
    let guess = |path: &str, n: usize| {
        at(&server, &format!("198.51.100.{n}")).post(path, &[("username", "eve"), ("password", "x")]).status
    };
    let paths = [
        "/api/auth/callback/credentials",
        "/api/auth//callback//credentials",
        "/api/auth/callback/credentials/",
    ];
    let statuses: Vec<_> = (0..9).map(|n| guess(paths[n % 3], n)).collect();
    assert_eq!(statuses.iter().filter(|status| **status != 429).count(), 5, "{statuses:?}");
}

#[test]
fn one_address_comes_back_from_providers_only_so_often() {
    let provider = "callbacks_per_address = \"5/1h\"\n\
                    [providers.github]\nid = \"id\"\nsecret = \"a secret\"\n";
    let (_folder, server) = start(&format!("{LIMITS}{provider}"));
    let paths = ["/api/auth/callback/github?code=c&state=s", "/api/auth//callback//github/?code=c"];
    let comes_back =
        |address: &str, path: &str| at(&server, address).get_with(path, "cookie: authjs.state=s\r\n");
    let statuses: Vec<_> = (0..9).map(|n| comes_back("192.0.2.1", paths[n % 2]).status).collect();
    assert_eq!(statuses.iter().filter(|status| **status != 429).count(), 5, "{statuses:?}");
    let answer = comes_back("192.0.2.1", paths[0]);
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").is_some() && answer.body.contains("Too many tries"));
    assert_ne!(comes_back("192.0.2.2", paths[0]).status, 429);
    // Everything else goes on.
    assert_eq!(at(&server, "192.0.2.1").get("/api/auth/session").status, 200);
    assert_eq!(at(&server, "192.0.2.1").sign_in("ada", "correct horse").status, 302);
}

#[test]
fn a_page_elsewhere_uses_up_no_callbacks_of_whoever_looks_at_it() {
    let provider = "callbacks_per_address = \"5/1h\"\n\
                    [providers.github]\nid = \"id\"\nsecret = \"a secret\"\n";
    let (_folder, server) = start(&format!("{LIMITS}{provider}"));
    // `<img src="https://site/api/auth/callback/github?x">`: a cookie that is `SameSite=Lax` does not come along.
    for _ in 0..20 {
        assert_ne!(at(&server, "192.0.2.1").get("/api/auth/callback/github?x").status, 429);
    }
    let mut browser = at(&server, "192.0.2.1");
    browser.post("/api/auth/signin/github", &[]);
    assert!(browser.names().any(|name| name == "authjs.pkce.code_verifier"));
    let statuses: Vec<_> = (0..6).map(|_| browser.get("/api/auth/callback/github?x").status).collect();
    assert_eq!(statuses.iter().filter(|status| **status != 429).count(), 5, "{statuses:?}");
}

#[test]
fn client_libraries_are_told_in_their_own_shape() {
    let (_folder, server) = start(LIMITS);
    let client = |n: usize| {
        let headers = format!("x-forwarded-for: 192.0.2.{n}\r\nx-auth-return-redirect: 1\r\n");
        Browser::new(&server.host).saying(&headers)
    };
    let answers: Vec<_> = (0..6).map(|n| client(n).sign_in("ada", "wrong")).collect();
    let answer = answers.last().unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (429, Some("application/json")));
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let url = format!("http://{}/api/auth/signin?error=TooManyRequests", server.host);
    assert_eq!(body, serde_json::json!({ "url": url }));
    assert_eq!(answer.header("location"), None);
    // `update()`
    let mut browser = at(&server, "192.0.2.200");
    let updates: Vec<_> = (0..41).map(|_| browser.update("{}")).collect();
    let last = updates.last().unwrap();
    assert_eq!((last.status, &*last.body), (429, "{\"message\":\"too many requests: try again later\"}"));
}

#[test]
fn of_a_flood_of_requests_for_links_as_many_mails_leave_as_documented() {
    let sink = Sink::start();
    let mail = format!(
        "[email]\nfrom = \"login@acme.example\"\nsmtp_url = \"smtp://127.0.0.1:{}\"\nid = \"email\"\n",
        sink.port
    );
    let (_folder, server) = start(&format!("{LIMITS}{mail}"));
    let ask = |from: &str, address: &str| {
        let answer = at(&server, from).post("/api/auth/signin/email", &[("email", address)]);
        (answer.status, answer.header("location").map(str::to_owned))
    };
    // To one recipient, from everywhere, in all spellings.
    let spellings = ["eve@example.com", "EVE@example.com", "e.ve+a@example.com"];
    let answers: Vec<_> = (0..12).map(|n| ask(&format!("198.51.100.{n}"), spellings[n % 3])).collect();
    assert_eq!(answers.iter().filter(|(status, _)| *status == 302).count(), 3);
    assert!(answers[3..].iter().all(|(status, _)| *status == 429));
    // From one address, to everybody.
    let answers: Vec<_> = (0..12).map(|n| ask("192.0.2.1", &format!("user{n}@example.com"))).collect();
    assert_eq!(answers.iter().filter(|(status, _)| *status == 302).count(), 5);
    assert_eq!(sink.count(), 8);
}

#[test]
fn limits_can_be_switched_off_and_one_by_one() {
    for settings in ["[rate_limit]\nenabled = false\n", "[rate_limit]\npasswords_per_account = \"off\"\n"] {
        let (_folder, server) = start(settings);
        let answers: Vec<_> = (0..15).map(|_| Browser::new(&server.host).sign_in("ada", "wrong")).collect();
        assert_eq!(wrong(&answers), 15, "{settings}");
    }
    let (_folder, server) = start("");
    let answers: Vec<_> = (0..15).map(|_| Browser::new(&server.host).sign_in("ada", "wrong")).collect();
    assert_eq!(wrong(&answers), 10);
}

#[test]
fn without_a_list_of_proxies_an_address_inside_the_network_locks_nobody_out() {
    let (_folder, server) =
        start("[rate_limit]\npasswords_per_address = \"1/1h\"\nposts_per_address = \"1/1h\"\n");
    let answers: Vec<_> =
        (0..5).map(|n| Browser::new(&server.host).sign_in(&format!("user{n}"), "wrong")).collect();
    assert_eq!(wrong(&answers), 5);
}
