//! The web framework that a run is about. What is no address of Hallpass is axum's in either.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use axum::Router;
use axum::body::Body;
use hallpass::{Builder, ConfigError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;

use crate::probe::Probe;

type Configure = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

pub(crate) enum Shell {
    Axum(Router),
    Actix { mounted: Vec<Configure>, rest: Router },
}

impl Shell {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "axum" => Self::Axum(Router::new()),
            "actix" => Self::Actix { mounted: Vec::new(), rest: Router::new() },
            _ => return None,
        })
    }

    /// Mounts a configuration; one that is wrong on purpose with its error answers.
    pub(crate) fn mount<C: Serialize + DeserializeOwned + Send + 'static>(
        &mut self,
        builder: Builder<Probe, C>,
    ) {
        let built = builder.build();
        match self {
            Self::Axum(app) => {
                use hallpass_axum::{AuthExt, ConfigErrorExt};
                let routes = built.map_or_else(ConfigError::routes, |auth| auth.routes());
                *app = std::mem::take(app).merge(routes);
            }
            Self::Actix { mounted, .. } => {
                use hallpass_actix::{AuthExt, ConfigErrorExt};
                mounted.push(match built {
                    Ok(auth) => Arc::new(auth.routes()),
                    Err(error) => Arc::new(error.routes()),
                });
            }
        }
    }

    /// Adds addresses that are none of Hallpass'.
    pub(crate) fn add(&mut self, routes: Router) {
        let (Self::Axum(app) | Self::Actix { rest: app, .. }) = self;
        *app = std::mem::take(app).merge(routes);
    }

    pub(crate) async fn serve(self, listener: TcpListener) -> Result<(), Box<dyn std::error::Error>> {
        match self {
            Self::Axum(app) => {
                listener.set_nonblocking(true)?;
                axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await?;
            }
            Self::Actix { mounted, rest } => {
                let app = move || {
                    let rest = rest.clone();
                    let app = mounted.iter().fold(App::new(), |app, mount| app.configure(&**mount));
                    app.default_service(web::to(move |request, body| pass(rest.clone(), request, body)))
                };
                HttpServer::new(app).workers(2).disable_signals().listen(listener)?.run().await?;
            }
        }
        Ok(())
    }
}

/// Passes a request on to axum.
async fn pass(rest: Router, request: HttpRequest, body: Payload) -> HttpResponse {
    pass_on(rest, &request, body).await.unwrap_or_else(|| HttpResponse::InternalServerError().finish())
}

async fn pass_on(rest: Router, request: &HttpRequest, body: Payload) -> Option<HttpResponse> {
    let body = body.to_bytes_limited(MOST).await.ok()?.ok()?;
    let mut passed =
        axum::http::Request::builder().method(request.method().as_str()).uri(request.uri().to_string());
    for (name, value) in request.headers() {
        passed = passed.header(name.as_str(), value.as_bytes());
    }
    let answer = rest.oneshot(passed.body(Body::from(body)).ok()?).await.ok()?;
    let (parts, body) = answer.into_parts();
    let mut response =
        HttpResponse::build(actix_web::http::StatusCode::from_u16(parts.status.as_u16()).ok()?);
    for (name, value) in &parts.headers {
        response.append_header((name.as_str(), value.as_bytes()));
    }
    Some(response.body(axum::body::to_bytes(body, MOST).await.ok()?))
}

/// In bytes.
const MOST: usize = 1 << 20;
