//! In development mode a file that changes counts from the next request on.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::ACCEPT;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use hallpass::{Auth, Environment};
use http::StatusCode;
use minijinja::context;
use tower::ServiceExt;

use crate::cli::Serve;
use crate::config::Config;
use crate::js::{self, Fault};
use crate::ops::Metrics;
use crate::session::Claims;
use crate::storage::Storage;
use crate::{Failure, dev, home};

/// The server as the files say it now.
struct Current {
    flags: Serve,
    local: String,
    storage: Storage,
    metrics: Option<Arc<Metrics>>,
    state: Mutex<(Stamps, Router)>,
}

/// When the files were last written, and how long they are.
type Stamps = Vec<(PathBuf, Option<(SystemTime, u64)>)>;

/// A router that looks at the files before each request.
pub(super) fn router(
    config: &Config,
    auth: &Auth<Claims>,
    local: &str,
    flags: &Serve,
    storage: Storage,
    metrics: Option<Arc<Metrics>>,
) -> Router {
    let state = Mutex::new((stamps(config), super::router(config, auth, local)));
    let current = Current { flags: flags.clone(), local: local.to_owned(), storage, metrics, state };
    Router::new().fallback(answer).with_state(Arc::new(current))
}

/// Says what is wrong with the file, whatever is asked for.
pub(super) fn broken(fault: &Fault) -> Router {
    let fault = Arc::new(fault.clone());
    Router::new()
        .fallback(move |request: Request| async move { page(&fault, &request) })
        .merge(home::assets())
        .layer(middleware::from_fn(dev::only_this_machine))
}

async fn answer(State(current): State<Arc<Current>>, request: Request) -> Response {
    let router = current.router();
    router.oneshot(request).await.into_response()
}

impl Current {
    fn router(&self) -> Router {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0.iter().any(|(path, stamp)| self::stamp(path) != *stamp) {
            match self.load() {
                Ok((stamps, router)) => *state = (stamps, router),
                Err(failure) => {
                    tracing::error!("the changed settings do not count: {failure}");
                    for (path, known) in &mut state.0 {
                        *known = stamp(path);
                    }
                }
            }
        }
        state.1.clone()
    }

    fn load(&self) -> Result<(Stamps, Router), Failure> {
        let config = super::settings(&self.flags, Environment::of_process())?;
        let auth = super::auth(&config, &self.local, self.storage.clone(), self.metrics.clone())?;
        match (&config.broken_script, &config.script_path) {
            (Some(fault), _) => tracing::error!("{fault}"),
            (None, Some(path)) => tracing::info!("{} is loaded", path.display()),
            (None, None) => {}
        }
        Ok((stamps(&config), super::router(&config, &auth, &self.local)))
    }
}

/// Of all files that count, and of those that would.
fn stamps(config: &Config) -> Stamps {
    let folder = config.file.as_deref().and_then(Path::parent).unwrap_or_else(|| Path::new(""));
    let files = config.file.iter().cloned().chain(config.script_path.clone());
    files
        .chain(js::candidates(folder))
        .chain(config.looks_files())
        .map(|path| (path.clone(), stamp(&path)))
        .collect()
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn page(fault: &Fault, request: &Request) -> Response {
    let accepts = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if !accepts.contains("text/html") {
        return (StatusCode::INTERNAL_SERVER_ERROR, format!("{fault}\n")).into_response();
    }
    let data = context! {
        file => fault.file.clone(),
        line => fault.position.map(|it| it.line),
        column => fault.position.map(|it| it.column),
        message => fault.message.clone(),
        cure => fault.cure.clone(),
        excerpt => fault.excerpt.clone(),
    };
    (StatusCode::INTERNAL_SERVER_ERROR, home::page("broken.html", BROKEN, data)).into_response()
}

const BROKEN: &str = include_str!("broken.html");
