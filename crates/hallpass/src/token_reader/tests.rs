use http::HeaderValue;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const SECRET: &str = "a secret of at least thirty-two characters";
const OLDER: &str = "an older secret of the same application";
const NOW: i64 = 1_893_456_000;

#[derive(Debug)]
struct At(i64);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0)
    }
}

#[derive(Debug, PartialEq, Deserialize)]
struct Claims {
    role: String,
}

fn reader() -> TokenReader {
    TokenReader::new(SECRET).clock(At(NOW))
}

fn payload() -> Value {
    json!({ "sub": "lena", "name": "Lena", "email": null, "role": "editor", "iat": NOW - 5, "exp": NOW + 60 })
}

fn seal(dialect: Dialect, salt: &str, payload: &Value) -> String {
    sealed_with(SECRET, dialect, salt, payload)
}

fn sealed_with(secret: &str, dialect: Dialect, salt: &str, payload: &Value) -> String {
    TokenKeys::derive(dialect, &[Secret::from(secret)], salt).seal(payload.to_string().as_bytes(), &[7; 16])
}

fn with(name: &'static str, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())])
}

fn role(reader: &TokenReader, headers: &HeaderMap) -> Result<Option<String>, TokenError> {
    reader.read::<Claims>(headers).map(|token| token.map(|token| token.claims.role))
}

