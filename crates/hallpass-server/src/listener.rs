//! Connections: accepted, bounded, and finished before the program ends.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hallpass::Peer;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

mod connection;
mod connections;
mod framing;
mod host;
mod stream;
mod visit;

pub(crate) use connections::Connections;
pub(crate) use visit::{Phase, Times, Visit};

/// What answers the requests that arrive on connections.
pub(crate) trait Application: Send + Sync + 'static {
    /// Answers one request. It may tell the visit what it does, so that the right time-out counts.
    fn answer(self: Arc<Self>, request: Request, visit: Arc<Visit>) -> Answer;

    /// The program is about to end: what has been accepted is answered still.
    fn drain(&self) {}
}

/// An answer that is being made.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// Listens. Where nobody has chosen a port, the next free one will do.
///
/// # Errors
/// When that is not possible.
pub(crate) async fn bind(address: SocketAddr, is_chosen: bool) -> io::Result<TcpListener> {
    let last = if is_chosen { address.port() } else { address.port().saturating_add(PORTS_TO_TRY) };
    let mut ports = address.port()..=last;
    loop {
        let port = ports.next().unwrap_or(last);
        match TcpListener::bind(SocketAddr::new(address.ip(), port)).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && port < last => {}
            result => return result,
        }
    }
}

/// The address to open in a browser for a server that listens here.
pub(crate) fn address_to_open(listening: SocketAddr) -> String {
    match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => format!("http://127.0.0.1:{}", listening.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => format!("http://[::1]:{}", listening.port()),
        _ => format!("http://{listening}"),
    }
}

/// Answers until `stop` is ready; then finishes what has begun, for as long as `drain`.
pub(crate) async fn serve<A: Application>(
    listener: TcpListener,
    application: Arc<A>,
    connections: Arc<Connections>,
    drain: Duration,
    stop: impl Future<Output = ()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(LONGEST_HEAD);
    let (stopping, stopped) = watch::channel(false);
    let (alive, mut all_gone) = mpsc::channel::<()>(1);
    let open = |stream: TcpStream, address: SocketAddr| {
        let Some(place) = connections.enter() else { return };
        // Without it small answers wait for the next packet; a socket that refuses works all the same.
        let _ = stream.set_nodelay(true);
        let (application, alive) = (Arc::clone(&application), alive.clone());
        let connection =
            connection::run(stream, Peer(address.ip()), http.clone(), application, place, stopped.clone());
        tokio::spawn(async move {
            connection.await;
            drop(alive);
        });
    };
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => open(stream, address),
                Err(error) => pause_after(&error, &connections).await,
            },
            () = &mut stop => break,
        }
    }
    application.drain();
    for (stream, address) in waiting(listener) {
        open(stream, address);
    }
    let _ = stopping.send(true);
    drop(alive);
    if timeout(drain, all_gone.recv()).await.is_err() {
        tracing::warn!("{} requests were not finished after {} seconds", connections.busy(), drain.as_secs());
    }
}

/// Those who have connected, and whom nobody has accepted yet.
fn waiting(listener: TcpListener) -> impl Iterator<Item = (TcpStream, SocketAddr)> {
    // It does not block, as tokio had it: the first error is that nobody waits.
    let listener = listener.into_std().ok();
    std::iter::from_fn(move || {
        let (stream, address) = listener.as_ref()?.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, address))
    })
}

/// A connection that broke before it was accepted is nothing; too many open files will pass.
async fn pause_after(error: &io::Error, connections: &Connections) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    tracing::error!("no connection could be accepted: {error}");
    connections.make_room();
    sleep(Duration::from_millis(100)).await;
}

/// Request line and headers, in bytes; roughly, since it bounds a buffer.
const LONGEST_HEAD: usize = 80 * 1024;

const PORTS_TO_TRY: u16 = 20;

#[cfg(test)]
mod tests;
