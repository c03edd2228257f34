use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::task::Poll;

use futures_util::future::join_all;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::json;

use super::*;
use crate::http::{HttpError, Reach};
use crate::oauth::callback::validate;
use crate::oauth::tests::{ISSUER, answer, document, form, json_answer, oauth2, oidc, pairs};
use crate::oidc::tests::{ed25519, jwk, other_p256, p256, sign};
use crate::providers::{FollowUp, ProfileError};
use crate::random::NoRandomness;

const START: i64 = 1_800_000_000;

/// A provider in memory: right, until a test changes an answer.
#[derive(Debug, Default)]
struct Op {
    seen: Mutex<Vec<(String, Request<Bytes>)>>,
    /// Answers given instead of the right ones, by path; each once.
    instead: Mutex<Vec<Instead>>,
    claims: Mutex<Map<String, Value>>,
    tokens: Mutex<Map<String, Value>>,
    profile: Mutex<Map<String, Value>>,
    published: Mutex<Vec<Value>>,
    signing_kid: Mutex<String>,
    /// Kids that were never published, one for each token.
    strange_kids: Mutex<VecDeque<String>>,
    /// How often an answer lets others go first.
    pauses: AtomicUsize,
    hangs: Mutex<Option<&'static str>>,
}

/// A path, and the answer that comes from it; none if the connection breaks.
type Instead = (&'static str, Option<Response<Bytes>>);

#[derive(Debug, Default)]
struct TestClock(AtomicI64);

#[derive(Debug)]
struct TestRandom;

struct Case {
    op: Arc<Op>,
    clock: Arc<TestClock>,
    rp: RelyingParty,
    provider: Provider,
}

impl Op {
    fn count(&self, path: &str) -> usize {
        self.seen.lock().unwrap().iter().filter(|(it, _)| it == path).count()
    }

    fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|(path, _)| path.clone()).collect()
    }

    fn last(&self, path: &str) -> Request<Bytes> {
        self.seen.lock().unwrap().iter().rfind(|(it, _)| it == path).unwrap().1.clone()
    }

    fn answers(&self, path: &'static str, answer: Response<Bytes>) {
        self.instead.lock().unwrap().push((path, Some(answer)));
    }

    fn breaks(&self, path: &'static str) {
        self.instead.lock().unwrap().push((path, None));
    }

    fn rotate(&self, kid: &str) {
        *self.published.lock().unwrap() = vec![jwk(&p256(), Algorithm::ES256, kid)];
        kid.clone_into(&mut self.signing_kid.lock().unwrap());
    }

    fn respond(&self, path: &str, now: i64) -> Result<Response<Bytes>, HttpError> {
        let mut instead = self.instead.lock().unwrap();
        if let Some(index) = instead.iter().position(|(it, _)| *it == path) {
            return instead.remove(index).1.ok_or(HttpError::TimedOut);
        }
        Ok(match path {
            "/.well-known/openid-configuration" => json_answer(&document()),
            "/jwks" => json_answer(&json!({ "keys": *self.published.lock().unwrap() })),
            "/token" => json_answer(&self.token_answer(now)),
            "/userinfo" | "/me" => json_answer(&Value::Object(self.profile.lock().unwrap().clone())),
            _ => answer(404, ""),
        })
    }

    fn token_answer(&self, now: i64) -> Value {
        let mut answer = json!({ "access_token": "at", "token_type": "Bearer", "expires_in": 3600, "id_token": self.id_token(now) });
        for (name, value) in self.tokens.lock().unwrap().clone() {
            answer[name] = value;
        }
        answer
    }

    fn id_token(&self, now: i64) -> String {
        let mut claims = json!({ "iss": ISSUER, "aud": "client", "sub": "lena", "iat": now, "exp": now + 600, "nonce": "n" });
        for (name, value) in self.claims.lock().unwrap().clone() {
            claims[name] = value;
        }
        let strange = self.strange_kids.lock().unwrap().pop_front();
        let (kid, key) = match strange {
            Some(kid) => (kid, other_p256()),
            None => (self.signing_kid.lock().unwrap().clone(), p256()),
        };
        let header = json!({ "alg": "ES256", "kid": kid });
        sign(&header, claims.to_string().as_bytes(), &key, Algorithm::ES256)
    }
}

