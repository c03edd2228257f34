//! The guard for scopes.

use std::panic::AssertUnwindSafe;

use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::{ServiceConfig, get, scope, to};
use actix_web::{App, dev::Service};
use hallpass::Auth;
use hallpass::testkit::Browser;
use hallpass_actix::{AuthExt, Session};

use crate::application::{Answer, Claims, SITE, ask, builder, builder_with, cookies_of};

/// `/open`, `/area/…` for whoever is signed in, `/admin` for some.
fn areas(auth: &Auth<Claims>) -> impl Fn(&mut ServiceConfig) {
    move |app| {
        let area =
            scope("/area").route("", to(async || "area")).route("/deep/{path:.*}", to(async || "deep"));
        let admin = scope("/admin").route("", get().to(async || "admin"));
        let is_admin = auth.require_session().when(|session| session.claims.role == "admin");
        app.route("/open", get().to(async || "open"))
            .service(area.wrap(auth.require_session()))
            .service(admin.wrap(is_admin));
    }
}

fn request(path: &str) -> TestRequest {
    TestRequest::get().uri(path)
}

fn with(path: &str, cookies: &str) -> TestRequest {
    request(path).insert_header(("cookie", cookies))
}

#[actix_web::test]
async fn guard_opens_for_whoever_is_signed_in() {
    let auth = builder().build().unwrap();
    let cookies = cookies_of(&auth, "reader").await;
    for path in ["/area", "/area/deep/x"] {
        assert_eq!(ask(&auth, areas(&auth), with(path, &cookies)).await.status, 200, "{path}");
        assert_eq!(ask(&auth, areas(&auth), request(path)).await.status, 401, "{path}");
    }
    assert_eq!(ask(&auth, areas(&auth), request("/open")).await.body, "open");
}

#[actix_web::test]
async fn rule_is_asked_too() {
    let auth = builder().build().unwrap();
    let answer = ask(&auth, areas(&auth), with("/admin", &cookies_of(&auth, "reader").await)).await;
    assert_eq!((answer.status, answer.header("location")), (403, None));
    let answer = ask(&auth, areas(&auth), with("/admin", &cookies_of(&auth, "admin").await)).await;
    assert_eq!(answer.body, "admin");
}

#[actix_web::test]
async fn browser_is_sent_to_sign_in_and_back() {
    let auth = builder().build().unwrap();
    let opened = |path| request(path).insert_header(("accept", "text/html"));
    let answer = ask(&auth, areas(&auth), opened("/area/deep/a?b=c")).await;
    let page = "/api/auth/signin?callbackUrl=%2Farea%2Fdeep%2Fa%3Fb%3Dc";
    assert_eq!((answer.status, answer.header("location")), (303, Some(page)));
    // Only who opens a page: a form's content would be lost.
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS, Method::TRACE] {
        let answer = ask(&auth, areas(&auth), opened("/area").method(method.clone())).await;
        assert_eq!(answer.status, 401, "{method}");
    }
}

/// An address that looks like another site leads nowhere else after sign-in.
#[actix_web::test]
async fn way_back_stays_on_the_site() {
    let auth = builder().build().unwrap();
    let app = App::new().default_service(to(async || "anything")).wrap(auth.require_session());
    let app = init_service(app).await;
    for path in
        ["//evil.example", "//evil.example/%2f..", "/%5cevil.example", "/x?callbackUrl=//evil.example"]
    {
        let request = request(path).insert_header(("accept", "text/html")).to_request();
        let answer = Answer::of(call_service(&app, request).await).await;
        let location = answer.header("location").unwrap();
        assert!(location.starts_with("/api/auth/signin?callbackUrl="), "{path}: {location}");
        let mut browser = Browser::new(&auth, SITE);
        let page = browser.get(location).await;
        assert!(!page.text().contains("=\"//evil"), "{path}");
        let answer = browser.sign_in_with_credentials(&[("username", "reader")]).await;
        assert!(answer.location().starts_with("https://app.example.com"), "{path}: {}", answer.location());
    }
}

#[actix_web::test]
async fn guard_stays_shut_while_nothing_can_be_decided() {
    let auth = builder().build().unwrap();
    let cookies = cookies_of(&auth, "admin").await;
    let broken = builder_with(|_| panic!("in jwt")).build().unwrap();
    for path in ["/area", "/admin"] {
        for accept in ["text/html", "application/json"] {
            let request = with(path, &cookies).insert_header(("accept", accept));
            let answer = ask(&broken, areas(&broken), request).await;
            assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{path}");
            assert_eq!((answer.header("set-cookie"), answer.header("location")), (None, None));
        }
    }
    // Another secret, or callbacks that fail: nobody is signed in.
    let other = builder().secret("another secret, 32 characters long").build().unwrap();
    let failing = builder_with(|_| Err(hallpass::Error::new(hallpass::ErrorKind::Callback, "broken")));
    for auth in [other, failing.build().unwrap()] {
        assert_eq!(ask(&auth, areas(&auth), with("/area", &cookies)).await.status, 401);
    }
    // A rule that panics ends its request, which lets nobody in either.
    let admin = scope("/admin").route("", get().to(async || "admin"));
    let admin = admin.wrap(auth.require_session().when(|_| panic!("in a rule")));
    let app = init_service(App::new().service(admin)).await;
    let answer = AssertUnwindSafe(app.call(with("/admin", &cookies).to_request()));
    assert!(catch(answer).await);
}

