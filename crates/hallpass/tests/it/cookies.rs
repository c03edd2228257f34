//! Cookies: their attributes, and what is made of odd ones.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hallpass::jose::{Dialect, TokenKeys};
use hallpass::testkit::{Answer, Browser, SeededRandom};
use hallpass::{Auth, CookieKind, CookieOptions, Jwt, SameSite, Secret};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use crate::site::{Log, PASSWORD, SECRET, SESSION, SITE, Site, bare, browse, signed_in};

/// Name and attributes of every cookie that an answer sets.
fn attributes(answer: &Answer) -> Vec<String> {
    let shown = |line: &str| {
        let (pair, attributes) = line.split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        format!("{name}={}; {attributes}", if value.is_empty() { "" } else { "…" })
    };
    answer.set_cookies().into_iter().map(shown).collect()
}

fn text(table: BTreeMap<&str, Vec<String>>) -> String {
    let rows = table.into_iter().map(|(step, lines)| format!("{step}:\n{}\n", lines.join("\n")));
    rows.collect()
}

/// What every step of every way to sign in and out sets.
async fn table(auth: &Auth, site: &Site, origin: &str) -> BTreeMap<&'static str, Vec<String>> {
    let mut browser = Browser::new(auth, origin);
    let mut table = BTreeMap::new();
    let mut add = |name, answer: &Answer| _ = table.insert(name, attributes(answer));
    add("1 session of nobody", &browser.get("session").await);
    add("2 providers", &browser.get("providers").await);
    let start = browser.start("idp").await;
    add("3 start", &start);
    add("4 callback", &browser.come_back(&site.idp.authorize(start.location())).await);
    add("5 session", &browser.get("session").await);
    add("6 refused", &browser.get("callback/idp?code=x").await);
    add("7 sign out", &browser.submit("signout", &[("callbackUrl", "/bye")]).await);
    add("8 form", &browser.sign_in_with_credentials(PASSWORD).await);
    let apple = browser.start("apple").await;
    add("9 a form is to be posted", &apple);
    add("9 b form post", &browser.come_back(&site.idp.authorize(apple.location())).await);
    table
}

