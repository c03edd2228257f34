//! Operation: what stands between the connections and the pages.

mod exporter;
mod gate;
mod health;
mod metrics;
mod open_files;
mod readiness;
mod request_line;
mod route;

pub(crate) use exporter::Exporter;
pub(crate) use gate::{Gate, Site};
pub(crate) use health::health;
pub(crate) use metrics::Metrics;
pub(crate) use open_files::connections_that_fit;
