//! Both dialects below one base path.

use std::time::Duration;

use hallpass::jose::TokenKeys;
use hallpass::testkit::Browser;
use hallpass::{Auth, CookieKind, CookieOptions, Dialect, Secret, Strategy};
use http::StatusCode;
use http::header::LOCATION;
use serde_json::{Map, Value, json};

use crate::site::{PASSWORD, SECRET, SITE, Site, browse};

const V4: &str = "__Secure-next-auth.session-token";

const V5: &str = "__Secure-authjs.session-token";

/// 2026-11-20T10:30:00Z, half an hour after the tests' clock begins.
const LATER: i64 = 1_795_170_600;

fn both(site: &Site, dialects: [Dialect; 2]) -> Auth {
    site.builder().dialects(dialects).build().unwrap()
}

fn name_of(dialect: Dialect) -> &'static str {
    if dialect == Dialect::V4 { V4 } else { V5 }
}

/// A session of this dialect.
fn token(dialect: Dialect, name: &str, claims: Value) -> String {
    let salt = if dialect == Dialect::V4 { "" } else { name };
    let keys = TokenKeys::derive(dialect, &[Secret::from(SECRET)], salt);
    let Value::Object(mut claims) = claims else { panic!("claims are an object") };
    claims.entry("exp").or_insert(json!(LATER));
    claims.entry("iat").or_insert(json!(LATER - 1800));
    keys.seal_claims(&claims, &[7; 16])
}

fn opens(dialect: Dialect, name: &str, token: &str) -> Option<Map<String, Value>> {
    let salt = if dialect == Dialect::V4 { "" } else { name };
    let keys = TokenKeys::derive(dialect, &[Secret::from(SECRET)], salt);
    keys.open_claims(token, hallpass::Timestamp::from_seconds(LATER - 1800)).ok()
}

fn plant(browser: &mut Browser, name: &str, value: &str) {
    browser.plant(&format!("{name}={value}; Path=/; Secure"));
}

/// A browser with a session in this dialect.
fn having(auth: &Auth, dialect: Dialect, who: &str) -> Browser {
    let mut browser = browse(auth);
    let name = name_of(dialect);
    plant(&mut browser, name, &token(dialect, name, json!({ "sub": who, "name": who })));
    browser
}

fn session_cookies(browser: &Browser) -> Vec<&str> {
    let all = browser.cookies().iter().map(|cookie| cookie.name.as_str());
    all.filter(|name| name.contains("session-token")).collect()
}

const ORDERS: [[Dialect; 2]; 2] = [[Dialect::V5, Dialect::V4], [Dialect::V4, Dialect::V5]];

