use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

use super::*;

const CSRF: &str = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

fn pages() -> Pages {
    Pages::new(&Theme::new(), &[("github", "#24292f")]).unwrap()
}

fn options() -> [SignInOption; 4] {
    let fields = vec![
        Field::new("username").label("Username").kind("text"),
        Field::new("password").label("Password").kind("password"),
    ];
    [
        SignInOption::credentials(
            "credentials",
            "Credentials",
            "https://a.example/callback/credentials",
            fields,
        ),
        SignInOption::redirect("github", "GitHub", "https://a.example/signin/github"),
        SignInOption::redirect("acme", "Acme", "https://a.example/signin/acme"),
        SignInOption::email("email", "Email", "https://a.example/signin/email"),
    ]
}

fn sign_in(change: impl FnOnce(&mut SignInPage<'_>)) -> String {
    let options = options();
    let mut page = page_of(&options);
    change(&mut page);
    pages().sign_in(&page).unwrap()
}

fn page_of(options: &[SignInOption]) -> SignInPage<'_> {
    SignInPage {
        csrf_token: Some(CSRF),
        callback_url: "https://a.example/dashboard?tab=1",
        options,
        ..SignInPage::default()
    }
}

fn every_page(pages: &Pages) -> Vec<String> {
    let options = options();
    let text = "\"'><script>alert(1)</script>";
    let hostile = [
        SignInOption::redirect(text, text, text),
        SignInOption::email(text, text, text),
        SignInOption::credentials(
            text,
            text,
            text,
            vec![Field {
                name: text.into(),
                label: Some(text.into()),
                kind: Some(text.into()),
                placeholder: Some(text.into()),
                value: Some(text.into()),
                required: true,
                autocomplete: Some(text.into()),
            }],
        ),
    ];
    let page = |error, callback_url, options| SignInPage {
        csrf_token: Some(callback_url),
        error,
        callback_url,
        email: callback_url,
        options,
    };
    let mut all = vec![
        pages.sign_in(&page(None, "/", &options)).unwrap(),
        pages.sign_in(&page(Some(text), text, &hostile)).unwrap(),
        pages.sign_in(&SignInPage::default()).unwrap(),
        pages.sign_out(&SignOutPage { csrf_token: Some(text), action: text }).unwrap(),
        pages.error(&ErrorPage { code: Some(text), sign_in_url: text }).unwrap(),
        pages.error(&ErrorPage::default()).unwrap(),
        pages.verify_request(&VerifyRequestPage { site: text, back_url: text }).unwrap(),
        pages
            .confirm(&ConfirmPage {
                csrf_token: Some(text),
                action: text,
                email: text,
                token: text,
                callback_url: text,
            })
            .unwrap(),
    ];
    all.extend(
        error_codes()
            .map(|code| pages.error(&ErrorPage { code: Some(code), sign_in_url: "/signin" }).unwrap()),
    );
    all
}

/// Forms and inputs, without what is there for people only.
fn forms(html: &str) -> String {
    let shown = [" id=", " autocomplete=", " autocapitalize=", " spellcheck=", " placeholder=", " class="];
    let mut lines = Vec::new();
    for line in html.lines().filter(|line| line.starts_with("<form") || line.starts_with("<input")) {
        let mut line = line.to_owned();
        for attribute in shown {
            if let Some((before, after)) = line.split_once(attribute) {
                let (_, after) = after.trim_start_matches('"').split_once('"').unwrap();
                line = format!("{before}{after}");
            }
        }
        lines.push(line);
    }
    lines.join("\n").replace(CSRF, "…")
}

/// Whether there is an element that says "error", as those who read the pages of Auth.js look for it.
fn says_error(html: &str) -> bool {
    html.split('<').any(|tag| {
        let tag = tag.split('>').next().unwrap();
        let class = tag.split("class=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("");
        ["div", "p", "section"].contains(&tag.split(' ').next().unwrap())
            && class.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == "error")
    })
}

