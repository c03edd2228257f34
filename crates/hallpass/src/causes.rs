//! What led to an error, as the log tells it.

use std::error::Error;

/// An error and what led to it, down to what the application or its database said, for a log. Addresses stand there
/// without user, password, query and fragment, which may be secret: many HTTP clients and databases name the whole one.
///
/// ```
/// use hallpass::{StoreError, with_causes};
///
/// let error = StoreError::unavailable("postgres://app:secret@db.example/app does not answer");
/// assert_eq!(with_causes(&error), "the store failed: postgres://db.example/app does not answer");
/// ```
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Some errors repeat their cause in what they say themselves.
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    with_bare_addresses(&text)
}

/// The text, its addresses without user, password, query and fragment.
fn with_bare_addresses(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = end_of_scheme(rest) {
        let (before, after) = rest.split_at(at);
        shown.push_str(before);
        let (word, _) = after.split_at(after.find(char::is_whitespace).unwrap_or(after.len()));
        let begins = word.rfind('@').filter(|_| has_password(&word[..end_of(word)])).map_or(0, |at| at + 1);
        let address = &word[begins..];
        let address = &address[..end_of(address)];
        shown.push_str(bare(address));
        rest = &after[begins + address.len()..];
    }
    shown.push_str(rest);
    shown
}

/// Where the first address goes on after its scheme. JSON may escape slashes (RFC 8259 §7).
fn end_of_scheme(text: &str) -> Option<usize> {
    let ends = |rest: &str| ["://", r":\/\/"].into_iter().find(|end| rest.starts_with(end));
    text.match_indices(':').find_map(|(at, _)| Some(at + ends(text.get(at..)?)?.len()))
}

fn end_of(address: &str) -> usize {
    address.find(ENDS).unwrap_or(address.len())
}

/// Whether what ends here is a password, in which nobody has encoded the sign that ends addresses.
fn has_password(cut_off: &str) -> bool {
    let port = cut_off.rsplit_once(':').map(|(_, port)| port);
    !cut_off.contains(['/', '?', '#', '@'])
        && port.is_some_and(|port| !port.bytes().all(|c| c.is_ascii_digit()))
}

/// Host, port and path of what follows the scheme. A password may hold any sign, so the last `@` ends it.
fn bare(address: &str) -> &str {
    let (place, more) = address.split_at(address.find(['?', '#']).unwrap_or(address.len()));
    if let Some((_, host)) = place.rsplit_once('@') {
        return host;
    }
    // `user:pass?word@host`, where nobody has encoded the password.
    let is_cut_off = more.contains('@') && place.split('/').next().is_some_and(|host| host.contains(':'));
    if is_cut_off { "" } else { place }
}

/// What ends an address in a text, beside white space: signs that are encoded in one.
const ENDS: [char; 3] = ['"', '<', '>'];

#[cfg(test)]
mod tests;
