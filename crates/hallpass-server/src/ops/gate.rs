//! The way of a request to the pages: health, bounds, and the settings that count now.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use hallpass::{Auth, MAX_BODY, shell};
use http::{HeaderName, StatusCode, header};
use http_body_util::LengthLimitError;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tower::ServiceExt;
use tracing::Instrument;

use super::metrics::Metrics;
use super::readiness::Readiness;
use super::request_line::RequestLine;
use super::route;
use crate::config::Config;
use crate::listener::{Answer, Application, Phase, Visit};
use crate::session::Claims;
use crate::storage::{self, Storage};

/// What all requests pass.
#[derive(Debug)]
pub(crate) struct Gate {
    site: RwLock<Arc<Site>>,
    places: Semaphore,
    is_draining: AtomicBool,
    metrics: Option<Arc<Metrics>>,
}

/// What the settings make.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) config: Config,
    pub(crate) router: Router,
    /// Path below which the addresses of the library are.
    pub(crate) base_path: String,
    pub(crate) storage: Storage,
    /// Removes what has expired, while these settings count.
    sweeper: AbortHandle,
    readiness: Readiness,
}

impl Site {
    /// The server with these settings, and its sweeper.
    pub(crate) fn new(config: Config, router: Router, auth: Auth<Claims>, storage: Storage) -> Self {
        let base_path = auth.base_path().to_owned();
        let sweeper = tokio::spawn(storage::sweep(auth)).abort_handle();
        Self { config, router, base_path, storage, sweeper, readiness: Readiness::default() }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.sweeper.abort();
    }
}

impl Gate {
    pub(crate) fn new(site: Site, metrics: Option<Arc<Metrics>>) -> Arc<Self> {
        let places = Semaphore::new(site.config.operation.limits.in_flight);
        let site = RwLock::new(Arc::new(site));
        Arc::new(Self { site, places, is_draining: AtomicBool::new(false), metrics })
    }

    /// What counts now.
    pub(crate) fn site(&self) -> Arc<Site> {
        Arc::clone(&self.site.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From the next request on other settings count. Those that have begun go on as they began.
    pub(crate) fn replace(&self, site: Site) {
        let new = Arc::new(site);
        *self.site.write().unwrap_or_else(PoisonError::into_inner) = new;
    }

    /// What counts requests.
    pub(crate) fn metrics(&self) -> Option<&Arc<Metrics>> {
        self.metrics.as_ref()
    }

    async fn watched(&self, request: Request, visit: &Visit) -> Response {
        let site = self.site();
        let line = RequestLine::of(&request);
        if line.is_none() && self.metrics.is_none() {
            return self.pass(&site, request, visit).await;
        }
        let (began, route) = (Instant::now(), route::of(request.uri().path(), &site.base_path));
        let answering = self.metrics.as_ref().map(Metrics::answering);
        let response = match &line {
            Some(line) => self.pass(&site, request, visit).instrument(line.span()).await,
            None => self.pass(&site, request, visit).await,
        };
        drop(answering);
        if let Some(metrics) = &self.metrics {
            metrics.answered(route, response.status(), began.elapsed());
        }
        match line {
            Some(line) => line.write(route, response, began.elapsed()),
            None => response,
        }
    }

    async fn pass(&self, site: &Site, request: Request, visit: &Visit) -> Response {
        match request.uri().path() {
            "/healthz" => return plain(StatusCode::OK, "ok\n"),
            "/readyz" => return self.readiness(site).await,
            _ => {}
        }
        let request = match whole(request, visit).await {
            Ok(request) => request,
            Err(refusal) => return refusal,
        };
        let Ok(_place) = self.places.try_acquire() else {
            self.metrics.iter().for_each(|metrics| metrics.shed());
            let busy = plain(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once: come again\n");
            return ([(header::RETRY_AFTER, "1")], busy).into_response();
        };
        let Ok(response) = site.router.clone().oneshot(request).await;
        response
    }

    async fn readiness(&self, site: &Site) -> Response {
        if self.is_draining.load(Ordering::Relaxed) {
            return plain(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
        }
        match site.readiness.of(&site.storage).await {
            true => plain(StatusCode::OK, "ready\n"),
            false => plain(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n"),
        }
    }
}

impl Application for Gate {
    fn answer(self: Arc<Self>, request: Request, visit: Arc<Visit>) -> Answer {
        Box::pin(async move { self.watched(request, &visit).await })
    }

    fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }
}

/// The request with its whole body. While that comes in, it takes no place of those that are being answered.
async fn whole(request: Request, visit: &Visit) -> Result<Request, Response> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    visit.is(Phase::Body);
    match timeout(visit.body_time(), to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => {
            visit.is(Phase::Busy);
            Ok(Request::from_parts(parts, Body::from(body)))
        }
        Ok(Err(error)) => Err(match error.into_inner().is::<LengthLimitError>() {
            true => shell::body_too_large().map(Body::from),
            // Its chunks are none, or could be read in two ways.
            false => closing(plain(StatusCode::BAD_REQUEST, "the body is none\n")),
        }),
        Err(_) => Err(closing(plain(StatusCode::REQUEST_TIMEOUT, "the body took too long\n"))),
    }
}

fn closing(response: Response) -> Response {
    ([(header::CONNECTION, "close")], response).into_response()
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    (status, PLAIN, text).into_response()
}

const PLAIN: [(HeaderName, &str); 2] =
    [(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
