//! What is printed and logged tells no secret.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use hallpass::oauth::authorize::AuthorizationRequest;
use hallpass::oidc::id_token::{Expected, Origin};
use hallpass::oidc::jws::Compact;
use hallpass::testkit::Idps;
use hallpass::{Credentials, Email, Jwt, NoClaims, SessionEvent, Strategy, Timestamp, User};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use tracing::field::{Field, Visit};
use tracing::span;

use crate::site::{Log, SITE, Site, browse, listen, signed_in};

/// Writes down everything, whatever its level.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<String>>);

impl tracing::Subscriber for Everything {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        span.record(&mut Writer(&mut self.0.lock().unwrap()));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut Writer(&mut self.0.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = self.0.lock().unwrap();
        event.record(&mut Writer(&mut text));
        text.push('\n');
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Writer<'a>(&'a mut String);

impl Visit for Writer<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, "{}={value} ", field.name()).unwrap();
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Claims {}

#[tokio::test]
async fn the_log_says_why_a_session_callback_failed() {
    for strategy in [Strategy::Jwt, Strategy::Database] {
        let everything = Everything::default();
        let guard = listen(everything.clone());
        let site = Site::new();
        let builder = site.builder().store(site.store.clone()).session_strategy(strategy);
        let auth = builder
            .session(async |_: SessionEvent<NoClaims>, ()| Err::<u8, _>("the API is down".into()))
            .build()
            .unwrap();
        let mut browser = browse(&auth);
        browser.sign_in("idp", &site.idp).await;
        assert_eq!(browser.session().await, json!(null));
        drop(guard);
        let printed = everything.0.lock().unwrap().clone();
        assert!(printed.contains("the session callback failed"), "{strategy:?}: {printed}");
        assert!(printed.contains("the API is down"), "{strategy:?}: {printed}");
    }
}

#[tokio::test]
async fn the_log_names_no_query_and_no_password_of_an_address() {
    let everything = Everything::default();
    let guard = listen(everything.clone());
    let site = Site::new();
    let auth = site
        .builder()
        .session(async |_: SessionEvent<NoClaims>, ()| {
            let cause = "error sending request for url (https://me:canary-1@api.example/me?key=canary-2)";
            Err::<u8, _>(cause.into())
        })
        .build()
        .unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    browser.session().await;
    drop(guard);
    let printed = everything.0.lock().unwrap().clone();
    assert!(printed.contains("https://api.example/me") && !printed.contains("canary"), "{printed}");
}

