//! The guard for routers.

use axum::Router;
use axum::routing::{any, get};
use hallpass::Auth;
use hallpass_axum::AuthExt;
use http::{Method, Request};

use crate::application::{Claims, ask, builder, builder_with, cookies_of, header, send};

/// `/open`, `/area/…` for whoever is signed in, `/admin` for some.
fn app(auth: &Auth<Claims>) -> Router {
    let area = Router::new().route("/", any(async || "area")).route("/deep/{*path}", any(async || "deep"));
    let admin = Router::new().route("/admin", get(async || "admin"));
    Router::new()
        .route("/open", get(async || "open"))
        .nest("/area", area.layer(auth.require_session()))
        .merge(admin.layer(auth.require_session().when(|session| session.claims.role == "admin")))
        .merge(auth.routes())
        .layer(auth.layer())
}

#[tokio::test]
async fn guard_opens_for_whoever_is_signed_in() {
    let auth = builder().build().unwrap();
    let app = app(&auth);
    let cookies = cookies_of(&auth, "reader").await;
    for path in ["/area", "/area/deep/x"] {
        assert_eq!(ask(&app, Request::get(path).header("cookie", &cookies)).await.status(), 200, "{path}");
        assert_eq!(ask(&app, Request::get(path)).await.status(), 401, "{path}");
    }
    assert_eq!(ask(&app, Request::get("/open")).await.body(), "open");
}

#[tokio::test]
async fn rule_is_asked_too() {
    let auth = builder().build().unwrap();
    let app = app(&auth);
    let answer = ask(&app, Request::get("/admin").header("cookie", cookies_of(&auth, "reader").await)).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "location")), (403, None));
    let answer = ask(&app, Request::get("/admin").header("cookie", cookies_of(&auth, "admin").await)).await;
    assert_eq!(answer.body(), "admin");
}

#[tokio::test]
async fn browser_is_sent_to_sign_in_and_back() {
    let auth = builder().build().unwrap();
    let app = app(&auth);
    let answer = ask(&app, Request::get("/area/deep/a?b=c").header("accept", "text/html")).await;
    let page = "/api/auth/signin?callbackUrl=%2Farea%2Fdeep%2Fa%3Fb%3Dc";
    assert_eq!((answer.status().as_u16(), header(&answer, "location")), (303, Some(page)));
    // Only who opens a page: a form's content would be lost.
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS, Method::TRACE] {
        let request = Request::builder().method(method.clone()).uri("/area").header("accept", "text/html");
        assert_eq!(ask(&app, request).await.status(), 401, "{method}");
    }
}

/// An address that looks like another site leads nowhere else after sign-in.
#[tokio::test]
async fn way_back_stays_on_the_site() {
    let auth = builder().build().unwrap();
    let app =
        Router::<()>::new().fallback(async || "anything").layer(auth.require_session()).layer(auth.layer());
    for path in [
        "//evil.example",
        "//evil.example/%2f..",
        "/\\evil.example",
        "/%5cevil.example",
        "/x?callbackUrl=//evil.example",
    ] {
        let Ok(uri) = path.parse::<http::Uri>() else { continue };
        let answer = ask(&app, Request::get(uri).header("accept", "text/html")).await;
        let location = header(&answer, "location").unwrap();
        assert!(location.starts_with("/api/auth/signin?callbackUrl="), "{path}: {location}");
        let mut browser = hallpass::testkit::Browser::new(&auth, crate::application::SITE);
        let page = browser.get(location).await;
        assert!(!page.text().contains("=\"//evil"), "{path}");
        let (_, back) = location.split_once("callbackUrl=").unwrap();
        let signed_in = browser.get(&format!("signin?callbackUrl={back}")).await;
        assert_eq!(signed_in.status(), 200);
        let answer = browser.sign_in_with_credentials(&[("username", "reader")]).await;
        assert!(answer.location().starts_with("https://app.example.com/"), "{path}: {}", answer.location());
    }
}

#[tokio::test]
async fn guard_stays_shut_while_nothing_can_be_decided() {
    let auth = builder().build().unwrap();
    let cookies = cookies_of(&auth, "admin").await;
    let app = app(&builder_with(|_| panic!("in jwt")).build().unwrap());
    for path in ["/area", "/admin"] {
        for accept in ["text/html", "application/json"] {
            let answer =
                ask(&app, Request::get(path).header("cookie", &cookies).header("accept", accept)).await;
            assert_eq!(
                (answer.status().as_u16(), header(&answer, "retry-after")),
                (503, Some("5")),
                "{path}"
            );
            assert_eq!((header(&answer, "set-cookie"), header(&answer, "location")), (None, None));
        }
    }
    // Another secret, or callbacks that fail: nobody is signed in.
    let other = builder().secret("another secret, 32 characters long").build().unwrap();
    let failing = builder_with(|_| Err(hallpass::Error::new(hallpass::ErrorKind::Callback, "broken")));
    for auth in [other, failing.build().unwrap()] {
        let app = app_of(&auth);
        assert_eq!(ask(&app, Request::get("/area").header("cookie", &cookies)).await.status(), 401);
    }
    // A rule that panics ends its request, which lets nobody in either.
    let auth = builder().build().unwrap();
    let app = Router::<()>::new()
        .route("/admin", get(async || "admin"))
        .layer(auth.require_session().when(|_| panic!("in a rule")));
    let request = Request::get("/admin").header("cookie", cookies);
    let task = tokio::spawn(async move { ask(&app, request).await.status() });
    assert!(task.await.is_err());
}

fn app_of(auth: &Auth<Claims>) -> Router {
    app(auth)
}

