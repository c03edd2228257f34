//! `/callback/:provider`: somebody comes back from a provider.

use std::time::Duration;

use futures_util::future::join_all;
use hallpass::providers::Provider;
use hallpass::testkit::{Answer, Browser, Outage, Returning};
use hallpass::{Decision, MemoryStore, PagePaths, Strategy};
use serde_json::json;

use crate::site::{PASSWORD, SESSION, SITE, Site, browse, signed_in};

const CHECKS: [&str; 3] =
    ["__Secure-authjs.state", "__Secure-authjs.pkce.code_verifier", "__Secure-authjs.nonce"];

fn assert_refused(answer: &Answer) {
    assert!(answer.is_error("Configuration"), "{answer:?}");
    assert_eq!(answer.set_cookies(), Vec::<&str>::new());
}

fn link(returning: &Returning) -> String {
    match returning {
        Returning::Link(url) => url.clone(),
        Returning::Form(..) => panic!("a form"),
    }
}

#[tokio::test]
async fn sign_in_at_a_provider_makes_a_session() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    for provider in ["idp", "plain"] {
        let mut browser = browse(&auth);
        let answer = browser.sign_in(provider, &site.idp).await;
        assert_eq!((answer.status().as_u16(), answer.location()), (302, SITE), "{provider}");
        let user = &browser.session().await["user"];
        assert_eq!(*user, json!({ "name": "Ada", "email": "ada@example.com" }));
        assert!(CHECKS.iter().all(|name| browser.cookie(name).is_none()));
    }
}

#[tokio::test]
async fn browser_goes_where_the_sign_in_began() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let mut browser = browse(&auth);
    let start = browser.submit("signin/idp", &[("callbackUrl", "/cart?a=b")]).await;
    let answer = browser.come_back(&site.idp.authorize(start.location())).await;
    assert_eq!(answer.location(), format!("{SITE}/cart?a=b"));
}

#[tokio::test]
async fn callback_for_another_provider_is_refused() {
    for with_issuer in [true, false] {
        let site = Site::new();
        let auth = site.builder().build().unwrap();
        for idp in [&site.idp, &site.other] {
            idp.on_returning(move |params| params.retain(|(name, _)| with_issuer || name != "iss"));
        }
        for (from, idp, to) in [
            ("idp", &site.idp, "other"),
            ("other", &site.other, "idp"),
            ("idp", &site.idp, "plain"),
            ("plain", &site.idp, "idp"),
        ] {
            let mut browser = browse(&auth);
            let url = link(&idp.authorize(browser.start(from).await.location()));
            let url = url.replace(&format!("/callback/{from}"), &format!("/callback/{to}"));
            assert_refused(&browser.get(&url).await);
        }
        assert_eq!(site.token_requests(), 0);
    }
}

/// The provider that answers is not the one that was asked, though state and cookies are right (RFC 9207).
#[tokio::test]
async fn answer_of_another_issuer_is_refused() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    for iss in [Some("https://other.example"), Some("https://idp.example/"), Some(""), None] {
        site.idp.on_returning(move |params| {
            params.retain(|(name, _)| name != "iss");
            params.extend(iss.map(|iss| ("iss".to_owned(), iss.to_owned())));
        });
        let mut browser = browse(&auth);
        assert_refused(&browser.sign_in("idp", &site.idp).await);
    }
    assert_eq!(site.token_requests(), 0);
}

#[tokio::test]
async fn callback_without_its_cookies_is_refused() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    for gone in [&CHECKS[..], &CHECKS[..1], &CHECKS[1..2], &CHECKS[2..]] {
        let mut browser = browse(&auth);
        let returning = site.idp.authorize(browser.start("idp").await.location());
        gone.iter().for_each(|name| browser.remove_cookie(name));
        assert_refused(&browser.come_back(&returning).await);
    }
    assert_eq!(site.token_requests(), 0);
}