/// A text in each place where a secret is, every way to sign in, and as many faults as can be had.
#[tokio::test]
async fn no_secret_reaches_a_log() {
    const SECRET: &str = "canary-secret-of-the-site-0123456789";
    const OLD_SECRET: &str = "canary-old-secret-of-the-site-01234";
    let everything = Everything::default();
    let guard = listen(everything.clone());
    let (site, log) = (Site::new(), Log::default());
    let mails: Arc<Mutex<Vec<hallpass::Mail>>> = Arc::default();
    let errors = log.clone();
    let debug = |log: &Log, value: &dyn std::fmt::Debug| log.add(format!("{value:?} {value:#?}"));
    let builder = site
        .builder_with((log.clone(), Arc::clone(&mails)))
        .secrets([SECRET, OLD_SECRET])
        .store(site.store.clone())
        .provider(hallpass::providers::GITHUB.client("id", "canary-github-secret"))
        .credentials(Credentials::new().id("form"), async |input, (log, _): (Log, _)| {
            log.add(format!("{input:?} {:?}", input.request()));
            Ok((input.text("password") == Some("canary-password")).then(|| User::new("1")))
        })
        .email(Email::new(), async |mail, (log, mails): (Log, Arc<Mutex<Vec<hallpass::Mail>>>)| {
            log.add(format!("{mail:?}"));
            mails.lock().unwrap().push(mail);
            Ok(())
        })
        .sign_in(async |event, (log, _): (Log, _)| {
            log.add(format!("{event:?}"));
            Ok(true)
        })
        .jwt(async |event: Jwt<Claims, u32>, (log, _): (Log, _)| {
            log.add(format!("{event:?}"));
            Ok(Some(Claims {}))
        })
        .session(async |event: SessionEvent<Claims>, (log, _): (Log, _)| {
            log.add(format!("{event:?}"));
            Ok(json!({ "user": event.user.public() }))
        })
        .on_event(async |event, (log, _): (Log, _)| {
            log.add(format!("{event:?}"));
            Ok(())
        })
        .on_error(move |error, request| {
            let mut cause: Option<&dyn std::error::Error> = Some(error);
            while let Some(error) = cause {
                errors.add(format!("{error} {error:?}"));
                cause = error.source();
            }
            errors.add(format!("{request:?}"));
        });
    debug(&log, &builder);
    let auth = builder.build().unwrap();
    debug(&log, &auth);
    debug(&log, auth.core());
    debug(&log, &hallpass::providers::GITHUB.client("id", "canary-github-secret"));
    debug(&log, &Idps::new([site.idp.clone()]));
    debug(&log, &site.store);

    site.idp.on_token_answer(|answer| {
        answer.insert("access_token".into(), json!("canary-access-token"));
        answer.insert("refresh_token".into(), json!("canary-refresh-token"));
    });
    let mut seen: Vec<String> = Vec::new();
    let mut browser = browse(&auth);
    let start = browser.start("idp").await;
    seen.extend(["state", "code_challenge"].map(|name| start.location_parameter(name).unwrap()));
    let returning = site.idp.authorize(start.location());
    let mut replay = browser.clone();
    browser.come_back(&returning).await;
    replay.come_back(&returning).await;
    browser.come_back(&returning).await;
    browser.session().await;
    browser.update(&json!(7)).await;
    browser.update(&json!("canary-update")).await;
    let cookies: Vec<_> =
        browser.cookies().iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
    let parts = http::Request::get("/?token=canary-query")
        .header("cookie", cookies.join("; "))
        .body(())
        .unwrap()
        .into_parts()
        .0;
    let read = auth.read(&parts).await.unwrap();
    debug(&log, &read);
    let renewed =
        read.set_cookies().map(|line| line.to_str().unwrap().split(['=', ';']).nth(1).unwrap().to_owned());
    seen.extend(renewed);

    // Wrong tokens, wrong answers, no answers.
    site.idp.on_id_token(|claims| _ = claims.insert("nonce".into(), json!("canary-nonce")));
    browse(&auth).sign_in("idp", &site.idp).await;
    for (path, status, body) in [
        ("/token", 400, r#"{"error":"invalid_grant","error_description":"bad\r\nline"}"#),
        ("/token", 200, r#"{"access_token":"canary-access-token","token_type":"mac"}"#),
        ("/token", 200, r#"{"access_token":"canary access token","token_type":"bearer"}"#),
        (
            "/token",
            200,
            r#"{"access_token":"canary-access-token","token_type":"bearer","id_token":"canary-id-token"}"#,
        ),
        ("/token", 500, "canary-access-token"),
    ] {
        site.idp.answer_once(path, status, body);
        browse(&auth).sign_in("idp", &site.idp).await;
    }
    site.idp.fail_once("/token");
    browse(&auth).sign_in("idp", &site.idp).await;
    let mut lost = browse(&auth);
    for query in [
        "code=canary-code&state=canary-state",
        "error=access_denied&state=canary-state",
        "code=canary-code&code=canary-code",
    ] {
        lost.get(&format!("callback/idp?{query}")).await;
    }
    for name in ["__Secure-authjs.session-token", "__Secure-authjs.state", "__Host-authjs.csrf-token"] {
        lost.plant(&format!("{name}=canary-cookie; Path=/; Secure"));
    }
    lost.get("session").await;
    lost.get("callback/idp?code=canary-code&state=x").await;
    lost.post_form("signout", &[("csrfToken", "canary-csrf")]).await;
    lost.sign_out().await;

    for password in ["canary-password", "canary-wrong-password"] {
        let mut browser = browse(&auth).with_header("authorization", "Bearer canary-bearer");
        browser.submit("callback/form", &[("username", "ali"), ("password", password)]).await;
        browser.post_json("callback/form", &json!({ "password": password })).await;
        let answer = browser.submit("signin/email", &[("email", "ada@example.org")]).await;
        assert_eq!(answer.status(), 302);
        browser.sign_out().await;
    }
    let mail = mails.lock().unwrap().last().unwrap().clone();
    browse(&auth).get(&mail.url).await;
    assert_eq!(browse(&auth).follow_magic_link(&mail.url).await.status(), 302);
    browse(&auth).follow_magic_link(&mail.url).await;
    browse(&auth).follow_magic_link("callback/email?token=canary-magic&email=ada@example.org").await;
    debug(&log, &site.store);
    drop(guard);

    seen.push(mail.token);
    seen.extend(
        browser
            .cookies()
            .iter()
            .filter(|cookie| cookie.name.contains("session") || cookie.name.contains("csrf"))
            .map(|cookie| cookie.value.clone()),
    );
    seen.extend(site.idp.requests().iter().filter(|request| request.uri().path() == "/token").filter_map(
        |request| {
            let mut form = url::form_urlencoded::parse(request.body());
            form.find(|(name, _)| name == "code_verifier").map(|(_, value)| value.into_owned())
        },
    ));
    seen.extend((1..20).map(|index| format!("code-{index}\"")));
    let printed = format!("{}\n{}", everything.0.lock().unwrap(), log.take().join("\n"));
    assert!(printed.lines().count() > 100, "little was printed: {printed}");
    for line in printed.lines() {
        assert!(!line.to_lowercase().contains("canary"), "{line}");
        for secret in &seen {
            assert!(!line.contains(secret.as_str()), "{secret}: {line}");
        }
    }
    for canary in [
        SECRET,
        OLD_SECRET,
        "canary-password",
        "canary-access-token",
        "canary-github-secret",
        "the client's secret",
    ] {
        for spelling in [
            Base64::encode_string(canary.as_bytes()),
            Base64UrlUnpadded::encode_string(canary.as_bytes()),
            utf8_percent_encode(canary, NON_ALPHANUMERIC).to_string(),
            canary.to_owned(),
        ] {
            assert!(!printed.contains(&spelling), "{spelling}");
        }
    }
    // Nor does a line end where somebody outside wants it.
    assert!(!everything.0.lock().unwrap().contains('\r'));
}

/// Exactly, since a secret may be printed as numbers too.
#[test]
fn parts_of_the_protocol_print_no_secret() {
    let extra = [("login_hint".to_owned(), "canary@example.com".to_owned())];
    let request = AuthorizationRequest {
        redirect_uri: "https://app.example.com/cb",
        state: Some("canary-state"),
        code_challenge: None,
        nonce: Some("canary-nonce"),
        extra: &extra,
    };
    assert_eq!(
        format!("{request:?}"),
        r#"AuthorizationRequest { redirect_uri: "https://app.example.com/cb", parameters: ["state", "nonce", "login_hint"] }"#
    );

    let origin = Origin::SignIn { nonce: Some("canary-nonce") };
    let expected = Expected { now: Timestamp::from_seconds(1), access_token: "canary-token", origin };
    assert_eq!(
        format!("{expected:?}"),
        format!("Expected {{ now: {:?}, origin: SignIn, .. }}", expected.now)
    );
    let claims = Map::from_iter([("sub".to_owned(), json!("canary"))]);
    assert_eq!(format!("{:?}", Origin::Refresh { previous: Some(&claims) }), "Refresh");

    let token: Vec<_> = [r#"{"alg":"ES256","kid":"k1"}"#, r#"{"sub":"canary"}"#, "canary"]
        .iter()
        .map(|part| Base64UrlUnpadded::encode_string(part.as_bytes()))
        .collect();
    let token = token.join(".");
    assert_eq!(
        format!("{:?}", Compact::parse(&token).unwrap()),
        r#"Compact { algorithm: ES256, key_id: Some("k1"), .. }"#
    );
}

/// Control characters in what people and providers send do not make lines of their own.
#[tokio::test]
async fn log_keeps_one_line_for_one_event() {
    let everything = Everything::default();
    let guard = listen(everything.clone());
    let site = Site::new();
    let auth = site.builder().build().unwrap();
    let evil = "x\r\nWARN forged=line \u{1b}[31m\u{2028}";
    site.idp.on_returning(move |params| {
        params.retain(|(name, _)| name != "code");
        params.push(("error".into(), evil.into()));
        params.push(("error_description".into(), evil.into()));
    });
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    site.idp.on_returning(|_| {});
    let body = json!({ "error": evil, "error_description": evil }).to_string();
    site.idp.answer_once("/token", 400, &body);
    browser.sign_in("idp", &site.idp).await;
    browser.submit("callback/credentials", &[("username", evil), ("password", evil)]).await;
    browser.submit("signout", &[("callbackUrl", evil)]).await;
    let query = utf8_percent_encode(evil, NON_ALPHANUMERIC).to_string();
    for path in ["signin", "error", "signin/%0d%0aWARN", "callback/idp", "session"] {
        browser.get(&format!("{path}?callbackUrl={query}&error={query}&{query}")).await;
    }
    let mut browser = browser.with_header("user-agent", "x\tWARN forged=line");
    browser.get(SITE).await;
    drop(guard);
    let text = everything.0.lock().unwrap().clone();
    assert!(text.lines().count() >= 6, "{text}");
    assert!(!text.contains(['\r', '\u{1b}', '\u{2028}']), "{text:?}");
    assert!(text.lines().all(|line| !line.trim_start().starts_with("WARN")), "{text}");
}

#[derive(Serialize, Deserialize)]
struct Grown {
    companies: Vec<u16>,
    note: String,
}

/// Row 2.3 of the seeds: too much in a token is told before it hurts, once.
#[tokio::test]
async fn seed_2_3_session_that_outgrows_a_cookie_is_told_with_its_largest_claims() {
    let everything = Everything::default();
    let guard = listen(everything.clone());
    let site = Site::new();
    let builder = site.builder().jwt(async |event: Jwt<Grown, u16>, ()| {
        Ok(Some(match event {
            Jwt::SignIn(_) => Grown { companies: vec![7; 800], note: "n".repeat(500) },
            Jwt::Update(it) => Grown { companies: vec![7; it.update.into()], ..it.claims },
            Jwt::Read(it) => it.claims,
        }))
    });
    let auth = builder.build().unwrap();
    let mut browser = signed_in(&auth).await;
    assert!(!everything.0.lock().unwrap().contains("largest="));
    browser.update(&json!(3000)).await;
    browser.session().await;
    browser.update(&json!(20_000)).await;
    drop(guard);
    let text = everything.0.lock().unwrap().clone();
    let told: Vec<_> = text.lines().filter(|line| line.contains("more than one cookie")).collect();
    let [warning] = told.as_slice() else { panic!("{told:?}") };
    assert!(warning.contains(r#"largest="companies" (6001 bytes), "note" (502 bytes), "#), "{warning}");
    let refused = text.lines().find(|line| line.contains("`cookie_budget` allows")).unwrap();
    assert!(
        refused.contains(r#"the largest claims are "companies" (40001 bytes), "note" (502 bytes), "#),
        "{refused}"
    );
}
