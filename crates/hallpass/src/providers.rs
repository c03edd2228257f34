//! Providers are values: a [`Spec`] says what is special about one, [`Spec::client`] makes a [`Provider`] of it.
//!
//! ```
//! use hallpass::providers::{GITHUB, Profile, Provider};
//!
//! let github = GITHUB.client("my-client-id", "my-client-secret");
//! let staff = Provider::oidc("staff", "Staff", "https://login.example.com").client("hallpass", "secret");
//! let forum = Provider::oauth2(
//!     "forum",
//!     "Forum",
//!     "https://forum.example.com/authorize",
//!     "https://forum.example.com/token",
//!     "https://forum.example.com/me",
//! )
//! .client("hallpass", "secret")
//! .profile(|raw| Ok(Profile { name: raw.text("nick"), ..Profile::new(raw.id("member_id")?) }));
//! ```

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::Secret;

mod builder;
mod environment;
mod problems;
mod raw;

pub use builder::Dangerous;
pub(crate) use problems::ProviderProblemKind;
pub use raw::{ProfileError, Raw};

/// Declares the providers of the catalogue: `file: CONST`, in the order of their ids.
macro_rules! providers {
    ($($file:ident: $spec:ident,)*) => {
        $(mod $file;)*
        $(pub use $file::$spec;)*

        /// Every provider of the catalogue, in the order of their ids.
        pub const ALL: &[&Spec] = &[$(&$spec),*];

        const RECORDED: &[(&Spec, &str)] = &[$(
            (&$spec, include_str!(concat!("../testdata/providers/", stringify!($file), ".json"))),
        )*];

        #[cfg(test)]
        const FILES: &[(&str, &Spec)] = &[$((stringify!($file), &$spec)),*];
    };
}

providers! {
    apple: APPLE,
    auth0: AUTH0,
    discord: DISCORD,
    github: GITHUB,
    gitlab: GITLAB,
    google: GOOGLE,
    keycloak: KEYCLOAK,
    microsoft_entra_id: MICROSOFT_ENTRA_ID,
}

/// What a provider of the catalogue says of somebody, as JSON: for tests, and for a server that stands in for the
/// provider. `None` for an id that is not in the catalogue.
///
/// An object with `profile` (the claims of the ID token, or the answer of userinfo), `follow_up` where the provider
/// has one, and `expected`, what Hallpass makes of it. It is about Ada Lovelace, whose nickname is `ada`, and may hold
/// the claims that come with every token (`iss`, `exp`, …).
///
/// ```
/// use hallpass::providers;
///
/// assert!(providers::recorded("github").is_some_and(|json| json.contains("\"login\": \"ada\"")));
/// ```
pub fn recorded(id: &str) -> Option<&'static str> {
    RECORDED.iter().find(|(spec, _)| spec.id == id).map(|&(_, json)| json)
}

/// What Hallpass knows about a provider of the catalogue. Plain data: every field has a default in
/// [`Spec::DEFAULT`], and what is odd about a provider is a `fn` pointer, never code in the engine.
///
/// New fields may come with any release: end every `Spec` with `..Spec::DEFAULT`, as the catalogue does.
///
/// ```
/// use hallpass::providers::{Endpoints, Spec};
///
/// const ACME: Spec = Spec {
///     id: "acme",
///     name: "Acme",
///     brand: "#c0ffee",
///     endpoints: Endpoints::Discovery { issuer: "https://{domain}" },
///     ..Spec::DEFAULT
/// };
/// let provider = ACME.client("my-client-id", "my-client-secret").with("domain", "login.acme.example");
/// assert_eq!(provider.name(), "Acme");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Id in addresses and environment variables: `/signin/github`, `AUTH_GITHUB_ID`. ASCII letters,
    /// digits, `-` and `_`.
    pub id: &'static str,
    /// Name on the button.
    pub name: &'static str,
    /// Colour of the button, `#rrggbb`.
    pub brand: &'static str,
    /// Where to ask.
    pub endpoints: Endpoints,
    /// Issuer of a plain OAuth 2 provider that names itself in its answers (RFC 9207). With OpenID Connect
    /// it stands in the endpoints. Default: none.
    pub issuer: Option<&'static str>,
    /// Scopes asked for. Default: none for OAuth 2, `openid profile email` for OpenID Connect.
    pub scopes: &'static [&'static str],
    /// More parameters of the authorization request. Default: none.
    pub authorization_params: &'static [(&'static str, &'static str)],
    /// What binds the answer to the request. Default: all of PKCE, state and nonce. Plain OAuth 2 has no
    /// ID token to carry a nonce, so it is left out there.
    pub checks: &'static [Check],
    /// How the client proves who it is at the token endpoint. Default: [`ClientAuth::Basic`].
    pub client_auth: ClientAuth,
    /// Where the profile comes from with OpenID Connect. Default: [`ProfileSource::IdToken`].
    pub profile_source: ProfileSource,
    /// Headers that userinfo and the follow-up want besides `Authorization`. Default: none.
    pub userinfo_headers: &'static [(&'static str, &'static str)],
    /// One more request after userinfo, merged into the profile. Default: none.
    pub follow_up: Option<FollowUp>,
    /// Claim of the ID token that fills the placeholder in the issuer that discovery names
    /// (`https://login.microsoftonline.com/{tenantid}/v2.0`), as `("{tenantid}", "tid")`. Default: none.
    pub issuer_placeholder: Option<(&'static str, &'static str)>,
    /// Adds to the profile, before it is read, what the provider sends beside the code. Default: none.
    pub posted: Option<PostedFn>,
    /// Reads the profile. Default: [`Profile::from_claims`].
    pub profile: fn(&Raw) -> Result<Profile, ProfileError>,
}

