//! What the world of a configuration gets from Hallpass.

use std::sync::Arc;

use hallpass::is_secret_name;
use hallpass::random::{Random, SystemRandom};
use rquickjs::{Ctx, Exception, Function, Object, Result};
use serde_json::json;
use url::{Url, form_urlencoded};

use super::engine::Wishes;
use crate::dev::sounds_secret;

/// The functions that the prelude takes.
pub(super) fn functions<'js>(ctx: &Ctx<'js>, wishes: &Arc<Wishes>) -> Result<Object<'js>> {
    let host = Object::new(ctx.clone())?;
    let wishes = Arc::clone(wishes);
    host.set(
        "begin",
        Function::new(ctx.clone(), move |kind: String, argument: String| wishes.add(kind, argument))?,
    )?;
    host.set("log", Function::new(ctx.clone(), log)?)?;
    host.set("isSecret", Function::new(ctx.clone(), |name: String| is_secret_name(&name))?)?;
    host.set("soundsSecret", Function::new(ctx.clone(), |name: String| sounds_secret(&name))?)?;
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
fn log(level: String, text: String) {
    let mut text = masked(&text);
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

/// JSON in a text: members whose name may call them secret lose their texts and numbers, as in what is logged as an
/// object.
fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\":") {
        let (before, after) = rest.split_at(at + 2);
        shown.push_str(before);
        let name = before.strip_suffix("\":").and_then(|it| it.rsplit('"').next()).unwrap_or_default();
        // What is escaped in a text is escaped at both ends.
        let bare = name.trim_end_matches('\\');
        let slashes = name.len() - bare.len();
        rest = if sounds_secret(bare) { hide(after, slashes, &mut shown) } else { after };
    }
    shown.push_str(rest);
    shown
}

/// Shows the value that a text begins with, without what is secret in it: a text, a number, and those in a list that
/// have no name of their own. There are so many backslashes before each quotation mark. Returns what comes after the
/// value, or from where on there is no JSON.
fn hide<'t>(text: &'t str, slashes: usize, shown: &mut String) -> &'t str {
    let quote = "\\".repeat(slashes) + "\"";
    let mut rest = text;
    // For each bracket that is open, whether texts right in it are secret.
    let mut open: Vec<bool> = Vec::new();
    let mut is_secret = true;
    loop {
        let value = rest.trim_start();
        shown.push_str(rest.strip_suffix(value).unwrap_or_default());
        rest = value;
        let is_text = rest.starts_with(&quote);
        let length = match rest.bytes().next() {
            _ if is_text => {
                let inside = rest.get(quote.len()..).unwrap_or_default();
                match end_of_text(inside, slashes) {
                    Some(end) => quote.len() + end,
                    None if is_secret => rest.len(),
                    None => return rest,
                }
            }
            Some(b'-' | b'0'..=b'9') => {
                let is_end = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.');
                rest.find(is_end).unwrap_or(rest.len())
            }
            Some(b'[' | b'{' | b']' | b'}' | b',' | b':') => 1,
            _ => match ["null", "true", "false"].into_iter().find(|word| rest.starts_with(word)) {
                Some(word) => word.len(),
                None => return rest,
            },
        };
        let (token, after) = rest.split_at(length);
        let is_number = token.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        let is_name = is_text && after.trim_start().starts_with(':');
        match (is_text || is_number) && is_secret && !is_name {
            true => shown.push_str(&format!("{quote}(hidden){quote}")),
            false => shown.push_str(token),
        }
        rest = after;
        match token {
            "[" => open.push(is_secret),
            "{" => {
                open.push(false);
                is_secret = false;
            }
            "]" | "}" => drop(open.pop()),
            "," => is_secret = open.last().is_some_and(|is_secret| *is_secret),
            _ if is_name => is_secret = sounds_secret(token.trim_matches(['\\', '"'])),
            _ => {}
        }
        if open.is_empty() {
            return rest;
        }
    }
}

/// Where a text of JSON ends that began with so many backslashes before its quotation mark.
fn end_of_text(inside: &str, slashes: usize) -> Option<usize> {
    let mut run = 0;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'\\' => run += 1,
            b'"' if run % (2 * (slashes + 1)) == slashes => return Some(at + 1),
            _ => run = 0,
        }
    }
    None
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_in_a_text_loses_its_secrets_and_nothing_else() {
        let account = r#"{"access_token":"a\"b","scope":"read","error_code":"e","password": "p", "id_token":null,"n":{"refreshToken":"r"}}"#;
        let hidden = r#"{"access_token":"(hidden)","scope":"read","error_code":"e","password": "(hidden)", "id_token":null,"n":{"refreshToken":"(hidden)"}}"#;
        assert_eq!(
            masked(&format!("given {account}, twice {account}")),
            format!("given {hidden}, twice {hidden}")
        );
        assert_eq!(masked(r#"{"API_KEY":"k","code":"c"}"#), r#"{"API_KEY":"(hidden)","code":"(hidden)"}"#);
        for (text, hidden) in [
            (r#"{"pin":1234, "code":-1.5e3,"n":1}"#, r#"{"pin":"(hidden)", "code":"(hidden)","n":1}"#),
            (
                r#"{"tokens":["a", 2,null,[true,"b"],{"id":3,"key":"k","ids":["c"],"pin":[4]},"d"],"e":"f"} "g""#,
                r#"{"tokens":["(hidden)", "(hidden)",null,[true,"(hidden)"],{"id":3,"key":"(hidden)","ids":["c"],"pin":["(hidden)"]},"(hidden)"],"e":"f"} "g""#,
            ),
            (
                r#"{"token":{"sub":"ada","n":[1]},"pin":"p"}"#,
                r#"{"token":{"sub":"ada","n":[1]},"pin":"(hidden)"}"#,
            ),
            (r#"{"codes":[],"n":1}"#, r#"{"codes":[],"n":1}"#),
            // What is no JSON is shown, up to what is again.
            (r#""keys":[1,so "pin":2"#, r#""keys":["(hidden)",so "pin":"(hidden)""#),
            (r#""key":["a" b] "c""#, r#""key":["(hidden)" b] "c""#),
            (r#""keys":["a","b"#, r#""keys":["(hidden)","(hidden)""#),
            (r#""key":{"a":"b "pin":1"#, r#""key":{"a":"b "pin":"(hidden)""#),
        ] {
            assert_eq!(masked(text), hidden);
            if text.starts_with('{') {
                let [escaped, hidden] = [text, hidden].map(|it| serde_json::to_string(it).unwrap());
                assert_eq!(masked(&escaped), hidden);
            }
        }
        // JSON in a text of JSON.
        let twice = serde_json::to_string(account).unwrap();
        let shown = masked(&twice);
        assert!(!shown.contains("a\\\\") && shown.matches("(hidden)").count() == 3, "{shown}");
        for harmless in ["\"", "\":", "say \"password\": no", r#"{"a":"password"}"#, "ä\":ü"] {
            assert_eq!(masked(harmless), harmless);
        }
    }
}
