//! A session token from a stranger: none opens but the one that we sealed, and what we seal always opens.
//!
//! The first byte says what the rest is: a whole token, a header before the rest of ours, the rest after our header,
//! or a payload to seal, which leads past the authentication.
#![no_main]

use std::sync::LazyLock;

use hallpass::jose::{Dialect, TokenKeys};
use hallpass::{Secret, Timestamp};
use libfuzzer_sys::fuzz_target;

static KEYS: LazyLock<[TokenKeys; 2]> = LazyLock::new(|| {
    let secrets = [Secret::from("present"), Secret::from("past")];
    [Dialect::V5, Dialect::V4].map(|dialect| TokenKeys::derive(dialect, &secrets, "authjs.session-token"))
});

fuzz_target!(|data: &[u8]| {
    let Some((&kind, rest)) = data.split_first() else { return };
    for keys in &*KEYS {
        match str::from_utf8(rest) {
            Ok(text) if kind % 4 < 3 => assert!(opens_nothing_new(keys, kind % 4, text)),
            _ => assert!(survives(keys, rest)),
        }
    }
});

fn opens_nothing_new(keys: &TokenKeys, kind: u8, text: &str) -> bool {
    let own = keys.seal(PAYLOAD, IV);
    let (header, after_header) = own.split_once('.').unwrap();
    let token = match kind {
        0 => text.to_owned(),
        1 => format!("{text}.{after_header}"),
        _ => format!("{header}.{text}"),
    };
    keys.open(&token).map_or(true, |payload| payload == PAYLOAD)
}

fn survives(keys: &TokenKeys, payload: &[u8]) -> bool {
    let token = keys.seal(payload, IV);
    let _ = keys.open_claims(&token, Timestamp::from_seconds(1_893_456_000));
    keys.open(&token).is_ok_and(|opened| opened == payload)
}

const IV: &[u8; 16] = b"sixteen bytes iv";
const PAYLOAD: &[u8] = b"{}";
