//! A session with typed callbacks: `GET /session` from cookie to cookie, and the read in a handler.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use hallpass::{Auth, Credentials, Environment, Field, Jwt, User, ViewUser};
use http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use http::{HeaderMap, Request, Response};
use serde::{Deserialize, Serialize};

fn session(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (name, update_age) in [("renewed", Duration::ZERO), ("not_due", Duration::from_secs(3600))] {
        let auth = auth(update_age);
        let request = Request::from_parts(runtime.block_on(signed_in(&auth)), Bytes::new());
        let (parts, _) = request.clone().into_parts();
        let shown = runtime.block_on(auth.handle(request.clone()));
        assert_eq!(shown.headers().contains_key(SET_COOKIE), update_age.is_zero());
        assert!(shown.body().starts_with(br#"{"user":{"name":"Lena Example","#));

        let mut group = c.benchmark_group(name);
        group.bench_function("handle", |b| {
            b.to_async(&runtime).iter(|| auth.handle(black_box(request.clone())));
        });
        group.bench_function("read", |b| b.to_async(&runtime).iter(|| auth.read(black_box(&parts))));
        group.finish();
    }
    let request =
        Request::get("/api/auth/session").header(HOST, "localhost:3000").body(Bytes::new()).unwrap();
    c.bench_function("clone_of_request", |b| b.iter(|| black_box(&request).clone()));
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    role: String,
    company_id: String,
}

#[derive(Serialize)]
struct View {
    user: Person,
}

#[derive(Serialize)]
struct Person {
    #[serde(flatten)]
    public: ViewUser,
    id: String,
    #[serde(flatten)]
    claims: Claims,
}

fn auth(update_age: Duration) -> Auth<Claims> {
    Auth::builder()
        .environment(Environment::empty())
        .secret("a secret of at least thirty-two characters")
        .jwt_update_age(update_age)
        .credentials(Credentials::new().field(Field::text("username")), async |_, _| {
            let user = User::new("3f0c2e6b-7c1d-4b54-9f0e-1f6a5d0e9a77")
                .with_name("Lena Example")
                .with_email("lena@example.com")
                .with_image("https://example.com/lena.png");
            Ok(Some(user))
        })
        .jwt(async |event: Jwt<Claims>, _| {
            Ok(match event {
                Jwt::SignIn(_) => Some(Claims { role: "editor".to_owned(), company_id: COMPANY.to_owned() }),
                Jwt::Read(it) => Some(it.claims),
            })
        })
        .session(async |it, _| {
            Ok(View { user: Person { public: it.user.public(), id: it.user.id, claims: it.claims } })
        })
        .build()
        .unwrap()
}

/// The head of a request for the session, as a browser sends it that has signed in.
async fn signed_in(auth: &Auth<Claims>) -> http::request::Parts {
    let csrf = Request::get("/api/auth/csrf").header(HOST, "localhost:3000").body(Bytes::new()).unwrap();
    let csrf = auth.handle(csrf).await;
    let body: serde_json::Value = serde_json::from_slice(csrf.body()).unwrap();
    let form = format!("csrfToken={}&username=lena", body.get("csrfToken").unwrap().as_str().unwrap());
    let before = cookies(&csrf);
    let sign_in = Request::post("/api/auth/callback/credentials")
        .header(HOST, "localhost:3000")
        .header(COOKIE, &before)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let signed_in = auth.handle(sign_in.body(form.into()).unwrap()).await;
    let mut parts = Request::get("/api/auth/session").body(()).unwrap().into_parts().0;
    let cookie = format!("{before}; {}", cookies(&signed_in));
    parts.headers = HEADERS
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect::<HeaderMap>();
    parts.headers.insert(COOKIE, cookie.parse().unwrap());
    parts
}

fn cookies(response: &Response<Bytes>) -> String {
    let cookies = response.headers().get_all(SET_COOKIE).iter();
    let pairs: Vec<_> = cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect();
    pairs.join("; ")
}

const COMPANY: &str = "company-0000000000000000000000000000000000000000042";

/// What a browser sends besides.
const HEADERS: [(&str, &str); 9] = [
    ("host", "localhost:3000"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("accept", "*/*"),
    ("accept-language", "en-US,en;q=0.5"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("referer", "http://localhost:3000/"),
    ("sec-fetch-dest", "empty"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-site", "same-origin"),
];

criterion_group!(benches, session);
criterion_main!(benches);
