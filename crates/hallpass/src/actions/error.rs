//! `GET /error`: what went wrong, in plain words.

use http::StatusCode;

use crate::core::Ready;
use crate::error::ErrorKind;
use crate::redirect;
use crate::respond::{Body, Outcome};
use crate::verify::Verified;

pub(super) fn page(ready: &Ready, request: &Verified<'_>) -> Outcome {
    let code = request.inbound.info.query("error").filter(|code| !code.is_empty());
    if let Some(code) = code.filter(|code| ready.config.dialects.error_is_for_sign_in_page(code)) {
        let page = request.site.url(&ready.config, "signin");
        let to = redirect::with_query(&page, &[("error", code)]);
        return Outcome::new(Body::Redirect { to, as_json: request.inbound.as_json });
    }
    if let Some(own) = &ready.config.paths.error {
        let parameters: Vec<_> = code.map(|code| ("error", code)).into_iter().collect();
        return Outcome::new(Body::Redirect {
            to: redirect::with_query(own, &parameters),
            as_json: request.inbound.as_json,
        });
    }
    let is = |kind: ErrorKind| code.is_some_and(|code| code.eq_ignore_ascii_case(kind.public_code()));
    let status = if is(ErrorKind::Configuration) {
        StatusCode::INTERNAL_SERVER_ERROR
    } else if is(ErrorKind::AccessDenied) || is(ErrorKind::Verification) {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::OK
    };
    ready.error_page(status, code, &request.site)
}
