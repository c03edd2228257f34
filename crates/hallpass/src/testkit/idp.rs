//! A provider in memory.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Map, Value, json};
use url::Url;

use super::clock::ManualClock;
use crate::clock::Clock;
use crate::http::{HttpClient, HttpError};
use crate::oauth::pkce;
use crate::providers::Provider;

/// An OpenID provider, and an OAuth 2 one, behind [`HttpClient`]: right, until a test says otherwise.
///
/// It checks what it is sent: client, redirect URI, PKCE, and that a code is used once. Clones are the same
/// provider.
#[derive(Clone)]
pub struct Idp {
    issuer: Url,
    clock: ManualClock,
    state: Arc<Mutex<State>>,
}

/// How somebody comes back from a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are all the ways that Hallpass asks for")]
pub enum Returning {
    /// By an address.
    Link(String),
    /// By a form that the browser posts: address and fields.
    Form(String, Vec<(String, String)>),
}

type Edit<T> = Box<dyn Fn(&mut T) + Send>;

struct State {
    user: Map<String, Value>,
    /// Sign-ins by code.
    grants: HashMap<String, Grant>,
    /// What was signed in, by access token.
    users: HashMap<String, Map<String, Value>>,
    issued: usize,
    kid: String,
    requests: Vec<Request<Bytes>>,
    instead: VecDeque<(String, Option<Response<Bytes>>)>,
    id_token: Option<Edit<Map<String, Value>>>,
    token_answer: Option<Edit<Map<String, Value>>>,
    returning: Option<Edit<Vec<(String, String)>>>,
}

#[derive(Clone)]
struct Grant {
    user: Map<String, Value>,
    client_id: String,
    redirect_uri: String,
    nonce: Option<String>,
    challenge: Option<String>,
    wants_id_token: bool,
}