#[test]
fn the_forms_are_those_of_auth_js() {
    insta::assert_snapshot!(forms(&sign_in(|_| {})), @r#"
    <form action="https://a.example/callback/credentials" method="post">
    <input type="hidden" name="csrfToken" value="…">
    <input name="username" type="text">
    <input name="password" type="password">
    <form action="https://a.example/signin/github" method="post">
    <input type="hidden" name="csrfToken" value="…">
    <input type="hidden" name="callbackUrl" value="https://a.example/dashboard?tab=1">
    <form action="https://a.example/signin/acme" method="post">
    <input type="hidden" name="csrfToken" value="…">
    <input type="hidden" name="callbackUrl" value="https://a.example/dashboard?tab=1">
    <form action="https://a.example/signin/email" method="post">
    <input type="hidden" name="csrfToken" value="…">
    <input name="email" type="email" required>
    "#);
    let page = SignOutPage { csrf_token: Some(CSRF), action: "/signout?callbackUrl=%2Fbye" };
    insta::assert_snapshot!(forms(&pages().sign_out(&page).unwrap()), @r#"
    <form action="/signout?callbackUrl=%2Fbye" method="post">
    <input type="hidden" name="csrfToken" value="…">
    "#);
}

#[test]
fn the_form_of_a_magic_link_sends_what_the_link_names() {
    let page = ConfirmPage {
        csrf_token: Some(CSRF),
        action: "https://a.example/callback/email",
        email: "ada@example.com",
        token: "c0ffee",
        callback_url: "https://a.example/cart",
    };
    let html = pages().confirm(&page).unwrap();
    insta::assert_snapshot!(forms(&html), @r#"
    <form action="https://a.example/callback/email" method="post">
    <input type="hidden" name="csrfToken" value="…">
    <input type="hidden" name="token" value="c0ffee">
    <input type="hidden" name="email" value="ada@example.com">
    <input type="hidden" name="callbackUrl" value="https://a.example/cart">
    "#);
    assert!(html.contains("<h1>Sign in?</h1>") && html.contains("<strong>ada@example.com</strong>"));
}

#[test]
fn the_address_of_the_query_fills_the_form() {
    let html = sign_in(|page| page.email = "someone@example.com");
    assert!(
        forms(&html).contains(r#"<input name="email" type="email" value="someone@example.com" required>"#)
    );
}

#[test]
fn without_a_csrf_token_there_is_no_field_for_it() {
    let html = sign_in(|page| page.csrf_token = None);
    assert!(html.contains("<form") && !html.contains("csrfToken"));
    let html = pages().sign_out(&SignOutPage { csrf_token: None, action: "/signout" }).unwrap();
    assert!(html.contains("<form") && !html.contains("csrfToken"));
}

#[test]
fn a_field_shows_what_was_configured() {
    let field = Field { value: Some("7".into()), required: true, ..Field::new("pin").kind("number") };
    let options = [SignInOption::credentials("pin", "PIN", "/callback/pin", vec![field])];
    let html = pages().sign_in(&page_of(&options)).unwrap();
    assert!(forms(&html).contains(r#"<input name="pin" type="number" value="7" required>"#), "{html}");
    assert!(html.contains("Sign in with PIN"));
}

#[test]
fn an_error_is_shown_exactly_when_there_is_one() {
    for error in [None, Some("")] {
        assert!(!says_error(&sign_in(|page| page.error = error)));
    }
    for error in error_codes().chain(["made-up"]) {
        assert!(says_error(&sign_in(|page| page.error = Some(error))), "{error}");
        let page = ErrorPage { code: Some(error), sign_in_url: "/signin" };
        assert!(says_error(&pages().error(&page).unwrap()), "{error}");
    }
    assert!(says_error(&pages().error(&ErrorPage::default()).unwrap()));
    assert!(!says_error(&pages().sign_out(&SignOutPage::default()).unwrap()));
    assert!(!says_error(&pages().verify_request(&VerifyRequestPage::default()).unwrap()));
    assert!(!says_error(&pages().confirm(&ConfirmPage::default()).unwrap()));
}

#[test]
fn an_unknown_code_is_never_shown() {
    let code = "Call 555-0100 to unlock your account";
    let page = ErrorPage { code: Some(code), sign_in_url: "/signin" };
    for html in [pages().error(&page).unwrap(), sign_in(|page| page.error = Some(code))] {
        assert!(!html.contains("555"));
    }
}

#[test]
fn the_error_page_leads_back_to_sign_in() {
    let page = ErrorPage { code: Some("AccessDenied"), sign_in_url: "/api/auth/signin" };
    let html = pages().error(&page).unwrap();
    assert!(html.contains(r#"href="/api/auth/signin">Sign in with another account</a>"#), "{html}");
    assert_eq!(html.matches("<a ").count(), 1);
    assert!(!pages().error(&ErrorPage::default()).unwrap().contains("<a "));
}

#[test]
fn markup_in_any_value_is_text() {
    for html in every_page(&pages()) {
        assert!(!html.contains("<script"));
        assert!(!html.contains("\"'>"), "{html}");
    }
}

#[test]
fn a_page_holds_no_script_and_no_style_but_the_one_that_the_policy_allows() {
    let pages = pages().with_style(":root { --radius: 0 }").unwrap();
    for html in every_page(&pages) {
        let css = html.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        let hash = Base64::encode_string(&Sha256::digest(css.as_bytes()));
        assert!(pages.content_security_policy().contains(&format!("style-src 'sha256-{hash}';")));
        assert_eq!(html.matches("<style").count(), 1);
        for never in [" style=", " onclick=", " onload=", " onerror=", "javascript:"] {
            assert!(!html.contains(never), "{never}");
        }
    }
}

#[test]
fn the_policy_allows_nothing_that_pages_do_not_need() {
    let hash = pages().style.hash().to_owned();
    assert_eq!(
        pages().content_security_policy(),
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; img-src 'self' data: https:; base-uri 'none'; \
             frame-ancestors 'none'"
        )
    );
    let with_logo = |logo: &str| Pages::new(&Theme::new().logo(logo), &[]).unwrap();
    let policy = |logo: &str| with_logo(logo).content_security_policy().to_owned();
    assert!(policy("http://localhost:3000/logo.png").contains("https: http://localhost:3000; base-uri"));
    assert!(policy("https://example.com/logo.png").contains("https:; base-uri"));
    assert!(policy("/logo.png").contains("https:; base-uri"));
}

#[test]
fn the_headers_forbid_framing_caching_and_telling_other_sites() {
    let headers: http::HeaderMap = pages().headers().into_iter().collect();
    let header = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert_eq!(header("x-frame-options"), "DENY");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("referrer-policy"), "same-origin");
    assert_eq!(header("content-security-policy"), pages().content_security_policy());
}

#[test]
fn every_page_has_one_heading_a_title_a_language_and_a_viewport() {
    for html in every_page(&pages()) {
        assert_eq!(html.matches("<h1>").count(), 1);
        assert!(html.contains("<html lang=\"en\">") && html.contains("name=\"viewport\""));
        assert!(!html.contains("<title></title>"));
    }
}

#[test]
fn every_label_names_one_field_even_when_two_forms_have_the_same_fields() {
    let fields = || vec![Field::new("username"), Field::new("password").kind("password")];
    let options = [
        SignInOption::credentials("one", "One", "/callback/one", fields()),
        SignInOption::credentials("two", "Two", "/callback/two", fields()),
        SignInOption::email("email", "Email", "/signin/email"),
        SignInOption::email("mail", "Mail", "/signin/mail"),
    ];
    let html = pages().sign_in(&page_of(&options)).unwrap();
    let labels: Vec<_> =
        html.split("<label for=\"").skip(1).map(|it| it.split('"').next().unwrap()).collect();
    assert_eq!(labels.len(), 6);
    for label in labels {
        assert_eq!(html.matches(&format!(" id=\"{label}\"")).count(), 1, "{label}");
        assert_eq!(html.matches(&format!(" for=\"{label}\"")).count(), 1, "{label}");
    }
    assert!(html.contains("Email me a link with Mail"));
}

#[test]
fn theme_and_title_are_shown() {
    let theme = Theme::new().title("Acme & Co").logo("/logo.svg?a=1&b=2").color_scheme(ColorScheme::Dark);
    let pages = Pages::new(&theme, &[]).unwrap();
    let html = pages.sign_in(&SignInPage::default()).unwrap();
    assert!(html.contains("<h1>Sign in to Acme &amp; Co</h1>"));
    assert!(html.contains(r#"<img class="logo" src="/logo.svg?a=1&amp;b=2" alt="Acme &amp; Co">"#));
    assert!(html.contains(r#"<meta name="color-scheme" content="dark">"#));
    let html = pages.verify_request(&VerifyRequestPage::default()).unwrap();
    assert!(html.contains("<title>Check your email · Acme &amp; Co</title>"));
}

#[test]
fn a_replaced_template_is_used_and_escaped() {
    let source = "<h1>{{ heading }}</h1><p class=\"error\">{{ error.message }}</p>{{ sign_in_url }}";
    let pages = pages().with_template(TemplateName::Error, source).unwrap();
    let html = pages.error(&ErrorPage { code: None, sign_in_url: "<b>" }).unwrap();
    assert!(html.contains("<p class=\"error\">Something went wrong on the way. Please try again.</p>&lt;b>"));
    assert!(html.contains("<style>"));
}

#[test]
fn a_replaced_layout_stands_around_every_page() {
    let pages = pages()
        .with_template(TemplateName::Layout, "<title>{{ title }}</title><body class={{ page }}>{{ content }}")
        .unwrap();
    let html = pages.sign_out(&SignOutPage::default()).unwrap();
    assert!(html.starts_with("<title>Sign out?</title><body class=sign_out><h1>Sign out?</h1>"), "{html}");
}

#[test]
fn a_template_that_cannot_work_is_refused_when_it_is_given() {
    let refused = |name, source: &str| pages().with_template(name, source).unwrap_err().to_string();
    let error = refused(TemplateName::SignIn, "\n{% for x in %}");
    assert!(error.starts_with("template sign_in: syntax error") && error.contains(":2)"), "{error}");
    let error = refused(TemplateName::VerifyRequest, "{{ site }}{{ sight }}");
    assert!(error.starts_with("template verify_request: undefined value"), "{error}");
}

#[test]
fn added_style_cannot_end_its_element() {
    let error = pages().with_style("a { color: red }</STYLE><script>").unwrap_err();
    assert_eq!(error.to_string(), "added style contains </");
}
