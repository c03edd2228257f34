//! Each recipe, with sessions in tokens and in a database.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use example_axum_session_recipes::{company, enriched, profile, provider_token, user_id};
use hallpass::testkit::{Browser, Idp, ManualClock};
use hallpass::{
    Auth, Builder, Credentials, Environment, Field, Jwt, MemoryStore, Strategy, User, UserChange,
};
use serde_json::{Value, json};

const SITE: &str = "https://app.example.com";

const BOTH: [Strategy; 2] = [Strategy::Jwt, Strategy::Database];

struct Site {
    clock: ManualClock,
    idp: Idp,
    store: MemoryStore,
    strategy: Strategy,
}

impl Site {
    fn new(strategy: Strategy) -> Self {
        let clock = ManualClock::new();
        let idp = Idp::new("https://idp.example", &clock);
        idp.set_user(json!({ "sub": "7", "name": "Ada", "email": "ada@example.com" }));
        Self { idp, clock, store: MemoryStore::new(), strategy }
    }

    fn builder(&self) -> Builder {
        self.builder_with(())
    }

    fn builder_with<S: Clone + Send + Sync + 'static>(&self, state: S) -> Builder<S> {
        self.with_secrets(state, ["a text of at least 32 characters, at random"])
    }

    fn with_secrets<S, const N: usize>(&self, state: S, secrets: [&str; N]) -> Builder<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let form = Credentials::new().field(Field::text("username")).field(Field::password("password"));
        Auth::builder_with(state)
            .environment(Environment::empty())
            .secrets(secrets)
            .url(SITE)
            .clock(self.clock.clone())
            .http_client(self.idp.clone())
            .provider(self.idp.oidc_provider("idp"))
            .provider(self.idp.oauth2_provider("plain"))
            .credentials(form, async |_, _| {
                Ok(Some(User::new("42").with_name("Milo").with("role", "admin").with("password", "a hash")))
            })
            .store(self.store.clone())
            .session_strategy(self.strategy)
    }
}

/// A page of the site, before anybody has signed in.
fn page<C>(auth: &Auth<C>) -> Browser {
    Browser::new(auth, SITE).with_header("sec-fetch-site", "same-origin")
}

async fn signed_in<C>(auth: &Auth<C>, site: &Site) -> Browser {
    let mut browser = page(auth);
    assert_eq!(browser.sign_in("idp", &site.idp).await.location(), SITE);
    browser
}

#[tokio::test]
async fn seed_1_1_without_callbacks_the_browser_sees_name_email_and_image() {
    for strategy in BOTH {
        let auth = Site::new(strategy).builder().build().unwrap();
        let mut browser = page(&auth);
        browser.sign_in_with_credentials(&[("username", "milo"), ("password", "x")]).await;
        let shown = browser.session().await;
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(
            (names(&shown), names(&shown["user"])),
            (vec!["user".into(), "expires".into()], vec!["name".into()])
        );
    }
}

#[tokio::test]
async fn seed_1_3_the_id_is_in_the_session_for_every_kind_of_sign_in() {
    for strategy in BOTH {
        let site = Site::new(strategy);
        let auth = user_id::extend(site.builder()).build().unwrap();
        for provider in ["idp", "plain"] {
            site.idp.set_user(json!({ "sub": provider, "name": "Ada" }));
            let mut browser = page(&auth);
            browser.sign_in(provider, &site.idp).await;
            let id = browser.session().await["user"]["id"].as_str().unwrap().to_owned();
            assert!(site.store.rows().users.iter().any(|user| user.id == id), "{provider}");
        }
        let mut browser = page(&auth);
        browser.sign_in_with_credentials(&[("username", "milo"), ("password", "x")]).await;
        assert_eq!(browser.session().await["user"]["id"], "42");
    }
}