#[tokio::test]
async fn attributes_are_those_of_the_table() {
    let site = Site::new();
    let build = |origin: &str| {
        let apple = site.idp.oidc_provider("apple").authorization_param("response_mode", "form_post");
        site.builder().provider(apple).url(origin).build().unwrap()
    };
    insta::assert_snapshot!(text(table(&build(SITE), &site, SITE).await), @r"
    1 session of nobody:
    __Host-authjs.csrf-token=…; HttpOnly; SameSite=Lax; Secure; Path=/
    __Secure-authjs.callback-url=…; HttpOnly; SameSite=Lax; Secure; Path=/
    2 providers:

    3 start:
    __Secure-authjs.state=…; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=900; Expires=Fri, 20 Nov 2026 10:15:00 GMT
    __Secure-authjs.pkce.code_verifier=…; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=900; Expires=Fri, 20 Nov 2026 10:15:00 GMT
    __Secure-authjs.nonce=…; HttpOnly; SameSite=Lax; Secure; Path=/; Expires=Fri, 20 Nov 2026 10:15:00 GMT
    4 callback:
    __Secure-authjs.state=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0
    __Secure-authjs.pkce.code_verifier=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0
    __Secure-authjs.nonce=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0
    __Secure-authjs.session-token=…; HttpOnly; SameSite=Lax; Secure; Path=/; Expires=Sun, 20 Dec 2026 10:00:00 GMT
    5 session:
    __Secure-authjs.session-token=…; HttpOnly; SameSite=Lax; Secure; Path=/; Expires=Sun, 20 Dec 2026 10:00:00 GMT
    6 refused:

    7 sign out:
    __Secure-authjs.callback-url=…; HttpOnly; SameSite=Lax; Secure; Path=/
    __Secure-authjs.session-token=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0
    8 form:
    __Secure-authjs.session-token=…; HttpOnly; SameSite=Lax; Secure; Path=/; Expires=Sun, 20 Dec 2026 10:00:00 GMT
    9 a form is to be posted:
    __Secure-authjs.state=…; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=900; Expires=Fri, 20 Nov 2026 10:15:00 GMT
    __Secure-authjs.pkce.code_verifier=…; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=900; Expires=Fri, 20 Nov 2026 10:15:00 GMT
    __Secure-authjs.nonce=…; HttpOnly; SameSite=None; Secure; Path=/; Expires=Fri, 20 Nov 2026 10:15:00 GMT
    9 b form post:
    __Host-authjs.csrf-token=…; HttpOnly; SameSite=Lax; Secure; Path=/
    __Secure-authjs.callback-url=…; HttpOnly; SameSite=Lax; Secure; Path=/
    __Secure-authjs.state=; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=0
    __Secure-authjs.pkce.code_verifier=; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=0
    __Secure-authjs.nonce=; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=0
    __Secure-authjs.session-token=…; HttpOnly; SameSite=Lax; Secure; Path=/; Expires=Sun, 20 Dec 2026 10:00:00 GMT
    ");
    let plain = "http://localhost:3000";
    insta::assert_snapshot!(text(table(&build(plain), &site, plain).await), @r"
    1 session of nobody:
    authjs.csrf-token=…; HttpOnly; SameSite=Lax; Path=/
    authjs.callback-url=…; HttpOnly; SameSite=Lax; Path=/
    2 providers:

    3 start:
    authjs.state=…; HttpOnly; SameSite=Lax; Path=/; Max-Age=900; Expires=Fri, 20 Nov 2026 10:15:00 GMT
    authjs.pkce.code_verifier=…; HttpOnly; SameSite=Lax; Path=/; Max-Age=900; Expires=Fri, 20 Nov 2026 10:15:00 GMT
    authjs.nonce=…; HttpOnly; SameSite=Lax; Path=/; Expires=Fri, 20 Nov 2026 10:15:00 GMT
    4 callback:
    authjs.state=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0
    authjs.pkce.code_verifier=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0
    authjs.nonce=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0
    authjs.session-token=…; HttpOnly; SameSite=Lax; Path=/; Expires=Sun, 20 Dec 2026 10:00:00 GMT
    5 session:
    authjs.session-token=…; HttpOnly; SameSite=Lax; Path=/; Expires=Sun, 20 Dec 2026 10:00:00 GMT
    6 refused:

    7 sign out:
    authjs.callback-url=…; HttpOnly; SameSite=Lax; Path=/
    authjs.session-token=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0
    8 form:
    authjs.session-token=…; HttpOnly; SameSite=Lax; Path=/; Expires=Sun, 20 Dec 2026 10:00:00 GMT
    9 a form is to be posted:
    authjs.state=…; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=900; Expires=Fri, 20 Nov 2026 10:15:00 GMT
    authjs.pkce.code_verifier=…; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=900; Expires=Fri, 20 Nov 2026 10:15:00 GMT
    authjs.nonce=…; HttpOnly; SameSite=None; Secure; Path=/; Expires=Fri, 20 Nov 2026 10:15:00 GMT
    9 b form post:
    authjs.csrf-token=…; HttpOnly; SameSite=Lax; Path=/
    authjs.callback-url=…; HttpOnly; SameSite=Lax; Path=/
    authjs.state=; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=0
    authjs.pkce.code_verifier=; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=0
    authjs.nonce=; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=0
    authjs.session-token=…; HttpOnly; SameSite=Lax; Path=/; Expires=Sun, 20 Dec 2026 10:00:00 GMT
    ");
}

#[tokio::test]
async fn cookies_can_be_changed_one_by_one() {
    let site = Site::new();
    let session =
        CookieOptions::new().name("sid").domain("example.com").path("/api").same_site(SameSite::Strict);
    let auth = site
        .builder()
        .cookie(CookieKind::SessionToken, session)
        .cookie(CookieKind::CallbackUrl, CookieOptions::new().http_only(false))
        .build()
        .unwrap();
    let mut browser = browse(&auth);
    let answer = browser.sign_in_with_credentials(PASSWORD).await;
    insta::assert_snapshot!(attributes(&answer).join("\n"), @r"
    sid=…; HttpOnly; SameSite=Strict; Secure; Path=/api; Domain=example.com; Expires=Sun, 20 Dec 2026 10:00:00 GMT
    ");
    insta::assert_snapshot!(attributes(&browser.other().get("session").await).join("\n"), @r"
    __Host-authjs.csrf-token=…; HttpOnly; SameSite=Lax; Secure; Path=/
    __Secure-authjs.callback-url=…; SameSite=Lax; Secure; Path=/
    ");
    assert_eq!(browser.session().await["user"]["name"], "Ali");
    browser.sign_out().await;
    assert_eq!(browser.cookie("sid"), None);
}

#[tokio::test]
async fn secure_cookies_can_be_demanded() {
    let auth = bare().url("http://localhost").use_secure_cookies(true).build().unwrap();
    let answer = Browser::new(&auth, "http://localhost").get("session").await;
    assert!(answer.set_cookies().iter().all(|line| line.starts_with("__") && line.contains("Secure")));
}

#[tokio::test]
async fn prefixes_are_obeyed_on_every_line() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    for (_, lines) in
        table(&site.builder().provider(site.idp.oidc_provider("apple")).build().unwrap(), &site, SITE).await
    {
        for line in lines {
            let has = |attribute: &str| line.split("; ").any(|other| other == attribute);
            assert!(has("Secure") && has("HttpOnly") && has("Path=/") && !line.contains("Domain"), "{line}");
            assert!(line.starts_with("__Host-") || line.starts_with("__Secure-"), "{line}");
        }
    }
    drop(auth);
}

fn keys(name: &str) -> TokenKeys {
    TokenKeys::derive(Dialect::V5, &[Secret::from(SECRET)], name)
}

/// A sealed cookie of each kind, as the site makes it, by name.
async fn sealed(auth: &Auth, origin: &str) -> Vec<(String, String)> {
    let mut browser = Browser::new(auth, origin);
    browser.sign_in_with_credentials(PASSWORD).await;
    browser.start("idp").await;
    let kinds = ["session-token", "pkce.code_verifier", "state", "nonce"];
    let is_sealed = |name: &str| kinds.iter().any(|kind| name.ends_with(&format!("authjs.{kind}")));
    let cookies = browser.cookies().iter().filter(|cookie| is_sealed(&cookie.name));
    let cookies: Vec<_> = cookies.map(|cookie| (cookie.name.clone(), cookie.value.clone())).collect();
    assert_eq!(cookies.len(), 4);
    cookies
}

#[tokio::test]
async fn sealed_cookie_of_another_kind_is_refused() {
    let site = Site::new();
    let secure = site.builder().build().unwrap();
    let plain = site.builder().url("http://localhost:3000").build().unwrap();
    let made = [sealed(&secure, SITE).await, sealed(&plain, "http://localhost:3000").await].concat();
    for (auth, origin) in [(&secure, SITE), (&plain, "http://localhost:3000")] {
        let own = sealed(auth, origin).await;
        for (name, _) in &own {
            for (other, value) in made.iter().filter(|(other, _)| other != name) {
                // As session.
                let mut browser = Browser::new(auth, origin);
                let secure = if origin == SITE { "; Secure" } else { "" };
                if name.ends_with("session-token") {
                    browser.plant(&format!("{name}={value}; Path=/{secure}"));
                    assert_eq!(browser.session().await, json!(null), "{other} as {name}");
                    assert_eq!(browser.cookie(name), None);
                    continue;
                }
                // As one of the three that bind a provider's answer.
                let returning = site.idp.authorize(browser.start("idp").await.location());
                browser.plant(&format!("{name}={value}; Path=/{secure}"));
                assert!(browser.come_back(&returning).await.is_error("Configuration"), "{other} as {name}");
            }
        }
    }
    assert_eq!(site.token_requests(), 0);
}

/// What was sealed for one sign-in does not serve another, though its kind is right.
#[tokio::test]
async fn sealed_cookie_of_another_sign_in_is_refused() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let old = sealed(&auth, SITE).await;
    for (name, value) in old.iter().filter(|(name, _)| name != SESSION) {
        let mut browser = browse(&auth);
        let returning = site.idp.authorize(browser.start("idp").await.location());
        browser.plant(&format!("{name}={value}; Path=/; Secure"));
        assert!(browser.come_back(&returning).await.is_error("Configuration"), "{name}");
        assert_eq!(browser.cookie(SESSION), None);
    }
}

#[tokio::test]
async fn altered_session_is_none() {
    let auth = Site::new().builder().build().unwrap();
    let token = signed_in(&auth).await.cookie(SESSION).unwrap().to_owned();
    let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    let [header, empty, iv, ciphertext, tag] = <[String; 5]>::try_from(parts).unwrap();
    let swapped = |at: usize| {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let mut altered: Vec<String> = (0..token.len()).step_by(7).map(swapped).collect();
    altered.extend((0..token.len()).step_by(11).map(|at| token[..at].to_owned()));
    altered.extend([
        format!("{token}."),
        format!("{token}.x"),
        format!("x{token}"),
        format!("{header}.AAAA.{iv}.{ciphertext}.{tag}"),
        format!("{header}.{empty}.{iv}.{ciphertext}."),
        format!("{header}.{empty}..{ciphertext}.{tag}"),
        format!("{header}.{empty}.{iv}..{tag}"),
        ".".repeat(60_000),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.".to_owned(),
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln".to_owned(),
        json!({ "sub": "1" }).to_string().replace(['"', ','], ""),
        "%".to_owned(),
        "%ff".to_owned(),
        "null".to_owned(),
    ]);
    for value in altered.into_iter().filter(|value| !value.is_empty()) {
        let mut browser = browse(&auth).with_header("cookie", &format!("{SESSION}={value}"));
        let answer = browser.get("session").await;
        assert_eq!((answer.status().as_u16(), answer.text()), (200, "null"), "{value}");
        assert!(
            answer
                .set_cookies()
                .iter()
                .any(|line| line.starts_with(&format!("{SESSION}=; ")) && line.contains("Max-Age=0"))
        );
    }
}

/// An attacker with a session of their own, and a victim's browser that got a part of it.
#[tokio::test]
async fn odd_chunks_are_no_session() {
    let site = Site::new();
    let auth = large(&site).build().unwrap();
    let pieces = |browser: &Browser| {
        let cookies = browser.cookies().iter().filter(|cookie| cookie.name.starts_with(SESSION));
        cookies.map(|cookie| (cookie.name.clone(), cookie.value.clone())).collect::<Vec<_>>()
    };
    let (a, b) = (signed_in(&auth).await, signed_in(&auth).await);
    let (a, b) = (pieces(&a), pieces(&b));
    assert_eq!(
        a.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        [0, 1, 2].map(|index| format!("{SESSION}.{index}"))
    );
    let show = |pieces: &[(&str, &str)]| {
        let pairs: Vec<_> = pieces.iter().map(|(name, value)| format!("{SESSION}{name}={value}")).collect();
        pairs.join("; ")
    };
    let [a0, a1, a2] = [0, 1, 2].map(|index| a[index].1.as_str());
    let [b0, b1, b2] = [0, 1, 2].map(|index| b[index].1.as_str());
    let right = [show(&[(".0", a0), (".1", a1), (".2", a2)]), show(&[(".2", a2), (".0", a0), (".1", a1)])];
    for cookies in right {
        let mut browser = browse(&auth).with_header("cookie", &cookies);
        assert_eq!(browser.session().await["user"]["name"], "Ali");
    }
    let many: Vec<_> = (0..60).map(|index| format!(".{index}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), "x")).collect();
    let whole = format!("{a0}{a1}{a2}");
    let odd = [
        show(&[(".0", a0), (".1", b1), (".2", a2)]),
        show(&[(".0", a0), (".1", a1), (".2", b2)]),
        show(&[(".0", b0), (".1", a1), (".2", a2)]),
        show(&[(".0", a0), (".1", a1)]),
        show(&[(".0", a0), (".2", a2)]),
        show(&[(".1", a1), (".2", a2)]),
        show(&[(".0", a0), (".1", a1), (".2", a2), (".3", "x")]),
        show(&[(".0", a0), (".1", a1), (".2", a2), ("", &whole)]),
        show(&[(".0", a0), (".1", a1), (".2", a2), (".2", b2)]),
        show(&[(".0", a0), (".1", a1), (".1", b1), (".2", a2)]),
        show(&[("", &whole), ("", "x")]),
        show(&[("", &whole), (".0", "x")]),
        show(&many),
    ];
    for cookies in odd {
        let mut browser = browse(&auth).with_header("cookie", &cookies);
        let answer = browser.get("session").await;
        assert_eq!(answer.text(), "null", "{}", &cookies[..200.min(cookies.len())]);
        let cleared = answer.set_cookies().iter().filter(|line| line.starts_with(SESSION)).count();
        assert!(
            cleared > 0
                && answer
                    .set_cookies()
                    .iter()
                    .filter(|line| line.starts_with(SESSION))
                    .all(|line| line.contains("Max-Age=0"))
        );
    }
    // Names that are no pieces belong to somebody else: the session lives, and they stay.
    for strange in [
        ".00",
        ".01",
        ".-1",
        ".+1",
        ".1e0",
        ".999999",
        ".99999999999999999999",
        ".0x1",
        ".x",
        ".",
        "-0",
        "x",
        ".0.1",
        ". 1",
    ] {
        let cookies = format!("{}; {SESSION}{strange}=x", show(&[(".0", a0), (".1", a1), (".2", a2)]));
        let mut browser = browse(&auth).with_header("cookie", &cookies);
        let answer = browser.get("session").await;
        assert_eq!(answer.json()["user"]["name"], "Ali", "{strange}");
        assert!(!answer.set_cookies().iter().any(|line| line.contains("Max-Age=0")));
        let mut browser = browse(&auth).with_header("cookie", &format!("{SESSION}{strange}={whole}"));
        assert_eq!(browser.session().await, json!(null), "{strange}");
    }
}

#[derive(Serialize, Deserialize)]
struct Large {
    filling: String,
}

/// Sessions of three pieces.
fn large(site: &Site) -> hallpass::Builder<(), Large> {
    site.builder().jwt(async |event: Jwt<Large, u16>, ()| {
        Ok(match event {
            Jwt::SignIn(_) => Some(Large { filling: "x".repeat(7000) }),
            Jwt::Update(it) => Some(Large { filling: "x".repeat(it.update.into()) }),
            Jwt::Read(it) => Some(it.claims),
        })
    })
}

#[tokio::test]
async fn seed_2_3_pieces_are_removed_when_the_session_shrinks() {
    let site = Site::new();
    let auth = large(&site).build().unwrap();
    let mut browser = signed_in(&auth).await;
    let names = |browser: &Browser| {
        let cookies = browser.cookies().iter().filter_map(|cookie| cookie.name.strip_prefix(SESSION));
        cookies.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&browser), [".0", ".1", ".2"]);
    // The numbers of the row: 10 KB take pieces, 2.5 KB fit into one cookie.
    browser.update(&json!(10_000)).await;
    assert_eq!(names(&browser), [".0", ".1", ".2", ".3"]);
    browser.update(&json!(2500)).await;
    assert_eq!(names(&browser), [""]);
    browser.update(&json!(4000)).await;
    assert_eq!(names(&browser), [".0", ".1"]);
    browser.update(&json!(10)).await;
    assert_eq!(names(&browser), [""]);
    browser.update(&json!(4000)).await;
    assert_eq!(names(&browser), [".0", ".1"]);
    assert_eq!(browser.session().await["user"]["name"], "Ali");
    browser.sign_out().await;
    assert_eq!(names(&browser), Vec::<String>::new());
}

#[tokio::test]
async fn seed_2_3_session_over_the_budget_is_refused_and_the_old_one_stays() {
    let (site, log) = (Site::new(), Log::default());
    let errors = log.clone();
    let builder = large(&site).on_error(move |error, _| {
        errors.add(format!(
            "{error}: {}",
            std::error::Error::source(error).map_or(String::new(), |it| it.to_string())
        ));
    });
    let auth = builder.build().unwrap();
    let mut browser = signed_in(&auth).await;
    for size in [7000_u16, 11_000] {
        let answer = browser.update(&json!(size)).await;
        assert_eq!(answer.status(), 200);
        assert!(browser.cookies().iter().all(|cookie| cookie.name.len() + cookie.value.len() <= 4096));
    }
    // More than 16 KiB: refused, and what is there stays.
    let answer = browser.update(&json!(20_000)).await;
    assert_eq!((answer.status().as_u16(), answer.set_cookies()), (400, vec![]));
    let told = log.take().join("\n");
    assert!(told.contains(r#"the largest claims are "filling""#), "{told}");
    assert_eq!(browser.session().await["user"]["name"], "Ali");
    let parts = crate::session::parts_of(&browser);
    assert_eq!(auth.session(&parts).await.unwrap().unwrap().claims.filling.len(), 11_000);
    let auth = large(&site).cookie_budget(5000).build().unwrap();
    let mut browser = browse(&auth);
    assert!(browser.sign_in_with_credentials(PASSWORD).await.is_error("Configuration"));
    assert_eq!(browser.cookie(SESSION), None);
    // The browser is not locked out.
    assert_eq!(browser.sign_out().await.location(), SITE);
}

#[tokio::test]
async fn picture_that_would_fill_the_cookie_is_left_out() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    site.idp.set_user(json!({ "sub": "ada", "name": "Ada", "picture": format!("data:image/png;base64,{}", "A".repeat(200_000)) }));
    let mut browser = browse(&auth);
    assert_eq!(browser.sign_in("idp", &site.idp).await.location(), SITE);
    assert_eq!(browser.session().await["user"], json!({ "name": "Ada" }));
    site.idp.set_user(json!({ "sub": "ada", "name": "A".repeat(200_000) }));
    let mut browser = browse(&auth);
    assert!(browser.sign_in("idp", &site.idp).await.is_error("Configuration"));
    assert_eq!(browser.cookie(SESSION), None);
}

/// Servers limit headers long before this; whatever gets here is answered at once, and cleared.
#[tokio::test]
async fn oversized_cookies_are_refused() {
    let auth = Site::new().builder().build().unwrap();
    for size in [8, 64, 1024] {
        let value = "x".repeat(size * 1024);
        let dots = ".".repeat(size * 1024);
        let header =
            format!("eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIn0..AAAAAAAAAAAAAAAAAAAAAA.{value}.AAAA");
        let many = (0..size * 64).map(|index| format!("c{index}=xxxxxxxxxx")).collect::<Vec<_>>().join("; ");
        for cookie in [
            format!("{SESSION}={value}"),
            format!("{SESSION}={dots}"),
            format!("{SESSION}={header}"),
            format!("{many}; {SESSION}=x"),
        ] {
            let started = Instant::now();
            let mut browser = browse(&auth).with_header("cookie", &cookie);
            let answer = browser.get("session").await;
            assert_eq!((answer.status().as_u16(), answer.text()), (200, "null"));
            assert_eq!(browser.sign_out().await.status(), 302);
            assert!(started.elapsed() < Duration::from_secs(2));
        }
    }
}

#[tokio::test]
async fn session_of_auth_js_is_read() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let claims = |exp: serde_json::Value| {
        Map::from_iter([("sub".into(), json!("7")), ("name".into(), json!("Ann")), ("exp".into(), exp)])
    };
    let token = keys(SESSION).seal_claims(&claims(json!(1_795_168_900)), &[7; 16]);
    let mut browser = browse(&auth);
    browser.plant(&format!("{SESSION}={token}; Path=/; Secure"));
    assert_eq!(browser.session().await["user"], json!({ "name": "Ann" }));
    // A time of the wrong kind is no time without end.
    for exp in
        [json!(null), json!("1795168900"), json!("never"), json!([]), json!(true), json!(1_795_168_785)]
    {
        let token = keys(SESSION).seal_claims(&claims(exp.clone()), &[7; 16]);
        let mut browser = browse(&auth);
        browser.plant(&format!("{SESSION}={token}; Path=/; Secure"));
        assert_eq!(browser.session().await, json!(null), "{exp}");
    }
}

#[tokio::test]
async fn seeded_runs_are_the_same() {
    let run = async || {
        let site = Site::new();
        let auth = site.builder().random(SeededRandom::new(7)).build().unwrap();
        let mut browser = browse(&auth);
        browser.sign_in("idp", &site.idp).await;
        (browser.cookie(SESSION).unwrap().to_owned(), browser.csrf().await)
    };
    assert_eq!(run().await, run().await);
}

#[derive(Debug)]
struct NoRandom;

impl hallpass::random::Random for NoRandom {
    fn fill(&self, _: &mut [u8]) -> Result<(), hallpass::random::NoRandomness> {
        Err(hallpass::random::NoRandomness)
    }
}

#[tokio::test]
async fn without_randomness_nothing_is_made() {
    let auth = Site::new().builder().random(NoRandom).build().unwrap();
    for path in ["csrf", "session", "signin"] {
        let answer = browse(&auth).get(path).await;
        assert_eq!((answer.status().as_u16(), answer.set_cookies()), (503, vec![]), "{path}");
    }
}
