//! Cookies from a stranger, at every address that reads some.
//!
//! The first byte chooses address and site; each further line is one `Cookie` header.
#![no_main]

use bytes::Bytes;
use hallpass_fuzz::{Engine, Site};
use http::Request;
use http::header::{CONTENT_TYPE, COOKIE, HOST};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, lines)) = data.split_first() else { return };
    let site = if choice % 2 == 0 { Site::Configured } else { Site::Believed };
    let (method, path, body) = ADDRESSES[usize::from(choice / 2) % ADDRESSES.len()];
    Engine::with(site, |engine| {
        let path = String::from_utf8(engine.fill(path.as_bytes())).unwrap();
        let mut request = Request::builder().method(method).uri(format!("/api/auth{path}"));
        for line in engine.fill(lines).split(|byte| *byte == b'\n') {
            request = request.header(COOKIE, line);
        }
        let request =
            request.header(HOST, "localhost").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let Ok(request) = request.body(Bytes::from(engine.fill(body.as_bytes()))) else { return };
        engine.judge(request);
    });
});

const ADDRESSES: [(&str, &str, &str); 12] = [
    ("GET", "/session", ""),
    ("POST", "/session", "csrfToken={token}&data=1"),
    ("GET", "/csrf", ""),
    ("GET", "/signin", ""),
    ("GET", "/signout", ""),
    ("POST", "/signout", "csrfToken={token}"),
    ("POST", "/signin/plain", "csrfToken={token}"),
    ("POST", "/signin/email", "csrfToken={token}&email=a@example.com"),
    ("POST", "/callback/credentials", "csrfToken={token}&password=open"),
    ("GET", "/callback/plain?code=c&state={answer}", ""),
    ("GET", "/callback/op?code=c&state={answer}", ""),
    ("GET", "/callback/email?token=t&email=a@example.com", ""),
];
