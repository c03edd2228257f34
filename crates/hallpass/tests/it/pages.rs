//! `/error`, `/verify-request`, and what all pages send.

use base64ct::{Base64, Encoding};
use hallpass::pages::TemplateName;
use hallpass::{Email, PagePaths};
use sha2::{Digest, Sha256};

use crate::site::{SITE, Site, bare, browse};

#[tokio::test]
async fn pages_send_their_security_headers() {
    let site = Site::new();
    let auth = site.with_store().email(Email::new(), async |_, ()| Ok(())).build().unwrap();
    let mut browser = browse(&auth);
    for path in [
        "signin",
        "signin?error=x",
        "signout",
        "error",
        "error?error=Configuration",
        "verify-request",
        "signin?callbackUrl=nonsense",
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
        assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(!answer.text().contains("<script") && !answer.text().contains("javascript:"));
    }
}

#[tokio::test]
async fn markup_from_outside_is_escaped() {
    let site = Site::new();
    let evil = "\"'><img src=x onerror=alert(1)>{{1337*1337}}";
    let auth = site
        .with_store()
        .email(Email::new().name(evil), async |_, ()| Ok(()))
        .provider(site.idp.oidc_provider("evil").named(evil))
        .build()
        .unwrap();
    let query = percent_encoding::utf8_percent_encode(evil, percent_encoding::NON_ALPHANUMERIC);
    let mut browser = browse(&auth);
    for path in ["signin", "signout", "error", "verify-request"] {
        let target = format!(
            "{path}?error={query}&callbackUrl=/{query}&email={query}&code={query}&csrfToken={query}&{query}={query}"
        );
        let text = browser.get(&target).await.text().to_owned();
        for markup in ["<img", "\"'>", "1787569"] {
            assert!(!text.contains(markup), "{path}: {markup}");
        }
    }
    let providers = browser.get("providers").await;
    assert_eq!(providers.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn style_and_templates_of_the_application_are_shown_and_stay_within_the_policy() {
    let heading = "<h1>Own words</h1><p data-back=\"{{ sign_in_url }}\">{{ error.message }}</p>";
    let auth = bare()
        .url(SITE)
        .template(TemplateName::Error, heading)
        .style(":root { --radius: 0 }")
        .style("h1 { color: red }")
        .build()
        .unwrap();
    let answer = browse(&auth).get("error?error=%22%3E%3Cb%3E").await;
    let page = answer.text();
    assert!(page.contains("<h1>Own words</h1><p data-back=\"http"), "{page}");
    assert!(!page.contains("\"><b>") && page.contains("Something went wrong"), "{page}");
    let (_, style) = page.split_once("<style>").unwrap();
    let (style, _) = style.split_once("</style>").unwrap();
    assert!(style.ends_with(":root { --radius: 0 }h1 { color: red }"), "{style}");
    let hash = Base64::encode_string(&Sha256::digest(style));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains(&format!("style-src 'sha256-{hash}';")), "{policy}");
}

#[tokio::test]
async fn error_page_has_the_status_of_its_error() {
    let auth = bare().url(SITE).build().unwrap();
    let mut browser = browse(&auth);
    for (code, status) in
        [("Configuration", 500), ("AccessDenied", 403), ("Verification", 403), ("x", 200), ("", 200)]
    {
        assert_eq!(browser.get(&format!("error?error={code}")).await.status(), status, "{code}");
    }
    let auth = bare().url(SITE).pages(PagePaths::new().error("/oops")).build().unwrap();
    let mut browser = browse(&auth);
    assert_eq!(browser.get("error?error=a%26b").await.location(), "/oops?error=a%26b");
    assert_eq!(browser.get("signin/nobody").await.location(), format!("{SITE}/oops?error=Configuration"));
}

#[tokio::test]
async fn verify_request_page_is_ours_or_theirs() {
    let auth = bare().url(SITE).build().unwrap();
    assert!(browse(&auth).get("verify-request").await.text().contains("app.example.com"));
    let auth = bare().url(SITE).pages(PagePaths::new().verify_request("/mail")).build().unwrap();
    let answer = browse(&auth).get("verify-request?provider=email&type=email&x=%26").await;
    assert_eq!(answer.location(), "/mail?provider=email&type=email&x=%26");
}
