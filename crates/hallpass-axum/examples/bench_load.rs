//! A load generator: `bench_load PORT SECONDS CONNECTIONS` signs in at 127.0.0.1 and then asks for the session, as often
//! as it can, on connections that stay open. Prints requests, seconds, and the latencies p50 and p99 in microseconds.
//!
//! It never sleeps: a server that has to wake it for each answer would seem slower than one that is so quick that it need
//! not.

use std::env;
use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [port, seconds, connections] = arguments.as_slice() else {
        return Err("bench_load PORT SECONDS CONNECTIONS".into());
    };
    let port: u16 = port.parse()?;
    let request = head("GET", "session", port, &sign_in(port)?, 0);
    let duration = Duration::from_secs_f64(seconds.parse()?);
    let started = Instant::now();
    let mut latencies = load(port, &request, connections.parse()?, duration)?;
    let elapsed = started.elapsed();
    latencies.sort_unstable();
    let percentile = |part: usize| latencies.get(latencies.len() * part / 100).copied().unwrap_or_default();
    println!("{} {} {} {}", latencies.len(), elapsed.as_secs_f64(), percentile(50), percentile(99));
    Ok(())
}

/// Signs in as anybody and returns the cookies.
fn sign_in(port: u16) -> Result<String> {
    let csrf = Connection::open(port)?.ask(&head("GET", "csrf", port, "", 0))?;
    let before = csrf.cookies();
    let token = csrf.body().split('"').nth(3).ok_or("no token")?.to_owned();
    let form = format!("csrfToken={token}&username=alice");
    let request = head("POST", "callback/credentials", port, &before, form.len()) + &form;
    let signed_in = Connection::open(port)?.ask(&request)?;
    let cookies = format!("{before}; {}", signed_in.cookies());
    let session = Connection::open(port)?.ask(&head("GET", "session", port, &cookies, 0))?;
    if session.body().contains("Alice Example") && session.body().contains("company-") {
        return Ok(cookies);
    }
    Err(format!("nobody is signed in: {}", session.0).into())
}

/// The head of a request, as a browser sends it.
fn head(method: &str, action: &str, port: u16, cookies: &str, length: usize) -> String {
    let body = match length {
        0 => String::new(),
        _ => format!("content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n"),
    };
    format!(
        "{method} /api/auth/{action} HTTP/1.1\r\nhost: localhost:{port}\r\n\
         user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\naccept: */*\r\n\
         accept-language: en-US,en;q=0.5\r\naccept-encoding: gzip, deflate, br, zstd\r\n\
         referer: http://localhost:{port}/\r\nsec-fetch-dest: empty\r\nsec-fetch-mode: cors\r\n\
         sec-fetch-site: same-origin\r\ncookie: {cookies}\r\n{body}\r\n"
    )
}

/// Asks for so long on so many connections, and returns how long each answer took, in microseconds.
fn load(port: u16, request: &str, connections: usize, duration: Duration) -> Result<Vec<u32>> {
    let mut latencies = Vec::with_capacity(1 << 20);
    let connections: Result<Vec<Connection>> = (0..connections).map(|_| Connection::open(port)).collect();
    let mut connections = connections?;
    for connection in &mut connections {
        connection.stream.set_nonblocking(true)?;
        connection.send(request)?;
    }
    let end = Instant::now() + duration;
    while Instant::now() < end {
        for connection in &mut connections {
            if connection.receive()? {
                latencies.push(u32::try_from(connection.sent.elapsed().as_micros())?);
                connection.send(request)?;
            }
        }
    }
    Ok(latencies)
}

struct Connection {
    stream: TcpStream,
    sent: Instant,
    buffer: [u8; 16 * 1024],
    filled: usize,
}

struct Answer(String);

impl Connection {
    fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, sent: Instant::now(), buffer: [0; 16 * 1024], filled: 0 })
    }

    fn ask(mut self, request: &str) -> Result<Answer> {
        self.send(request)?;
        while !self.receive()? {}
        let answer = self.buffer.get(..self.filled).unwrap_or_default();
        Ok(Answer(String::from_utf8(answer.to_vec())?))
    }

    fn send(&mut self, request: &str) -> Result<()> {
        self.filled = 0;
        self.sent = Instant::now();
        Ok(self.stream.write_all(request.as_bytes())?)
    }

    /// Takes what has arrived. Returns whether the answer is complete.
    fn receive(&mut self) -> Result<bool> {
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        match self.stream.read(room) {
            Ok(0) => Err("the connection was closed, or the answer is too long".into()),
            Ok(length) => {
                self.filled += length;
                Ok(self.is_complete())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn is_complete(&self) -> bool {
        let received = self.buffer.get(..self.filled).unwrap_or_default();
        let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
        let mut lines = received.get(..end).unwrap_or_default().split(|byte| *byte == b'\n');
        let length = lines.find_map(|line| {
            let (name, value) = line.split_at_checked("content-length:".len())?;
            let value = std::str::from_utf8(value).ok()?;
            name.eq_ignore_ascii_case(b"content-length:").then(|| value.trim().parse::<usize>().ok())?
        });
        received.len() >= end + 4 + length.unwrap_or(0)
    }
}

impl Answer {
    fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    /// Its cookies, as a browser sends them back.
    fn cookies(&self) -> String {
        let lines = self.0.lines().filter_map(|line| line.split_once(": "));
        let cookies = lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        let pairs = cookies.map(|(_, cookie)| cookie.split(';').next().unwrap_or_default());
        pairs.collect::<Vec<_>>().join("; ")
    }
}