#[tokio::test]
async fn callback_in_another_browser_is_refused() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let mut attacker = browse(&auth);
    let returning = site.idp.authorize(attacker.start("idp").await.location());

    let mut fresh = browse(&auth);
    assert_refused(&fresh.come_back(&returning).await);
    // Nor with a sign-in of its own under way.
    let mut victim = browse(&auth);
    victim.start("idp").await;
    assert_refused(&victim.come_back(&returning).await);
    assert_eq!((victim.session().await, site.token_requests()), (json!(null), 0));
}

#[tokio::test]
async fn replayed_callback_is_refused_and_the_session_stays() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let mut browser = browse(&auth);
    let returning = site.idp.authorize(browser.start("idp").await.location());
    let before = browser.clone();
    assert_eq!(browser.come_back(&returning).await.location(), SITE);
    let session = browser.cookie(SESSION).unwrap().to_owned();
    assert_refused(&browser.come_back(&returning).await);
    // The same cookies as the first time: somebody has copied them.
    assert_refused(&before.clone().come_back(&returning).await);
    assert_eq!(browser.cookie(SESSION), Some(session.as_str()));
    assert_eq!(site.token_requests(), 1);
}

#[tokio::test]
async fn replayed_callback_is_refused_by_every_server_of_a_store_and_after_a_restart() {
    for strategy in [Strategy::Jwt, Strategy::Database] {
        let site = Site::new();
        let server = || site.with_store().session_strategy(strategy).build().unwrap();
        let (here, there) = (server(), server());
        let mut browser = browse(&here);
        let returning = site.idp.authorize(browser.start("idp").await.location());
        let before = browser.cookies().to_vec();
        assert_eq!(browser.come_back(&returning).await.location(), SITE);
        let restarted = server();
        for auth in [&here, &there, &restarted] {
            let mut copy = browse(auth);
            before.iter().for_each(|it| copy.plant(&format!("{}={}; Path=/; Secure", it.name, it.value)));
            assert_refused(&copy.come_back(&returning).await);
        }
        assert_eq!((site.token_requests(), site.store.rows().tokens.len()), (1, 1));
        // It is remembered as long as its cookies could be used, and no longer.
        site.clock.advance(Duration::from_secs(15 * 60));
        here.sessions().sweep().await.unwrap();
        assert_eq!(site.store.rows().tokens.len(), 1);
        site.clock.advance(Duration::from_secs(61));
        here.sessions().sweep().await.unwrap();
        assert_eq!(site.store.rows().tokens.len(), 0);
    }
}

#[tokio::test]
async fn answer_that_is_refused_before_the_code_goes_out_leaves_no_row() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let mut browser = browse(&auth);
    let returning = site.idp.authorize(browser.start("idp").await.location());
    let url = link(&returning);
    for wrong in [url.replace("state=", "state=x"), url.replace("code=", "error=")] {
        assert_ne!(wrong, url);
        assert!(browser.clone().get(&wrong).await.location().contains("error="));
    }
    assert_refused(&browser.other().come_back(&returning).await);
    assert_eq!((site.token_requests(), site.store.rows().tokens.len()), (0, 0));
}

#[tokio::test]
async fn callback_while_the_store_is_away_is_503_and_works_afterwards() {
    let (site, store) = (Site::new(), Outage::new(MemoryStore::new()));
    let auth = site.builder().store(store.clone()).build().unwrap();
    let mut browser = browse(&auth);
    let returning = site.idp.authorize(browser.start("idp").await.location());
    store.set_broken(Some("create_token"));
    assert_eq!(browser.come_back(&returning).await.status().as_u16(), 503);
    assert_eq!(site.token_requests(), 0);
    store.set_broken(None);
    assert_eq!(browser.come_back(&returning).await.location(), SITE);
}

#[tokio::test]
async fn two_tabs_finish_in_any_order() {
    for last_first in [true, false] {
        let site = Site::new();
        let auth = site.builder().build().unwrap();
        let mut browser = browse(&auth);
        let first = site.idp.authorize(browser.start("idp").await.location());
        let last = site.idp.authorize(browser.start("idp").await.location());
        if !last_first {
            assert_refused(&browser.come_back(&first).await);
        }
        assert_eq!(browser.come_back(&last).await.location(), SITE);
        if last_first {
            assert_refused(&browser.come_back(&first).await);
        }
        assert_eq!(browser.session().await["user"]["name"], "Ada");
        assert_eq!(site.token_requests(), 1);
    }
}

