//! What the server that signs somebody in asks: tokens (RFC 6749 §4.1.3, §6), and the profile.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use hallpass::Secret;
use hallpass::clock::{Clock, SystemClock};
use hallpass::providers::Endpoints;
use hallpass::random::{NoRandomness, Random, SystemRandom};
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use super::fault::Fault;
use super::grants::Grant;
use super::keys::Signer;
use super::{CLIENT, StandIn, Tenant, answer};

/// The token endpoint.
pub(super) async fn token(
    State(stand_in): State<StandIn>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let bad = |code: &str, description: &str| answer::error(StatusCode::BAD_REQUEST, code, description);
    if !stand_in.covers(&provider) {
        return answer::nobody();
    }
    if !stand_in.is_client(&headers, &form) {
        return answer::error(StatusCode::UNAUTHORIZED, "invalid_client", "the client is not this server");
    }
    let param = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let grant = match param("grant_type") {
        "authorization_code" => stand_in.redeem(&provider, &form),
        "refresh_token" => {
            let grant = stand_in.grants().refresh.get(param("refresh_token"), REFRESH_AGE);
            grant.filter(|grant| grant.spec.id == provider).ok_or("the refresh token is unknown")
        }
        _ => return bad("unsupported_grant_type", "authorization_code and refresh_token are supported"),
    };
    let grant = match grant {
        Ok(grant) => grant,
        Err(why) => return bad("invalid_grant", why),
    };
    let is_sign_in = param("grant_type") == "authorization_code";
    let fault = grant.fault.filter(|_| is_sign_in);
    match fault {
        Some(Fault::TokenDown) => {
            return answer::error(
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "as you wished",
            );
        }
        Some(Fault::SlowToken) => tokio::time::sleep(SLOW).await,
        _ => {}
    }
    match stand_in.tokens(&grant, fault) {
        Ok(tokens) => answer::json(StatusCode::OK, &tokens),
        Err(error) => answer::error(StatusCode::INTERNAL_SERVER_ERROR, "server_error", &error.to_string()),
    }
}

/// The userinfo endpoint (OpenID Connect Core §5.3), and what plain OAuth 2 has in its place.
pub(super) async fn userinfo(
    State(stand_in): State<StandIn>,
    Path(provider): Path<String>,
    headers: HeaderMap,
) -> Response {
    match stand_in.bearer(&provider, &headers) {
        Ok(grant) if grant.fault == Some(Fault::UserInfoDown) => {
            answer::error(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "as you wished")
        }
        Ok(grant) => answer::json(StatusCode::OK, &Value::Object(grant.answers.profile.clone())),
        Err(refusal) => *refusal,
    }
}

/// What some providers are asked for besides.
pub(super) async fn follow_up(
    State(stand_in): State<StandIn>,
    Path(provider): Path<String>,
    headers: HeaderMap,
) -> Response {
    match stand_in.bearer(&provider, &headers) {
        Ok(grant) => match &grant.answers.follow_up {
            Some(follow_up) => answer::json(StatusCode::OK, follow_up),
            None => answer::nobody(),
        },
        Err(refusal) => *refusal,
    }
}

/// 32 random bytes.
///
/// # Errors
/// When there are none.
pub(super) fn random() -> Result<String, NoRandomness> {
    let mut bytes = [0; 32];
    SystemRandom.fill(&mut bytes)?;
    Ok(Base64UrlUnpadded::encode_string(&bytes))
}

