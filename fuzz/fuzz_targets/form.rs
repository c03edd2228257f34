//! A body from a stranger, who has cookies of ours.
//!
//! The first byte chooses address and site, the second the type of the body and whether the client is a program.
#![no_main]

use bytes::Bytes;
use hallpass_fuzz::{Engine, Site};
use http::Request;
use http::header::{CONTENT_TYPE, COOKIE, HOST};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [choice, kind, body @ ..] = data else { return };
    let site = if choice % 2 == 0 { Site::Configured } else { Site::Believed };
    let path = PATHS[usize::from(choice / 2) % PATHS.len()];
    let kind_of_body = KINDS[usize::from(kind & 0x7f) % KINDS.len()];
    Engine::with(site, |engine| {
        let request = Request::post(format!("/api/auth{path}"))
            .header(HOST, "localhost")
            .header(COOKIE, engine.cookies())
            .header(CONTENT_TYPE, kind_of_body);
        let request = if kind & 0x80 == 0 { request } else { request.header("x-auth-return-redirect", "1") };
        engine.judge(request.body(Bytes::from(engine.fill(body))).unwrap());
    });
});

const PATHS: [&str; 10] = [
    "/session",
    "/signin/plain",
    "/signin/op",
    "/signin/email",
    "/signin/credentials",
    "/callback/credentials",
    "/callback/plain",
    "/callback/email",
    "/signout",
    "/csrf",
];

const KINDS: [&str; 5] = [
    "application/x-www-form-urlencoded",
    "application/json",
    "application/x-www-form-urlencoded;charset=UTF-8",
    "text/plain",
    "multipart/form-data; boundary=b",
];