#[tokio::test]
async fn each_client_is_answered_in_its_own_words() {
    let site = Site::new();
    for order in ORDERS {
        let auth = both(&site, order);
        let mut old = browse(&auth);
        let fields = [("password", "wrong"), ("json", "true")];
        let refused = old.submit("callback/credentials", &fields).await;
        assert_eq!((refused.status(), refused.header(LOCATION)), (StatusCode::UNAUTHORIZED, None));
        let to = format!("{SITE}/api/auth/error?error=CredentialsSignin&provider=credentials");
        assert_eq!(refused.json()["url"], to);
        // Whichever dialect is written, that page knows what to do.
        let page = old.get(&to).await;
        assert_eq!(page.location(), format!("{SITE}/api/auth/signin?error=CredentialsSignin"));

        let mut new = browse(&auth).with_header("x-auth-return-redirect", "1");
        let refused = new.submit("callback/credentials", &fields).await;
        let to = format!("{SITE}/api/auth/signin?error=CredentialsSignin&code=credentials");
        assert_eq!((refused.status(), refused.json()), (StatusCode::OK, json!({ "url": to })));
        let signed_in = new.submit("callback/credentials", PASSWORD).await;
        assert_eq!((signed_in.location(), signed_in.json()), (SITE, json!({ "url": SITE })));

        assert_eq!(old.post_form("_log", &[("code", "X")]).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn callback_url_undefined_counts_as_absent() {
    let site = Site::new();
    let fields = [PASSWORD, &[("json", "true"), ("callbackUrl", "undefined")]].concat();
    for order in ORDERS {
        let mut browser = browse(&both(&site, order));
        let answer = browser.submit("callback/credentials", &fields).await;
        assert_eq!((answer.status(), answer.json()), (StatusCode::OK, json!({ "url": SITE })));
    }
}

#[tokio::test]
async fn nobody_is_null_where_v5_is_spoken_too() {
    let site = Site::new();
    for order in ORDERS {
        let mut browser = browse(&both(&site, order));
        assert_eq!(browser.session().await, json!(null));
        assert_eq!(browser.post_json("session", &json!({})).await.json(), json!(null));
    }
}

#[tokio::test]
async fn the_first_dialect_is_written() {
    let site = Site::new();
    for order in ORDERS {
        let auth = both(&site, order);
        let mut browser = browse(&auth);
        browser.submit("callback/credentials", &[PASSWORD, &[("json", "true")]].concat()).await;
        let name = name_of(order[0]);
        assert_eq!(session_cookies(&browser), [name]);
        assert_eq!(opens(order[0], name, browser.cookie(name).unwrap()).unwrap()["sub"], "1");
        assert!(opens(order[1], name, browser.cookie(name).unwrap()).is_none());
    }
}

#[tokio::test]
async fn session_of_the_other_dialect_is_read_rewritten_and_removed_in_one_answer() {
    let site = Site::new();
    for [written, other] in ORDERS {
        // Even where nothing is due for renewal.
        let auth = site.builder().dialects([written, other]).jwt_update_age(Duration::from_secs(3600));
        let mut browser = having(&auth.build().unwrap(), other, "ann");
        let answer = browser.get("session").await;
        assert_eq!(answer.json()["user"]["name"], "ann");
        let names: Vec<_> =
            answer.cookie_names().into_iter().filter(|name| name.contains("session")).collect();
        assert_eq!(names, [name_of(written), name_of(other)]);
        assert_eq!(session_cookies(&browser), [name_of(written)]);
        assert_eq!(browser.session().await["user"]["name"], "ann");
    }
}

#[tokio::test]
async fn a_handler_reads_and_rewrites_it_too() {
    let site = Site::new();
    let auth = both(&site, [Dialect::V5, Dialect::V4]);
    let cookie = format!("{V4}={}", token(Dialect::V4, V4, json!({ "sub": "ann" })));
    let (parts, ()) = http::Request::get("/").header("cookie", cookie).body(()).unwrap().into_parts();
    let read = auth.read(&parts).await.unwrap();
    assert_eq!(read.session.as_ref().unwrap().user.id, "ann");
    let lines: Vec<_> = read.set_cookies().map(|line| line.to_str().unwrap()).collect();
    assert!(lines[0].starts_with(&format!("{V5}=ey")), "{lines:?}");
    assert!(lines[1].starts_with(&format!("{V4}=; ")) && lines[1].ends_with("Max-Age=0"), "{lines:?}");
}

#[tokio::test]
async fn every_piece_of_the_other_dialect_goes() {
    let site = Site::new();
    let auth = both(&site, [Dialect::V5, Dialect::V4]);
    let mut browser = browse(&auth);
    let token = token(Dialect::V4, V4, json!({ "sub": "ann", "name": "n".repeat(5000) }));
    let (first, second) = token.split_at(3933);
    plant(&mut browser, &format!("{V4}.0"), first);
    plant(&mut browser, &format!("{V4}.1"), second);
    browser.session().await;
    assert_eq!(session_cookies(&browser), [format!("{V5}.0"), format!("{V5}.1")]);
}

#[tokio::test]
async fn of_two_sessions_the_written_one_counts_and_they_are_never_merged() {
    let site = Site::new();
    for [written, other] in ORDERS {
        let auth = both(&site, [written, other]);
        let mut browser = having(&auth, written, "ann");
        let claims = json!({ "sub": "bob", "email": "bob@example.com" });
        plant(&mut browser, name_of(other), &token(other, name_of(other), claims));
        let shown = browser.session().await;
        assert_eq!(shown["user"], json!({ "name": "ann" }));
        assert_eq!(session_cookies(&browser), [name_of(written)]);
    }
}

#[tokio::test]
async fn a_session_that_does_not_open_gives_way_to_one_that_does() {
    let site = Site::new();
    for [written, other] in ORDERS {
        let auth = both(&site, [written, other]);
        for broken in ["garbage", "a.b.c.d.e"] {
            let mut browser = having(&auth, other, "bob");
            plant(&mut browser, name_of(written), broken);
            assert_eq!(browser.session().await["user"]["name"], "bob", "{broken}");
        }
        // A piece that lacks the rest is none, and is not completed with the other's.
        let mut browser = having(&auth, other, "bob");
        plant(&mut browser, &format!("{}.1", name_of(written)), "rest");
        assert_eq!(browser.session().await["user"]["name"], "bob");
        assert_eq!(session_cookies(&browser), [name_of(written)]);
    }
}

#[tokio::test]
async fn signing_out_leaves_nobody() {
    let site = Site::new();
    for [written, other] in ORDERS {
        let auth = both(&site, [written, other]);
        let mut browser = having(&auth, written, "ann");
        plant(&mut browser, name_of(other), &token(other, name_of(other), json!({ "sub": "bob" })));
        browser.csrf().await;
        browser.sign_out().await;
        assert!(session_cookies(&browser).is_empty());
        assert_eq!(browser.session().await, json!(null));
    }
}

#[tokio::test]
async fn signing_in_leaves_only_the_new_session() {
    let site = Site::new();
    let mut browser = having(&both(&site, [Dialect::V5, Dialect::V4]), Dialect::V4, "ann");
    browser.sign_in_with_credentials(PASSWORD).await;
    assert_eq!(session_cookies(&browser), [V5]);
    assert_eq!(browser.session().await["user"]["name"], "Ali");
}

#[tokio::test]
async fn a_dialect_that_is_not_listed_is_not_looked_at() {
    let site = Site::new();
    for dialect in [Dialect::V5, Dialect::V4] {
        let other = if dialect == Dialect::V5 { Dialect::V4 } else { Dialect::V5 };
        let auth = site.builder().dialects([dialect]).build().unwrap();
        let mut browser = having(&auth, other, "ann");
        assert_eq!(browser.session().await.get("user"), None);
        assert_eq!(session_cookies(&browser), [name_of(other)]);
    }
}

#[tokio::test]
async fn the_csrf_token_is_shared() {
    let site = Site::new();
    let mut old = browse(&site.builder().dialects([Dialect::V4]).build().unwrap());
    let form = old.csrf().await;
    let cookie = old.cookie("__Host-next-auth.csrf-token").unwrap().to_owned();
    let mut moved = browse(&both(&site, [Dialect::V5, Dialect::V4]));
    plant(&mut moved, "__Host-next-auth.csrf-token", &cookie);
    assert_eq!(moved.csrf().await, form);
    let answer = moved.submit("callback/credentials", PASSWORD).await;
    assert_eq!(answer.location(), SITE);
    assert_eq!(moved.cookie("__Host-authjs.csrf-token"), None);
    // A forged one is not.
    let mut forged = browse(&both(&site, [Dialect::V5, Dialect::V4]));
    plant(&mut forged, "__Host-next-auth.csrf-token", &format!("{}%7C{}", "a".repeat(64), "0".repeat(64)));
    assert_ne!(forged.csrf().await, "a".repeat(64));
}

#[tokio::test]
async fn the_callback_address_is_shared() {
    let site = Site::new();
    let mut browser = browse(&both(&site, [Dialect::V5, Dialect::V4]));
    plant(&mut browser, "__Secure-next-auth.callback-url", "%2Fcame-from");
    let answer = browser.sign_in_with_credentials(PASSWORD).await;
    assert_eq!(answer.location(), format!("{SITE}/came-from"));
    // It goes through the same rules.
    let mut browser = browse(&both(&site, [Dialect::V5, Dialect::V4]));
    plant(&mut browser, "__Secure-next-auth.callback-url", "https%3A%2F%2Fevil.example");
    assert_eq!(browser.sign_in_with_credentials(PASSWORD).await.location(), SITE);
}

#[tokio::test]
async fn a_sign_in_fails_in_the_words_in_which_it_was_started() {
    let site = Site::new();
    for order in ORDERS {
        let auth = both(&site, order);
        for (header, json, location) in [
            (None, "true", format!("{SITE}/api/auth/error?error=Callback")),
            (Some("x-auth-return-redirect"), "", format!("{SITE}/api/auth/signin?error=OAuthCallbackError")),
        ] {
            let mut page =
                header.into_iter().fold(browse(&auth), |page, header| page.with_header(header, "1"));
            let start = page.submit("signin/idp", &[("json", json)]).await.json();
            let (_, state) = start["url"].as_str().unwrap().split_once("state=").unwrap();
            let state = state.split('&').next().unwrap();
            // The provider sends the browser back, and no script.
            let mut browser = browse(&auth);
            for cookie in page.cookies() {
                plant(&mut browser, &cookie.name, &cookie.value);
            }
            let refused = format!("callback/idp?error=access_denied&iss=https://idp.example&state={state}");
            assert_eq!(browser.get(&refused).await.location(), location);
        }
    }
}

#[tokio::test]
async fn sessions_in_the_store_move_to_the_other_name() {
    let site = Site::new();
    let old = site.with_store().dialects([Dialect::V4]).session_strategy(Strategy::Database).build().unwrap();
    let mut browser = browse(&old);
    browser.sign_in_with_credentials(PASSWORD).await;
    let token = browser.cookie(V4).unwrap().to_owned();

    let auth = site.with_store().dialects([Dialect::V5, Dialect::V4]).build().unwrap();
    let mut browser = browse(&auth);
    plant(&mut browser, V4, &token);
    assert_eq!(browser.session().await["user"]["name"], "Ali");
    assert_eq!((session_cookies(&browser), browser.cookie(V5)), (vec![V5], Some(token.as_str())));

    // A dead session under the first name gives way, and signing out ends whatever there is.
    plant(&mut browser, V4, &token);
    plant(&mut browser, V5, "dead");
    assert_eq!(browser.session().await["user"]["name"], "Ali");
    plant(&mut browser, V4, &token);
    plant(&mut browser, V5, "dead");
    browser.sign_out().await;
    assert!(site.store.rows().sessions.is_empty());
    assert!(session_cookies(&browser).is_empty());
}

#[tokio::test]
async fn signing_out_ends_the_rows_of_both_dialects() {
    let site = Site::new();
    let auth = site.with_store().dialects([Dialect::V5, Dialect::V4]).build().unwrap();
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let mut browser = browse(&auth);
        browser.sign_in_with_credentials(PASSWORD).await;
        tokens.push(browser.cookie(V5).unwrap().to_owned());
    }
    assert_eq!(site.store.rows().sessions.len(), 2);
    let mut browser = browse(&auth);
    plant(&mut browser, V5, &tokens[0]);
    plant(&mut browser, V4, &tokens[1]);
    browser.sign_out().await;
    assert!(site.store.rows().sessions.is_empty());
}

#[tokio::test]
async fn a_token_whose_session_has_ended_gives_way_to_a_session_that_lives() {
    let site = Site::new();
    let both = [Dialect::V5, Dialect::V4];
    let before = site.with_store().dialects(both).session_strategy(Strategy::Jwt).build().unwrap();
    let auth = site.with_store().dialects(both).build().unwrap();
    let mut browser = browse(&before);
    browser.sign_in("idp", &site.idp).await;
    let ended = browser.cookie(V5).unwrap().to_owned();
    let mut browser = browse(&auth);
    plant(&mut browser, V5, &ended);
    assert_eq!(browser.session().await["user"]["name"], "Ada");
    browser.sign_out().await;
    browser.sign_in("other", &site.other).await;
    let living = browser.cookie(V5).unwrap().to_owned();

    plant(&mut browser, V5, &ended);
    plant(&mut browser, V4, &living);
    assert_eq!(browser.session().await["user"]["name"], "Milo");
    assert_eq!((session_cookies(&browser), browser.cookie(V5)), (vec![V5], Some(living.as_str())));
    // Two that have ended are nobody's.
    plant(&mut browser, V5, &ended);
    plant(&mut browser, V4, "dead");
    assert_eq!(browser.get("session").await.text(), "null");
    assert!(session_cookies(&browser).is_empty());
}

#[tokio::test]
async fn a_revoked_token_gives_way_to_one_that_lives() {
    let site = Site::new();
    let auth = site.with_store().dialects([Dialect::V5, Dialect::V4]).session_strategy(Strategy::Jwt);
    let auth = auth.build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    let revoked = browser.cookie(V5).unwrap().to_owned();
    auth.sessions().revoke_all(&site.store.rows().users[0].id).await.unwrap();
    let living = token(Dialect::V4, V4, json!({ "sub": "ann", "name": "ann" }));
    plant(&mut browser, V5, &revoked);
    plant(&mut browser, V4, &living);
    assert_eq!(browser.session().await["user"]["name"], "ann");
    assert_eq!(session_cookies(&browser), [V5]);
    // Linking means whoever is signed in, too.
    plant(&mut browser, V5, &revoked);
    browser.sign_in("other", &site.other).await;
    assert_eq!(site.store.rows().users.len(), 2);
}

#[tokio::test]
async fn one_name_for_both_dialects_opens_either_and_is_rewritten() {
    let site = Site::new();
    for [written, other] in ORDERS {
        let builder = site.builder().dialects([written, other]);
        let own = builder.cookie(CookieKind::SessionToken, CookieOptions::new().name("sid"));
        let auth = own.jwt_update_age(Duration::from_secs(3600)).build().unwrap();
        let mut browser = browse(&auth);
        plant(&mut browser, "sid", &token(other, "sid", json!({ "sub": "ann", "name": "ann" })));
        assert_eq!(browser.session().await["user"]["name"], "ann");
        assert_eq!(opens(written, "sid", browser.cookie("sid").unwrap()).unwrap()["sub"], "ann");
        // What is written already is left alone.
        let before = browser.cookie("sid").unwrap().to_owned();
        browser.session().await;
        assert_eq!(browser.cookie("sid"), Some(before.as_str()));
    }
}

#[tokio::test]
async fn a_sign_in_cookie_is_no_session_in_either_dialect() {
    let site = Site::new();
    for order in ORDERS {
        let auth = both(&site, order);
        let mut browser = browse(&auth);
        browser.start("idp").await;
        let sealed: Vec<_> = browser.cookies().iter().map(|cookie| cookie.value.clone()).collect();
        for value in sealed {
            for name in [V4, V5] {
                let mut other = browse(&auth);
                plant(&mut other, name, &value);
                assert_eq!(other.session().await, json!(null));
            }
        }
    }
}

#[test]
fn a_setting_without_dialects_is_refused() {
    let error = Site::new().builder().dialects([]).build().unwrap_err();
    assert!(error.to_string().contains("`dialects` is empty"), "{error}");
}
