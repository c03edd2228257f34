//! Drives the protocol: sends what [`oauth`](crate::oauth) and [`oidc`](crate::oidc) build, and hands them
//! what came back.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::http::HttpClient;
use crate::oauth::callback::ValidCallback;
use crate::oauth::metadata::{self, Metadata};
use crate::oauth::{ProtocolError, ProtocolErrorKind as Kind, token, userinfo};
use crate::oidc::id_token::{self, Expected, Origin};
use crate::oidc::jwks::{self, Jwks, Verification};
use crate::oidc::jws::Compact;
use crate::providers::{Profile, ProfileSource, Provider, ProviderKind, Raw};
use crate::random::Random;
use crate::{Secret, Timestamp};

mod flight;
mod refetch;

use flight::Flight;
use refetch::Refetches;

/// One application's side of OAuth 2 and OpenID Connect, with what it learned about the providers.
#[derive(Clone, Debug)]
pub(crate) struct RelyingParty {
    outside: Outside,
    servers: Arc<Mutex<HashMap<ServerKey, Arc<Server>>>>,
}

/// Who signed in, and what the provider gave.
pub(crate) struct Identity {
    /// The members of the token answer, as [`token::token_response`] leaves them.
    pub(crate) tokens: Map<String, Value>,
    /// The claims of the ID token, or the answer of the userinfo endpoint.
    pub(crate) raw_profile: Map<String, Value>,
    /// The profile that the provider's profile function made of it.
    pub(crate) profile: Profile,
}

impl RelyingParty {
    pub(crate) fn new(http: Arc<dyn HttpClient>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { outside: Outside { http, clock, random }, servers: Arc::default() }
    }

    /// The provider's endpoints: configured, or discovered at most an hour ago.
    pub(crate) async fn metadata(&self, provider: &Provider) -> Result<Arc<Metadata>, ProtocolError> {
        if let Some(configured) = metadata::configured(provider) {
            return configured.map(Arc::new);
        }
        let fetch = || {
            let (outside, provider) = (self.outside.clone(), provider.clone());
            async move {
                let request = metadata::discovery_request(&provider)?;
                let response = outside.send(request, "the discovery document").await?;
                metadata::discovery_response(&provider, &response)
            }
        };
        self.server(provider).metadata.get(self.now(), |_, age| age < MAX_AGE, |_| true, fetch).await
    }

    /// Redeems the code and learns who signed in: code → tokens → ID token → userinfo → profile.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the request that was sent or answered")]
    pub(crate) async fn redeem(
        &self,
        provider: &Provider,
        metadata: &Metadata,
        callback: ValidCallback,
        redirect_uri: &str,
        code_verifier: Option<&str>,
        nonce: Option<&str>,
        callback_params: &[(String, String)],
    ) -> Result<Identity, ProtocolError> {
        let (now, jti) = (self.now(), self.outside.random_bytes()?);
        let request =
            token::token_request(provider, metadata, callback, redirect_uri, code_verifier, now, jti)?;
        let response = self.outside.send(request, "the token endpoint").await?;
        let tokens = token::token_response(&response, self.now())?;
        let access_token = text(&tokens, "access_token").unwrap_or_default();

        let claims = self.id_token(provider, metadata, &tokens, Origin::SignIn { nonce }).await?;
        let mut raw_profile = match (claims, provider.profile_source) {
            (Some(claims), ProfileSource::IdToken) => claims,
            (claims, _) => self.userinfo(provider, metadata, access_token, claims.as_ref()).await?,
        };
        self.follow_up(provider, access_token, &mut raw_profile).await?;
        if let Some(add_posted) = provider.posted {
            add_posted(&mut raw_profile, callback_params);
        }

        let raw = Raw(raw_profile);
        let profile = (provider.profile)(&raw).map_err(|error| {
            ProtocolError::new(Kind::Profile, "the profile cannot be read").caused_by(error)
        })?;
        if profile.id.is_empty() || profile.id.contains('\0') {
            return Err(ProtocolError::new(Kind::Profile, "the profile has no usable id"));
        }
        Ok(Identity { tokens, raw_profile: raw.0, profile })
    }

