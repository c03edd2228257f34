//! What is counted, for Prometheus. Labels have few values, and say nothing about anybody.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hallpass::clock::{Clock, SystemClock};
use hallpass::{Auth, Builder, Error, ErrorKind, Event, RequestInfo};
use http::StatusCode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::route;
use crate::listener::Connections;

/// All of it.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<[Label; 2], Counter>,
    durations: Family<[Label; 1], Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    shed: Counter,
    sign_ins: Family<[(&'static str, String); 2], Counter>,
    errors: Family<[Label; 1], Counter>,
    callbacks: Family<[Label; 1], Histogram, fn() -> Histogram>,
    callback_failures: Family<[Label; 1], Counter>,
    connections: Gauge,
    connections_closed: Counter,
    known: RwLock<Known>,
}

type Label = (&'static str, &'static str);

/// What may be a label.
#[derive(Debug, Default)]
struct Known {
    base_path: String,
    providers: BTreeSet<String>,
}

impl Metrics {
    pub(crate) fn new() -> Arc<Self> {
        let histograms = || Family::new_with_constructor(histogram as fn() -> Histogram);
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            durations: histograms(),
            in_flight: Gauge::default(),
            shed: Counter::default(),
            sign_ins: Family::default(),
            errors: Family::default(),
            callbacks: histograms(),
            callback_failures: Family::default(),
            connections: Gauge::default(),
            connections_closed: Counter::default(),
            known: RwLock::default(),
        };
        metrics.register();
        Arc::new(metrics)
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "hallpass_http_requests",
            "Requests by route and status class",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "hallpass_http_request_duration",
            "Time from the headers of a request to its answer",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register(
            "hallpass_http_requests_in_flight",
            "Requests that are being answered",
            self.in_flight.clone(),
        );
        registry.register(
            "hallpass_http_requests_shed",
            "Requests that were told to come again because too many were being answered",
            self.shed.clone(),
        );
        registry.register("hallpass_sign_ins", "Sign-ins by provider and outcome", self.sign_ins.clone());
        registry.register(
            "hallpass_errors",
            "Errors by Auth.js' name: AdapterError is the store, Unavailable what did not answer",
            self.errors.clone(),
        );
        registry.register_with_unit(
            "hallpass_callback_duration",
            "Time that callbacks in JavaScript took",
            Unit::Seconds,
            self.callbacks.clone(),
        );
        registry.register(
            "hallpass_callback_failures",
            "Callbacks in JavaScript that threw or took more than they may",
            self.callback_failures.clone(),
        );
        registry.register("hallpass_connections", "Open connections", self.connections.clone());
        registry.register(
            "hallpass_connections_closed_for_others",
            "Connections without a request that were closed because more came than there may be",
            self.connections_closed.clone(),
        );
        registry.register("hallpass_build", "Version", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let start = Gauge::<i64>::default();
        start.set(SystemClock.now().seconds());
        registry.register_with_unit("process_start_time", "Start of the process", Unit::Seconds, start);
    }

    /// Everything, in the text format of `OpenMetrics`.
    pub(super) fn text(&self, connections: &Connections) -> String {
        self.connections.set(i64::try_from(connections.count()).unwrap_or(i64::MAX));
        self.connections_closed.inner().store(connections.closed_for_others(), Ordering::Relaxed);
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }

    /// A request was answered.
    pub(super) fn answered(&self, route: &'static str, status: StatusCode, took: Duration) {
        self.requests.get_or_create(&[("route", route), ("status", class(status))]).inc();
        self.durations.get_or_create(&[("route", route)]).observe(took.as_secs_f64());
    }

    /// A request is being answered, as long as this lives.
    pub(super) fn answering(self: &Arc<Self>) -> Answering {
        self.in_flight.inc();
        Answering(Arc::clone(self))
    }

    /// A request was turned away.
    pub(super) fn shed(&self) {
        self.shed.inc();
    }

    /// A callback in JavaScript has ended.
    pub(crate) fn called(&self, callback: &'static str, took: Duration, has_failed: bool) {
        let label = [("callback", callback)];
        self.callbacks.get_or_create(&label).observe(took.as_secs_f64());
        if has_failed {
            self.callback_failures.get_or_create(&label).inc();
        }
    }

    /// Has sign-ins and errors counted.
    pub(crate) fn watch<S: Clone + Send + Sync + 'static>(
        self: &Arc<Self>,
        builder: Builder<S>,
    ) -> Builder<S> {
        let (successes, failures) = (Arc::clone(self), Arc::clone(self));
        builder
            .audit(move |event, _| {
                if let Event::SignIn { account, .. } = event {
                    successes.signed_in(&account.provider, "success");
                }
            })
            .on_error(move |error, request| failures.failed(error, request))
    }

    /// Which labels there may be from now on.
    pub(crate) fn know<C>(&self, auth: &Auth<C>) {
        let providers = auth.provider_ids().map(str::to_owned).collect();
        let base_path = auth.base_path().to_owned();
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known { base_path, providers };
    }

    fn failed(&self, error: &Error, request: Option<&RequestInfo>) {
        self.errors.get_or_create(&[("kind", error.kind().name())]).inc();
        let Some((outcome, path)) = outcome(error.kind()).zip(request.map(RequestInfo::path)) else { return };
        let base_path = self.known.read().unwrap_or_else(PoisonError::into_inner).base_path.clone();
        if let Some(provider) = route::provider(path, &base_path) {
            self.signed_in(provider, outcome);
        }
    }

    fn signed_in(&self, provider: &str, outcome: &str) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let provider = known.providers.get(provider).map_or("unknown", String::as_str);
        let labels = [("provider", provider.to_owned()), ("outcome", outcome.to_owned())];
        self.sign_ins.get_or_create(&labels).inc();
    }
}

/// See [`Metrics::answering`].
pub(super) struct Answering(Arc<Metrics>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.in_flight.dec();
    }
}

/// How a sign-in ended that ended with such an error; `None` for what is no sign-in.
fn outcome(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::AccessDenied
        | ErrorKind::AccountNotLinked
        | ErrorKind::CredentialsSignin
        | ErrorKind::MissingCsrf
        | ErrorKind::OAuthAccountNotLinked
        | ErrorKind::Verification => Some("refused"),
        ErrorKind::Store | ErrorKind::Unavailable => Some("unavailable"),
        ErrorKind::Event
        | ErrorKind::InvalidProvider
        | ErrorKind::UnknownAction
        | ErrorKind::UntrustedHost => None,
        _ => Some("failed"),
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

/// In seconds.
const BUCKETS: [f64; 13] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];
