//! Sessions from before the type of the claims was changed.

use std::sync::{Arc, Mutex};

use hallpass::testkit::Browser;
use hallpass::{Builder, Jwt, SessionEvent, Strategy};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tracing::span;

use crate::session::moved;
use crate::site::{Log, SESSION, Site, browse, listen};

const STRATEGIES: [Strategy; 2] = [Strategy::Jwt, Strategy::Database];

/// What the first version kept.
#[derive(Serialize, Deserialize)]
struct First {
    role: String,
}

/// What the second one keeps.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Second {
    roles: Vec<String>,
}

#[derive(Deserialize)]
struct Add {
    role: String,
}

/// Somebody who signed in while the first version ran.
async fn signed_in_before(site: &Site, strategy: Strategy) -> Browser {
    let builder = site.with_store().session_strategy(strategy).jwt(async |event: Jwt<First>, ()| {
        Ok(match event {
            Jwt::SignIn(_) => Some(First { role: "admin".to_owned() }),
            Jwt::Read(it) => Some(it.claims),
        })
    });
    let auth = builder.build().unwrap();
    let mut browser = browse(&auth);
    browser.sign_in("idp", &site.idp).await;
    assert_eq!(browser.session().await["user"]["name"], "Ada");
    browser
}

fn second(site: &Site, strategy: Strategy) -> Builder<(), Second> {
    let builder = site.with_store().session_strategy(strategy).jwt(async |event: Jwt<Second, Add>, ()| {
        Ok(match event {
            Jwt::SignIn(_) => None,
            Jwt::Update(it) => {
                let mut roles = it.claims.roles;
                roles.push(it.update.role);
                Some(Second { roles })
            }
            Jwt::Read(it) => Some(it.claims),
        })
    });
    builder.session(async |it: SessionEvent<Second>, ()| Ok(json!({ "roles": it.claims.roles })))
}

fn to_second(old: &Map<String, Value>) -> Option<Second> {
    Some(Second { roles: vec![old.get("role")?.as_str()?.to_owned()] })
}

fn parts_of(browser: &Browser) -> http::request::Parts {
    let cookie = format!("{SESSION}={}", browser.cookie(SESSION).unwrap());
    http::Request::get("/").header("cookie", cookie).body(()).unwrap().into_parts().0
}

#[tokio::test]
async fn defaults_fill_in_what_an_older_session_lacks() {
    #[derive(Serialize, Deserialize)]
    struct Later {
        role: String,
        #[serde(default)]
        team: Option<String>,
        #[serde(default)]
        visits: u32,
    }
    for strategy in STRATEGIES {
        let site = Site::new();
        let browser = signed_in_before(&site, strategy).await;
        let builder = site.with_store().session_strategy(strategy).jwt(async |event: Jwt<Later>, ()| {
            Ok(match event {
                Jwt::SignIn(_) => None,
                Jwt::Read(it) => Some(it.claims),
            })
        });
        let auth = builder
            .migrate_claims(|_| panic!("these claims need no migration"))
            .session(async |it: SessionEvent<Later>, ()| Ok(json!({ "claims": it.claims })))
            .build()
            .unwrap();
        let shown = moved(&browser, &auth).session().await;
        assert_eq!(shown["claims"], json!({ "role": "admin", "team": null, "visits": 0 }), "{strategy:?}");
    }
}

