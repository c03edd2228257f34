//! Options that depend on the request: Auth.js' `createOptions(req)`.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Request;
use axum::response::Response;
use hallpass::{Auth, Jwt};

use crate::company::{Claims, Update};

/// Answers Hallpass' own addresses; the `jwt` callback has what it needs of the request at hand.
pub async fn answer(State(auth): State<Auth<Claims>>, request: Request<Bytes>) -> Response {
    let company = request.headers().get("x-company").and_then(|it| it.to_str().ok()).map(str::to_owned);
    let auth = auth.for_request().jwt(async move |event: Jwt<Claims, Update>| {
        Ok(match event {
            Jwt::SignIn(_) => Some(Claims { selected_company_id: company, company_name: None }),
            Jwt::Update(it) => Some(it.claims),
            Jwt::Read(it) => Some(it.claims),
        })
    });
    auth.build().handle(request).await.map(Body::from)
}
