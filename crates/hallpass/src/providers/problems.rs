//! What is wrong with a provider's configuration, found before the first request.

use std::fmt;

use crate::oauth::{address, check_private_key};
use crate::oidc::jws::SigningAlgorithm;

use super::{Check, ClientAuth, Provider, ProviderKind};

/// A mistake in the configuration of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProviderProblem {
    /// Id of the provider.
    pub(crate) provider: String,
    /// What it is about.
    pub(crate) kind: ProviderProblemKind,
    /// What is wrong, and the builder method or environment variable that mends it.
    pub(crate) text: String,
}

/// What a mistake is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProviderProblemKind {
    /// The id of the provider cannot stand in an address.
    Id,
    /// The client's id, secret or key.
    Client,
    /// Endpoints are missing: Auth.js answers `InvalidEndpoints`.
    Endpoints,
    /// An address that is not one, or not https.
    Address,
    /// What binds the answer to the request.
    Checks,
    /// Parameters of the authorization request.
    Parameters,
    /// How it looks.
    Appearance,
}

impl fmt::Display for ProviderProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "provider {:?}: {}", self.provider, self.text)
    }
}

impl Provider {
    /// Every mistake in the configuration of this provider. To be asked after
    /// [`Provider::fill_from_environment`].
    pub(crate) fn problems(&self) -> Vec<ProviderProblem> {
        let mut found = Vec::new();
        let mut add = |kind, text: String| {
            found.push(ProviderProblem { provider: self.id.clone(), kind, text });
        };
        self.id_problems(&mut add);
        self.client_problems(&mut add);
        self.endpoint_problems(&mut add);
        self.placeholder_problems(&mut add);
        self.address_problems(&mut add);
        self.check_problems(&mut add);
        self.parameter_problems(&mut add);
        if self.brand.as_deref().is_some_and(|brand| !is_colour(brand)) {
            add(ProviderProblemKind::Appearance, "brand is not a colour like #24292f: mend .brand(…)".into());
        }
        found
    }

    fn id_problems(&self, add: &mut dyn FnMut(ProviderProblemKind, String)) {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if self.id.is_empty() || !self.id.bytes().all(allowed) {
            let text = "the id may hold ascii letters, digits, - and _ only and not be empty: mend the id in the \
                        Spec, Provider::oidc(…) or Provider::oauth2(…)";
            add(ProviderProblemKind::Id, text.into());
        }
    }

    fn client_problems(&self, add: &mut dyn FnMut(ProviderProblemKind, String)) {
        let kind = ProviderProblemKind::Client;
        if self.client_id.as_deref().is_none_or(str::is_empty) {
            let text = format!("no client id: call .client(id, secret) or set {}", self.variable("ID"));
            add(kind, text);
        }
        let has_secret = self.client_secret.as_ref().is_some_and(|secret| !secret.expose().is_empty());
        let set_secret = format!("call .client(id, secret) or set {}", self.variable("SECRET"));
        match self.client_auth {
            ClientAuth::Basic | ClientAuth::Post | ClientAuth::SecretJwt if !has_secret => {
                add(kind, format!("no client secret: {set_secret}, or call .public_client(id)"));
            }
            ClientAuth::SignedSecret if !has_secret && self.private_key.is_none() => {
                add(
                    kind,
                    format!("neither a private key nor a signed secret: call .private_key(…), {set_secret}"),
                );
            }
            ClientAuth::PrivateKeyJwt if self.private_key.is_none() => {
                add(kind, "no private key: call .private_key(…)".into());
            }
            _ => {}
        }
        if let Some(Err(why)) = self.private_key.as_ref().map(check_private_key) {
            add(kind, format!("{why}: mend PrivateKey::new(…)"));
        }
    }

    fn endpoint_problems(&self, add: &mut dyn FnMut(ProviderProblemKind, String)) {
        if self.issuer.as_deref().is_some_and(|issuer| !issuer.is_empty()) {
            return;
        }
        let kind = ProviderProblemKind::Endpoints;
        let set_issuer = format!("call .issuer(…) or set {}", self.variable("ISSUER"));
        if self.kind == ProviderKind::Oidc {
            // Without it nothing says who may sign the ID token.
            return add(kind, format!("no issuer: {set_issuer}"));
        }
        let endpoints = [
            ("authorization", &self.authorization_endpoint),
            ("token", &self.token_endpoint),
            ("userinfo", &self.userinfo_endpoint),
        ];
        for (name, url) in endpoints {
            if url.as_deref().is_none_or(str::is_empty) {
                add(kind, format!("no {name} endpoint: call .{name}(…), or {set_issuer}"));
            }
        }
    }

