//! The first lines of a request from a stranger: `GET /api/auth/signin?callbackUrl=/`, then one header a line.
//!
//! The first byte chooses the site, and whether the stranger has cookies of ours.
#![no_main]

use bytes::Bytes;
use hallpass_fuzz::{Engine, Site};
use http::header::{COOKIE, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Uri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, head)) = data.split_first() else { return };
    let site = if choice % 2 == 0 { Site::Configured } else { Site::Believed };
    Engine::with(site, |engine| {
        if let Some(mut request) = parse(&engine.fill(head)) {
            if choice & 2 != 0 {
                request.headers_mut().insert(COOKIE, engine.cookies().parse().unwrap());
            }
            engine.judge(request);
        }
    });
});

/// What a web server would take for a request.
fn parse(head: &[u8]) -> Option<Request<Bytes>> {
    let mut lines = head.split(|byte| *byte == b'\n');
    let mut words = lines.next()?.splitn(2, |byte| *byte == b' ');
    let method = Method::from_bytes(words.next()?).ok()?;
    let uri = Uri::try_from(words.next()?).ok()?;
    let mut headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("localhost"))]);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        headers.insert(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?);
    }
    let mut request = Request::new(Bytes::new());
    (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (method, uri, headers);
    Some(request)
}
