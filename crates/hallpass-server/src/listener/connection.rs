//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use hallpass::Peer;
use http::{HeaderValue, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::connections::Place;
use super::stream::Stream;
use super::visit::{Phase, Visit};
use super::{Application, host};

/// Answers what comes, until the client goes, takes too long, has to make room, or the program ends.
pub(super) async fn run<A: Application>(
    socket: TcpStream,
    peer: Peer,
    http: http1::Builder,
    application: Arc<A>,
    place: Place,
    stopped: watch::Receiver<bool>,
) {
    let visit = Arc::clone(&place.visit);
    let stream = TokioIo::new(Stream::new(socket, Arc::clone(&visit)));
    let service = service_fn(|mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let (application, visit, stopped) = (Arc::clone(&application), Arc::clone(&visit), stopped.clone());
        async move {
            visit.is(Phase::Busy);
            let serving = Serving(Arc::clone(&visit));
            let mut response = match host::refusal(&request) {
                Some(refusal) => refusal,
                None => application.answer(request.map(Body::new), visit).await,
            };
            if *stopped.borrow() {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            drop(serving);
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(http.serve_connection(stream, service));
    let mut timer = pin!(sleep_until(visit.deadline().unwrap_or_else(Instant::now)));
    let mut unwanted = pin!(visit.unwanted.notified());
    let mut farewell = pin!(farewell(stopped.clone()));
    let (mut is_last, mut is_closing) = (false, false);
    let end = poll_fn(|context| {
        loop {
            if let Poll::Ready(result) = connection.as_mut().poll(context) {
                return Poll::Ready(End::Over(result));
            }
            if !is_last && unwanted.as_mut().poll(context).is_ready() {
                if visit.phase() != Phase::Busy {
                    return Poll::Ready(End::Unwanted);
                }
                // It goes with the answer.
                is_last = true;
                connection.as_mut().graceful_shutdown();
                continue;
            }
            is_closing = is_closing || farewell.as_mut().poll(context).is_ready();
            if is_closing && !is_last && is_quiet(&visit) {
                if !visit.is_last_look() {
                    visit.look_once_more();
                    continue;
                }
                is_last = true;
                connection.as_mut().graceful_shutdown();
                continue;
            }
            let Some(deadline) = visit.deadline() else { return Poll::Pending };
            if deadline <= Instant::now() {
                return Poll::Ready(End::TooSlow);
            }
            if deadline < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(deadline);
            }
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await;
    match end {
        End::Over(Err(error)) => tracing::debug!("a connection ended: {error}"),
        End::TooSlow => tracing::debug!("a connection was too slow, or too long without a request"),
        End::Unwanted => tracing::debug!("a connection had to make room"),
        End::Over(Ok(())) => {}
    }
    drop(place);
}

/// Why a connection is at its end.
enum End {
    Over(hyper::Result<()>),
    TooSlow,
    Unwanted,
}

/// While this lives, a request is being answered; also one whose client goes away.
struct Serving(Arc<Visit>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.is(Phase::Idle);
    }
}

fn is_quiet(visit: &Visit) -> bool {
    matches!(visit.phase(), Phase::Fresh | Phase::Idle)
}

/// Ready a moment after the program was told to end: a client that is just asking gets an answer that says so.
async fn farewell(mut stopped: watch::Receiver<bool>) {
    // Nobody can tell any more: that is an end as well.
    let _ = stopped.wait_for(|stopped| *stopped).await;
    sleep(LINGER).await;
}

const LINGER: Duration = Duration::from_millis(250);