#[tokio::test]
async fn two_tabs_with_two_providers_are_never_mixed() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let mut browser = browse(&auth);
    let first = site.idp.authorize(browser.start("idp").await.location());
    let last = site.other.authorize(browser.start("other").await.location());
    assert_refused(&browser.come_back(&first).await);
    assert_eq!(browser.come_back(&last).await.location(), SITE);
    assert_eq!(browser.session().await["user"]["name"], "Milo");
}

#[tokio::test]
async fn planted_session_is_replaced() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let attacker = signed_in(&auth).await;
    let planted = attacker.cookie(SESSION).unwrap();
    for line in
        [format!("{SESSION}={planted}; Path=/; Secure"), format!("{SESSION}.0={planted}; Path=/; Secure")]
    {
        let mut browser = browse(&auth);
        browser.plant(&line);
        browser.sign_in("idp", &site.idp).await;
        assert_eq!(browser.session().await["user"]["name"], "Ada");
        assert!(browser.cookies().iter().all(|cookie| cookie.value != planted));
    }
}

#[tokio::test]
async fn parallel_callbacks_make_one_account() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let mut browser = browse(&auth);
    let returning = site.idp.authorize(browser.start("idp").await.location());
    let mut copies = vec![browser; 64];
    let answers = join_all(copies.iter_mut().map(|browser| browser.come_back(&returning))).await;
    assert_eq!(answers.iter().filter(|answer| answer.location() == SITE).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.is_error("Configuration")).count(), 63);
    assert_eq!(site.token_requests(), 1);
    let rows = site.store.rows();
    assert_eq!((rows.users.len(), rows.accounts.len()), (1, 1));
}

#[tokio::test]
async fn cold_caches_ask_once() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let mut browsers = vec![browse(&auth); 50];
    let answers = join_all(browsers.iter_mut().map(|browser| browser.sign_in("idp", &site.idp))).await;
    assert!(answers.iter().all(|answer| answer.location() == SITE));
    let counts = ["/.well-known/openid-configuration", "/jwks", "/token"].map(|path| site.idp.count(path));
    assert_eq!(counts, [1, 1, 50]);
}

/// A sign-in may take fifteen minutes, and as many seconds for clocks that differ.
#[tokio::test]
async fn sign_in_that_took_too_long_is_refused() {
    for (seconds, works) in [(914, true), (915, false)] {
        let site = Site::new();
        let auth = site.builder().build().unwrap();
        let mut browser = browse(&auth);
        let returning = site.idp.authorize(browser.start("idp").await.location());
        let cookies: Vec<_> =
            browser.cookies().iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        site.clock.advance(Duration::from_secs(seconds));
        // The cookies themselves have expired; this browser keeps them.
        let mut browser = browse(&auth).with_header("cookie", &cookies.join("; "));
        let answer = browser.come_back(&returning).await;
        assert_eq!(answer.location() == SITE, works, "{seconds}");
        assert_eq!(site.token_requests(), usize::from(works));
    }
}

type Edit = fn(&mut Vec<(String, String)>);

#[tokio::test]
async fn altered_answer_is_refused_before_the_code_goes_out() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let edits: [Edit; 8] = [
        |params| params.retain(|(name, _)| name != "state"),
        |params| params.retain(|(name, _)| name != "code"),
        |params| params.iter_mut().filter(|(name, _)| name == "state").for_each(|(_, value)| value.push('x')),
        |params| params.iter_mut().filter(|(name, _)| name == "state").for_each(|(_, value)| value.clear()),
        |params| params.push(("state".into(), "x".into())),
        |params| params.push(("code".into(), "x".into())),
        |params| params.push(("error".into(), "access_denied".into())),
        |params| params.push(("id_token".into(), "x".into())),
    ];
    for (index, edit) in edits.into_iter().enumerate() {
        site.idp.on_returning(edit);
        for provider in ["idp", "plain"] {
            let mut browser = browse(&auth);
            let answer = browser.sign_in(provider, &site.idp).await;
            assert!(answer.is_error("Configuration"), "{index} {provider}: {answer:?}");
            assert!(browser.cookie(SESSION).is_none());
        }
    }
    assert_eq!(site.token_requests(), 0);
}