#[derive(Debug)]
struct Wire(Arc<Op>, Arc<TestClock>);

impl HttpClient for Wire {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>> {
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            self.0.seen.lock().unwrap().push((path.clone(), request));
            let hangs = *self.0.hangs.lock().unwrap() == Some(path.as_str());
            let mut pauses = self.0.pauses.load(Ordering::Relaxed);
            poll_fn(|context| {
                if pauses == 0 && !hangs {
                    return Poll::Ready(());
                }
                pauses = pauses.saturating_sub(1);
                if !hangs {
                    context.waker().wake_by_ref();
                }
                Poll::Pending
            })
            .await;
            self.0.respond(&path, self.1.0.load(Ordering::Relaxed))
        })
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::Relaxed))
    }
}

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        bytes.fill(7);
        Ok(())
    }
}

impl Case {
    fn new(provider: Provider) -> Self {
        let (op, clock) = (Arc::new(Op::default()), Arc::new(TestClock(START.into())));
        op.rotate("k1");
        *op.profile.lock().unwrap() = object(json!({ "sub": "lena", "id": "7", "name": "Lena" }));
        let rp =
            RelyingParty::new(Arc::new(Wire(op.clone(), clock.clone())), clock.clone(), Arc::new(TestRandom));
        Self { op, clock, rp, provider }
    }

    fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }

    async fn sign_in(&self) -> Result<Identity, ProtocolError> {
        self.sign_in_with(&[]).await
    }

    async fn sign_in_with(&self, more: &[(&str, &str)]) -> Result<Identity, ProtocolError> {
        let metadata = self.rp.metadata(&self.provider).await?;
        let params = pairs(&[&[("code", "c"), ("state", "s"), ("iss", ISSUER)], more].concat());
        let callback = validate(&self.provider, &metadata, &params, Some("s"))?;
        self.rp
            .redeem(
                &self.provider,
                &metadata,
                callback,
                "https://app.example/cb",
                Some("v"),
                Some("n"),
                &params,
            )
            .await
    }

    async fn refusal(&self) -> (Kind, String) {
        let error = self.sign_in().await.unwrap_err();
        (error.kind(), error.to_string())
    }
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { panic!("not an object: {value}") };
    object
}

#[tokio::test]
async fn a_sign_in_asks_for_metadata_tokens_and_keys_and_gives_an_identity() {
    let case = Case::new(oidc());
    case.op.tokens.lock().unwrap().insert("weird_field".into(), json!("kept"));
    let identity = case.sign_in().await.unwrap();
    assert_eq!(case.op.requests(), ["/.well-known/openid-configuration", "/token", "/jwks"]);
    assert_eq!(identity.profile, Profile::new("lena"));
    assert_eq!((&identity.raw_profile["sub"], &identity.raw_profile["nonce"]), (&json!("lena"), &json!("n")));
    assert_eq!(identity.tokens["expires_at"], START + 3600);
    assert_eq!(
        (&identity.tokens["token_type"], &identity.tokens["weird_field"]),
        (&json!("Bearer"), &json!("kept"))
    );
    let request = case.op.last("/token");
    assert_eq!(form(&request)[3], ("code_verifier".to_owned(), "v".to_owned()));
    assert_eq!(request.extensions().get(), Some(&Reach::Public));
}

#[tokio::test]
async fn the_profile_may_come_from_userinfo_about_the_same_person() {
    let case = Case::new(Provider { profile_source: ProfileSource::UserInfo, ..oidc() });
    let identity = case.sign_in().await.unwrap();
    assert_eq!(Value::Object(identity.raw_profile), json!({ "sub": "lena", "id": "7", "name": "Lena" }));
    assert_eq!(case.op.last("/userinfo").headers()["authorization"], "Bearer at");

    case.op.profile.lock().unwrap().insert("sub".into(), json!("admin"));
    assert_eq!(case.refusal().await.0, Kind::UserInfo);
}