impl Spec {
    /// What most providers have in common: OpenID Connect with the standard scopes, claims and checks. The
    /// id, the name and the endpoints are empty.
    pub const DEFAULT: Self = Self {
        id: "",
        name: "",
        brand: "#4b5563",
        endpoints: Endpoints::Discovery { issuer: "" },
        issuer: None,
        scopes: &[],
        authorization_params: &[],
        checks: &[Check::Pkce, Check::State, Check::Nonce],
        client_auth: ClientAuth::Basic,
        profile_source: ProfileSource::IdToken,
        userinfo_headers: &[],
        follow_up: None,
        issuer_placeholder: None,
        posted: None,
        profile: Profile::from_claims,
    };

    /// The provider with the client that the application registered there.
    pub fn client(&self, id: impl Into<String>, secret: impl Into<Secret>) -> Provider {
        Provider::from(self).client(id, secret)
    }

    /// The provider with a client that has no secret ([`ClientAuth::None`]).
    pub fn public_client(&self, id: impl Into<String>) -> Provider {
        Provider::from(self).public_client(id)
    }
}

/// Where a provider is asked. May hold placeholders, filled by [`Provider::with`]: `{domain}` has no
/// default, that of `{domain=gitlab.com}` stands after the `=`.
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
    /// OpenID Connect: everything else stands in the issuer's discovery document.
    Discovery {
        /// The issuer, exactly as its ID tokens name it. Empty: every application has its own and gives
        /// it with [`Provider::issuer`].
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
    /// (what "Sign in with Apple" asks for). Without a private key the configured secret is sent as it is: a
    /// token that was signed elsewhere.
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
pub struct FollowUp {
    /// Address asked with GET, with the access token as bearer. May hold placeholders.
    pub url: &'static str,
    /// Takes from the JSON answer what the profile lacks.
    pub merge: fn(profile: &mut Map<String, Value>, answer: &Value),
}

/// Takes from the parameters of the callback, in their order, what the profile lacks. Nobody signed them.
pub type PostedFn = fn(profile: &mut Map<String, Value>, parameters: &[(String, String)]);

/// Who a person is, as a provider says it.
///
/// New fields may come with any release: end every literal with `..Profile::new(id)`.
#[derive(Clone, Debug, Default, PartialEq)]
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

    /// The standard claims (OpenID Connect Core §5.1), and what plain OAuth 2 providers call the same:
    /// id is `sub` or `id`; name is `name`, `nickname` or `preferred_username`; `email`,
    /// `email_verified` and `picture`. A field of the wrong kind is absent.
    ///
    /// # Errors
    /// When there is no id.
    pub fn from_claims(raw: &Raw) -> Result<Self, ProfileError> {
        // A `sub` that is present but unusable is an error: the person must not become someone else.
        let id = if raw.get("sub").is_some() { raw.id("sub")? } else { raw.id("id")? };
        Ok(Self {
            name: raw
                .text("name")
                .or_else(|| raw.text("nickname"))
                .or_else(|| raw.text("preferred_username")),
            email: raw.text("email"),
            email_verified: raw.flag("email_verified"),
            image: raw.text("picture"),
            ..Self::new(id)
        })
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
    /// The address of the follow-up, placeholders filled.
    pub(crate) follow_up_url: Option<String>,
    pub(crate) issuer_placeholder: Option<(&'static str, &'static str)>,
    /// Signing algorithms accepted for ID tokens, where the default (those of the discovery document, of
    /// the asymmetric ones) is not wanted.
    pub(crate) id_token_algorithms: Option<Vec<String>>,
    pub(crate) posted: Option<PostedFn>,
    pub(crate) profile: ProfileFn,
    pub(crate) redirect_proxy_url: Option<String>,
    pub(crate) link_accounts_by_email: bool,
    pub(crate) private_network: bool,
    /// Endpoints before their placeholders are filled; the fields above hold the filled ones.
    pub(crate) template: Template,
    /// What fills the placeholders.
    pub(crate) placeholders: Vec<(String, String)>,
    /// The application chose the issuer, so the environment does not.
    pub(crate) issuer_chosen: bool,
}

/// Endpoints as configured, with their placeholders.
#[derive(Clone, Default)]
pub(crate) struct Template {
    issuer: Option<String>,
    authorization: Option<String>,
    token: Option<String>,
    userinfo: Option<String>,
    follow_up: Option<String>,
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
///
/// ```
/// use hallpass::providers::{APPLE, PrivateKey};
///
/// # let pem = "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----";
/// let key = PrivateKey::new("ES256", pem).key_id("ABC123DEFG").issuer("TEAM123456");
/// let apple = APPLE.public_client("com.example.web").private_key(key);
/// ```
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

#[cfg(test)]
mod tests;