#[tokio::test]
async fn person_who_declines_is_told_so() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    site.idp.on_returning(|params| {
        params.retain(|(name, _)| name != "code");
        params.push(("error".into(), "access_denied".into()));
        params.push(("error_description".into(), "<script>".into()));
    });
    let mut browser = browse(&auth);
    let answer = browser.sign_in("idp", &site.idp).await;
    assert_eq!(answer.location(), format!("{SITE}/api/auth/signin?error=OAuthCallbackError"));
    assert!(!browser.get(answer.location()).await.text().contains("<script>"));
    assert_eq!(site.token_requests(), 0);
}

#[tokio::test]
async fn wrong_tokens_make_no_session() {
    let site = Site::new();
    let auth = site.with_store().build().unwrap();
    let claims: [(&str, serde_json::Value); 6] = [
        ("nonce", json!("another")),
        ("aud", json!("another client")),
        ("iss", json!("https://other.example")),
        ("exp", json!(1)),
        ("sub", json!("")),
        ("sub", json!(null)),
    ];
    for (name, value) in claims {
        site.idp.on_id_token(move |claims| _ = claims.insert(name.to_owned(), value.clone()));
        let mut browser = browse(&auth);
        assert_refused(&browser.sign_in("idp", &site.idp).await);
    }
    site.idp.on_id_token(|_| {});
    for body in ["", "{}", "null", r#"{"error":"invalid_grant"}"#, r#"{"access_token":"x"}"#] {
        site.idp.answer_once("/token", 200, body);
        assert_refused(&browse(&auth).sign_in("idp", &site.idp).await);
    }
    // The keys are known by now; an hour later they are asked for again.
    site.clock.advance(Duration::from_secs(3600));
    for path in ["/token", "/jwks"] {
        site.idp.fail_once(path);
        assert_refused(&browse(&auth).sign_in("idp", &site.idp).await);
    }
    for (status, body) in [(401, r#"{"sub":"x"}"#), (200, "[]"), (200, "{}"), (500, r#"{"sub":"x"}"#)] {
        site.idp.answer_once("/userinfo", status, body);
        let answer = browse(&auth).sign_in("plain", &site.idp).await;
        assert!(answer.is_error("Configuration"), "{status} {body}");
    }
    let rows = site.store.rows();
    assert_eq!((rows.users.len(), rows.accounts.len()), (0, 0));
}

#[tokio::test]
async fn form_that_a_provider_posts_finds_its_cookies_and_the_way_back() {
    let site = Site::new();
    let apple: Provider = site.idp.oidc_provider("apple").authorization_param("response_mode", "form_post");
    let auth = site.builder().provider(apple).build().unwrap();
    let mut browser = browse(&auth);
    let start = browser.submit("signin/apple", &[("callbackUrl", "/inside")]).await;
    let same_site_none = |line: &&str| line.contains("SameSite=None") && line.contains("Secure");
    assert_eq!(start.set_cookies().iter().filter(|line| same_site_none(line)).count(), 3);
    let returning = site.idp.authorize(start.location());
    let Returning::Form(url, fields) = &returning else { panic!("no form") };
    // By GET it is not the answer that was asked for.
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    assert_refused(&browser.get(&format!("{url}?{query}")).await);
    assert_eq!(browser.come_back(&returning).await.location(), format!("{SITE}/inside"));
    assert_eq!(browser.session().await["user"]["name"], "Ada");
}

#[tokio::test]
async fn posted_form_with_a_parameter_twice_is_refused() {
    let site = Site::new();
    let apple: Provider = site.idp.oidc_provider("apple").authorization_param("response_mode", "form_post");
    let auth = site.builder().provider(apple).build().unwrap();
    for name in ["state", "code", "iss"] {
        let mut browser = browse(&auth);
        let start = browser.start("apple").await;
        let Returning::Form(url, fields) = site.idp.authorize(start.location()) else { panic!("no form") };
        let asked = site.idp.requests().len();
        // The right value comes last, where a map of the fields would find it.
        let mut twice = vec![(name.to_owned(), "other".to_owned())];
        twice.extend(fields);
        if name == "iss" {
            twice.push(("iss".to_owned(), site.idp.issuer().to_owned()));
        }
        assert_refused(&browser.come_back(&Returning::Form(url, twice)).await);
        assert_eq!(site.idp.requests().len(), asked, "{name}");
    }
}

#[tokio::test]
async fn sign_in_callback_decides() {
    let site = Site::new();
    let decide = |decision: Decision| {
        site.builder_with(decision).sign_in(async |_, decision| Ok(decision)).build().unwrap()
    };
    let mut browser = browse(&decide(Decision::Deny));
    assert!(browser.sign_in("idp", &site.idp).await.is_error("AccessDenied"));
    assert!(browser.sign_in_with_credentials(PASSWORD).await.is_error("AccessDenied"));
    let mut browser = browse(&decide(Decision::Redirect("/banned".into())));
    assert_eq!(browser.sign_in("idp", &site.idp).await.location(), format!("{SITE}/banned"));
    assert_eq!(browser.sign_in_with_credentials(PASSWORD).await.location(), format!("{SITE}/banned"));
    assert!(browser.cookie(SESSION).is_none());
    let mut browser = browse(&decide(Decision::Redirect("https://evil.example".into())));
    assert_eq!(browser.sign_in("idp", &site.idp).await.location(), SITE);
    assert!(browser.cookie(SESSION).is_none());
    let mut browser = browse(&decide(Decision::Allow));
    browser.sign_in("idp", &site.idp).await;
    assert!(browser.cookie(SESSION).is_some());
    let auth = site.builder().sign_in(async |_, ()| Err::<bool, _>("broken".into())).build().unwrap();
    assert!(browse(&auth).sign_in("idp", &site.idp).await.is_error("AccessDenied"));
}

#[tokio::test]
async fn new_user_is_welcomed_once() {
    let site = Site::new();
    let auth = site.with_store().pages(PagePaths::new().new_user("/welcome")).build().unwrap();
    let mut browser = browse(&auth);
    let answer = browser.sign_in("idp", &site.idp).await;
    assert_eq!(answer.location(), "/welcome?callbackUrl=https%3A%2F%2Fapp.example.com");
    assert_eq!(browse(&auth).sign_in("idp", &site.idp).await.location(), SITE);
}

#[tokio::test]
async fn answers_are_not_stored() {
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let mut browser = browse(&auth);
    let start = browser.start("idp").await;
    let done = browser.come_back(&site.idp.authorize(start.location())).await;
    let refused = browser.get("callback/idp?code=x&state=y").await;
    let declined = browser.sign_in_with_credentials(&[]).await;
    for answer in [start, done, refused, declined, browser.sign_in_with_credentials(PASSWORD).await] {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

/// Previews of a branch have no stable address; a site with the same secret passes the answer on.
#[tokio::test]
async fn answer_goes_through_the_proxy_to_the_site_that_asked() {
    let site = Site::new();
    let stable = site.builder().redirect_proxy_url(format!("{SITE}/api/auth")).build().unwrap();
    let preview = "https://preview.example.com";
    let auth = site.builder().redirect_proxy_url(format!("{SITE}/api/auth")).url(preview).build().unwrap();
    let mut browser = Browser::new(&auth, preview);
    let start = browser.start("idp").await;
    assert_eq!(start.location_parameter("redirect_uri").unwrap(), format!("{SITE}/api/auth/callback/idp"));
    let returning = site.idp.authorize(start.location());
    let passed_on = browse(&stable).come_back(&returning).await;
    assert!(passed_on.location().starts_with("https://preview.example.com/api/auth/callback/idp?code="));
    assert_eq!(browser.get(passed_on.location()).await.location(), preview);
    assert_eq!(browser.session().await["user"]["name"], "Ada");
    // A state that is not ours leads nowhere.
    for state in ["x", "a.b.c.d.e", "..", "https://evil.example."] {
        assert_refused(&browse(&stable).get(&format!("callback/idp?code=x&state={state}")).await);
    }
}