/// Headers that some proxy, framework or server somewhere obeys.
#[tokio::test]
async fn no_header_opens_the_guard() {
    let auth = builder().build().unwrap();
    let app = app(&auth);
    let names = [
        "x-middleware-subrequest",
        "x-middleware-next",
        "x-middleware-rewrite",
        "x-middleware-override-headers",
        "x-middleware-set-cookie",
        "x-auth-return-redirect",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-for",
        "x-forwarded-uri",
        "x-forwarded-user",
        "x-forwarded-email",
        "x-forwarded-groups",
        "x-forwarded-method",
        "x-forwarded-prefix",
        "x-forwarded-server",
        "x-forwarded-port",
        "x-real-ip",
        "x-original-url",
        "x-original-uri",
        "x-original-method",
        "x-rewrite-url",
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-auth-request-user",
        "x-auth-request-email",
        "x-auth-user",
        "x-auth-token",
        "x-authenticated-user",
        "x-user",
        "x-user-id",
        "x-remote-user",
        "x-webauth-user",
        "x-session",
        "x-session-token",
        "x-api-key",
        "x-internal",
        "x-admin",
        "x-role",
        "x-csrf-token",
        "x-requested-with",
        "x-client-ip",
        "x-host",
        "x-authjs-session",
        "x-hallpass-session",
        "remote-user",
        "authorization",
        "proxy-authorization",
        "forwarded",
        "purpose",
        "sec-purpose",
        "sec-fetch-site",
        "origin",
        "referer",
        "host",
        "via",
        "upgrade",
        "cookie2",
    ];
    let values = [
        "1",
        "true",
        "admin",
        "/open",
        "middleware:middleware:middleware",
        "127.0.0.1",
        "localhost",
        "http",
        "Bearer x",
        "",
    ];
    for name in names {
        for value in values {
            for path in ["/area", "/area/deep/x", "/admin"] {
                let answer = ask(&app, Request::get(path).header(name, value)).await;
                assert_eq!(answer.status(), 401, "{name}: {value}");
            }
        }
    }
}

#[tokio::test]
async fn variants_of_a_guarded_path_are_guarded_or_nowhere() {
    let auth = builder().build().unwrap();
    let app = app(&auth);
    for path in [
        "/area/",
        "//area",
        "/area//",
        "/./area",
        "/x/../area",
        "/AREA",
        "/area%2f",
        "/%61rea",
        "/area;x",
        "/admin/",
        "//admin",
        "/area/deep//x",
        "/area/deep/../x",
    ] {
        let status = ask(&app, Request::get(path)).await.status().as_u16();
        assert!(matches!(status, 401 | 404), "{path}: {status}");
    }
}

/// Two sites in one process, whose claims are of one type.
#[tokio::test]
async fn session_of_one_auth_does_not_open_the_guard_of_another() {
    let customers = builder().build().unwrap();
    let staff = builder().secret("the secret of the staff, 32 and more").build().unwrap();
    let app = Router::<()>::new()
        .route("/staff", get(async || "staff"))
        .layer(staff.require_session())
        .layer(customers.require_session());
    let request = Request::get("/staff").header("cookie", cookies_of(&customers, "admin").await);
    assert_eq!(ask(&app, request).await.status(), 401);
}

#[tokio::test]
async fn guarded_request_renews_its_cookie_once() {
    let auth = builder().build().unwrap();
    let app = app(&auth);
    let answer = ask(&app, Request::get("/area").header("cookie", cookies_of(&auth, "reader").await)).await;
    assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 1);
    assert_eq!(header(&answer, "cache-control"), Some("private, no-store"));
}

/// What the guard renews on the way in must not outlive what the routes decide.
#[tokio::test]
async fn guard_around_the_routes_does_not_undo_a_sign_out() {
    let auth = builder().build().unwrap();
    let app: Router = auth.routes().layer(auth.require_session()).layer(auth.layer());
    let cookies = cookies_of(&auth, "reader").await;
    let token = cookies.split_once("csrf-token=").unwrap().1.split(['%', '|']).next().unwrap();
    let request = Request::post("/api/auth/signout")
        .header("cookie", &cookies)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(axum::body::Body::from(format!("csrfToken={token}")))
        .unwrap();
    let answer = send(&app, request).await;
    assert_eq!(answer.status(), 302);
    let lines = answer.headers().get_all("set-cookie").iter().map(|line| line.to_str().unwrap());
    let session: Vec<_> = lines.filter(|line| line.contains("session-token=")).collect();
    assert!(matches!(session[..], [line] if line.contains("Max-Age=0")), "{session:?}");
}

/// Two kinds of people, each with an `Auth` of their own, and the same claims.
#[tokio::test]
async fn session_of_one_auth_opens_no_guard_of_another() {
    let customers = builder().build().unwrap();
    let staff = builder().secret("the secret of the staff, 32 and more").build().unwrap();
    let inner: Router = Router::new().route("/", get(async || "staff")).layer(staff.require_session());
    let app = inner.layer(customers.require_session());
    let cookies = cookies_of(&customers, "reader").await;
    assert_eq!(ask(&app, Request::get("/").header("cookie", cookies)).await.status(), 401);
}

#[tokio::test]
async fn guard_alone_lets_renewed_cookies_reach_the_answer() {
    let auth = builder().build().unwrap();
    let app: Router = Router::new().route("/", get(async || "in")).layer(auth.require_session());
    let answer = ask(&app, Request::get("/").header("cookie", cookies_of(&auth, "reader").await)).await;
    assert!(header(&answer, "set-cookie").is_some_and(|line| line.contains("session-token=")));
}
