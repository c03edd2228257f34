//! Front ends at other origins may read answers (Fetch §3.2).

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// For these origins, to the letter, and nobody else.
pub(super) fn layer(origins: &[String]) -> CorsLayer {
    let origins: Vec<_> = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, RETURN_REDIRECT])
        .expose_headers([RETRY_AFTER])
        .max_age(Duration::from_secs(600))
}

/// What client libraries of Auth.js send.
const RETURN_REDIRECT: HeaderName = HeaderName::from_static("x-auth-return-redirect");
