//! How an application configures a provider.

use std::sync::Arc;

use crate::Secret;

use super::{
    Check, ClientAuth, Endpoints, PrivateKey, Profile, ProfileError, ProfileSource, Provider, ProviderKind,
    Raw, Spec, Template,
};

impl Provider {
    /// A provider that speaks OpenID Connect: everything else stands in its discovery document
    /// (OpenID Connect Discovery §4).
    ///
    /// Scopes, checks and claims are those of [`Spec::DEFAULT`]. An empty issuer stands for
    /// `AUTH_<ID>_ISSUER`.
    pub fn oidc(id: impl Into<String>, name: impl Into<String>, issuer: impl Into<String>) -> Self {
        let mut provider = Self::from(&Spec::DEFAULT);
        provider.id = id.into();
        provider.name = name.into();
        provider.brand = None;
        let issuer = issuer.into();
        if issuer.is_empty() { provider } else { provider.issuer(issuer) }
    }

    /// A provider that speaks plain OAuth 2 (RFC 6749). The profile comes from `userinfo_url`; if its fields
    /// are not the standard claims, read it with [`Provider::profile`].
    ///
    /// It asks for no scope, and binds the answer by PKCE and state.
    pub fn oauth2(
        id: impl Into<String>,
        name: impl Into<String>,
        authorize_url: impl Into<String>,
        token_url: impl Into<String>,
        userinfo_url: impl Into<String>,
    ) -> Self {
        let endpoints = Endpoints::OAuth2 { authorize: "", token: "", userinfo: "" };
        let mut provider = Self::from(&Spec { endpoints, ..Spec::DEFAULT });
        provider.id = id.into();
        provider.name = name.into();
        provider.brand = None;
        provider.authorization(authorize_url).token(token_url).userinfo(userinfo_url)
    }

