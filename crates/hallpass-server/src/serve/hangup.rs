//! SIGHUP: the settings are read again, and count from the next request on, if nothing is wrong with them.

use std::sync::Arc;

use hallpass::Environment;

use super::Failure;
use crate::cli::Serve;
use crate::config::Config;
use crate::ops::{Gate, Site};
use crate::storage::Storage;

/// The signals, from now on: before, one would have ended the program.
#[cfg(unix)]
pub(super) struct Hangups(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Hangups {
    pub(super) fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::hangup()).map(Self)
    }

    async fn next(&mut self) -> Option<()> {
        self.0.recv().await
    }
}

/// There are none here.
#[cfg(not(unix))]
pub(super) struct Hangups;

#[cfg(not(unix))]
impl Hangups {
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Option<()> {
        None
    }
}

/// Reads the settings again at each signal.
pub(super) async fn follow(mut hangups: Hangups, gate: Arc<Gate>, flags: Serve, local: String) {
    while hangups.next().await.is_some() {
        if gate.site().config.dev {
            tracing::info!("development mode takes changed files by itself");
            continue;
        }
        match reload(&gate, &flags, &local).await {
            Ok(()) => tracing::info!("the settings were read again, and count from the next request on"),
            Err(failure) => tracing::error!("the settings stay as they were: {failure}"),
        }
    }
}

async fn reload(gate: &Gate, flags: &Serve, local: &str) -> Result<(), Failure> {
    let again = flags.clone();
    let reading = move || super::settings(&again, Environment::of_process());
    let config = tokio::task::spawn_blocking(reading).await.map_err(Failure::other)??;
    let old = gate.site();
    if config.dev {
        return Err(Failure::Other(
            "the file of settings is gone, and without it this would be development mode".into(),
        ));
    }
    let storage = store(&old, &config).await?;
    let auth = super::auth(&config, local, storage.clone(), gate.metrics().cloned())?;
    let router = super::router(&config, &auth, local);
    for name in fixed(&old.config, &config) {
        tracing::warn!("{name} has changed: that takes a new start");
    }
    gate.replace(Site::new(config, router, auth, storage));
    Ok(())
}

/// The store that is open, unless the settings name another one, or other secrets to seal with.
async fn store(old: &Site, config: &Config) -> Result<Storage, Failure> {
    if old.config.has_same_store(config) {
        return Ok(old.storage.clone());
    }
    if config.database.is_in_memory() {
        return Err(Failure::Other("a database in memory cannot be changed while the server runs".into()));
    }
    let storage = Storage::open(config).await?;
    storage.prepare(config).await?;
    tracing::info!("users in {} from now on", config.database.place);
    Ok(storage)
}

/// What has changed and cannot count now.
fn fixed(old: &Config, new: &Config) -> Vec<&'static str> {
    let (old_operation, new_operation) = (&old.operation, &new.operation);
    let changed = [
        ("`listen`", old.listen != new.listen),
        ("[limits]", old_operation.limits != new_operation.limits),
        ("[log]", old_operation.log != new_operation.log),
        ("[metrics]", old_operation.metrics != new_operation.metrics),
    ];
    changed.into_iter().filter_map(|(name, has_changed)| has_changed.then_some(name)).collect()
}
