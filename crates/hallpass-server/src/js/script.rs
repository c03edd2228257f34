//! A configuration file, loaded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hallpass::Environment;
use url::{Origin, Url};

use super::description::Description;
use super::engine::{Limits, Program};
use super::fault::{Fault, Kind};
use super::fetch::Fetch;
use super::pool::Pool;
use super::request::{Seen, stub};
use super::strip::strip;
use crate::ops::Metrics;

/// A configuration that can be called.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(super) pool: Arc<Pool>,
    pub(super) description: Arc<Description>,
    pub(super) seen: Arc<Seen>,
    /// Development mode: people see what the callbacks did.
    pub(super) dev: bool,
    pub(super) is_per_request: bool,
}

/// What the settings say of it.
#[derive(Debug, Default)]
pub(crate) struct Loading {
    pub(crate) dev: bool,
    pub(crate) limits: Limits,
    /// Parameters of the query that callbacks may see.
    pub(crate) query: Vec<String>,
    /// Variables of the environment that callbacks may see, beside `AUTH_*`.
    pub(crate) variables: Vec<String>,
    /// Where relative addresses of `fetch` lead.
    pub(crate) base_url: Option<Url>,
    /// Origins that `fetch` may ask.
    pub(crate) allowed: Option<Vec<Origin>>,
    /// What one `fetch` may take.
    pub(crate) fetch: hallpass::http::Limits,
    /// Public address of the server.
    pub(crate) url: Option<Url>,
}

/// The file beside the settings, where there is one.
pub(crate) fn find(folder: &Path) -> Option<PathBuf> {
    candidates(folder).find(|path| path.is_file())
}

/// The files that would be found in a folder.
pub(crate) fn candidates(folder: &Path) -> impl Iterator<Item = PathBuf> + use<'_> {
    NAMES.iter().map(|name| folder.join(name))
}

impl Script {
    /// Loads a file.
    ///
    /// # Errors
    /// What is wrong with it, with line and cure.
    pub(crate) fn load(path: &Path, loading: Loading, environment: &Environment) -> Result<Self, Fault> {
        let mut source = String::new();
        Self::read(path, loading, environment, &mut source).map_err(|fault| fault.with_excerpt(&source))
    }

    fn read(
        path: &Path,
        loading: Loading,
        environment: &Environment,
        kept: &mut String,
    ) -> Result<Self, Fault> {
        let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let source = std::fs::read_to_string(path).map_err(|error| {
            Fault::new(Kind::Broken, format!("it cannot be read: {error}")).in_file(&file)
        })?;
        kept.clone_from(&source);
        let is_typed = path.extension().is_some_and(|extension| extension == "ts" || extension == "mts");
        let script = strip(&source, is_typed).map_err(|fault| fault.in_file(&file))?;
        let program = Program {
            environment: shown(environment, &loading.variables),
            limits: loading.limits,
            file,
            source,
            script,
        };
        let fetch = Fetch::new(loading.base_url, loading.allowed, loading.fetch);
        let pool = Pool::new(program, fetch)?;
        let is_per_request = pool.is_per_request();
        let json = pool.call_now("describe", "null", &stub())?;
        let description = Description::read(&json).map_err(|fault| fault.in_file(&pool.program.file))?;
        Ok(Self {
            pool: Arc::new(pool),
            description: Arc::new(description),
            seen: Arc::new(Seen { query: loading.query, url: loading.url }),
            dev: loading.dev,
            is_per_request,
        })
    }

    /// Name of the file.
    pub(crate) fn file(&self) -> &str {
        &self.pool.program.file
    }

    /// Has its calls counted.
    pub(crate) fn measure(&self, metrics: &Arc<Metrics>) {
        let _ = self.pool.metrics.set(Arc::clone(metrics));
    }

    pub(crate) fn description(&self) -> &Description {
        &self.description
    }

    /// Names of the callbacks and of the events that it handles.
    pub(crate) fn names(&self) -> (&[String], &[String]) {
        (&self.description.callbacks, &self.description.events)
    }

    /// Whether it has a callback of this name: `signIn`, `redirect`, `jwt`, `session`.
    pub(crate) fn has_callback(&self, name: &str) -> bool {
        self.description.callbacks.iter().any(|known| known == name)
    }

    /// Whether anything is told to it.
    pub(crate) fn has_events(&self) -> bool {
        !self.description.events.is_empty()
    }

    /// Parameters of the query that callbacks may see.
    pub(crate) fn query(&self) -> &[String] {
        &self.seen.query
    }

    pub(super) fn has_event(&self, name: &str) -> bool {
        self.description.events.iter().any(|known| known == name)
    }
}

/// The variables that callbacks see, as JSON.
fn shown(environment: &Environment, more: &[String]) -> String {
    let all: BTreeMap<_, _> = environment
        .iter()
        .filter(|(name, _)| {
            ["AUTH_", "NEXTAUTH_"].iter().any(|prefix| name.starts_with(prefix))
                || more.iter().any(|it| it == name)
        })
        .collect();
    serde_json::to_string(&all).unwrap_or_else(|_| "{}".to_owned())
}

const NAMES: [&str; 3] = ["hallpass.config.ts", "hallpass.config.mjs", "hallpass.config.js"];
