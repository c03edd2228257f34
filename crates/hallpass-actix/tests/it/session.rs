//! The session in handlers, and the layer that renews it.

use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::{Data, ServiceConfig, get, scope};
use actix_web::{App, HttpResponse, Responder};
use hallpass::{Jwt, MemoryStore, Strategy};
use hallpass_actix::{AuthExt, MaybeSession, Session};
use serde::{Deserialize, Serialize};

use crate::application::{Answer, Claims, ask, builder, builder_with, cookies_of};

async fn role(session: Session<Claims>) -> String {
    session.claims.role.clone()
}

async fn home(MaybeSession(session): MaybeSession<Claims>) -> String {
    session.map_or_else(|| "stranger".to_owned(), |session| session.user.id.clone())
}

async fn both(one: Session<Claims>, two: Option<Session<Claims>>) -> String {
    format!("{} {}", one.user.id, two.is_some())
}

async fn cached(_: Session<Claims>) -> impl Responder {
    HttpResponse::Ok().insert_header(("cache-control", "public, max-age=60")).body("cached")
}

async fn private(_: Session<Claims>) -> impl Responder {
    HttpResponse::Ok().insert_header(("cache-control", "Private, max-age=60")).body("private")
}

fn handlers(app: &mut ServiceConfig) {
    app.route("/", get().to(home))
        .route("/role", get().to(role))
        .route("/both", get().to(both))
        .route("/cached", get().to(cached))
        .route("/private", get().to(private))
        .route("/promote", get().to(promote))
        .route("/leave", get().to(leave))
        .route("/only-here", get().to(only_here))
        .route("/static", get().to(async || "nobody asks"))
        .service(scope("/area").route("/role", get().to(role)));
}

async fn promote(mut session: Session<Claims>) -> String {
    session.update(|claims| claims.role.push('!')).await.unwrap();
    session.update(|claims| claims.role.push('?')).await.unwrap();
    session.claims.role.clone()
}

async fn leave(session: Session<Claims>) -> &'static str {
    session.sign_out().await.unwrap();
    "bye"
}

async fn only_here(mut session: Session<Claims>) -> String {
    session.sign_out_elsewhere().await.unwrap();
    session.user.id.clone()
}

fn request(path: &str) -> TestRequest {
    TestRequest::get().uri(path)
}

fn with(path: &str, cookies: &str) -> TestRequest {
    request(path).insert_header(("cookie", cookies))
}

#[actix_web::test]
async fn handler_gets_the_session() {
    let auth = builder().build().unwrap();
    let cookies = cookies_of(&auth, "admin").await;
    for path in ["/", "/role", "/area/role"] {
        assert_eq!(ask(&auth, handlers, with(path, &cookies)).await.body, "admin", "{path}");
    }
    assert_eq!(ask(&auth, handlers, request("/")).await.body, "stranger");
}

#[actix_web::test]
async fn stranger_is_sent_to_sign_in_or_gets_401() {
    let auth = builder().build().unwrap();
    let program = request("/area/role").insert_header(("accept", "application/json"));
    let program = ask(&auth, handlers, program).await;
    assert_eq!((program.status, program.header("location")), (401, None));
    assert_eq!(program.header("cache-control"), Some("no-store"));
    assert_eq!(program.header("content-type"), Some("application/json"));
    let page = request("/area/role?a=b&c=d").insert_header(("accept", "text/html,*/*"));
    let page = ask(&auth, handlers, page).await;
    let sign_in = "/api/auth/signin?callbackUrl=%2Farea%2Frole%3Fa%3Db%26c%3Dd";
    assert_eq!((page.status, page.header("location")), (303, Some(sign_in)));
    assert_eq!(page.header("cache-control"), Some("no-store"));
}

#[actix_web::test]
async fn layer_renews_the_cookie_once() {
    let auth = builder().build().unwrap();
    let cookies = cookies_of(&auth, "admin").await;
    for (path, renewed) in [("/", 1), ("/role", 1), ("/both", 1), ("/static", 0)] {
        let answer = ask(&auth, handlers, with(path, &cookies)).await;
        let lines: Vec<_> = answer.headers_named("set-cookie").collect();
        assert_eq!(lines.len(), renewed, "{path}");
        assert!(lines.iter().all(|line| line.starts_with("__Secure-authjs.session-token=eyJ")));
        // What is said of nobody may be cached; a cookie may not.
        assert_eq!(answer.header("cache-control"), (renewed > 0).then_some("private, no-store"), "{path}");
    }
    let without = init_service(App::new().configure(handlers).configure(auth.routes())).await;
    let answer = Answer::of(call_service(&without, with("/", &cookies).to_request()).await).await;
    assert_eq!((answer.body.as_str(), answer.header("set-cookie")), ("admin", None));
}

#[actix_web::test]
async fn layer_in_a_layer_renews_the_cookie_once() {
    let auth = builder().build().unwrap();
    let inner = |app: &mut ServiceConfig| {
        app.service(scope("/inner").wrap(auth.layer()).route("/role", get().to(role)));
    };
    let answer = ask(&auth, inner, with("/inner/role", &cookies_of(&auth, "admin").await)).await;
    assert_eq!((answer.body.as_str(), answer.headers_named("set-cookie").count()), ("admin", 1));
}