    /// Id in addresses and environment variables.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Id of the application's client, where it was given to the builder: what the environment says is not known before
    /// Hallpass is built. Never empty.
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref().filter(|id| !id.is_empty())
    }

    /// Name on the button.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Plain OAuth 2 or OpenID Connect.
    pub fn kind(&self) -> ProviderKind {
        self.kind
    }

    /// Whether it is asked to answer with a POST (OAuth 2.0 Form Post Response Mode).
    pub(crate) fn is_form_post(&self) -> bool {
        self.authorization_params.iter().any(|(name, value)| name == "response_mode" && value == "form_post")
    }

    /// The client that the application registered there. Default: `AUTH_<ID>_ID` and `AUTH_<ID>_SECRET` of
    /// the environment, with the id in upper case and `_` for `-`.
    #[must_use]
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        self.client_id = Some(id.into());
        self.client_secret = Some(secret.into());
        self
    }

    /// A client without a secret. It proves itself by [`ClientAuth::None`], unless the provider takes a
    /// private key: then give that with [`Provider::private_key`].
    #[must_use]
    pub fn public_client(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self.client_secret = None;
        if !self.client_auth.takes_private_key() {
            self.client_auth = ClientAuth::None;
        }
        self
    }

    /// Fills a placeholder of the endpoints: `.with("domain", "acme.auth0.com")` for `https://{domain}/`. A
    /// value with a scheme, a query or a user name is refused when Hallpass is built, and so is a
    /// placeholder that stands in no endpoint.
    #[must_use]
    pub fn with(mut self, placeholder: impl Into<String>, value: impl Into<String>) -> Self {
        let placeholder = placeholder.into();
        self.issuer_chosen |=
            self.template.issuer.as_deref().is_some_and(|issuer| has_placeholder(issuer, &placeholder));
        self.placeholders.retain(|(name, _)| *name != placeholder);
        self.placeholders.push((placeholder, value.into()));
        self.filled()
    }

    /// The issuer, exactly as its ID tokens name it. Default: that of the catalogue, or `AUTH_<ID>_ISSUER`
    /// of the environment, which wins over the catalogue but not over this method.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.template.issuer = Some(issuer.into());
        self.issuer_chosen = true;
        self.filled()
    }

    /// The authorization endpoint (RFC 6749 §3.1). Default: that of the catalogue or of discovery.
    #[must_use]
    pub fn authorization(mut self, url: impl Into<String>) -> Self {
        self.template.authorization = Some(url.into());
        self.filled()
    }

    /// The token endpoint (RFC 6749 §3.2). Default: that of the catalogue or of discovery.
    #[must_use]
    pub fn token(mut self, url: impl Into<String>) -> Self {
        self.template.token = Some(url.into());
        self.filled()
    }

    /// Where the profile is (OpenID Connect Core §5.3). Default: that of the catalogue or of discovery.
    ///
    /// The follow-up request of the catalogue is left out then: it would carry the access token to the
    /// catalogue's host.
    #[must_use]
    pub fn userinfo(mut self, url: impl Into<String>) -> Self {
        self.template.userinfo = Some(url.into());
        self.template.follow_up = None;
        self.follow_up = None;
        self.filled()
    }

    /// Where the keys that sign ID tokens are (RFC 7517 §5). Default: that of discovery.
    #[must_use]
    pub fn jwks_uri(mut self, url: impl Into<String>) -> Self {
        self.jwks_uri = Some(url.into());
        self
    }

    /// Scopes asked for, instead of the default ones. An empty list leaves the parameter out.
    #[must_use]
    pub fn scopes(mut self, scopes: &[&str]) -> Self {
        self.scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        self
    }

    /// One more parameter of the authorization request: `.authorization_param("prompt", "consent")`.
    /// Replaces an earlier one of the same name. Those of the protocol (`client_id`, `redirect_uri`, `scope`,
    /// `state`, …) are refused when Hallpass is built.
    #[must_use]
    pub fn authorization_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        self.authorization_params.retain(|(known, _)| *known != name);
        self.authorization_params.push((name, value.into()));
        self
    }

    /// What binds the answer to the request, instead of the default: PKCE and state, and the nonce with
    /// OpenID Connect. An empty list is refused when Hallpass is built.
    #[must_use]
    pub fn checks(mut self, checks: &[Check]) -> Self {
        self.checks = checks.to_vec();
        self
    }

    /// How the client proves who it is. Default: [`ClientAuth::Basic`], or what the catalogue says.
    #[must_use]
    pub fn client_auth(mut self, client_auth: ClientAuth) -> Self {
        self.client_auth = client_auth;
        self
    }

    /// The client's private key. With a provider that does not sign the secret
    /// ([`ClientAuth::SignedSecret`]) it also chooses [`ClientAuth::PrivateKeyJwt`].
    #[must_use]
    pub fn private_key(mut self, key: PrivateKey) -> Self {
        self.private_key = Some(key);
        if !self.client_auth.takes_private_key() {
            self.client_auth = ClientAuth::PrivateKeyJwt;
        }
        self
    }

    /// Where the profile comes from with OpenID Connect. Default: [`ProfileSource::IdToken`].
    #[must_use]
    pub fn profile_source(mut self, source: ProfileSource) -> Self {
        self.profile_source = source;
        self
    }

    /// Reads the profile, instead of the function of the catalogue or [`Profile::from_claims`].
    ///
    /// ```
    /// use hallpass::providers::{GITHUB, Profile};
    ///
    /// let github = GITHUB
    ///     .client("id", "secret")
    ///     .profile(|raw| Ok(Profile { name: raw.text("login"), ..Profile::new(raw.id("id")?) }));
    /// ```
    #[must_use]
    pub fn profile(
        mut self,
        profile: impl Fn(&Raw) -> Result<Profile, ProfileError> + Send + Sync + 'static,
    ) -> Self {
        self.profile = Arc::new(profile);
        self
    }

    /// Name on the button, instead of the catalogue's.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Colour of the button, `#rrggbb`, instead of the catalogue's. Default by hand: none.
    #[must_use]
    pub fn brand(mut self, brand: impl Into<String>) -> Self {
        self.brand = Some(brand.into());
        self
    }

    /// Address of a deployment whose callback receives the answers of this provider and passes them on, up
    /// to its base path: `https://auth.example.com/api/auth`. Default: the one of the whole configuration, whose
    /// [demands](crate::Builder::redirect_proxy_url) it shares.
    #[must_use]
    pub fn redirect_proxy_url(mut self, url: impl Into<String>) -> Self {
        self.redirect_proxy_url = Some(url.into());
        self
    }

    /// Signing algorithms accepted for ID tokens, by their name in JWA (RFC 7518 §3.1): `&["ES256"]`.
    /// Default: those of discovery, of the asymmetric ones.
    #[must_use]
    pub fn id_token_algorithms(mut self, algorithms: &[&str]) -> Self {
        self.id_token_algorithms = Some(algorithms.iter().map(|&name| name.to_owned()).collect());
        self
    }

    /// Moves the provider to a server that stands in for it, in development and tests. What is odd about the provider
    /// stays (scopes, checks, profile, …); addresses, placeholders, keys and algorithms are the stand-in's.
    ///
    /// `issuer` is what the stand-in's tokens and answers call it. With OpenID Connect everything else stands in that
    /// issuer's discovery document. With OAuth 2 the endpoints are `authorize`, `token` and `userinfo` below `base`;
    /// the catalogue's follow-up request goes to `follow-up`. A client that would prove itself with a key, an assertion
    /// or not at all does so by [`ClientAuth::Basic`].
    ///
    /// ```
    /// use hallpass::providers::GITHUB;
    ///
    /// let base = "http://127.0.0.1:8080/github";
    /// let github = GITHUB.client("client", "a secret of the stand-in").stand_in(base, base);
    /// ```
    #[must_use]
    pub fn stand_in(mut self, base: &str, issuer: impl Into<String>) -> Self {
        let below = |path: &str| Some(format!("{}/{path}", base.trim_end_matches('/')));
        let endpoint = |path: &str| below(path).filter(|_| self.kind == ProviderKind::OAuth2);
        self.template = Template {
            issuer: Some(issuer.into()),
            authorization: endpoint("authorize"),
            token: endpoint("token"),
            userinfo: endpoint("userinfo"),
            follow_up: self.follow_up.and_then(|_| below("follow-up")),
        };
        self.issuer_chosen = true;
        self.placeholders.clear();
        self.jwks_uri = None;
        self.id_token_algorithms = None;
        self.private_key = None;
        if !matches!(self.client_auth, ClientAuth::Post | ClientAuth::SignedSecret) {
            self.client_auth = ClientAuth::Basic;
        }
        self.filled()
    }

    /// Switches that weaken a defence.
    pub fn dangerous(self) -> Dangerous {
        Dangerous(self)
    }

    /// Whether an endpoint holds the placeholder.
    pub(super) fn takes_placeholder(&self, name: &str) -> bool {
        let Template { issuer, authorization, token, userinfo, follow_up } = &self.template;
        let templates = [issuer, authorization, token, userinfo, follow_up];
        templates.into_iter().flatten().any(|template| has_placeholder(template, name))
    }

    /// Fills the placeholders of the endpoints again.
    fn filled(mut self) -> Self {
        let fill = |template: &Option<String>| template.as_deref().map(|url| fill(url, &self.placeholders));
        self.issuer = fill(&self.template.issuer);
        self.authorization_endpoint = fill(&self.template.authorization);
        self.token_endpoint = fill(&self.template.token);
        self.userinfo_endpoint = fill(&self.template.userinfo);
        self.follow_up_url = fill(&self.template.follow_up);
        self
    }
}

