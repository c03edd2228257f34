use serde_json::json;

use super::*;

fn problem(theme: &Theme) -> String {
    theme.check().unwrap_err().to_string()
}

#[test]
fn a_theme_serializes_as_auth_js_has_it() {
    assert_eq!(
        serde_json::to_value(Theme::new()).unwrap(),
        json!({ "colorScheme": "auto", "logo": "", "brandColor": "", "buttonText": "" })
    );
    let theme = Theme::new()
        .color_scheme(ColorScheme::Dark)
        .logo("https://example.com/logo.png")
        .brand_color("#aa00ff")
        .button_text("#00ff00");
    assert_eq!(
        serde_json::to_value(theme).unwrap(),
        json!({
            "colorScheme": "dark",
            "logo": "https://example.com/logo.png",
            "brandColor": "#aa00ff",
            "buttonText": "#00ff00"
        })
    );
}

#[test]
fn a_bad_colour_is_refused_and_named() {
    assert_eq!(problem(&Theme::new().brand_color("red")), "theme: brand_color is not #rgb or #rrggbb");
    assert_eq!(
        problem(&Theme::new().button_text("#fff;}body{display:none")),
        "theme: button_text is not #rgb or #rrggbb"
    );
}

#[test]
fn a_logo_is_an_http_https_or_relative_address() {
    for good in
        ["", "/logo.svg", "logo.svg", "../a/b.png?x=1", "//cdn.example/l.png", "https://a.example/l.png"]
    {
        assert!(Theme::new().logo(good).check().is_ok(), "{good}");
    }
    for bad in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "java\tscript:alert(1)",
        "\u{1}javascript:alert(1)",
        "data:image/svg+xml,<svg/>",
        "file:///etc/passwd",
        "blob:https://a.example/1",
        "https://",
        "/a logo.png",
    ] {
        assert!(problem(&Theme::new().logo(bad)).starts_with("theme: logo "), "{bad}");
    }
}

#[test]
fn the_empty_text_is_the_same_as_none() {
    let theme = Theme::new().logo("").brand_color("").button_text("");
    let colors = theme.check().unwrap();
    assert_eq!((colors.brand, colors.button_text, theme.logo_origin()), (None, None, None));
}