/// A cookie and the token that belongs into it, for each cookie that is read.
fn sessions() -> [(&'static str, String); 4] {
    COOKIES.map(|(dialect, cookie)| {
        (cookie, seal(dialect, if dialect == Dialect::V4 { "" } else { cookie }, &payload()))
    })
}

#[test]
fn token_is_read_from_each_session_cookie_and_as_bearer() {
    for (cookie, token) in sessions() {
        let headers = with("cookie", &format!("a=b; {cookie}={token}; c=d"));
        let read = reader().read::<Claims>(&headers).unwrap().unwrap();
        assert_eq!(read.sub.as_deref(), Some("lena"), "{cookie}");
        assert_eq!((read.name.as_deref(), read.email.as_deref()), (Some("Lena"), None));
        assert_eq!(read.issued, Some(Timestamp::from_seconds(NOW - 5)));
        assert_eq!(read.expires, Some(Timestamp::from_seconds(NOW + 60)));
        assert_eq!(read.claims, Claims { role: "editor".to_owned() });
        for header in [format!("Bearer {token}"), format!("bearer  {}", token.replace('.', "%2E"))] {
            let read = reader().read::<Map<String, Value>>(&with("authorization", &header)).unwrap().unwrap();
            assert_eq!(Value::Object(read.claims), payload(), "{cookie}");
        }
        assert_eq!(reader().open::<Claims>(&token).unwrap().claims.role, "editor");
    }
}

#[test]
fn request_without_a_token_has_none() {
    for headers in [
        HeaderMap::new(),
        with("cookie", "a=b; authjs.csrf-token=x"),
        with("cookie", "authjs.session-token="),
        with("authorization", "Basic bGVuYTpzZWNyZXQ="),
        with("authorization", "Bearerx y"),
        with("authorization", ""),
    ] {
        assert_eq!(role(&reader(), &headers), Ok(None), "{headers:?}");
    }
}

#[test]
fn pieces_are_put_together_and_a_gap_is_no_token() {
    let mut long = payload();
    long["filler"] = "0123456789".repeat(1000).into();
    let token = seal(Dialect::V5, "authjs.session-token", &long);
    let pieces: Vec<_> = token.as_bytes().chunks(3936).map(|piece| str::from_utf8(piece).unwrap()).collect();
    assert!(pieces.len() > 2);
    let cookie = |pieces: &mut dyn Iterator<Item = (usize, &&str)>| {
        let cookies = pieces.map(|(index, piece)| format!("authjs.session-token.{index}={piece}"));
        with("cookie", &cookies.collect::<Vec<_>>().join("; "))
    };
    let all = cookie(&mut pieces.iter().enumerate().rev());
    assert_eq!(role(&reader(), &all), Ok(Some("editor".to_owned())));
    for gap in 0..pieces.len() - 1 {
        let some = cookie(&mut pieces.iter().enumerate().filter(|(index, _)| *index != gap));
        assert_eq!(role(&reader(), &some), Err(TokenError::Incomplete), "{gap}");
    }
}

#[test]
fn each_listed_secret_opens_and_no_other() {
    let rotated = TokenReader::with_secrets(["the newest secret of the application", SECRET]).clock(At(NOW));
    let foreign = TokenReader::new(OLDER).clock(At(NOW));
    for (cookie, token) in sessions() {
        let headers = with("cookie", &format!("{cookie}={token}"));
        assert_eq!(role(&rotated, &headers), Ok(Some("editor".to_owned())), "{cookie}");
        assert!(matches!(role(&foreign, &headers), Err(TokenError::Open(_))), "{cookie}");
    }
}

/// An environment variable that is set to nothing must not become a key that everybody has.
#[test]
fn without_a_secret_nothing_opens() {
    for reader in
        [TokenReader::new(""), TokenReader::with_secrets([""; 0]), TokenReader::with_secrets(["", ""])]
    {
        for (dialect, cookie) in COOKIES {
            let salt = if dialect == Dialect::V4 { "" } else { cookie };
            let token = sealed_with("", dialect, salt, &payload());
            let headers = with("cookie", &format!("{cookie}={token}"));
            assert_eq!(role(&reader, &headers), Err(TokenError::NoSecret));
            assert_eq!(
                role(&reader, &with("authorization", &format!("Bearer {token}"))),
                Err(TokenError::NoSecret)
            );
        }
    }
}

/// CVE-2023-48309: a token that was made for another cookie.
#[test]
fn token_of_another_purpose_is_no_session() {
    let purposes = ["state", "pkce.code_verifier", "nonce", "callback-url", "csrf-token"];
    let names = ["authjs", "__Secure-authjs", "next-auth", "__Secure-next-auth", "__Host-authjs"];
    for (purpose, prefix) in purposes.iter().flat_map(|purpose| names.map(|prefix| (purpose, prefix))) {
        for dialect in [Dialect::V5, Dialect::V4] {
            let token = seal(dialect, &format!("{prefix}.{purpose}"), &payload());
            let bearer = with("authorization", &format!("Bearer {token}"));
            assert!(matches!(role(&reader(), &bearer), Err(TokenError::Open(_))), "{prefix}.{purpose}");
            for (_, cookie) in COOKIES {
                let cookie = with("cookie", &format!("{cookie}={token}"));
                assert!(matches!(role(&reader(), &cookie), Err(TokenError::Open(_))), "{prefix}.{purpose}");
            }
        }
    }
}

/// What is bound to one cookie does not open in the place of another.
#[test]
fn token_of_the_plain_cookie_is_none_in_the_secure_one() {
    let [_, _, (_, plain), _] = sessions();
    let headers = with("cookie", &format!("__Secure-authjs.session-token={plain}"));
    assert!(role(&reader(), &headers).is_err());
}

#[test]
fn first_cookie_decides_and_the_bearer_comes_last() {
    let all = sessions();
    let broken = |index: usize| {
        let cookies = all.iter().enumerate().map(|(at, (cookie, token))| {
            let token = if at == index { "x" } else { token };
            format!("{cookie}={token}")
        });
        with("cookie", &cookies.collect::<Vec<_>>().join("; "))
    };
    assert!(role(&reader(), &broken(0)).is_err());
    assert!(role(&reader(), &broken(1)).is_ok());
    let mut both = with("cookie", "authjs.session-token=x");
    both.insert("authorization", format!("Bearer {}", all[0].1).parse().unwrap());
    assert!(role(&reader(), &both).is_err());
}

#[test]
fn chosen_cookies_are_the_only_ones() {
    let [(secure5, v5), (_, v4), (plain5, plain), _] = sessions();
    let cookie = |name: &str, token: &str| with("cookie", &format!("{name}={token}"));
    assert_eq!(role(&reader().secure_only(), &cookie(plain5, &plain)), Ok(None));
    assert!(role(&reader().secure_only(), &cookie(secure5, &v5)).unwrap().is_some());
    assert_eq!(role(&reader().dialect(Dialect::V4), &cookie(secure5, &v5)), Ok(None));
    let only5 = reader().dialect(Dialect::V5);
    assert!(role(&only5, &with("authorization", &format!("Bearer {v4}"))).is_err());
    let own = seal(Dialect::V5, "sid", &payload());
    let reader = reader().cookie(Dialect::V5, "sid");
    assert!(role(&reader, &cookie("sid", &own)).unwrap().is_some());
    assert_eq!(role(&reader, &cookie(secure5, &v5)), Ok(None));
}

#[test]
fn expired_token_and_other_claims_are_refused() {
    let (cookie, salt) = ("authjs.session-token", "authjs.session-token");
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut payload = payload();
        change(&mut payload);
        role(&reader(), &with("cookie", &format!("{cookie}={}", seal(Dialect::V5, salt, &payload))))
            .unwrap_err()
    };
    assert_eq!(refused(&|it| it["exp"] = (NOW - 15).into()), TokenError::Open(OpenError::Expired));
    assert_eq!(refused(&|it| it["nbf"] = (NOW + 16).into()), TokenError::Open(OpenError::NotYetValid));
    for wrong in [Value::Null, json!("9999999999"), json!([9_999_999_999_i64])] {
        assert_eq!(refused(&|it| it["exp"] = wrong.clone()), TokenError::Open(OpenError::Payload));
    }
    assert_eq!(refused(&|it| it["role"] = 7.into()), TokenError::Claims);
    assert_eq!(refused(&|it| *it = json!(["editor"])), TokenError::Open(OpenError::Payload));
}

