//! Sealing and opening a session token with a payload of 300 bytes.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hallpass::jose::{Dialect, TokenKeys};
use hallpass::{Secret, Timestamp};
use serde_json::{Map, Value, json};

fn token(c: &mut Criterion) {
    let secrets = [Secret::from("a secret of the present"), Secret::from("a secret of the past")];
    let iv = *b"sixteen bytes iv";
    let claims = claims();
    let payload = serde_json::to_vec(&claims).unwrap();
    assert_eq!(payload.len(), 300);

    for (dialect, salt) in [(Dialect::V5, "authjs.session-token"), (Dialect::V4, "")] {
        let keys = TokenKeys::derive(dialect, &secrets, salt);
        let token = keys.seal(&payload, &iv);
        let now = Timestamp::from_seconds(NOW);

        let mut group = c.benchmark_group(format!("{dialect:?}").to_lowercase());
        group.bench_function("open", |b| b.iter(|| keys.open(black_box(&token)).unwrap()));
        group.bench_function("seal", |b| b.iter(|| keys.seal(black_box(&payload), black_box(&iv))));
        group.bench_function("open_claims", |b| b.iter(|| keys.open_claims(black_box(&token), now).unwrap()));
        group.bench_function("seal_claims", |b| {
            b.iter(|| keys.seal_claims(black_box(&claims), black_box(&iv)))
        });
        group.bench_function("derive", |b| b.iter(|| TokenKeys::derive(dialect, black_box(&secrets), salt)));
        group.finish();
    }
}

fn claims() -> Map<String, Value> {
    let claims = json!({
        "name": "Lena Example",
        "email": "lena.x@example.com",
        "picture": "https://example.com/lena.png",
        "sub": "3f0c2e6b-7c1d-4b54-9f0e-1f6a5d0e9a77",
        "role": "editor",
        "companyId": "company-00000000000000000000000000000000000000000042",
        "iat": NOW,
        "exp": NOW + 2_592_000,
        "jti": "0b8a5a0e-4a1c-4a53-9a4e-0c6a6c2f7b11",
    });
    claims.as_object().unwrap().clone()
}

const NOW: i64 = 1_893_456_000;

criterion_group!(benches, token);
criterion_main!(benches);
