//! What a request tries, and the answer to too many.

use std::time::Duration;

use bytes::Bytes;
use hallpass::providers::GITHUB;
use hallpass::testkit::Answer;
use hallpass::{
    Attempt, Auth, Builder, CookieKind, CookieOptions, Credentials, Dialect, Email, ErrorKind, Field,
    MemoryStore,
};
use http::{HeaderName, HeaderValue, Request};
use serde_json::json;

use crate::site::{PASSWORD, SITE, Site, bare, browse};

const FORM: &str = "application/x-www-form-urlencoded";

fn auth() -> Auth {
    builder().build().unwrap()
}

fn builder() -> Builder {
    bare()
        .url(SITE)
        .store(MemoryStore::new())
        .credentials(Credentials::new().id("own"), async |_, ()| Ok(None))
        .credentials(
            Credentials::new().id("member").field(Field::password("pin")).field(Field::text("number")),
            async |_, ()| Ok(None),
        )
        .email(Email::new(), async |_, ()| Ok(()))
        .provider(GITHUB.client("id", "secret"))
}

fn request(method: &str, path: &str, content_type: &str, body: &str) -> Request<Bytes> {
    let request =
        Request::builder().method(method).uri(format!("/api/auth{path}")).header("host", "localhost");
    request.header("content-type", content_type).body(Bytes::from(body.to_owned())).unwrap()
}

fn sent_along(mut request: Request<Bytes>, cookies: &str) -> Request<Bytes> {
    request.headers_mut().insert("cookie", HeaderValue::from_str(cookies).unwrap());
    request
}

