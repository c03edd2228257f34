//! The session of a request in a service that only reads it, with a payload of 300 bytes.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hallpass::jose::{Dialect, TokenKeys};
use hallpass::{Secret, TokenReader};
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only read")]
struct Claims {
    role: String,
    company_id: String,
}

fn token_reader(c: &mut Criterion) {
    let secret = "a secret of at least thirty-two characters";
    let reader = TokenReader::new(secret);
    let payload = payload();
    assert_eq!(payload.len(), 300);

    for (dialect, cookie, salt) in [
        (Dialect::V5, "__Secure-authjs.session-token", "__Secure-authjs.session-token"),
        (Dialect::V5, "authjs.session-token", "authjs.session-token"),
        (Dialect::V4, "next-auth.session-token", ""),
    ] {
        let token = TokenKeys::derive(dialect, &[Secret::from(secret)], salt).seal(&payload, &[7; 16]);
        let cookies = format!("theme=dark; authjs.csrf-token=0123456789abcdef%7Cfedcba; {cookie}={token}");
        let cookies = HeaderMap::from_iter([(COOKIE, cookies.parse().unwrap())]);
        let bearer = HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {token}").parse().unwrap())]);

        let mut group = c.benchmark_group(cookie);
        for (from, headers) in [("cookie", cookies), ("bearer", bearer)] {
            group.bench_function(from, |b| {
                b.iter(|| reader.read::<Claims>(black_box(&headers)).unwrap().unwrap());
            });
        }
        group.finish();
    }
    c.bench_function("nobody", |b| b.iter(|| reader.read::<Claims>(black_box(&HeaderMap::new())).unwrap()));
}

fn payload() -> Vec<u8> {
    let claims = json!({
        "name": "Lena Example",
        "email": "lena.x@example.com",
        "picture": "https://example.com/lena.png",
        "sub": "3f0c2e6b-7c1d-4b54-9f0e-1f6a5d0e9a77",
        "role": "editor",
        "companyId": "company-00000000000000000000000000000000000000000042",
        "iat": 1_893_456_000_i64 - 200_000_000,
        "exp": 4_893_456_000_i64,
        "jti": "0b8a5a0e-4a1c-4a53-9a4e-0c6a6c2f7b11",
    });
    serde_json::to_vec(&claims).unwrap()
}

criterion_group!(benches, token_reader);
criterion_main!(benches);
