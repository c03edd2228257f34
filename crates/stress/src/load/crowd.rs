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
    let opened = Arc::new(AtomicUsize::new(0));
    let mut crowd = JoinSet::new();
    for number in 0..all {
        let opened = Arc::clone(&opened);
        match number < slow {
            true => crowd.spawn(be_slow(address, opened)),
            false => crowd.spawn(be_idle(address, opened)),
        };
    }
    let started = Instant::now();
    let is_over = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for number in 0..OTHERS {
        tasks.spawn(ask(Arc::clone(site), number, Arc::clone(&is_over)));
    }
    while started.elapsed() < time || opened.load(Ordering::Relaxed) < all {
        sleep(RELOAD_EVERY).await;
        server.signal("HUP").await?;
        if started.elapsed() > time + PATIENCE {
            return Err(format!("{} of {all} connections were opened", opened.load(Ordering::Relaxed)).into());
        }
    }
    is_over.store(true, Ordering::Relaxed);
    let time = started.elapsed();
    let mut tally = Tally::default();
    for part in tasks.join_all().await {
        tally.add(part?);
    }
    let opened = opened.load(Ordering::Relaxed);
    crowd.shutdown().await;
    tally.report(&format!("beside {opened} idle and slow connections"), time);
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

/// Connects and says nothing, however long the server likes.
async fn be_idle(address: SocketAddr, opened: Arc<AtomicUsize>) {
    let mut stream = connect(address, &opened).await;
    let _ = stream.read(&mut [0]).await;
}

/// Sends headers, a byte at a time, and begins again when the server has had enough.
async fn be_slow(address: SocketAddr, opened: Arc<AtomicUsize>) {
    loop {
        let mut stream = connect(address, &opened).await;
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
        sleep(PAUSE).await;
    }
}

async fn connect(address: SocketAddr, opened: &AtomicUsize) -> TcpStream {
    loop {
        if let Ok(stream) = TcpStream::connect(address).await {
            opened.fetch_add(1, Ordering::Relaxed);
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