/// Client id, secret and, where wanted, the issuer come from the environment.
impl From<&Spec> for Provider {
    fn from(spec: &Spec) -> Self {
        let some = |url: &str| Some(url.to_owned()).filter(|url| !url.is_empty());
        let mut template = Template {
            issuer: spec.issuer.and_then(some),
            follow_up: spec.follow_up.and_then(|follow_up| some(follow_up.url)),
            ..Template::default()
        };
        let kind = match spec.endpoints {
            Endpoints::OAuth2 { authorize, token, userinfo } => {
                template.authorization = some(authorize);
                template.token = some(token);
                template.userinfo = some(userinfo);
                ProviderKind::OAuth2
            }
            Endpoints::Discovery { issuer } => {
                template.issuer = some(issuer);
                ProviderKind::Oidc
            }
        };
        let is_oidc = kind == ProviderKind::Oidc;
        let scopes = if is_oidc && spec.scopes.is_empty() { DEFAULT_OIDC_SCOPES } else { spec.scopes };
        Self {
            id: spec.id.to_owned(),
            name: spec.name.to_owned(),
            brand: Some(spec.brand.to_owned()),
            kind,
            issuer: None,
            authorization_endpoint: None,
            token_endpoint: None,
            userinfo_endpoint: None,
            jwks_uri: None,
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            authorization_params: owned(spec.authorization_params),
            checks: spec.checks.iter().copied().filter(|&check| is_oidc || check != Check::Nonce).collect(),
            client_id: None,
            client_secret: None,
            private_key: None,
            client_auth: spec.client_auth,
            profile_source: spec.profile_source,
            userinfo_headers: owned(spec.userinfo_headers),
            follow_up: spec.follow_up,
            follow_up_url: None,
            issuer_placeholder: spec.issuer_placeholder,
            id_token_algorithms: None,
            posted: spec.posted,
            profile: Arc::new(spec.profile),
            redirect_proxy_url: None,
            link_accounts_by_email: false,
            private_network: false,
            template,
            placeholders: Vec::new(),
            issuer_chosen: false,
        }
        .filled()
    }
}

