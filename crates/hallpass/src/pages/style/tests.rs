use super::*;

const PLAIN: ThemeColors = ThemeColors { brand: None, button_text: None };

fn branded(brand: &str) -> ThemeColors {
    ThemeColors { brand: Color::parse(brand), button_text: None }
}

fn value(css: &str, rule: &str, name: &str) -> Color {
    let at = css.rfind(&format!("{rule} {{")).unwrap();
    let block = css[at..].split('}').next().unwrap();
    let text = block.split(&format!("{name}: ")).nth(1).unwrap();
    Color::parse(&text[..7]).unwrap_or_else(|| panic!("{name} in {block}"))
}

#[test]
fn text_and_edges_stand_out_in_both_schemes() {
    for palette in [LIGHT, DARK] {
        let css = palette.rules(&PLAIN, &[]);
        for (front, back, ratio) in [
            ("--ink", "--surface", 7.0),
            ("--ink", "--button", 7.0),
            ("--ink", "--hover", 7.0),
            ("--ink", "--badge", 7.0),
            ("--muted", "--surface", 4.5),
            ("--on-primary", "--primary", 7.0),
            ("--on-primary", "--primary-hover", 7.0),
            ("--on-tile", "--tile", 4.5),
            ("--warm-ink", "--warm", 4.5),
            ("--field", "--surface", 3.0),
            ("--focus", "--surface", 3.0),
            ("--primary-edge", "--surface", 3.0),
        ] {
            let contrast = value(&css, ":root", front).contrast(value(&css, ":root", back));
            assert!(contrast >= ratio, "{front} on {back}: {contrast}");
        }
    }
}

#[test]
fn the_colours_that_others_are_fitted_to_stand_in_the_sheet() {
    for palette in [LIGHT, DARK] {
        assert_eq!(value(palette.declarations, ":root", "--button"), palette.button);
        assert_eq!(value(palette.declarations, ":root", "--ink"), palette.ink);
    }
}

#[test]
fn every_brand_colour_gives_a_readable_button() {
    for brand in ["#ffd60a", "#0b1533", "#000", "#fff", "#5b3df5", "#777777", "#ff0000"] {
        for palette in [LIGHT, DARK] {
            let css = palette.rules(&branded(brand), &[]);
            let text = value(&css, ":root", "--on-primary");
            assert!(text.contrast(value(&css, ":root", "--primary")) >= 4.5, "{brand}");
            assert!(text.contrast(value(&css, ":root", "--primary-hover")) >= 4.5, "{brand}");
            for edge in ["--primary-edge", "--focus"] {
                assert!(value(&css, ":root", edge).contrast(palette.button) >= 3.0, "{brand} {edge}");
            }
        }
    }
}

#[test]
fn every_logo_stands_out_in_both_schemes() {
    for brand in ["#24292f", "#ffffff", "#ffd60a", "#0a66c2", "#000"] {
        for palette in [LIGHT, DARK] {
            let css = palette.rules(&PLAIN, &[(class("it"), Color::parse(brand).unwrap())]);
            let rule = ".provider-it";
            assert!(value(&css, rule, "--brand").contrast(palette.button) >= 3.0, "{brand}");
            let (tile, letter) = (value(&css, rule, "--tile"), value(&css, rule, "--on-tile"));
            assert!(tile.contrast(letter) >= 4.5, "{brand}");
        }
    }
}

#[test]
fn a_scheme_that_is_not_wanted_is_not_sent() {
    let sheet = |scheme| Stylesheet::new(scheme, &PLAIN, &[]).unwrap();
    assert!(sheet(ColorScheme::Auto).css().contains("@media (prefers-color-scheme: dark)"));
    for (scheme, wanted, other) in [
        (ColorScheme::Light, "color-scheme: light;", "color-scheme: dark;"),
        (ColorScheme::Dark, "color-scheme: dark;", "color-scheme: light;"),
    ] {
        let sheet = sheet(scheme);
        assert!(sheet.css().contains(wanted) && !sheet.css().contains(other));
        assert!(!sheet.css().contains("prefers-color-scheme"));
    }
}

#[test]
fn the_colour_of_a_provider_must_be_one() {
    let brands = [("github", "#24292f"), ("evil", "red;}</style>")];
    let error = Stylesheet::new(ColorScheme::Auto, &PLAIN, &brands).unwrap_err();
    assert_eq!(error.to_string(), "brand colour of provider evil is not #rgb or #rrggbb");
}

#[test]
fn the_id_of_a_provider_cannot_leave_its_selector() {
    assert_eq!(class("micro-soft_1"), "provider-micro-soft-1");
    assert_eq!(class("a{}</style>"), "provider-a----style-");
}
