//! `GET /csrf`: the token that forms send back.

use http::StatusCode;
use serde_json::json;

use crate::cookie::CookieKind;
use crate::core::Ready;
use crate::respond::{Body, Outcome};
use crate::verify::Verified;

pub(super) fn run(ready: &Ready, request: &Verified<'_>) -> Outcome {
    let Some(token) = &request.csrf.token else {
        let spec = ready.config.cookie(CookieKind::CsrfToken, request.site.secure);
        return Outcome::new(Body::Empty(StatusCode::NOT_FOUND)).with_cookies([spec.clear()]);
    };
    Outcome { no_cache: true, ..Outcome::json(&json!({ "csrfToken": token })) }
}
