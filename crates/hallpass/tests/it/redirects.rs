//! No redirect leaves the site, whoever asks for it.

use std::sync::{Arc, Mutex};

use hallpass::testkit::{Answer, Browser};
use hallpass::{Auth, Decision, Email, Mail, PagePaths};
use http::Request;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;
use url::Url;

use crate::site::{PASSWORD, SESSION, SITE, Site, bare, browse};

/// Spellings of another place. `host` stands for the site's own.
const CORPUS: &[&str] = &[
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/\t\\evil.example",
    "\t//evil.example",
    "/%09/evil.example",
    "/%5cevil.example",
    "/%2f%2fevil.example",
    "/%2f/evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https:\\\\evil.example",
    "https:\\/evil.example",
    "http:\\\\evil.example",
    "http:evil.example",
    "http://host",
    "https://host:444",
    "https://host@evil.example",
    "https://host:443@evil.example",
    "https://evil.example#@host",
    "https://evil.example?@host",
    "https://evil.example\\@host",
    "https://evil.example/host",
    "https://host.evil.example",
    "https://hostevil.example",
    "https://evilhost",
    "https://sub.host",
    "https://host.",
    "https://host%00.evil.example",
    "https://host%2eevil.example",
    "https://host%252f@evil.example",
    "https://host\u{ff0f}@evil.example",
    "https://h\u{f6}st",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "javascript://host/%0aalert(1)",
    "data:text/html,x",
    "vbscript:x",
    "blob:https://host/x",
    "file:///etc/passwd",
    "filesystem:https://host/x",
    "ftp://host/",
    "ws://host/",
    "about:blank",
    "view-source:https://host",
    "intent://evil.example#Intent;scheme=https;end",
    " https://evil.example",
    "\u{a0}https://evil.example",
    "\u{0}//evil.example",
    "\u{1}//evil.example",
    "//evil.example%00",
    "//evil.example%E3%80%82com",
    "//evil\u{3002}example",
    "//\u{24d4}vil.example",
    "//\u{202e}evil.example",
    "https://[::ffff:127.0.0.1]",
    "//0x7f.1",
    "//2130706433",
    "?next=//evil.example",
    "#//evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/./\\evil.example",
    "/x/..//evil.example",
    "/%2e%2e//evil.example",
    "/;@evil.example",
    "/@evil.example",
    "@evil.example",
    ".evil.example",
    ":80",
    ":@evil.example",
    "//evil.example:80\\@host",
    "//host@evil.example",
    "//host:443@evil.example/",
    "/\r\nLocation: https://evil.example",
    "/x\r\nSet-Cookie: a=b",
    "/%0d%0aLocation: https://evil.example",
    "/\u{d7ff}\u{e000}//evil.example",
    "evil.example",
    "www.evil.example/host",
    "../evil.example",
    "",
    " ",
    "/",
    "https://",
    "https:",
    "//",
    "/\\",
    "http://:80",
    "https://host/\\evil.example",
    "https://host//evil.example",
    "https://host/..//evil.example",
    "HTTPS://HOST//evil.example",
    "https://user:password@host//evil.example",
];

fn corpus() -> Vec<String> {
    let host = SITE.trim_start_matches("https://");
    let mut corpus: Vec<_> = CORPUS.iter().map(|text| text.replace("host", host)).collect();
    corpus.push(format!("https://evil.example/{}", "x".repeat(60_000)));
    corpus.push(format!("/{}", "\\".repeat(1000)));
    corpus
}

/// Where a browser would go, by the rules that browsers parse addresses by (WHATWG).
fn judge(place: &str, at: &str, asked: &str) {
    let base = Url::parse(SITE).unwrap().join("/api/auth/signout").unwrap();
    let url = base.join(at).unwrap_or_else(|_| panic!("{place}: {asked:?} leads to no address: {at:?}"));
    assert_eq!(url.origin().ascii_serialization(), SITE, "{place}: {asked:?} leads to {at:?}");
}