/// GHSA-xmf8-cvqr-rfgj: a value that does not percent-decode ended the caller.
#[test]
fn strange_bearer_is_an_error() {
    for value in
        ["Bearer", "Bearer ", "Bearer %", "Bearer %zz", "Bearer %ff", "Bearer a b", "Bearer ....", "BEARER x"]
    {
        assert!(role(&reader(), &with("authorization", value)).is_err(), "{value}");
    }
    let bytes = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(b"Bearer \xff").unwrap())]);
    assert_eq!(role(&reader(), &bytes), Err(TokenError::Bearer));
    let (_, token) = &sessions()[0];
    let mut twice = with("authorization", &format!("Bearer {token}"));
    twice.append("authorization", HeaderValue::from_static("Bearer x"));
    assert_eq!(role(&reader(), &twice), Err(TokenError::Bearer));
}

#[test]
fn nothing_of_the_token_or_secret_is_printed() {
    let printed = format!("{:?}", reader());
    assert!(!printed.contains(SECRET) && printed.contains("authjs.session-token"), "{printed}");
    let error = role(&reader(), &with("authorization", "Bearer canary")).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"));
}

proptest! {
    #[test]
    fn no_bytes_of_a_header_are_too_strange(
        cookie in proptest::collection::vec(32_u8..=255, 0..80),
        name in "(__Secure-)?(authjs|next-auth)\\.session-token(\\.[0-9])?",
        bearer in proptest::collection::vec(32_u8..=255, 0..40),
    ) {
        let mut headers = HeaderMap::new();
        let cookie = [name.as_bytes(), b"=", &cookie].concat();
        let bearer = [b"Bearer ", bearer.as_slice()].concat();
        headers.extend(HeaderValue::from_bytes(&bearer).ok().map(|value| (AUTHORIZATION, value)));
        prop_assert!(!matches!(role(&reader(), &headers), Ok(Some(_))));
        headers.extend(HeaderValue::from_bytes(&cookie).ok().map(|value| (http::header::COOKIE, value)));
        prop_assert!(!matches!(role(&reader(), &headers), Ok(Some(_))));
    }
}
