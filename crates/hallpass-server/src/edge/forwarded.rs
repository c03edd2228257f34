//! The headers in which proxies say what they were asked, and by whom.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

/// What one proxy says of the request that it got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hop {
    /// Who sent it; `None` where that cannot be read.
    pub(super) address: Option<IpAddr>,
    pub(super) host: Option<String>,
    pub(super) proto: Option<String>,
}

/// The values of a header, all of its lines joined. What is no text in them hides nothing beside it: a stranger may
/// have begun the line to which a proxy has added.
pub(super) fn list(headers: &HeaderMap, name: &'static str) -> Vec<String> {
    let lines = headers.get_all(HeaderName::from_static(name)).iter();
    let values = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let text = |value| str::from_utf8(value).ok().filter(|text| text.is_ascii()).unwrap_or("?");
    values.map(|value| text(value).trim().to_owned()).collect()
}

/// `X-Forwarded-For`: the nearest proxy's word is the last.
pub(super) fn x_forwarded_for(headers: &HeaderMap) -> Vec<Hop> {
    let hops = list(headers, "x-forwarded-for");
    hops.iter().map(|text| Hop { address: address(text), ..Hop::default() }).collect()
}

/// `Forwarded` (RFC 7239 §4). In a line that breaks its rules nothing can be read: a quotation mark that a stranger
/// left open would swallow what the proxy has added.
pub(super) fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let lines = headers.get_all(http::header::FORWARDED).iter();
    let hops = lines.flat_map(|line| {
        let parsed = line.to_str().ok().and_then(forwarded_line);
        parsed.unwrap_or_else(|| vec![Hop::default()])
    });
    hops.collect()
}

fn forwarded_line(line: &str) -> Option<Vec<Hop>> {
    split(line, ',')?.into_iter().map(element).collect()
}

/// `for=192.0.2.1;proto=https;host=app.example.com`
fn element(text: &str) -> Option<Hop> {
    let mut hop = Hop::default();
    for pair in split(text, ';')? {
        let pair = pair.trim();
        if pair.is_empty() {
            continue;
        }
        let (name, value) = pair.split_once('=')?;
        let value = unquoted(value)?;
        match name.to_ascii_lowercase().as_str() {
            "for" => hop.address = address(&value),
            "host" => hop.host = Some(value),
            "proto" => hop.proto = Some(value),
            _ => {}
        }
    }
    Some(hop)
}

/// The parts between separators that are not in quotation marks; `None` where a mark stays open.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let (mut start, mut is_quoted, mut is_escaped) = (0, false, false);
    for (at, c) in text.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if is_quoted && c == '\\' {
            is_escaped = true;
        } else if c == '"' {
            is_quoted = !is_quoted;
        } else if c == separator && !is_quoted {
            parts.push(text.get(start..at)?);
            start = at + 1;
        }
    }
    parts.push(text.get(start..)?);
    (!is_quoted).then_some(parts)
}

fn unquoted(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"') else {
        return (!value.contains('"')).then(|| value.to_owned());
    };
    let inner = inner.strip_suffix('"')?;
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => text.push(characters.next()?),
            '"' => return None,
            c => text.push(c),
        }
    }
    Some(text)
}

/// An address, perhaps with a port, perhaps in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests;
