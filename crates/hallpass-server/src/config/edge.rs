//! What strangers may do, and who may speak for them.

use std::collections::BTreeSet;

use hallpass::{Environment, SameSite};
use serde_json::Value;
use url::Url;

use super::document::Section;
use super::problem::Problem;
use super::{duration, is_loopback_host};
use crate::edge::{Claim, CookieScope, ForwardAuth, Limits, Proxies, ProxyHeaders, Rate, Requirement};

/// Settings of the edge.
#[derive(Clone, Debug)]
pub(crate) struct EdgeSettings {
    /// The proxies in front, where somebody has named them.
    pub(crate) proxies: Option<Proxies>,
    /// How many tries there may be, unless that is switched off.
    pub(crate) limits: Option<Limits>,
    /// What proxies are told that ask whether a request may pass.
    pub(crate) forward_auth: Option<ForwardAuth>,
    /// Front ends at other origins.
    pub(crate) cors: Vec<String>,
    /// Where cookies are sent.
    pub(crate) cookies: CookieScope,
}

pub(super) fn read(
    top: &mut Section<'_>,
    environment: &Environment,
    dev: bool,
    problems: &mut Vec<Problem>,
) -> EdgeSettings {
    EdgeSettings {
        proxies: read_proxies(top, environment, problems),
        limits: read_limits(top, dev),
        forward_auth: read_forward_auth(top),
        cors: read_cors(top),
        cookies: read_cookies(top),
    }
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
        ("callbacks_per_address", &mut limits.callbacks_per_address),
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

fn read_forward_auth(top: &mut Section<'_>) -> Option<ForwardAuth> {
    let mut section = top.section("forward_auth")?;
    let path = section.text("path");
    if let Some(path) = path.as_ref().filter(|path| !is_path(&path.value)) {
        let message = "`forward_auth.path` must be a path such as \"/verify\"";
        section.document().note(path.span.clone(), message);
    }
    let claims = section.texts("claims").unwrap_or_default();
    let claims = claims.iter().filter_map(|path| {
        let claim = Claim::new(path);
        if claim.is_none() {
            let message = "may hold letters, digits, `_` and `-`, with `.` between names";
            section.note_key("claims", format!("`forward_auth.claims`: {path:?} {message}"));
        }
        claim
    });
    let claims: Vec<_> = claims.collect();
    let mut headers = BTreeSet::new();
    if let Some(twice) = claims.iter().find(|claim| !headers.insert(claim.header.as_str())) {
        let message = format!("`forward_auth.claims`: two of them have the header {}", twice.header);
        section.note_key("claims", message);
    }
    let require = section.section("require").map(read_requirements).unwrap_or_default();
    let redirect = section.flag("redirect").unwrap_or_default();
    let envoy = section.flag("envoy").unwrap_or_default();
    let origins = origins(&mut section, "origins");
    section.end();
    let path = path.map_or_else(|| "/verify".to_owned(), |path| path.value);
    Some(ForwardAuth { path, claims, require, redirect, envoy, origins })
}

/// `role = "admin"`, or `role = ["admin", "editor"]`.
fn read_requirements(mut section: Section<'_>) -> Vec<Requirement> {
    let keys: Vec<_> = section.keys().collect();
    let mut requirements = Vec::new();
    for key in keys {
        let any_of = match section.json(key) {
            Some(Value::String(text)) => vec![text],
            Some(value @ (Value::Bool(_) | Value::Number(_))) => vec![value.to_string()],
            Some(Value::Array(items)) => {
                items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        };
        if any_of.is_empty() {
            let name = section.path_of(key);
            section.note_key(
                key,
                format!("`{name}` must be a text, a number, true or false, or a list of texts"),
            );
        }
        requirements.push(Requirement { claim: key.to_owned(), any_of });
    }
    section.end();
    requirements
}

fn read_cors(top: &mut Section<'_>) -> Vec<String> {
    let Some(mut section) = top.section("cors") else { return Vec::new() };
    let origins = origins(&mut section, "origins");
    section.end();
    origins
}

fn read_cookies(top: &mut Section<'_>) -> CookieScope {
    let mut scope = CookieScope::default();
    let Some(mut section) = top.section("cookies") else { return scope };
    scope.same_site = section.choice("same_site", SAME_SITE);
    scope.domain = section.text("domain").and_then(|domain| {
        let is_domain = domain.value.split('.').count() > 1
            && domain.value.parse::<std::net::IpAddr>().is_err()
            && domain.value.split('.').all(|label| {
                !label.is_empty() && label.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
            });
        if !is_domain {
            let message = "`cookies.domain` must be a domain such as \"example.com\"";
            section.document().note(domain.span, message);
        }
        is_domain.then(|| domain.value.to_ascii_lowercase())
    });
    section.end();
    scope
}

/// Origins as browsers write them. Only this machine needs no encryption.
fn origins<'a>(section: &mut Section<'a>, key: &'a str) -> Vec<String> {
    let origins = section.texts(key).unwrap_or_default();
    let is_origin = |text: &str| {
        let url = Url::parse(text).ok().filter(|url| !text.contains('*') && url.has_host());
        url.is_some_and(|url| {
            let is_safe = url.scheme() == "https" || url.host_str().is_some_and(is_loopback_host);
            matches!(url.scheme(), "http" | "https") && is_safe && url.origin().ascii_serialization() == text
        })
    };
    if let Some(wrong) = origins.iter().find(|text| !is_origin(text)) {
        let name = section.path_of(key);
        let message = "is none: scheme, host and perhaps port in small letters, no path, no `*`, and https";
        section.note_key(
            key,
            format!("`{name}` holds origins such as \"https://app.example.com\"; {wrong:?} {message}"),
        );
    }
    origins
}

fn is_path(path: &str) -> bool {
    let is_plain = path.bytes().all(|it| it.is_ascii_alphanumeric() || b"/_-.~".contains(&it));
    path.len() > 1 && path.starts_with('/') && !path.ends_with('/') && !path.contains("//") && is_plain
}

/// `Strict` is none of them: the answer of a provider comes from another site.
const SAME_SITE: &[(&str, SameSite)] = &[("lax", SameSite::Lax), ("none", SameSite::None)];

const PROXY_HEADERS: &[(&str, ProxyHeaders)] =
    &[("x-forwarded", ProxyHeaders::XForwarded), ("forwarded", ProxyHeaders::Forwarded)];
