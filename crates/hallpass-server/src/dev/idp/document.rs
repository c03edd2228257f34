//! What everybody may know: the discovery document and the keys.

use axum::extract::{Path, State};
use axum::response::Response;
use hallpass::providers::Endpoints;
use http::StatusCode;
use serde_json::json;

use super::{StandIn, Tenant, answer};

/// OpenID Connect Discovery §4.
pub(super) async fn discovery(
    State(stand_in): State<StandIn>,
    Path((provider, path)): Path<(String, String)>,
) -> Response {
    let spec = stand_in.spec(&provider).filter(|spec| matches!(spec.endpoints, Endpoints::Discovery { .. }));
    let Some(spec) = spec else { return answer::nobody() };
    let (base, issuer) = (stand_in.base(spec), stand_in.issuer(spec, Tenant::Configured));
    if format!("{base}/{path}")
        != format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
    {
        return answer::nobody();
    }
    let document = json!({
        "issuer": stand_in.issuer(spec, Tenant::Any),
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "userinfo_endpoint": format!("{base}/userinfo"),
        "jwks_uri": format!("{base}/jwks"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    answer::json(StatusCode::OK, &document)
}

/// RFC 7517 §5.
pub(super) async fn jwks(State(stand_in): State<StandIn>, Path(provider): Path<String>) -> Response {
    match stand_in.covers(&provider) {
        true => answer::json(StatusCode::OK, &stand_in.keys().jwks()),
        false => answer::nobody(),
    }
}
