//! What the program says while it runs, on stderr.

use std::io::{self, IsTerminal};

use hallpass::Environment;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// An object in each line.
    Json,
}

/// Starts logging: `HALLPASS_LOG`, else `RUST_LOG`, else everything from `info`.
pub(crate) fn start(environment: &Environment, format: Format) {
    let wanted =
        ["HALLPASS_LOG", "RUST_LOG"].into_iter().find_map(|name| Some((name, environment.get(name)?)));
    let (filter, complaint) = match wanted.map(|(name, text)| (name, text.parse::<Targets>())) {
        Some((_, Ok(filter))) => (filter, None),
        Some((name, Err(error))) => (usual(), Some((name, error))),
        None => (usual(), None),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let registry = tracing_subscriber::registry();
    match format {
        Format::Text => {
            registry.with(lines.with_ansi(io::stderr().is_terminal())).with(filter).init();
        }
        Format::Json => {
            registry.with(lines.json().flatten_event(true).with_span_list(false)).with(filter).init();
        }
    }
    if let Some((name, error)) = complaint {
        tracing::warn!("{name} is not understood ({error}): write levels such as \"info,hallpass=debug\"");
    }
}

fn usual() -> Targets {
    Targets::new().with_default(tracing::Level::INFO)
}
