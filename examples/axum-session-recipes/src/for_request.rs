//! Options that depend on the request: Auth.js' `createOptions(req)`.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Request;
use axum::http::request::Parts;
use axum::response::Response;
use hallpass::{Auth, Jwt};

use crate::company::{Claims, Update};

/// Answers Hallpass' own addresses: `.route("/api/auth/{*path}", any(for_request::answer))`.
pub async fn answer(State(auth): State<Auth<Claims>>, parts: Parts, body: Bytes) -> Response {
    let auth = create_options(&auth, &parts);
    auth.handle(Request::from_parts(parts, body)).await.map(Body::from)
}

/// The `jwt` callback has what it needs of the request at hand.
pub fn create_options(auth: &Auth<Claims>, request: &Parts) -> Auth<Claims> {
    let company = request.headers.get("x-company").and_then(|it| it.to_str().ok()).map(str::to_owned);
    let options = auth.for_request().jwt(async move |event: Jwt<Claims, Update>| {
        Ok(match event {
            Jwt::SignIn(_) => Some(Claims { selected_company_id: company, company_name: None }),
            Jwt::Update(it) => Some(it.claims),
            Jwt::Read(it) => Some(it.claims),
        })
    });
    options.build()
}