#[tokio::test]
async fn plain_oauth2_takes_the_profile_from_its_endpoint() {
    let case = Case::new(Provider { profile: Arc::new(by_id), ..oauth2() });
    let identity = case.sign_in().await.unwrap();
    assert_eq!(case.op.requests(), ["/token", "/me"]);
    assert_eq!(identity.profile.id, "7");
    case.op.answers("/me", answer(401, r#"{"id":"7"}"#));
    assert_eq!(case.refusal().await.0, Kind::UserInfo);
}

#[tokio::test]
async fn openid_connect_wants_an_id_token() {
    let case = Case::new(oidc());
    case.op.tokens.lock().unwrap().insert("id_token".into(), json!(null));
    assert_eq!(case.refusal().await, (Kind::Token, "the token endpoint gave no id_token".into()));
}

#[tokio::test]
async fn the_signature_of_an_id_token_is_checked() {
    let case = Case::new(oidc());
    *case.op.published.lock().unwrap() = vec![jwk(&other_p256(), Algorithm::ES256, "k1")];
    assert_eq!(case.refusal().await, (Kind::IdToken, "the signature of the ID token is wrong".into()));
    assert_eq!(case.op.count("/jwks"), 1);
}

#[tokio::test]
async fn the_claims_of_an_id_token_are_checked() {
    for (name, value) in
        [("nonce", json!("m")), ("aud", json!("other")), ("exp", json!(START - 60)), ("at_hash", json!("x"))]
    {
        let case = Case::new(oidc());
        case.op.claims.lock().unwrap().insert(name.into(), value);
        assert_eq!(case.refusal().await.0, Kind::IdToken, "{name}");
    }
}

#[tokio::test]
async fn a_profile_without_an_id_is_refused() {
    fn empty(_: &Raw) -> Result<Profile, ProfileError> {
        Ok(Profile::new(""))
    }
    fn none(_: &Raw) -> Result<Profile, ProfileError> {
        Err(ProfileError { field: "id".into() })
    }
    for profile in [empty, none] {
        let case = Case::new(Provider { profile: Arc::new(profile), ..oidc() });
        assert_eq!(case.refusal().await.0, Kind::Profile);
    }
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_unreachable_for_now() {
    for path in ["/.well-known/openid-configuration", "/token", "/jwks"] {
        let case = Case::new(oidc());
        case.op.breaks(path);
        let error = case.sign_in().await.unwrap_err();
        assert_eq!((error.kind(), error.is_temporary()), (Kind::Unreachable, true), "{path}");
        assert!(case.sign_in().await.is_ok(), "the failure of {path} is not kept");
    }
}

#[tokio::test]
async fn metadata_and_keys_are_kept_for_an_hour() {
    let case = Case::new(oidc());
    let counts = || (case.op.count("/.well-known/openid-configuration"), case.op.count("/jwks"));
    case.sign_in().await.unwrap();
    case.pass(3599);
    case.sign_in().await.unwrap();
    assert_eq!(counts(), (1, 1));
    case.pass(1);
    case.sign_in().await.unwrap();
    assert_eq!(counts(), (2, 2));
}

#[tokio::test]
async fn sign_ins_at_once_share_one_fetch() {
    let case = Case::new(oidc());
    case.op.pauses.store(1000, Ordering::Relaxed);
    let results = join_all((0..50).map(|_| case.sign_in())).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!((case.op.count("/.well-known/openid-configuration"), case.op.count("/jwks")), (1, 1));
}

#[tokio::test]
async fn sign_ins_at_once_share_one_failure() {
    let case = Case::new(oidc());
    case.op.pauses.store(1000, Ordering::Relaxed);
    case.op.breaks("/.well-known/openid-configuration");
    let results = join_all((0..50).map(|_| case.sign_in())).await;
    assert!(results.iter().all(Result::is_err));
    assert_eq!(case.op.count("/.well-known/openid-configuration"), 1);
}

#[tokio::test]
async fn a_fetch_that_was_given_up_is_started_again() {
    let case = Case::new(oidc());
    *case.op.hangs.lock().unwrap() = Some("/.well-known/openid-configuration");
    assert!(futures_util::FutureExt::now_or_never(case.sign_in()).is_none());
    *case.op.hangs.lock().unwrap() = None;
    assert!(case.sign_in().await.is_ok());
    assert_eq!(case.op.count("/.well-known/openid-configuration"), 2);
}

#[tokio::test]
async fn whoever_comes_after_a_failure_asks_anew() {
    let flight = Flight::default();
    let start = |answer: Result<u8, ProtocolError>| {
        flight.get(Timestamp::from_seconds(START), |_, _| true, |_| true, || async { answer })
    };
    let broken = || Err(ProtocolError::new(Kind::Discovery, "broken"));
    let gate = Arc::new(AtomicUsize::new(0));
    let waits = gate.clone();
    let hanging = || async move {
        poll_fn(|_| if waits.load(Ordering::Relaxed) == 0 { Poll::Pending } else { Poll::Ready(()) }).await;
        broken()
    };
    let mut first = Box::pin(flight.get(Timestamp::from_seconds(START), |_, _| true, |_| true, hanging));
    let mut second = Box::pin(start(Ok(1)));
    for waiting in [&mut first as &mut (dyn Future<Output = _> + Unpin), &mut second] {
        assert!(poll_fn(|context| Poll::Ready(Pin::new(&mut *waiting).poll(context))).await.is_pending());
    }
    gate.store(1, Ordering::Relaxed);
    assert!(first.await.is_err());
    assert_eq!(*start(Ok(2)).await.unwrap(), 2);
    assert!(second.await.is_err(), "the second shares the end of the first");
}

#[tokio::test]
async fn no_request_is_built_for_a_value_that_is_there_or_on_its_way() {
    let flight = Flight::default();
    let now = Timestamp::from_seconds(START);
    let built = AtomicUsize::new(0);
    let fetch = || {
        built.fetch_add(1, Ordering::Relaxed);
        async { Ok::<u8, ProtocolError>(1) }
    };
    let get = || flight.get(now, |_, _| true, |_| true, fetch);
    let both = futures_util::future::join(get(), get()).await;
    assert!(both.0.is_ok() && both.1.is_ok() && get().await.is_ok());
    assert!(flight.get(now, |_, _| false, |_| false, fetch).await.is_ok());
    assert_eq!(built.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_provider_that_hangs_does_not_hold_up_another() {
    let case = Case::new(oidc());
    *case.op.hangs.lock().unwrap() = Some("/.well-known/openid-configuration");
    let mut hanging = Box::pin(case.sign_in());
    assert!(poll_fn(|context| Poll::Ready(hanging.as_mut().poll(context))).await.is_pending());
    let plain = Provider { profile: Arc::new(by_id), ..oauth2() };
    let other = Case { op: case.op.clone(), clock: case.clock.clone(), rp: case.rp.clone(), provider: plain };
    assert!(other.sign_in().await.is_ok());
}

#[tokio::test]
async fn a_rotated_key_is_found_by_one_more_fetch_however_often_it_happens() {
    let case = Case::new(oidc());
    case.sign_in().await.unwrap();
    for kid in 2..10 {
        case.op.rotate(&format!("k{kid}"));
        case.sign_in().await.unwrap();
        case.sign_in().await.unwrap();
    }
    assert_eq!(case.op.count("/jwks"), 9);
}

#[tokio::test]
async fn a_flood_of_unknown_kids_causes_at_most_six_fetches_in_a_minute() {
    let case = Case::new(oidc());
    case.op.strange_kids.lock().unwrap().extend((0..600).map(|it| format!("strange-{it}")));
    for _ in 0..60 {
        for _ in 0..10 {
            let (kind, message) = case.refusal().await;
            assert_eq!(kind, Kind::IdToken);
            assert_eq!(message, "the ID token is signed with a key that the provider does not publish");
        }
        case.pass(1);
    }
    assert_eq!(case.op.count("/jwks"), 6);
}

#[tokio::test]
async fn in_a_flood_a_rotation_is_noticed_within_15_seconds() {
    let case = Case::new(oidc());
    case.op.strange_kids.lock().unwrap().extend((0..30).map(|it| format!("strange-{it}")));
    for _ in 0..30 {
        assert!(case.sign_in().await.is_err());
    }
    case.op.rotate("k2");
    assert!(case.sign_in().await.is_err());
    case.pass(15);
    assert!(case.sign_in().await.is_ok());
}

#[tokio::test]
async fn rotated_keys_are_fetched_once_for_all_who_wait() {
    let case = Case::new(oidc());
    case.sign_in().await.unwrap();
    case.op.rotate("k2");
    case.op.pauses.store(1000, Ordering::Relaxed);
    let results = join_all((0..20).map(|_| case.sign_in())).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(case.op.count("/jwks"), 2);
}

#[tokio::test]
async fn keys_that_a_token_brings_or_points_at_are_not_used() {
    let evil = other_p256();
    for (name, value) in [
        ("jwk", jwk(&evil, Algorithm::ES256, "evil")),
        ("jku", json!("https://op.example/evil-keys")),
        ("x5u", json!("https://op.example/evil-cert")),
    ] {
        let case = Case::new(oidc());
        let claims = json!({ "iss": ISSUER, "aud": "client", "sub": "lena", "iat": START, "exp": START + 600, "nonce": "n" });
        let header = json!({ "alg": "ES256", name: value });
        let token = sign(&header, claims.to_string().as_bytes(), &evil, Algorithm::ES256);
        case.op.tokens.lock().unwrap().insert("id_token".into(), token.into());
        assert_eq!(case.refusal().await.0, Kind::IdToken);
        assert!(case.op.requests().iter().all(|it| !it.contains("evil")), "{name}");
    }
}

#[tokio::test]
async fn a_published_key_of_an_unannounced_kind_is_not_used() {
    let case = Case::new(oidc());
    let key: EncodingKey = ed25519();
    case.op.published.lock().unwrap().push(jwk(&key, Algorithm::EdDSA, "ed"));
    let claims = json!({ "iss": ISSUER, "aud": "client", "sub": "lena", "iat": START, "exp": START + 600, "nonce": "n" });
    let token =
        sign(&json!({ "alg": "EdDSA", "kid": "ed" }), claims.to_string().as_bytes(), &key, Algorithm::EdDSA);
    case.op.tokens.lock().unwrap().insert("id_token".into(), token.into());
    assert_eq!(case.refusal().await.0, Kind::IdToken);
}

#[tokio::test]
async fn a_follow_up_fills_in_what_the_profile_lacks() {
    let follow_up = FollowUp {
        url: "https://plain.example/emails",
        merge: |profile, answer| drop(profile.insert("email".into(), answer[0]["email"].clone())),
    };
    let case = Case::new(Provider {
        follow_up_url: Some(follow_up.url.into()),
        follow_up: Some(follow_up),
        profile: Arc::new(by_id),
        ..oauth2()
    });
    case.op.answers("/emails", json_answer(&json!([{ "email": "a@b.example" }])));
    assert_eq!(case.sign_in().await.unwrap().raw_profile["email"], "a@b.example");
    assert_eq!(case.op.last("/emails").headers()["authorization"], "Bearer at");

    for refusal in [answer(403, "{}"), answer(404, ""), answer(200, "<html>")] {
        case.op.answers("/emails", refusal);
        assert!(!case.sign_in().await.unwrap().raw_profile.contains_key("email"));
    }
    case.op.answers("/emails", answer(502, ""));
    assert!(case.sign_in().await.unwrap_err().is_temporary());
    case.op.breaks("/emails");
    assert_eq!(case.refusal().await.0, Kind::Unreachable);
}

#[tokio::test]
async fn what_a_provider_posts_is_taken_only_where_the_provider_says_how() {
    fn posted(profile: &mut Map<String, Value>, parameters: &[(String, String)]) {
        profile.insert("posted".into(), json!(parameters));
    }
    let parameters = [("user", "A")];
    let case = Case::new(Provider { posted: Some(posted), ..oidc() });
    let identity = case.sign_in_with(&parameters).await.unwrap();
    assert!(identity.raw_profile["posted"].as_array().unwrap().contains(&json!(["user", "A"])));

    let form_post = Provider { authorization_params: pairs(&[("response_mode", "form_post")]), ..oidc() };
    let case = Case::new(form_post);
    let before = case.sign_in().await.unwrap().raw_profile;
    let user = [("user", r#"{"name":{"firstName":"A"}}"#)];
    assert_eq!(case.sign_in_with(&user).await.unwrap().raw_profile, before);
}

#[tokio::test]
async fn a_refresh_gives_new_tokens_and_keeps_the_refresh_token_if_none_is_given() {
    let case = Case::new(oidc());
    let old = case.op.id_token(START);
    let tokens = case.rp.refresh(&case.provider, &"rt-1".into(), Some(&old)).await.unwrap();
    assert_eq!((&tokens["access_token"], &tokens["refresh_token"]), (&json!("at"), &json!("rt-1")));
    assert_eq!(
        form(&case.op.last("/token")),
        pairs(&[("grant_type", "refresh_token"), ("refresh_token", "rt-1")])
    );

    case.op.tokens.lock().unwrap().insert("refresh_token".into(), json!("rt-2"));
    let tokens = case.rp.refresh(&case.provider, &"rt-1".into(), None).await.unwrap();
    assert_eq!(tokens["refresh_token"], "rt-2");

    case.op.tokens.lock().unwrap().insert("id_token".into(), json!(null));
    assert!(case.rp.refresh(&case.provider, &"rt-1".into(), Some(&old)).await.is_ok());
}

#[tokio::test]
async fn a_refresh_about_somebody_else_is_refused() {
    let case = Case::new(oidc());
    let old = case.op.id_token(START);
    case.op.claims.lock().unwrap().insert("sub".into(), json!("admin"));
    let error = case.rp.refresh(&case.provider, &"rt".into(), Some(&old)).await.unwrap_err();
    assert_eq!(error.to_string(), "sub is another than before the refresh");
    *case.op.claims.lock().unwrap() = object(json!({ "iss": "https://evil.example" }));
    assert_eq!(
        case.rp.refresh(&case.provider, &"rt".into(), Some(&old)).await.unwrap_err().kind(),
        Kind::IdToken
    );
}

#[tokio::test]
async fn a_refused_refresh_says_so_and_a_broken_one_is_temporary() {
    let case = Case::new(oidc());
    case.op.answers("/token", answer(400, r#"{"error":"invalid_grant"}"#));
    let error = case.rp.refresh(&case.provider, &"rt".into(), None).await.unwrap_err();
    assert_eq!((error.error_code(), error.is_temporary()), (Some("invalid_grant"), false));
    case.op.answers("/token", answer(503, ""));
    assert!(case.rp.refresh(&case.provider, &"rt".into(), None).await.unwrap_err().is_temporary());
}

#[tokio::test]
async fn no_token_code_or_secret_is_printed() {
    let case = Case::new(oidc());
    case.op.claims.lock().unwrap().insert("nonce".into(), json!("m"));
    let error = case.sign_in().await.unwrap_err();
    let printed = format!("{error} {error:?} {:?}", case.rp);
    for secret in ["a secret", "eyJ", "\"at\""] {
        assert!(!printed.contains(secret), "{secret}");
    }
}

fn by_id(raw: &Raw) -> Result<Profile, ProfileError> {
    let id = raw.0.get("id").and_then(Value::as_str);
    id.map(Profile::new).ok_or_else(|| ProfileError { field: "id".into() })
}
