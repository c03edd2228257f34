use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Context;

use http::Response;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::*;

/// A connection on which these pieces arrive.
struct Wire {
    pieces: Vec<Vec<u8>>,
    framing: Framing,
}

impl Wire {
    /// In two pieces.
    fn cut(bytes: &[u8], at: usize) -> Self {
        let (one, two) = bytes.split_at(at);
        let pieces = [two, one].into_iter().filter(|piece| !piece.is_empty()).map(<[u8]>::to_vec).collect();
        Self { pieces, framing: Framing::default() }
    }

    /// Reads until the end or an error, so many bytes at a time.
    fn read_all(mut self, most: usize) -> (Vec<u8>, bool) {
        let mut all = Vec::new();
        loop {
            let mut memory = vec![0; most];
            let mut buffer = ReadBuf::new(&mut memory);
            match self.read(&mut buffer) {
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => return (all, true),
                Poll::Ready(Ok(())) => all.extend_from_slice(buffer.filled()),
                _ => return (all, false),
            }
        }
    }

    fn read(&mut self, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { pieces, framing } = self;
        framing.read(buffer, |buffer| {
            if let Some(mut piece) = pieces.pop() {
                let rest = piece.split_off(piece.len().min(buffer.remaining()));
                buffer.put_slice(&piece);
                pieces.extend((!rest.is_empty()).then_some(rest));
            }
            Poll::Ready(Ok(()))
        })
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.read(buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

const PLAIN: [&str; 6] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    "POST / HTTP/1.1\r\ncontent-LENGTH:  5\t\r\nHost: a\r\n\r\na\nb\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: \tChunked \r\n\r\n5\r\na\nb\r\n\r\n00A ;x=\"y\"\r\n0123456789\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\nTransfer-Encoding: gzip\r\n\r\n",
];

#[test]
fn what_can_be_read_in_one_way_passes_as_it_is_however_it_arrives() {
    let all = PLAIN.concat();
    for at in 0..=all.len() {
        let (passed, to_the_end) = Wire::cut(all.as_bytes(), at).read_all(4096);
        assert!(to_the_end && passed == all.as_bytes(), "{at}");
    }
    for most in 1..9 {
        assert_eq!(Wire::cut(all.as_bytes(), 0).read_all(most), (all.clone().into_bytes(), true), "{most}");
    }
}

#[test]
fn what_can_be_read_in_two_ways_is_cut_off_where_that_begins_however_it_arrives() {
    // `^` is where.
    for text in [
        "^\nGET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1^\nHost: a\n\n",
        "GET / HTTP/1.1\r\nX: a^\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nX: a\r\n^\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r^\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX: a\r\ncontent-length: 5\r^\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r^\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r^\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r^\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r^\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5, 5\r^\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: +5\r^\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length:\r^\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 18446744073709551616\r^\n\r\n",
        "POST / HTTP/1.1\r\nno colon\r^\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0^\n\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0;^\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n+1\r^\na\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r^\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r^\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na^\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a^\n\r\n",
    ] {
        let (good, rest) = text.split_once('^').unwrap();
        let bytes = [good, rest, "GET /smuggled HTTP/1.1\r\n\r\n"].concat();
        let is_body = good.contains("\r\n\r\n");
        let wanted = [good.as_bytes(), if is_body { b"" } else { NO_REQUEST }].concat();
        for at in 0..=bytes.len() {
            for most in [1, 3, 4096] {
                assert_eq!(
                    Wire::cut(bytes.as_bytes(), at).read_all(most),
                    (wanted.clone(), false),
                    "{text:?} {at}"
                );
            }
        }
    }
}

/// What the library takes for requests, by the lengths of their bodies.
async fn served(bytes: &[u8], at: usize) -> Vec<u64> {
    let served = Arc::new(Mutex::new(Vec::new()));
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let served = Arc::clone(&served);
        async move {
            if let Ok(body) = request.into_body().collect().await {
                served.lock().unwrap().push(body.to_bytes().len() as u64);
            }
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let wire = TokioIo::new(Wire::cut(bytes, at));
    // An error is its right.
    let _ = http1::Builder::new().header_read_timeout(None).serve_connection(wire, service).await;
    let served = served.lock().unwrap();
    served.clone()
}

/// What we take for requests: a byte at a time, so that each body can be counted.
fn followed(bytes: &[u8]) -> Vec<u64> {
    let (mut framing, mut lengths, mut length) = (Framing::default(), Vec::new(), 0);
    for byte in bytes {
        let before = framing.place;
        if framing.follow(&[*byte]).is_err() {
            break;
        }
        length += u64::from(matches!(before, Place::Data { .. }));
        if before != Place::Start && framing.place == Place::Start {
            lengths.push(mem::take(&mut length));
        }
    }
    lengths
}

#[tokio::test]
async fn the_library_finds_no_other_messages_than_we_do() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut several, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut bytes = (0..=random.below(3)).flat_map(|_| message(&mut random)).collect::<Vec<_>>();
        for _ in 0..random.below(3) {
            let at = random.below(bytes.len() + 1);
            let until = (at + random.below(3)).min(bytes.len());
            bytes.splice(at..until, random.of(&WORDS).bytes());
        }
        let (ours, theirs) = (followed(&bytes), served(&bytes, random.below(bytes.len() + 1)).await);
        assert!(ours.starts_with(&theirs), "{:?}: {ours:?} {theirs:?}", String::from_utf8_lossy(&bytes));
        several += usize::from(theirs.len() > 1);
        refused += usize::from(theirs.is_empty());
    }
    assert!(several > 1000 && refused > 1000, "{several} {refused}");
}

/// A message that somebody may have thought of.
fn message(random: &mut Random) -> Vec<u8> {
    let fields: String = (0..random.below(3)).map(|_| random.of(&FIELDS)).collect();
    let body = if fields.is_empty() { "" } else { random.of(&BODIES) };
    format!("POST / HTTP/1.1\r\n{fields}\r\n{body}").into_bytes()
}

const FIELDS: [&str; 14] = [
    "Host: a\r\n",
    "Connection: keep-alive\r\n",
    "Content-Length: 5\r\n",
    "content-length:\t5 \r\n",
    "Content-Length: 0\r\n",
    "Content-Length: 5, 5\r\n",
    "Content-Length: +5\r\n",
    "Content_Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "transfer-encoding:\tChunked \r\n",
    "Transfer-Encoding: identity\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Transfer-Encoding: chunked, chunked\r\n",
    "X: a\nTransfer-Encoding: chunked\r\n",
];

const BODIES: [&str; 6] = [
    "",
    "5\r\na\n",
    "0\r\n\r\n",
    "5\r\na\nb\r\n\r\n00A ;x=\"y\"\r\n0123456789\r\n0\r\n\r\n",
    "0\r\nX: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    "1\n\na\r\n0\r\n\r\n",
];

/// What makes a difference wherever it stands.
const WORDS: [&str; 12] = ["", "\n", "\r", "\r\n", "\r\n\r\n", "\n\n", " ", "\0", ";", "0", "5", "chunked"];

/// The same numbers each time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most as u64).unwrap()
    }

    fn of(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }
}
