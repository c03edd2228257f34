//! What is known about a provider's authorization server: from the configuration or by discovery
//! (OpenID Connect Discovery 1.0, RFC 8414).

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Map, Value};
use url::Url;

use super::{IssuerPattern, ProtocolError, ProtocolErrorKind as Kind, endpoint, get, json_object};
use crate::providers::{Provider, ProviderKind};

/// The endpoints of a provider, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The issuer exactly as its answers must name it; `None` for plain OAuth 2 without one. May hold the
    /// placeholder of [`Spec::issuer_placeholder`](crate::providers::Spec::issuer_placeholder).
    pub issuer: Option<String>,
    /// Where the browser is sent (RFC 6749 §3.1).
    pub authorization_endpoint: Url,
    /// Where the code is redeemed (RFC 6749 §3.2).
    pub token_endpoint: Url,
    /// Where the profile is (OpenID Connect Core §5.3).
    pub userinfo_endpoint: Option<Url>,
    /// Where the keys are that ID tokens are signed with. Always there for OpenID Connect.
    pub jwks_uri: Option<Url>,
    /// Where the provider's own session can be ended (OpenID Connect RP-Initiated Logout §2.1).
    pub end_session_endpoint: Option<Url>,
    /// Whether every authorization response names its issuer (RFC 9207 §3).
    pub iss_parameter_supported: bool,
    /// `id_token_signing_alg_values_supported`; `RS256` if the provider does not say.
    pub id_token_signing_algs: Vec<String>,
}

/// The metadata of a provider whose endpoints are all configured; `None` if it must be asked.
///
/// # Errors
/// An endpoint that may not be asked, or neither enough endpoints nor an issuer.
pub fn configured(provider: &Provider) -> Option<Result<Metadata, ProtocolError>> {
    let complete = match provider.kind {
        ProviderKind::OAuth2 => provider.userinfo_endpoint.is_some() || provider.issuer.is_none(),
        ProviderKind::Oidc => provider.jwks_uri.is_some() && provider.issuer.is_some(),
    };
    if let (Some(authorize), Some(token), true) =
        (&provider.authorization_endpoint, &provider.token_endpoint, complete)
    {
        return Some(from_configuration(provider, authorize, token));
    }
    if provider.issuer.is_some() {
        return None;
    }
    let message = "the provider has neither an issuer nor authorization, token and userinfo endpoints";
    Some(Err(ProtocolError::new(Kind::Configuration, message)))
}

/// Asks for the discovery document (OpenID Connect Discovery §4.1).
///
/// # Errors
/// When the provider has no issuer, or one that may not be asked.
pub fn discovery_request(provider: &Provider) -> Result<Request<Bytes>, ProtocolError> {
    let Some(issuer) = &provider.issuer else {
        return Err(ProtocolError::new(Kind::Configuration, "the provider has no issuer"));
    };
    let mut url = endpoint::parse(provider, "the issuer", issuer, Kind::Configuration)?;
    if url.query().is_some() {
        return Err(ProtocolError::new(Kind::Configuration, "the issuer holds a query"));
    }
    let path = format!("{}/.well-known/openid-configuration", url.path().trim_end_matches('/'));
    url.set_path(&path);
    get(provider, &url, None)
}

/// Judges the discovery document (OpenID Connect Discovery §4.3). Endpoints of the configuration outrank its.
///
/// # Errors
/// When it is not a JSON object of at most 256 KiB, names another issuer than the configuration, or an
/// endpoint that is needed is missing or may not be asked.
pub fn discovery_response(
    provider: &Provider,
    response: &Response<Bytes>,
) -> Result<Metadata, ProtocolError> {
    let document = json_object(response, Kind::Discovery, "the discovery document", MAX_DOCUMENT)?;
    let issuer = checked_issuer(provider, &document)?;
    let read = |configured: &Option<String>, name: &str| endpoint_of(provider, configured, &document, name);
    let needed = |url: Option<Url>, name: &str| {
        url.ok_or_else(|| {
            ProtocolError::new(Kind::Discovery, format!("the discovery document has no {name}"))
        })
    };
    let authorization_endpoint = read(&provider.authorization_endpoint, "authorization_endpoint")?;
    let token_endpoint = read(&provider.token_endpoint, "token_endpoint")?;
    let jwks_uri = match provider.kind {
        ProviderKind::OAuth2 => None,
        ProviderKind::Oidc => Some(needed(read(&provider.jwks_uri, "jwks_uri")?, "jwks_uri")?),
    };
    Ok(Metadata {
        issuer: Some(issuer),
        authorization_endpoint: needed(authorization_endpoint, "authorization_endpoint")?,
        token_endpoint: needed(token_endpoint, "token_endpoint")?,
        userinfo_endpoint: read(&provider.userinfo_endpoint, "userinfo_endpoint")?,
        jwks_uri,
        end_session_endpoint: read(&None, "end_session_endpoint").unwrap_or_default(),
        iss_parameter_supported: document.get("authorization_response_iss_parameter_supported")
            == Some(&Value::Bool(true)),
        id_token_signing_algs: signing_algs(&document),
    })
}

