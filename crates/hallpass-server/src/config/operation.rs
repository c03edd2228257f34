//! How the server runs: `[limits]`, `[metrics]`, `[log]`.

use std::net::SocketAddr;
use std::time::Duration;

use hallpass::Environment;

use super::document::{Document, Section};
use super::listen;
use super::problem::Problem;
use crate::listener::Times;
use crate::log::Format;

/// What takes a new start to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// How much there may be at once, and how long it may take.
    pub(crate) limits: Limits,
    /// Where metrics are shown; nowhere by default.
    pub(crate) metrics: Option<SocketAddr>,
    /// How lines of the log look.
    pub(crate) log: Format,
}

/// `[limits]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// How many connections may be open.
    pub(crate) connections: usize,
    /// How many requests may be answered at once.
    pub(crate) in_flight: usize,
    /// How long a connection may take for each part of a request, and between two.
    pub(crate) times: Times,
    /// How long requests that have begun may take when the server stops.
    pub(crate) drain: Duration,
}

pub(super) fn read(
    top: &mut Section<'_>,
    environment: &Environment,
    problems: &mut Vec<Problem>,
) -> Operation {
    Operation {
        limits: top.section("limits").map(read_limits).unwrap_or_default(),
        metrics: top.section("metrics").and_then(read_metrics),
        log: read_log(top.section("log"), environment, problems),
    }
}

fn read_limits(mut section: Section<'_>) -> Limits {
    let mut limits = Limits::default();
    for (key, number) in [("connections", &mut limits.connections), ("in_flight", &mut limits.in_flight)] {
        if let Some(given) = section.integer(key) {
            *number = usize::try_from(given).unwrap_or(usize::MAX);
        }
    }
    if limits.in_flight == 0 || limits.in_flight >= limits.connections {
        section.note("`limits.in_flight` must be at least 1, and less than `limits.connections`");
    }
    let times = &mut limits.times;
    for (key, time, most) in [
        ("header_timeout", &mut times.header, MINUTE),
        ("body_timeout", &mut times.body, MINUTE),
        ("idle_timeout", &mut times.idle, HOUR),
        ("drain", &mut limits.drain, HOUR),
    ] {
        let Some(given) = section.duration(key) else { continue };
        if given.is_zero() || given > most {
            let seconds = most.as_secs();
            section.note(format!("`limits.{key}` must be between 1 and {seconds} seconds"));
        }
        *time = given;
    }
    section.end();
    limits
}

fn read_metrics(mut section: Section<'_>) -> Option<SocketAddr> {
    let found = section.text("listen");
    let address = match &found {
        Some(text) => listen::parse(&text.value)
            .map_err(|error| {
                section.document().note(text.span.clone(), format!("`metrics.listen` {error}"));
            })
            .ok(),
        None => None,
    };
    if found.is_none() {
        section.note("[metrics] needs `listen`, such as \"127.0.0.1:9464\"");
    }
    section.end();
    address
}

/// How lines of the log look, found out before anything is logged. What is wrong is told later.
pub(super) fn log_format(document: &Document, environment: &Environment) -> Format {
    let table = document.parse();
    let section = document.section(&table).section("log");
    read_log(section, environment, &mut Vec::new())
}

fn read_log(section: Option<Section<'_>>, environment: &Environment, problems: &mut Vec<Problem>) -> Format {
    let from_file = section.and_then(|mut section| {
        let format = section.choice("format", FORMATS);
        section.end();
        format
    });
    let Some(given) = environment.get(FORMAT) else { return from_file.unwrap_or_default() };
    let known = FORMATS.iter().find(|(word, _)| *word == given);
    if known.is_none() {
        problems.push(Problem::new(format!("{FORMAT} must be \"text\" or \"json\"")));
    }
    known.map(|(_, format)| *format).unwrap_or_default()
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            in_flight: 1024,
            times: Times {
                header: Duration::from_secs(10),
                body: Duration::from_secs(10),
                idle: Duration::from_secs(75),
            },
            drain: Duration::from_secs(10),
        }
    }
}

const FORMATS: &[(&str, Format)] = &[("text", Format::Text), ("json", Format::Json)];

const FORMAT: &str = "HALLPASS_LOG_FORMAT";

const MINUTE: Duration = Duration::from_secs(60);

const HOUR: Duration = Duration::from_secs(3600);