impl Idp {
    /// A provider with this issuer, whose clock is the application's.
    pub fn new(issuer: &str, clock: &ManualClock) -> Self {
        let state = State {
            user: object(json!({ "sub": "1", "name": "Ada Lovelace", "email": "ada@example.com" })),
            grants: HashMap::new(),
            users: HashMap::new(),
            issued: 0,
            kid: "key-1".to_owned(),
            requests: Vec::new(),
            instead: VecDeque::new(),
            id_token: None,
            token_answer: None,
            returning: None,
        };
        Self {
            issuer: Url::parse(issuer).expect("the issuer is an address"),
            clock: clock.clone(),
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// It as an application configures it that speaks OpenID Connect.
    pub fn oidc_provider(&self, id: &str) -> Provider {
        Provider::oidc(id, format!("The {id}"), self.issuer()).client(CLIENT, CLIENT_SECRET)
    }

    /// It as an application configures it that speaks plain OAuth 2.
    pub fn oauth2_provider(&self, id: &str) -> Provider {
        let url = |path: &str| format!("{}/{path}", self.issuer());
        Provider::oauth2(id, format!("The {id}"), url("authorize"), url("token"), url("userinfo"))
            .client(CLIENT, CLIENT_SECRET)
    }

    /// Who signs in from now on: the claims about them, `sub` among them.
    pub fn set_user(&self, claims: Value) {
        self.lock().user = object(claims);
    }

    /// What the browser does over there: it opens the authorization URL, and comes back.
    pub fn authorize(&self, authorization_url: &str) -> Returning {
        let url = Url::parse(authorization_url).expect("an authorization URL");
        let is_ours = url.origin() == self.issuer.origin();
        assert!(is_ours, "an authorization URL of another provider: {authorization_url}");
        let asked: HashMap<_, _> = url.query_pairs().into_owned().collect();
        let param = |name: &str| asked.get(name).cloned();
        let redirect_uri = param("redirect_uri").expect("a redirect_uri");
        let mut state = self.lock();
        state.issued += 1;
        let code = format!("code-{}", state.issued);
        let grant = Grant {
            user: state.user.clone(),
            client_id: param("client_id").expect("a client_id"),
            redirect_uri: redirect_uri.clone(),
            nonce: param("nonce"),
            challenge: param("code_challenge"),
            wants_id_token: param("scope").is_some_and(|scope| scope.split(' ').any(|it| it == "openid")),
        };
        state.grants.insert(code.clone(), grant);
        let mut params = vec![("code".to_owned(), code), ("iss".to_owned(), self.issuer())];
        params.extend(param("state").map(|state| ("state".to_owned(), state)));
        if let Some(edit) = &state.returning {
            edit(&mut params);
        }
        if param("response_mode").as_deref() == Some("form_post") {
            return Returning::Form(redirect_uri, params);
        }
        let mut url = Url::parse(&redirect_uri).expect("the redirect_uri is an address");
        url.query_pairs_mut().extend_pairs(params);
        Returning::Link(url.into())
    }

    /// Changes the claims of every ID token before it is signed.
    pub fn on_id_token(&self, edit: impl Fn(&mut Map<String, Value>) + Send + 'static) {
        self.lock().id_token = Some(Box::new(edit));
    }

    /// Changes every answer of the token endpoint.
    pub fn on_token_answer(&self, edit: impl Fn(&mut Map<String, Value>) + Send + 'static) {
        self.lock().token_answer = Some(Box::new(edit));
    }

    /// Changes the parameters with which browsers come back.
    pub fn on_returning(&self, edit: impl Fn(&mut Vec<(String, String)>) + Send + 'static) {
        self.lock().returning = Some(Box::new(edit));
    }

    /// Answers the next request to this path (`/token`) with that instead, whatever it asks.
    pub fn answer_once(&self, path: &str, status: u16, body: &str) {
        let mut response = Response::new(Bytes::from(body.to_owned()));
        *response.status_mut() = status.try_into().expect("a status");
        self.lock().instead.push_back((path.to_owned(), Some(response)));
    }

    /// Lets the next request to this path run into its time limit.
    pub fn fail_once(&self, path: &str) {
        self.lock().instead.push_back((path.to_owned(), None));
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        self.lock().requests.clone()
    }

    /// How many requests there were to this path: `/token`.
    pub fn count(&self, path: &str) -> usize {
        self.lock().requests.iter().filter(|request| request.uri().path() == path).count()
    }

    /// Its issuer, as its tokens name it.
    pub fn issuer(&self) -> String {
        self.issuer.as_str().trim_end_matches('/').to_owned()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut state = self.lock();
        let path = request.uri().path().to_owned();
        state.requests.push(request.clone());
        if let Some(index) = state.instead.iter().position(|(other, _)| *other == path) {
            let (_, response) = state.instead.remove(index).expect("it is there");
            return response.ok_or(HttpError::TimedOut);
        }
        Ok(match path.as_str() {
            "/.well-known/openid-configuration" => as_json(StatusCode::OK, &self.metadata()),
            "/jwks" => as_json(StatusCode::OK, &json!({ "keys": [public_key(&state.kid)] })),
            "/token" => match self.redeem(&mut state, request) {
                Ok(answer) => as_json(StatusCode::OK, &answer),
                Err(error) => as_json(StatusCode::BAD_REQUEST, &json!({ "error": error })),
            },
            "/userinfo" => match bearer(request).and_then(|token| state.users.get(token)) {
                Some(user) => as_json(StatusCode::OK, &Value::Object(user.clone())),
                None => as_json(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_token" })),
            },
            _ => as_json(StatusCode::NOT_FOUND, &json!({})),
        })
    }

    fn metadata(&self) -> Value {
        let url = |path: &str| format!("{}/{path}", self.issuer());
        json!({
            "issuer": self.issuer(),
            "authorization_endpoint": url("authorize"),
            "token_endpoint": url("token"),
            "userinfo_endpoint": url("userinfo"),
            "jwks_uri": url("jwks"),
            "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        })
    }

    /// The token endpoint (RFC 6749 §4.1.3).
    fn redeem(&self, state: &mut State, request: &Request<Bytes>) -> Result<Value, &'static str> {
        let form: HashMap<_, _> = form_urlencoded::parse(request.body()).into_owned().collect();
        let param = |name: &str| form.get(name).map(String::as_str);
        if client_of(request, &form) != Some((CLIENT.to_owned(), CLIENT_SECRET.to_owned())) {
            return Err("invalid_client");
        }
        if param("grant_type") != Some("authorization_code") {
            return Err("unsupported_grant_type");
        }
        // A code is good for one try, as RFC 6749 §4.1.2 has it.
        let grant = param("code").and_then(|code| state.grants.remove(code)).ok_or("invalid_grant")?;
        let verifier = param("code_verifier").map(pkce::challenge);
        if param("redirect_uri") != Some(&grant.redirect_uri) || verifier != grant.challenge {
            return Err("invalid_grant");
        }
        state.issued += 1;
        let access_token = format!("access-token-{}", state.issued);
        state.users.insert(access_token.clone(), grant.user.clone());
        let mut answer = object(json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": format!("refresh-token-{}", state.issued),
        }));
        if grant.wants_id_token {
            answer.insert("id_token".to_owned(), self.id_token(state, grant).into());
        }
        if let Some(edit) = &state.token_answer {
            edit(&mut answer);
        }
        Ok(Value::Object(answer))
    }

    fn id_token(&self, state: &State, grant: Grant) -> String {
        let now = self.clock.now().seconds();
        let mut claims = grant.user;
        claims.extend(object(json!({
            "iss": self.issuer(),
            "aud": grant.client_id,
            "iat": now,
            "exp": now + 600,
        })));
        if let Some(nonce) = grant.nonce {
            claims.insert("nonce".to_owned(), nonce.into());
        }
        if let Some(edit) = &state.id_token {
            edit(&mut claims);
        }
        let header = json!({ "alg": "ES256", "kid": state.kid });
        let encode = |part: Value| Base64UrlUnpadded::encode_string(part.to_string().as_bytes());
        let input = format!("{}.{}", encode(header), encode(Value::Object(claims)));
        let signer = (DEFAULT_PROVIDER.signer_factory)(&Algorithm::ES256, &key()).expect("the key signs");
        let signature = signer.try_sign(input.as_bytes()).expect("the key signs");
        format!("{input}.{}", Base64UrlUnpadded::encode_string(&signature))
    }
}

impl HttpClient for Idp {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>> {
        Box::pin(async move {
            pause().await;
            let host = request.uri().host().unwrap_or_default();
            if Some(host) != self.issuer.host_str() {
                let host = host.to_owned();
                return Err(HttpError::Forbidden { host, why: "it is not this provider" });
            }
            self.answer(&request)
        })
    }
}

impl fmt::Debug for Idp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Idp").field(&self.issuer.as_str()).finish()
    }
}

