//! What the world of a configuration gets from Hallpass.

use std::sync::Arc;

use hallpass::random::{Random, SystemRandom};
use rquickjs::{Ctx, Exception, Function, Object, Result};
use serde_json::json;
use url::{Url, form_urlencoded};

use super::engine::Wishes;

/// The functions that the prelude takes.
pub(super) fn functions<'js>(ctx: &Ctx<'js>, wishes: &Arc<Wishes>) -> Result<Object<'js>> {
    let host = Object::new(ctx.clone())?;
    let wishes = Arc::clone(wishes);
    host.set(
        "begin",
        Function::new(ctx.clone(), move |kind: String, argument: String| wishes.add(kind, argument))?,
    )?;
    host.set("log", Function::new(ctx.clone(), log)?)?;
    host.set("uuid", Function::new(ctx.clone(), uuid)?)?;
    host.set("random", Function::new(ctx.clone(), random)?)?;
    host.set("encode", Function::new(ctx.clone(), |text: String| text.into_bytes())?)?;
    host.set(
        "decode",
        Function::new(ctx.clone(), |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned())?,
    )?;
    host.set(
        "url",
        Function::new(ctx.clone(), |url: String, base: Option<String>| parse(&url, base.as_deref()))?,
    )?;
    host.set("urlWith", Function::new(ctx.clone(), changed)?)?;
    host.set("query", Function::new(ctx.clone(), |query: String| pairs(&query))?)?;
    host.set("unquery", Function::new(ctx.clone(), query)?)?;
    Ok(host)
}

#[expect(clippy::needless_pass_by_value, reason = "what the engine calls owns its arguments")]
fn log(level: String, mut text: String) {
    if let Some((cut, _)) = text.char_indices().nth(LONGEST_LINE) {
        text.truncate(cut);
        text.push('…');
    }
    let text = text.replace(['\n', '\r'], "\n    ");
    match level.as_str() {
        "error" => tracing::error!(target: TARGET, "{text}"),
        "warn" => tracing::warn!(target: TARGET, "{text}"),
        "debug" => tracing::debug!(target: TARGET, "{text}"),
        _ => tracing::info!(target: TARGET, "{text}"),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what the engine calls owns its arguments")]
fn random(ctx: Ctx<'_>, length: usize) -> Result<Vec<u8>> {
    if length > MOST_RANDOM {
        return Err(Exception::throw_range(&ctx, "at most 65536 random bytes at once"));
    }
    let mut bytes = vec![0; length];
    SystemRandom.fill(&mut bytes).map_err(|_| Exception::throw_message(&ctx, "there is no randomness"))?;
    Ok(bytes)
}

#[expect(clippy::needless_pass_by_value, reason = "what the engine calls owns its arguments")]
fn uuid(ctx: Ctx<'_>) -> Result<String> {
    let mut bytes = [0; 16];
    SystemRandom.fill(&mut bytes).map_err(|_| Exception::throw_message(&ctx, "there is no randomness"))?;
    // Version 4, variant 1 (RFC 9562 §5.4).
    let value = (u128::from_be_bytes(bytes) & !(0xf << 76) & !(0b11 << 62)) | (0x4 << 76) | (0b10 << 62);
    let hex = format!("{value:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
    Ok([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"))
}

fn parse(url: &str, base: Option<&str>) -> Option<String> {
    let parsed = match base {
        Some(base) => Url::parse(base).ok()?.join(url).ok()?,
        None => Url::parse(url).ok()?,
    };
    Some(parts(&parsed))
}

fn parts(url: &Url) -> String {
    let port = url.port().map(|port| port.to_string()).unwrap_or_default();
    let hostname = url.host_str().unwrap_or_default();
    let host = if port.is_empty() { hostname.to_owned() } else { format!("{hostname}:{port}") };
    json!({
        "href": url.as_str(),
        "origin": url.origin().ascii_serialization(),
        "protocol": format!("{}:", url.scheme()),
        "host": host,
        "hostname": hostname,
        "port": port,
        "pathname": url.path(),
        "search": url.query().filter(|query| !query.is_empty()).map(|query| format!("?{query}")).unwrap_or_default(),
        "hash": url.fragment().filter(|hash| !hash.is_empty()).map(|hash| format!("#{hash}")).unwrap_or_default(),
        "username": url.username(),
        "password": url.password().unwrap_or_default(),
    })
    .to_string()
}

#[expect(clippy::needless_pass_by_value, reason = "what the engine calls owns its arguments")]
fn changed(href: String, part: String, value: String) -> Option<String> {
    let mut url = Url::parse(&href).ok()?;
    let some = |value: &str, mark| (!value.is_empty()).then(|| value.trim_start_matches(mark).to_owned());
    match part.as_str() {
        "href" => url = Url::parse(&value).ok()?,
        "protocol" => url.set_scheme(value.trim_end_matches(':')).ok()?,
        "hostname" => url.set_host(Some(&value)).ok()?,
        "host" => {
            let (host, port) = value.rsplit_once(':').unwrap_or((&value, ""));
            url.set_host(Some(host)).ok()?;
            url.set_port(port.parse().ok()).ok()?;
        }
        "port" => url.set_port(value.parse().ok()).ok()?,
        "pathname" => url.set_path(&value),
        "search" => url.set_query(some(&value, '?').as_deref()),
        "hash" => url.set_fragment(some(&value, '#').as_deref()),
        "username" => url.set_username(&value).ok()?,
        "password" => url.set_password(some(&value, '\0').as_deref()).ok()?,
        _ => return None,
    }
    Some(parts(&url))
}

fn pairs(query: &str) -> Vec<Vec<String>> {
    form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| vec![name.into_owned(), value.into_owned()])
        .collect()
}

fn query(pairs: Vec<Vec<String>>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for pair in pairs {
        if let [name, value] = pair.as_slice() {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

/// Of everything that the configuration says.
const TARGET: &str = "hallpass::javascript";

/// In characters.
const LONGEST_LINE: usize = 8192;

/// As in browsers, in bytes.
const MOST_RANDOM: usize = 65536;