/// Whether a future panics.
async fn catch<F: Future>(future: AssertUnwindSafe<F>) -> bool {
    let mut future = Box::pin(future.0);
    std::future::poll_fn(|context| {
        match std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context).is_ready())) {
            Ok(true) => std::task::Poll::Ready(false),
            Ok(false) => std::task::Poll::Pending,
            Err(_) => std::task::Poll::Ready(true),
        }
    })
    .await
}

/// Headers that some proxy, framework or server somewhere obeys.
#[actix_web::test]
async fn no_header_opens_the_guard() {
    let auth = builder().build().unwrap();
    let app = init_service(App::new().configure(areas(&auth)).wrap(auth.layer())).await;
    let names = [
        "x-middleware-subrequest",
        "x-forwarded-uri",
        "x-forwarded-user",
        "x-forwarded-prefix",
        "x-original-url",
        "x-rewrite-url",
        "x-http-method-override",
        "x-auth-request-user",
        "x-remote-user",
        "x-session",
        "authorization",
        "proxy-authorization",
        "forwarded",
        "host",
        "upgrade",
    ];
    for name in names {
        for value in ["1", "admin", "/open", "middleware:middleware", "127.0.0.1", "Bearer x", ""] {
            for path in ["/area", "/area/deep/x", "/admin"] {
                let request = request(path).insert_header((name, value));
                assert_eq!(call_service(&app, request.to_request()).await.status(), 401, "{name}: {value}");
            }
        }
    }
}

/// actix-web decodes a path before it looks for its scope: all that leads inside is guarded.
#[actix_web::test]
async fn variants_of_a_guarded_path_are_guarded_or_nowhere() {
    let auth = builder().build().unwrap();
    for path in [
        "/area/",
        "//area",
        "/area//",
        "/./area",
        "/x/../area",
        "/AREA",
        "/area%2f",
        "/%61rea",
        "/%2561rea",
        "/area;x",
        "/area%00",
        "/%61rea/deep/x",
        "/admin/",
        "//admin",
        "/area/deep//x",
        "/area/deep/../x",
    ] {
        let status = ask(&auth, areas(&auth), request(path)).await.status;
        assert!(matches!(status, 401 | 404), "{path}: {status}");
    }
}

/// Two kinds of people, each with an `Auth` of their own, and the same claims.
#[actix_web::test]
async fn session_of_one_auth_opens_no_guard_of_another() {
    let customers = builder().build().unwrap();
    let staff = builder().secret("the secret of the staff, 32 and more").build().unwrap();
    let cookies = cookies_of(&customers, "admin").await;
    let guarded = |app: &mut ServiceConfig| {
        let inner = scope("/staff").route("", get().to(async || "staff")).wrap(staff.require_session());
        app.service(scope("/all").service(inner).wrap(customers.require_session()));
    };
    assert_eq!(ask(&customers, guarded, with("/all/staff", &cookies)).await.status, 401);
}

#[actix_web::test]
async fn guarded_request_renews_its_cookie_once() {
    let auth = builder().build().unwrap();
    let guarded = |app: &mut ServiceConfig| {
        let role = get().to(async |session: Session<Claims>| session.claims.role.clone());
        app.service(scope("/area").route("", role).wrap(auth.require_session()));
    };
    let answer = ask(&auth, guarded, with("/area", &cookies_of(&auth, "reader").await)).await;
    assert_eq!((answer.body.as_str(), answer.headers_named("set-cookie").count()), ("reader", 1));
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
}

/// What the guard renews on the way in must not outlive what the routes decide.
#[actix_web::test]
async fn guard_around_the_routes_does_not_undo_a_sign_out() {
    let auth = builder().build().unwrap();
    let app = App::new().configure(auth.routes()).wrap(auth.require_session()).wrap(auth.layer());
    let app = init_service(app).await;
    let cookies = cookies_of(&auth, "reader").await;
    let token = cookies.split_once("csrf-token=").unwrap().1.split(['%', '|']).next().unwrap();
    let request = TestRequest::post()
        .uri("/api/auth/signout")
        .insert_header(("cookie", cookies.as_str()))
        .set_form([("csrfToken", token)]);
    let answer = Answer::of(call_service(&app, request.to_request()).await).await;
    assert_eq!(answer.status, 302);
    let session: Vec<_> =
        answer.headers_named("set-cookie").filter(|line| line.contains("session-token=")).collect();
    assert!(matches!(session[..], [line] if line.contains("Max-Age=0")), "{session:?}");
}

#[actix_web::test]
async fn guard_alone_lets_renewed_cookies_reach_the_answer() {
    let auth = builder().build().unwrap();
    let app = App::new().route("/", get().to(async || "in")).wrap(auth.require_session());
    let app = init_service(app).await;
    let request = with("/", &cookies_of(&auth, "reader").await).to_request();
    let answer = Answer::of(call_service(&app, request).await).await;
    assert!(answer.header("set-cookie").is_some_and(|line| line.contains("session-token=")));
}