/// Several providers behind one [`HttpClient`]: each request goes to the one with its host.
#[derive(Clone, Debug)]
pub struct Idps(Vec<Idp>);

impl Idps {
    /// These providers.
    pub fn new(idps: impl IntoIterator<Item = Idp>) -> Self {
        Self(idps.into_iter().collect())
    }
}

impl HttpClient for Idps {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>> {
        let host = request.uri().host();
        match self.0.iter().find(|idp| idp.issuer.host_str() == host) {
            Some(idp) => idp.send(request),
            None => {
                let host = host.unwrap_or_default().to_owned();
                Box::pin(async { Err(HttpError::Forbidden { host, why: "no provider is there" }) })
            }
        }
    }
}

/// An answer from the network never comes at once: others go first.
async fn pause() {
    let mut turns = 3;
    poll_fn(|context| {
        if turns == 0 {
            return Poll::Ready(());
        }
        turns -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Id and secret of the client, from the header or the form (RFC 6749 §2.3.1).
fn client_of(request: &Request<Bytes>, form: &HashMap<String, String>) -> Option<(String, String)> {
    let Some(header) = request.headers().get(AUTHORIZATION) else {
        return Some((form.get("client_id")?.clone(), form.get("client_secret")?.clone()));
    };
    let pair = Base64::decode_vec(header.to_str().ok()?.strip_prefix("Basic ")?).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decode =
        |text: &str| form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned());
    Some((decode(id)?, decode(secret)?))
}

fn bearer(request: &Request<Bytes>) -> Option<&str> {
    request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn as_json(status: StatusCode, body: &Value) -> Response<Bytes> {
    let response = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
    response.body(body.to_string().into()).expect("a response")
}

fn key() -> EncodingKey {
    EncodingKey::from_ec_pem(include_bytes!("../../testdata/keys/ec-p-256.pem")).expect("the key is readable")
}

fn public_key(kid: &str) -> Value {
    let key = Jwk::from_encoding_key(&key(), Algorithm::ES256).expect("the key has a public half");
    let mut key = serde_json::to_value(key).expect("the key is JSON");
    key["kid"] = kid.into();
    key["use"] = "sig".into();
    key
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("not a JSON object: {other}"),
    }
}

const CLIENT: &str = "the client";

const CLIENT_SECRET: &str = "the client's secret";
