//! `POST /callback/credentials`: a form of the application.

use hallpass::{Credentials, Error, ErrorKind, User};
use serde_json::json;

use crate::site::{PASSWORD, SESSION, SITE, Site, bare, browse, signed_in};

#[tokio::test]
async fn right_password_makes_a_session() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = browse(&auth);
    let answer = browser.sign_in_with_credentials(&[PASSWORD, &[("callbackUrl", "/cart")]].concat()).await;
    assert_eq!((answer.status().as_u16(), answer.location()), (302, &*format!("{SITE}/cart")));
    assert_eq!(browser.session().await["user"], json!({ "name": "Ali", "email": "ali@example.com" }));
}

#[tokio::test]
async fn wrong_password_goes_back_to_the_page() {
    let auth = Site::new().builder().build().unwrap();
    for fields in [&[("password", "wrong")][..], &[], &[("password", "")], &[("password", "OPEN SESAME")]] {
        let mut browser = browse(&auth);
        let answer = browser.sign_in_with_credentials(fields).await;
        let page = format!("{SITE}/api/auth/signin?error=CredentialsSignin&code=credentials");
        assert_eq!((answer.location(), answer.set_cookies()), (&*page, vec![]));
    }
}

#[tokio::test]
async fn wrong_password_leaves_the_session_alone() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = signed_in(&auth).await;
    browser.sign_in_with_credentials(&[("password", "wrong")]).await;
    assert_eq!(browser.session().await["user"]["name"], "Ali");
}

#[tokio::test]
async fn refusal_may_say_why() {
    let auth = bare()
        .url(SITE)
        .credentials(Credentials::new().id("pin"), async |_, ()| {
            Err(Error::credentials("locked & <out>").into())
        })
        .build()
        .unwrap();
    let answer = browse(&auth).submit("callback/pin", &[]).await;
    assert_eq!(answer.location_parameter("code").unwrap(), "locked & <out>");
    assert!(answer.is_error("CredentialsSignin"));
}

#[tokio::test]
async fn authorize_that_fails_is_a_refusal() {
    let auth = bare()
        .url(SITE)
        .credentials(Credentials::new().id("broken"), async |_, ()| Err("the database is away".into()))
        .credentials(Credentials::new().id("away"), async |_, ()| {
            Err(Error::new(ErrorKind::Unavailable, "the database is away").into())
        })
        .build()
        .unwrap();
    let answer = browse(&auth).submit("callback/broken", &[]).await;
    assert_eq!(answer.location(), format!("{SITE}/api/auth/error?error=Configuration"));
    assert_eq!(answer.set_cookies(), Vec::<&str>::new());
    let answer = browse(&auth).submit("callback/away", &[]).await;
    assert_eq!((answer.status().as_u16(), answer.header("retry-after")), (503, Some("5")));
}

#[tokio::test]
async fn authorize_that_panics_is_a_refusal() {
    let auth = bare()
        .url(SITE)
        .credentials(Credentials::new().id("late"), async |_, ()| panic!("after an await"))
        .credentials(Credentials::new().id("early"), |_, ()| -> std::future::Ready<_> { panic!("at once") })
        .build()
        .unwrap();
    for id in ["late", "early"] {
        let mut browser = browse(&auth);
        let answer = browser.submit(&format!("callback/{id}"), &[]).await;
        assert_eq!((answer.status().as_u16(), answer.set_cookies()), (503, vec![]), "{id}");
        assert!(!answer.text().contains("at once") && !answer.text().contains("after an await"));
        assert_eq!(browser.cookie(SESSION), None);
    }
    // The process goes on.
    assert_eq!(browse(&auth).sign_in_with_credentials(&[]).await.location(), SITE);
}

#[tokio::test]
async fn further_fields_of_the_user_reach_no_browser() {
    let auth = bare()
        .url(SITE)
        .credentials(Credentials::new().id("rich"), async |_, ()| {
            Ok(Some(User::new("1").with("passwordHash", "a hash").with("role", "admin")))
        })
        .build()
        .unwrap();
    let mut browser = browse(&auth);
    browser.submit("callback/rich", &[]).await;
    assert_eq!(browser.session().await["user"], json!({}));
    let request =
        http::Request::get("/").header("cookie", format!("{SESSION}={}", browser.cookie(SESSION).unwrap()));
    let session = auth.session(&request.body(()).unwrap().into_parts().0).await.unwrap().unwrap();
    assert!(!format!("{session:?}").contains("a hash"));
}

#[tokio::test]
async fn user_without_an_id_gets_a_random_one() {
    let auth = bare()
        .url(SITE)
        .credentials(Credentials::new().id("guest"), async |_, ()| Ok(Some(User::default())))
        .build()
        .unwrap();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut browser = browse(&auth);
        browser.submit("callback/guest", &[]).await;
        let cookie = format!("{SESSION}={}", browser.cookie(SESSION).unwrap());
        let parts = http::Request::get("/").header("cookie", cookie).body(()).unwrap().into_parts().0;
        ids.push(auth.session(&parts).await.unwrap().unwrap().user.id);
    }
    assert!(ids[0].len() == 36 && ids[0] != ids[1]);
}
