//! What a request may be at most.

use crate::browser::{Browser, send};
use crate::program::{Folder, Server};

#[test]
fn headers_may_take_60_kib_and_no_more_than_64() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let with_cookie = |bytes: usize| {
        let cookie = "x".repeat(bytes);
        let request = format!(
            "GET /api/auth/session HTTP/1.1\r\nhost: {}\r\ncookie: c={cookie}\r\nconnection: close\r\n\r\n",
            server.host
        );
        send(&server.host, request.as_bytes()).status
    };
    assert_eq!(with_cookie(60 * 1024), 200);
    assert_eq!(with_cookie(65 * 1024), 431);
    assert_eq!(with_cookie(500 * 1024), 431);
}

#[test]
fn a_body_over_64_kib_is_refused() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    assert_eq!(browser.post("/api/auth/signout", &[("x", &"x".repeat(65 * 1024))]).status, 413);
}

#[test]
fn what_is_not_there_is_404_and_health_is_200() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    assert_eq!(browser.get("/nothing").status, 404);
    assert_eq!(browser.get("/healthz").status, 200);
    assert_eq!(browser.get("/health").status, 404);
    assert_eq!(browser.get("/hallpass.css").header("content-type"), Some("text/css; charset=utf-8"));
}