fn from_configuration(provider: &Provider, authorize: &str, token: &str) -> Result<Metadata, ProtocolError> {
    let read = |text: &str, name: &str| endpoint::parse(provider, name, text, Kind::Configuration);
    let read_optional =
        |text: &Option<String>, name: &str| text.as_deref().map(|it| read(it, name)).transpose();
    Ok(Metadata {
        issuer: provider.issuer.clone(),
        authorization_endpoint: read(authorize, "the authorization endpoint")?,
        token_endpoint: read(token, "the token endpoint")?,
        userinfo_endpoint: read_optional(&provider.userinfo_endpoint, "the userinfo endpoint")?,
        jwks_uri: read_optional(&provider.jwks_uri, "the JWKS address")?,
        end_session_endpoint: None,
        iss_parameter_supported: false,
        id_token_signing_algs: vec![DEFAULT_ALG.to_owned()],
    })
}

fn endpoint_of(
    provider: &Provider,
    configured: &Option<String>,
    document: &Map<String, Value>,
    name: &str,
) -> Result<Option<Url>, ProtocolError> {
    if let Some(text) = configured {
        return endpoint::parse(provider, name, text, Kind::Configuration).map(Some);
    }
    match document.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => endpoint::parse(provider, name, text, Kind::Discovery).map(Some),
        Some(_) => Err(ProtocolError::new(Kind::Discovery, format!("{name} is not a text"))),
    }
}

fn checked_issuer(provider: &Provider, document: &Map<String, Value>) -> Result<String, ProtocolError> {
    let Some(Value::String(issuer)) = document.get("issuer") else {
        return Err(ProtocolError::new(Kind::Discovery, "the discovery document has no issuer"));
    };
    let configured = provider.issuer.as_deref().unwrap_or_default();
    if issuer == configured || names_tenant_of(provider, issuer, configured) {
        return Ok(issuer.clone());
    }
    let message =
        format!("the discovery document names the issuer {issuer:?}, the configuration {configured:?}");
    Err(ProtocolError::new(Kind::Discovery, message))
}

/// With a placeholder in play, the document that a tenant's alias leads to (`/common/`, `/contoso.com/`) names
/// the placeholder or the tenant's real id, and nothing else may differ.
fn names_tenant_of(provider: &Provider, issuer: &str, configured: &str) -> bool {
    let Some((placeholder, _)) = provider.issuer_placeholder else { return false };
    if issuer.contains(placeholder) {
        return IssuerPattern::new(provider, issuer).tenant_of(configured).is_some();
    }
    let (theirs, ours): (Vec<_>, Vec<_>) = (issuer.split('/').collect(), configured.split('/').collect());
    // Scheme, emptiness and host are the first three parts.
    let differing: Vec<_> = theirs.iter().zip(&ours).enumerate().filter(|(_, (a, b))| a != b).collect();
    theirs.len() == ours.len() && matches!(differing.as_slice(), [(index, _)] if *index > 2)
}

fn signing_algs(document: &Map<String, Value>) -> Vec<String> {
    match document.get("id_token_signing_alg_values_supported") {
        Some(Value::Array(algs)) => algs.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => vec![DEFAULT_ALG.to_owned()],
    }
}

const DEFAULT_ALG: &str = "RS256";
const MAX_DOCUMENT: usize = 256 * 1024;

#[cfg(test)]
mod tests;