    /// Redeems a refresh token (RFC 6749 §6) and returns the new token set. `id_token` is the ID token of the
    /// account, as far as there is one: a new one must be about the same person. An answer without a refresh
    /// token means that the old one stays; it is then in the set.
    pub(crate) async fn refresh(
        &self,
        provider: &Provider,
        refresh_token: &Secret,
        id_token: Option<&str>,
    ) -> Result<Map<String, Value>, ProtocolError> {
        let metadata = self.metadata(provider).await?;
        let (now, jti) = (self.now(), self.outside.random_bytes()?);
        let request = token::refresh_request(provider, &metadata, refresh_token, now, jti)?;
        let response = self.outside.send(request, "the token endpoint").await?;
        let mut tokens = token::token_response(&response, self.now())?;
        if provider.kind == ProviderKind::Oidc && tokens.contains_key("id_token") {
            let previous = id_token.and_then(|it| Compact::parse(it).ok()?.unverified_claims().ok());
            let origin = Origin::Refresh { previous: previous.as_ref() };
            self.id_token(provider, &metadata, &tokens, origin).await?;
        }
        if !tokens.contains_key("refresh_token") {
            tokens.insert("refresh_token".to_owned(), refresh_token.expose().into());
        }
        Ok(tokens)
    }

    /// The claims of the ID token in the answer, every one of them checked; `None` with plain OAuth 2.
    async fn id_token(
        &self,
        provider: &Provider,
        metadata: &Metadata,
        tokens: &Map<String, Value>,
        origin: Origin<'_>,
    ) -> Result<Option<Map<String, Value>>, ProtocolError> {
        if provider.kind == ProviderKind::OAuth2 {
            return Ok(None);
        }
        let Some(token) = text(tokens, "id_token") else {
            return Err(ProtocolError::new(Kind::Token, "the token endpoint gave no id_token"));
        };
        let compact = id_token::parse(provider, metadata, token)?;
        self.check_signature(provider, metadata, &compact).await?;
        let access_token = text(tokens, "access_token").unwrap_or_default();
        let expected = Expected { now: self.now(), access_token, origin };
        id_token::validate(provider, metadata, &compact, &expected).map(Some)
    }

    /// Checks with the keys that we have, and once more with newer ones if the token names a key that we have
    /// not seen.
    async fn check_signature(
        &self,
        provider: &Provider,
        metadata: &Metadata,
        token: &Compact<'_>,
    ) -> Result<(), ProtocolError> {
        let server = self.server(provider);
        let (known, _) = self.keys(&server, provider, metadata, None).await?;
        let mut verification = known.verify(token);
        if verification == Verification::UnknownKey {
            let (newer, out_of_turn) = self.keys(&server, provider, metadata, Some(&known)).await?;
            verification = newer.verify(token);
            if let Some(at) = out_of_turn.filter(|_| verification == Verification::Verified) {
                server.refetches.forgive(at);
            }
        }
        let message = match verification {
            Verification::Verified => return Ok(()),
            Verification::UnknownKey => {
                "the ID token is signed with a key that the provider does not publish"
            }
            Verification::Forged => "the signature of the ID token is wrong",
        };
        Err(ProtocolError::new(Kind::IdToken, message))
    }

