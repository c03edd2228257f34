//! The authorization request (RFC 6749 §4.1.1): where the browser is sent to sign in.

use std::fmt;

use url::Url;

use super::metadata::Metadata;
use super::{ProtocolError, ProtocolErrorKind as Kind};
use crate::providers::{Provider, ProviderKind};

/// What an authorization request holds besides what the provider's configuration says. Printing it shows the
/// names of its parameters, not their values.
#[derive(Clone, Copy)]
pub struct AuthorizationRequest<'a> {
    /// Where the answer goes.
    pub redirect_uri: &'a str,
    /// `state` (RFC 6749 §10.12), where the provider's checks ask for it.
    pub state: Option<&'a str>,
    /// `code_challenge` from [`pkce::challenge`](super::pkce::challenge), where the checks ask for it.
    pub code_challenge: Option<&'a str>,
    /// `nonce` (OpenID Connect Core §3.1.2.1), where the checks ask for it.
    pub nonce: Option<&'a str>,
    /// Parameters that the browser asked for (`login_hint`, `prompt`, `scope`, …). They outrank the
    /// configured ones, but none that binds the answer to us can be named.
    pub extra: &'a [(String, String)],
}

/// The address to send the browser to.
///
/// # Errors
/// When the provider has no client id.
pub fn authorization_url(
    provider: &Provider,
    metadata: &Metadata,
    request: &AuthorizationRequest<'_>,
) -> Result<Url, ProtocolError> {
    let Some(client_id) = provider.client_id.as_deref().filter(|it| !it.is_empty()) else {
        return Err(ProtocolError::new(Kind::Configuration, "the provider has no client id"));
    };
    let mut url = metadata.authorization_endpoint.clone();
    let mut params = Params(url.query_pairs().into_owned().collect());
    if let Some(scope) = scope(provider) {
        params.set("scope", &scope);
    }
    for (name, value) in &provider.authorization_params {
        params.set(name, value);
    }
    for (name, value) in request.extra.iter().filter(|(name, _)| !OURS.contains(&name.as_str())) {
        params.set(name, value);
    }
    params.set("response_type", "code");
    params.set("client_id", client_id);
    params.set("redirect_uri", request.redirect_uri);
    if let Some(state) = request.state {
        params.set("state", state);
    }
    if let Some(challenge) = request.code_challenge {
        params.set("code_challenge", challenge);
        params.set("code_challenge_method", "S256");
    }
    if let Some(nonce) = request.nonce {
        params.set("nonce", nonce);
    }
    url.query_pairs_mut().clear().extend_pairs(params.0);
    Ok(url)
}

impl fmt::Debug for AuthorizationRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = [("state", self.state), ("code_challenge", self.code_challenge), ("nonce", self.nonce)];
        let ours = bound.into_iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name);
        let extra = self.extra.iter().map(|(name, _)| name.as_str());
        f.debug_struct("AuthorizationRequest")
            .field("redirect_uri", &self.redirect_uri)
            .field("parameters", &ours.chain(extra).collect::<Vec<_>>())
            .finish()
    }
}

fn scope(provider: &Provider) -> Option<String> {
    match (provider.scopes.as_slice(), provider.kind) {
        ([], ProviderKind::Oidc) => Some("openid profile email".to_owned()),
        ([], ProviderKind::OAuth2) => None,
        (scopes, _) => Some(scopes.join(" ")),
    }
}

/// Parameters in their order, each name once (RFC 6749 §3.1).
struct Params(Vec<(String, String)>);

impl Params {
    fn set(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(it, _)| it == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }
}

/// What a browser may not say: who asks, where the answer goes, and what binds it to the request.
const OURS: &[&str] = &[
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "client_secret",
];

#[cfg(test)]
mod tests;
