//! What strangers may do, and who may speak for them.

use hallpass::Environment;

use super::document::Section;
use super::problem::Problem;
use crate::edge::{Proxies, ProxyHeaders};

/// Settings of the edge.
#[derive(Clone, Debug)]
pub(crate) struct EdgeSettings {
    /// The proxies in front, where somebody has named them.
    pub(crate) proxies: Option<Proxies>,
}

pub(super) fn read(
    top: &mut Section<'_>,
    environment: &Environment,
    problems: &mut Vec<Problem>,
) -> EdgeSettings {
    EdgeSettings { proxies: read_proxies(top, environment, problems) }
}

/// The environment wins over the file.
fn read_proxies(
    top: &mut Section<'_>,
    environment: &Environment,
    problems: &mut Vec<Problem>,
) -> Option<Proxies> {
    let listed = top.texts("trusted_proxies");
    let headers = top.choice("proxy_headers", PROXY_HEADERS).unwrap_or_default();
    if let Some(text) = environment.get("HALLPASS_TRUSTED_PROXIES") {
        let entries: Vec<_> = text.split(',').map(str::to_owned).collect();
        return Proxies::new(&entries, headers)
            .map_err(|error| problems.push(Problem::new(format!("HALLPASS_TRUSTED_PROXIES {error}"))))
            .ok();
    }
    Proxies::new(&listed?, headers)
        .map_err(|error| top.note_key("trusted_proxies", format!("`trusted_proxies` {error}")))
        .ok()
}

const PROXY_HEADERS: &[(&str, ProxyHeaders)] =
    &[("x-forwarded", ProxyHeaders::XForwarded), ("forwarded", ProxyHeaders::Forwarded)];