    /// The provider's keys, at most an hour old; newer than `outdated` if that is given and the provider was
    /// not asked too often. With them, when this call asked for them out of turn.
    async fn keys(
        &self,
        server: &Arc<Server>,
        provider: &Provider,
        metadata: &Metadata,
        outdated: Option<&Arc<Jwks>>,
    ) -> Result<(Arc<Jwks>, Option<Timestamp>), ProtocolError> {
        let now = self.now();
        let fetch = || {
            let (outside, request) = (self.outside.clone(), jwks::jwks_request(provider, metadata));
            async move {
                let response = outside.send(request?, "the JWKS document").await?;
                jwks::jwks_response(&response)
            }
        };
        let newer = |keys: &Arc<Jwks>| outdated.is_none_or(|it| !Arc::ptr_eq(it, keys));
        let mut out_of_turn = None;
        let keys = server
            .keys
            .get(
                now,
                |keys, age| age < MAX_AGE && newer(keys),
                |age| {
                    out_of_turn = (age < MAX_AGE && server.refetches.allow(now)).then_some(now);
                    age >= MAX_AGE || out_of_turn.is_some()
                },
                fetch,
            )
            .await?;
        Ok((keys, out_of_turn))
    }

    async fn userinfo(
        &self,
        provider: &Provider,
        metadata: &Metadata,
        access_token: &str,
        claims: Option<&Map<String, Value>>,
    ) -> Result<Map<String, Value>, ProtocolError> {
        let request = userinfo::userinfo_request(provider, metadata, access_token)?;
        let response = self.outside.send(request, "the userinfo endpoint").await?;
        userinfo::userinfo_response(&response, claims.and_then(|it| text(it, "sub")))
    }

    /// What the extra request of some providers adds. A refusal (say, for want of a scope) adds nothing.
    async fn follow_up(
        &self,
        provider: &Provider,
        access_token: &str,
        profile: &mut Map<String, Value>,
    ) -> Result<(), ProtocolError> {
        let (Some(follow_up), Some(url)) = (provider.follow_up, &provider.follow_up_url) else {
            return Ok(());
        };
        let url = url.parse().map_err(|error| {
            ProtocolError::new(Kind::Configuration, "the address of the follow-up request is none")
                .caused_by(error)
        })?;
        let request = userinfo::profile_request(provider, &url, access_token)?;
        let response = self.outside.send(request, "the follow-up endpoint").await?;
        let status = response.status();
        if status.is_server_error() {
            let message = format!("the follow-up endpoint answered with status {}", status.as_u16());
            return Err(ProtocolError::new(Kind::UserInfo, message).for_now(true));
        }
        if status.is_success()
            && let Ok(answer) = serde_json::from_slice(response.body())
        {
            (follow_up.merge)(profile, &answer);
        }
        Ok(())
    }

    fn server(&self, provider: &Provider) -> Arc<Server> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (provider.id.clone(), provider.issuer.clone());
        if servers.len() >= MAX_SERVERS && !servers.contains_key(&key) {
            servers.clear();
        }
        servers.entry(key).or_default().clone()
    }

    fn now(&self) -> Timestamp {
        self.outside.clock.now()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("tokens", &self.tokens.keys().collect::<Vec<_>>())
            .field("raw_profile", &self.raw_profile.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// A provider's id and issuer.
type ServerKey = (String, Option<String>);

/// What we learned about a provider's authorization server.
#[derive(Debug, Default)]
struct Server {
    metadata: Flight<Metadata>,
    keys: Flight<Jwks>,
    refetches: Refetches,
}

#[derive(Clone, Debug)]
struct Outside {
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Outside {
    async fn send(&self, request: Request<Bytes>, what: &str) -> Result<Response<Bytes>, ProtocolError> {
        self.http.send(request).await.map_err(|error| {
            ProtocolError::new(Kind::Unreachable, format!("no answer: {what}")).caused_by(error).for_now(true)
        })
    }

    fn random_bytes<const N: usize>(&self) -> Result<[u8; N], ProtocolError> {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes).map_err(|error| {
            ProtocolError::new(Kind::Configuration, "there are no random bytes").caused_by(error)
        })?;
        Ok(bytes)
    }
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

const MAX_AGE: Duration = Duration::from_secs(60 * 60);
/// More than any application has providers; beyond it everything is learned anew.
const MAX_SERVERS: usize = 1000;

#[cfg(test)]
mod tests;
