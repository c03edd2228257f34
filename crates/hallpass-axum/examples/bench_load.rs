//! A load generator: `bench_load PORT SECONDS CONNECTIONS` signs in at 127.0.0.1 and then asks for the session, as often
//! as it can, on connections that stay open. Prints requests, seconds, and the latencies p50 and p99 in microseconds.

use std::env;
use std::error::Error;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [port, seconds, connections] = arguments.as_slice() else {
        return Err("bench_load PORT SECONDS CONNECTIONS".into());
    };
    let port: u16 = port.parse()?;
    let request = session_request(port, &sign_in(port).await?);
    let duration = Duration::from_secs_f64(seconds.parse()?);
    let started = Instant::now();
    let mut latencies = load(port, &request, connections.parse()?, duration).await?;
    let elapsed = started.elapsed();
    latencies.sort_unstable();
    let percentile = |part: usize| latencies.get(latencies.len() * part / 100).copied().unwrap_or_default();
    println!("{} {} {} {}", latencies.len(), elapsed.as_secs_f64(), percentile(50), percentile(99));
    Ok(())
}

/// Signs in as anybody and returns the cookies.
async fn sign_in(port: u16) -> Result<String> {
    let mut connection = Connection::open(port).await?;
    let csrf = connection.ask(&head("GET", "csrf", port, "", 0)).await?;
    let before = csrf.cookies();
    let token = csrf.body().split('"').nth(3).ok_or("no token")?.to_owned();
    let form = format!("csrfToken={token}&username=alice");
    let request = head("POST", "callback/credentials", port, &before, form.len()) + &form;
    let signed_in = Connection::open(port).await?.ask(&request).await?;
    let cookies = format!("{before}; {}", signed_in.cookies());
    let session = Connection::open(port).await?.ask(&session_request(port, &cookies)).await?;
    if session.body().contains("Alice Example") && session.body().contains("company-") {
        return Ok(cookies);
    }
    Err(format!("nobody is signed in: {}", session.0).into())
}

fn session_request(port: u16, cookies: &str) -> String {
    head("GET", "session", port, cookies, 0)
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
async fn load(port: u16, request: &str, connections: usize, duration: Duration) -> Result<Vec<u32>> {
    let end = Instant::now() + duration;
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let mut connection = Connection::open(port).await?;
        let request = request.to_owned();
        tasks.spawn(async move {
            let mut latencies = Vec::with_capacity(1 << 16);
            loop {
                let started = Instant::now();
                if started >= end {
                    return Result::Ok(latencies);
                }
                connection.ask_only(&request).await?;
                latencies.push(u32::try_from(started.elapsed().as_micros())?);
            }
        });
    }
    let mut latencies = Vec::new();
    while let Some(some) = tasks.join_next().await {
        latencies.extend(some??);
    }
    Ok(latencies)
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

struct Answer(String);

impl Connection {
    async fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(8192) })
    }

    async fn ask(&mut self, request: &str) -> Result<Answer> {
        self.ask_only(request).await?;
        Ok(Answer(String::from_utf8(self.buffer.clone())?))
    }

    /// Leaves the answer in the buffer.
    async fn ask_only(&mut self, request: &str) -> Result<()> {
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the connection was closed".into());
            }
            if self.is_complete() {
                return Ok(());
            }
        }
    }

    fn is_complete(&self) -> bool {
        let Some(end) = self.buffer.windows(4).rposition(|four| four == b"\r\n\r\n") else { return false };
        let head = self.buffer.get(..end).unwrap_or_default();
        let mut lines = head.split(|byte| *byte == b'\n');
        let length = lines.find_map(|line| {
            let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        self.buffer.len() >= end + 4 + length.unwrap_or(0)
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