impl From<Spec> for Provider {
    fn from(spec: Spec) -> Self {
        Self::from(&spec)
    }
}

/// Switches of a provider that weaken a defence, from [`Provider::dangerous`].
#[derive(Clone, Debug)]
pub struct Dangerous(Provider);

impl Dangerous {
    /// Links a new account of this provider to the user who has the same e-mail address. Default: off.
    ///
    /// Whoever controls an address at the provider, or can make the provider say so, becomes that user.
    pub fn link_accounts_by_email(mut self) -> Provider {
        self.0.link_accounts_by_email = true;
        self.0
    }

    /// Lets requests to this provider reach private addresses (`10.0.0.0/8` and their like) over https.
    /// Default: off.
    ///
    /// Whoever controls the provider's discovery document can then make Hallpass ask machines inside the
    /// network. Link-local addresses and those of cloud metadata services stay out of reach.
    pub fn allow_private_network(mut self) -> Provider {
        self.0.private_network = true;
        self.0
    }
}

impl PrivateKey {
    /// A key in PKCS#8 PEM (`-----BEGIN PRIVATE KEY-----`) for `ES256`, `EdDSA`, `RS256` or `PS256`.
    pub fn new(algorithm: impl Into<String>, pem: impl Into<Secret>) -> Self {
        Self { pem: pem.into(), key_id: None, algorithm: algorithm.into(), issuer: None }
    }

    /// `kid` in the header of what it signs. Default: none.
    #[must_use]
    pub fn key_id(mut self, key_id: impl Into<String>) -> Self {
        self.key_id = Some(key_id.into());
        self
    }

    /// `iss` of what it signs (Apple: the team id). Default: the client id.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }
}

impl ClientAuth {
    /// Whether a private key signs the client's proof.
    pub(crate) fn takes_private_key(self) -> bool {
        matches!(self, Self::PrivateKeyJwt | Self::SignedSecret)
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Replaces each `{name}` and `{name=default}` that has a value; what has none stays, braces and all.
fn fill(template: &str, values: &[(String, String)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, placeholder, after)) = next_placeholder(rest) {
        filled.push_str(before);
        let (name, default) = match placeholder.split_once('=') {
            Some((name, default)) => (name, Some(default)),
            None => (placeholder, None),
        };
        let given = values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match given.or(default) {
            Some(value) => filled.push_str(value),
            None => filled.extend(["{", name, "}"]),
        }
        rest = after;
    }
    filled + rest
}

fn has_placeholder(template: &str, name: &str) -> bool {
    let mut rest = template;
    while let Some((_, placeholder, after)) = next_placeholder(rest) {
        if placeholder.split_once('=').map_or(placeholder, |(name, _)| name) == name {
            return true;
        }
        rest = after;
    }
    false
}

/// The text before the first placeholder, what stands between its braces, and the text behind it.
fn next_placeholder(template: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = template.split_once('{')?;
    let (placeholder, after) = rest.split_once('}')?;
    Some((before, placeholder, after))
}

const DEFAULT_OIDC_SCOPES: &[&str] = &["openid", "profile", "email"];

#[cfg(test)]
mod tests;