    fn placeholder_problems(&self, add: &mut dyn FnMut(ProviderProblemKind, String)) {
        let kind = ProviderProblemKind::Endpoints;
        let mut missing: Vec<&str> = Vec::new();
        let follow_up = self.follow_up_url.as_deref().map(|url| ("with", url));
        for (_, url) in self.addresses().chain(follow_up) {
            missing.extend(url.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)));
        }
        missing.sort_unstable();
        missing.dedup();
        for name in missing {
            add(kind, format!("the placeholder {{{name}}} has no value: call .with({name:?}, …)"));
        }
        for (name, value) in &self.placeholders {
            if !self.takes_placeholder(name) {
                add(kind, format!("{{{name}}} stands in no address: take out .with({name:?}, …)"));
            }
            let odd = |c: char| c.is_whitespace() || c.is_control() || "@?#\\{}".contains(c);
            if value.is_empty() || value.contains("//") || value.contains(odd) {
                add(
                    kind,
                    format!(
                        "the value of {{{name}}} is not a plain part of an address: mend .with({name:?}, …)"
                    ),
                );
            }
        }
    }

    fn address_problems(&self, add: &mut dyn FnMut(ProviderProblemKind, String)) {
        for (method, url) in self.addresses() {
            if url.is_empty() || url.contains('{') {
                continue;
            }
            let why = match address(url) {
                Err(why) => Some(why),
                // The address of its discovery document could not be told (OpenID Connect Discovery §3).
                Ok(url) if method == "issuer" && url.query().is_some() => Some("holds a query"),
                Ok(_) => None,
            };
            if let Some(why) = why {
                add(
                    ProviderProblemKind::Address,
                    format!("the address in .{method}(…) {why}: mend it there"),
                );
            }
        }
    }

    fn check_problems(&self, add: &mut dyn FnMut(ProviderProblemKind, String)) {
        let kind = ProviderProblemKind::Checks;
        if self.checks.is_empty() {
            add(kind, "no checks, so anyone's answer would be taken: name at least one in .checks(…)".into());
        }
        if self.kind == ProviderKind::OAuth2 && self.checks.contains(&Check::Nonce) {
            add(kind, "a nonce needs OpenID Connect: take Check::Nonce out of .checks(…)".into());
        }
        for name in self.id_token_algorithms.iter().flatten() {
            if SigningAlgorithm::named(name).is_none() {
                add(kind, format!("{name:?} is no algorithm for ID tokens: mend .id_token_algorithms(…)"));
            }
        }
        if self.id_token_algorithms.as_ref().is_some_and(Vec::is_empty) {
            add(kind, "no algorithm for ID tokens: name at least one in .id_token_algorithms(…)".into());
        }
    }

    fn parameter_problems(&self, add: &mut dyn FnMut(ProviderProblemKind, String)) {
        for (name, _) in &self.authorization_params {
            let mend = match name.as_str() {
                "scope" => "call .scopes(…) instead of .authorization_param(…)",
                name if PROTOCOL_PARAMETERS.contains(&name) => "take it out of .authorization_param(…)",
                _ => continue,
            };
            add(ProviderProblemKind::Parameters, format!("{name} is set by Hallpass: {mend}"));
        }
    }

    /// Every configured address, with the builder method that sets it.
    fn addresses(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("issuer", &self.issuer),
            ("authorization", &self.authorization_endpoint),
            ("token", &self.token_endpoint),
            ("userinfo", &self.userinfo_endpoint),
            ("jwks_uri", &self.jwks_uri),
            ("redirect_proxy_url", &self.redirect_proxy_url),
        ]
        .into_iter()
        .filter_map(|(method, url)| Some((method, url.as_deref()?)))
    }
}

fn is_colour(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Parameters of the authorization request that the flow itself sets.
const PROTOCOL_PARAMETERS: &[&str] = &[
    "client_id",
    "client_secret",
    "redirect_uri",
    "response_type",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
];

#[cfg(test)]
mod tests;