#[actix_web::test]
async fn answer_with_a_session_cookie_is_kept_out_of_shared_caches() {
    let auth = builder().build().unwrap();
    let cookies = cookies_of(&auth, "admin").await;
    let answer = ask(&auth, handlers, with("/cached", &cookies)).await;
    assert_eq!(answer.headers_named("cache-control").collect::<Vec<_>>(), ["private, no-store"]);
    let answer = ask(&auth, handlers, with("/private", &cookies)).await;
    assert_eq!(answer.headers_named("cache-control").collect::<Vec<_>>(), ["Private, max-age=60"]);
}

#[actix_web::test]
async fn unreadable_session_is_removed() {
    let auth = builder().build().unwrap();
    let answer = ask(&auth, handlers, with("/", "__Secure-authjs.session-token=x")).await;
    assert_eq!(answer.body, "stranger");
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
}

#[actix_web::test]
async fn session_that_cannot_be_decided_is_503() {
    let cookies = cookies_of(&builder().build().unwrap(), "admin").await;
    let auth = builder_with(|_| panic!("in jwt")).build().unwrap();
    for path in ["/", "/role", "/both"] {
        let request = with(path, &cookies).insert_header(("accept", "text/html"));
        let answer = ask(&auth, handlers, request).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{path}");
        assert_eq!((answer.header("set-cookie"), answer.header("location")), (None, None));
    }
    // Nobody's session needs no callback.
    assert_eq!(ask(&auth, handlers, request("/")).await.body, "stranger");
}

#[actix_web::test]
async fn session_that_the_application_ends_is_none() {
    let cookies = cookies_of(&builder().build().unwrap(), "admin").await;
    let ends = builder_with(|event| match event {
        Jwt::SignIn(it) => Ok(Some(Claims { role: it.user.id }).into()),
        _ => Ok(None.into()),
    });
    let answer = ask(&ends.build().unwrap(), handlers, with("/role", &cookies)).await;
    assert_eq!(answer.status, 401);
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
}

#[derive(Serialize, Deserialize)]
struct Other {
    role: String,
}

/// The claims would fit, but the application keeps others.
#[actix_web::test]
async fn handler_with_other_claims_than_the_mounted_auth_is_500() {
    let auth = builder().build().unwrap();
    let other = |app: &mut ServiceConfig| {
        app.route("/", get().to(async |_: Session<Other>| "in"));
        app.route("/maybe", get().to(async |_: MaybeSession<Other>| "in"));
    };
    let cookies = cookies_of(&auth, "admin").await;
    for path in ["/", "/maybe"] {
        assert_eq!(ask(&auth, other, with(path, &cookies)).await.status, 500, "{path}");
    }
}

/// Two kinds of people in one application, with claims of one type: a scope says whose session its handlers want.
#[actix_web::test]
async fn scope_has_the_auth_that_it_was_given() {
    let customers = builder().build().unwrap();
    let staff = builder().secret("the secret of the staff, 32 and more").build().unwrap();
    let cookies = cookies_of(&customers, "admin").await;
    for given in [true, false] {
        let mounted = |app: &mut ServiceConfig| {
            let area = scope("/staff").route("/role", get().to(role));
            app.service(if given {
                area.app_data(staff.clone())
            } else {
                area.app_data(Data::new(staff.clone())).app_data(staff.clone())
            });
        };
        assert_eq!(ask(&customers, mounted, with("/staff/role", &cookies)).await.status, 401);
        let own = cookies_of(&staff, "boss").await;
        assert_eq!(ask(&customers, mounted, with("/staff/role", &own)).await.body, "boss");
    }
}

/// What a browser sends next that sent `cookies` and got `answer`.
fn next(cookies: &str, answer: &Answer) -> String {
    let mut jar: Vec<_> = cookies.split("; ").filter_map(|cookie| cookie.split_once('=')).collect();
    for line in answer.headers_named("set-cookie") {
        let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
        jar.retain(|(known, _)| *known != name);
        jar.push((name, value));
    }
    jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

#[actix_web::test]
async fn handler_changes_and_ends_the_session() {
    for strategy in [Strategy::Jwt, Strategy::Database] {
        let auth = builder().store(MemoryStore::new()).session_strategy(strategy).build().unwrap();
        let cookies = cookies_of(&auth, "admin").await;
        let answer = ask(&auth, handlers, with("/promote", &cookies)).await;
        assert_eq!(answer.body, "admin!?", "{strategy:?}");
        let lines = answer.headers_named("set-cookie").count();
        assert_eq!(lines, usize::from(strategy == Strategy::Jwt), "one cookie, and none for a row");
        let cookies = next(&cookies, &answer);
        assert_eq!(ask(&auth, handlers, with("/role", &cookies)).await.body, "admin!?");
        let answer = ask(&auth, handlers, with("/leave", &cookies)).await;
        let cookies = next(&cookies, &answer);
        assert_eq!(ask(&auth, handlers, with("/", &cookies)).await.body, "stranger");
    }
}

#[actix_web::test]
async fn handler_ends_all_other_sessions() {
    for strategy in [Strategy::Jwt, Strategy::Database] {
        let auth = builder().store(MemoryStore::new()).session_strategy(strategy).build().unwrap();
        let (here, there) = (cookies_of(&auth, "admin").await, cookies_of(&auth, "admin").await);
        let answer = ask(&auth, handlers, with("/only-here", &here)).await;
        let here = next(&here, &answer);
        assert_eq!(ask(&auth, handlers, with("/", &here)).await.body, "admin", "{strategy:?}");
        assert_eq!(ask(&auth, handlers, with("/", &there)).await.body, "stranger");
    }
}
