//! `hallpass serve`: settings in, server up, and down again.

use std::fmt::Write;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hallpass::{Auth, Environment};
use http::{HeaderValue, StatusCode, header};
use tokio::signal;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::Failure;
use crate::cli::Serve;
use crate::config::Config;
use crate::edge::{self, Arrivals};
use crate::listener::Connections;
use crate::ops::{self, Exporter, Gate, Metrics, Site};
use crate::session::{self, App, Claims};
use crate::storage::Storage;
use crate::{dev, home, listener, log};

mod hangup;
mod reload;

/// Runs until somebody stops it.
pub(crate) fn run(flags: &Serve) -> Result<(), Failure> {
    let environment = Environment::of_process();
    log::start(&environment, Config::log_format(flags, &environment));
    let config = settings(flags, environment)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::other)?;
    runtime.block_on(serve(config, flags))?;
    // A password that is still being checked is of no use to anybody.
    runtime.shutdown_background();
    Ok(())
}

/// The settings; in development mode with what it makes by itself.
pub(crate) fn settings(flags: &Serve, environment: Environment) -> Result<Config, Failure> {
    let mut config = Config::load(flags, environment)?;
    if !config.dev {
        return Ok(config);
    }
    dev::add_demo_users(&mut config.users);
    if config.database.is_own_file {
        dev::make_home(Path::new("")).map_err(|error| {
            Failure::Other(format!("the folder .hallpass cannot be made ({error}): set AUTH_DATABASE_URL"))
        })?;
    }
    if config.lacks_secret() {
        let secret = dev::kept_secret(Path::new("")).map_err(|error| {
            Failure::Other(format!(
                "the secret cannot be kept in .hallpass/secret ({error}): set AUTH_SECRET"
            ))
        })?;
        config.secrets = vec![secret];
    }
    Ok(config)
}