/// Every address of an answer, and the one that the callback cookie keeps for later.
fn judge_answer(place: &str, answer: &Answer, asked: &str) {
    assert!(!answer.status().is_server_error(), "{place}: {asked:?}");
    if answer.status() == 302 || answer.header("location").is_some() {
        judge(place, answer.location(), asked);
        if let Some(nested) = answer.location_parameter("callbackUrl") {
            judge(place, &nested, asked);
        }
    }
    if let Some(url) = serde_json::from_slice::<serde_json::Value>(answer.body())
        .ok()
        .and_then(|body| Some(body.get("url")?.as_str()?.to_owned()))
    {
        judge(place, &url, asked);
    }
    for line in answer.set_cookies().into_iter().filter(|line| line.contains("callback-url=")) {
        let value = line.split(['=', ';']).nth(1).unwrap();
        judge(place, &percent_decode_str(value).decode_utf8().unwrap(), asked);
    }
    // Nothing broke out of its header.
    assert!(answer.cookie_names().iter().all(|name| name.contains("authjs")), "{place}: {asked:?}");
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[derive(Clone, Default)]
struct Mails(Arc<Mutex<Vec<Mail>>>);

/// Every address that redirects, with every place from which it takes where to.
#[tokio::test]
async fn no_redirect_leaves_the_site() {
    let site = Site::new();
    let mails = Mails::default();
    let auth = site
        .builder_with(mails.clone())
        .store(site.store.clone())
        .email(Email::new(), async |mail, mails: Mails| {
            mails.0.lock().unwrap().push(mail);
            Ok(())
        })
        .build()
        .unwrap();
    let pages = PagePaths::new()
        .sign_in("/login")
        .error("/oops")
        .verify_request("/mail")
        .sign_out("/bye")
        .new_user("/hi");
    let own = bare().url(SITE).pages(pages).build().unwrap();
    let mut base = browse(&auth);
    let token = base.csrf().await;
    for asked in corpus() {
        let field = [("csrfToken", token.as_str()), ("callbackUrl", asked.as_str())];
        let plain = [("csrfToken", token.as_str())];
        let query = if asked.len() > 5000 { String::new() } else { encode(&asked) };
        let cookie = format!("__Secure-authjs.callback-url={query}; Path=/; Secure");
        for path in
            ["signout", "callback/credentials", "signin/idp", "signin/email", "signin", "signin/credentials"]
        {
            let more: &[(&str, &str)] = match path {
                "callback/credentials" => PASSWORD,
                "signin/email" => &[("email", "ada@example.com")],
                _ => &[],
            };
            for as_json in [false, true] {
                let mut browser = base.clone();
                if as_json {
                    browser = browser.with_header("x-auth-return-redirect", "1");
                }
                let leads_to_provider = path == "signin/idp";
                let check = |place: &str, answer: &Answer| {
                    if leads_to_provider
                        && answer
                            .header("location")
                            .is_some_and(|to| to.starts_with("https://idp.example/authorize?"))
                    {
                        assert_eq!(
                            answer.location_parameter("redirect_uri").unwrap(),
                            format!("{SITE}/api/auth/callback/idp")
                        );
                    } else {
                        judge_answer(place, answer, &asked);
                    }
                };
                check("body", &browser.clone().post_form(path, &[&field[..], more].concat()).await);
                check(
                    "query",
                    &browser
                        .clone()
                        .post_form(&format!("{path}?callbackUrl={query}"), &[&plain[..], more].concat())
                        .await,
                );
                let doubled = format!("{path}?callbackUrl=/fine&callbackUrl={query}");
                check(
                    "doubled query",
                    &browser.clone().post_form(&doubled, &[&plain[..], more].concat()).await,
                );
                browser.plant(&cookie);
                check("cookie", &browser.post_form(path, &[&plain[..], more].concat()).await);
            }
        }
        for mail in mails.0.lock().unwrap().drain(..) {
            judge("mail", &mail.url, &asked);
            let url = Url::parse(&mail.url).unwrap();
            let nested = url.query_pairs().find(|(name, _)| name == "callbackUrl").unwrap().1.into_owned();
            judge("mail", &nested, &asked);
        }
        // All the way through a provider, and back with another wish.
        let mut browser = base.clone();
        let start = browser.post_form("signin/idp", &field).await;
        if start.location().starts_with("https://idp.example") {
            let returning = site.idp.authorize(start.location());
            let hallpass::testkit::Returning::Link(url) = returning else { panic!("a form") };
            judge_answer("provider", &browser.get(&format!("{url}&callbackUrl={query}")).await, &asked);
            site.store.clear();
        }
        for path in
            ["signin", "signout", "error", "verify-request", "session", "csrf", "providers", "callback/idp"]
        {
            for auth in [&auth, &own] {
                let mut browser = browse(auth);
                let target = format!(
                    "{path}?callbackUrl={query}&error={query}&url={query}&provider={query}&{query}={query}"
                );
                judge_page(path, &browser.get(&target).await, &asked);
                browser.plant(&cookie);
                judge_page(path, &browser.get(path).await, &asked);
            }
        }
    }
}

/// An answer that may be a page: its forms and links stay, too.
fn judge_page(path: &str, answer: &Answer, asked: &str) {
    let is_error_page = path == "error" && answer.status() == 500;
    if !is_error_page {
        assert!(!answer.status().is_server_error(), "{path}: {asked:?}");
    }
    if answer.status() == 302 {
        judge(path, answer.location(), asked);
    }
    if answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
        for attribute in ["href=\"", "action=\"", "src=\""] {
            for rest in answer.text().split(attribute).skip(1) {
                judge(path, rest.split('"').next().unwrap(), asked);
            }
        }
        for rest in answer.text().split("name=\"callbackUrl\" value=\"").skip(1) {
            let value = rest.split('"').next().unwrap().replace("&#x2f;", "/").replace("&amp;", "&");
            judge(path, &value, asked);
        }
    }
}

