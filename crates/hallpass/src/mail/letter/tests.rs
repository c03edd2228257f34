use super::*;
use crate::pages::ColorScheme;

fn letter() -> Letter<'static> {
    Letter {
        host: "app.example.com",
        url: "https://app.example.com/api/auth/callback/email?callbackUrl=%2F&token=c0ffee&email=ada%40example.com",
        email: "ada@example.com",
        lifetime: Duration::from_secs(600),
    }
}

fn filled(theme: &Theme, letter: Letter<'_>) -> [String; 3] {
    let letters = Letters::new(theme, &[]).unwrap();
    [MailTemplate::Subject, MailTemplate::Text, MailTemplate::Html]
        .map(|name| letters.fill(name, letter).unwrap())
}

#[test]
fn subject_and_text_name_the_site_and_hold_the_link() {
    let [subject, text, _] = filled(&Theme::new(), letter());
    insta::assert_snapshot!(subject, @"Sign in to app.example.com");
    insta::assert_snapshot!(text, @r"
    Sign in to app.example.com

    Open this link where you want to be signed in:

    https://app.example.com/api/auth/callback/email?callbackUrl=%2F&token=c0ffee&email=ada%40example.com

    It works once, for 10 minutes. If you did not ask for it, there is
    nothing to do: nobody can sign in without this mail.
    ");
    let [subject, text, _] = filled(&Theme::new().title("Acme & Co"), letter());
    assert_eq!(subject, "Sign in to Acme & Co");
    assert!(text.starts_with("Sign in to Acme & Co (app.example.com)\n"), "{text}");
}

#[test]
fn the_html_is_this() {
    insta::assert_snapshot!("html", filled(&Theme::new(), letter())[2]);
    let theme = Theme::new().title("Acme").brand_color("#fd0").logo("https://acme.example/logo.png");
    insta::assert_snapshot!("themed_html", filled(&theme.color_scheme(ColorScheme::Light), letter())[2]);
}

#[test]
fn the_html_loads_nothing_but_the_logo_and_needs_no_stylesheet() {
    let [_, _, html] = filled(&Theme::new().logo("/logo.png"), letter());
    assert!(!html.contains("src=") && !html.contains("<link") && !html.contains("<script"), "{html}");
    // Programs that throw the style element away still show the button.
    let (_, button) = html.split_once("<a href=").unwrap();
    assert!(button.contains("background:#000000;color:#ffffff"), "{button}");
    assert!(html.contains("prefers-color-scheme: dark"));
    let [_, _, html] = filled(&Theme::new().color_scheme(ColorScheme::Light), letter());
    assert!(!html.contains("<style"));
}

#[test]
fn markup_from_outside_is_text() {
    let text = "\"'><script>alert(1)</script>&";
    let theme = Theme::new().title(text).logo(format!("https://acme.example/{text}"));
    let hostile = Letter { host: text, url: text, email: text, ..letter() };
    let html = Letters::new(&theme, &[]).unwrap().fill(MailTemplate::Html, hostile).unwrap();
    assert!(!html.contains("<script") && !html.contains("\"'>"), "{html}");
    assert!(html.contains("&quot;&#39;>&lt;script>alert(1)&lt;/script>&amp;"));
    let shows = [(MailTemplate::Html, "<p>{{ email }}{{ host }}</p>".to_owned())];
    let html = Letters::new(&theme, &shows).unwrap().fill(MailTemplate::Html, hostile).unwrap();
    assert!(!html.contains("<script"), "{html}");
}

#[test]
fn a_replaced_template_is_used_and_one_that_cannot_work_is_refused() {
    let with = |name, source: &str| Letters::new(&Theme::new(), &[(name, source.to_owned())]);
    let letters = with(MailTemplate::Text, "{{ email }} & {{ lifetime }}").unwrap();
    assert_eq!(letters.fill(MailTemplate::Text, letter()).unwrap(), "ada@example.com & 10 minutes");
    for (name, source, line, told) in [
        (MailTemplate::Html, "<p>\n{% for x in %}", 2, "template mail.html: syntax error"),
        (MailTemplate::Subject, "{{ adress }}", 1, "template mail.subject: undefined value"),
    ] {
        let error = name.check(source).unwrap_err();
        assert!(error.line == Some(line) && error.to_string().starts_with(told), "{error:?}");
    }
}

#[test]
fn a_subject_is_one_line() {
    let letters = Letters::new(&Theme::new().title("a\r\nBcc: b@c.example\0\n"), &[]).unwrap();
    assert_eq!(letters.fill(MailTemplate::Subject, letter()).unwrap(), "Sign in to a Bcc: b@c.example");
}

#[test]
fn a_lifetime_is_told_in_words() {
    for (seconds, words) in [
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (600, "10 minutes"),
        (3600, "1 hour"),
        (5400, "90 minutes"),
        (86400, "24 hours"),
    ] {
        assert_eq!(in_words(Duration::from_secs(seconds)), words);
    }
}
