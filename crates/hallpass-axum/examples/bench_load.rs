//! The load of `cargo xtask bench`: the same request over 32 connections (or as many as are named) that stay open, for
//! some seconds. Prints what came back as JSON.

use std::error::Error;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, path, cookie, seconds, rest @ ..] = arguments.as_slice() else {
        return Err("usage: bench_load ADDRESS PATH COOKIE SECONDS [CONNECTIONS [sleeps]]".into());
    };
    let connections = rest.first().map_or(Ok(CONNECTIONS), |number| number.parse())?;
    let sleeps = rest.get(1).is_some_and(|word| word == "sleeps");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n{HEADERS}cookie: {cookie}\r\n\r\n");
    let limit = Duration::try_from_secs_f64(seconds.parse()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{}", runtime.block_on(measure(address, request, limit, connections, sleeps))?);
    Ok(())
}

async fn measure(
    address: &str,
    request: String,
    limit: Duration,
    connections: usize,
    sleeps: bool,
) -> Result<serde_json::Value> {
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    // The load that is measured never sleeps: waking it would be work of the servers, more of it the less busy they
    // keep the load. One beside it must not take the processor of that.
    let restless = tokio::spawn(async move {
        if sleeps {
            return;
        }
        loop {
            tokio::task::yield_now().await;
        }
    });
    let started = Instant::now();
    let tasks: Vec<_> = streams
        .into_iter()
        .map(|stream| tokio::spawn(ask_until(stream, request.clone(), started + limit)))
        .collect();
    let mut latencies = Vec::new();
    let mut non_200 = 0_u64;
    for task in tasks {
        let seen = task.await??;
        latencies.extend(seen.latencies);
        non_200 += seen.non_200;
    }
    let seconds = started.elapsed().as_secs_f64();
    restless.abort();
    latencies.sort_unstable();
    let requests = u32::try_from(latencies.len())?;
    Ok(serde_json::json!({
        "requests": requests,
        "seconds": seconds,
        "rps": f64::from(requests) / seconds,
        "p50_us": percentile(&latencies, 50),
        "p99_us": percentile(&latencies, 99),
        "non_200": non_200,
    }))
}

/// What one connection has seen.
#[derive(Default)]
struct Seen {
    /// Of each answer, whatever its status.
    latencies: Vec<u128>,
    non_200: u64,
}

async fn ask_until(mut stream: TcpStream, request: String, end: Instant) -> Result<Seen> {
    let mut seen = Seen::default();
    let mut answer = Vec::with_capacity(8192);
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(seen);
        }
        stream.write_all(request.as_bytes()).await?;
        answer.clear();
        while !is_whole(&answer) {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err("the server closed the connection".into());
            }
        }
        seen.latencies.push(sent.elapsed().as_micros());
        seen.non_200 += u64::from(!answer.starts_with(b"HTTP/1.1 200"));
    }
}

/// Whether this is a whole answer, by its length or its last chunk.
fn is_whole(answer: &[u8]) -> bool {
    let Some(head_length) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let (head, body) = answer.split_at(head_length);
    let Ok(head) = std::str::from_utf8(head) else { return false };
    let body_length = body.len() - 4;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    length.map_or_else(|| body.ends_with(b"\r\n0\r\n\r\n"), |length| body_length >= length)
}

fn percentile(sorted: &[u128], percent: usize) -> Option<u64> {
    let index = sorted.len().checked_sub(1)? * percent / 100;
    sorted.get(index).and_then(|latency| u64::try_from(*latency).ok())
}

const CONNECTIONS: usize = 32;

/// What a browser sends besides.
const HEADERS: &str = "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    accept: */*\r\n\
    accept-language: en-US,en;q=0.5\r\n\
    sec-fetch-dest: empty\r\n\
    sec-fetch-mode: cors\r\n\
    sec-fetch-site: same-origin\r\n";