#[tokio::test]
async fn decision_to_redirect_stays_on_the_site() {
    let site = Site::new();
    for asked in corpus() {
        let auth = site
            .builder_with(asked.clone())
            .sign_in(async |_, asked| Ok(Decision::Redirect(asked)))
            .build()
            .unwrap();
        let mut browser = browse(&auth);
        let answer = browser.sign_in_with_credentials(PASSWORD).await;
        judge_answer("sign_in", &answer, &asked);
        assert_eq!(browser.cookie(SESSION), None);
    }
}

/// As many redirect callbacks are written: what begins with a slash is a path.
#[tokio::test]
async fn redirect_callback_that_trusts_a_slash_stays_on_the_site() {
    let site = Site::new();
    let auth = site
        .builder()
        .redirect(async |it, ()| Ok(if it.url.starts_with('/') { it.url } else { it.base_url }))
        .build()
        .unwrap();
    let mut base = browse(&auth);
    let token = base.csrf().await;
    for asked in corpus() {
        for path in ["signout", "callback/credentials"] {
            let fields = [&[("csrfToken", token.as_str()), ("callbackUrl", &asked)], PASSWORD].concat();
            judge_answer(path, &base.clone().post_form(path, &fields).await, &asked);
        }
    }
    let fields = [("csrfToken", token.as_str()), ("callbackUrl", "/cart")];
    assert_eq!(base.post_form("signout", &fields).await.location(), "/cart");
}

#[tokio::test]
async fn redirect_callback_decides() {
    let site = Site::new();
    let auth = site
        .builder()
        .redirect(async |it, ()| match it.url.as_str() {
            "/shop" => Ok("https://shop.example.com/".to_owned()),
            "/broken" => Err("broken".into()),
            _ => Ok(format!("{}/elsewhere", it.base_url)),
        })
        .build()
        .unwrap();
    let mut browser = browse(&auth);
    let mut to = async |url| browser.submit("signout", &[("callbackUrl", url)]).await.location().to_owned();
    assert_eq!(to("/shop").await, "https://shop.example.com/");
    assert_eq!(to("https://evil.example").await, format!("{SITE}/elsewhere"));
    assert!(to("/broken").await.ends_with("/error?error=Configuration"));
}

#[tokio::test]
async fn own_addresses_are_kept_as_they_are() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = browse(&auth);
    for (asked, to) in [
        ("/cart?a=b#c", format!("{SITE}/cart?a=b#c")),
        ("/", format!("{SITE}/")),
        (SITE, SITE.to_owned()),
        ("https://app.example.com/a%20b", format!("{SITE}/a%20b")),
        ("HTTPS://APP.EXAMPLE.COM/x", "HTTPS://APP.EXAMPLE.COM/x".to_owned()),
        ("/caf\u{e9}", format!("{SITE}/caf%C3%A9")),
        ("https://elsewhere.example", SITE.to_owned()),
    ] {
        assert_eq!(browser.submit("signout", &[("callbackUrl", asked)]).await.location(), to);
    }
}

