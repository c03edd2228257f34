//! Connections that only take room, while others want answers and the settings are read again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::tally::Tally;
use super::{Site, that_fit};
use crate::Result;
use crate::process::Process;

/// Wants an answer to every request, on connections that stay open and on new ones.
pub(super) async fn run(server: &Process, site: &Arc<Site>, time: Duration) -> Result<()> {
    let all = that_fit(IDLE + SLOW);
    let slow = all * SLOW / (IDLE + SLOW);
    let address = site.address;
    let open = Arc::new(AtomicUsize::new(0));
    let mut crowd = JoinSet::new();
    for number in 0..all {
        let open = Arc::clone(&open);
        match number < slow {
            true => crowd.spawn(be_slow(address, open)),
            false => crowd.spawn(be_idle(address, open)),
        };
    }
    let started = Instant::now();
    let is_over = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for number in 0..OTHERS {
        tasks.spawn(ask(Arc::clone(site), number, Arc::clone(&is_over)));
    }
    let mut most = 0;
    while started.elapsed() < time || most < all * 9 / 10 {
        sleep(RELOAD_EVERY).await;
        most = most.max(open.load(Ordering::Relaxed));
        server.signal("HUP").await?;
        if started.elapsed() > time + PATIENCE {
            return Err(format!("at most {most} of {all} connections were open at once").into());
        }
    }
    is_over.store(true, Ordering::Relaxed);
    let time = started.elapsed();
    let mut tally = Tally::default();
    for part in tasks.join_all().await {
        tally.add(part?);
    }
    crowd.shutdown().await;
    tally.report(&format!("beside {most} idle and slow connections at once"), time);
    if tally.count() == 0 { Err("nothing was answered".into()) } else { Ok(()) }
}

/// Half of them on one connection, half on a new one each time.
async fn ask(site: Arc<Site>, number: usize, is_over: Arc<AtomicBool>) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut connection = site.connect().await?;
    let mut turn = number;
    while !is_over.load(Ordering::Relaxed) {
        if number.is_multiple_of(2) {
            connection = site.connect().await?;
        }
        tally.ask(&mut connection, &site, turn).await?;
        turn += 1;
    }
    Ok(tally)
}

/// Connects and says nothing, and comes again when the server has had enough.
async fn be_idle(address: SocketAddr, open: Arc<AtomicUsize>) {
    loop {
        let mut stream = connect(address).await;
        open.fetch_add(1, Ordering::Relaxed);
        let _ = stream.read(&mut [0]).await;
        open.fetch_sub(1, Ordering::Relaxed);
        sleep(PAUSE).await;
    }
}

/// Sends headers, a byte at a time, and begins again when the server has had enough.
async fn be_slow(address: SocketAddr, open: Arc<AtomicUsize>) {
    loop {
        let mut stream = connect(address).await;
        open.fetch_add(1, Ordering::Relaxed);
        for byte in
            b"GET /auth/session HTTP/1.1\r\nhost: localhost\r\nx-slow: ".iter().chain([b'a'; 1000].iter())
        {
            if stream.write_all(&[*byte]).await.is_err() {
                break;
            }
            if timeout(PAUSE, stream.read(&mut [0])).await.is_ok() {
                break;
            }
        }
        open.fetch_sub(1, Ordering::Relaxed);
        sleep(PAUSE).await;
    }
}

async fn connect(address: SocketAddr) -> TcpStream {
    loop {
        if let Ok(stream) = TcpStream::connect(address).await {
            return stream;
        }
        sleep(PAUSE).await;
    }
}

const IDLE: usize = 10_000;

const SLOW: usize = 1_000;

/// Those who want something.
const OTHERS: usize = 64;

/// Between two bytes of a slow one.
const PAUSE: Duration = Duration::from_millis(500);

/// For a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(120);

const RELOAD_EVERY: Duration = Duration::from_secs(1);
