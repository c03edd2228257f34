//! Bytes that a proxy in front could read in another way than we do: no second request comes out of them.

use std::io::{ErrorKind, Read, Write};

use crate::browser::connect;
use crate::program::{Folder, Server, program};
use crate::storage::configured;

/// The request that must not be answered.
const SMUGGLED: &str =
    "GET /api/auth/csrf HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-Id: smuggled\r\nConnection: close\r\n\r\n";

/// What stands in front of it, and what RFC 9112 says of that. Each is answered with 400 and the end of the connection.
const REFUSED: &[(&str, &str)] = &[
    // §6.1, §6.3 no. 3: the coding counts, or 400; the connection is closed in either case.
    ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "both, the length first"),
    ("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", "both, the coding first"),
    (
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "both, and again",
    ),
    // §6.3 no. 4: where `chunked` is not the last coding of a request, 400 and close.
    ("Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "chunked is not the last"),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", "nor of two fields"),
    ("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "another coding"),
    ("Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", "in quotation marks"),
    ("Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", "with a parameter (§7.1)"),
    // §6.1: a coding that is not known is an error (501 is what it suggests); `identity` is gone since RFC 7230.
    ("Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", "identity before chunked"),
    ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "the same in two fields"),
    ("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "compressed"),
    ("Transfer-Encoding: , chunked\r\n\r\n0\r\n\r\n", "an empty part"),
    // §6.1: nobody may apply `chunked` more than once.
    ("Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "chunked twice"),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "in two fields"),
    // §5: white space around a value is space and tab; §5.1: none before the colon, 400.
    ("Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", "a vertical tab"),
    ("Transfer-Encoding: chunked\x0c\r\n\r\n0\r\n\r\n", "a form feed"),
    ("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "space before the colon"),
    ("Content-Length : 0\r\n\r\n", "the same for a length"),
    // §2.2: white space before the first field: 400, or the line is dropped.
    (" Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "space before the first field"),
    // §5.2: line folding: 400, or spaces instead.
    ("Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "a folded coding"),
    ("X: a\r\n\tb\r\n\r\n", "any folded field"),
    // §6.3 no. 5: lengths that differ, or are none: 400 and close. The same one twice may be refused (RFC 9110 §8.6).
    ("Content-Length: 0\r\nContent-Length: 106\r\n\r\n", "two lengths"),
    ("Content-Length: 0\r\nContent-Length: 0\r\n\r\n", "the same length twice"),
    ("Content-Length: 0, 106\r\n\r\n", "a list of lengths"),
    ("Content-Length: +0\r\n\r\n", "a sign"),
    ("Content-Length: 0x0\r\n\r\n", "another base"),
    ("Content-Length: \r\n\r\n", "no length"),
    ("Content-Length: 18446744073709551616\r\n\r\n", "a length over 64 bits"),
    // §2.2: a line feed alone may end a line, and need not; a carriage return alone must not.
    ("X: a\n\n", "line feeds end the head"),
    ("X: a\r\n\n", "one line feed ends the head"),
    ("X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "a field behind a line feed"),
    ("X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "a field behind a carriage return"),
    ("X: a\0\r\n\r\n", "a zero byte (RFC 9110 §5.5)"),
    // §7.1: the size is hexadecimal digits, its line and the chunk end with CRLF.
    ("Transfer-Encoding: chunked\r\n\r\n0\n\n", "line feeds end the chunks"),
    ("Transfer-Encoding: chunked\r\n\r\n0;\n\r\n\r\n", "a line feed in an extension"),
    ("Transfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n", "a line feed after a chunk"),
    ("Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\n\n", "line feeds end the trailers"),
    ("Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n", "a size with a base"),
    ("Transfer-Encoding: chunked\r\n\r\n-0\r\n\r\n", "a size with a sign"),
    ("Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n", "a size over 64 bits"),
    ("Transfer-Encoding: chunked\r\n\r\n1\r\n\r\n0\r\n\r\n", "a chunk that is longer than its size"),
    // §3.2: two hosts, or one that is none: 400.
    ("Host: evil.example\r\n\r\n", "two hosts"),
];

/// Whole requests that are refused in the same way.
const REFUSED_REQUESTS: &[(&str, &str)] = &[
    ("POST /api/auth/signout HTTP/1.1\nHost: 127.0.0.1\n\n", "line feeds only (§2.2)"),
    ("\nPOST /api/auth/signout HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "a line feed before it (§2.2)"),
    // §6.1: 1.0 knows no codings, and whatever follows cannot be found.
    (
        "POST /api/auth/signout HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\
         Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "a coding in HTTP/1.0",
    ),
    ("GET /api/auth/session HTTP/1.1\r\n\r\n", "no host (§3.2)"),
    ("GET /api/auth/session HTTP/1.1\r\nHost: a b\r\n\r\n", "a host that is none (§3.2)"),
    ("GET /api/auth/session HTTP/1.1\r\nHost: a@127.0.0.1\r\n\r\n", "a host with a user (§3.2)"),
    // §3.2.2: the address counts and `Host` does not; a proxy may have chosen by `Host`.
    (
        "GET http://evil.example/api/auth/session HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "an address with another host",
    ),
    // RFC 9110 §9.3.6: after 2xx everything is a tunnel. There is none here.
    ("CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n", "a tunnel"),
    ("CONNECT /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "a tunnel to a path"),
    ("GET /healthz HTTP/1.2\r\nHost: 127.0.0.1\r\n\r\n", "a version that is none (§2.3)"),
    ("GET /healthz\r\n", "HTTP/0.9"),
];

#[test]
fn whatever_two_servers_could_read_in_two_ways_is_400_and_the_end_of_the_connection() {
    let (_folder, server) = logging();
    let posts = REFUSED
        .iter()
        .map(|(rest, what)| (format!("POST /api/auth/signout HTTP/1.1\r\nHost: 127.0.0.1\r\n{rest}"), *what));
    let requests = REFUSED_REQUESTS.iter().map(|(request, what)| ((*request).to_owned(), *what));
    for (request, what) in posts.chain(requests) {
        // One packet, and then each half in its own.
        for halves in [[request.clone() + SMUGGLED, String::new()], [request.clone(), SMUGGLED.to_owned()]] {
            let statuses = sent(&server, &halves);
            assert_eq!(statuses, ["400"], "{what}: {halves:?}");
        }
    }
    assert!(!server.log().contains("smuggled"));
}

#[test]
fn a_request_inside_of_a_body_is_a_part_of_the_body() {
    let (_folder, server) = logging();
    let length = SMUGGLED.len();
    let hex = format!("{length:x}");
    for (request, what) in [
        // §6: whatever the method.
        (format!("GET /api/auth/session HTTP/1.1\r\nContent-Length: {length}\r\n"), "in the body of a GET"),
        (format!("GET /healthz HTTP/1.1\r\nContent-Length: {length}\r\n"), "in a body that nobody reads"),
        (format!("POST /api/auth/signout HTTP/1.1\r\nContent-Length: {length}\r\n"), "in the body of a POST"),
        // RFC 9110 §10.1.1: the answer 100 is no answer.
        (
            format!(
                "POST /api/auth/signout HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n"
            ),
            "in a body that was announced",
        ),
    ] {
        let request = format!("{request}Host: 127.0.0.1\r\nConnection: close\r\n\r\n{SMUGGLED}");
        let statuses = sent(&server, &[request, String::new()]);
        let answers: Vec<_> = statuses.iter().filter(|status| *status != "100").collect();
        assert!(matches!(answers[..], [status] if status != "400"), "{what}: {statuses:?}");
    }
    // §7.1: in a chunk, in an extension of one, in a trailer field.
    for chunks in [
        format!("{hex}\r\n{SMUGGLED}\r\n0\r\n\r\n"),
        format!("{hex} ; x=\"{hex}\"\r\n{SMUGGLED}\r\n0\r\n\r\n"),
        "0;x=\"GET /smuggled HTTP/1.1\"\r\nX: GET /smuggled HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_owned(),
    ] {
        let request = format!(
            "POST /api/auth/signout HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
             Transfer-Encoding: \tChunked \r\n\r\n{chunks}"
        );
        let statuses = sent(&server, &[request, String::new()]);
        assert!(matches!(&statuses[..], [status] if status != "400"), "{chunks}: {statuses:?}");
    }
    assert!(!server.log().contains("smuggled"));
}

#[test]
fn nobody_changes_to_http_2_on_a_connection() {
    let (_folder, server) = logging();
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    // RFC 9110 §7.8: a server may pass over `Upgrade`. The request is answered as if it were not there, with 200 and
    // not 101; what follows is no HTTP/1.1, and the end.
    let upgrade = "GET /api/auth/session HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings\r\n\
                   Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n";
    assert_eq!(sent(&server, &[format!("{upgrade}{preface}{SMUGGLED}"), String::new()]), ["200"]);
    // RFC 9113 §3.4: who does not speak HTTP/2 closes.
    assert_eq!(sent(&server, &[format!("{preface}{SMUGGLED}"), String::new()]), [""; 0]);
    assert!(!server.log().contains("smuggled"));
}

#[test]
fn honest_requests_one_behind_the_other_are_all_answered() {
    let (_folder, server) = logging();
    for first in [
        "GET /api/auth/session HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        // §2.2: empty lines before a request are passed over.
        "\r\n\r\nGET /api/auth/session HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "POST /api/auth/signout HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\na\nb\r\n",
        "POST /api/auth/signout HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na\nb\r\n0\r\n\r\n",
        "GET http://127.0.0.1/api/auth/session HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    ] {
        for halves in [[format!("{first}{SMUGGLED}"), String::new()], [first.to_owned(), SMUGGLED.to_owned()]]
        {
            let statuses = sent(&server, &halves);
            assert!(
                matches!(&statuses[..], [one, two] if one != "400" && two == "200"),
                "{first}: {statuses:?}"
            );
        }
    }
    // This is how the others would have been noticed.
    assert!(server.log().contains("smuggled"));
}

/// A server that logs requests.
fn logging() -> (Folder, Server) {
    let folder = configured("");
    let mut command = program(&folder, &[]);
    command.env("HALLPASS_LOG", "info,hallpass::request=debug");
    let server = Server::start(command);
    (folder, server)
}

/// The statuses of all answers, until the server closes the connection.
fn sent(server: &Server, halves: &[String; 2]) -> Vec<String> {
    let mut stream = connect(&server.host);
    // Each half is a packet.
    stream.set_nodelay(true).unwrap();
    for half in halves {
        // It may have closed already.
        let _ = stream.write_all(half.as_bytes());
    }
    let mut answers = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answers) {
        // So is answered what came after the end.
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{halves:?}: the connection stays open");
    }
    let text = String::from_utf8_lossy(&answers);
    text.split("HTTP/1.").skip(1).map(|answer| answer[2..5].to_owned()).collect()
}