#[tokio::test]
async fn address_that_is_none_is_an_error() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = browse(&auth);
    for asked in ["evil.example", "cart", "?x", " ", "https://", "javascript"] {
        assert!(
            browser.submit("signout", &[("callbackUrl", asked)]).await.is_error("Configuration"),
            "{asked}"
        );
        let query = format!("?callbackUrl={}", encode(asked));
        assert_eq!(browser.get(&format!("session{query}")).await.status(), 400);
        assert_eq!(browser.get(&format!("signin{query}")).await.status(), 400);
    }
    let token = browser.csrf().await;
    for value in [json!(["/x"]), json!(7), json!({}), json!(true)] {
        let body = json!({ "csrfToken": token, "callbackUrl": value });
        assert!(browser.post_json("signout", &body).await.is_error("Configuration"));
    }
    // A bad cookie does not lock the browser out.
    browser.plant("__Secure-authjs.callback-url=nonsense; Path=/; Secure");
    assert_eq!(browser.sign_out().await.location(), SITE);
}

/// The corpus, cut and joined at random.
#[test]
fn no_mutation_of_the_corpus_leaves_the_site() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let auth = Site::new().builder().build().unwrap();
    let (token, cookies) = runtime.block_on(async {
        let mut browser = browse(&auth);
        let token = browser.csrf().await;
        let cookies: Vec<_> =
            browser.cookies().iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (token, cookies.join("; "))
    });
    let pieces = CORPUS.iter().map(|text| text.replace("host", "app.example.com")).chain(
        [
            "/", "\\", "@", ":", "?", "#", "\t", "\n", "%2f", "%5c", ".", "..", "https:", "http:", SITE,
            "\u{0}", "\u{ff0f}", "[", "]", "%", "&", ";",
        ]
        .map(str::to_owned),
    );
    let piece = proptest::sample::select(pieces.collect::<Vec<_>>());
    let cut = (piece, any::<prop::sample::Index>(), any::<bool>()).prop_map(|(text, at, front)| {
        let at = at.index(text.chars().count() + 1);
        let (head, tail): (String, String) =
            (text.chars().take(at).collect(), text.chars().skip(at).collect());
        if front { head } else { tail }
    });
    let mutation = prop::collection::vec(cut, 1..5).prop_map(|cuts| cuts.concat());
    let config = ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() };
    let result = TestRunner::new(config).run(&mutation, |asked| {
        runtime.block_on(sign_out(&auth, &token, &cookies, &asked));
        Ok(())
    });
    result.unwrap();
}

async fn sign_out(auth: &Auth, token: &str, cookies: &str, asked: &str) {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("csrfToken", token), ("callbackUrl", asked)])
        .finish();
    let request = Request::post("/api/auth/signout")
        .header("cookie", cookies)
        .header("content-type", "application/x-www-form-urlencoded");
    let mut browser = Browser::new(auth, SITE);
    let answer = browser.send(request.body(body.into()).unwrap()).await;
    judge_answer("signout", &answer, asked);
}

#[tokio::test]
async fn a_listed_origin_is_a_place_to_go_and_its_lookalikes_are_not() {
    let auth = Site::new().builder().trusted_origins(["https://app.example.org"]);
    let auth = auth.redirect_origins(["http://localhost:5173"]).build().unwrap();
    for (asked, leads_to) in [
        ("https://app.example.org", "https://app.example.org"),
        ("https://app.example.org/cart?x=1#y", "https://app.example.org/cart?x=1#y"),
        ("https://app.example.org:443/", "https://app.example.org:443/"),
        ("http://localhost:5173/a", "http://localhost:5173/a"),
        ("/cart", "https://app.example.com/cart"),
        ("https://app.example.org.evil.example/", SITE),
        ("https://app.example.org@evil.example/", SITE),
        ("https://app.example.org:8443/", SITE),
        ("http://app.example.org/", SITE),
        ("https://evil.example/#https://app.example.org", SITE),
        ("http://localhost:51730", SITE),
        ("//app.example.org", "https://app.example.com//app.example.org"),
    ] {
        let fields = [PASSWORD, &[("callbackUrl", asked)]].concat();
        let answer = browse(&auth).sign_in_with_credentials(&fields).await;
        assert_eq!(answer.location(), leads_to, "{asked}");
    }
}
