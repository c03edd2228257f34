//! Connections: accepted, bounded, and finished before the program ends.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::{Extension, Router};
use hallpass::Peer;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tower::Layer;

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

/// Answers until `stop` is ready; then finishes what has begun, within ten seconds.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_buf_size(LONGEST_HEAD);
    let connections = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => (stream, Peer(address.ip())),
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        answer(stream, peer, &http, router.clone(), &connections);
    }
    drop(listener);
    if timeout(FAREWELL_TIME, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests were not finished after {} seconds", FAREWELL_TIME.as_secs());
    }
}

fn answer(
    stream: TcpStream,
    peer: Peer,
    http: &http1::Builder,
    router: Router,
    connections: &GracefulShutdown,
) {
    // Without it small answers wait for the next packet; a socket that refuses works all the same.
    let _ = stream.set_nodelay(true);
    let connection =
        http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(Extension(peer).layer(router)));
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("a connection ended: {error}");
        }
    });
}

/// A connection that broke before it was accepted is nothing; too many open files will pass.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    tracing::error!("no connection could be accepted: {error}");
    sleep(Duration::from_millis(100)).await;
}

/// From the first byte of a request to the end of its headers; also how long an unused connection is kept.
const HEADER_TIME: Duration = Duration::from_secs(10);

const FAREWELL_TIME: Duration = Duration::from_secs(10);

/// Request line and headers, in bytes; roughly, since it bounds a buffer.
const LONGEST_HEAD: usize = 80 * 1024;

const PORTS_TO_TRY: u16 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_is_taken_is_passed_over_unless_somebody_chose_it() {
        let taken = bind(SocketAddr::from(([127, 0, 0, 1], 0)), true).await.unwrap();
        let address = taken.local_addr().unwrap();
        let next = bind(address, false).await.unwrap().local_addr().unwrap();
        assert!(next.port() > address.port() && next.port() <= address.port() + PORTS_TO_TRY);
        assert_eq!(bind(address, true).await.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn the_address_to_open_is_one_that_a_browser_can_open() {
        for (listening, open) in [
            ("127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:80", "http://[::1]:80"),
            ("[::1]:80", "http://[::1]:80"),
        ] {
            assert_eq!(address_to_open(listening.parse().unwrap()), open);
        }
    }
}
