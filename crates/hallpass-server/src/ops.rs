//! Operation: what stands between the connections and the pages.

mod gate;
mod open_files;
mod readiness;

pub(crate) use gate::{Gate, Site};
pub(crate) use open_files::connections_that_fit;
