//! `/metrics`, on a listener of its own.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, header};

use super::metrics::Metrics;
use crate::listener::{Answer, Application, Connections, Visit};

/// Shows the metrics.
#[derive(Debug)]
pub(crate) struct Exporter {
    pub(crate) metrics: Arc<Metrics>,
    /// Those of the server, not those that ask here.
    pub(crate) connections: Arc<Connections>,
}

impl Application for Exporter {
    fn answer(self: Arc<Self>, request: Request, _: Arc<Visit>) -> Answer {
        let response = self.respond(&request);
        Box::pin(async move { response })
    }
}

impl Exporter {
    fn respond(&self, request: &Request) -> Response {
        if request.uri().path() != "/metrics" {
            return (StatusCode::NOT_FOUND, "metrics are at /metrics\n").into_response();
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
        }
        ([(header::CONTENT_TYPE, FORMAT)], self.metrics.text(&self.connections)).into_response()
    }
}

const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