/// The accounts that a form is a try at.
fn accounts(path: &str, content_type: &str, body: &str) -> Vec<String> {
    match auth().core().attempt(&request("POST", path, content_type, body)) {
        Attempt::Credentials { accounts, .. } => accounts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn account_of_a_form_is_found_as_the_form_is_read() {
    for path in ["/callback/credentials", "//callback///credentials/", "/callback/credentials?username=eve"] {
        assert_eq!(accounts(path, FORM, "username=ada&password=x"), ["ada"], "{path}");
    }
    let path = "/callback/credentials";
    assert_eq!(accounts(path, FORM, "username=eve&password=x&username=ada"), ["ada"]);
    assert_eq!(accounts(path, "text/plain; application/json", r#"{"username":"ada"}"#), ["ada"]);
    assert_eq!(accounts(path, "application/json", r#"{"username":[["ada"]]}"#), ["ada"]);
    assert_eq!(accounts(path, "application/json", r#"{"username":17}"#), ["17"]);
    // An application may look at either.
    assert_eq!(
        accounts("/callback/own", FORM, "email=ada%40example.com&Login=ada"),
        ["ada@example.com", "ada"]
    );
    assert_eq!(accounts("/callback/own", FORM, "message=x"), Vec::<String>::new());
    assert_eq!(accounts("/callback/member", FORM, "pin=1&number=42"), ["42"]);
}

#[test]
fn a_field_that_the_form_does_not_ask_for_hides_no_account() {
    for decoy in ["username", "Email", "LOGIN"] {
        let found = accounts("/callback/member", FORM, &format!("pin=1&number=42&{decoy}=eve"));
        assert!(found.contains(&"42".to_owned()) && found.contains(&"eve".to_owned()), "{decoy}: {found:?}");
    }
}

#[test]
fn address_of_a_link_is_the_one_that_gets_the_mail() {
    let auth = auth();
    let attempt = |body: &str| auth.core().attempt(&request("POST", "/signin/email", FORM, body));
    let Attempt::Email { provider, address, .. } = attempt("email=+Ada%40EXAMPLE.com") else { panic!() };
    assert_eq!((&*provider, &*address), ("email", "ada@example.com"));
    assert_eq!(attempt("email=nobody"), Attempt::Other);
    assert_eq!(attempt("other=ada%40example.com"), Attempt::Other);
}

#[test]
fn whoever_comes_back_from_a_provider_is_seen_by_the_address() {
    let auth = auth();
    for (method, path) in [
        ("GET", "/callback/github?code=c&state=s"),
        ("GET", "//callback///github/"),
        ("POST", "/callback/github"),
    ] {
        let attempt = auth.core().attempt(&sent_along(request(method, path, FORM, ""), "authjs.state=s"));
        let Attempt::OAuthCallback { provider, .. } = attempt else { panic!("{path}: {attempt:?}") };
        assert_eq!(provider, "github");
    }
}

#[test]
fn nobody_comes_back_who_has_not_begun() {
    let own = CookieOptions::new().name("own-nonce");
    let auths = [
        auth(),
        builder().dialects([Dialect::V4]).build().unwrap(),
        builder().cookie(CookieKind::Nonce, own).build().unwrap(),
    ];
    let begun = |cookies: &str| {
        auths.each_ref().map(|auth| {
            let image = sent_along(request("GET", "/callback/github?x", FORM, ""), cookies);
            auth.core().attempt(&image) != Attempt::Other
        })
    };
    for (cookies, expected) in [
        ("", [false; 3]),
        ("theme=dark; authjs.session-token=t; next-auth.callback-url=u; authjs.csrf-token=c", [false; 3]),
        ("authjs.state=", [true, false, true]),
        ("a=b; __Secure-authjs.pkce.code_verifier=v", [true, false, true]),
        ("__Secure-authjs.nonce=n", [true, false, false]),
        ("next-auth.nonce=n", [false, true, false]),
        ("__Secure-next-auth.state=s", [false, true, false]),
        ("own-nonce=n", [false, false, true]),
        // Of two nobody can say which, and the engine takes neither.
        ("authjs.state=a; authjs.state=b", [false; 3]),
    ] {
        assert_eq!(begun(cookies), expected, "{cookies}");
    }
}

#[test]
fn anything_else_is_no_try_at_an_account() {
    let auth = auth();
    let body = "username=ada&email=ada@example.com";
    for (method, path) in [
        ("GET", "/callback/credentials"),
        ("POST", "/signin/credentials"),
        ("POST", "/callback/email"),
        ("POST", "/callback/nobody"),
        ("POST", "/callback"),
        ("POST", "/signout"),
        ("POST", "/Callback/credentials"),
        ("POST", "/signin/github"),
        ("HEAD", "/callback/github"),
    ] {
        let request = sent_along(request(method, path, FORM, body), "authjs.state=s");
        assert_eq!(auth.core().attempt(&request), Attempt::Other, "{path}");
    }
    let shown = format!("{:?}", auth.core().attempt(&request("POST", "/callback/credentials", FORM, body)));
    assert_eq!(shown, "Credentials(\"credentials\")");
}

#[test]
fn too_many_is_429_in_the_shape_that_the_client_reads() {
    let auth = auth();
    let ask = |path: &str, more: Option<(&'static str, &'static str)>| {
        let mut request = request("POST", path, FORM, "username=ada");
        request.headers_mut().extend(
            more.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))),
        );
        let answer = auth.core().too_many(request, Duration::from_secs(90));
        assert_eq!(answer.extensions().get::<ErrorKind>(), Some(&ErrorKind::TooManyRequests));
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!((answer.status().as_u16(), header("retry-after")), (429, Some("90")));
        assert_eq!((header("cache-control"), header("set-cookie")), (Some("no-store"), None));
        assert_eq!(header("location"), None);
        answer.map(|body| String::from_utf8(body.to_vec()).unwrap())
    };
    let client = ask("/callback/credentials", Some(("x-auth-return-redirect", "1")));
    let told = json!({ "url": format!("{SITE}/api/auth/signin?error=TooManyRequests") });
    assert_eq!(*client.body(), told.to_string());
    let page = ask("/callback/credentials", None);
    assert!(page.body().contains("Too many tries"), "{}", page.body());
    assert!(page.headers().contains_key("content-security-policy"));
    for path in ["/session", "/nowhere"] {
        let update = ask(path, None);
        let told = json!({ "message": "too many requests: try again later" });
        assert_eq!(*update.body(), told.to_string(), "{path}");
    }
}

#[tokio::test]
async fn answer_says_what_went_wrong_to_whoever_counts() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = browse(&auth);
    let kind = |answer: &Answer| answer.extensions().get::<ErrorKind>().copied();
    assert_eq!(kind(&browser.sign_in_with_credentials(PASSWORD).await), None);
    let wrong = browser.sign_in_with_credentials(&[("password", "wrong")]).await;
    assert_eq!(kind(&wrong), Some(ErrorKind::CredentialsSignin));
    let without_token = browser.post_form("callback/credentials", PASSWORD).await;
    assert_eq!(kind(&without_token), Some(ErrorKind::MissingCsrf));
    assert_eq!(kind(&browser.get("nowhere").await), Some(ErrorKind::UnknownAction));
    assert_eq!(kind(&browser.get("session").await), None);
}
