//! Providers are values: a [`Spec`] says what is special about one, [`Spec::client`] makes a [`Provider`] of it.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::Secret;

mod raw;

pub use raw::{ProfileError, Raw};

/// What Hallpass knows about a provider of the catalogue. Plain data: every field has a default in
/// [`Spec::DEFAULT`], and what is odd about a provider is a `fn` pointer, never code in the engine.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Spec {
    /// Id in addresses and environment variables: `/signin/github`, `AUTH_GITHUB_ID`.
    pub id: &'static str,
    /// Name on the button.
    pub name: &'static str,
    /// Colour of the button, `#rrggbb`.
    pub brand: &'static str,
    /// Where to ask.
    pub endpoints: Endpoints,
    /// Scopes asked for. For OpenID Connect the default is `openid profile email`.
    pub scopes: &'static [&'static str],
    /// More parameters of the authorization request.
    pub authorization_params: &'static [(&'static str, &'static str)],
    /// What binds the answer to the request. Default: PKCE and state, and the nonce with OpenID Connect.
    pub checks: &'static [Check],
    /// How the client proves who it is at the token endpoint. Default: [`ClientAuth::Basic`].
    pub client_auth: ClientAuth,
    /// Where the profile comes from with OpenID Connect. Default: [`ProfileSource::IdToken`].
    pub profile_source: ProfileSource,
    /// Headers that the userinfo endpoint wants besides `Authorization`.
    pub userinfo_headers: &'static [(&'static str, &'static str)],
    /// One more request after userinfo, merged into the profile.
    pub follow_up: Option<FollowUp>,
    /// Claim of the ID token that fills the placeholder in the issuer that discovery names
    /// (`https://login.microsoftonline.com/{tenantid}/v2.0`), as `("{tenantid}", "tid")`.
    pub issuer_placeholder: Option<(&'static str, &'static str)>,
    /// Reads the profile. Default: the standard OpenID claims.
    pub profile: fn(&Raw) -> Result<Profile, ProfileError>,
}

/// Where a provider is asked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Endpoints {
    /// Plain OAuth 2: no ID token, the profile comes from `userinfo`.
    OAuth2 {
        /// Authorization endpoint (RFC 6749 §3.1).
        authorize: &'static str,
        /// Token endpoint (RFC 6749 §3.2).
        token: &'static str,
        /// Where the profile is.
        userinfo: &'static str,
    },
    /// OpenID Connect: everything else stands in the issuer's discovery document. May hold
    /// placeholders: `https://{domain}`, filled by [`Provider::with`].
    Discovery {
        /// The issuer, exactly as its ID tokens name it.
        issuer: &'static str,
    },
}

/// What binds an answer to the request that asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Check {
    /// Proof key for code exchange, always S256 (RFC 7636).
    Pkce,
    /// The `state` parameter (RFC 6749 §10.12).
    State,
    /// The `nonce` claim of the ID token (OpenID Connect Core §3.1.2.1).
    Nonce,
}

/// How the client proves who it is at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuth {
    /// `client_secret_basic` (RFC 6749 §2.3.1).
    Basic,
    /// `client_secret_post` (RFC 6749 §2.3.1).
    Post,
    /// `client_secret_jwt`: an assertion signed with the secret, HS256 (RFC 7523 §2.2).
    SecretJwt,
    /// `private_key_jwt`: an assertion signed with the client's private key (RFC 7523 §2.2).
    PrivateKeyJwt,
    /// `client_secret_post` with a secret that is itself a token signed with the client's private key
    /// (what "Sign in with Apple" asks for).
    SignedSecret,
    /// `none`: a public client.
    None,
}

/// Where the profile of an OpenID provider comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileSource {
    /// The claims of the ID token.
    IdToken,
    /// The userinfo endpoint; its `sub` must be that of the ID token (OpenID Connect Core §5.3.2).
    UserInfo,
}

/// One more request after userinfo.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FollowUp {
    /// Address asked, with the access token as bearer.
    pub url: &'static str,
    /// Takes from the JSON answer what the profile lacks.
    pub merge: fn(profile: &mut Map<String, Value>, answer: &Value),
}

/// Who a person is, as a provider says it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// The provider's own id of the person; never empty. With the provider's id it is the identity.
    pub id: String,
    /// Display name.
    pub name: Option<String>,
    /// E-mail address as the provider gives it.
    pub email: Option<String>,
    /// Whether the provider has checked the address. Unknown is `false`.
    pub email_verified: bool,
    /// Address of a picture.
    pub image: Option<String>,
    /// More fields for the `user` that callbacks see.
    pub extra: Map<String, Value>,
}

impl Profile {
    /// A profile with nothing but an id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }
}

pub(crate) type ProfileFn = Arc<dyn Fn(&Raw) -> Result<Profile, ProfileError> + Send + Sync>;

/// A provider as one application uses it: OAuth 2 or OpenID Connect, with the application's client.
///
/// From the catalogue with [`Spec::client`], or by hand with [`Provider::oidc`] and [`Provider::oauth2`].
#[derive(Clone)]
pub struct Provider {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) brand: Option<String>,
    pub(crate) kind: ProviderKind,
    pub(crate) issuer: Option<String>,
    pub(crate) authorization_endpoint: Option<String>,
    pub(crate) token_endpoint: Option<String>,
    pub(crate) userinfo_endpoint: Option<String>,
    pub(crate) jwks_uri: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) authorization_params: Vec<(String, String)>,
    pub(crate) checks: Vec<Check>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) private_key: Option<PrivateKey>,
    pub(crate) client_auth: ClientAuth,
    pub(crate) profile_source: ProfileSource,
    pub(crate) userinfo_headers: Vec<(String, String)>,
    pub(crate) follow_up: Option<FollowUp>,
    pub(crate) issuer_placeholder: Option<(&'static str, &'static str)>,
    /// Signing algorithms accepted for ID tokens, where the default (those of the discovery document, of
    /// the asymmetric ones) is not wanted.
    pub(crate) id_token_algorithms: Option<Vec<String>>,
    pub(crate) profile: ProfileFn,
    pub(crate) redirect_proxy_url: Option<String>,
    pub(crate) link_accounts_by_email: bool,
    pub(crate) private_network: bool,
}

/// Plain OAuth 2, or with an identity layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderKind {
    /// OAuth 2 (RFC 6749). Auth.js calls it `oauth`.
    OAuth2,
    /// OpenID Connect. Auth.js calls it `oidc`.
    Oidc,
}

/// A private key of the client, for [`ClientAuth::PrivateKeyJwt`] and [`ClientAuth::SignedSecret`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PrivateKey {
    /// PKCS#8 in PEM.
    pub pem: Secret,
    /// `kid` in the header, if the provider wants one.
    pub key_id: Option<String>,
    /// `ES256`, `EdDSA`, `RS256` or `PS256`.
    pub algorithm: String,
    /// `iss` of the token where it is not the client id (Apple: the team id).
    pub issuer: Option<String>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}