#[tokio::test]
async fn seed_1_4_the_id_is_there_after_ten_reads_a_restart_and_a_new_secret() {
    for strategy in BOTH {
        let site = Site::new(strategy);
        let old = "a text of at least 32 characters, at random";
        let before = user_id::extend(site.builder()).build().unwrap();
        let mut browser = signed_in(&before, &site).await;
        let id = browser.session().await["user"]["id"].clone();
        for _ in 0..10 {
            site.clock.advance(Duration::from_secs(3600));
            assert_eq!(browser.session().await["user"]["id"], id);
        }
        let after = user_id::extend(site.with_secrets((), ["another text of at least 32 characters", old]));
        let mut restarted = page(&after.build().unwrap());
        for cookie in browser.cookies() {
            restarted.plant(&format!("{}={}; Path=/; Secure", cookie.name, cookie.value));
        }
        assert_eq!(restarted.session().await["user"]["id"], id, "{strategy:?}");
    }
}

#[tokio::test]
async fn seed_1_7_the_id_comes_from_the_database() {
    let site = Site::new(Strategy::Database);
    let auth = user_id::extend_from_database(site.builder()).build().unwrap();
    let mut browser = signed_in(&auth, &site).await;
    assert_eq!(browser.session().await["user"]["id"], site.store.rows().users[0].id);
}

#[tokio::test]
async fn seed_1_8_what_the_application_keeps_is_in_the_row() {
    let site = Site::new(Strategy::Database);
    let auth = company::extend(site.builder()).build().unwrap();
    let mut browser = signed_in(&auth, &site).await;
    browser.update(&json!({ "companyId": "acme" })).await;
    assert_eq!(site.store.rows().sessions[0].1.claims["selectedCompanyId"], "acme");
}

#[tokio::test]
async fn seed_2_1_a_field_that_only_this_provider_has_is_in_account() {
    for strategy in BOTH {
        let site = Site::new(strategy);
        site.idp.on_token_answer(|answer| {
            answer.insert("session_token".to_owned(), "from the provider".into());
        });
        let auth = provider_token::extend(site.builder()).build().unwrap();
        let mut browser = signed_in(&auth, &site).await;
        let cookies: Vec<_> =
            browser.cookies().iter().map(|it| format!("{}={}", it.name, it.value)).collect();
        let request = axum::http::Request::get("/").header("cookie", cookies.join("; ")).body(()).unwrap();
        let session = auth.session(&request.into_parts().0).await.unwrap().unwrap();
        assert_eq!(session.claims.session_token.as_deref(), Some("from the provider"), "{strategy:?}");
        // Row 2.4: it is nowhere that a page could see.
        assert!(!browser.get("session").await.text().contains("from the provider"));
    }
}

/// The API of the second seed, on a real socket.
async fn api(answer: Result<Value, u16>) -> String {
    let app = Router::new()
        .route(
            "/api/session/{token}",
            get(async |Path(token): Path<String>, State(answer): State<Arc<Result<Value, u16>>>| {
                match &*answer {
                    Ok(person) if token == "t-1" => Ok(person.to_string()),
                    Ok(_) => Err(StatusCode::NOT_FOUND),
                    Err(status) => Err(StatusCode::from_u16(*status).unwrap()),
                }
            }),
        )
        .with_state(Arc::new(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, app).await });
    url
}

fn enriching(site: &Site, url: String) -> Auth<provider_token::Claims> {
    site.idp.on_token_answer(|answer| {
        answer.insert("session_token".to_owned(), "t-1".into());
    });
    // Where it was done before, it stays so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let api = enriched::Api { client: reqwest::Client::new(), url };
    let builder = site.builder_with(api).jwt(async |event: Jwt<provider_token::Claims>, _| {
        Ok(match event {
            Jwt::SignIn(it) => {
                let token = it.account.get("session_token").and_then(|token| token.as_str());
                Some(provider_token::Claims { session_token: token.map(str::to_owned) })
            }
            Jwt::Read(it) => Some(it.claims),
        })
    });
    enriched::extend(builder).build().unwrap()
}

#[tokio::test]
async fn seed_2_6_the_session_is_enriched_by_an_api_and_user_is_replaced() {
    for strategy in BOTH {
        let site = Site::new(strategy);
        let url = api(Ok(json!({ "name": "Ada", "avatar": "/ada.png", "role": "manager" }))).await;
        let auth = enriching(&site, url);
        let shown = signed_in(&auth, &site).await.session().await;
        assert_eq!(
            shown["user"],
            json!({ "name": "Ada", "avatar": "/ada.png", "role": "manager" }),
            "{strategy:?}"
        );
    }
}

