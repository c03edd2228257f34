//! What strangers may do, and who may speak for them.

use hallpass::Environment;

use super::document::Section;
use super::duration;
use super::problem::Problem;
use crate::edge::{Limits, Proxies, ProxyHeaders, Rate};

/// Settings of the edge.
#[derive(Clone, Debug)]
pub(crate) struct EdgeSettings {
    /// The proxies in front, where somebody has named them.
    pub(crate) proxies: Option<Proxies>,
    /// How many tries there may be, unless that is switched off.
    pub(crate) limits: Option<Limits>,
}

pub(super) fn read(
    top: &mut Section<'_>,
    environment: &Environment,
    dev: bool,
    problems: &mut Vec<Problem>,
) -> EdgeSettings {
    EdgeSettings { proxies: read_proxies(top, environment, problems), limits: read_limits(top, dev) }
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

/// In development mode there are no limits, unless the section is there.
fn read_limits(top: &mut Section<'_>, dev: bool) -> Option<Limits> {
    let mut limits = Limits::default();
    let Some(mut section) = top.section("rate_limit") else { return (!dev).then_some(limits) };
    let is_on = section.flag("enabled").unwrap_or(true);
    let named = [
        ("passwords_per_account", &mut limits.passwords_per_account),
        ("passwords_per_address", &mut limits.passwords_per_address),
        ("mails_per_recipient", &mut limits.mails_per_recipient),
        ("mails_per_address", &mut limits.mails_per_address),
        ("posts_per_address", &mut limits.posts_per_address),
    ];
    for (key, limit) in named {
        let Some(text) = section.text(key) else { continue };
        match parse_limit(&text.value) {
            Some(found) => *limit = found,
            None => section.document().note(
                text.span,
                format!("`rate_limit.{key}` must be a number in a time such as \"10/15m\", at most a day, or \"off\""),
            ),
        }
    }
    section.end();
    is_on.then_some(limits)
}

/// `10/15m`, or `off`.
fn parse_limit(text: &str) -> Option<Option<Rate>> {
    if text.trim() == "off" {
        return Some(None);
    }
    let (count, window) = text.split_once('/')?;
    let count = count.trim().parse().ok().filter(|count| (1..=1_000_000).contains(count))?;
    let window = duration::parse(window).filter(|window| (1..=24 * 60 * 60).contains(&window.as_secs()))?;
    Some(Some(Rate { count, window }))
}

const PROXY_HEADERS: &[(&str, ProxyHeaders)] =
    &[("x-forwarded", ProxyHeaders::XForwarded), ("forwarded", ProxyHeaders::Forwarded)];