async fn serve(config: Config, flags: &Serve) -> Result<(), Failure> {
    let hangups = hangup::Hangups::listen().map_err(Failure::other)?;
    let storage = Storage::open(&config).await?;
    storage.prepare(&config).await?;
    let stop = stopped().map_err(Failure::other)?;
    let listener = listener::bind(config.listen, config.listen_is_chosen || !config.dev).await;
    let listener = listener.map_err(|error| {
        Failure::Other(format!("cannot listen on {}: {error}; choose another with --listen", config.listen))
    })?;
    let listening = listener.local_addr().map_err(Failure::other)?;
    let local = listener::address_to_open(listening);
    let metrics = config.operation.metrics.map(|_| Metrics::new());
    let auth = auth(&config, &local, storage.clone(), metrics.clone())?;
    let router = match config.dev {
        true => reload::router(&config, &auth, &local, flags, storage.clone(), metrics.clone()),
        false => router(&config, &auth, &local),
    };
    let limits = config.operation.limits.clone();
    let most = ops::connections_that_fit(limits.connections, config.database.connections());
    let connections = Connections::new(most, limits.times);
    let exporting = export(&config, metrics.as_ref(), &connections).await?;
    announce(&config, &auth, &local);
    let gate = Gate::new(Site::new(config, router, auth, storage), metrics);
    let following = tokio::spawn(hangup::follow(hangups, Arc::clone(&gate), flags.clone(), local));
    listener::serve(listener, Arc::clone(&gate), connections, limits.drain, stop).await;
    following.abort();
    exporting.iter().for_each(JoinHandle::abort);
    gate.site().storage.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Hallpass as the settings want it, for a server at this address.
fn auth(
    config: &Config,
    local: &str,
    storage: Storage,
    metrics: Option<Arc<Metrics>>,
) -> Result<Auth<Claims>, Failure> {
    // Before providers are moved to it.
    if let Some(stand_in) = config.stand_in() {
        stand_in.listens_at(local);
    }
    session::auth(config, App::new(config, storage).measured(metrics))
}

/// Shows the metrics, where somebody wants them.
async fn export(
    config: &Config,
    metrics: Option<&Arc<Metrics>>,
    connections: &Arc<Connections>,
) -> Result<Option<JoinHandle<()>>, Failure> {
    let Some((address, metrics)) = config.operation.metrics.zip(metrics.cloned()) else { return Ok(None) };
    let listener = listener::bind(address, true).await.map_err(|error| {
        Failure::Other(format!(
            "cannot listen on {address} for metrics: {error}; choose another with `listen` in [metrics]"
        ))
    })?;
    let listening = listener.local_addr().map_err(Failure::other)?;
    tracing::info!("metrics at http://{listening}/metrics");
    let exporter = Arc::new(Exporter { metrics, connections: Arc::clone(connections) });
    let own = Connections::new(CONNECTIONS_FOR_METRICS, config.operation.limits.times);
    let serving = listener::serve(listener, exporter, own, Duration::ZERO, std::future::pending());
    Ok(Some(tokio::spawn(serving)))
}

/// Everything that the server answers. In development mode the file with callbacks may be broken.
fn router(config: &Config, auth: &Auth<Claims>, local: &str) -> Router {
    let router = match &config.broken_script {
        Some(fault) => reload::broken(fault),
        None => routes(config, auth, local),
    };
    let router = router
        .layer(middleware::from_fn(in_time))
        .layer(middleware::from_fn(within_limits))
        .layer(middleware::from_fn(as_typed))
        .layer(middleware::from_fn_with_state(Arrivals::new(config.edge.proxies.clone()), edge::arrive));
    match config.dev {
        // Before anything is taken away that a proxy says, which need not be listed to bring strangers.
        true => router.layer(middleware::from_fn(dev::only_this_machine)),
        false => router,
    }
}

fn routes(config: &Config, auth: &Auth<Claims>, local: &str) -> Router {
    let router = Router::new()
        .merge(home::assets())
        .merge(edge::routes(config, auth))
        .fallback(async || (StatusCode::NOT_FOUND, "there is nothing here\n"));
    match config.dev {
        true => dev::mount(router, dev::Dev::new(config, auth, local)),
        false => router.merge(home::routes(auth)),
    }
}

/// The connection bounds the headers roughly, by what it buffers; this is the limit.
async fn within_limits(request: Request, next: Next) -> Response {
    let size: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > LONGEST_HEADERS {
        return (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers are larger than 64 KiB\n")
            .into_response();
    }
    next.run(request).await
}

/// A provider that does not answer must not keep a request for ever.
async fn in_time(request: Request, next: Next) -> Response {
    timeout(REQUEST_TIME, next.run(request)).await.unwrap_or_else(|_| {
        ([(header::CONNECTION, "close")], (StatusCode::REQUEST_TIMEOUT, "the request took too long\n"))
            .into_response()
    })
}

/// No browser may guess what an answer is.
async fn as_typed(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Says where the server is. The first http address is the one to open.
fn announce(config: &Config, auth: &Auth<Claims>, local: &str) {
    let open = config.url.as_deref().filter(|_| !config.dev).unwrap_or(local);
    let mut text = format!("Hallpass {} is ready at {open}\n", env!("CARGO_PKG_VERSION"));
    // Writing to a String does not fail.
    if config.dev {
        text.push_str("\nDevelopment mode, for this machine only. Sign in as\n");
        for demo in &dev::PEOPLE {
            let _ = writeln!(
                text,
                "  {:<8}with the password  {:<7}({}, {})",
                demo.username, demo.password, demo.name, demo.role
            );
        }
        for provider in config.provider_names() {
            let _ = writeln!(text, "  or with {provider}");
        }
        let stand_ins: Vec<_> = config.stand_in_names().collect();
        if !stand_ins.is_empty() {
            let _ = writeln!(text, "  or offline, with a stand-in for {}", stand_ins.join(", "));
        }
        if config.inbox().is_some() {
            let _ = writeln!(text, "  or with any e-mail address; the mails are at {local}/dev/inbox");
        }
        text.push_str("\nA server of your own: hallpass --help, docs/server.md. Ctrl-C stops this one.\n");
    } else {
        let _ = writeln!(text, "  listening at    {local}");
        let redis = if config.database.redis.is_some() { "; sessions in Redis" } else { "" };
        let _ = writeln!(text, "  users in        {}{redis}", config.database.place);
        if let Some(file) = &config.script_path {
            let _ = writeln!(text, "  callbacks from  {}", file.display());
        }
        let _ = writeln!(
            text,
            "  sign-in page    {}",
            auth.sign_in_url("/").split('?').next().unwrap_or_default()
        );
        if let Some(file) = &config.file {
            let _ = writeln!(text, "  settings from   {}", file.display());
        }
    }
    // Whoever started the server may have closed the pipe: it runs all the same.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
}

/// Ready when the program is asked to stop: Ctrl-C, or SIGTERM.
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        let terminated = terminate.recv();
        #[cfg(not(unix))]
        let terminated = std::future::pending::<Option<()>>();
        tokio::select! {
            _ = signal::ctrl_c() => {}
            _ = terminated => {}
        }
        tracing::info!("stopping");
    })
}

/// Few ask for them.
const CONNECTIONS_FOR_METRICS: usize = 16;

/// For a whole request; sign-in asks the provider in it.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// In bytes. A session of the largest size takes a good part of it.
const LONGEST_HEADERS: usize = 64 * 1024;