impl StandIn {
    /// A code is good for one try (RFC 6749 §4.1.2).
    pub(super) fn redeem(
        &self,
        provider: &str,
        form: &HashMap<String, String>,
    ) -> Result<Arc<Grant>, &'static str> {
        let param = |name: &str| form.get(name).map(String::as_str);
        let grant = self.grants().codes.take(param("code").unwrap_or_default(), CODE_AGE);
        let grant = grant.filter(|grant| grant.spec.id == provider);
        let grant = grant.ok_or("the code is unknown, too old or was used before")?;
        if param("redirect_uri") != Some(&grant.redirect_uri) {
            return Err("redirect_uri is not that of the authorization request");
        }
        // RFC 7636 §4.6
        let challenge = param("code_verifier")
            .map(|verifier| Base64UrlUnpadded::encode_string(digest(&SHA256, verifier.as_bytes()).as_ref()));
        if challenge != grant.challenge {
            return Err("code_verifier does not fit the challenge of the authorization request");
        }
        Ok(grant)
    }

    fn tokens(&self, grant: &Arc<Grant>, fault: Option<Fault>) -> Result<Value, NoRandomness> {
        let (access, refresh) = (random()?, random()?);
        let mut tokens = json!({
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": ACCESS_AGE.as_secs(),
            "refresh_token": refresh,
            "scope": grant.scope,
        });
        if matches!(grant.spec.endpoints, Endpoints::Discovery { .. }) {
            let signer = match fault {
                Some(Fault::RotatedKey) => Signer::Rotated,
                Some(Fault::UnpublishedKey) => Signer::Unpublished,
                _ => Signer::Current,
            };
            let claims = self.claims(grant, fault, &access);
            if let Some(tokens) = tokens.as_object_mut() {
                tokens.insert("id_token".to_owned(), self.keys().sign(&claims, signer)?.into());
            }
        }
        let mut grants = self.grants();
        grants.access.insert(access, Arc::clone(grant));
        grants.refresh.insert(refresh, Arc::clone(grant));
        Ok(tokens)
    }

    /// Of the ID token (OpenID Connect Core §2).
    fn claims(&self, grant: &Grant, fault: Option<Fault>, access_token: &str) -> Map<String, Value> {
        let now = SystemClock.now().seconds();
        let hash = digest(&SHA256, access_token.as_bytes());
        let half = hash.as_ref().get(..16).unwrap_or_default();
        let own = [
            ("iss", Some(self.issuer(grant.spec, Tenant::Of(&grant.answers.profile)).into())),
            ("aud", Some(CLIENT.into())),
            ("iat", Some(now.into())),
            ("exp", Some((now + ID_TOKEN_SECONDS).into())),
            ("auth_time", Some(now.into())),
            ("at_hash", Some(Base64UrlUnpadded::encode_string(half).into())),
            (
                "nonce",
                match fault {
                    Some(Fault::WrongNonce) => Some("that of another sign-in".into()),
                    _ => grant.nonce.clone().map(Value::from),
                },
            ),
        ];
        let mut claims = grant.answers.profile.clone();
        claims.extend(own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        claims
    }

    /// Whether id and secret are those of this server, in the header or in the form (RFC 6749 §2.3.1).
    pub(super) fn is_client(&self, headers: &HeaderMap, form: &HashMap<String, String>) -> bool {
        let given = match headers.get(AUTHORIZATION) {
            Some(header) => header.to_str().ok().and_then(basic),
            None => form.get("client_id").cloned().zip(form.get("client_secret").cloned()),
        };
        given.is_some_and(|(id, secret)| id == CLIENT && self.0.client_secret.matches(&secret))
    }

    /// Whose access token it is.
    fn bearer(&self, provider: &str, headers: &HeaderMap) -> Result<Arc<Grant>, Box<Response>> {
        let token = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok()?.strip_prefix("Bearer "));
        let grant = token.and_then(|token| self.grants().access.get(token, ACCESS_AGE));
        let grant = grant.filter(|grant| grant.spec.id == provider);
        grant.ok_or_else(|| {
            let why = "the access token is unknown or too old";
            Box::new(answer::error(StatusCode::UNAUTHORIZED, "invalid_token", why))
        })
    }
}

/// Id and secret, which were form-encoded first.
fn basic(header: &str) -> Option<(String, String)> {
    let pair = Base64::decode_vec(header.strip_prefix("Basic ")?).ok()?;
    let pair = Secret::from(String::from_utf8(pair).ok()?);
    let (id, secret) = pair.expose().split_once(':')?;
    let decode =
        |text: &str| url::form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned());
    Some((decode(id)?, decode(secret)?))
}

/// Longer than Hallpass waits for an answer.
const SLOW: Duration = Duration::from_secs(8);

const CODE_AGE: Duration = Duration::from_secs(60);

const ACCESS_AGE: Duration = Duration::from_secs(60 * 60);

const REFRESH_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

const ID_TOKEN_SECONDS: i64 = 600;