#[tokio::test]
async fn seed_2_7_an_error_in_the_session_callback_signs_out_and_others_are_unaffected() {
    for strategy in BOTH {
        let site = Site::new(strategy);
        let auth = enriching(&site, api(Err(500)).await);
        let mut browser = signed_in(&auth, &site).await;
        assert_eq!(browser.get("session").await.text(), "null");
        let still = browser.cookies().iter().any(|cookie| cookie.name.ends_with("session-token"));
        assert_eq!(still, strategy == Strategy::Database, "the cookie of a token goes, that of a row stays");
        assert_eq!(page(&auth).get("session").await.text(), "null");
    }
}

#[tokio::test]
async fn seed_3_4_the_profile_of_the_first_sign_in_holds_no_secret() {
    for strategy in BOTH {
        let site = Site::new(strategy);
        let auth = profile::extend(site.builder()).build().unwrap();
        let mut browser = page(&auth);
        browser.sign_in_with_credentials(&[("username", "milo"), ("password", "x")]).await;
        let shown = browser.session().await["user"].clone();
        assert_eq!(shown, json!({ "id": "42", "name": "Milo", "email": null, "provider": "credentials" }));
    }
}

#[tokio::test]
async fn seed_3_2_the_company_survives_reloads_restarts_and_other_providers() {
    for strategy in BOTH {
        let site = Site::new(strategy);
        let auth = company::extend(site.builder()).build().unwrap();
        let mut browser = signed_in(&auth, &site).await;
        browser.get("session?companyId=acme").await;
        let restarted = company::extend(site.builder()).build().unwrap();
        let mut later = page(&restarted);
        for cookie in browser.cookies() {
            later.plant(&format!("{}={}; Path=/; Secure", cookie.name, cookie.value));
        }
        site.clock.advance(Duration::from_secs(10 * 24 * 3600));
        assert_eq!(later.session().await["selectedCompanyId"], "acme", "{strategy:?}");
    }
}

#[tokio::test]
async fn seed_3_6_to_3_9_the_query_updates_the_session_and_the_answer_shows_it() {
    for strategy in BOTH {
        let site = Site::new(strategy);
        let auth = company::extend(site.builder()).build().unwrap();
        let mut browser = signed_in(&auth, &site).await;
        let answer = browser.get("session?companyId=acme").await.json();
        assert_eq!(answer["selectedCompanyId"], "acme");
        // 3.8: the callback completes the data.
        assert_eq!(answer["companyName"], "Acme Corporation");
        assert_eq!(browser.session().await["selectedCompanyId"], "acme");
        // 3.12, better: typed, and by POST.
        assert_eq!(browser.update(&json!({ "companyId": "globex" })).await.json()["companyName"], "Globex");
        assert_eq!(browser.update(&json!({ "companyId": 7 })).await.status().as_u16(), 400);
    }
}

#[tokio::test]
async fn seed_3_3_updates_work_with_every_provider() {
    for strategy in BOTH {
        let site = Site::new(strategy);
        let auth = company::extend(site.builder()).build().unwrap();
        let mut password = page(&auth);
        password.sign_in_with_credentials(&[("username", "milo"), ("password", "x")]).await;
        let (mut oidc, mut plain) = (signed_in(&auth, &site).await, page(&auth));
        site.idp.set_user(json!({ "sub": "8", "name": "Eve" }));
        plain.sign_in("plain", &site.idp).await;
        for browser in [&mut password, &mut oidc, &mut plain] {
            assert_eq!(
                browser.update(&json!({ "companyId": "acme" })).await.json()["selectedCompanyId"],
                "acme"
            );
        }
        for user in site.store.rows().users {
            auth.users().update(&user.id, UserChange::new().name("Renamed".to_owned())).await.unwrap();
        }
        for browser in [&mut oidc, &mut plain] {
            let shown = browser.session().await;
            assert_eq!(
                (&shown["user"]["name"], &shown["selectedCompanyId"]),
                (&json!("Renamed"), &json!("acme"))
            );
        }
    }
}