#[tokio::test]
async fn claims_that_no_longer_fit_are_migrated_once_and_kept() {
    for strategy in STRATEGIES {
        let (site, log) = (Site::new(), Log::default());
        let browser = signed_in_before(&site, strategy).await;
        let calls = log.clone();
        let auth = second(&site, strategy)
            .migrate_claims(move |old| {
                calls.add(json!(old).to_string());
                to_second(&old)
            })
            .build()
            .unwrap();
        let mut browser = moved(&browser, &auth);
        assert_eq!(browser.session().await["roles"], json!(["admin"]), "{strategy:?}");
        // Of what Hallpass keeps itself, the migration sees nothing.
        assert_eq!(log.take(), [r#"{"role":"admin"}"#]);

        assert_eq!(browser.session().await["roles"], json!(["admin"]));
        let read = auth.session(&parts_of(&browser)).await.unwrap().unwrap();
        assert_eq!(read.claims, Second { roles: vec!["admin".to_owned()] });
        assert_eq!(log.take(), [""; 0], "{strategy:?}");
        // A version that knows only the new type reads it.
        let later = second(&site, strategy).build().unwrap();
        assert_eq!(moved(&browser, &later).session().await["roles"], json!(["admin"]));
    }
}

#[tokio::test]
async fn handler_and_update_get_migrated_claims_too() {
    for strategy in STRATEGIES {
        let site = Site::new();
        let browser = signed_in_before(&site, strategy).await;
        let auth = second(&site, strategy).migrate_claims(|old| to_second(&old)).build().unwrap();
        let mut browser = moved(&browser, &auth);
        let read = auth.session(&parts_of(&browser)).await.unwrap().unwrap();
        assert_eq!(read.claims.roles, ["admin"]);

        let browser_before = signed_in_before(&site, strategy).await;
        browser = moved(&browser_before, &auth);
        let answer = browser.update(&json!({ "role": "writer" })).await;
        assert_eq!(answer.json()["roles"], json!(["admin", "writer"]), "{strategy:?}");
        assert_eq!(browser.session().await["roles"], json!(["admin", "writer"]));
    }
}

#[tokio::test]
async fn migration_that_gives_up_signs_out() {
    for strategy in STRATEGIES {
        let site = Site::new();
        let browser = signed_in_before(&site, strategy).await;
        let auth = second(&site, strategy).migrate_claims(|_| None).build().unwrap();
        let mut browser = moved(&browser, &auth);
        assert_eq!(browser.session().await, json!(null), "{strategy:?}");
        assert!(browser.cookie(SESSION).is_none() || strategy == Strategy::Database);
    }
}

#[tokio::test]
async fn migration_that_panics_leaves_the_session_as_it_is() {
    for strategy in STRATEGIES {
        let site = Site::new();
        let browser = signed_in_before(&site, strategy).await;
        let auth = second(&site, strategy).migrate_claims(|_| panic!("out of order")).build().unwrap();
        let mut browser = moved(&browser, &auth);
        assert_eq!(browser.get("session").await.status(), 503, "{strategy:?}");
        let mended = second(&site, strategy).migrate_claims(|old| to_second(&old)).build().unwrap();
        assert_eq!(moved(&browser, &mended).session().await["roles"], json!(["admin"]));
    }
}

/// Keeps the warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = String::new();
        event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            text += &format!("{}={value:?} ", field.name());
        });
        self.0.lock().unwrap().push(text);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn sessions_that_no_longer_fit_end_with_one_warning_for_all() {
    #[derive(Serialize, Deserialize)]
    struct Third {
        role: u32,
    }
    for strategy in STRATEGIES {
        let (site, log) = (Site::new(), Log::default());
        let people = [signed_in_before(&site, strategy).await, signed_in_before(&site, strategy).await];
        let errors = log.clone();
        let builder =
            second(&site, strategy).on_error(move |error, _| errors.add(error.kind().name().to_owned()));
        let (missing, wrong) = (builder.build().unwrap(), third(&site, strategy).build().unwrap());
        let warnings = Warnings::default();
        let guard = listen(warnings.clone());
        for person in &people {
            for _ in 0..3 {
                assert_eq!(moved(person, &missing).session().await, json!(null), "{strategy:?}");
            }
        }
        drop(guard);
        let warned = std::mem::take(&mut *warnings.0.lock().unwrap());
        assert_eq!(warned.len(), 1, "{warned:?}");
        assert!(warned[0].contains("no longer fit"), "{warned:?}");
        assert!(!warned[0].contains("admin"), "{warned:?}");
        // Whoever asks for errors gets each of them.
        assert_eq!(log.take().len(), 6);

        let guard = listen(warnings.clone());
        for person in &people {
            assert_eq!(moved(person, &wrong).session().await, json!(null));
        }
        drop(guard);
        let warned = warnings.0.lock().unwrap();
        assert_eq!(warned.len(), 1, "{warned:?}");
    }

    fn third(site: &Site, strategy: Strategy) -> Builder<(), Third> {
        site.with_store().session_strategy(strategy).jwt(async |event: Jwt<Third>, ()| {
            Ok(match event {
                Jwt::SignIn(_) => None,
                Jwt::Read(it) => Some(it.claims),
            })
        })
    }
}

#[tokio::test]
async fn migration_belongs_to_the_jwt_callback_before_it() {
    let site = Site::new();
    let builder = site.builder().migrate_claims(|_| None).jwt(async |_: Jwt<Second>, ()| Ok(None));
    let error = builder.build().unwrap_err();
    assert!(error.to_string().contains("`migrate_claims`"), "{error}");
}
