//! `/signout`.

use hallpass::PagePaths;
use serde_json::json;

use crate::site::{Log, SECRET, SESSION, SITE, Site, bare, browse, signed_in};

#[tokio::test]
async fn page_asks_and_changes_nothing() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = signed_in(&auth).await;
    let answer = browser.get("signout").await;
    assert!(answer.text().contains(&format!("action=\"{SITE}/api/auth/signout\"")));
    assert!(browser.cookie(SESSION).is_some());
}

#[tokio::test]
async fn own_page_is_shown_instead() {
    let auth = bare().url(SITE).pages(PagePaths::new().sign_out("/bye")).build().unwrap();
    assert_eq!(browse(&auth).get("signout").await.location(), "/bye");
}

#[tokio::test]
async fn sign_out_removes_the_session_and_goes_back() {
    let auth = Site::new().builder().build().unwrap();
    let mut browser = signed_in(&auth).await;
    let answer = browser.submit("signout", &[("callbackUrl", "/bye")]).await;
    assert_eq!((answer.status().as_u16(), answer.location()), (302, &*format!("{SITE}/bye")));
    assert_eq!((browser.session().await, browser.cookie(SESSION)), (json!(null), None));
}

#[tokio::test]
async fn nobody_signs_out_without_a_notice() {
    let (site, log) = (Site::new(), Log::default());
    let errors = log.clone();
    let auth = site
        .builder_with(log.clone())
        .on_event(async |event, log: Log| {
            log.add(event.name());
            Ok(())
        })
        .on_error(move |error, _| errors.add(error.kind().name()))
        .build()
        .unwrap();
    let mut browser = browse(&auth);
    let answer = browser.sign_out().await;
    assert_eq!((answer.location(), answer.set_cookies(), log.take().len()), (SITE, vec![], 0));
    // What does not open is no session: it goes, and is reported.
    let other = Site::new().builder().secret(SECRET.to_uppercase()).build().unwrap();
    let foreign = signed_in(&other).await;
    browser.plant(&format!("{SESSION}={}; Path=/; Secure", foreign.cookie(SESSION).unwrap()));
    assert_eq!(browser.sign_out().await.location(), SITE);
    assert_eq!((browser.cookie(SESSION), log.take()), (None, vec!["SignOutError".to_owned()]));
}
